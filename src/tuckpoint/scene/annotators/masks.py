"""Masks: which class, thing and part a pixel shows, and each thing as a run-length code, seen and whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.labels import Meaning
from tuckpoint.scene.annotator import Annotator, Label, View

_IDS = "0 where nothing is or what is there has no label"


def class_of(view: View) -> NDArray[np.uint8]:
    """Class ids by instance id (things + 1,), 0 for what has no class."""
    names = (None, *view.scene.classes)
    return np.array([0, *(names.index(thing.class_name) for thing in view.scene.things)], np.uint8)


def labelled(view: View) -> list[int]:
    """The instance ids of the things that have a class."""
    return [number for number, thing in enumerate(view.scene.things, 1) if thing.class_name is not None]


def run_lengths(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """A mask (h, w) in COCO's uncompressed code: column by column, the lengths of runs, the first of zeros."""
    flat = np.concatenate([[False], mask.ravel(order="F"), [False]])
    turns = np.flatnonzero(flat[1:] != flat[:-1])
    ends = [0, *turns.tolist()]
    counts = np.diff(ends).tolist()
    if sum(counts) < mask.size:
        counts.append(mask.size - sum(counts))
    return {"size": list(mask.shape), "counts": counts}


def filled(code: dict[str, Any]) -> NDArray[np.bool_]:
    """The mask (h, w) of a run-length code."""
    values = np.arange(len(code["counts"])) % 2 == 1
    return np.repeat(values, code["counts"]).reshape(code["size"], order="F")


def _class_mask(view: View) -> Label:
    return Label(arrays={"class": class_of(view)[view.buffers.instance]})


def _instance_mask(view: View) -> Label:
    keep = np.zeros(len(view.scene.things) + 1, np.uint16)
    keep[labelled(view)] = labelled(view)
    return Label(arrays={"instance": keep[view.buffers.instance]})


def _part_mask(view: View) -> Label:
    return Label(arrays={"part": view.buffers.part}, facts={"part_names": list(view.stage.part_names)})


def _coded(view: View, masks: Sequence[NDArray[np.bool_]], entry: str) -> Label:
    return Label(
        objects={number: {entry: run_lengths(mask)} for number, mask in zip(labelled(view), masks, strict=True)}
    )


def _modal(view: View) -> Label:
    return _coded(view, [view.buffers.instance == number for number in labelled(view)], "mask")


def _amodal(view: View) -> Label:
    return _coded(view, [view.buffers.silhouettes[number - 1] for number in labelled(view)], "mask_amodal")


_CODE = "COCO's uncompressed run lengths: column by column, first the zeros"
CLASS = Annotator(
    "class", _class_mask, {"class": Meaning("uint8", "h, w", "class id", "image", f"1 is the first class; {_IDS}")}
)
INSTANCE = Annotator(
    "instance",
    _instance_mask,
    {"instance": Meaning("uint16", "h, w", "instance id", "image", f"place in the scene; {_IDS}")},
)
PART = Annotator(
    "part",
    _part_mask,
    {
        "part": Meaning("uint16", "h, w", "part id", "image", "1 is the first of part_names; 0 where nothing is"),
        "part_names": Meaning("text", "parts", "thing/part", "none", "the names of the part ids, from 1"),
    },
)
MASK = Annotator("mask", _modal, {"mask": Meaning("json", "runs", "pixels", "image", f"what is seen; {_CODE}")})
AMODAL = Annotator(
    "mask_amodal",
    _amodal,
    {"mask_amodal": Meaning("json", "runs", "pixels", "image", f"also what is covered; {_CODE}")},
)
