"""Rules between levels, found in real rows: y = f(x), what a level or a zero fixes, pairs that never meet."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from tuckpoint.table.engine import Array, Field
from tuckpoint.table.evidence import (
    EITHER,
    EITHER_LUCK,
    FEWEST_PEOPLE,
    LIFT,
    LUCK,
    MIN_LEVEL_TRIALS,
    MIN_ROWS,
    MIN_SOFT_TRIALS,
    RARE,
    SOFT,
    View,
    lucky,
    numbers,
    thin,
    told,
    value,
)
from tuckpoint.table.expression import quote
from tuckpoint.table.rule import Rule, block

MOST_KEYS = 1000  # levels of x in a function of x
MOST_NUMBERS = 100  # different numbers x; above, an engine may make numbers that the table lacks
MOST_LEVELS = 60  # of a column whose levels take part in blocks
MOST_PAIRED = 200  # levels of a column whose combinations are counted
MOST_FINDINGS = 100
MOST_TRIED = 2000  # findings that are checked on all rows
WORK = 2e9  # multiplications that counting pairs of levels may cost


def lookups(seen: View) -> list[Rule]:
    """The smallest acyclic set of functions y = f(x); a missing value counts as a value of its own.

    Every x must be held by five people or more, so a key is never one. Where only the missing or the pooled rare x
    have several y, the function is partial: y is modelled, then overwritten where x tells it.
    """
    if seen.table.rows < MIN_ROWS:
        return []
    whole: dict[tuple[int, int], Rule] = {}
    partial: list[tuple[int, int, Rule]] = []
    tries = len(seen.fields) ** 2
    keys: dict[int, _Groups] = {}
    for x in range(len(seen.fields)):
        for y in _constant_given(seen, x):
            if x not in keys:
                keys[x] = _groups(seen, x)
            rule = _function(seen, keys[x], x, int(y), tries)
            if rule is not None and rule.detail["partial"]:
                partial.append((x, int(y), rule))
            elif rule is not None:
                whole[x, int(y)] = rule
    kept = _smallest(whole, {x: len(groups.keys) for x, groups in keys.items()}, seen.fields)
    computed = {rule.columns[1] for rule in kept}
    return kept + [rule for x, y, rule in partial if not computed & set(rule.columns)]


@dataclass(frozen=True)
class _Groups:
    keys: Array  # (g,) values of x, NaN for missing
    order: Array  # (n,) rows sorted by x
    starts: Array  # (g,) first of each group in `order`
    people: Array  # (g,) how many people hold each


def _groups(seen: View, x: int) -> _Groups:
    values, person = seen.full(seen.fields[x].name), seen.table.person
    keys, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    if person is not None:
        pairs = np.unique(np.stack([inverse.astype(np.int64), np.asarray(person, np.int64)]), axis=1)
        people = np.bincount(pairs[0], minlength=len(keys))
    else:
        people = counts
    return _Groups(keys, order, np.concatenate([[0], np.cumsum(counts)[:-1]]), people)


def _constant_given(seen: View, x: int) -> Array:
    """Columns (c,) that are constant, in the sample, within every x but the missing and the pooled."""
    item, values = seen.fields[x], seen.sample[:, x]
    keys, inverse = np.unique(values, return_inverse=True)
    if not 2 <= len(keys) <= (MOST_NUMBERS if item.numeric else MOST_KEYS) or len(keys) > len(values) / 2:
        return np.empty(0, int)
    order = np.argsort(inverse, kind="stable")
    starts = np.searchsorted(inverse[order], np.arange(len(keys)))
    grouped = np.where(np.isnan(seen.sample), -np.inf, seen.sample)[order]
    same = np.minimum.reduceat(grouped, starts, axis=0) == np.maximum.reduceat(grouped, starts, axis=0)  # (g, d)
    same[_excused(item, keys)] = True
    found = np.flatnonzero(same.all(axis=0))
    return np.asarray(found[found != x])


def _excused(item: Field, keys: Array) -> Array:
    """Keys (g,) bool whose rows may have several y: what is missing, and the pool of rare levels."""
    pooled = item.levels.index(RARE) if item.levels is not None and RARE in item.levels else -1
    return np.asarray(np.isnan(keys) | (keys == pooled))


def _function(seen: View, groups: _Groups, x: int, y: int, tries: int) -> Rule | None:
    first, second = seen.fields[x], seen.fields[y]
    if len(groups.keys) > (MOST_NUMBERS if first.numeric else MOST_KEYS):
        return None
    result = np.where(np.isnan(seen.full(second.name)), -np.inf, seen.full(second.name))[groups.order]
    low, high = np.minimum.reduceat(result, groups.starts), np.maximum.reduceat(result, groups.starts)
    listed = low == high
    if not (listed | _excused(first, groups.keys)).all() or (groups.people[listed] < FEWEST_PEOPLE).any():
        return None
    images = np.where(np.isinf(low), np.nan, low)
    different = len(np.unique(images[listed]))
    if different < 2 or groups.people[listed].sum() < MIN_ROWS:
        return None
    chance = _chance_of_function(groups.people[listed], result)
    if lucky(chance, tries):
        return None
    one_to_one = bool(listed.all()) and different == len(groups.keys)
    text = f"{quote(first.name)} -> {quote(second.name)}" + (" (one to one)" if one_to_one else "")
    detail = {
        "from": [value(first, key) for key in groups.keys[listed]],
        "to": [value(second, image) for image in images[listed]],
        "one_to_one": one_to_one,
        "partial": not listed.all(),
    }
    return Rule(
        "lookup", (first.name, second.name), text, detail=detail, **told(1.0, len(result), chance, enforced=True)
    )


def _chance_of_function(people: Array, result: Array) -> float:
    """Log probability that y, drawn anew for every person by its shares, is the same throughout each group."""
    shares = np.unique(result, return_counts=True)[1] / len(result)
    sizes, times = np.unique(people, return_counts=True)
    with np.errstate(divide="ignore"):
        powers = sizes[:, None] * np.log(shares[None, :])  # (sizes, values of y)
    top = powers.max(axis=1, keepdims=True)
    return float((times * (top[:, 0] + np.log(np.exp(powers - top).sum(axis=1)))).sum())


def _smallest(whole: dict[tuple[int, int], Rule], sizes: dict[int, int], fields: tuple[Field, ...]) -> list[Rule]:
    """One representative for columns that determine each other, and no function that follows from two others."""
    # A number or an ordered category tells a tree more than its names do, so it stands for its class.
    rank = sorted(range(len(fields)), key=lambda i: (not (fields[i].numeric or fields[i].ordered), i))
    leader = {i: next(j for j in rank if j == i or ((i, j) in whole and (j, i) in whole)) for i in range(len(fields))}
    kept = [whole[leader[y], y] for y in range(len(fields)) if leader[y] != y]
    between = {(x, y) for x, y in whole if leader[x] == x and leader[y] == y}
    for x, y in sorted(between, key=lambda pair: (pair[1], sizes[pair[0]], pair[0])):
        if not any((x, z) in between and (z, y) in between for z in leader.values() if z not in (x, y)):
            kept.append(whole[x, y])
    return kept


@dataclass(frozen=True)
class _Marks:
    """Facts about rows: column `at[i]` holds (or, `opposite`, holds anything present but) `what[i]`."""

    at: Array  # (m,)
    what: Array  # (m,) a code, 0, or NaN for missing
    opposite: Array  # (m,) bool
    true: Array  # (s, m) float32


def _marks(seen: View, places: list[int], values: Array) -> _Marks:
    at, what, opposite, true = [], [], [], []
    for i in places:
        column, item = values[:, i], seen.fields[i]
        entries = [(math.nan, False)] if np.isnan(column).any() else []
        if item.numeric:
            entries += [(0.0, False), (0.0, True)] if (column == 0).any() else []
        elif len(item.levels or ()) <= MOST_LEVELS:
            entries += [(float(code), False) for code in np.unique(column[~np.isnan(column)])]
        for entry, inverted in entries:
            held = np.isnan(column) if math.isnan(entry) else column == entry
            at.append(i)
            what.append(entry)
            opposite.append(inverted)
            true.append((~held & ~np.isnan(column)) if inverted else held)
    marks = np.stack(true, axis=1).astype(np.float32) if true else np.empty((len(values), 0), np.float32)
    return _Marks(np.array(at, int), np.array(what), np.array(opposite, bool), marks)


def _matrix(seen: View, places: list[int]) -> Array:
    """All rows (s, d) if counting them is cheap, else the sample's."""
    width = sum(min(len(seen.fields[i].levels or "123"), MOST_LEVELS) for i in places)
    if seen.table.rows * width**2 > WORK:
        return seen.sample
    return np.stack([numbers(seen.table.columns[item.name]) for item in seen.fields], axis=1)


