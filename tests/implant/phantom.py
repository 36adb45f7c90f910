"""A chest of known lung, point spread and noise: what every test of implants stands on."""

from dataclasses import replace
from functools import cache

import numpy as np
from scipy import ndimage

from tuckpoint.implant.ct import ct_host
from tuckpoint.seed import Seed

NOISE_HU, PSF_MM = 30.0, 0.9
CUBE = (1.0, 1.0, 1.0)


@cache
def patch(seed=0, *, shape=(44, 44, 44), spacing=CUBE, noise=NOISE_HU, psf_mm=PSF_MM, vessels=3):
    """Lung of -850 HU inside a body of 40 HU, with vessels; blurred by `psf_mm`, then noise (int16)."""
    cut = [max(1, round(s / 0.6)) for s in spacing]
    grid = np.meshgrid(
        *[((np.arange(n * c) + 0.5) / c - n / 2) * s for n, c, s in zip(shape, cut, spacing, strict=True)],
        indexing="ij",
    )
    extent = min(n * s for n, s in zip(shape, spacing, strict=True))
    image = np.where(np.sqrt(sum(g * g for g in grid)) > 0.46 * extent, 40.0, -850.0).astype(np.float32)
    rng = Seed(seed, ("phantom",)).numpy()
    for _ in range(vessels):
        a, b = rng.uniform(-0.25 * extent, 0.25 * extent, 2)
        image[np.hypot(grid[1] - a, grid[2] - b) < rng.uniform(1, 1.8)] = 40.0
    fine = [s / c for s, c in zip(spacing, cut, strict=True)]
    image = ndimage.gaussian_filter(image, [psf_mm / f for f in fine])
    z, y, x = shape
    image = image.reshape(z, cut[0], y, cut[1], x, cut[2]).mean(axis=(1, 3, 5))
    white = ndimage.gaussian_filter(rng.standard_normal(shape), 0.5)
    return np.round(image + noise * white / white.std()).astype(np.int16)


@cache
def host(seed=0, **settings):
    """The patch as host of a patient of its own."""
    spacing = settings.get("spacing", CUBE)
    return ct_host(f"patient {seed}", patch(seed, **settings), spacing, group=f"patient {seed}")


@cache
def calm(seed=0):
    """A host without vessels, with findings in its middle alone: windows around them show nothing else."""
    one = host(seed, vessels=0)
    middle = np.zeros(one.shape, bool)
    middle[17:27, 17:27, 17:27] = True
    return replace(one, centres=middle)


def chest(spacing=(4.0, 3.0, 3.0)):
    """A whole chest: a body in a room of air, two lungs in it, no noise."""
    shape = tuple(round(n / s) for n, s in zip((240, 300, 360), spacing, strict=True))
    z, y, x = np.meshgrid(*[(np.arange(n) - n / 2) * s for n, s in zip(shape, spacing, strict=True)], indexing="ij")
    image = np.full(shape, -1000, np.int16)
    image[(y / 120) ** 2 + (x / 160) ** 2 < 1] = 40
    for side in (-1, 1):
        image[(z / 100) ** 2 + (y / 80) ** 2 + ((x - side * 75) / 55) ** 2 < 1] = -850
    return image
