"""Crops of rendered signs: scenes of one sign each before a street's background, cut out by the labelled box."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint import pictures
from tuckpoint.photos.crop import crop
from tuckpoint.photos.descriptor import SIDE
from tuckpoint.seed import Seed
from tuckpoint.write import sets


def _face(draw: list[float]) -> list[dict[str, list[float]]]:
    return [{"uniform": draw}] * 3


def _leaves(low: list[list[float]], high: list[list[float]]) -> dict[str, Any]:
    """Clouds of leaves: colours between two ranges, rough and of any contrast."""
    return {
        "kind": "noise",
        "settings": {
            "low": [{"uniform": pair} for pair in low],
            "high": [{"uniform": pair} for pair in high],
            "scale": {"integers": [3, 12]},
            "octaves": 6,
            "contrast": {"uniform": [1.5, 6.0]},
            "key": {"integers": [0, 60]},
        },
    }


def told(classes: tuple[str, ...]) -> dict[str, Any]:
    """The specification: one sign of any class in the middle of each picture."""
    wall = {"family": "box", "labelled": False, "shape": {"width_m": 14.0, "depth_m": 0.2, "height_m": 9.0}}
    white = [1.0, 1.0, 1.0]
    return {
        "name": "signs",
        "image": {"width": 96, "height": 96},
        "things": {
            "front": {
                **wall,
                "present": {"chance": 0.3},
                "place": {"at": [{"uniform": [-7, 7]}, 9.0, -2.0], "yaw_deg": {"uniform": [-25, 25]}},
                "material": {"colour": _face([0.02, 0.7])},
            },
            "bricks": {
                **wall,
                "present": {"chance": 0.2},
                "place": {"at": [{"uniform": [-8, 8]}, 7.0, -2.0], "yaw_deg": {"uniform": [-25, 25]}},
                "material": {
                    "colour": white,
                    "texture": {"kind": "bricks", "settings": {"rows": 60, "columns": 40, "key": {"integers": [0, 9]}}},
                },
            },
            "foliage": {
                **wall,
                "present": {"chance": 0.75},
                "shape": {"width_m": {"uniform": [3.0, 14.0]}, "depth_m": 0.2, "height_m": {"uniform": [3.5, 9.0]}},
                "place": {"at": [{"uniform": [-4, 4]}, 5.0, -1.0], "yaw_deg": {"uniform": [-30, 30]}},
                "material": {
                    "colour": white,
                    "roughness": 1.0,
                    "texture": _leaves(
                        [[0.0, 0.06], [0.0, 0.06], [0.0, 0.04]], [[0.02, 0.6], [0.03, 0.5], [0.01, 0.4]]
                    ),
                },
            },
            "post": {
                "family": "cylinder",
                "labelled": False,
                "shape": {"radius_m": {"uniform": [0.02, 0.05]}, "height_m": {"uniform": [2.3, 3.4]}, "segments": 12},
                "place": {"at": [{"uniform": [-0.08, 0.08]}, 0.3, 0.0], "tilt_deg": {"normal": [0, 1, -2, 2]}},
                "material": {"colour": _face([0.1, 0.5]), "metallic": 0.3},
            },
            "other": {
                "family": "sign",
                "labelled": False,
                "present": {"chance": 0.35},
                "shape": {
                    "sign": {"choice": [*classes, "yield", "no_entry", "keep_left"]},
                    "post_m": 0.0,
                    "size_m": {"uniform": [0.5, 0.75]},
                    "height_m": {"choice": [1.62, 1.66, 1.7, 2.92, 2.97, 3.02]},
                },
                "place": {"at": [{"uniform": [-0.1, 0.1]}, 0.0, 0.0]},
            },
            "below": {
                "family": "box",
                "labelled": False,
                "present": {"chance": 0.2},
                "shape": {"width_m": 0.6, "depth_m": 0.01, "height_m": {"uniform": [0.2, 0.4]}},
                "place": {"at": [0.0, -0.005, {"uniform": [1.5, 1.58]}]},
                "material": {"colour": _face([0.5, 0.8])},
            },
            "board": {
                "family": "box",
                "labelled": False,
                "present": {"chance": 0.08},
                "shape": {"width_m": 0.9, "depth_m": 0.01, "height_m": {"uniform": [0.9, 1.5]}},
                "place": {"at": [0.0, 0.02, {"uniform": [1.4, 1.8]}]},
                "material": {"colour": _face([0.6, 0.8])},
            },
            "sign": {
                "family": "sign",
                "class": {"of": "shape.sign"},
                "shape": {
                    "sign": {"choice": list(classes)},
                    "post_m": 0.0,
                    "size_m": 0.6,
                    "fading": {"choice": [0.0, 0.0, 0.1, 0.2, 0.35, 0.55]},
                    "dirt": {"choice": [0.0, 0.15, 0.3, 0.5]},
                    "scratches": {"choice": [0.0, 0.0, 0.1, 0.3]},
                    "key": {"integers": [0, 9]},
                },
                "place": {
                    "at": [0.0, 0.0, 0.0],
                    "yaw_deg": {"normal": [0, 5, -15, 15]},
                    "tilt_deg": {"normal": [0, 1.5, -4, 4]},
                },
                "materials": {"face": {"colour": _face([0.8, 1.0]), "roughness": {"uniform": [0.3, 0.9]}}},
            },
            "branch": {
                "family": "box",
                "labelled": False,
                "present": {"chance": 0.3},
                "shape": {"width_m": {"uniform": [0.02, 0.6]}, "depth_m": 0.05, "height_m": {"uniform": [0.05, 0.5]}},
                "place": {
                    "at": [{"uniform": [-1.6, 1.6]}, {"uniform": [-2.5, -0.8]}, {"uniform": [3.0, 4.2]}],
                    "yaw_deg": {"uniform": [0, 180]},
                    "tilt_deg": {"uniform": [0, 60]},
                },
                "material": {"colour": [0.05, 0.06, 0.03]},
            },
        },
        "sun": {
            "elevation_deg": {"uniform": [8, 60]},
            "azimuth_deg": {"uniform": [-200, 20]},
            "irradiance": {"choice": [0.0, 0.3, 1.5, 3.0, 5.0]},
        },
        "sky": {"strength": {"log_uniform": [0.5, 2.5]}, "zenith": [{"uniform": [0.2, 0.6]}, 0.5, 0.75]},
        "camera": {
            "target_m": [{"normal": [0, 0.03]}, 0.0, {"normal": [2.3, 0.03]}],
            "distance_m": {"uniform": [7.5, 12.5]},
            "azimuth_deg": {"normal": [-90, 14, -135, -45]},
            "elevation_deg": {"normal": [-6, 5, -18, 8]},
            "roll_deg": {"normal": [0, 4.5]},
            "fov_deg": 7.4,
            "lens": {
                "exposure_ev": {"normal": [0.0, 1.2, -2.5, 2.5]},
                "blur_px": {"uniform": [0.0, 1.6]},
                "read_noise": {"uniform": [0.0, 0.015]},
                "shot_noise": {"uniform": [0.0, 0.04]},
                "white_balance": [{"uniform": [0.85, 1.15]}, {"uniform": [0.92, 1.08]}, {"uniform": [0.85, 1.3]}],
                "fog_per_m": {"choice": [0.0, 0.0, 0.0, 0.02]},
                "jpeg": {"choice": [None, 40, 70, 90]},
            },
        },
        "require": {"things": 1, "pixels": 400},
    }


def crops(
    classes: tuple[str, ...],
    each: int,
    cache: Path,
    *,
    seed: int = 0,
    views: int = 2,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Crops (n, 48, 48, 3) and their classes (n,): `each` scenes a class, every one cut `views` times.

    The sets of pictures, one a class, stay in the folder `cache`, and are read from there if they are there.
    """
    images, labels = [], []
    for label, name in enumerate(classes):
        for number, item in enumerate(_set(classes, name, each, cache, seed).items()):
            assert item.image is not None
            for view in range(views):
                random = Seed(seed).child("cut", name, number, view).numpy()
                images.append(crop(item.image, item.objects[0]["box"], SIDE, random))
                labels.append(label)
    return np.stack(images), np.array(labels)


def _set(classes: tuple[str, ...], name: str, each: int, cache: Path, seed: int) -> sets.ImageSet:
    folder = cache / f"{name}-{each}-{seed}"
    if (folder / "set.json").exists():
        return sets.open_set(folder)
    cache.mkdir(parents=True, exist_ok=True)
    return pictures.render(
        told(classes), folder, each, seed=seed, pins={"sign.shape.sign": name}, settings={"antialias": 2},
        labels=("box",), workers=1,
    )  # fmt: skip


def moved(images: NDArray[np.uint8], seed: Seed) -> NDArray[np.uint8]:
    """Photographs (n, 48, 48, 3) cut anew, each edge up to a twentieth of the side further in or out."""
    from PIL import Image

    found, room = [], SIDE // 6
    for number, image in enumerate(images):
        padded = Image.fromarray(np.pad(image, ((room, room), (room, room), (0, 0)), mode="edge"))
        edges = np.array([room, room, room + SIDE, room + SIDE], float)
        edges += SIDE * seed.child(number).numpy().uniform(-0.05, 0.05, 4)
        found.append(
            np.asarray(padded.transform((SIDE, SIDE), Image.Transform.EXTENT, tuple(edges), Image.Resampling.BILINEAR))
        )
    return np.stack(found)