def blocks(seen: View, without: set[str], related: set[frozenset[str]]) -> list[Rule]:
    """What one value of x fixes: zero by zero, zero by a level, a level by an equivalent level, missing by anything.

    A level that goes with another level one way only (all children are unmarried) may be custom rather than rule: it is
    a finding, whatever its support. Pairs that are `related` by a function are left out.
    """
    places = [i for i, item in enumerate(seen.fields) if item.name not in without]
    marks = _marks(seen, places, _matrix(seen, places))
    edges = _edges(seen, marks, related)
    hard = {pair for pair, edge in edges.items() if edge.strict and _structural(seen, marks, pair, edges)}
    hard = {pair for pair in hard if not _told_already(seen, marks, pair)}
    grouped: dict[tuple[int, bool], list[tuple[int, _Edge]]] = defaultdict(list)
    for (given, then), edge in edges.items():
        if (given, then) in hard or not edge.strict or not _structural(seen, marks, (given, then), edges):
            grouped[given, (given, then) in hard].append((then, edge))
    # Levels of one column that fix the same are told together; findings each with their own share.
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for (given, sure), found in grouped.items():
        same = tuple(then for then, _ in found) if sure else (given,)
        alike[marks.at[given], marks.opposite[given], sure, same].append(given)
    sure_rules = [_block(seen, marks, some, grouped[some[0], True], True) for key, some in alike.items() if key[2]]
    findings = [_block(seen, marks, some, grouped[some[0], False], False) for key, some in alike.items() if not key[2]]
    return sure_rules + sorted(findings, key=lambda rule: rule.chance)[:MOST_FINDINGS]


