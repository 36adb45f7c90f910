import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest
from photos.drawn import SHAPES, folder, image
from prove.laws import QUICK, law
from prove.laws import plan as quick

from tuckpoint import parts
from tuckpoint.errors import InputError
from tuckpoint.photos.descriptor import with_descriptors
from tuckpoint.prove.explore import explore
from tuckpoint.prove.images import images_of
from tuckpoint.prove.kinds.engine import Engine
from tuckpoint.prove.kinds.simulator import Simulator
from tuckpoint.prove.plan import Plan, Source
from tuckpoint.prove.ridge import Ridge
from tuckpoint.prove.source import Made, Task
from tuckpoint.prove.study import study
from tuckpoint.table.frame import read

PLANT = """
INPUTS = {"flow": (1, 30, "l/min"), "load": (0, 2, "1")}
OUTPUTS = {"temperature": "degC"}
PARAMETERS = {"heat": (500, 2000, "W")}


def simulate(parameters, inputs, random):
    return {"temperature": parameters["heat"] * inputs["load"] / inputs["flow"]}
"""


@dataclass(frozen=True)
class Foggy:
    """Paints shapes, of which nothing is left in thick fog: a scene with a knob."""

    name: ClassVar[str] = "foggy"
    once: ClassVar[bool] = True

    def make(self, task):
        random = task.seed.numpy()
        labels = [shape for shape in SHAPES for _ in range(90)]
        fogs = random.uniform(0, 1, len(labels)).round(3)
        told = [json.dumps({"scene": str(n), "fog": f, "lens": int(n % 2)}) for n, f in enumerate(fogs.tolist())]
        painted = [
            np.full_like(image(s, random), 200) if f > 0.8 else image(s, random)
            for s, f in zip(labels, fogs, strict=True)
        ]
        return Made(with_descriptors(pa.table({"label": labels, "_knobs": told}), np.stack(painted)))


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    file = tmp_path_factory.mktemp("plant") / "plant.py"
    file.write_text(PLANT)
    random = np.random.default_rng(0)
    flow, load = random.uniform(4, 20, 400).round(2), random.uniform(0.1, 1.5, 400).round(3)
    real = pa.table(
        {"flow": flow, "load": load, "temperature": (1000 * load / flow + random.normal(0, 2, 400)).round(1)}
    )
    given = {**Simulator.planned(file), "draws": 20}
    plan = Plan("temperature", (Source("plant", kind="simulator", settings=given),), metric="rmse", learner=QUICK)
    return plan, read(real)


def test_a_model_that_cannot_follow_a_steep_law_fails_where_it_is_steep(plant):
    plan, real = plant
    found = explore(plan, real, "plant", rows=1500)
    assert found.surface.mains[0].names == ("flow",)
    assert "flow <" in found.surface.corner.where
    assert found.surface.corner.confirmed
    assert found.exit == 0
    assert found.surface.agreement > 0.5
    assert found.surface.clusters == 20  # draws of the parameters
    assert found.real["trained"] + found.real["left"] + found.real["locked"] == 400
    assert found.surface.real_rows == found.real["left"]
    assert found.to_dict()["surface"]["corner"]["confirmed"]


def test_only_the_knobs_that_were_named_are_looked_at(plant):
    plan, real = plant
    found = explore(plan, real, "plant", rows=600, knobs=["load"])
    assert [part.names for part in found.surface.mains] == [("load",)]
    assert found.surface.pairs == ()
    with pytest.raises(InputError, match='no knob "lod"'):
        explore(plan, real, "plant", rows=600, knobs=["lod"])


def test_neither_model_nor_source_sees_the_locked_rows(monkeypatch):
    seen = {}
    plan, frame = quick(), read(law(400))

    def spying(self, task: Task):
        seen["train"] = task.train
        return original(self, task)

    original = Engine.make
    monkeypatch.setattr(Engine, "make", spying)
    found = explore(plan, frame, "made", rows=400, judge="error")
    work = study(plan, frame.table)
    locked = {tuple(row.values()) for row in work.table.take(pa.array(work.lock.test)).to_pylist()}
    pool = {tuple(row.values()) for row in work.table.take(pa.array(work.lock.pool)).to_pylist()}
    held = {tuple(row.values()) for row in seen["train"].to_pylist()}
    assert held <= pool
    assert not held & (locked - pool)
    assert found.unit == "error rate"
    assert 0 < found.surface.mean < 1


def test_what_cannot_be_explored_is_refused(plant):
    plan, real = plant
    with pytest.raises(InputError, match='no source "plnt"'):
        explore(plan, real, "plnt")
    with pytest.raises(InputError, match="leave --judge error out"):
        explore(plan, real, "plant", judge="error")
    with pytest.raises(InputError, match="tell no surface"):
        explore(plan, real, "plant", rows=50)
    finished = Plan("temperature", (Source("done", file=True),), metric="rmse")
    with pytest.raises(InputError, match="finished table"):
        explore(finished, real, "done")


def test_of_pictures_the_knobs_of_their_scenes_are_explored(tmp_path, monkeypatch):
    monkeypatch.setitem(parts.PARTS["source"], "foggy", f"{__name__}:Foggy")
    frame, group, _ = images_of(folder(tmp_path / "real", things=16), "label", pattern=r"(\w+/\d+)_")
    plan = Plan("label", (Source("fog", kind="foggy"),), metric="macro_recall", learner=Ridge(), curve=())
    found = explore(plan, frame, "fog", group=group, judge="error")
    assert [part.names for part in found.surface.mains] == [("fog",), ("lens",)]
    assert found.surface.corner.where.startswith("fog >= ")
    assert found.exit == 0
    assert (found.surface.real_rows, found.surface.agreement) == (0, None)
