"""One file a verb: what it is about, what can be said after it, and what it does.

A verb listed here has a module of its name with ABOUT, MORE (its examples), `arguments(place)`, and
`told(options, progress=...)`, which does what was asked and returns the text to print and the exit status.
"""

from __future__ import annotations

from collections.abc import Mapping

VERBS: Mapping[str, str] = {
    "find": "what does a table lack, what does it cost, can it be mended",
    "plan": "what to do about each gap, and how to prove it",
    "prove": "do made rows help? 0 helps, 3 no evidence, 4 equivalent, 5 hurts",
    "explore": "where does a model fail, over the knobs of a simulator: 0 a weak corner, 3 no evidence",
    "simulate": "rows of your own mechanistic model, calibrated and guarded",
    "rare": "how likely is what a simulator hardly ever shows; rows of it, weighted",
    "suite": "few scenarios that hold every combination of t factors",
    "fair": "rows that keep a fairness target exactly, and what they do to models",
    "render": "scenes in; labelled pictures out",
    "write": "labelled pictures as COCO, YOLO, KITTI, BOP, glTF ...",
    "look": "a page of pictures beside their labels",
    "implant": "findings into healthy images, with the mask; and their checks",
    "blender": "install what the renderer blender needs",
}
