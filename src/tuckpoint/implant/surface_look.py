"""How a surface defect looks: darker, brighter, or cloned in, relative to the brightness and noise around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tuckpoint.implant.defects import field
from tuckpoint.implant.poisson import clone
from tuckpoint.implant.surface_host import Ground
from tuckpoint.implant.values import Drawn
from tuckpoint.seed import Seed

Array = NDArray[np.float64]
Window = tuple[slice, slice]
FAINTEST = 1 / 256  # alpha below it is none


class Ways(Protocol):
    """What of the settings decides the look."""

    @property
    def dark(self) -> float: ...  # noqa: D102
    @property
    def bright(self) -> float: ...  # noqa: D102
    @property
    def clone(self) -> float: ...  # noqa: D102
    @property
    def hard(self) -> float: ...  # noqa: D102
    @property
    def contrast(self) -> tuple[float, ...]: ...  # noqa: D102
    @property
    def noises(self) -> tuple[float, ...]: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Here:
    """The host's model in one window: shading (h, w, channels), direction of light, blur, and `texture` (h, w): what is
    left of the brightness beside its shading at another place, as strong as here."""

    level: Array
    texture: Array
    light_rad: float
    blur_px: float


def draw(ways: Ways, seed: Seed) -> dict[str, Any]:
    """The choices of a look that do not hang on the place."""
    weights = np.array([ways.dark, ways.bright, ways.clone])
    random = seed.child("more").numpy()
    return {
        "look": str(seed.child("way").numpy().choice(["dark", "bright", "clone"], p=weights / weights.sum())),
        "hard": bool(seed.child("hard").numpy().random() < ways.hard),
        "keep": float(random.choice([1.0, random.uniform(0.3, 1.0)])),
        "relief": float(random.choice([0.0, random.uniform(0.1, 0.6)])),
        "tint": [float(t) for t in np.exp(random.normal(0, 0.08, 3))],
        "uneven": float(random.choice([0.0, random.uniform(0.05, 0.3)])),
        "uneven_px": float(np.exp(random.uniform(np.log(1.5), np.log(12.0)))),
        "gradients": str(random.choice(["mixed", "source"])),
        "donor": [int(d) for d in random.integers(8, 64, 2) * random.choice([-1, 1], 2)],
        "flip": bool(random.random() < 0.5),
    }


def settle(
    ways: Ways, known: Ground, values: Mapping[str, Any], own: Window, on: NDArray[np.bool_], seed: Seed, *,
    pins: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """The change that a defect makes here, in units of the image: a share of the brightness, or of the noise."""
    from scipy.special import erf

    random = seed.numpy()
    share = float(np.exp(random.uniform(*np.log(ways.contrast))))
    noises = float(np.exp(random.uniform(*np.log(ways.noises))))
    brightness = float(known.level[own].mean(-1)[on].mean())
    strength = max(share * brightness, noises * float(known.noise[own][on].mean()))
    if "width_px" in values:  # a narrow line loses depth in the blur, so that it must be deeper to be seen as drawn
        peak = erf(values["width_px"] / (2 * np.sqrt(2) * known.blur_px))
        strength = min(strength / max(float(peak), 0.2), max(0.9 * brightness, strength))
    sign = 1.0 if values["look"] == "bright" else -1.0
    if values["look"] == "clone" and random.random() < 0.3:
        sign = 1.0
    return {"share": share, "noises": noises, "contrast": float(pins.get("contrast", sign * strength))}


def here(known: Ground, own: Window, told: Mapping[str, Any]) -> Here:
    """The model of the host in a window; light comes from where the shading is brighter."""
    level = known.level[own]
    there, noise = (_donor(part, own, told) for part in (known.light - known.level.mean(-1), known.noise))
    y, x = _slopes(level.mean(-1))
    return Here(
        level,
        texture=there * float(known.noise[own].mean()) / max(float(noise.mean()), 1e-9),
        light_rad=float(np.arctan2(y.mean(), x.mean())),
        blur_px=known.blur_px,
    )


def blend(
    image: NDArray[Any], here: Here, own: Window, cover: Array, drawn: Drawn, seed: Seed, *,
    limits: tuple[float, float], region: NDArray[np.bool_],
) -> tuple[Array, Array]:  # fmt: skip
    """Alpha (h, w) and the changed window (h, w, channels), not yet rounded.

    out = shading + texture + alpha change: of its texture the host keeps the share `keep` where alpha is 1;
    that of another place of the host makes up for the rest, so that a patch is as rough as its rim, and has its grain.
    """
    from scipy.ndimage import gaussian_filter

    told = drawn.values
    before = image[own].reshape(*cover.shape, -1).astype(float)
    alpha = (cover >= 0.5).astype(float) if told["hard"] else np.asarray(gaussian_filter(cover, here.blur_px))
    alpha[(alpha < FAINTEST) | ~region] = 0.0
    change = _change(cover, here, drawn, seed)[..., None] * _tint(told, before.shape[2])
    if told["look"] == "clone":
        return _cloned(image, own, before, alpha, change, drawn, limits)
    kept = 1 - alpha[..., None] * (1 - told["keep"])
    # The squares of both weights add up to 1, or the rim, where textures mix, would be smoother than either.
    texture = kept * (before - here.level) + np.sqrt(1 - kept**2) * here.texture[..., None]
    return alpha, here.level + texture + alpha[..., None] * change


def _change(cover: Array, here: Here, drawn: Drawn, seed: Seed) -> Array:
    """What is added to the shading, (h, w): even or patchy, and lit from one side: a pit's near wall is in shade."""
    from scipy.ndimage import gaussian_filter

    told = drawn.values
    contrast = 0.0 if drawn.null else float(told["contrast"])
    rough = field(cover.shape, float(told["uneven_px"]), seed.child("uneven").numpy())
    change: Array = contrast * np.exp(told["uneven"] * rough - told["uneven"] ** 2 / 2)
    y, x = _slopes(np.asarray(gaussian_filter(cover, max(here.blur_px, 1.0))))
    facing = x * np.cos(here.light_rad) + y * np.sin(here.light_rad)
    most = float(np.abs(facing).max())
    shade = facing / most if most > 0 else facing
    # Cover rises inwards: in a pit (contrast below 0) the wall near the light falls away from it; a rise faces it.
    return np.asarray(change + np.sign(-contrast) * told["relief"] * abs(contrast) * shade)


