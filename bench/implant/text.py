"""Is text burned into scans found, and nothing else taken for it? `python -m bench.implant.text --data FOLDER`.

False alarms: all patches of the folder as volumes, and slices of them in 8 bits as three windows show them, at three
magnifications. Found: one line of letters of several sizes on a chest of noise, vessels and walls, with hard or smooth
rims, in all slices of a volume and on one slice in 8 bits, white in a soft-tissue window.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from bench.implant.speed import chest
from tuckpoint.files import write_text
from tuckpoint.implant.values import Array
from tuckpoint.seed import Seed
from tuckpoint.volumes import itk
from tuckpoint.volumes.overlay import lines

WINDOWS = ((-1350, 150), (-160, 240), (-1350, -400))  # HU shown black and white
TEXTS = ("DOE JANE 1960-01-02", "Doe, Jane  F 60Y", "ID: 4711-0815", "2020-03-15 10:22", "St. Elsewhere CT1")
SIZES = (8, 9, 10, 12, 14, 16, 20, 24, 32, 40)  # px of a font, whose capitals are about 0.7 as tall
RESULTS = Path(__file__).parent / "results"


def screen(plane: Array, window: tuple[int, int]) -> Array:
    """(h, w) uint8 as a screen shows it."""
    low, high = window
    return np.asarray(np.clip((plane - low) / (high - low), 0, 1) * 255, np.uint8)


def alarms(folder: Path) -> dict[str, list[int]]:
    """False alarms and how many were looked at."""
    from PIL import Image

    found = {"volumes": [0, 0], "slices in 8 bits": [0, 0]}
    for file in sorted(folder.glob("*_dcm_*.mha")):
        image = itk.read(file).voxels
        found["volumes"][0] += bool(lines(image))
        found["volumes"][1] += 1
        for window in WINDOWS:
            small = screen(image[len(image) // 2], window)
            smooth = np.asarray(Image.fromarray(small).resize((512, 512), Image.Resampling.BICUBIC))
            for one in (small, np.kron(small, np.ones((4, 4), np.uint8)), smooth):
                found["slices in 8 bits"][0] += bool(lines(one))
                found["slices in 8 bits"][1] += 1
    return found


def written(shape: tuple[int, ...], text: str, size: int, at: tuple[int, int], *, smooth: bool) -> Array:
    """(h, w) how much of each pixel letters cover."""
    from PIL import Image, ImageDraw, ImageFont

    sheet = Image.new("L", (shape[1], shape[0]), 0)
    draw = ImageDraw.Draw(sheet)
    draw.fontmode = "L" if smooth else "1"
    draw.text(at, text, fill=255, font=ImageFont.load_default(size))
    return np.asarray(sheet) / 255


def told() -> dict[str, Any]:
    """Share of lines found, by rims, place and size."""
    image = np.ascontiguousarray(chest()[::8]).astype(np.float32)
    middle = screen(image[len(image) // 2], WINDOWS[1]).astype(np.float32)
    rng = Seed(0, ("text",)).numpy()
    found: dict[str, Any] = {}
    for smooth in (False, True):
        for size in SIZES:
            hits = np.zeros(2)
            for text in TEXTS:
                share = written(image.shape[1:], text, size, (10, 10 + int(rng.integers(440))), smooth=smooth)
                volume = np.round(image * (1 - share) + 3071 * share).astype(np.int16)
                flat = np.round(middle * (1 - share) + 255 * share).astype(np.uint8)
                hits += [bool(lines(volume)), bool(lines(flat))]
            for place, share in zip(("volume", "slice in 8 bits"), hits / len(TEXTS), strict=True):
                found.setdefault(f"{place}, {'smooth' if smooth else 'hard'} rims", {})[str(size)] = round(share, 2)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder volumes/ of the nodule patches")
    options = parser.parse_args()
    result = {"false alarms": alarms(options.data), "found": told()}
    write_text(RESULTS / "text.json", json.dumps(result, indent=1) + "\n", overwrite=True)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
