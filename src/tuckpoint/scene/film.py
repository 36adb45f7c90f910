"""From linear light to a picture: weather, lens, sensor and tone. Labels are taken before, so none of it moves them."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import MissingExtra
from tuckpoint.scene.colour import encoded
from tuckpoint.scene.scene import Camera, Lens
from tuckpoint.seed import Seed

Floats = NDArray[np.float32]
GREY = 0.18  # where automatic exposure puts the mean of the logarithm


def develop(radiance: Floats, depth: Floats, camera: Camera) -> NDArray[np.uint8]:
    """The picture (h, w, 3) uint8 sRGB of light (h, w, 3) and depth (h, w); the same input gives the same bytes.

    Order: fog, rain, depth of field, blur, vignette, dirt, exposure, white balance, noise, tone curve, JPEG.
    """
    lens = camera.lens
    random = Seed(lens.noise_key % 2**63).child("film").numpy()
    light = _weather(radiance.astype(np.float32), depth, lens, random)
    light = _blurred(light, depth, lens)
    light = _glass(light, lens, random)
    light = light * np.float32(_gain(light) * 2.0**lens.exposure_ev) * np.asarray(lens.white_balance, np.float32)
    light = _noisy(light, lens, random)
    return _packed(encoded(_toned(np.maximum(light, 0))), lens)


def _weather(light: Floats, depth: Floats, lens: Lens, random: np.random.Generator) -> Floats:
    level = np.float32(light.mean())
    if lens.fog_per_m > 0:
        clear = np.exp(-lens.fog_per_m * np.minimum(depth, 1e4))[..., None].astype(np.float32)
        light = light * clear + np.asarray(lens.fog_colour, np.float32) * level * (1 - clear)
    if lens.rain > 0:
        light = light + _streaks(depth.shape, lens.rain, random)[..., None] * level
    return light


def _streaks(shape: tuple[int, ...], share: float, random: np.random.Generator) -> Floats:
    """Falling drops, drawn out by the exposure: short slanted lines (h, w)."""
    from scipy.ndimage import gaussian_filter1d

    h, w = shape
    drops = np.zeros((2 * h, w), np.float32)
    count = int(share * h * w / 60)
    drops[random.integers(0, 2 * h, count), random.integers(0, w, count)] = random.uniform(3, 9, count)
    fallen = gaussian_filter1d(drops, max(h / 40, 1.0), axis=0, mode="wrap")
    slant = (np.arange(2 * h) * 0.15).astype(int)
    slanted = np.stack([np.roll(row, by) for row, by in zip(fallen, slant, strict=True)])
    return np.asarray(slanted[:h], np.float32)


def _blurred(light: Floats, depth: Floats, lens: Lens) -> Floats:
    from scipy.ndimage import gaussian_filter

    if lens.focus_m is not None and lens.aperture_px > 0:
        # The blur of a point grows with |1/z - 1/focus|; a few fixed blurs stand for all of them.
        spread = np.minimum(lens.aperture_px * np.abs(lens.focus_m / np.maximum(depth, 1e-3) - 1), lens.aperture_px)
        steps = np.linspace(0, lens.aperture_px, 5)
        stack = [light if step == 0 else gaussian_filter(light, (step / 2, step / 2, 0)) for step in steps]
        place = spread / steps[1]
        low = np.minimum(place.astype(int), len(steps) - 2)
        part = (place - low)[..., None].astype(np.float32)
        every = np.stack(stack)  # (5, h, w, 3)
        rows, columns = np.indices(depth.shape)
        light = every[low, rows, columns] * (1 - part) + every[low + 1, rows, columns] * part
    return gaussian_filter(light, (lens.blur_px, lens.blur_px, 0)) if lens.blur_px > 0 else light


def _glass(light: Floats, lens: Lens, random: np.random.Generator) -> Floats:
    h, w = light.shape[:2]
    if lens.vignette > 0:
        y, x = np.ogrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
        light = light * (1 - lens.vignette * (x**2 + y**2) / 2)[..., None].astype(np.float32)
    if lens.dirt > 0:
        from scipy.ndimage import gaussian_filter

        spots = np.zeros((h, w), np.float32)
        count = max(int(20 * lens.dirt), 1)
        spots[random.integers(0, h, count), random.integers(0, w, count)] = 1
        spots = gaussian_filter(spots, max(h, w) / 24)
        veil = (lens.dirt * spots / max(float(spots.max()), 1e-9))[..., None]
        light = light * (1 - 0.7 * veil) + light.mean() * 0.35 * veil
    return light


def _gain(light: Floats) -> float:
    """Automatic exposure: the mean logarithm of luminance, without the darkest and brightest tenth, becomes grey."""
    luminance = light @ np.asarray([0.2126, 0.7152, 0.0722], np.float32)
    low, high = np.quantile(luminance, [0.1, 0.9])
    kept = luminance[(luminance >= low) & (luminance <= high)]
    return float(GREY / np.exp(np.log(np.maximum(kept, 1e-6)).mean()))


def _noisy(light: Floats, lens: Lens, random: np.random.Generator) -> Floats:
    if lens.read_noise > 0 or lens.shot_noise > 0:
        spread = np.sqrt(lens.read_noise**2 + lens.shot_noise**2 * np.maximum(light, 0))
        light = light + (spread * random.standard_normal(light.shape)).astype(np.float32)
    return light


def _toned(light: Floats) -> Floats:
    """A filmic curve (Narkowicz's fit of ACES, 2015)."""
    light = light * np.float32(0.8)
    return np.clip(light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14), 0, 1)


def _packed(image: NDArray[np.uint8], lens: Lens) -> NDArray[np.uint8]:
    if lens.jpeg is None:
        return image
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtra("JPEG", extra="scenes") from None
    room = io.BytesIO()
    Image.fromarray(image).save(room, "JPEG", quality=lens.jpeg)
    with Image.open(room) as again:
        return np.asarray(again.convert("RGB"))
