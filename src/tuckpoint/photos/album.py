"""A folder of pictures read once, whole: a table, what was measured, thumbnails, and what is wrong with the files."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.photos import attributes, picture
from tuckpoint.photos.picture import Array

Progress = Callable[[str, float], None]
THUMB = 48  # pixels of a side
LISTINGS = ("metadata.csv", "metadata.jsonl", "listing.csv", "listing.jsonl", "manifest.csv")
PATHS = ("path", "file_name", "file", "filename")
SIDES = {
    "train": "train", "training": "train", "test": "test", "testing": "test", "val": "test", "valid": "test",
    "validation": "test", "holdout": "test",
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """Something wrong with one file; `left_out` where it is not among the pictures."""

    path: str
    kind: str
    told: str
    left_out: bool


@dataclass(frozen=True)
class Photos:
    """The pictures of a folder, one row each, in the order of `files`.

    `table` holds path (within `root`), label (null: not said), side (train or test; only where folders say it) and the
    columns of the listing; `measured` the attributes (photos/attributes.py); `thumbs` (n, 48, 48, 3) uint8, squeezed to
    a square; `digests` the SHA-256 of each file; `odd` pairs of a row and what a plain reader gets wrong there.
    `aside` counts what was not taken (masks, other files, files that are not listed).
    """

    root: Path
    files: tuple[Path, ...]
    table: pa.Table
    measured: pa.Table
    thumbs: Array
    digests: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    odd: tuple[tuple[int, str], ...] = ()
    aside: Mapping[str, int] = field(default_factory=dict)

    @property
    def labels(self) -> Array:
        """The class of each picture (n,) as text; "" where it is not said."""
        return np.array([one or "" for one in self.table["label"].to_pylist()], dtype=object)

    def take(self, rows: Array) -> Photos:
        """The pictures at these positions, or where the mask is true; faults of files left out stay."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else np.asarray(rows)
        place = {int(old): new for new, old in enumerate(rows)}
        kept = {str(self.table["path"][int(row)]) for row in rows}
        return Photos(
            self.root, tuple(self.files[row] for row in rows), self.table.take(rows), self.measured.take(rows),
            self.thumbs[rows], tuple(self.digests[row] for row in rows),
            tuple(fault for fault in self.faults if fault.left_out or fault.path in kept),
            tuple((place[row], told) for row, told in self.odd if row in place), self.aside,
        )  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """Files before they are read: where they are, what is said of them, and what was set aside."""

    root: Path
    files: tuple[Path, ...]
    columns: Mapping[str, list[str | None]]
    faults: tuple[Fault, ...]
    aside: Mapping[str, int]


