"""Pictures of 8 or 16 bits a channel, grey or in colour, bit for bit: Pillow, and SimpleITK for 16-bit colour."""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError, MissingExtra
from tuckpoint.volumes.itk import simpleitk
from tuckpoint.volumes.volume import Array

_BITS_TAG, _IHDR_END = 258, 33  # BitsPerSample of TIFF 6.0; signature and header chunk of PNG
_AS_IT_IS = ("L", "RGB", "I;16", "I;16B", "I;16L")
_GREY = {"1": "L", "LA": "L"}
_COLOUR = ("P", "RGBA", "PA", "CMYK", "YCbCr", "LAB", "RGBX")


def read(path: Path) -> Array:
    """(h, w) or (h, w, 3), uint8 or uint16, as stored; transparency is left out where nothing is transparent.

    Raises InputError for what is no picture, holds several, is transparent in part, or has other numbers than 8 or 16
    bits; MissingExtra.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise MissingExtra("Pillow", "scenes") from None
    try:
        with Image.open(path) as image:
            count = int(getattr(image, "n_frames", 1))
            if count > 1 and image.format != "MPO":  # telephones add a small copy, the first is the photograph
                raise InputError(f"{path} holds {count} pictures; give each a file of its own")
            if _deep_colour(path, image):  # Pillow would keep 8 of the 16 bits
                return _opaque(path, _deep(path))
            return _plain(path, image)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise InputError(f"{path} is no picture, or a broken one: {error}") from None


def _plain(path: Path, image: Any) -> Array:
    mode = str(image.mode)
    if mode in _AS_IT_IS:
        values = np.asarray(image)
        return values.astype(values.dtype.newbyteorder("="))
    if mode not in _GREY and mode not in _COLOUR:
        raise InputError(f"{path}: values of type {mode}; give a photograph of 8 or 16 bits a channel")
    if mode in ("LA", "RGBA", "PA") or "transparency" in image.info:
        _opaque(path, np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert(_GREY.get(mode, "RGB")))


def _deep_colour(path: Path, image: Any) -> bool:
    """Whether a file holds more than 8 bits in more than one channel."""
    if image.format == "PNG":
        with path.open("rb") as file:
            depth, kind = file.read(_IHDR_END)[24:26]
        return depth == 16 and kind != 0
    if image.format == "TIFF":
        bits = image.tag_v2.get(_BITS_TAG, (8,))
        return len(bits) > 1 and max(bits) > 8
    return False


def _deep(path: Path) -> Array:
    try:
        values = simpleitk().GetArrayFromImage(simpleitk().ReadImage(str(path)))
    except RuntimeError as error:
        raise InputError(f"{path} cannot be read: {str(error).strip().splitlines()[-1]}") from None
    if values.dtype != np.uint16 or values.ndim != 3:
        raise InputError(f"{path}: {values.dtype} {values.shape}; give a photograph of 8 or 16 bits a channel")
    return np.asarray(values)


def _opaque(path: Path, values: Array) -> Array:
    """The channels without transparency; raises InputError if that would change what is seen."""
    channels = values.shape[2]
    if channels in (2, 4) and values[..., -1].min() < np.iinfo(values.dtype).max:
        share = float((values[..., -1] < np.iinfo(values.dtype).max).mean())
        raise InputError(f"{path}: {share:.0%} of its pixels are transparent; lay it on its background first")
    return values[..., 0] if channels == 2 else values[..., :3]


def deep_png(values: Array, texts: Mapping[str, str]) -> bytes:
    """A picture (h, w, 3) of 16 bits as PNG with these texts; the same one gives the same bytes."""
    sitk = simpleitk()
    with tempfile.TemporaryDirectory() as room:
        place = Path(room) / "picture.png"
        sitk.WriteImage(sitk.GetImageFromArray(np.ascontiguousarray(values), isVector=True), str(place), True)
        data = place.read_bytes()
    chunks = b"".join(_chunk(b"tEXt", f"{key}\0{text}".encode("latin-1")) for key, text in texts.items())
    return data[:_IHDR_END] + chunks + data[_IHDR_END:]


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def is_deep(values: Array) -> bool:
    """Whether a picture is in colour with 16 bits a channel."""
    return values.dtype == np.uint16 and values.ndim == 3 and values.shape[2] == 3
