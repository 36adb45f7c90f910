"""What can be measured again on projected nodules: volume of a thickness map, grey that was added, its blur."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from tuckpoint.implant import blend
from tuckpoint.implant.values import Array, Finding, Implanted

FACTORS = np.geomspace(0.35, 2.8, 25)  # of the host's blur that are tried
LEAST_PX = 0.3  # a narrower blur hides within the pixel
LEAST_GREY = 5.0  # a fainter nodule is lost in rounding
ROUNDING = 0.3  # spread of what rounding adds to a pixel, in grey levels


def volume_off(pair: Implanted, finding: Finding) -> float:
    """How far the thickness map is from the volume of a ball of the size that was asked for, as a share of it."""
    held = float(_thickness(pair, finding).sum(dtype=float) * np.prod(pair.host.spacing))
    return abs(held / (np.pi / 6 * finding.size.requested**3) - 1)


def grey_off(pair: Implanted, finding: Finding) -> tuple[float, float]:
    """How far the sum of added grey is from gain x density x volume, as a share; and what rounding may do to it.

    The core of a part-solid nodule is the whole one made smaller: it holds the third power of its size.
    """
    values, spacing = finding.drawn.values, pair.host.spacing
    core = values["core"] ** 3 if "halo_density" in values else 1.0
    density = core * values["density"] + (1 - core) * values.get("halo_density", 0.0)
    wanted = values["gain"] * density * np.pi / 6 * finding.size.requested**3 / float(np.prod(spacing))
    rounding = 4 * ROUNDING * float(np.sqrt((finding.alpha > 0).sum()))
    return abs(float(_added(pair, finding).sum(dtype=float)) / wanted - 1), rounding / abs(wanted)


def blur(pair: Implanted, finding: Finding) -> float | None:
    """The blur of what was added in units of the host's: the one that makes the thickness fit best (least squares).

    None for what is too faint, for part-solid nodules, whose density is not one, and for blur within a pixel.
    """
    model, spacing = finding.host_model, pair.host.spacing
    psf = (model["psf_mm_y"], model["psf_mm_x"])
    faint = abs(finding.contrast) < LEAST_GREY or "halo_density" in finding.drawn.values
    if finding.thickness is None or faint or min(blend.point_spread(psf, spacing, 1.0)) < LEAST_PX:
        return None
    added, thickness = _added(pair, finding), _thickness(pair, finding)
    left = [_misfit(added, thickness, blend.point_spread(psf, spacing, float(f))) for f in FACTORS]
    return float(FACTORS[int(np.argmin(left))])


def _misfit(added: Array, thickness: Array, sigmas: tuple[float, ...]) -> float:
    """The rest of the square that a multiple of the blurred thickness does not explain."""
    model = ndimage.gaussian_filter(thickness, sigmas, mode="constant")
    scale = float((added * model).sum()) / max(float((model * model).sum()), 1e-9)
    return float(np.square(added - scale * model).sum())


def _added(pair: Implanted, finding: Finding) -> Array:
    after, before = (image[finding.window].astype(np.float32) for image in (pair.image, pair.host.image))
    return np.where(_own(pair, finding), after - before, 0)


def _thickness(pair: Implanted, finding: Finding) -> Array:
    assert finding.thickness is not None
    return np.where(_own(pair, finding), finding.thickness, 0)


def _own(pair: Implanted, finding: Finding) -> Array:
    """The pixels of a finding's crop that are nearer to it, in units of its size, than to another one."""
    grid = np.meshgrid(*(np.arange(s.start, s.stop) for s in finding.window), indexing="ij")

    def far(other: Finding) -> Array:
        steps = zip(grid, other.drawn.position, pair.host.spacing, strict=True)
        return np.asarray(sum(((g - p) * s) ** 2 for g, p, s in steps) / other.size.requested**2)

    others = [far(one) for one in pair.findings if one is not finding and not one.null]
    return np.asarray(far(finding) <= np.min(others, axis=0)) if others else np.ones(grid[0].shape, bool)
