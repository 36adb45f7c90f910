"""What implanted nodules teach about real ones: `python -m bench.implant.nodules --data FOLDER --work FOLDER`.

Training positives differ by arm, all else is the same: real nodule-free windows of the training series as negatives, a
small network that sees nine slices, and a test on real nodules against real nodule-free windows of series that nothing
was trained, implanted or calibrated on. Seven of ten nodule-free windows lie on bright local maxima, as a detector of
candidates would offer them. Series are halved by chance, each half is tested once with the other half in
training, and the whole is repeated for each seed. Windows are of 16 mm, so that a nodule-free one lies wholly inside
its patch of 50 mm, which has its nodule in the middle. Needs torch and SimpleITK.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from bench.implant.network import scored, trained, trees
from tuckpoint.errors import InputError
from tuckpoint.files import write_text
from tuckpoint.implant.bank import NoduleBank, carve
from tuckpoint.implant.calibrate import calibrate, real_medians
from tuckpoint.implant.ct import LungNodule, ct_host
from tuckpoint.implant.describe import window_at
from tuckpoint.implant.telling import area
from tuckpoint.implant.values import Array, Host
from tuckpoint.seed import Seed

HALF = 8  # voxels of 1 mm
POSITIVES, NEGATIVES_PER_POSITIVE = 600, 3
HARD, BRIGHT_HU = 0.7, -300.0  # share of negatives that look like candidates, and how bright these are
BANK = 20
SPACING = (1.0, 1.0, 1.0)
ARMS = ("sphere", "parametric", "calibrated", "real 20", "bank 20", "real all")
REAL_FEW = ("real 20", "bank 20")  # the same twenty
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, eq=False)
class Patch:
    """One series: its patch as host, and the mask and middle of its real nodule."""

    host: Host
    mask: Array
    middle: tuple[float, ...]
    bright: Array  # flat indices of allowed centres that look like candidates: bright local maxima
    allowed: Array  # flat indices of allowed centres


def patches(folder: Path) -> list[Patch]:
    """All patches of the folder, by series; those without room for a nodule-free window are left out by `room`."""
    import SimpleITK

    found = []
    for file in sorted(folder.glob("*_dcm_*.mha")):
        image = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file)))
        other = file.with_name(file.name.replace("_dcm_", "_seg_"))
        mask = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(other))) > 0
        found.append(patch(file.name.split("_dcm_")[0], image, mask))
    return found


def patch(series: str, image: Array, mask: Array) -> Patch:
    """The patch with the places where a window holds nothing of its nodule (mask dilated by 2 voxels)."""
    host = ct_host(series, image, SPACING, avoid=mask, group=series)
    near = ndimage.binary_dilation(mask, iterations=2)
    touched = ndimage.maximum_filter(near, size=2 * HALF + 1)
    allowed = host.region & ~touched
    for axis, n in enumerate(image.shape):
        allowed &= _range(n, axis)
    smooth = ndimage.gaussian_filter(image.astype(np.float32), 0.8)
    peaks = (smooth == ndimage.maximum_filter(smooth, 3)) & (smooth > BRIGHT_HU) & allowed
    middle = tuple(float(v) for v in np.argwhere(mask).mean(axis=0))
    return Patch(replace(host, centres=allowed), mask, middle, np.flatnonzero(peaks), np.flatnonzero(allowed))


def _range(n: int, axis: int) -> Array:
    inside = np.arange(n)
    shape = [1, 1, 1]
    shape[axis] = n
    return np.asarray(((inside >= HALF) & (inside <= n - HALF)).reshape(shape))


def slices(image: Array, position: tuple[float, ...], jitter: Array | None = None) -> Array:
    """(9, 16, 16) float32: three slices along each axis, two voxels apart, of the window around a position."""
    at = np.asarray(position) + (0 if jitter is None else jitter)
    at = np.clip(at, HALF, np.asarray(image.shape) - HALF)
    window = window_at(image, tuple(at), (HALF,) * 3)
    picked = (HALF - 2, HALF, HALF + 2)
    cut = [window[k] for k in picked] + [window[:, k] for k in picked] + [window[:, :, k] for k in picked]
    return np.asarray((np.clip(np.stack(cut), -1000, 400) + 300) / 700, np.float32)


def negatives(side: list[Patch], count: int | None, seed: Seed) -> tuple[Array, Array]:
    """Nodule-free windows and the series they are of: HARD of them on bright local maxima (vessels), the rest anywhere.

    Without `count` each maximum is taken once; with it they are drawn, and shifted like positives.
    """
    rng = seed.numpy()
    room = [one for one in side if len(one.allowed)]
    hard = [(one, int(at)) for one in room for at in one.bright]
    if count is None:
        picked = hard
        count = round(len(hard) / HARD)
    else:
        picked = [hard[k] for k in rng.integers(len(hard), size=round(HARD * count))]
    rest = [room[k] for k in rng.integers(len(room), size=count - len(picked))]
    drawn = picked + [(one, int(one.allowed[rng.integers(len(one.allowed))])) for one in rest]
    shift = 0.0 if picked is hard else 1.0
    windows = [
        slices(
            one.host.image, tuple(float(v) for v in np.unravel_index(at, one.host.shape)), rng.uniform(-1, 1, 3) * shift
        )
        for one, at in drawn
    ]
    return np.stack(windows), np.array([one.host.name for one, _ in drawn])


def real(side: list[Patch], count: int, seed: Seed) -> tuple[Array, Array]:
    """Windows of real nodules, each shifted by up to a voxel; `count` in all."""
    rng = seed.numpy()
    picked = [side[k % len(side)] for k in range(count)]
    windows = [slices(one.host.image, one.middle, rng.uniform(-1, 1, 3)) for one in picked]
    return np.stack(windows), np.array([one.host.name for one in picked])


def implants(adapter: Any, hosts: list[Patch], count: int, seed: Seed) -> tuple[Array, Array]:
    """Windows of implanted nodules in nodule-free places, shifted like real ones; hosts are taken in turn."""
    windows: list[Array] = []
    series: list[str] = []
    tried = 0
    rng = seed.child("shift").numpy()
    while len(windows) < count and tried < 4 * count:
        one = hosts[tried % len(hosts)]
        tried += 1
        try:
            drawn = adapter.plan(one.host, seed.child("implant", tried))
        except InputError:  # no room for a nodule of this size in this patch
            continue
        image = adapter.implant(one.host, drawn).image
        windows.append(slices(image, drawn[0].position, rng.uniform(-1, 1, 3)))
        series.append(one.host.name)
    return np.stack(windows), np.array(series)


@dataclass(frozen=True)
class Sphere:
    """The control that must fail: a ball of one value with a hard edge, at the places of the parametric arm."""

    placer: LungNodule
    value_hu: float = 40.0

    def plan(self, host: Host, seed: Seed) -> Any:
        return self.placer.plan(host, seed)

    def implant(self, host: Host, drawn: Any) -> Any:
        image = host.image.copy()
        grid = np.indices(host.shape)
        for one in drawn:
            apart = sum((g - p) ** 2 for g, p in zip(grid, one.position, strict=True))
            image[apart <= (one.values["diameter_mm"] / 2) ** 2] = self.value_hu
        return replace_image(image)


def replace_image(image: Array) -> Any:
    """Something with an image, as adapters give it."""
    from types import SimpleNamespace

    return SimpleNamespace(image=image)


def positives(arm: str, side: list[Patch], seed: Seed, told: dict[str, Any]) -> tuple[Array, Array]:
    """The training positives of an arm, made from the training side alone."""
    room = [one for one in side if len(one.allowed)]
    few = [side[k] for k in seed.child("few").numpy().permutation(len(side))[:BANK]]
    if arm == "sphere":
        return implants(Sphere(LungNodule()), room, POSITIVES, seed.child("implants"))
    if arm == "parametric":
        return implants(LungNodule(), room, POSITIVES, seed.child("implants"))
    if arm == "calibrated":
        wanted = real_medians([p.host.image for p in side], [p.mask for p in side], SPACING)
        found = calibrate(LungNodule(), [p.host for p in room], wanted, seed.child("calibrate"))
        told["calibrated"] = {"wanted": vars(wanted), "before": vars(found.before), "after": vars(found.after)}
        return implants(found.adapter, room, POSITIVES, seed.child("implants"))
    if arm == "bank 20":
        bank = NoduleBank([carve(p.host.name, p.host.image, p.mask, SPACING, group=p.host.group) for p in few])
        others = [one for one in room if one.host.name not in {p.host.name for p in few}]
        return implants(bank, others, POSITIVES, seed.child("implants"))
    return real(few if arm == "real 20" else side, POSITIVES, seed.child("real"))


def half(train: list[Patch], test: list[Patch], seed: Seed, arms: tuple[str, ...], place: Path) -> None:
    """Train every arm on one half, score the other half's real windows, and keep the scores after each arm."""
    without, _ = negatives(train, POSITIVES * NEGATIVES_PER_POSITIVE, seed.child("negatives"))
    free, free_series = negatives(test, None, seed.child("test"))
    held = np.stack([slices(one.host.image, one.middle) for one in test])
    truth = np.r_[np.ones(len(held)), np.zeros(len(free))]
    told: dict[str, Any] = {
        "series": [one.host.name for one in test] + free_series.tolist(), "truth": truth.tolist(), "scores": {},
        "trees": {}, "windows": {},
    }  # fmt: skip
    if place.exists():
        told |= json.loads(place.read_text())
    for arm in arms:
        if arm in told["scores"]:
            continue
        windows, series = positives(arm, train, seed.child(arm if arm not in REAL_FEW else "few"), told)
        assert not set(series) & {one.host.name for one in test}
        both = np.concatenate([held, free])
        model = trained(windows, without, seed.child("network").integer() % 2**31)
        told["scores"][arm] = scored(model, both).round(4).tolist()
        told["trees"][arm] = trees(windows, without, both, seed.child("trees").integer() % 2**31).round(4).tolist()
        told["windows"][arm] = len(windows)
        write_text(place, json.dumps(told), overwrite=True)
        areas = [round(area(np.array(told[kind][arm]), truth), 4) for kind in ("scores", "trees")]
        print(place.name, arm, len(windows), *areas, flush=True)


def halves(all_patches: list[Patch], seed: int) -> tuple[list[Patch], list[Patch]]:
    """The two halves of the series for one seed."""
    order = Seed(seed, ("halves",)).numpy().permutation(len(all_patches))
    first = set(order[: len(order) // 2].tolist())
    return [p for k, p in enumerate(all_patches) if k in first], [
        p for k, p in enumerate(all_patches) if k not in first
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder volumes/ of the nodule patches")
    parser.add_argument("--work", type=Path, required=True, help="where scores of each half are kept")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tested", type=int, nargs="+", default=(0, 1), help="halves to test")
    parser.add_argument("--arms", nargs="+", default=ARMS)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    found = patches(options.data)
    for seed in range(options.seeds):
        sides = halves(found, seed)
        for tested in options.tested:
            place = options.work / f"seed{seed}_half{tested}.json"
            half(sides[1 - tested], sides[tested], Seed(seed, ("nodules", tested)), tuple(options.arms), place)


if __name__ == "__main__":
    main()
