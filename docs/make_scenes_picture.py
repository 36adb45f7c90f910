"""Makes scenes.png: three scenes of examples/shelf.yaml, each beside its things, depth and normals."""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from tuckpoint import pictures

HERE = Path(__file__).resolve().parent


def colours(ids: np.ndarray) -> np.ndarray:
    """A colour for every id, black for 0."""
    table = np.random.default_rng(3).integers(60, 255, (256, 3), dtype=np.uint8)
    table[0] = 0
    return table[ids % 256]


def main() -> None:
    """Render, lay out and save."""
    with tempfile.TemporaryDirectory() as room:
        made = pictures.render(HERE.parent / "examples" / "shelf.yaml", Path(room) / "set", 3, seed=8, workers=1)
        rows = []
        for item in made.items():
            depth = item.arrays["depth"]
            near, far = depth[np.isfinite(depth)].min(), np.quantile(depth[np.isfinite(depth)], 0.95)
            grey = (255 * np.clip((far - depth) / (far - near), 0, 1)).astype(np.uint8)
            normal = (127.5 + 127.5 * item.arrays["normal"]).astype(np.uint8)
            parts = [item.image, colours(item.arrays["instance"]), np.repeat(grey[..., None], 3, -1), normal]
            rows.append(np.concatenate(parts, axis=1))
    Image.fromarray(np.concatenate(rows, axis=0)).quantize(256).save(HERE / "scenes.png", optimize=True)


if __name__ == "__main__":
    main()
