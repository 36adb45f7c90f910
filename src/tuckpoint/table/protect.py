"""Nobody stands out: rare levels are pooled and extreme numbers clipped before an engine sees the rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, count
from tuckpoint.schema import Domain, Schema
from tuckpoint.table.decode import RARE
from tuckpoint.table.engine import Array, Encoded, Field

LEAST_PEOPLE = 5  # who hold a number that an engine makes again as it is


def protect(encoded: Encoded, k: int = 5) -> tuple[Encoded, tuple[str, ...]]:
    """Hide what fewer than k people share; also tells what was done, one line per changed column.

    Levels held by fewer than k people become one level `(rare)`; where all of these together are still fewer than k,
    they become the commonest level, in a boolean the other, in an ordered category the nearest common one. Numbers
    below the value that k people reach or undercut, and above its mirror, are clipped to it; where fewer than k people
    hold any number, all become missing. A person with many rows
    counts once; without `encoded.person` each row is a person. This bounds what single values tell, and is no
    differential privacy: do not apply it before an engine that promises that.
    """
    if k < 1:
        raise InputError(f"k = {k}: at least one person holds every value; pass 1 to protect nothing, 5 as usual")
    fields, columns, told = [], {}, []
    for field in encoded.fields:
        act = _pooled if field.levels is not None else clipped
        changed, values, line = act(field, encoded.columns[field.name], encoded.person, k)
        fields.append(changed)
        columns[field.name] = values
        if line:
            told.append(f'column "{field.name}": {line}')
    return replace(encoded, fields=tuple(fields), columns=columns), tuple(told)


def settle(schema: Schema, protected: Encoded) -> Schema:
    """The schema whose domains from data hold only what protection left: the form that may be saved with a model."""
    for field in protected.fields:
        column = schema[field.name]
        if column.domain is None or column.domain.provenance == "data":
            domain = (
                Domain("data", levels=field.levels)
                if field.levels is not None
                else Domain("data", field.low, field.high)
            )
            schema = schema.with_column(replace(column, domain=domain))
    return schema


def _pooled(field: Field, codes: Array, person: Array | None, k: int) -> tuple[Field, Array, str]:
    levels = field.levels or ()
    seen = codes >= 0
    held = people_of(codes[seen], len(levels), None if person is None else person[seen])
    rare = (held > 0) & (held < k)
    from_data = field.provenance == "data"
    if not rare.any() and not (from_data and (held == 0).any()):
        return field, codes, ""
    boolean = set(levels) == {"false", "true"}
    kept = (held >= k) | ((held == 0) & (boolean or not from_data))
    names = [level for level, keep in zip(levels, kept, strict=True) if keep]
    place = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)  # last: missing stays missing
    pooled = count(int(rare.sum()), f"level held by fewer than {k} people", f"levels held by fewer than {k} people")
    if not rare.any():
        line = ""
    elif not (held >= k).any():
        line = _all_rare(place, rare, names, levels, held, boolean, k)
    elif boolean or field.ordered or _together(codes, rare, person) < k:
        common = np.flatnonzero(held >= k)
        best = int(common[np.argmax(held[common])])
        for code in np.flatnonzero(rare):
            to = int(common[np.argmin(np.abs(common - code))]) if field.ordered else best
            place[code] = place[to]
        line = f"{pooled} became {'the nearest common level' if field.ordered else 'the commonest level'}"
    else:
        place[:-1][rare] = len(names)
        names.append(RARE)
        line = f"{pooled} pooled into {RARE}"
    fresh = tuple(dict.fromkeys(names))
    return replace(field, levels=fresh), place[codes].astype(np.int32), line


def _all_rare(
    place: Array, rare: Array, names: list[str], levels: tuple[str, ...], held: Array, boolean: bool, k: int
) -> str:
    """Where no level has k people, only one remains: the commonest truth value, else `(rare)`."""
    if boolean:
        winner = levels[int(np.argmax(held))]
        if winner not in names:
            names.insert(0, winner)
        place[:-1][rare] = names.index(winner)
        return f"no truth value is held by {k} people: all became {winner}"
    place[:-1][rare] = len(names)
    names.append(RARE)
    return f"no level is held by {k} people: all became {RARE}"


def _together(codes: Array, rare: Array, person: Array | None) -> int:
    """How many people hold one of the rare levels."""
    inside = np.append(rare, False)[codes]
    return int(inside.sum()) if person is None else len(np.unique(person[inside]))


def clipped(field: Field, values: Array, person: Array | None, k: int) -> tuple[Field, Array, str]:
    """A number's field and values (n,) within what k people reach at both ends, and what was done."""
    present = ~np.isnan(values)
    numbers = values[present]
    if len(numbers) == 0 or k == 1:
        return field, values, ""
    people = None if person is None else person[present]
    total = len(numbers) if people is None else len(np.unique(people))
    if total < k:
        if field.provenance == "data":
            field = replace(field, low=None, high=None)
        cells = count(len(numbers), "cell")
        line = f"held by {count(total, 'person', 'people')}, fewer than {k}: all became missing ({cells})"
        return replace(field, nullable=True), np.full(len(values), np.nan), line
    low, high = _kth(numbers, people, k), -_kth(-numbers, people, k)
    line = f"values beyond what {k} people share were clipped"
    if low > high:
        low = high = _middle(numbers)
        line = f"held by {count(total, 'person', 'people')}, too few for a range: all became one value"
    inside = np.clip(values, low, high)
    changed = int((inside[present] != numbers).sum())
    if field.provenance == "data":
        field = replace(field, low=low, high=high)
    return field, inside, f"{line} ({count(changed, 'cell')})" if changed else ""


