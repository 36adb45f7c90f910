"""Singling out: does a description read off the made rows fit exactly one person who was in the data?"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from tuckpoint.measure.attacks.copies import DECIMALS
from tuckpoint.measure.exchange import Hits, crowd, excess_score, tail
from tuckpoint.measure.finding import CLOSER, Finding, Sides
from tuckpoint.measure.limits import AUDIT
from tuckpoint.measure.prepare import UNSEEN
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, Field, cut

BINS = 50
MOST_PEOPLE = 20_000
ORDERS = 8
MOST_EXPECTED = 1e-6
ADVICE = f"Descriptions read off made rows fit single people of the data; {CLOSER}."


@dataclass(frozen=True)
class Matches:
    """Whom predicates fit: per predicate (p,) how many members and outsiders, and the place of one of either."""

    members: Array
    outsiders: Array
    a_member: Array
    an_outsider: Array


def singling_out(sides: Sides, seed: Seed) -> tuple[Finding, ...]:
    """Which people are the only member, or the only outsider, to fit a predicate that fits one made row only?

    With one attribute: a value that a single made row holds, or its smallest or largest number. With several: values of
    a made row, numbers to within a fiftieth of the made rows, attribute after attribute in one of eight random orders,
    until no other made row fits and hardly anybody would (one such table in a million) if attributes were independent:
    a predicate that is vague enough to fit somebody anyway proves nothing. The score is the share of members who are
    singled out, of up to 20,000 a side; how often one predicate is right stands in the detail.

    The p-value is exact: of those people whom a predicate fits and nobody else of the crowd, half are members by
    chance. Notion: Cohen and Nissim 2020 (predicate singling out). Attack with a control group: Giomi, Boenisch,
    Wehmeyer and Tasnadi 2023 (arXiv 2211.10459); here the same predicates are held against both groups.
    """
    people, member = crowd(_widest(sides, seed.child("people")))
    kinds = {
        "one attribute": _one(people, sides.made, member),
        "several attributes": _several(people, sides.made, member, seed),
    }
    return tuple(_finding(kind, matches, member) for kind, matches in kinds.items())


def _widest(sides: Sides, seed: Seed) -> Sides:
    """As many members and outsiders as there are: nobody is singled out who has a double outside a sample."""
    if sides.train.person is not None:
        return sides
    rows = min(sides.train.rows, sides.holdout.rows, MOST_PEOPLE)
    members, outsiders = (cut(side, rows, seed.child(i).numpy()) for i, side in enumerate((sides.train, sides.holdout)))
    return replace(sides, members=members, outsiders=outsiders)


def _finding(kind: str, matches: Matches, member: Array) -> Finding:
    one, other = matches.members == 1, matches.outsiders == 1
    found = [len(np.unique(matches.a_member[one])), len(np.unique(matches.an_outsider[other]))]
    told = len(np.unique(matches.a_member[one & (matches.outsiders == 0)]))
    alone = told + len(np.unique(matches.an_outsider[other & (matches.members == 0)]))
    inside, tried = int(member.sum()), len(one)
    score = excess_score(
        "singling_out", Hits(found[0], inside, found[1], len(member) - inside), limit=AUDIT.singling_out,
        advice=ADVICE, subject=(kind,),
        detail={
            "predicates": tried,
            **{name: int(fit.sum()) / max(tried, 1) for name, fit in (("right", one), ("right_outsiders", other))},
        },
    )  # fmt: skip
    return Finding("singling_out", "singling out", score, p=tail(told, len(member), inside, alone))


def _one(people: Encoded, made: Encoded, member: Array) -> Matches:
    """Predicates on one attribute, over all attributes."""
    return _joined([part for field in people.fields for part in _of_column(field, people, made, member)])


def _of_column(field: Field, people: Encoded, made: Encoded, member: Array) -> list[Matches]:
    values, own = people.columns[field.name], made.columns[field.name]
    if not field.numeric:
        own = own[~_unseen(field, own)]
        return [_equal(_held_once(own.astype(np.int64)), values.astype(np.int64), member)]
    own, values = (np.round(side, DECIMALS) + 0.0 for side in (own, values))
    known = own[~np.isnan(own)]
    parts = [_equal(_held_once(known), values, member)]
    if len(known):
        with np.errstate(invalid="ignore"):
            parts += [_fits(fit, member) for fit in (values <= known.min(), values >= known.max())]
    return parts


def _held_once(values: Array) -> Array:
    distinct, counts = np.unique(values, return_counts=True)
    return np.asarray(distinct[counts == 1])


def _equal(wanted: Array, values: Array, member: Array) -> Matches:
    """Predicates `value == wanted` for sorted distinct wanted values (p,)."""
    if not len(wanted):
        return _joined([])
    at = np.minimum(np.searchsorted(wanted, values), len(wanted) - 1)
    fit = wanted[at] == values
    inside, outside = np.flatnonzero(fit & member), np.flatnonzero(fit & ~member)
    return Matches(
        *(np.bincount(at[side], minlength=len(wanted)) for side in (inside, outside)),
        *(_placed(side, at, len(wanted)) for side in (inside, outside)),
    )


def _placed(side: Array, at: Array, predicates: int) -> Array:
    someone = np.zeros(predicates, np.int64)
    someone[at[side]] = side
    return someone


def _fits(fit: Array, member: Array) -> Matches:
    """From fit (n,) bool of one predicate."""
    sides = fit & member, fit & ~member
    return Matches(*(np.array([side.sum()]) for side in sides), *(np.array([side.argmax()]) for side in sides))


def _joined(parts: list[Matches]) -> Matches:
    empty = np.zeros(0, np.int64)
    return Matches(
        *(np.concatenate([empty, *(getattr(part, item.name) for part in parts)]) for item in fields(Matches))
    )


def _several(people: Encoded, made: Encoded, member: Array, seed: Seed) -> Matches:
    """Predicates on several attributes; each made row is described in one of the orders."""
    coded = [_coarse(field, people, made) for field in people.fields]
    turn = seed.child("turn").numpy().permutation(made.rows) % ORDERS
    usable = ~np.any([_unseen(field, made.columns[field.name]) for field in people.fields], axis=0)
    parts = []
    for number in range(ORDERS):
        random = seed.child("order", number).numpy()
        order = random.permutation(len(coded))
        factors = random.integers(0, 2**63, len(coded), dtype=np.int64).astype(np.uint64) * 2 + 1
        open_ = usable & (turn == number)
        parts += _described([coded[j] for j in order], factors, open_, member)
    return _joined(parts)


def _described(columns: list[tuple[Array, Array, Array]], factors: Array, open_: Array, member: Array) -> list[Matches]:
    """Attribute after attribute: predicates of the open made rows that have become narrow enough."""
    parts = []
    theirs, own = np.zeros(len(member), np.uint64), np.zeros(len(open_), np.uint64)
    expected = np.full(len(open_), len(member) / 2)
    for at, ((values, made, share), factor) in enumerate(zip(columns, factors, strict=True)):
        theirs, own = _mixed(theirs, values, factor), _mixed(own, made, factor)
        expected = expected * share[made]
        narrow = open_ & ((expected <= MOST_EXPECTED) | (at == len(columns) - 1))
        if narrow.any():
            done = narrow & np.isin(own, _held_once(own))
            parts.append(_equal(np.sort(own[done]), theirs, member))
            open_ = open_ & ~done
    return parts


def _mixed(key: Array, codes: Array, factor: np.uint64) -> Array:
    """64-bit keys of value tuples; two tuples meet by chance once in 2**64 pairs."""
    key = (key ^ (codes.astype(np.uint64) + np.uint64(1))) * factor
    return np.asarray(key ^ (key >> np.uint64(29)))


def _coarse(field: Field, people: Encoded, made: Encoded) -> tuple[Array, Array, Array]:
    """Codes of people (n,) and of made rows (m,), and the share (codes,) of made rows that hold each."""
    values, own = people.columns[field.name], made.columns[field.name]
    if field.numeric:
        cuts = _cuts(own[~np.isnan(own)])
        values, own = (
            np.where(np.isnan(side), len(cuts) + 1, np.searchsorted(cuts, side, side="right")) for side in (values, own)
        )
    else:
        values, own = values + 1, own + 1
    size = max(int(values.max(initial=0)), int(own.max(initial=0))) + 1
    return values.astype(np.int64), own.astype(np.int64), np.bincount(own, minlength=size) / max(len(own), 1)


def _cuts(known: Array) -> Array:
    """Edges midway between values, of parts with about a fiftieth of them; a value that fills a part stands alone."""
    distinct, counts = np.unique(known, return_counts=True)
    if len(distinct) < 2:
        return np.zeros(0)
    ends = np.searchsorted(np.cumsum(counts), np.arange(1, BINS) / BINS * len(known))
    heaped = np.flatnonzero(counts >= len(known) / BINS)
    after = np.unique(np.concatenate([ends, heaped, heaped - 1]))
    after = after[(after >= 0) & (after < len(distinct) - 1)]
    return np.asarray((distinct[after] + distinct[after + 1]) / 2)


def _unseen(field: Field, codes: Array) -> Array:
    """Levels that no real person holds describe nobody."""
    levels = field.levels or ()
    if field.numeric or not levels or levels[-1] != UNSEEN:
        return np.zeros(len(codes), bool)
    return np.asarray(codes == len(levels) - 1)
