"""All labels of one frame: the annotators by name, put together into one item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint import parts
from tuckpoint.errors import InputError
from tuckpoint.labels import Item, Meaning
from tuckpoint.scene.annotator import Annotator, View
from tuckpoint.scene.annotators.masks import class_of, labelled

DEFAULT = (
    "class", "instance", "part", "mask", "mask_amodal", "box", "box_amodal", "box_3d", "visibility", "keypoints",
    "pose", "depth", "normal", "flow", "camera", "lights", "relations", "caption",
)  # fmt: skip


def annotate(names: Sequence[str], view: View, *, key: str, image: NDArray[np.uint8] | None = None) -> Item:
    """One frame with the labels of these annotators; every thing with a class has an entry, also one that is not seen.

    Raises UnknownPart for an unknown annotator, InputError if two of them give the same name.
    """
    arrays: dict[str, NDArray[Any]] = {}
    facts: dict[str, Any] = {}
    classes = class_of(view)
    objects: dict[int, dict[str, Any]] = {
        number: {
            "instance": number,
            "name": view.scene.things[number - 1].name,
            "class": view.scene.things[number - 1].class_name,
            "class_id": int(classes[number]),
        }
        for number in labelled(view)
    }
    for name in names:
        label = _found(name).annotate(view)
        _put(arrays, label.arrays, name)
        _put(facts, label.facts, name)
        for number, entries in label.objects.items():
            _put(objects[number], entries, name)
    camera = view.scene.camera
    return Item(key, camera.width, camera.height, image, arrays, facts, tuple(objects.values()))


def meanings(names: Sequence[str]) -> dict[str, Meaning]:
    """What every number means that these annotators give."""
    found: dict[str, Meaning] = {}
    for name in names:
        found |= _found(name).meanings
    return found


@lru_cache(maxsize=256)
def _found(name: str) -> Annotator:
    annotator: Annotator = parts.find("annotator", name)  # it looks through what is installed: not for every frame
    return annotator


def _put(into: dict[str, Any], more: Mapping[str, Any], name: str) -> None:
    double = sorted(set(into) & set(more))
    if double:
        raise InputError(f'the annotator "{name}" gives "{double[0]}", which another one gave; leave one of them out')
    into.update(more)