def read_album(
    path: str | Path,
    listing: str | Path | None = None,
    *,
    label: str = "label",
    labelled: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Photos:
    """Read a folder of pictures: `root/CLASS/...`, `root/train/CLASS/...` or pictures without a class.

    `listing` (CSV or JSONL; a metadata, listing or manifest file in the folder is found) has a column path or file_name
    (within the folder of the listing), the column `label`, which may be absent where `labelled` is false, and any other
    columns: person, object, site. A picture that cannot be read is left out and told in `faults`. Pictures in two
    colours that bear the name of another picture are masks and set aside.
    Raises InputError for an empty folder, a listing without paths, or one whose paths lead out of the folder.
    """
    root = Path(path)
    if not root.is_dir():
        raise InputError(f"no folder {root}; pass a folder that holds a folder of pictures for each class")
    picture.imaging()
    found = _found(root, listing)
    listed = _folders(root) if found is None else _listing(root, found, label, labelled)
    if not listed.files:
        said = ", ".join(f"{count:,} {what}" for what, count in listed.aside.items()) or "nothing"
        raise InputError(
            f"{root} holds no picture ({said} found); pictures end in {', '.join(sorted(picture.suffixes()))}"
        )
    looked = list(_looked(listed.files, workers or os.cpu_count() or 1, progress))
    return _gathered(listed, looked)


@dataclass(frozen=True)
class Look:
    """What is kept of one file once it was read."""

    thumb: Array | None
    measured: Mapping[str, attributes.Value]
    faults: tuple[tuple[str, str], ...]
    odd: tuple[str, ...]
    digest: str
    two_coloured: bool = False


def look(path: Path) -> Look:
    """Read one file, measure it, and keep a thumbnail."""
    seen = picture.read(path)
    if seen.pixels is None:
        return Look(None, {}, seen.faults, seen.odd, seen.digest)
    thumb = picture.shrunk(seen.pixels, THUMB)
    flat = seen.pixels.reshape(-1, 3)
    first, last = flat[0], flat[np.argmax((flat != flat[0]).any(axis=1))]
    two = bool(((flat == first) | (flat == last)).all(axis=1).all()) if path.suffix.lower() != ".jpg" else False
    faults = seen.faults
    if two and bool((first == last).all()):
        faults = (*faults, ("one colour", "every pixel is the same"))
    return Look(thumb, attributes.measure(seen.pixels, thumb), faults, seen.odd, seen.digest, two)


def _looked(files: Sequence[Path], workers: int, progress: Progress | None) -> Iterator[Look]:
    with ThreadPoolExecutor(workers) as crew:
        for done, seen in enumerate(crew.map(look, files), 1):
            if progress is not None and done % 64 == 0:
                progress(f"{done:,} of {len(files):,} pictures read", done / len(files))
            yield seen


def _gathered(listed: Listed, looked: Sequence[Look]) -> Photos:
    names = listed.columns["path"]
    masks = _masks(listed.files, looked)
    kept = [at for at, seen in enumerate(looked) if seen.thumb is not None and at not in masks]
    faults = [
        Fault(str(names[at]), kind, told, looked[at].thumb is None)
        for at, seen in enumerate(looked)
        if at not in masks
        for kind, told in seen.faults
    ]
    if not kept:
        first = faults[0]
        raise InputError(
            f"none of {len(looked):,} pictures in {listed.root} can be read (first: {first.path}: {first.told})"
        )
    columns = {name: pa.array([values[at] for at in kept], pa.string()) for name, values in listed.columns.items()}
    measured: dict[str, pa.Array] = {}
    for name in attributes.NAMES:
        kind = pa.string() if name == "hue" else pa.int64() if name in ("width", "height") else pa.float64()
        measured[name] = pa.array([looked[at].measured[name] for at in kept], kind)
    aside = dict(listed.aside) | ({"masks": len(masks)} if masks else {})
    thumbs = np.stack([thumb for at in kept if (thumb := looked[at].thumb) is not None])
    return Photos(
        listed.root, tuple(listed.files[at] for at in kept), pa.table(columns), pa.table(measured), thumbs,
        tuple(looked[at].digest for at in kept), (*listed.faults, *faults),
        tuple((place, told) for place, at in enumerate(kept) for told in looked[at].odd), aside,
    )  # fmt: skip


def _masks(files: Sequence[Path], looked: Sequence[Look]) -> set[int]:
    """Pictures of two colours beside one of the same name and another suffix."""
    stems = Counter(path.with_suffix("") for path in files)
    return {
        at for at, path in enumerate(files)
        if stems[path.with_suffix("")] > 1 and looked[at].two_coloured
    }  # fmt: skip


def _walk(root: Path) -> Iterator[Path]:
    """Files under the folder in the order of their names; links to folders and hidden files are passed over."""
    for place, folders, files in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place) / name for name in sorted(files) if not name.startswith("."))


def _folders(root: Path) -> Listed:
    every = list(_walk(root))
    files = [path for path in every if path.suffix.lower() in picture.suffixes()]
    parts = [path.relative_to(root).parts[:-1] for path in files]
    sided = bool(parts) and all(part and part[0].lower() in SIDES for part in parts)
    columns: dict[str, list[str | None]] = {"path": [_plain(path.relative_to(root).as_posix()) for path in files]}
    if sided:
        columns["side"] = [SIDES[part[0].lower()] for part in parts]
        parts = [part[1:] for part in parts]
    columns["label"] = [_plain(part[0]) if part else None for part in parts]
    others = len(every) - len(files)
    return Listed(root, tuple(files), columns, (), {"other files": others} if others else {})


