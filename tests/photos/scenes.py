"""Small pictures drawn for tests."""

import io

import numpy as np
from PIL import Image

COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (40, 60, 200)}


def scene(colour, number, size=48, light=1.0):
    """A disc of a colour on uneven ground; every number another place and ground."""
    random = np.random.default_rng(number)
    y, x = np.mgrid[:size, :size] / size
    waves = sum(
        np.sin(2 * np.pi * (random.uniform(1, 5) * x + random.uniform(1, 5) * y + random.random())) for _ in range(4)
    )
    ground = 120 + 25 * waves + random.normal(0, 4, (size, size))
    pixels = np.repeat(ground[..., None], 3, axis=2)
    left, top = random.uniform(0.35, 0.65, 2)
    pixels[(x - left) ** 2 + (y - top) ** 2 < 0.09] = COLOURS[colour]
    return np.clip(pixels * light, 0, 255).astype(np.uint8)


def encoded(pixels, kind="PNG", **more):
    held = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(held, kind, **more)
    return held.getvalue()


def folder(root, counts, *, start=0, light=1.0):
    """A folder a class, with so many scenes each."""
    number = start
    for colour, count in counts.items():
        (root / colour).mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            (root / colour / f"{number}.png").write_bytes(encoded(scene(colour, number, light=light)))
            number += 1
    return root
