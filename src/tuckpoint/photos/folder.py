"""A folder of labelled images as a table: one row an image, its path, its label, and what a listing says of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tuckpoint.errors import InputError, MissingExtra

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp")
LISTINGS = ("manifest.csv", "metadata.csv", "labels.csv")
TOLD = 3  # damaged files that an error names


def read_folder(folder: str | Path, *, listing: str | Path | None = None) -> pa.Table:
    """The images of a folder: `path` (below it), `label`, and the columns of a listing.

    A listing is a CSV with a column `path` (or `file_name`); without one named, manifest.csv, metadata.csv or
    labels.csv of the folder. Without any, the label of an image is the name of the folder it lies in, right below this
    one. Raises InputError for a folder without images, images outside class folders, and files that are not there.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"no folder {folder}; give one with a folder of images for each class, or with a listing")
    found = [folder / name for name in LISTINGS if (folder / name).is_file()]
    place = Path(listing) if listing is not None else found[0] if found else None
    return _listed(folder, place) if place is not None else _by_class(folder)


def _by_class(folder: Path) -> pa.Table:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise InputError(f"{folder} holds no images ({', '.join(SUFFIXES)})")
    paths = [path.relative_to(folder) for path in files]
    if loose := [path for path in paths if len(path.parts) == 1]:
        raise InputError(
            f"{folder}: {len(loose)} images, such as {loose[0]}, lie in no class folder; put each class into a folder "
            f"of its own, or add a listing ({', '.join(LISTINGS)}) with the columns path and label"
        )
    return pa.table({"path": [path.as_posix() for path in paths], "label": [path.parts[0] for path in paths]})


def _listed(folder: Path, listing: Path) -> pa.Table:
    from pyarrow import csv

    try:
        table = csv.read_csv(listing)
    except (FileNotFoundError, pa.ArrowInvalid) as error:
        raise InputError(f"{listing} cannot be read as a CSV: {error}") from None
    names = table.column_names
    if "path" not in names:
        if "file_name" not in names:
            raise InputError(f"{listing} has no column path (or file_name); it has: {', '.join(names)}")
        table = table.rename_columns(["path" if name == "file_name" else name for name in names])
    root = folder.resolve()
    for path in table["path"].to_pylist():
        if not (root / path).resolve().is_relative_to(root):
            raise InputError(f"{listing}: {path} leads out of {folder}; list images inside it")
        if not (root / path).is_file():
            raise InputError(f"{listing} names {path}, which is not in {folder}")
    return table


def grouped(table: pa.Table, pattern: str) -> pa.Table:
    """The table with a column `group`: what the pattern's groups match of each path (the whole match without any).

    Images of one thing, person or moment stay together by it. Raises InputError for a path that does not match.
    """
    try:
        found = [re.search(pattern, path) for path in table["path"].to_pylist()]
    except re.error as error:
        raise InputError(f"pattern {pattern!r} is no regular expression: {error}") from None
    missing = [path for path, match in zip(table["path"].to_pylist(), found, strict=True) if match is None]
    if missing:
        raise InputError(f"pattern {pattern!r} matches {len(missing)} paths not at all, such as {missing[0]}")
    groups = ["/".join(match.groups("") or (match.group(),)) for match in found if match is not None]
    return table.append_column("group", pa.array(groups))


def read_images(folder: str | Path, paths: Sequence[str], side: int) -> NDArray[np.uint8]:
    """The images (n, side, side, 3) sRGB, turned as their camera says and scaled to a square.

    Raises MissingExtra without Pillow, InputError that names damaged files.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise MissingExtra("pillow", extra="scenes") from None
    held = np.empty((len(paths), side, side, 3), np.uint8)
    damaged = []
    for number, path in enumerate(paths):
        try:
            with Image.open(Path(folder) / path) as file:
                image = ImageOps.exif_transpose(file).convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            damaged.append(f"{path} ({error})")
            continue
        way = Image.Resampling.BOX if min(image.size) >= 2 * side else Image.Resampling.BILINEAR
        held[number] = np.asarray(image.resize((side, side), way))
    if damaged:
        more = f" and {len(damaged) - TOLD} more" if len(damaged) > TOLD else ""
        raise InputError(
            f"{len(damaged)} images cannot be read: {', '.join(damaged[:TOLD])}{more}; mend or remove them"
        )
    return held
