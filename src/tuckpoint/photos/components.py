"""Principal components of descriptors: few numbers in which near is alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuckpoint.errors import InputError, count
from tuckpoint.photos.picture import Array
from tuckpoint.seed import Seed

SPARE = 16  # axes more than asked, which make the last of those asked exact enough
TURNS = 3
ROWS = 4000  # the axes are found on so many rows at most


@dataclass(frozen=True)
class Components:
    """Principal components: `mean` (d,), `axes` (d, k), the clearest first."""

    mean: Array
    axes: Array

    def place(self, rows: Array) -> Array:
        """Rows (n, d) along the axes (n, k) float64."""
        return np.asarray((rows - self.mean) @ self.axes, np.float64)


def components(rows: Array, most: int, seed: Seed) -> Components:
    """The first components of rows (n, d), at most n - 1, by subspace iteration (Halko, Martinsson and Tropp 2011).

    Of more than 4,000 rows a sample stands for all. Raises InputError for fewer than 2 rows.
    """
    if len(rows) < 2:
        raise InputError(f"{count(len(rows), 'picture has', 'pictures have')} no principal components; give 2 or more")
    random = seed.numpy()
    sample = rows if len(rows) <= ROWS else rows[np.sort(random.permutation(len(rows))[:ROWS])]
    mean = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = (sample - mean).astype(np.float32)
    wide = min(most + SPARE, *centred.shape)
    span = centred @ random.standard_normal((centred.shape[1], wide)).astype(np.float32)
    for _ in range(TURNS):
        span = centred @ (centred.T @ np.linalg.qr(span)[0])
    within = np.linalg.qr(span)[0].T @ centred
    _, strength, axes = np.linalg.svd(within.astype(np.float64), full_matrices=False)
    kept = min(most, len(sample) - 1, int((strength > 1e-5 * max(float(strength[0]), 1e-12)).sum()))
    chosen = axes[: max(kept, 1)]
    signs = np.sign(chosen[np.arange(len(chosen)), np.abs(chosen).argmax(axis=1)])
    return Components(mean, (chosen * np.where(signs == 0, 1, signs)[:, None]).T)
