import json

import numpy as np
import pyarrow as pa
import pytest

from tuckpoint import parts, pictures
from tuckpoint.errors import InputError
from tuckpoint.photos.descriptor import descriptors_of
from tuckpoint.prove.kinds.scene import KNOBS, SceneSource, knobs_of
from tuckpoint.prove.source import Task
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed

SPEC = {
    "name": "shapes",
    "image": {"width": 64, "height": 64},
    "things": {
        "ground": {"family": "plane", "labelled": False, "shape": {"width_m": 3.0, "depth_m": 3.0}},
        "one": {"family": {"choice": ["ball", "box"]}, "place": {"at": [0.0, 0.0, 0.0]}},
    },
    "camera": {"distance_m": 0.8, "elevation_deg": 35.0},
}


def task(*labels):
    return Task(pa.table({"kind": list(labels)}), Schema(()), "kind", 10, None, Seed(1))


def test_crops_of_each_class_come_once_and_stay(tmp_path, monkeypatch):
    source = SceneSource(SPEC, knob="one.family", scenes=2, views=3, pixels=10, cache=str(tmp_path / "sets"))
    made = source.make(task("ball", "box", "ball"))
    assert made.table is not None
    assert sorted(made.table["kind"].to_pylist()) == ["ball"] * 6 + ["box"] * 6
    assert made.facts["rendered images"] == 12
    told = [json.loads(one) for one in made.table[KNOBS].to_pylist()]
    assert [one["one.family"] for one in told] == made.table["kind"].to_pylist()
    assert len({one["scene"] for one in told}) == 4  # crops of one scene tell the same
    seen = descriptors_of(made.table)
    assert len(np.unique(seen, axis=0)) == 12
    monkeypatch.setattr(pictures, "render", None)  # the second time they are read
    assert (descriptors_of(source.make(task("ball", "box")).table) == seen).all()


def test_labels_may_be_called_otherwise_and_what_is_not_rendered_is_told(tmp_path):
    source = SceneSource(SPEC, scenes=3, views=1, pixels=10, classes={"sphere": "ball"}, cache=str(tmp_path))
    made = source.make(task("sphere", "cone"))
    assert set(made.table["kind"].to_pylist()) == {"sphere"}
    assert made.facts["classes not rendered"] == 1
    none = source.make(task("cone", "torus"))
    assert none.table is None
    assert "no rendered thing is of a class of the real images: cone, torus" in none.why


def test_knobs_of_a_thing_are_its_own_and_those_of_the_scene():
    drawn = {"goods.0.shape.height_m": 0.1, "goods.1.shape.height_m": 0.2, "goods.count": 2, "sun.elevation_deg": 9.0,
             "sign.shape.sign": "stop", "camera.target_m": [0, 0, 1]}  # fmt: skip
    assert knobs_of(drawn, "goods.1") == {
        "goods.shape.height_m": 0.2,
        "sun.elevation_deg": 9.0,
        "sign.shape.sign": "stop",
    }
    assert knobs_of(drawn, "sign") == {"goods.count": 2, "sun.elevation_deg": 9.0, "sign.shape.sign": "stop"}


def test_what_cannot_be_rendered_is_refused_at_once():
    assert parts.find("source", "scene") is SceneSource
    with pytest.raises(InputError, match="views is 0"):
        SceneSource(SPEC, views=0)
    with pytest.raises(InputError, match="things"):
        SceneSource({"name": "x", "thing": {}})


def test_a_plan_holds_the_specification_itself(tmp_path):
    from tuckpoint.scene.spec import Spec

    (tmp_path / "world.yaml").write_text("name: x\nthings: {one: {family: ball}}\n")
    told = SceneSource.planned(tmp_path / "world.yaml")
    assert Spec.from_dict(told["spec"]).name == "x"
    assert SceneSource(**told).serves({"missing": {"rows": 0}}) == ""
