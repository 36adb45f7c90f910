"""What a nodule may look like: the settings, and the draw of kind, size, outline, density and texture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.implant.shape import Outline, directions, rotation
from tuckpoint.seed import Seed

KINDS = ("solid", "lobed", "spiculated", "calcified", "part-solid", "ground-glass")
MERGING = ("solid", "lobed", "spiculated", "calcified")  # never darker than what they touch
SHARES = {
    "solid": 0.52, "lobed": 0.12, "spiculated": 0.08, "calcified": 0.10, "part-solid": 0.12, "ground-glass": 0.06,
}  # fmt: skip
RANGES = ("size_mm", "halo_hu", "glass_hu", "calcified_hu", "texture_hu", "texture_mm", "core", "lobe_height")
Range = tuple[float, ...]


@dataclass(frozen=True)
class Appearance:
    """Ranges of what is drawn; a range is uniform unless said otherwise, HU are Hounsfield units.

    `size_mm` is the diameter of a ball of the same volume, log-uniform: the full width at half maximum of the finished
    nodule, as long as it is wider than the scanner's blur. `kinds` are shares. `axis_sd` is the spread of the logarithm
    of the three half-axes. `lobes` and `lobe_height` are number and spread of lobes, `spicules` is their mean number
    (Poisson) on solid nodules; lobed and spiculated ones have more. Mean and standard deviation: `solid_hu`, `part_hu`
    (the core of part-solid ones). `size_factor`, `sharpness` (of the point spread; below 1 is sharper) and `added_hu`
    are set by calibration to real nodules.
    """

    size_mm: Range = (4.0, 12.0)
    kinds: Mapping[str, float] = field(default_factory=lambda: dict(SHARES))
    axis_sd: float = 0.16
    lobes: tuple[int, ...] = (2, 6)
    lobe_height: Range = (0.05, 0.30)
    spicules: float = 1.0
    solid_hu: Range = (20.0, 50.0)
    part_hu: Range = (-20.0, 60.0)
    halo_hu: Range = (-720.0, -500.0)
    glass_hu: Range = (-720.0, -450.0)
    calcified_hu: Range = (200.0, 700.0)
    texture_hu: Range = (10.0, 45.0)
    texture_mm: Range = (1.0, 3.0)
    core: Range = (0.35, 0.75)
    size_factor: float = 1.0
    sharpness: float = 1.0
    added_hu: float = 0.0

    def __post_init__(self) -> None:
        for name, share in self.kinds.items():
            if name not in KINDS:
                raise InputError(f'no nodule is "{name}"{did_you_mean(name, KINDS)}; there are: {", ".join(KINDS)}')
            if not share >= 0:
                raise InputError(f"the share of {name} is {share}; give 0 or more")
        if not sum(self.kinds.values()) > 0:
            raise InputError("no kind of nodule has a share above 0")
        for name in RANGES:
            found = getattr(self, name)
            if len(found) != 2 or not found[0] <= found[1]:
                raise InputError(f"{name} is {found}; give its lowest and highest value")
        if not 0 < self.size_mm[0] <= self.size_mm[1] <= 60:
            raise InputError(f"size_mm is {self.size_mm}; nodules are above 0 and up to 60 mm")
        for name in ("size_factor", "sharpness"):
            if not 0.1 <= getattr(self, name) <= 5:
                raise InputError(f"{name} is {getattr(self, name)}; give 0.1 to 5")


def draw(look: Appearance, seed: Seed) -> dict[str, Any]:
    """One nodule's choices, each from a stream of its own name, so that a pin shifts no other."""

    def uniform(name: str, between: Range) -> float:
        return float(seed.child(name).numpy().uniform(between[0], between[1]))

    def normal(name: str, of: Range) -> float:
        return float(seed.child(name).numpy().normal(of[0], of[1]))

    names = [kind for kind in KINDS if look.kinds.get(kind, 0) > 0]
    shares = np.array([look.kinds[kind] for kind in names])
    kind = names[int(seed.child("kind").numpy().choice(len(names), p=shares / shares.sum()))]
    low, high = np.log(look.size_mm)
    values = {
        "solid": normal("solid_hu", look.solid_hu) + look.added_hu,
        "part-solid": normal("part_hu", look.part_hu) + look.added_hu,
        "ground-glass": uniform("glass_hu", look.glass_hu),
        "calcified": uniform("calcified_hu", look.calcified_hu),
    }
    texture = uniform("texture_hu", look.texture_hu)
    diameter = float(np.exp(uniform("diameter_mm", (low, high)))) * look.size_factor
    return {
        "kind": kind,
        "diameter_mm": diameter,
        "value_hu": values.get(kind, values["solid"]),
        "halo_hu": uniform("halo_hu", look.halo_hu),
        "core": uniform("core", look.core) if kind == "part-solid" else 0.0,
        "texture_hu": texture * (2 if kind == "calcified" else 1),
        "texture_mm": uniform("texture_mm", look.texture_mm),
        "offset": [float(v) for v in seed.child("offset").numpy().uniform(-0.5, 0.5, 3)],
        "outline": outline(look, kind, 0.5 * diameter, seed.child("outline")).to_dict(),
        "sharpness": look.sharpness,
    }


def outline(look: Appearance, kind: str, radius_mm: float, seed: Seed) -> Outline:
    """The shape of a nodule of this kind; `radius_mm` only tells how thick a spicule is beside it."""
    rng = seed.child("lobes").numpy()
    fewest, most = look.lobes
    low, high = look.lobe_height
    if kind == "lobed":
        fewest, most, low, high = most, most + 4, 0.6 * high, 1.6 * high
    count = int(rng.integers(fewest, most + 1))
    spread = rng.uniform(low, high)
    lobes, heights, spreads = directions(count, rng), rng.normal(0, spread, count), rng.uniform(2, 7, count)
    if kind == "lobed":
        heights = np.abs(heights)
    axes = np.exp(seed.child("axes").numpy().normal(0, look.axis_sd, 3))
    rng = seed.child("spicules").numpy()
    solid = kind in ("solid", "lobed", "part-solid")
    spikes = min(8, int(rng.poisson(look.spicules if solid else 0.2 * look.spicules)))
    if kind == "spiculated":
        spikes = int(rng.integers(4, 9))
    long = 1 + rng.uniform(0.3, 1.1, spikes) * rng.uniform(0.5, 1.2, spikes)
    return Outline(
        axes=axes / np.cbrt(axes.prod()),
        turn=rotation(seed.child("turn").numpy()),
        lobes=lobes,
        heights=heights,
        spreads=spreads,
        spicules=directions(spikes, rng),
        lengths=long,
        widths=rng.uniform(0.35, 0.8, spikes) / radius_mm,
    )
