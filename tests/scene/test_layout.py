"""Where things stand, against what can be said of it by hand."""

import numpy as np
import pytest

from tuckpoint.errors import InputError, UnfitScene
from tuckpoint.scene.layout import apart, footprint
from tuckpoint.scene.mesh import Mesh, Surface
from tuckpoint.scene.plan import plan
from tuckpoint.scene.scene import Pose, turned
from tuckpoint.scene.spec import Spec
from tuckpoint.scene.stage import mesh_of
from tuckpoint.seed import Seed

FLOOR = {"family": "plane", "labelled": False, "shape": {"width_m": 6.0, "depth_m": 8.0}}


def things(pins=None, root=1, **told):
    spec = Spec.from_dict({"name": "x", "things": {"floor": FLOOR, **told}, "camera": {"distance_m": 20.0}})
    made = plan(spec, Seed(root), 0, pins=pins or {})
    return {thing.name: thing for thing in made.things}


def at(thing):
    return np.array(thing.poses[0].position)


def box(**place):
    return {"family": "box", "shape": {"width_m": 0.2, "depth_m": 0.1, "height_m": 0.3}, "place": place}


def test_rows_are_a_grid_about_the_middle():
    found = things(crop=box(rows={"on": "floor", "rows": 3, "each": 4, "row_gap_m": 1.0, "step_m": 0.5}))
    spots = np.array([at(found[f"crop.{number}"]) for number in range(12)])
    wanted = np.array([(x, y, 0) for x in (-1, 0, 1) for y in (-0.75, -0.25, 0.25, 0.75)])
    assert np.allclose(spots, wanted)
    aside = things(
        crop=box(rows={"on": "floor", "rows": 3, "each": 4, "row_gap_m": 1.0, "step_m": 0.5, "shift_m": [1, 2]})
    )
    assert np.allclose([at(aside[f"crop.{number}"]) for number in range(12)], wanted + np.array([1, 2, 0]))
    assert {(thing.parent, thing.relation) for name, thing in found.items() if name != "floor"} == {("floor", "on")}


def test_jitter_moves_a_row_a_little_and_a_pin_moves_the_rows():
    rows = {"on": "floor", "rows": 2, "each": {"integers": [3, 5]}, "row_gap_m": 1.0, "step_m": 0.5, "jitter_m": 0.02}
    one = things(crop=box(rows=rows), pins={"crop.place.rows.each": 4})
    assert len(one) == 9
    off = np.array([at(one[f"crop.{n}"])[:2] for n in range(8)]) - [
        (x, y) for x in (-0.5, 0.5) for y in (-0.75, -0.25, 0.25, 0.75)
    ]
    assert 0.003 < np.abs(off).mean() < 0.04
    assert len(things(crop=box(rows=rows), pins={"crop.place.rows.rows": 0})) == 1


def test_a_row_beyond_the_ground_is_no_scene():
    with pytest.raises(UnfitScene, match="beyond"):
        things(crop=box(rows={"on": "floor", "rows": 9, "each": 1, "row_gap_m": 1.0}))


@pytest.mark.parametrize(
    ("side", "way"), [("right", (1, 0)), ("left", (-1, 0)), ("behind", (0, 1)), ("front", (0, -1))]
)
def test_beside_keeps_the_gap_on_the_side_that_was_asked(side, way):
    found = things(one=box(at=[1.0, 1.0, 0.0], yaw_deg=90.0), other=box(beside="one", side=side, gap_m=0.25))
    step = (at(found["other"]) - at(found["one"]))[:2]
    turn = np.array([[0, -1], [1, 0]])  # its own right is the world's y after a quarter turn
    assert step @ (turn @ way) > 0
    assert abs(step @ (turn @ (-way[1], way[0]))) < 1e-6
    prints = [footprint(mesh_of(t.family, t.shape), t.poses[0]) for t in (found["one"], found["other"])]
    assert apart(*prints) == pytest.approx(0.25, abs=1e-5)
    assert (found["other"].parent, found["other"].relation) == ("one", "beside")


def test_what_stands_beside_a_thing_stays_when_that_is_not_present():
    told = {"one": {**box(on="floor"), "present": False}, "other": box(beside="one")}
    assert set(things(**told)) == {"floor", "other"}
    third = {"family": "ball", "shape": {"radius_m": 0.01}, "place": {"on": "other"}}
    stacked = {
        "one": {**box(on="floor"), "present": False},
        "other": {"family": "ball", "shape": {"radius_m": 0.02}, "place": {"on": "one"}},
    }
    assert set(things(**stacked)) == {"floor"}
    stacked["other"] = box(on="one") | {"shape": {"width_m": 0.05, "depth_m": 0.05, "height_m": 0.1}}
    assert set(things(**stacked, third=third)) == {"floor"}