@dataclass(frozen=True)
class _Edge:
    support: float
    chance: float
    strict: bool  # no exception, and enough trials


def _edges(seen: View, marks: _Marks, related: set[frozenset[str]]) -> dict[tuple[int, int], _Edge]:
    """Pairs of marks (given, then) that hold in all, or nearly all, rows."""
    counts = marks.true.T @ marks.true  # (m, m)
    held, rows = np.diag(counts), len(marks.true)
    with np.errstate(all="ignore"):
        support, share = counts / held[:, None], held / rows
        chance = held[:, None] * seen.independence * np.log(share)[None, :]  # that unrelated columns obey
    fit = (support >= SOFT) & (marks.at[:, None] != marks.at[None, :]) & ~marks.opposite[None, :]
    either = _either(seen, marks)
    pairs = max(either.sum() / 2, 1)
    fit &= chance < np.where(either, EITHER_LUCK - math.log(pairs), LUCK - 2 * math.log(max(len(held), 1)))
    fit &= (held >= 20)[:, None]
    fit &= (1 - support) <= 2 * LIFT * (1 - share)[None, :]
    fit &= ~_detours(fit & (support == 1))
    soft = np.sort(chance[fit & (support < 1)])[:MOST_TRIED]
    fit &= (support == 1) | (chance <= (soft[-1] if len(soft) else 0))
    edges: dict[tuple[int, int], _Edge] = {}
    for given, then in np.argwhere(fit):
        if frozenset((seen.fields[marks.at[given]].name, seen.fields[marks.at[then]].name)) in related:
            continue
        true, trials = _verify(seen, marks, given, then)
        unrelated = 1 - float(share[then])
        by_level = not seen.fields[marks.at[given]].numeric and not math.isnan(marks.what[given])
        few = thin(trials, unrelated, EITHER if either[given, then] else LIFT)
        strict = true == 1.0 and not few and trials >= (MIN_LEVEL_TRIALS if by_level else 0)
        if strict or (true >= max(SOFT, 1 - LIFT * unrelated) and trials >= MIN_SOFT_TRIALS):
            edges[int(given), int(then)] = _Edge(true, float(chance[given, then]), strict)
    return edges


def _either(seen: View, marks: _Marks) -> Array:
    """Pairs (m, m) bool of marks that say: where one amount is not 0, the other is."""
    numeric = np.array([seen.fields[i].numeric for i in marks.at], bool)
    zero = numeric & (marks.what == 0)
    return np.asarray((zero & marks.opposite)[:, None] & (zero & ~marks.opposite)[None, :])


def _detours(sure: Array) -> Array:
    """Pairs (m, m) bool of marks that are told by way of the first of those equivalent to either."""
    m = np.arange(len(sure))
    first = np.argmax((sure & sure.T) | np.eye(len(sure), dtype=bool), axis=1) if len(sure) else m
    leads, follows = first == m, first[:, None] == m[None, :]
    return np.asarray(sure & ~((leads[:, None] | follows) & (leads[None, :] | follows.T)))


def _verify(seen: View, marks: _Marks, given: int, then: int) -> tuple[float, int]:
    """Support among all rows, and how many rows (people, where one has many) the premise had."""
    held = _holds(seen, marks, given)
    trials = int(held.sum())
    fits = int((held & _holds(seen, marks, then)).sum())
    return fits / max(trials, 1), int(trials * seen.independence)


def _holds(seen: View, marks: _Marks, mark: int) -> Array:
    column, what = seen.full(seen.fields[marks.at[mark]].name), marks.what[mark]
    if math.isnan(what):
        return np.asarray(np.isnan(column))
    return np.asarray((column != what) & ~np.isnan(column) if marks.opposite[mark] else column == what)


