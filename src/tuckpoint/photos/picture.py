"""One picture file as an upright array of 8-bit RGB, and what was odd about it."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tuckpoint.errors import MissingExtra
from tuckpoint.photos.intact import SUFFIXES, faults

Array = npt.NDArray[Any]
ORIENTATION = 0x0112  # of EXIF (CIPA DC-008): 1 is upright
MOST_PIXELS = 200_000_000
MOST_BYTES = 1 << 30
BROKEN = (  # what decoders raise of a broken file
    OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, ArithmeticError, MemoryError, AttributeError,
    struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """One file: `pixels` (h, w, 3) uint8, upright, on white where it was transparent; None if it could not be read.

    `faults` are pairs of a kind and what was found; `odd` names what a reader that takes it for plain 8-bit RGB gets
    wrong (turned by EXIF, 16 bits, CMYK, transparency, several frames). `digest` is of its bytes.
    """

    pixels: Array | None
    faults: tuple[tuple[str, str], ...] = ()
    odd: tuple[str, ...] = ()
    digest: str = ""


def imaging() -> Any:
    """Pillow; raises MissingExtra without it."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtra("Pillow", "scenes") from None
    return Image


def suffixes() -> frozenset[str]:
    """Suffixes of files that are taken for pictures."""
    return frozenset(SUFFIXES)


def read(path: Path) -> Picture:
    """Read one file whole; never raises for what the file holds."""
    import hashlib

    try:
        if path.stat().st_size > MOST_BYTES:
            return Picture(None, (("too large", f"{path.stat().st_size:,} bytes"),))
        data = path.read_bytes()
    except OSError as error:
        return Picture(None, (("unreadable", str(error.strerror or error)),))
    found = faults(data, path.suffix)
    digest = hashlib.sha256(data).hexdigest()
    if found and found[0][0] == "empty file":
        return Picture(None, tuple(found), digest=digest)
    try:
        pixels, odd = decoded(data)
    except (*BROKEN, imaging().DecompressionBombError) as error:
        said = f"{type(error).__name__}: {error}".split("<")[0].strip()
        return Picture(None, (*found, *([] if found else [("unreadable", said)])), digest=digest)
    return Picture(pixels, tuple(found), tuple(odd), digest)


def decoded(data: bytes) -> tuple[Array, list[str]]:
    """Pixels (h, w, 3) uint8 and what was odd; raises what Pillow raises, ValueError for too many pixels."""
    imaging_ = imaging()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # large pictures, broken EXIF: the first is checked here, the second unused
        with imaging_.open(io.BytesIO(data)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels are more than {MOST_PIXELS:,}")
            odd = []
            if getattr(image, "n_frames", 1) > 1:
                odd.append("several frames: the first is taken")
            turned = image.getexif().get(ORIENTATION, 1)
            image.load()
            rgb, said = _rgb(image)
    odd += said
    if turned in range(2, 9):
        odd.append(f"turned by EXIF (orientation {turned})")
        rgb = _upright(rgb, turned)
    return np.ascontiguousarray(rgb), odd


def _rgb(image: Any) -> tuple[Array, list[str]]:
    mode = image.mode
    if mode == "RGB" and "transparency" not in image.info:
        return np.asarray(image), []
    if mode.startswith("I;16"):
        return _grey(np.asarray(image).astype(np.float64) / 257), ["16 bits"]
    if mode in ("I", "F"):
        values = np.nan_to_num(np.asarray(image).astype(np.float64))
        if mode == "I" and values.min() >= 0 and 255 < values.max() < 65536:
            return _grey(values / 257), ["16 bits"]
        low, high = float(values.min()), float(values.max())
        return _grey((values - low) / max(high - low, 1e-12) * 255), ["32 bits: its range is stretched"]
    if mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layered = np.asarray(image.convert("RGBA")).astype(np.float64)
        alpha = layered[:, :, 3:] / 255
        flat = layered[:, :, :3] * alpha + 255 * (1 - alpha)
        return np.rint(flat).astype(np.uint8), ["transparency"] if alpha.min() < 1 else []
    return np.asarray(image.convert("RGB")), [mode] if mode in ("CMYK", "YCbCr", "LAB", "HSV") else []


def _grey(values: Array) -> Array:
    return np.repeat(np.clip(np.rint(values), 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def _upright(pixels: Array, turned: int) -> Array:
    """The picture as it should be seen, by EXIF's eight orientations."""
    flipped = pixels[:, ::-1] if turned in (2, 4, 5, 7) else pixels
    turns = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}[turned]
    return np.rot90(flipped, turns)


def shrunk(pixels: Array, size: int) -> Array:
    """The picture (size, size, 3) uint8, squeezed to a square; the filter widens as it shrinks: nothing aliases."""
    imaging_ = imaging()
    small = imaging_.fromarray(pixels).resize((size, size), imaging_.Resampling.BILINEAR)
    return np.asarray(small)
