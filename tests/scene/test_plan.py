import copy
import json

import numpy as np
import pytest
from scipy.spatial import Delaunay

from tuckpoint.errors import InputError, UnfitScene, UnknownPart
from tuckpoint.scene.plan import plan
from tuckpoint.scene.scene import Scene
from tuckpoint.scene.spec import Spec, load
from tuckpoint.scene.stage import mesh_of
from tuckpoint.seed import Seed

TOLD = {
    "name": "test",
    "image": {"width": 64, "height": 48},
    "things": {
        "ground": {"family": "plane", "labelled": False},
        "lone": {"family": "ball", "class": "globe", "present": {"chance": 0.5}, "place": {"on": "ground"}},
        "goods": {
            "family": {"choice": ["box", "can"]},
            "count": {"integers": [3, 6]},
            "shapes": {"can": {"height_m": {"uniform": [0.1, 0.2]}}, "box": {"width_m": {"uniform": [0.1, 0.3]}}},
            "material": {"roughness": {"uniform": [0.2, 0.9]}},
            "place": {"on": "ground", "yaw_deg": {"uniform": [0, 360]}},
        },
    },
    "sun": {"elevation_deg": {"uniform": [10, 60]}},
    "lamps": {"lamp": {"position": [0.0, 0.0, 2.0], "power_w": {"uniform": [50, 100]}}},
    "camera": {"distance_m": {"uniform": [2, 4]}, "lens": {"blur_px": {"uniform": [0, 1]}}},
}
SPEC = Spec.from_dict(TOLD)


def changed(**entries):
    told = copy.deepcopy(TOLD)
    for path, value in entries.items():
        *way, last = path.split("__")
        place = told
        for name in way:
            place = place[name]
        place[last] = value
    return Spec.from_dict(told)


def scene(index=0, spec=SPEC, root=1, **more):
    return plan(spec, Seed(root), index, **more)


def named(made):
    return {thing.name: thing for thing in made.things}


def test_the_same_seed_gives_the_same_scene_and_each_number_another():
    assert scene() == scene()
    assert len({scene(index).digest for index in range(10)}) == 10
    assert scene(root=1).digest != scene(root=2).digest


def test_a_scene_goes_through_json():
    assert Scene.from_dict(scene().to_dict()) == scene()


def test_all_draws_are_kept_and_lie_where_they_should():
    for index in range(20):
        made = scene(index)
        assert 10 <= made.knobs["sun.elevation_deg"] <= 60
        assert made.sun.elevation_deg == made.knobs["sun.elevation_deg"]
        assert 3 <= made.knobs["goods.count"] <= 6
        assert sum(name.startswith("goods.") for name in named(made)) == made.knobs["goods.count"]
        assert made.knobs["camera.lens.blur_px"] == made.camera.lens.blur_px
        assert 50 <= made.lamps[0].power_w <= 100
        assert named(made)["goods.1"].family == made.knobs["goods.1.family"]


def test_a_pin_moves_nothing_else():
    free, held = scene(), scene(pins={"sun.elevation_deg": 3.0})
    assert held.sun.elevation_deg == 3
    assert held.things == free.things
    assert held.camera == free.camera
    assert held.knobs == {**free.knobs, "sun.elevation_deg": 3.0}


def test_another_count_leaves_the_first_ones_alone():
    few, many = scene(pins={"goods.count": 2}), scene(pins={"goods.count": 6})
    assert named(many).items() >= named(few).items()


def test_a_pin_without_a_number_holds_all_of_a_group_and_with_one_only_that():
    every = scene(pins={"goods.family": "can", "goods.shape.height_m": 0.17})
    goods = [thing for name, thing in named(every).items() if name.startswith("goods")]
    assert {thing.family for thing in goods} == {"can"}
    assert {thing.shape["height_m"] for thing in goods} == {0.17}
    one = scene(pins={"goods.family": "can", "goods.1.shape.height_m": 0.17})
    assert [thing.shape["height_m"] == 0.17 for name, thing in named(one).items() if "goods" in name][:3] == [
        False, True, False,
    ]  # fmt: skip


