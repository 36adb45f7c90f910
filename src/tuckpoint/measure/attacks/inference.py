"""Attribute inference: does who was in the data have secrets that the made rows tell better than those of others?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuckpoint.measure import boost
from tuckpoint.measure.attacks.linkability import BLOCK_CELLS, entropy
from tuckpoint.measure.exchange import Hits, crowd, excess_score
from tuckpoint.measure.finding import CLOSER, Finding, Sides
from tuckpoint.measure.limits import AUDIT
from tuckpoint.measure.nearness import embedding
from tuckpoint.measure.prepare import UNSEEN
from tuckpoint.schema import Schema
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, Field, cut

MOST_SECRETS = 3
MOST_PEOPLE = 2_000
MOST_MADE = 20_000
MOST_LEARNT = 5_000
PARTS = 10
MOST_CLASSES = 20
TREES = 60  # of all classes together
NOBODY = -2  # the class of levels that no real person holds
ADVICE = f"Made rows tell this column of people in the data; {CLOSER}."


def inference(sides: Sides, seed: Seed, *, secrets: Sequence[str] | None = None) -> tuple[Finding, ...]:
    """How much more often is a secret guessed right for people in the data than for people who are not?

    The attacker knows all other columns of a person, the worst case, and guesses the secret in two ways: as in the made
    row that is nearest by them, and by a boosted model learnt on made rows. Right is the same level, or the same tenth
    of the made values for a number. Only the excess over outsiders is a leak: what is guessed of everybody is knowledge
    of the population, which made rows are there to give.

    `secrets` are by default the schema's sensitive columns, else its target, else the columns of at most twenty levels
    or of numbers that tell most (entropy in the made rows); at most three, those that tell most. Up to 2,000 people a
    side. The p-value is exact: whose secret is guessed does not depend on who was a member (Fisher). Source: Giomi,
    Boenisch, Wehmeyer and Tasnadi 2023 (arXiv 2211.10459); Yeom, Giacomelli, Fredrikson and Jha 2018 (section 4) for
    the difference to outsiders as the advantage.
    """
    chosen = tuple(secrets) if secrets is not None else secrets_of(sides.schema, sides.made)
    if not chosen or len(sides.made.fields) < 2:
        why = "no column is a secret that others could tell; mark columns as sensitive in the schema"
        return (Finding("inference", "inference", Score("attribute_inference", None, why=why)),)
    people, member = crowd(sides)
    random = seed.child("people").numpy()
    some = [random.permutation(np.flatnonzero(member == side))[:MOST_PEOPLE] for side in (True, False)]
    people, member = people.take(np.concatenate(some)), member[np.concatenate(some)]
    made = cut(sides.made, MOST_MADE, seed.child("made").numpy())
    rows = nearest_rows(people, made, chosen, seed.child("space"))
    found = []
    for name in chosen:
        truth, known = classes(people.field(name), people.columns[name], made.columns[name])
        guesses = {"nearest": known[rows[name]], "boosted": boosted(people, made, name, known, seed.child(name))}
        for way, guess in guesses.items():
            hits = Hits.of((guess == truth) & (truth != NOBODY), member)
            score = excess_score(
                "attribute_inference", hits, limit=AUDIT.inference, advice=ADVICE, subject=(name,),
                detail={"guessed_by": way, "known_columns": len(people.fields) - 1, "made_rows": made.rows},
            )  # fmt: skip
            found.append(Finding(f"inference_{way}", "inference", score, p=hits.p))
    return tuple(found)


def secrets_of(schema: Schema, made: Encoded) -> tuple[str, ...]:
    """The columns to guess: the sensitive ones, else the target, else those that tell most; at most three."""
    fields = [field for field in made.fields if entropy(field, made.columns[field.name]) > 0]
    wanted = [field for field in fields if schema[field.name].sensitive]
    wanted = wanted or [field for field in fields if field.name == schema.target]
    wanted = wanted or [field for field in fields if field.numeric or len(field.levels or ()) <= MOST_CLASSES + 1]
    told = sorted(wanted, key=lambda field: (-entropy(field, made.columns[field.name]), field.name))
    return tuple(field.name for field in told[:MOST_SECRETS])


def classes(field: Field, values: Array, made: Array) -> tuple[Array, Array]:
    """What is guessed, of people (n,) and of made rows (m,): levels, or tenths of the made values; -1 is missing."""
    if field.numeric:
        known = made[~np.isnan(made)]
        cuts = np.unique(np.quantile(known, np.arange(1, PARTS) / PARTS)) if len(known) else known
        told = [np.where(np.isnan(side), -1, np.searchsorted(cuts, side, side="right")) for side in (values, made)]
    else:
        last = len(field.levels or ()) - 1
        unseen = bool(field.levels) and (field.levels or ())[last] == UNSEEN
        told = [np.where(unseen & (side == last), NOBODY, side) for side in (values, made)]
    return told[0].astype(np.int64), told[1].astype(np.int64)


def nearest_rows(people: Encoded, made: Encoded, secrets: Sequence[str], seed: Seed) -> dict[str, Array]:
    """For each secret, the made row (n,) nearest to each person by all other columns.

    Squared distances add up over columns: what the secret adds is taken off the distance by all columns.
    """
    names = tuple(field.name for field in people.fields)
    points, own = _placed(people, made, names, seed)
    parts = {name: _placed(people, made, (name,), seed) for name in secrets}
    out = {name: np.empty(people.rows, np.int64) for name in secrets}
    step = max(1, BLOCK_CELLS // max(made.rows, 1))
    for start in range(0, people.rows, step):
        block = slice(start, start + step)
        whole = _squares(points[block], own)
        for name, (mine, theirs) in parts.items():
            out[name][block] = (whole - _squares(mine[block], theirs)).argmin(axis=1)
    return out


def _placed(people: Encoded, made: Encoded, names: tuple[str, ...], seed: Seed) -> tuple[Array, Array]:
    space = embedding(people.select(names), seed)
    return space.place(people.select(names)), space.place(made.select(names))


def _squares(points: Array, others: Array) -> Array:
    """Squared distances (n, m) less what only depends on the point."""
    score = points @ others.T
    score *= -2
    score += (others.astype(np.float64) ** 2).sum(axis=1).astype(np.float32)
    return np.asarray(score)


def boosted(people: Encoded, made: Encoded, secret: str, known: Array, seed: Seed) -> Array:
    """The class (n,) that a model of the made rows finds likeliest; the commonest twenty can be guessed."""
    levels, counts = np.unique(known[known != NOBODY], return_counts=True)
    levels = np.sort(levels[np.argsort(-counts, kind="stable")[:MOST_CLASSES]])
    if len(levels) < 2:
        return np.full(people.rows, levels[0] if len(levels) else NOBODY)
    usable = np.flatnonzero(np.isin(known, levels))
    rows = np.sort(seed.child("rows").numpy().permutation(usable)[:MOST_LEARNT])
    settings = boost.Boosting(rounds=max(TREES // len(levels), 8), rate=0.15 if len(levels) == 2 else 0.3)
    model = boost.train(
        boost.features(made, without=secret).take(rows), np.searchsorted(levels, known[rows]), classes=len(levels),
        seed=seed.child("fit"), settings=settings,
    )  # fmt: skip
    told = boost.predict(model, boost.features(people, without=secret))
    return np.asarray(levels[(told > 0.5).astype(int) if len(levels) == 2 else told.argmax(axis=1)])