def _structural(seen: View, marks: _Marks, pair: tuple[int, int], edges: dict[tuple[int, int], _Edge]) -> bool:
    """Whether a strict edge is a rule by its form: a level follows only where it also leads back."""
    consequence, back = marks.what[pair[1]], edges.get(pair[::-1])
    if math.isnan(consequence) or seen.fields[marks.at[pair[1]]].numeric:
        return True
    return back is not None and back.strict


def _told_already(seen: View, marks: _Marks, pair: tuple[int, int]) -> bool:
    """Whether it is an exclusion seen from its other side."""
    given, then = pair
    excludes = marks.opposite[given] and marks.what[then] == 0 and seen.fields[marks.at[then]].numeric
    return bool(excludes and marks.at[then] < marks.at[given])


def _block(seen: View, marks: _Marks, given: list[int], found: list[tuple[int, _Edge]], hard: bool) -> Rule:
    item = seen.fields[marks.at[given[0]]]
    when = [value(item, float(marks.what[mark])) for mark in given]
    then = {seen.fields[marks.at[t]].name: value(seen.fields[marks.at[t]], float(marks.what[t])) for t, _ in found}
    support, chance = min(edge.support for _, edge in found), max(edge.chance for _, edge in found)
    rows = sum(int(_holds(seen, marks, mark).sum()) for mark in given)
    evidence = told(support, rows, chance, enforced=hard)
    return block(item.name, when, then, opposite=bool(marks.opposite[given[0]]), **evidence)


def combinations(seen: View, without: set[str], related: set[frozenset[str]]) -> list[Rule]:
    """Pairs of categories of which only few combinations occur, and each of those for five people or more.

    At most half of the combinations that unrelated columns would fill (ten rows or more expected) may occur, and a
    combination seen once or twice shows that the list is not complete, so then there is no rule.
    """
    places = [i for i, f in enumerate(seen.fields) if not f.numeric and f.name not in without]
    places = [i for i in places if 3 <= len(seen.fields[i].levels or ()) <= MOST_PAIRED]
    rules = []
    for n, first in enumerate(places):
        for second in places[n + 1 :]:
            x, y = seen.fields[first], seen.fields[second]
            if frozenset((x.name, y.name)) in related or not _sparse(
                seen.sample[:, first], seen.sample[:, second], 1.0
            ):
                continue
            rule = _combination(seen, x, y, len(places) ** 2)
            if rule is not None:
                rules.append(rule)
    return rules


def _sparse(first: Array, second: Array, scale: float) -> bool:
    """Whether at most half of the combinations expected ten times or more (times `scale`) occur."""
    counts, expected = _crossed(first, second)
    due = expected >= 10 * scale
    return bool(due.sum() >= 6 and (counts[due] > 0).sum() <= 0.5 * due.sum())


def _crossed(first: Array, second: Array) -> tuple[Array, Array]:
    """Counts (kx, ky) of each combination of codes, missing last, and those expected of unrelated columns."""
    cell, shape = _cells(first, second)
    counts = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    return counts, counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / len(first)


def _cells(first: Array, second: Array) -> tuple[Array, tuple[int, int]]:
    """The combination (n,) of codes that each row holds, and how many codes either column has, missing last."""
    codes = [np.where(np.isnan(values), -1, values).astype(int) for values in (first, second)]
    rows, columns = (int(code.max()) + 2 for code in codes)
    return codes[0] % rows * columns + codes[1] % columns, (rows, columns)


def _holders(seen: View, first: Array, second: Array) -> Array:
    """How many people (kx, ky) hold each combination of codes; without people each row is another person."""
    cell, shape = _cells(first, second)
    if seen.table.person is not None:
        cell = np.unique(np.stack([cell, np.asarray(seen.table.person, np.int64)]), axis=1)[0]
    return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)


def _combination(seen: View, x: Field, y: Field, tries: int) -> Rule | None:
    first, second = seen.full(x.name), seen.full(y.name)
    scale = 1 / max(seen.independence, 1e-9)
    counts, expected = _crossed(first, second)
    empty = (counts == 0) & (expected >= 10 * scale)
    chance = -float(expected[empty].sum()) * seen.independence
    rare = (counts > 0) & (_holders(seen, first, second) < FEWEST_PEOPLE)
    if not _sparse(first, second, scale) or rare.any() or lucky(chance, tries):
        return None
    allowed = [[_level(x, i, counts.shape[0]), _level(y, j, counts.shape[1])] for i, j in np.argwhere(counts > 0)]
    possible = int((counts.sum(axis=1) > 0).sum() * (counts.sum(axis=0) > 0).sum())
    text = f"({quote(x.name)}, {quote(y.name)}) is one of {len(allowed)} of {possible} combinations"
    evidence = told(1.0, len(first), chance, enforced=True)
    return Rule("combination", (x.name, y.name), text, detail={"allowed": allowed}, **evidence)


def _level(item: Field, place: int, size: int) -> str | None:
    return None if place == size - 1 else (item.levels or ())[place]
