"""OpenEXR: all dense labels of a picture in one file, bit for bit, each number with its unit in the header.

Channels are LABEL.X, .Y, .Z for vectors, LABEL.R, .G, .B for colours, LABEL.V for one number: 32-bit floats, or 32-bit
whole numbers for ids and for yes (1) and no (0). The header has, per label, LABEL.unit, LABEL.frame, LABEL.convention.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, MissingExtra
from tuckpoint.labels import Item, Meaning
from tuckpoint.write.sets import ImageSet

AXES = {"vector": ("X", "Y", "Z", "W"), "colour": ("R", "G", "B", "A")}


def exr(pictures: ImageSet, folder: Path) -> None:
    """Write a set into an empty folder: arrays/KEY.exr, record.json.

    Raises InputError if the set has no dense labels, MissingExtra without OpenEXR.
    """
    try:
        import OpenEXR
    except ImportError:
        raise MissingExtra("OpenEXR", extra="scenes") from None
    about, record = pictures.about, pictures.about.record
    (folder / "arrays").mkdir()
    stamp = {"synthetic": "true", "software": "tuckpoint", "tuckpoint_record": record.digest()}
    fixed = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **stamp}
    written = 0
    for item in pictures.items():
        if item.arrays:
            header = {**fixed, **_told(item, about.meanings)}
            OpenEXR.File(header, _channels(item, about.meanings)).write(str(folder / "arrays" / f"{item.key}.exr"))
            written += 1
    if not written:
        raise InputError("OpenEXR holds dense labels, and this set has none; render with --labels depth normal")
    (folder / "record.json").write_bytes(record.sealed() + b"\n")


def _told(item: Item, meanings: Mapping[str, Meaning]) -> dict[str, str]:
    kinds = ("unit", "frame", "convention")
    return {f"{name}.{kind}": getattr(meanings[name], kind) for name in item.arrays for kind in kinds}


def _channels(item: Item, meanings: Mapping[str, Meaning]) -> dict[str, NDArray[Any]]:
    """The channels (h, w) by name."""
    found: dict[str, NDArray[Any]] = {}
    for name, array in item.arrays.items():
        kept = array.astype(np.float32 if array.dtype.kind == "f" else np.uint32)
        if kept.ndim == 2:
            found[f"{name}.V"] = np.ascontiguousarray(kept)
            continue
        axes = AXES["colour" if "RGB" in meanings[name].unit else "vector"]
        for number in range(kept.shape[2]):  # a slice with gaps is written wrong by OpenEXR 3.5.3
            found[f"{name}.{axes[number]}"] = np.ascontiguousarray(kept[..., number])
    return found