def test_a_knob_of_another_draw_may_be_pinned_in_every_scene():
    pins = {"goods.shape.radius_m": 0.05, "goods.5.present": False, "goods.material.metallic": 1.0}
    for index in range(10):
        goods = [thing for name, thing in named(scene(index, pins=pins)).items() if name.startswith("goods")]
        assert "goods.5" not in {thing.name for thing in goods}
        for thing in goods:
            assert thing.shape.get("radius_m", 0.05) == 0.05
            assert {material.metallic for material in thing.materials.values()} == {1.0}
    none = scene(pins={"goods.shape.radius_m": 0.05, "goods.count": 0})
    assert not any(name.startswith("goods") for name in named(none))


def test_what_is_not_present_keeps_its_place():
    there, gone = scene(pins={"lone.present": True}), scene(pins={"lone.present": False})
    assert "lone" in named(there)
    assert {name: thing for name, thing in named(there).items() if name != "lone"} == named(gone)


def test_things_stand_on_their_support_and_apart():
    for index in range(10):
        made = [thing for thing in scene(index).things if thing.parent == "ground"]
        at = np.array([thing.poses[0].position for thing in made])
        assert np.allclose(at[:, 2], 0)
        assert (np.abs(at[:, :2]) <= 2 + 1e-6).all()
        hulls = [Delaunay(flat(thing)) for thing in made]
        for one in range(len(made)):
            for other in range(len(made)):
                points = np.random.default_rng(0).uniform(-2, 2, (2000, 2))
                inside = hulls[one].find_simplex(points) >= 0
                assert one == other or not (hulls[other].find_simplex(points[inside]) >= 0).any()


def flat(thing):
    """A thing's vertices as seen from above, (v, 2)."""
    matrix = thing.poses[0].matrix()
    return (mesh_of(thing.family, thing.shape).vertices @ matrix[:3, :3].T + matrix[:3, 3])[:, :2]


def test_what_moves_has_a_pose_per_frame():
    spec = changed(frames=3, fps=2.0, things__lone__motion={"velocity_m_s": [1.0, 0.0, 0.0], "spin_deg_s": 90.0})
    lone = named(scene(spec=spec, pins={"lone.present": True}))["lone"]
    steps = np.diff([pose.position for pose in lone.poses], axis=0)
    assert np.allclose(steps, [[0.5, 0, 0]] * 2)
    assert np.allclose(lone.poses[2].matrix()[:3, 0], [0, 1, 0], atol=1e-9)


def test_the_camera_looks_from_where_it_was_told():
    spec = changed(camera={"target_m": [1.0, 0.0, 0.5], "distance_m": 2.0, "azimuth_deg": 0.0, "elevation_deg": 90.0})
    made = scene(spec=spec).camera
    assert np.allclose(made.poses[0].position, [1, 0, 2.5])
    pixels, depth = made.project(np.array([[1.0, 0.0, 0.5]]))
    assert np.allclose(pixels, [[32, 24]])
    assert depth == pytest.approx(2)


def test_a_narrow_support_has_no_room():
    spec = changed(things__ground__shape={"width_m": 0.3, "depth_m": 0.3})
    with pytest.raises(UnfitScene, match='no free place on "ground"'):
        scene(spec=spec)


