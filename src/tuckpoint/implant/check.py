"""The checks of implanted images: each can fail, a failed one blocks, and what could not be checked says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy import ndimage

from tuckpoint.errors import InputError, count
from tuckpoint.implant import radiograph_check as projected
from tuckpoint.implant.calibrate import WITHIN
from tuckpoint.implant.describe import LEAST_NODULES, WINDOW_MM, compared, measured, window_at
from tuckpoint.implant.telling import LEAST, Told, told_apart
from tuckpoint.implant.values import UNVALIDATED, Array, Finding, Implanted
from tuckpoint.seed import Seed

State = Literal["holds", "fails", "open", "shown"]
VOLUME, THIN, EDGE, NOISE, NULL = 0.05, 0.5, 0.25, 0.25, 0.05
INSIDE = 1 / 3  # share of a mask that must lie in the region: what hangs on a wall reaches into it
WINDOW, FILM_MM = {"mm": WINDOW_MM, "px": 48.0}, 40.0  # edge of windows; nodules on films are larger
CORE_VOXELS = 27
FROM_DICOM = "series-"  # how hosts from DICOM series are named


@dataclass(frozen=True)
class Check:
    """One check: whether it holds, fails (and blocks), is open (could not be done) or only shown; and in what words."""

    name: str
    state: State
    found: str
    wanted: str
    advice: str = ""
    value: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Reals:
    """Windows around real findings or healthy places, whose they are, and their spacing."""

    windows: Sequence[Array]
    groups: Sequence[str]
    spacings: Sequence[tuple[float, ...]]


def blocked(checks: Sequence[Check]) -> bool:
    """Whether any check failed."""
    return any(check.state == "fails" for check in checks)


def check(
    pairs: Sequence[Implanted], seed: Seed, *, positives: Reals | None = None, negatives: Reals | None = None
) -> tuple[Check, ...]:
    """All checks of these pairs; `positives` are real findings, `negatives` healthy windows, of other patients.

    Raises InputError if there is nothing to check.
    """
    if not any(pair.findings for pair in pairs):
        raise InputError("nothing was implanted; give pairs with one finding or more")
    found = (
        outside_alpha(pairs), volumes(pairs), limits(pairs), organ(pairs), edges(pairs), noise(pairs),
        apart_from_patients(pairs, positives, negatives), null_control(pairs, seed.child("null")),
        descriptors(pairs, positives, seed.child("medians")), real_or_implanted(pairs, positives, seed.child("c2st")),
    )  # fmt: skip
    return (*found, grey(pairs), validated()) if any(pair.projected for pair in pairs) else found


def outside_alpha(pairs: Sequence[Implanted]) -> Check:
    """Where alpha is 0 the image is the host, bit for bit."""
    wrong = 0
    for pair in pairs:
        changed = pair.image != pair.host.image
        changed = changed.any(axis=-1) if changed.ndim > len(pair.host.spacing) else changed
        wrong += int((changed & (pair.alpha() == 0)).sum())
    found = f"{wrong:,} voxels changed where alpha is 0" if wrong else f"no voxel changed in {len(pairs)} images"
    return _check(
        "untouched outside alpha", not wrong, found, "bit-equal", "report it: this is a fault of the implanter"
    )


def volumes(pairs: Sequence[Implanted]) -> Check:
    """The pre-blur mask holds what was asked to VOLUME, or to one voxel where voxels are coarse.

    What has no inside, as a scratch one pixel wide, is held to half: its width is rounded to whole pixels. Of
    projections the thickness along the beam holds the volume.
    """
    worst, where, least = 0.0, "", 0
    for pair, finding in _made(pairs):
        if finding.thickness is not None:
            off = projected.volume_off(pair, finding)
            least += off > VOLUME
            worst, where = max((worst, where), (off, pair.host.name))
            continue
        axes = len(pair.host.spacing)
        asked = np.pi / (4 if axes == 2 else 6) * finding.size.requested**axes
        voxel = float(np.prod(pair.host.spacing)) / asked if asked else 0.0
        off = abs(float(finding.mask.sum()) * voxel - 1) if asked else np.inf
        inner = int(ndimage.binary_erosion(finding.mask).sum())
        # Where branches of a crack meet there is an inside; a few pixels of it make no area of a line.
        thin = 0.0 if inner > (0.1 * finding.mask.sum() if axes == 2 else 0) else THIN
        if off > max(VOLUME, voxel, thin):
            least += 1
        if off > worst:
            worst, where = float(off), pair.host.name
    found = f"largest difference {worst:.1%} ({where}), {least} beyond the bound"
    return _check(
        "volume as asked",
        not least,
        found,
        f"within {VOLUME:.0%} or one voxel; lines {THIN:.0%}",
        "ask for larger sizes",
        worst,
    )


def limits(pairs: Sequence[Implanted]) -> Check:
    """Changed values stay within the limits of the modality."""
    bad = 0
    for pair in pairs:
        for finding in pair.findings:
            new, old = pair.image[finding.window], pair.host.image[finding.window]
            values = new[new != old]
            bad += int(((values < pair.host.limits[0]) | (values > pair.host.limits[1]) | ~np.isfinite(values)).sum())
    low, high = pairs[0].host.limits
    return _check("values within limits", not bad, f"{bad:,} changed values outside", f"{low:g}..{high:g}", "clip them")


def organ(pairs: Sequence[Implanted]) -> Check:
    """The middle of each finding, and at least INSIDE of its mask, lies in the region."""
    shares = []
    for pair, finding in _made(pairs, nulls=True):
        region = pair.host.region[finding.window]
        middle = tuple(int(np.floor(p + 0.5)) for p in finding.drawn.position)
        within = all(0 <= m < n for m, n in zip(middle, pair.host.shape, strict=True)) and pair.host.region[middle]
        share = float(region[finding.mask].mean()) if finding.mask.any() else float(finding.null)  # nulls keep no mask
        shares.append(share if within else 0.0)
    out = sum(share < INSIDE for share in shares)
    found = f"{out} of {len(shares)} lie outside; least share inside {min(shares):.0%}"
    return _check("inside the organ", not out, found, f"at least {INSIDE:.0%} of each", "give the right region mask")


def edges(pairs: Sequence[Implanted]) -> Check:
    """The edge of what was added is as wide as the host's point spread, to EDGE: the median of free findings.

    Slopes on the rim are compared with those of the mask blurred with the host's point spread; of projections the
    thickness is blurred until it fits what was added.
    """
    ratios = []
    for pair, finding in _made(pairs):
        if finding.thickness is not None:
            found_blur = projected.blur(pair, finding)
            ratios += [] if found_blur is None else [found_blur]
            continue
        psf = _psf(finding, pair.host.spacing)
        change = _grey(pair.image[finding.window]) - _grey(pair.host.image[finding.window])
        plateau = np.quantile(np.abs(change[finding.mask]), 0.9) if finding.mask.sum() >= CORE_VOXELS else 0.0
        near = finding.distances.get("vessel", np.inf) < finding.size.requested / 2 + 1
        if (
            psf is None
            or plateau < 2 * finding.host_model.get("noise_hu", finding.host_model.get("noise", 0.0))
            or near
        ):
            continue
        wanted = ndimage.gaussian_filter(finding.mask.astype(np.float32), psf)
        rim = finding.mask & ~ndimage.binary_erosion(finding.mask)
        ratios.append(
            _steep(wanted / max(np.quantile(wanted[finding.mask], 0.9), 1e-6), rim) / _steep(change / plateau, rim)
        )
    if len(ratios) < 3:
        return Check(
            "edge as wide as the host's",
            "open",
            f"{count(len(ratios), 'finding')} with a free edge",
            "3",
            "implant more",
        )
    value = float(np.median(ratios))
    found = f"{value:.2f} of the point spread (median of {len(ratios)})"
    return _check(
        "edge as wide as the host's", abs(value - 1) <= EDGE, found, f"within {EDGE:.0%}", "set sharpness", value
    )


def noise(pairs: Sequence[Implanted]) -> Check:
    """Noise in the finding is the host's at the same place, to NOISE: second differences, which slopes do not move.

    Films with less noise than one grey level are left out: what is laid in is rounded, and that is louder.
    """
    made, host = [], []
    for pair, finding in _made(pairs):
        core = finding.alpha > 0.05
        near = finding.distances.get("vessel", np.inf) < finding.size.requested / 2 + 1
        still = finding.thickness is not None and finding.host_model["noise"] < 1
        if core.sum() < CORE_VOXELS or near or still:
            continue
        before, after = _grey(pair.host.image[finding.window]), _grey(pair.image[finding.window])
        made.append(_rough(after - _smooth_part(after - before, finding), core))
        host.append(_rough(before, core))
    if len(made) < 3:
        return Check(
            "noise as the host's", "open", f"{count(len(made), 'finding')} to measure in", "3", "implant more or larger"
        )
    value = float(np.median(np.array(made) / np.maximum(host, 1e-6)))
    found = f"{value:.2f} of the host's (median of {len(made)})"
    return _check("noise as the host's", abs(value - 1) <= NOISE, found, f"within {NOISE:.0%}", "lower texture", value)


def apart_from_patients(pairs: Sequence[Implanted], positives: Reals | None, negatives: Reals | None) -> Check:
    """No patient is host and judge, in the bank and judge, or in the bank and host of the same nodule."""
    hosts = {pair.host.group for pair in pairs}
    judges = set(positives.groups if positives else ()) | set(negatives.groups if negatives else ())
    carved = {pair.host.group for pair, one in _made(pairs) if one.drawn.values.get("source_group") == pair.host.group}
    sources = {str(one.drawn.values["source_group"]) for _, one in _made(pairs) if "source_group" in one.drawn.values}
    both = sorted(((hosts | sources) & judges) | carved)
    found = f"{len(both)} on both sides" + (f": {', '.join(both[:3])}" if both else "")
    if (judges or sources) and not both and any(pair.host.name.startswith(FROM_DICOM) for pair in pairs):
        found = "hosts are known by what DICOM says of the patient, real ones by their file names"
        return Check("no patient on both sides", "open", found, "none", "see to it that they are of other patients")
    return _check("no patient on both sides", not both, found, "none", "take other hosts, or other real findings")


def null_control(pairs: Sequence[Implanted], seed: Seed) -> Check:
    """Nulls beside the untouched host at the same place: a learner that tells them apart has found a fingerprint."""
    made, host, groups = [], [], []
    for pair in pairs:
        for finding in pair.findings:
            if finding.null:
                made.append(cut(pair, pair.image, finding))
                host.append(cut(pair, pair.host.image, finding))
                groups.append(pair.host.group)
    wanted = f"{0.5 + NULL:g} at most"
    if len(made) < LEAST or len(set(groups)) < 2:
        found = f"{count(len(made), 'null')} in {count(len(set(groups)), 'patient')}"
        return Check("null implants not told apart", "open", found, wanted, f"make {LEAST} or more nulls: --null 0.1")
    told = told_apart(made, host, (groups, groups), seed)
    # Below a half nothing was learnt: each null has its host as twin, and unlearnt twins are told apart the wrong way.
    fine = told.auc <= 0.5 + NULL or told.low <= 0.5
    found = f"AUC {told.auc:.3f} [{told.low:.3f}, {told.high:.3f}], {count(len(made), 'null')}"
    return _check("null implants not told apart", fine, found, wanted, "the implanter leaves a fingerprint", told.auc)


def descriptors(pairs: Sequence[Implanted], positives: Reals | None, seed: Seed) -> Check:
    """Medians of width, edge slope and contrast lie within WITHIN of those of real findings; volumes only.

    Few real findings leave their own medians uncertain: what lies farther off fails if it does so beyond chance (95 %,
    patients drawn anew), else it is left open.
    """
    name, wanted = "looks like the real ones in three medians", f"each within {WITHIN:.0%}"
    if positives is None:
        return Check(name, "open", "no real findings were given", wanted, f"give {LEAST_NODULES} (--real-positives)")
    if len(pairs[0].host.spacing) != 3:
        return Check(name, "open", "these medians are of volumes", wanted)
    try:
        real = measured(zip(positives.windows, positives.spacings, strict=True), positives.groups)
        made = measured(
            ((cut(pair, pair.image, finding), pair.host.spacing) for pair, finding in _made(pairs)),
            [pair.host.group for pair, _ in _made(pairs)],
        )
    except InputError as error:
        return Check(name, "open", str(error), wanted, f"give {LEAST_NODULES} or more of each")
    held = compared(made, real, seed)
    told = "; ".join(
        f"{one.name} {one.made:.3g} for {one.real:.3g} ({one.off:+.0%}, 95 % interval {one.low:+.0%}..{one.high:+.0%})"
        for one in held
    )
    beyond = [one for one in held if abs(one.off) > WITHIN]
    worst = max(abs(one.off) for one in held)
    if beyond and all(one.low <= 0 <= one.high for one in beyond):
        return Check(name, "open", told, wanted, f"{len(real[0])} real ones cannot decide: give more", worst)
    return _check(name, not beyond, told, wanted, "calibrate to the real ones (--calibrate)", worst)


def real_or_implanted(pairs: Sequence[Implanted], positives: Reals | None, seed: Seed) -> Check:
    """How well a learner tells implanted from real findings, on patients it never saw; shown, never a gate."""
    name, wanted = "real or implanted", "0.5 cannot be told apart, 1 always"
    windows = [cut(pair, pair.image, finding) for pair, finding in _made(pairs)]
    groups = [pair.host.group for pair, _ in _made(pairs)]
    if positives is None or min(len(positives.windows), len(windows)) < LEAST:
        count = 0 if positives is None else len(positives.windows)
        found = f"not measured: {len(windows)} implanted, {count} real findings"
        return Check(name, "shown", found, wanted, f"give {LEAST} real findings (--real-positives)")
    told: Told = told_apart(windows, positives.windows, (groups, positives.groups), seed)
    found = f"AUC {told.auc:.3f} [{told.low:.3f}, {told.high:.3f}], {told.n[0]} implanted, {told.n[1]} real"
    return Check(name, "shown", found, wanted, value=told.auc)


def grey(pairs: Sequence[Implanted]) -> Check:
    """All grey that was added to a film is gain times density times volume, to VOLUME or what rounding leaves open."""
    offs = [projected.grey_off(pair, finding) for pair, finding in _made(pairs) if finding.thickness is not None]
    bad = sum(off > max(VOLUME, rounding) for off, rounding in offs)
    worst = max((off for off, _ in offs), default=0.0)
    found = f"largest difference {worst:.1%}, {bad} of {len(offs)} beyond the bound"
    wanted = f"within {VOLUME:.0%}, or rounding"
    return _check("grey as gain times thickness", not bad, found, wanted, "give films that are not cut off", worst)


def validated() -> Check:
    """What no check can say of projections."""
    wanted = "a trial on real nodules"
    return Check(
        "validated on real radiographs", "open", UNVALIDATED, wanted, "do not rely on them without one of yours"
    )


def cut(pair: Implanted, image: Array, finding: Finding, *, wide: bool = False) -> Array:
    """The grey window around a finding, of `half_window`; `wide` for eyes: twice as wide, and inside the image."""
    half = tuple(h * (2 if wide else 1) for h in half_window(pair.host.spacing, pair.host.unit))
    window = window_at(image, finding.drawn.position, half, inward=wide).astype(np.float32)
    return window.mean(axis=-1) if window.ndim > len(pair.host.spacing) else window


def half_window(spacing: tuple[float, ...], unit: str) -> tuple[int, ...]:
    """Half the edge of the windows that are compared, in voxels or pixels."""
    edge = FILM_MM if unit == "mm" and len(spacing) == 2 else WINDOW[unit]
    return tuple(max(2, round(edge / 2 / s)) for s in spacing)


def _made(pairs: Sequence[Implanted], *, nulls: bool = False) -> list[tuple[Implanted, Finding]]:
    return [(pair, finding) for pair in pairs for finding in pair.findings if nulls or not finding.null]


def _check(name: str, holds: bool, found: str, wanted: str, advice: str = "", value: float | None = None) -> Check:
    return Check(name, "holds" if holds else "fails", found, wanted, "" if holds else advice, value)


def _grey(image: Array) -> Array:
    """float32 without channels (their mean); channels are the last axis of three or four values."""
    values = image.astype(np.float32)
    return values.mean(axis=-1) if values.ndim == 3 and values.shape[-1] in (3, 4) else values


def _psf(finding: Finding, spacing: tuple[float, ...]) -> list[float] | None:
    """Sigma in voxels along each axis, as the host's model tells it."""
    model = finding.host_model
    names = [f"psf_mm_{axis}" for axis in "zyx"] if len(spacing) == 3 else ["blur_px", "blur_px"]
    if any(name not in model for name in names):
        return None
    return [model[name] / step for name, step in zip(names, spacing, strict=True)]


def _steep(values: Array, where: Array) -> float:
    slopes: Callable[..., Any] = np.gradient
    return float(np.sqrt(sum(np.square(s) for s in slopes(values)))[where].mean())


def _smooth_part(change: Array, finding: Finding) -> Array:
    """What was added without what is as fine as noise: alpha times the smoothed rest, so that edges stay.

    Carved findings have their edges inside alpha: there only what is finer than any point spread is taken off.
    """
    if "source" in finding.drawn.values:
        return np.asarray(ndimage.gaussian_filter(change, 0.5))
    known = (finding.alpha > 0.02).astype(np.float32)
    rest = np.divide(change, finding.alpha, out=np.zeros_like(change), where=known > 0)
    weight = ndimage.gaussian_filter(known, 1.0)
    return np.asarray(finding.alpha * ndimage.gaussian_filter(rest * known, 1.0) / np.maximum(weight, 1e-3))


def _rough(values: Array, where: Array) -> float:
    """Spread of second differences along all axes, robust: edges are few."""
    found = []
    for axis in range(values.ndim):
        second = ndimage.correlate1d(values, [1, -2, 1], axis, mode="nearest")[where]
        found.append(1.4826 * np.median(np.abs(second - np.median(second))))
    return float(np.mean(found))