def _slopes(values: Array) -> tuple[Array, Array]:
    """The gradient along rows and columns (h, w each); windows may be one pixel wide."""
    wide = np.pad(values, 1, mode="edge")
    return (wide[2:, 1:-1] - wide[:-2, 1:-1]) / 2, (wide[1:-1, 2:] - wide[1:-1, :-2]) / 2


def _tint(told: Mapping[str, Any], channels: int) -> Array:
    """A factor for each channel: 1 for grey, else the drawn ones, repeated as needed."""
    return np.ones(1) if channels == 1 else np.resize(np.array(told["tint"], float), channels)


def _cloned(
    image: NDArray[Any], own: Window, before: Array, alpha: Array, change: Array, drawn: Drawn,
    limits: tuple[float, float],
) -> tuple[Array, Array]:  # fmt: skip
    """The gradients of the defect on the texture of a place nearby, with the rim of the host."""
    from scipy.ndimage import binary_dilation

    inside = np.asarray(binary_dilation(alpha > 0, iterations=1), bool)
    told = drawn.values
    texture = before if drawn.null else _donor(image, own, told).reshape(before.shape)
    source = texture + alpha[..., None] * change
    if inside.all():
        return alpha, before + alpha[..., None] * change
    made = clone(before, source, inside, gradients=told["gradients"])
    touched = np.where(inside, np.maximum(alpha, FAINTEST), 0.0)
    return touched, np.clip(made, *limits)


def _donor(image: NDArray[Any], own: Window, told: Mapping[str, Any]) -> Array:
    """A window of the same size elsewhere in the picture, mirrored at its border."""
    rows, columns = (
        _mirrored(np.arange(part.start, part.stop) + shift, size)
        for part, shift, size in zip(own, told["donor"], image.shape, strict=False)
    )
    taken = image[np.ix_(rows, columns)].astype(float)
    return taken[:, ::-1] if told["flip"] else taken


def _mirrored(places: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    folded = np.mod(places, 2 * size)
    return np.where(folded < size, folded, 2 * size - 1 - folded)
