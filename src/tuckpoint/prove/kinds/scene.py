"""Source `scene`: pictures rendered from a specification, the things in them cut out as images of their class.

It learns nothing from real images, so a proof renders once and shows the same crops to every resample.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tuckpoint import pictures
from tuckpoint.errors import InputError
from tuckpoint.photos.crop import crop
from tuckpoint.photos.descriptor import SIDE, with_descriptors
from tuckpoint.prove.source import Made, Task
from tuckpoint.record import digest_of
from tuckpoint.scene.choices import group
from tuckpoint.scene.spec import Spec, load
from tuckpoint.seed import Seed
from tuckpoint.write import sets
from tuckpoint.write.sets import ImageSet

KNOBS = "_knobs"  # of the scene and the thing, as JSON, with the scene's number


@dataclass(frozen=True)
class SceneSource:
    """Settings: `spec` is the specification: its content, so that the plan's digest fixes it.

    `knob` is the knob that names the class of what is rendered (`sign.shape.sign`): each class is then rendered in
    `scenes` scenes of its own. Without it `scenes` are rendered in all, and each thing is of the class it is labelled
    with. `classes` maps the labels of the real images to those of the scene where they differ. Each thing of `pixels`
    or more is cut out `views` times. `renderer` and `render` are as for `tuckpoint render`; `cache` is a folder that
    keeps the rendered sets.
    """

    name: ClassVar[str] = "scene"
    once: ClassVar[bool] = True
    spec: Mapping[str, Any]
    knob: str | None = None
    scenes: int = 100
    views: int = 2
    pixels: int = 60
    classes: Mapping[str, str] = field(default_factory=dict)
    renderer: str = "raycast"
    render: Mapping[str, Any] = field(default_factory=dict)
    cache: str | None = None

    def __post_init__(self) -> None:
        for name in ("scenes", "views", "pixels"):
            if getattr(self, name) < 1:
                raise InputError(f"scene: {name} is {getattr(self, name)}; give 1 or more")
        Spec.from_dict(dict(self.spec))

    def make(self, task: Task) -> Made:
        """Crops of every class that the scenes hold; `task.rows` is not asked for, as many come as the settings say."""
        labels = [str(label) for label in pc.unique(task.train[task.target]).to_pylist() if label is not None]
        wanted = {self.classes.get(label, label): label for label in sorted(labels)}
        with TemporaryDirectory(prefix="tuckpoint-scenes-") as room:
            cut = list(self._crops(wanted, task.seed, Path(self.cache or room)))
        found, images = [label for label, _, _ in cut], [image for _, image, _ in cut]
        if not images:
            return Made(
                None, f"no rendered thing is of a class of the real images: {', '.join(sorted(labels)[:6])} ..."
            )
        facts = {"rendered images": float(len(images)), "classes not rendered": float(len(set(labels) - set(found)))}
        told = [{"scene": scene, **knobs} for _, _, (scene, knobs) in cut]
        table = pa.table({task.target: found, KNOBS: [json.dumps(one) for one in told]})
        return Made(with_descriptors(table, np.stack(images)), "", facts)

    def _crops(
        self, wanted: Mapping[str, str], seed: Seed, room: Path
    ) -> Iterator[tuple[str, NDArray[np.uint8], tuple[str, dict[str, Any]]]]:
        """Label, image, and the scene with its knobs, of each view of each thing."""
        every: list[dict[str, str]] = [{self.knob: name} for name in wanted] if self.knob else [{}]
        for pins in every:
            for number, item in enumerate(self._set(pins, room).items()):
                if item.image is None:
                    continue
                for place, thing in enumerate(item.objects):
                    label = wanted.get(str(thing["class"]))
                    left, top, right, bottom = thing["box"]
                    if label is None or (right - left) * (bottom - top) < self.pixels:
                        continue
                    scene = "/".join([*pins.values(), str(number)])
                    told = scene, knobs_of(item.facts["knobs"], str(thing["name"]))
                    for view in range(self.views):
                        random = seed.child("cut", *pins.values(), number, place, view).numpy()
                        yield label, crop(item.image, thing["box"], SIDE, random), told

    def _set(self, pins: Mapping[str, str], room: Path) -> ImageSet:
        """The rendered set of these pins: that of the folder if it is there."""
        asked = {"spec": dict(self.spec), "pins": dict(pins), "scenes": self.scenes, "render": dict(self.render)}
        folder = room / digest_of({**asked, "renderer": self.renderer})[:16]
        if (folder / "set.json").is_file():
            return sets.open_set(folder)
        room.mkdir(parents=True, exist_ok=True)
        return pictures.render(
            Spec.from_dict(dict(self.spec)), folder, self.scenes, seed=0, renderer=self.renderer, pins=pins,
            settings=dict(self.render), labels=("box",),
        )  # fmt: skip

    @classmethod
    def planned(cls, file: Path) -> Mapping[str, Any]:
        """A specification in YAML, as `tuckpoint render` takes it."""
        return {"spec": load(file).to_dict()}

    def serves(self, gap: Mapping[str, Any]) -> str:
        """A renderer reaches what it can draw, whether real images hold it or not."""
        return "" if gap else "there is no gap to render for"


def knobs_of(knobs: Mapping[str, Any], thing: str) -> dict[str, Any]:
    """What was drawn or pinned of a scene and of one thing in it: plain values by knob, those of other things left out.

    The knobs of a member of a group lose its number: `goods.3.shape.height_m` is `goods.shape.height_m`.
    """
    kin = thing.split(".")[0]
    found = {}
    for path, value in knobs.items():
        mine = path.startswith(f"{thing}.")
        others = group(path) != path or (path.startswith(f"{kin}.") and not mine)
        if isinstance(value, bool | int | float | str) and (mine or not others):
            found[group(path)] = value
    return found
