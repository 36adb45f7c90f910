"""Makes scenes.png: a scene of four examples, each beside its things (the last: its parts), depth and normals."""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from tuckpoint import pictures

HERE = Path(__file__).resolve().parent
SHOWN = {"street": 4, "field": 1, "table": 1, "part": 3}  # the example and the seed of its picture
WIDTH, HEIGHT = 320, 240


def colours(ids: np.ndarray) -> np.ndarray:
    """A colour for every id, black for 0."""
    table = np.random.default_rng(3).integers(60, 255, (256, 3), dtype=np.uint8)
    table[0] = 0
    return table[ids % 256]


def cropped(picture: np.ndarray) -> np.ndarray:
    """The middle of a picture."""
    top, left = (picture.shape[0] - HEIGHT) // 2, (picture.shape[1] - WIDTH) // 2
    return picture[top : top + HEIGHT, left : left + WIDTH]


def main() -> None:
    """Render, lay out and save."""
    rows = []
    with tempfile.TemporaryDirectory() as room:
        for name, seed in SHOWN.items():
            spec = HERE.parent / "examples" / f"{name}.yaml"
            made = pictures.render(spec, Path(room) / name, 2, seed=seed, settings={"antialias": 3}, workers=1)
            *_, item = made.items()
            depth = item.arrays["depth"]
            near, far = depth[np.isfinite(depth)].min(), np.quantile(depth[np.isfinite(depth)], 0.95)
            grey = (255 * np.clip((far - depth) / (far - near), 0, 1)).astype(np.uint8)
            normal = (127.5 + 127.5 * item.arrays["normal"]).astype(np.uint8)
            ids = item.arrays["part" if name == "part" else "instance"]
            parts = [item.image, colours(ids), np.repeat(grey[..., None], 3, -1), normal]
            rows.append(np.concatenate([cropped(part) for part in parts], axis=1))
    Image.fromarray(np.concatenate(rows, axis=0)).quantize(256).save(HERE / "scenes.png", optimize=True)


if __name__ == "__main__":
    main()
