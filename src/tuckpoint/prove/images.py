"""A folder of labelled images as the real table of a proof: labels, listing, attributes, descriptors and groups."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pyarrow as pa

from tuckpoint.errors import InputError, count, did_you_mean
from tuckpoint.photos.album import Photos, read_album
from tuckpoint.photos.descriptor import with_descriptors
from tuckpoint.table.engine import Progress, quiet
from tuckpoint.table.frame import Frame

GROUP = "group"
TOLD = 3  # files that a note names


def images_of(
    folder: Path,
    target: str,
    *,
    listing: str | Path | None = None,
    group: str | None = None,
    pattern: str | None = None,
    workers: int = 1,
    progress: Progress = quiet,
) -> tuple[Frame, str | None, tuple[str, ...]]:
    """The images as a table, the column that groups them, and notes on files that were left out.

    `target` is the column of the listing that names the class; without a listing the folders do. `group` names one or
    more columns, parted by commas; `pattern` is a regular expression, and what its groups match of a path (the whole
    match without any) names the group. Raises InputError for a column that is not there, or paths that do not match.
    """
    photos = read_album(folder, listing, label=target, workers=workers, progress=progress)
    table = photos.table
    if target != "label":
        table = table.rename_columns([target if name == "label" else name for name in table.column_names])
    for name in photos.measured.column_names:
        table = table.append_column(name, photos.measured[name])
    by = None
    if group or pattern:
        keys = _matched(table, pattern) if pattern else _joined(table, str(group))
        if GROUP in table.column_names:
            table = table.drop_columns([GROUP])
        table, by = table.append_column(GROUP, pa.array(keys)), GROUP
    digest = hashlib.sha256("\n".join(photos.digests).encode()).hexdigest()
    return Frame(with_descriptors(table, photos.thumbs), "arrow", folder.name, digest), by, _left_out(photos)


def _joined(table: pa.Table, group: str) -> list[str]:
    names = [name.strip() for name in group.split(",")]
    for name in names:
        if name not in table.column_names:
            raise InputError(f'group "{name}" is no column of the images{did_you_mean(name, table.column_names)}')
    return ["/".join(map(str, row)) for row in zip(*(table[name].to_pylist() for name in names), strict=True)]


def _matched(table: pa.Table, pattern: str) -> list[str]:
    paths = table["path"].to_pylist()
    try:
        found = [(path, re.search(pattern, path)) for path in paths]
    except re.error as error:
        raise InputError(f"pattern {pattern!r} is no regular expression: {error}") from None
    if missing := [path for path, match in found if match is None]:
        raise InputError(f"pattern {pattern!r} matches {len(missing)} paths not at all, such as {missing[0]}")
    return ["/".join(match.groups("") or (match.group(),)) for _, match in found if match is not None]


def _left_out(photos: Photos) -> tuple[str, ...]:
    lost = [fault for fault in photos.faults if fault.left_out]
    if not lost:
        return ()
    named = ", ".join(f"{fault.path} ({fault.told})" for fault in lost[:TOLD])
    more = f" and {len(lost) - TOLD} more" if len(lost) > TOLD else ""
    were = count(len(lost), "image was", "images were")
    return (f"{were} left out: {named}{more}. `tuckpoint find` tells what is wrong with each.",)
