"""Rows of a fitted model that keep a fairness target exactly, or an error that names the cells which cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from tuckpoint.errors import InputError, ShortSample, did_you_mean
from tuckpoint.fair.balance import Changes, Work, cannot, changes, few, wanted
from tuckpoint.fair.cells import UNKNOWN, Cells, Label, given_cells, group_cells
from tuckpoint.fair.quota import largest_remainders
from tuckpoint.fair.relabel import flips, lever, scores
from tuckpoint.fair.spec import Spec
from tuckpoint.fair.told import Cell, Counts, Told, hidden, simpson, warned
from tuckpoint.seed import Seed
from tuckpoint.table import sample as sampling
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Array, Encoded, Progress, quiet
from tuckpoint.table.fit import TableModel

MOST_ROWS = 2_000_000  # quotas are those of the whole table, so that it must fit into memory


@dataclass(frozen=True)
class FairRows:
    """The made rows, what was done to them, and the cells on which they were counted."""

    table: pa.Table
    told: Told
    work: Work


def fair_rows(
    model: TableModel, spec: Spec, rows: int, seed: Seed, *, real: pa.Table | None = None, progress: Progress = quiet
) -> FairRows:
    """Draw rows that keep the target, and count them again as they are written.

    For parity without shares these are the rows that `sample` draws with this seed, but for the labels that change and
    what follows from them by rules. `real` are the rows behind the model: with them donors are counted; for a private
    model they are not looked at. Raises InputError that names the cells for which the target cannot be kept.
    """
    if rows < 1 or rows > MOST_ROWS:
        raise InputError(f"fair: {rows:,} rows were asked for; quotas are counted out for 1 to {MOST_ROWS:,} rows")
    groups, fields = group_cells(spec, model.book.fields, model.schema), model.book.fields
    label = _label(model, spec)
    seen = None if real is None or model.guarantee is not None else encode(real, model.schema, strict=False)
    columns = _drawn(model, spec, groups, rows, seed, seen)
    data = Encoded(fields, columns)
    legitimate = given_cells(spec, data, model.schema)
    strata = legitimate if spec.target == "conditional parity" else Cells(())
    donors = None if seen is None else Counts.of(seen, groups, strata, label)
    work = Work(model, spec, groups, strata, legitimate, label, donors)
    fresh = seed.child("fresh")
    if spec.target == "representation" or label is None:
        table = sampling.finish(model, columns, rows, first_row=0, seed=fresh)
        return _counted(work, table, None, None, (), "")
    before = Counts.of(data, groups, strata, label)
    quotas, move = wanted(work, before), lever(model, columns, label)
    both = Cells((*strata.axes, *groups.axes))
    turned = flips(model, columns, move, label, both)
    known, positive = label.read(data)
    probability, how = scores(model, columns, move, seed.child("scores"), progress=progress)
    made = changes(work, both.place(data), positive, known, quotas, turned, probability, seed.child("labels"), progress)
    kept = {name: np.where(made.rows, turned.columns[name], values) for name, values in columns.items()}
    table = sampling.finish(model, kept, rows, first_row=0, seed=fresh)
    return _counted(work, table, data, made, turned.follows, how)


def check(table: pa.Table, rows: FairRows) -> float:
    """The largest difference to the target on a table as written; raises InputError if it is above the tolerance."""
    work, spec = rows.work, rows.told.spec
    counts = Counts.of(encode(table, work.model.schema), work.groups, work.strata, work.label)
    error = _error(work, counts)
    if error > spec.tolerance + 1e-12:
        raise InputError(
            f"fair: the rows as written miss the target by {error:.4f}, more than {spec.tolerance:g}: they were "
            "changed since they were made, or this is a bug in tuckpoint; make them again"
        )
    return error


def _label(model: TableModel, spec: Spec) -> Label | None:
    """The outcome, if there is one; raises InputError for columns that are not there."""
    names = [item.name for item in model.book.fields]
    for name in [*spec.groups, *spec.given, *([] if spec.outcome is None else [spec.outcome])]:
        if name not in names:
            raise InputError(
                f'fair: no modelled column "{name}"{did_you_mean(name, names)}; there are {", ".join(names)}'
            )
    return None if spec.outcome is None or spec.positive is None else Label(spec.outcome, spec.positive)


def _error(work: Work, counts: Counts) -> float:
    """The largest difference of a share or rate to what was asked."""
    shares = counts.rows.sum(axis=0) / max(1, int(counts.rows.sum()))
    far = float(np.abs(shares - _shares(work.spec, work.groups)).max()) if work.spec.quotas else 0.0
    return far if work.spec.target == "representation" else max(far, counts.error())


def _shares(spec: Spec, groups: Cells) -> Array:
    """The wanted share (g,) of each group; equal ones are for groups whose levels are all known."""
    if spec.shares is None:
        return np.asarray(groups.known / groups.known.sum())
    if not (set(spec.shares) <= set(spec.groups) and all(isinstance(part, Mapping) for part in spec.shares.values())):
        return _filled(spec.shares, groups.names, "shares")
    out = np.ones(1)
    for axis in groups.axes:
        if axis.name not in spec.shares:
            raise InputError(f'fair: shares say nothing of "{axis.name}"; give its levels shares too')
        part = _filled(spec.shares[axis.name], axis.labels, f'shares of "{axis.name}"')
        out = np.outer(out, part).reshape(-1)
    return out


def _filled(given: Mapping[str, object], names: Sequence[str], what: str) -> Array:
    numbers: dict[str, float] = {}
    for name, share in given.items():
        if name not in names:
            shown = ", ".join(name for name in names if UNKNOWN not in name)
            raise InputError(f'fair: {what}: there is no "{name}"{did_you_mean(name, names)}; there are: {shown}')
        if isinstance(share, bool) or not isinstance(share, int | float) or share < 0:
            raise InputError(f'fair: {what}: "{name}" is {share!r}; give a share from 0 to 1')
        numbers[name] = float(share)
    if abs(sum(numbers.values()) - 1) > 1e-6:
        raise InputError(f"fair: {what} add up to {sum(numbers.values()):g}; they must add up to 1")
    return np.array([numbers.get(name, 0.0) for name in names])


def _drawn(
    model: TableModel, spec: Spec, groups: Cells, rows: int, seed: Seed, seen: Encoded | None
) -> dict[str, Array]:
    """The encoded columns (rows,) of rows as they come, or of counted groups, drawn under exact conditions."""
    if not spec.quotas:
        return sampling.drawn(model, rows, seed.child("part", 0))
    shares = _shares(spec, groups)
    counts = largest_remainders(shares, rows)
    behind = None if seen is None else np.bincount(groups.place(seen), minlength=len(counts))
    parts, reasons = [], []
    if (far := float(np.abs(counts / rows - shares).max())) > spec.tolerance:
        needed = int(np.ceil(1 / spec.tolerance))
        reasons.append(f"{rows:,} rows are too few: whole rows miss a share by {far:.4f}; ask for {needed:,} or more")
    for cell in np.flatnonzero(counts):
        name = groups.names[cell]
        if behind is not None and (why := few(int(behind[cell]), spec)):
            reasons.append(f"{name}: {why}")
            continue
        try:
            where = groups.where(int(cell))
            parts.append(sampling.drawn(model, int(counts[cell]), seed.child("group", name), where=where))
        except ShortSample as error:
            reasons.append(f"{name}: no donors: {error}")
    if reasons:
        raise cannot(spec, reasons)
    mixed = seed.child("mix").numpy().permutation(rows)
    return {name: np.concatenate([part[name] for part in parts])[mixed] for name in parts[0]}


def _counted(
    work: Work, table: pa.Table, data: Encoded | None, made: Changes | None, follows: tuple[str, ...], how: str
) -> FairRows:
    """What was done, counted on the rows as they are written; raises InputError if that is not what was asked."""
    read = encode(table, work.model.schema)
    after = Counts.of(read, work.groups, work.strata, work.label)
    cells = tuple(_cells(work, data, after, made))
    new = Counts.of(read, work.groups, work.legitimate, work.label)
    old = None if data is None else Counts.of(data, work.groups, work.legitimate, work.label)
    told = Told(
        work.spec, table.num_rows, cells, 0 if made is None else int(made.rows.sum()), _error(work, after),
        between=(None if old is None else old.between(), new.between()),
        within=(_worst(old, work), _worst(new, work)), order=how, follows=follows,
        warnings=(*warned(cells), *simpson(new, work.legitimate, work.spec)),
        unknown=int(after.rows.sum() - after.known.sum()) if work.label is not None else 0,
    )  # fmt: skip
    done = FairRows(table, told, work)
    check(table, done)
    return done


def _worst(counts: Counts | None, work: Work) -> float | None:
    """The largest difference between groups within one stratum of the legitimate columns."""
    found = counts.within() if counts is not None and work.spec.given else None
    return None if found is None else found[0]


def _cells(work: Work, data: Encoded | None, after: Counts, made: Changes | None) -> list[Cell]:
    spec, told = work.spec, []
    old = None if data is None else Counts.of(data, work.groups, work.strata, work.label)
    total, shares = int(after.rows.sum()), _shares(spec, work.groups) if spec.quotas else None
    for s, g in np.argwhere((after.rows > 0) | (work.groups.known[None] & (after.rows.sum(axis=1) > 0)[:, None])):
        rate = None if np.isnan(after.rates[s, g]) else float(after.rates[s, g])
        donors, of_them = None, None
        if work.donors is not None:
            donors = hidden(int(work.donors.rows[s, g]))
            of_them = None if work.label is None else hidden(int(work.donors.positive[s, g]))
        cell = Cell(
            work.groups.names[g], work.strata.names[s], int(after.rows[s, g]), None, None, rate, rate,
            donors=donors, positive_donors=of_them,
        )  # fmt: skip
        if spec.target == "representation":
            behind = None if work.donors is None else float(work.donors.rows[s, g] / work.donors.rows.sum())
            assert shares is not None
            cell = replace(cell, wanted=float(shares[g]), before=behind, after=float(after.rows[s, g] / total))
        elif old is not None and made is not None:
            wanted_rate = float(after.positive[s].sum() / max(1, after.known[s].sum()))
            was = None if np.isnan(old.rates[s, g]) else float(old.rates[s, g])
            cell = replace(cell, wanted=wanted_rate, before=was, up=int(made.up[s, g]), down=int(made.down[s, g]))
        told.append(cell)
    return told
