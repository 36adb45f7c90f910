"""A chest film of known gain, blur and noise, projected from ellipsoids: what tests of radiograph implants stand on."""

from functools import cache

import numpy as np
from scipy import ndimage

from tuckpoint.implant.radiograph_host import radiograph_host
from tuckpoint.seed import Seed

GAIN, NOISE, PSF_MM, MM = 12.0, 9.0, 0.9, 1.0
SHAPE = (200, 240)
GROUND = 300.0  # grey of no tissue


def chord(y, x, middle, half, *, turn=0.0):
    """mm along the beam through an ellipsoid: `middle` (y, x), `half` axes (y, x, depth), turned in the plane."""
    c, s = np.cos(turn), np.sin(turn)
    dy, dx = y - middle[0], x - middle[1]
    inner = 1 - ((c * dy + s * dx) / half[0]) ** 2 - ((c * dx - s * dy) / half[1]) ** 2
    return 2 * half[2] * np.sqrt(np.maximum(inner, 0))


@cache
def tissue(seed=0, *, shape=SHAPE, spacing=(MM, MM)):
    """(mm of tissue along the beam, lung mask) of a chest: body, lungs of .2, heart, spine, ribs, vessels."""
    y, x = np.meshgrid(*[(np.arange(n) - n / 2) * s for n, s in zip(shape, spacing, strict=True)], indexing="ij")
    tall, wide = (n * s for n, s in zip(shape, spacing, strict=True))
    rng = Seed(seed, ("chest",)).numpy()
    body = chord(y, x, (0.1 * tall, 0), (0.75 * tall, 0.41 * wide, 100))
    lungs = [((-2.0, side * 0.21 * wide), (0.36 * tall, 0.145 * wide, 75.0)) for side in (-1, 1)]
    air = sum(chord(y, x, middle, half) for middle, half in lungs)
    lung = air > 0
    told = body - 0.8 * air
    told += chord(y, x, (0.18 * tall, 0.03 * wide), (0.14 * tall, 0.11 * wide, 40)) * 0.5  # heart, in place of lung
    told += chord(y, x, (0, 0), (tall, 11, 14)) * 0.6
    for rib in range(7):
        for side in (-1, 1):
            for slope in (-0.35, 0.5):
                middle = ((-0.36 + 0.11 * rib) * tall + rng.uniform(-2, 2), side * 0.21 * wide)
                told += chord(y, x, middle, (4.5, 0.2 * wide, 4.0), turn=-side * slope) * 0.8
    for _ in range(30):
        side = rng.choice([-1, 1])
        along = rng.uniform(6, 25)
        middle = (rng.uniform(-0.25, 0.25) * tall, side * (0.08 * wide + rng.uniform(0, 0.2) * wide))
        told += chord(y, x, middle, (rng.uniform(0.7, 1.8), along, 1.5), turn=rng.uniform(-1, 1)) * lung
    return told, lung


@cache
def film(seed=0, *, shape=SHAPE, spacing=(MM, MM), dtype=np.uint16, gain=GAIN, noise=NOISE, psf_mm=PSF_MM, marker=True):
    """(grey levels, lung mask): `gain` times tissue, lead, blurred by `psf_mm`, with noise, whole numbers."""
    told, lung = tissue(seed, shape=shape, spacing=spacing)
    grey = GROUND + gain * told
    if marker:
        grey[2:44, 2:15] = GROUND + gain * 240
    grey = ndimage.gaussian_filter(grey, [psf_mm / s for s in spacing], mode="nearest")
    white = ndimage.gaussian_filter(Seed(seed, ("noise",)).numpy().standard_normal(shape), 0.5)
    grey = grey + noise * white / white.std()
    return np.clip(np.round(grey), 0, np.iinfo(dtype).max).astype(dtype), lung


@cache
def host(seed=0, *, bits=12, spacing=(MM, MM), **more):
    """The film as host of a patient of its own."""
    image, lung = film(seed, spacing=spacing, **more)
    return radiograph_host(f"film {seed}", image, spacing, lung=lung, bits=bits)
