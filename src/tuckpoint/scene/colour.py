"""Between linear light and the codes of pictures: sRGB (IEC 61966-2-1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def encoded(light: NDArray[Any]) -> NDArray[np.uint8]:
    """sRGB codes, uint8 of the same shape, of linear light from 0 to 1."""
    code = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(code * 255), np.uint8)


def _table() -> NDArray[np.float32]:
    code = np.arange(256) / 255.0
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4).astype(np.float32)


LINEAR = _table()  # (256,) linear light of every sRGB code
