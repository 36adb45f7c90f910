"""What can be measured of a picture without knowing what it shows."""

from __future__ import annotations

import numpy as np

from tuckpoint.photos.picture import Array

NAMES = (
    "width", "height", "aspect", "brightness", "contrast", "sharpness", "colourfulness", "hue", "saturation", "noise",
    "blockiness", "foreground",
)  # fmt: skip
CROP = 512  # pixels of the middle in which what resizing would change is measured
BLOCKS = 64  # pixels of a side under which blocks of 8 are not looked for
HUES = (("red", 0), ("orange", 30), ("yellow", 60), ("green", 120), ("cyan", 180), ("blue", 240), ("magenta", 300))
GREY = 12.0  # mean chroma, of 255, under which a picture has no hue
AGREED = 0.3  # resultant length of its hues under which they are mixed
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
BORDER = 18.0  # greatest spread of a border, of 255, before which a thing can be told from its ground

Value = float | int | str | None


def measure(pixels: Array, small: Array) -> dict[str, Value]:
    """All attributes of one picture (h, w, 3) uint8, and of the same shrunk to a square (s, s, 3).

    - width, height: pixels, upright; aspect: width / height
    - brightness: mean luma, 0 to 255; contrast: its standard deviation
    - sharpness: 0 (blurred) to 1: one less the blur metric of Crete et al. (2007), at the size of the file
    - colourfulness: Hasler and Suesstrunk (2003): about 0 for grey, 15 slight, 45 average, 100 and more strong
    - hue: red, orange, yellow, green, cyan, blue, magenta, or grey, or mixed; the mean direction, weighted by chroma
    - saturation: mean of HSV, 0 to 1
    - noise: standard deviation, grey levels of 255 (Immerkaer 1996, median of 16 tiles)
    - blockiness: step across edges of 8 x 8 blocks over that elsewhere, 1 for none; absent under 64 pixels
    - foreground: share of pixels of what stands before an even ground; absent where the border is not even
    """
    height, width = pixels.shape[:2]
    top, left = max(0, height - CROP) // 2, max(0, width - CROP) // 2
    luma = pixels[top : top + CROP, left : left + CROP].astype(np.float64) @ LUMA
    colour = small.astype(np.float64)
    grey = colour @ LUMA
    high, low = colour.max(axis=2), colour.min(axis=2)
    return {
        "width": width,
        "height": height,
        "aspect": tidy(width / height),
        "brightness": tidy(float(grey.mean())),
        "contrast": tidy(float(grey.std())),
        "sharpness": tidy(sharpness(luma)),
        "colourfulness": tidy(colourfulness(colour)),
        "hue": hue(colour),
        "saturation": tidy(float(((high - low) / np.maximum(high, 1)).mean())),
        "noise": tidy(noise(luma)),
        "blockiness": tidy(blockiness(luma)),
        "foreground": tidy(foreground(colour)),
    }


def tidy(value: float | None) -> float | None:
    """Four digits: more would be noise."""
    return None if value is None else float(f"{value:.4g}")


def sharpness(luma: Array) -> float | None:
    """One less the blur metric (Crete, Dolmiere, Ladret and Nicolas 2007): how much of the variation between neighbours
    a further blur of 9 pixels takes away, along both axes, the blurrier counts. None under 12 pixels or for one colour.
    """
    if min(luma.shape) < 12:
        return None
    sharp = []
    for values in (luma, luma.T):
        sums = np.cumsum(np.pad(values, ((5, 4), (0, 0)), mode="edge"), axis=0)
        blurred = (sums[9:] - sums[:-9]) / 9
        mine = np.abs(np.diff(values[: len(blurred)], axis=0))
        theirs = np.abs(np.diff(blurred, axis=0))
        total = float(mine.sum())
        if total < 1e-9:
            return None
        sharp.append(float(np.maximum(0.0, mine - theirs).sum()) / total)
    return min(sharp)


def colourfulness(colour: Array) -> float:
    """M3 of Hasler and Suesstrunk (2003), from pixels (h, w, 3) of 0 to 255."""
    first = colour[..., 0] - colour[..., 1]
    second = (colour[..., 0] + colour[..., 1]) / 2 - colour[..., 2]
    return float(np.hypot(first.std(), second.std()) + 0.3 * np.hypot(first.mean(), second.mean()))


def hues(colour: Array) -> tuple[Array, Array]:
    """Hue in radians and chroma (0 to 255) of each pixel (h, w); a hexagon's angle as a vector's."""
    red, green, blue = colour[..., 0], colour[..., 1], colour[..., 2]
    angle = np.arctan2(np.sqrt(3) / 2 * (green - blue), red - (green + blue) / 2)
    return angle, colour.max(axis=-1) - colour.min(axis=-1)


def hue(colour: Array) -> str:
    """The name of the mean hue, "grey" or "mixed"."""
    angle, chroma = hues(colour)
    if float(chroma.mean()) < GREY:
        return "grey"
    mean = (chroma * np.exp(1j * angle)).sum() / chroma.sum()
    if abs(mean) < AGREED:
        return "mixed"
    degrees = float(np.degrees(np.angle(mean)))
    return min(HUES, key=lambda one: abs((degrees - one[1] + 180) % 360 - 180))[0]


def noise(luma: Array) -> float | None:
    """Standard deviation of the noise in grey levels: Immerkaer's mask (1996), which lines and gradients leave at 0.

    The median over 16 tiles, so that texture in one part does not count for all. None under 12 pixels.
    """
    if min(luma.shape) < 12:
        return None
    line = luma[:, :-2] - 2 * luma[:, 1:-1] + luma[:, 2:]
    mask = np.abs(line[:-2] - 2 * line[1:-1] + line[2:])
    tiles = [float(tile.mean()) for band in np.array_split(mask, 4) for tile in np.array_split(band, 4, axis=1)]
    return float(np.sqrt(np.pi / 2) / 6 * np.median(tiles))


def blockiness(luma: Array) -> float | None:
    """Mean step across every eighth line over that across the others, where it is greatest of the eight places."""
    if min(luma.shape) < BLOCKS:
        return None
    ratios = []
    for values in (luma, luma.T):
        step = np.abs(np.diff(values, axis=0)).mean(axis=1)
        mean = np.array([step[at::8].mean() for at in range(8)])
        place = int(np.argmax(mean))
        ratios.append((mean[place] + 0.1) / (np.delete(mean, place).mean() + 0.1))
    return float(np.mean(ratios))


def foreground(colour: Array) -> float | None:
    """Share of the pixels whose colour differs from that of an even border by more than Otsu's threshold (1979)."""
    edge = max(1, len(colour) // 16)
    inner = np.zeros(colour.shape[:2], bool)
    inner[edge:-edge, edge:-edge] = True
    border = colour[~inner]
    if float(border.std(axis=0).max()) > BORDER:
        return None
    apart = np.sqrt(((colour - np.median(border, axis=0)) ** 2).sum(axis=2))
    cut = otsu(apart)
    return None if cut < 2 * BORDER / 3 else float((apart > cut).mean())


def otsu(values: Array) -> float:
    """The threshold that parts values into the two groups of greatest variance between them (Otsu 1979)."""
    counts, edges = np.histogram(values, bins=64)
    middle = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    mass = np.cumsum(counts * middle)
    first, second = mass[:-1] / np.maximum(below, 1), (mass[-1] - mass[:-1]) / np.maximum(above, 1)
    return float(edges[1 + int(np.argmax(below * above * (first - second) ** 2))])
