"""Small images of three shapes, a few of each thing, as a folder of classes."""

import numpy as np

SHAPES = ("ball", "box", "ring")


def image(shape, random):
    """One image (48, 48, 3) of a shape, somewhere, in some colour, with noise."""
    y, x = np.mgrid[:48, :48]
    at = random.uniform(20, 28, 2)
    far = np.hypot(x - at[0], y - at[1])
    inside = {
        "ball": far < 14,
        "box": (abs(x - at[0]) < 13) & (abs(y - at[1]) < 13),
        "ring": (far < 15) & (far > 8),
    }[shape]
    ground, paint = random.uniform(40, 110, 3), random.uniform(140, 240, 3)
    picture = np.where(inside[..., None], paint, ground) + random.normal(0, 12, (48, 48, 3))
    return picture.clip(0, 255).astype(np.uint8)


def folder(place, things=6, each=2, key=1):
    """Class folders under `place`, `each` images of every thing, named thing_number.png."""
    from PIL import Image

    random = np.random.default_rng(key)
    for shape in SHAPES:
        (place / shape).mkdir(parents=True)
        for thing in range(things):
            for number in range(each):
                Image.fromarray(image(shape, random)).save(place / shape / f"{thing:03d}_{number}.png")
    return place