def _kth(numbers: Array, people: Array | None, k: int) -> float:
    """The least value that k people reach or undercut."""
    if people is None:
        return float(np.partition(numbers, k - 1)[k - 1])
    order = np.argsort(numbers, kind="stable")
    first = np.sort(np.unique(people[order], return_index=True)[1])
    return float(numbers[order][first[k - 1]])


def _middle(numbers: Array) -> float:
    """The lower median: a value in the column's own decimals."""
    return float(np.partition(numbers, (len(numbers) - 1) // 2)[(len(numbers) - 1) // 2])


def shared(pool: NDArray[np.float64], people: Array, *, snap: bool, person: Array | None = None) -> NDArray[np.float64]:
    """The sorted numbers (m,) that an engine makes again, without those of single people.

    `people` (m,) hold the number of each place; `person` (m,) says whose each place is, None that each is another's.
    What fewer than five hold is not made again: with `snap`, where only these numbers are made and none between them,
    the nearest shared one stands in its place. Elsewhere runs of such numbers are cut into blocks of five people or
    more, told by their means, and any number between two means is as likely as another. So a made number that somebody
    alone held is an accident, as it is for people outside the data.
    """
    common = np.asarray(people >= LEAST_PEOPLE)
    if common.all():
        return pool
    if snap and common.any():
        known = np.unique(pool[common])
        above = known[np.minimum(np.searchsorted(known, pool), len(known) - 1)]
        below = known[np.maximum(np.searchsorted(known, pool, side="right") - 1, 0)]
        return np.where(np.abs(pool - below) <= np.abs(above - pool), below, above)
    place = np.arange(len(pool))
    run = np.cumsum(np.diff(common, prepend=common[:1]))
    start = np.flatnonzero(np.diff(run, prepend=-1))
    length = np.diff(np.append(start, len(pool)))[run]
    if person is None:
        blocks = np.where(common, length, np.maximum(length // LEAST_PEOPLE, 1))
        block = np.unique((run << 32) + (place - start[run]) * blocks // length, return_inverse=True)[1]
    else:
        block = _blocks(run, common, person)
    middle, mean = (np.bincount(block, of) / np.bincount(block) for of in (place, pool))
    return np.where(common, pool, np.interp(place, middle, mean))


def _blocks(run: Array, common: Array, person: Array) -> Array:
    """Blocks (m,) of neighbours within each run, of five people or more each, or of all of a run that has fewer."""
    block: list[int] = []
    now, began, whole, before = 0, 0, False, -1
    inside: set[int] = set()
    for at, (one, many, who) in enumerate(zip(run.tolist(), common.tolist(), person.tolist(), strict=True)):
        if one != before:
            if inside and whole:  # too few were left at the end of a run: they join those before
                block[began:] = [now - 1] * (at - began)
            now, whole, before = now + 1, False, one
            inside.clear()
        began = began if inside else at
        block.append(now)
        inside.add(who)
        if many or len(inside) >= LEAST_PEOPLE:
            now, whole = now + 1, True
            inside.clear()
    if inside and whole:
        block[began:] = [now - 1] * (len(block) - began)
    return np.unique(block, return_inverse=True)[1]


def people_of(which: Array, levels: int, person: Array | None) -> Array:
    """How many people hold each value (levels,), however many rows each of them has; `which` (n,) value a row holds."""
    if person is None:
        return np.bincount(which, minlength=levels)
    _, numbered = np.unique(person, return_inverse=True)
    most = int(numbered.max(initial=0)) + 1
    return np.bincount(np.unique(which.astype(np.int64) * most + numbered) // most, minlength=levels)
