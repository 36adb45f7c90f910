"""Rules between numbers, found in real rows: y = kx + m, a + b = c, a * b = c, a less or plus a share b = c, a <= b."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from tuckpoint.schema import Schema
from tuckpoint.table.engine import Array, Field
from tuckpoint.table.evidence import LIFT, MIN_SOFT_TRIALS, SOFT, View, lucky, thin, told
from tuckpoint.table.expression import quote
from tuckpoint.table.rule import Rule, literal

PIVOTS = 24  # rows on which every triple is first tried
FEW_PIVOTS = 6  # rows on which every pair beside a share is first tried
MIN_DISTINCT = 20  # different triples behind an arithmetic rule
MIN_OVERLAP = 0.05  # share of unrelated pairs that would break an order
MAX_TRIPLE_COLUMNS = 400
MAX_SHARES = 40  # columns that may hold shares or per cents
Index = list[int]


def linear(seen: View) -> list[Rule]:
    """y = kx + m for numbers of many values, exact to the decimals of y; copies are k = 1, m = 0."""
    places = [i for i in _numeric(seen) if len(np.unique(_present(seen.sample[:, i]))) > MIN_DISTINCT]
    filled = np.nan_to_num(seen.sample[:, places])
    with np.errstate(all="ignore"):
        alike = np.abs(np.corrcoef(filled, rowvar=False)) > 0.9999 if len(places) > 1 else np.zeros((0, 0), bool)
    rules: list[Rule] = []
    taken: set[int] = set()
    for first, second in np.argwhere(np.triu(alike, 1)):
        x, y = sorted((places[first], places[second]), key=lambda i: (-seen.fields[i].decimals, i))
        rule = None if {x, y} & taken else _line(seen, seen.fields[x], seen.fields[y])
        if rule is not None:
            taken.add(y)
            rules.append(rule)
    return rules


def _line(seen: View, x: Field, y: Field) -> Rule | None:
    first, second = seen.full(x.name), seen.full(y.name)
    if (np.isnan(first) != np.isnan(second)).any():
        return None
    line = _coefficients(first, second, 0.5 * 10.0**-y.decimals)
    if line is None:
        return None
    factor, offset = line
    distinct = len(np.unique(_present(second)))
    chance = -distinct * math.log(distinct) * seen.independence
    text = f"{quote(y.name)} == {_line_text(x.name, factor, offset)}"
    return Rule(
        "linear", (x.name, y.name), text, detail={"factor": factor, "offset": offset},
        **told(1.0, len(first), chance, enforced=True),
    )  # fmt: skip


def _coefficients(first: Array, second: Array, half: float) -> tuple[float, float] | None:
    """The plainest factor and offset that reproduce the second column to half a unit, if any do."""
    low, high = int(np.nanargmin(first)), int(np.nanargmax(first))
    slope = (second[high] - second[low]) / (first[high] - first[low])
    for digits in (1, 2, 3, 4, 6):
        factor = float(f"{slope:.{digits}g}")
        offset = float(f"{np.nanmedian(second - factor * first):.{digits}g}")
        if factor != 0 and not (np.abs(factor * first + offset - second) > half + 1e-9 * np.abs(second)).any():
            return factor, offset
    return None


def _line_text(name: str, factor: float, offset: float) -> str:
    times = quote(name) if factor == 1 else f"{literal(factor)} * {quote(name)}"
    return times if offset == 0 else f"{times} {'-' if offset < 0 else '+'} {literal(abs(offset))}"


def totals(seen: View, without: set[str]) -> list[Rule]:
    """a + b = c, of which differences are another reading."""
    return _triples(seen, without, "sum", np.add, trivial=(0.0,))


def products(seen: View, schema: Schema | None, without: set[str]) -> list[Rule]:
    """a * b = c; dates do not multiply."""
    dated = {c.name for c in schema.columns if c.kind in ("date", "datetime")} if schema is not None else set()
    return _triples(seen, without | dated, "product", np.multiply, trivial=(0.0, 1.0, -1.0))


def _triples(seen: View, without: set[str], kind: Any, act: Any, *, trivial: tuple[float, ...]) -> list[Rule]:
    places = [i for i in _numeric(seen) if seen.fields[i].name not in without]
    places = [i for i in places if len(np.unique(_present(seen.sample[:, i]))) > 2][:MAX_TRIPLE_COLUMNS]
    rules = []
    tries = len(places) ** 3 // 2
    taken: set[frozenset[int]] = set()
    with np.errstate(over="ignore"):  # what is beyond all numbers equals none
        for total, first, second in _survivors(seen, places, act):
            if frozenset((total, first, second)) in taken:
                continue
            rule = _triple(seen, [first, second, total], kind, act, trivial, tries)
            if rule is not None:
                taken.add(frozenset((total, first, second)))
                rules.append(rule)
    return rules


def _survivors(seen: View, places: Index, act: Any) -> Iterable[tuple[int, int, int]]:
    """Triples (c, a, b) that hold on most pivot rows of c; missing c must go with missing a or b."""
    index = np.array(places, int)
    upper, lower = np.triu_indices(len(index), 1)
    decimals = np.array([item.decimals for item in seen.fields])
    for total in places:
        here = (index[upper] != total) & (index[lower] != total)
        first, second = index[upper][here], index[lower][here]  # (pairs,)
        # Where c is coarser than its parts it may be a rounded result; else the equality is exact.
        half = 0.5 * 10.0 ** -float(decimals[total])
        misses = np.zeros(len(first), int)
        for n, row in enumerate(_pivots(seen.sample[:, total])):
            values, due = seen.sample[row], seen.sample[row, total]
            result = act(values[first], values[second])
            misses += ~(np.isnan(result) if math.isnan(due) else np.abs(result - due) <= half + 1e-9 * abs(due))
            keep = misses <= (0 if n == 0 else 1 if n < 4 else 2)  # a finding has exceptions
            first, second, misses = first[keep], second[keep], misses[keep]
            if not len(first):
                break
        yield from ((total, int(a), int(b)) for a, b in zip(first, second, strict=True))


def _pivots(values: Array) -> Array:
    """Rows that tell most: different values, the rarest first."""
    _, rows, counts = np.unique(values, return_index=True, return_counts=True)
    return rows[np.lexsort((rows, counts))][:PIVOTS]


def rates(seen: View, schema: Schema | None, without: set[str]) -> list[Rule]:
    """a * (1 + k b) = c: what is left of a after a share b is taken off, or was put on; in per cent k is 0.01."""
    dated = {c.name for c in schema.columns if c.kind not in ("integer", "decimal")} if schema is not None else set()
    places = [i for i in _numeric(seen) if seen.fields[i].name not in without | dated]
    places = [i for i in places if len(np.unique(_present(seen.sample[:, i]))) > 2][:MAX_TRIPLE_COLUMNS]
    tops = {i: float(np.nanmax(seen.sample[:, i])) for i in places if np.nanmin(seen.sample[:, i]) >= 0}
    shares = [i for i, top in tops.items() if 0 < top <= 100][:MAX_SHARES]
    rules: list[Rule] = []
    taken: set[int] = set()
    for share in shares:
        for factor in (-1.0, 1.0, -0.01, 0.01):
            if abs(factor) * tops[share] > 1:
                continue
            rest = 1 + factor * seen.sample[:, share]
            for base, total in _taken_off(seen, places, rest):
                rule = None if {base, total, share} & taken else _rate(seen, [base, share, total], factor, len(places))
                if rule is not None:
                    taken.add(total)
                    rules.append(rule)
    return rules


def _taken_off(seen: View, places: Index, rest: Array) -> list[tuple[int, int]]:
    """Pairs (a, c) of which c is a times `rest` (s,), on most of a few rows, then on most of those that tell most."""
    index = np.array(places, int)
    telling = np.flatnonzero(~np.isnan(rest) & (rest != 1))
    half = 0.5 * 10.0 ** -np.array([float(seen.fields[i].decimals) for i in places])
    few = telling[np.linspace(0, len(telling) - 1, min(FEW_PIVOTS, len(telling))).astype(int)]
    base = seen.sample[np.ix_(few, index)]
    with np.errstate(over="ignore"):
        misses = np.abs((base * rest[few, None])[:, :, None] - base[:, None, :]) > (half + 1e-9 * np.abs(base))[:, None]
    maybe = misses.sum(axis=0) <= 1  # (a, c); what is missing is no miss yet
    np.fill_diagonal(maybe, False)
    found = []
    for at in np.flatnonzero(maybe.any(axis=0)):
        total = places[at]
        rows = _pivots(np.where(rest == 1, np.nan, seen.sample[:, total]))
        due, bases = seen.sample[rows, total][:, None], index[maybe[:, at]]
        fits = np.abs(seen.sample[np.ix_(rows, bases)] * rest[rows, None] - due) <= half[at] + 1e-9 * np.abs(due)
        found += [(int(base), total) for base in bases[fits.sum(axis=0) > len(rows) - 3]]
    return found


def _rate(seen: View, at: Index, factor: float, width: int) -> Rule | None:
    """The rule, if it holds, of a product with the share in place of its second factor."""

    def act(base: Array, share: Array) -> Array:
        return base * (1 + factor * share)

    plain = _triple(seen, at, "rate", act, (0.0,), 4 * MAX_SHARES * width**2)
    if plain is None:
        return None
    base, share, total = (quote(name) for name in plain.columns)
    per = share if abs(factor) == 1 else f"{abs(factor):g} * {share}"
    text = f"{base} * (1 {'-' if factor < 0 else '+'} {per}) == {total}"
    return replace(plain, text=text, detail={"factor": factor})


def _triple(seen: View, at: Index, kind: Any, act: Any, trivial: tuple[float, ...], tries: int) -> Rule | None:
    a, b, c = (seen.fields[i] for i in at)
    for columns in ([seen.sample[:, i] for i in at], [seen.full(item.name) for item in (a, b, c)]):
        first, second, total = columns
        result = act(first, second)
        half = 0.5 * 10.0**-c.decimals + 1e-9 * np.abs(total)
        fits = np.where(
            np.isnan(result) | np.isnan(total), np.isnan(result) & np.isnan(total), np.abs(result - total) <= half
        )
        support = float(fits.mean())
        if support < SOFT:
            return None
    telling = fits & ~np.isnan(result) & ~np.isin(first, trivial) & ~np.isin(second, trivial)
    distinct = len(np.unique(first[telling] + 1j * second[telling]))
    commonest = np.unique(_present(total), return_counts=True)[1].max() / max(len(_present(total)), 1)
    chance = distinct * math.log(max(commonest, 1e-12)) * seen.independence
    if distinct < MIN_DISTINCT or telling.mean() < 0.01 or lucky(chance, tries):
        return None
    sign = "+" if kind == "sum" else "*"
    text = f"{quote(a.name)} {sign} {quote(b.name)} == {quote(c.name)}"
    names = (a.name, b.name, c.name)
    return Rule(kind, names, text, **told(support, len(total), chance, enforced=support == 1.0))


def orders(seen: View, schema: Schema | None, without: set[str], implied: set[tuple[str, str]]) -> list[Rule]:
    """a <= b between numbers of one kind and unit, with 0 let pass where it stands for "none".

    Ranges must overlap: any value of one beside any value of the other would break the order in 5 % of rows or more.
    """
    places = [i for i in _numeric(seen) if seen.fields[i].name not in without]
    values = seen.sample.copy()
    zero = {i for i in places if _zero_is_none(values[:, i])}
    for i in zero:
        values[values[:, i] == 0, i] = np.nan
    spread = {i: np.sort(_present(values[:, i])) for i in places}
    found: dict[tuple[int, int], Rule] = {}
    for low in places:
        with np.errstate(invalid="ignore"):
            above = (values[:, [low]] > values[:, places]).sum(axis=0)
        both = (~np.isnan(values[:, [low]]) & ~np.isnan(values[:, places])).sum(axis=0)
        for n in np.flatnonzero((both >= 20) & (above <= (1 - SOFT) * both)):
            high = places[n]
            names = (seen.fields[low].name, seen.fields[high].name)
            if low == high or names in implied or not _comparable(schema, *names):
                continue
            overlap = _overlap(spread[low], spread[high])
            rule = _order(seen, low, high, zero, overlap, len(places) ** 2) if overlap >= MIN_OVERLAP else None
            if rule is not None:
                found[low, high] = rule
    gone = {i: np.isnan(seen.full(seen.fields[i].name)) for pair in found for i in pair}
    return _minimal(found, gone)


def _overlap(low: Array, high: Array) -> float:
    """How often any value of one is above any value of the other; zeros alone, which blocks explain, do not count."""
    shares = []
    for lows, highs in ((low, high), (low[low != 0], high[high != 0])):
        above = float(np.searchsorted(highs, lows).mean()) / len(highs) if len(lows) and len(highs) else 0.0
        shares.append(above)
    return min(shares)


def _order(seen: View, low: int, high: int, zero: set[int], overlap: float, tries: int) -> Rule | None:
    a, b = seen.fields[low], seen.fields[high]
    first, second = seen.full(a.name), seen.full(b.name)
    use = ~np.isnan(first) & ~np.isnan(second)
    use &= ~((low in zero) & (first == 0)) & ~((high in zero) & (second == 0))
    trials = int(use.sum())
    support = float((first <= second)[use].mean()) if trials else 0.0
    chance = trials * math.log1p(-min(overlap, 1 - 1e-12)) * seen.independence
    if trials < MIN_SOFT_TRIALS or support < SOFT or lucky(chance, tries):
        return None
    enforced = support == 1.0
    if thin(trials * seen.independence, overlap) if enforced else support < 1 - LIFT * overlap:
        return None
    told_zero = [seen.fields[i].name for i in (low, high) if i in zero]
    passing = "".join(f"{quote(name)} == 0 or " for name in told_zero)
    text = f"{passing}{quote(a.name)} <= {quote(b.name)}"
    detail = {"zero": told_zero}
    return Rule("order", (a.name, b.name), text, detail=detail, **told(support, trials, chance, enforced=enforced))


def _comparable(schema: Schema | None, first: str, second: str) -> bool:
    if schema is None:
        return True
    one, other = schema[first], schema[second]
    number = ("integer", "decimal")
    return one.unit == other.unit and (one.kind == other.kind or (one.kind in number and other.kind in number))


def _zero_is_none(values: Array) -> bool:
    """Whether 0 stands apart from all other values by more than their whole spread."""
    others = _present(values[values != 0])
    zeros = int((values == 0).sum())
    return zeros > 0 and len(others) > 0 and float(np.abs(others).min()) > float(others.max() - others.min()) > 0


def _minimal(found: dict[tuple[int, int], Rule], gone: dict[int, Array]) -> list[Rule]:
    """The orders that do not follow from two others: these say nothing where what stands between is missing."""
    hard = {pair for pair, rule in found.items() if rule.enforced and not rule.detail["zero"]}
    follows = {(a, b) for a, m in hard for n, b in hard if m == n and not (gone[m] & ~gone[a] & ~gone[b]).any()}
    return [rule for pair, rule in found.items() if pair not in follows]


def _numeric(seen: View) -> Index:
    return [i for i, item in enumerate(seen.fields) if item.numeric]


def _present(values: Array) -> Array:
    return values[~np.isnan(values)]