def _plain(name: str) -> str:
    """A name as text: bytes that are no UTF-8 are replaced, line breaks too."""
    said = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in said)


def _found(root: Path, listing: str | Path | None) -> Path | None:
    if listing is not None:
        if not Path(listing).is_file():
            raise InputError(f"no listing {listing}; pass a CSV or JSONL file with the columns path and label")
        return Path(listing)
    for name in LISTINGS:
        place = root / name
        if place.is_file() and _rows(place, most=1) and _path_column(list(_rows(place, most=1)[0])) is not None:
            return place
    return None


def _path_column(names: Sequence[str]) -> str | None:
    return next((name for name in PATHS if name in names), None)


def _rows(path: Path, most: int | None = None) -> list[dict[str, Any]]:
    """Rows of a CSV or JSONL file; every value as it stands there."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() == ".jsonl":
                rows = [json.loads(line) for line in file if line.strip()]
                if not all(isinstance(row, dict) for row in rows):
                    raise InputError(f"{path}: each line must be an object, {{...}}")
            else:
                rows = list(csv.DictReader(file, strict=True))
    except (UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise InputError(f"{path} cannot be read as a listing: {error}") from None
    return rows[:most]


def _listing(root: Path, path: Path, label: str, labelled: bool) -> Listed:
    rows = _rows(path)
    names = list(dict.fromkeys(str(name) for row in rows for name in row if name is not None))
    where = _path_column(names)
    if where is None:
        raise InputError(f"{path} has no column path or file_name; its columns: {', '.join(names) or 'none'}")
    if labelled and label != "label" and label not in names:
        raise InputError(f'no column "{label}" in {path}{did_you_mean(label, names)}; it has {", ".join(names)}')
    home = path.parent if path.parent.resolve().is_relative_to(root.resolve()) else root
    files, kept, faults, seen = list[Path](), list[dict[str, Any]](), list[Fault](), set[Path]()
    for number, row in enumerate(rows, 1):
        name = str(row.get(where) or "")
        place = _inside(root, home, name, f"{path}, row {number}")
        if place in seen:
            faults.append(Fault(_plain(name), "listed twice", f"again in row {number}", True))
        elif not place.is_file():
            faults.append(Fault(_plain(name), "no such file", f"listed in row {number}", True))
        else:
            seen.add(place)
            files.append(place)
            kept.append(row)
    if not files:
        raise InputError(
            f"none of the {len(rows):,} files that {path} lists exists (first: {faults[0].path if faults else 'none'})"
        )
    columns: dict[str, list[str | None]] = {"path": [_plain(str(row[where])) for row in kept]}
    columns["label"] = [_text(row.get(label)) for row in kept]
    for name in names:
        if name not in (where, label):
            said = f"listed_{name}" if name in (*attributes.NAMES, "path", "label") else name
            columns[said] = [_text(row.get(name)) for row in kept]
    others = sum(p.suffix.lower() in picture.suffixes() and p.absolute() not in seen for p in _walk(root))
    return Listed(root, tuple(files), columns, tuple(faults), {"pictures not listed": others} if others else {})


def _inside(root: Path, home: Path, name: str, where: str) -> Path:
    if not name or "\x00" in name:
        raise InputError(f"{where}: its path is empty or no path; give the file's place within the folder")
    place = Path(os.path.normpath(home.absolute() / name))  # links in the folder are the owner's own choice
    if not place.is_relative_to(os.path.normpath(root.absolute())):
        raise InputError(f"{where}: {_plain(name)} leads out of {root}; list files within the folder")
    return place


def _text(value: Any) -> str | None:
    if value is None or value == "" or isinstance(value, list | dict):
        return None
    return _plain(value if isinstance(value, str) else json.dumps(value))