@pytest.mark.parametrize(
    ("pins", "said"),
    [
        ({"sun.elevaton_deg": 3}, 'did you mean "sun.elevation_deg"'),
        ({"goods.2.yaw": 1}, "there is no knob"),
        ({"goods.6.family": "can"}, "at most 6 members"),
        ({"goods.shape.radius": 1}, "goods.shape.radius_m"),
        ({"sun.elevation_deg": "low"}, "sun.elevation_deg is 'low'; give a number"),
        ({"goods.count": -1}, "whole number from 0"),
        ({"camera.distance_m": 0}, "above 0"),
        ({"goods.shape.height_m": 0.0, "goods.family": "can"}, "above 0"),
    ],
)
def test_wrong_pins_are_refused(pins, said):
    with pytest.raises(InputError, match=said):
        scene(pins=pins)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"things": {}}, "no things"),
        ({"things__goods__familly": "box"}, 'no entry "familly".*family'),
        ({"things__goods__place": {"on": "shelf"}}, "not named before it"),
        ({"things__lone": {"class": "x"}}, "no family"),
        ({"frames": 0}, "frames"),
        ({"image": {"width": 64}}, "image.height"),
        ({"tries": 0}, "tries"),
        ({"sun__elevation_deg": {"choice": {3.0: 1, 5.0: 2}}}, r"sun\.elevation_deg: weights .* not 3\.0"),
        ({"things__lone__materials": {"middle": {}}}, 'no part "middle"'),
        ({"things__goods__shapes__cna": {}}, 'never a "cna".*can'),
        ({"require": {"pixel": 3}}, 'require has no entry "pixel".*pixels'),
        ({"image": {"width": 64, "height": 48, "depth": 3}}, 'image has no entry "depth"'),
        ({"lamps__lone": {"position": [0, 0, 1]}}, "names a lamp and something else"),
    ],
)
def test_wrong_specifications_are_refused(change, said):
    with pytest.raises(InputError, match=said):
        changed(**change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"things__goods__place": {"onn": "ground"}}, 'no entry "onn"'),
        ({"things__lone__shape": {"radius": 1.0}}, "radius"),
        ({"camera__fov": 3}, "fov"),
        ({"camera__lens": {"blur": 3}}, "blur_px"),
        ({"things__goods__count": {"uniform": [1, 2]}}, "goods.count"),
    ],
)
def test_wrong_entries_are_told_when_a_scene_is_drawn(change, said):
    with pytest.raises(InputError, match=said):
        scene(spec=changed(**change), pins={"lone.present": True})


def test_an_unknown_family_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownPart, match='did you mean "bottle"'):
        changed(things__lone__family="botle")


def test_the_order_of_things_is_kept_and_counts():
    again = Spec.from_dict(json.loads(json.dumps(SPEC.to_dict(), sort_keys=True)))
    assert list(again.things) == list(SPEC.things)
    assert again.digest == SPEC.digest
    assert scene(spec=again) == scene()
    turned = Spec.from_dict({**TOLD, "things": {name: TOLD["things"][name] for name in ("ground", "goods", "lone")}})
    assert turned.digest != SPEC.digest


def test_classes_are_those_that_can_be_drawn():
    assert SPEC.classes == ("globe", "box", "can")


def test_a_file_is_read_and_on_is_a_word(tmp_path):
    text = "name: x\nthings:\n  a: {family: plane}\n  b: {family: box, place: {on: a}, labelled: true}\n"
    (tmp_path / "x.yaml").write_text(text)
    spec = load(tmp_path / "x.yaml")
    assert spec.things["b"] == {"family": "box", "place": {"on": "a"}, "labelled": True}
    for content, said in (("[1, 2]", "no mapping"), ("a: [", "no YAML"), ("name: x\nthigns: {}\n", "things")):
        (tmp_path / "y.yaml").write_text(content)
        with pytest.raises(InputError, match=said):
            load(tmp_path / "y.yaml")
    with pytest.raises(InputError, match="no file"):
        load(tmp_path / "z.yaml")


def test_a_family_has_its_own_looks_unless_told(monkeypatch):
    from dataclasses import replace

    from tuckpoint.scene import plan as planning

    real = planning.mesh_of

    def looked(family, shape):
        mesh = real(family, shape)
        return replace(mesh, looks={"lid": {"colour": [0.1, 0.2, 0.3], "metallic": 1.0}}) if family == "can" else mesh

    monkeypatch.setattr(planning, "mesh_of", looked)
    told = {"name": "one", "things": {"tin": {"family": "can", "material": {"roughness": 0.2}}}}
    lid = plan(Spec.from_dict(told), Seed(0), 0).things[0].materials["lid"]
    assert (lid.colour, lid.metallic, lid.roughness) == ((0.1, 0.2, 0.3), 1.0, 0.2)
    pinned = plan(Spec.from_dict(told), Seed(0), 0, pins={"tin.material.metallic": 0.5}).things[0].materials["lid"]
    assert (pinned.colour, pinned.metallic) == ((0.1, 0.2, 0.3), 0.5)
