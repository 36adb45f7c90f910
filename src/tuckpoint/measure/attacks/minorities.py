"""The worst off: is membership given away for odd people, for small groups, for the few whom an attack finds best?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tuckpoint.measure.attacks.density import ratio
from tuckpoint.measure.exchange import Hits, beside, crowd, tail
from tuckpoint.measure.finding import Finding, Sides
from tuckpoint.measure.guesses import near
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.measure.limits import AUDIT
from tuckpoint.measure.prepare import UNSEEN
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded

ODDEST = 0.05  # of the crowd
WORST_OFF = 0.01  # of the crowd
GUESSED = 0.20  # of a group, whom the attacker takes for members
STAGES = (1.0, 0.5, 0.25)  # of those guessed: an attacker may stop at the surest
LEAST = 200  # people of a group, members and outsiders
MOST_SHARE = 0.25  # of the crowd, in a group that is small
MOST_GROUPS = 10
ADVICE = (
    "Who stands out is given away more than others; pool rare levels (a larger k), use larger leaves or `--private`."
)


@dataclass(frozen=True)
class Guess:
    """The surest guesses of an attacker about some people: hits among members and outsiders, and the p-value."""

    hits: Hits
    p: float


def minorities(sides: Sides, seed: Seed) -> tuple[Finding, ...]:
    """Membership among the 5 % oddest people, in the worst small group, and of the 1 % whom the attack finds best.

    Each person is rated by how much nearer a made row lies than another person does (log ratio of distances). The
    attacker takes those with the highest rating for members: a fifth of the oddest (by the distance to their fifth
    nearest other person) and of each small group (a level of a sensitive column, or of any category if none is, with
    200 people or more and at most a quarter of all), and one in a hundred of all people.

    The p-value is exact: without a leak half of those guessed are members by chance; it is the smallest over all,
    half and a quarter of the guesses, times three, and for the worst of g groups times g. Oddest and group pass if the
    upper bound of the share of members found is at most twice the share found of all members, or by guessing if that
    is less. That averages hide the few who are surely found: Carlini et al. 2022 (arXiv 2112.03570); that outliers are
    found first: Stadler, Oprisanu and Troncoso 2022 (arXiv 2011.07018).
    """
    people, member = crowd(sides)
    around = near(sides, seed)
    odd, score = around.others[:, -1], ratio(around.others[:, 0], around.made[:, 0])
    order = np.lexsort((seed.child("ties").numpy().permutation(len(score)), -score))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    overall = guessed(rank, member, GUESSED).hits
    oddest = np.argsort(-odd, kind="stable")[: round(ODDEST * len(odd))]
    found = [_within("oddest_people", guessed(rank[oddest], member[oddest], GUESSED), overall)]
    found.append(_worst_off(guessed(rank, member, WORST_OFF)))
    groups = [
        (subject, guessed(rank[inside], member[inside], GUESSED)) for subject, inside in small_groups(sides, people)
    ]
    if groups:
        subject, worst = min(groups, key=lambda group: group[1].p)
        corrected = Guess(worst.hits, min(1.0, worst.p * len(groups)))
        found.append(_within("worst_group", corrected, overall, subject=subject, tried=len(groups)))
    return tuple(found)


def guessed(rank: Array, member: Array, share: float) -> Guess:
    """The attacker takes this share of people, those with the lowest rank (n,), for members (n,) bool."""
    order = np.argsort(rank)
    people, members = len(order), int(member.sum())
    tries = []
    for stage in STAGES:
        count = max(1, round(share * stage * people))
        inside = int(member[order[:count]].sum())
        tries.append((Hits(inside, members, count - inside, people - members), tail(inside, people, members, count)))
    return Guess(tries[0][0], min(1.0, len(STAGES) * min(p for _, p in tries)))


def small_groups(sides: Sides, people: Encoded) -> Iterator[tuple[tuple[str, str], Array]]:
    """The ten smallest groups with enough people: column and level, and the places of its people."""
    levelled = [field for field in people.fields if not field.numeric]
    sensitive = [field for field in levelled if sides.schema[field.name].sensitive]
    found = []
    for field in sensitive or levelled:
        for code, level in enumerate(field.levels or ()):
            inside = np.flatnonzero(people.columns[field.name] == code)
            if level != UNSEEN and LEAST <= len(inside) <= MOST_SHARE * people.rows:
                found.append(((field.name, level), inside))
    yield from sorted(found, key=lambda group: (len(group[1]), group[0]))[:MOST_GROUPS]


def _within(name: str, guess: Guess, overall: Hits, *, subject: tuple[str, ...] = (), tried: int = 1) -> Finding:
    everybody = overall.members / overall.of_members
    return _finding(
        name, guess, AUDIT.worst_ratio * min(everybody, GUESSED), subject,
        {"guessed": GUESSED, "overall": everybody, "ratio": _ratio(guess.hits, everybody), "groups": tried},
    )  # fmt: skip


def _ratio(hits: Hits, everybody: float) -> float | None:
    return hits.members / hits.of_members / everybody if hits.of_members and everybody else None


def _worst_off(guess: Guess) -> Finding:
    return _finding("worst_off", guess, AUDIT.true_positives, (), {"guessed": WORST_OFF})


def _finding(name: str, guess: Guess, limit: float, subject: tuple[str, ...], detail: dict[str, object]) -> Finding:
    hits = guess.hits
    if not hits.of_members or not hits.of_outsiders:
        why = "all of these people were in the data, or none"
        return Finding("minorities", "worst case", Score(name, None, subject=subject, why=why))
    passed = clopper_pearson(hits.members, hits.of_members)[1] <= limit
    told = {"limit": limit, **detail}
    score = beside(name, hits, subject=subject, passed=passed, advice="" if passed else ADVICE, detail=told)
    return Finding("minorities", "worst case", score, p=guess.p)
