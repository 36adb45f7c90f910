"""The pictures of each side of a search: read, described, grouped, and as tables that gaps are counted in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tuckpoint.asked import schema_of
from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.gap import photo_copies, photo_damage
from tuckpoint.gap.finding import Leak
from tuckpoint.photos.album import SIDES, Photos, read_album
from tuckpoint.photos.components import components
from tuckpoint.photos.descriptor import described
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Progress, quiet
from tuckpoint.table.frame import Frame

INPUTS = 128  # principal components that the learner sees
PLACES = 96  # those in which regions are sought; support is judged in the first of them
LABEL = "label"


@dataclass(frozen=True)
class Folder:
    """Where pictures are, and which columns of a listing say what.

    `label` is the column of classes, `side` one that says train or test, `group` those (parted by commas) that together
    name the person or object.
    """

    path: str | Path
    listing: str | Path | None = None
    label: str = LABEL
    side: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Sides:
    """Each side (train, and where given reference and test): pictures, group keys (n,) where there are any, what the
    learner sees of them (n, k), and where they lie among those of train and reference together (n, p).
    """

    photos: Mapping[str, Photos]
    groups: Mapping[str, Array]
    inputs: Mapping[str, Array]
    places: Mapping[str, Array]

    @property
    def train(self) -> Photos:
        """The training pictures."""
        return self.photos["train"]


def read_sides(
    folder: Folder, reference: str | Path | None, test: str | Path | None, seed: Seed, *, workers: int | None = None,
    progress: Progress = quiet,
) -> Sides:  # fmt: skip
    """Read all pictures once. Raises InputError for a column that is not there, and as `read_album` does."""

    def read(path: str | Path, start: float, **more: Any) -> Photos:
        def told(said: str, done: float) -> None:
            progress(said, start + 0.2 * done)

        return read_album(path, label=folder.label, workers=workers, progress=told, **more)

    found = {"train": read(folder.path, 0.0, listing=folder.listing)}
    if folder.side is not None or ("side" in found["train"].table.column_names and test is None):
        found = _parted(found["train"], folder.side or "side")
        if test is not None and "test" in found:
            raise InputError(f'test pictures are named twice: by --test {test} and by the column "{folder.side}"')
    if reference is not None:
        found["reference"] = read(reference, 0.2, labelled=False)
    if test is not None:
        found["test"] = read(test, 0.4)
    group = folder.group
    if group is not None:  # the column of classes is called label in the tables
        group = ",".join(LABEL if one.strip() == folder.label else one for one in group.split(","))
    return _described(found, group, seed)


def _parted(photos: Photos, side: str) -> dict[str, Photos]:
    """Training and test pictures, by a column that says so."""
    names = photos.table.column_names
    if side not in names:
        raise InputError(f'no column "{side}" in the listing{did_you_mean(side, names)}; it has {", ".join(names)}')
    said = [str(one).lower() for one in photos.table[side].to_pylist()]
    strange = sorted(set(said) - set(SIDES))
    if strange:
        raise InputError(f'column "{side}" says {", ".join(strange[:3])}; write train, test or validation')
    of = np.array([SIDES[one] for one in said])
    if not (of == "train").any():
        raise InputError(f'column "{side}" names no training picture; write train, test or validation')
    return {name: photos.take(of == name) for name in ("train", "test") if (of == name).any()}


def _described(photos: Mapping[str, Photos], group: str | None, seed: Seed) -> Sides:
    groups = {}
    for name, held in photos.items():
        keys = None if group is None else _keys(held, group)
        if keys is not None:
            groups[name] = keys
        elif name == "train" and group is not None:
            names = held.table.column_names
            raise InputError(
                f'no column "{group}" in the listing{did_you_mean(group, names)}; it has {", ".join(names)}'
            )
    return placed(photos, groups, {name: described(held.thumbs) for name, held in photos.items()}, seed)


def placed(
    photos: Mapping[str, Photos], groups: Mapping[str, Array], seen: Mapping[str, Array], seed: Seed
) -> Sides:  # fmt: skip
    """Sides from descriptors (n, d); the learner's components are those of training pictures alone."""
    axes = components(seen["train"], INPUTS, seed.child("inputs"))
    both = [seen[name] for name in ("train", "reference") if name in seen]
    among = components(np.concatenate(both), PLACES, seed.child("places"))
    inputs = {name: axes.place(rows) for name, rows in seen.items()}
    return Sides(photos, groups, inputs, {name: among.place(rows) for name, rows in seen.items()})


def _keys(photos: Photos, group: str) -> Array | None:
    """The group (n,) of each picture as text, of one or more columns, "" for none; None where a column is absent."""
    names = [name.strip() for name in group.split(",")]
    if not set(names) <= set(photos.table.column_names):
        return None
    columns = [[one or "" for one in photos.table[name].to_pylist()] for name in names]
    return np.array(["/".join(said) if any(said) else "" for said in zip(*columns, strict=True)], dtype=object)


def one_each(groups: Array | None, rows: int, seed: Seed) -> Array:
    """Positions of one picture, drawn at random, of each group; all where there are no groups."""
    if groups is None:
        return np.arange(rows)
    order = seed.numpy().permutation(rows)
    _, first = np.unique(groups[order], return_index=True)
    return np.unique(np.concatenate([order[first], np.flatnonzero(groups == "")]))


def leaks(sides: Sides) -> list[Leak]:
    """What is wrong with the pictures themselves on each side, and what both sides of a split share."""
    found, photos, keys = list[Leak](), sides.photos, sides.groups
    if "test" in photos:
        pair = (keys["train"], keys["test"]) if "train" in keys and "test" in keys else None
        found += photo_copies.split_leaks(photos["train"], photos["test"], pair)
    for name, held in photos.items():
        said = named(held) if name == "train" else f"{named(held)} ({name})"
        told_before = name == "test" and held.root == sides.train.root
        found += [] if told_before else photo_damage.damaged(held, said)
        found += photo_damage.colour_leaks(held, said)
        found += photo_copies.label_leaks(held, said)
    return found


def named(photos: Photos) -> str:
    """The folder's bare name."""
    return photos.root.resolve().name


def tables(sides: Sides, folder: Folder) -> tuple[Schema, dict[str, pa.Table]]:
    """What is counted of each side, and what it means: label, other columns of the listing, attributes.

    Columns that are another name of the class, and those without a value, are left out.
    """
    hidden = {"path", "side", folder.side, *(name.strip() for name in (folder.group or "").split(","))}
    found = {}
    for name, held in sides.photos.items():
        table = held.table.select([one for one in held.table.column_names if one not in hidden])
        for one in held.measured.column_names:
            table = table.append_column(one, held.measured[one])
        found[name] = table.select([one for one in table.column_names if table[one].null_count < table.num_rows])
    train = found["train"]
    listed = [one for one in train.column_names if one in sides.train.table.column_names and one != LABEL]
    if LABEL in train.column_names:
        labels = train[LABEL].to_pylist()
        for one in listed:
            values = train[one].to_pylist()
            if len(set(zip(labels, values, strict=True))) == len(set(labels)) == len(set(values)) > 1:
                train = train.drop_columns([one])
    target = LABEL if LABEL in train.column_names else None
    return schema_of(train, None, target=target), {**found, "train": train}


def frame(photos: Photos, table: pa.Table) -> Frame:
    """A side's table with the folder's name, and the SHA-256 of all its files' digests."""
    return Frame(table, "arrow", named(photos), sha256("".join(sorted(photos.digests)).encode()).hexdigest())
