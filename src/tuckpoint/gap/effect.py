"""What can be proved at all: the smallest change of the loss that the test rows at hand would show."""

from __future__ import annotations

import numpy as np

from tuckpoint.gap.finding import Provable
from tuckpoint.table.engine import Array

POWER = 2.8016  # 1.960 + 0.8416: standard errors that are seen in 80 % of trials at 5 % two-sided
FEWEST = 10  # test rows


def detectable(differences: Array, clusters: Array) -> Provable:
    """From paired differences (n,) of the losses of two models, on test rows of these clusters (people).

    2.8 standard deviations over the root of the effective number of rows, n / (1 + (m - 1) rho) with m the mean size of
    the cluster of a row and rho the correlation within clusters (Kish 1965). The differences are those of two models
    that learnt from different resamples of the same rows; models that differ more vary more, so this is a lower bound.
    """
    n = len(differences)
    if n < FEWEST:
        return Provable(n, float(n), None, f"{n} test rows there; nothing can be proved with fewer than {FEWEST}")
    effective = independent(differences, clusters)
    spread = float(np.std(differences, ddof=1))
    return Provable(n, effective, POWER * spread / effective**0.5)


def independent(values: Array, clusters: Array) -> float:
    """How many independent rows these (n,) are worth, given the clusters they come in; at most n."""
    sizes = np.bincount(np.unique(clusters, return_inverse=True)[1])
    n, g = len(values), len(sizes)
    if g == n or g < 2:
        return float(n) if g == n else 1.0
    place = np.unique(clusters, return_inverse=True)[1]
    means = np.bincount(place, weights=values) / sizes
    within = float(((values - means[place]) ** 2).sum()) / (n - g)
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (g - 1)
    typical = (n - float((sizes**2).sum()) / n) / (g - 1)
    rho = max(0.0, (between - within) / max(between + (typical - 1) * within, 1e-300))
    return n / (1 + (float((sizes**2).sum()) / n - 1) * rho)