def test_in_a_bowl_and_on_a_member_of_a_group():
    found = things(
        bowl={"family": "bowl", "count": 3, "shape": {"radius_m": 0.5, "height_m": 0.3}, "place": {"on": "floor"}},
        pea={"family": "ball", "shape": {"radius_m": 0.02}, "count": 20, "place": {"in": "bowl"}},
    )
    peas = [thing for name, thing in found.items() if name.startswith("pea")]
    assert {pea.relation for pea in peas} == {"in"}
    assert {pea.parent for pea in peas} == {"bowl.0", "bowl.1", "bowl.2"}
    for pea in peas:
        off = at(pea) - at(found[pea.parent])
        assert off[2] == pytest.approx(0.025)
        assert np.hypot(*off[:2]) < 0.2


def test_scattered_things_may_meet_and_keep_within():
    ball = {"family": "ball", "shape": {"radius_m": 0.3}, "count": 60}
    found = things(ball={**ball, "place": {"scatter": "floor", "within_m": 1.0}})
    spots = np.array([at(thing)[:2] for name, thing in found.items() if name != "floor"])
    assert (np.abs(spots) <= 1).all()
    assert np.abs(spots).max() > 0.8
    with pytest.raises(UnfitScene):
        things(ball={**ball, "count": 200, "place": {"on": "floor"}})


def test_tilt_and_sink():
    found = things(stone=box(at=[0.0, 0.0, 0.0], tilt_deg=30.0, sink_m=0.05, yaw_deg=20.0))
    matrix = found["stone"].poses[0].matrix()
    assert np.degrees(np.arccos(matrix[2, 2])) == pytest.approx(30)
    assert matrix[2, 3] == pytest.approx(-0.05)


def test_on_soil_a_thing_stands_as_high_as_the_mesh(monkeypatch):
    from tuckpoint.scene import layout
    from tuckpoint.scene import plan as planning

    slope = Mesh(
        vertices=np.array([[-2, -2, 0], [2, -2, 2], [2, 2, 2], [-2, 2, 0]], np.float32),
        normals=np.tile(np.array([0, 0, 1], np.float32), (4, 1)),
        uv=np.zeros((4, 2), np.float32),
        faces=np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        part=np.zeros(2, np.int32),
        parts=("all",),
        surfaces=(Surface("top", (0.0, 0.0, 1.0), (1.8, 1.8), level=False),),
    )
    real = mesh_of
    for module in (layout, planning):
        monkeypatch.setattr(
            module, "mesh_of", lambda family, shape: slope if family == "plane" else real(family, shape)
        )
    found = things(one={**box(on="floor"), "count": 5})
    for name in (f"one.{n}" for n in range(5)):
        x, _, z = at(found[name])
        assert z == pytest.approx(1 + x / 2, abs=1e-6)


def test_footprints_of_turned_things():
    mesh = mesh_of("box", {"width_m": 0.4, "depth_m": 0.2, "height_m": 0.1})
    centre, half, yaw, levels = footprint(mesh, Pose((1.0, 2.0, 0.5), turned((0, 0, 1), 30.0)))
    assert np.allclose(centre, [1, 2])
    assert np.allclose(half, [0.2, 0.1])
    assert np.degrees(yaw) == pytest.approx(30)
    assert levels == pytest.approx((0.5, 0.6))
    far = footprint(mesh, Pose((1.5, 2.0, 0.5)))
    near = footprint(mesh, Pose((1.0, 2.0, 0.5)))
    assert apart(near, far) == pytest.approx(0.1)
    assert apart(near, near) < 0


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"on": "floor", "at": [0, 0, 0]}, "at and on"),
        ({"on": "floor", "gap": 1}, 'did you mean "gap_m"'),
        ({"rows": 3}, "give a mapping"),
        ({"rows": {"on": "floor", "row": 3}}, 'did you mean "rows"'),
        ({"rows": {"on": "floor", "rows": 2.5}}, "whole number"),
        ({"beside": "floor", "side": "top"}, "right, behind"),
        ({"in": "floor"}, "inside"),
        ({"on": "floor", "surface": "bottom"}, "it has: top"),
        ({"on": "floor", "tilt_deg": "steep"}, "tilt_deg is 'steep'; give a number"),
        ({"drop": "flor"}, "not named before it"),
        ({"rows": {"on": "flor"}}, "not named before it"),
    ],
)
def test_places_that_cannot_be_are_refused(place, said):
    with pytest.raises(InputError, match=said):
        things(one={**box(), "place": place})
