"""Physics against mechanics on paper."""

from dataclasses import replace

import numpy as np
import pytest

from tuckpoint.errors import InputError, UnfitScene
from tuckpoint.scene.plan import plan
from tuckpoint.scene.scene import Pose, Scene
from tuckpoint.scene.settle import Body, Physics, settled
from tuckpoint.scene.spec import Spec
from tuckpoint.scene.stage import mesh_of
from tuckpoint.seed import Seed

pytest.importorskip("mujoco")
FLOOR = Body("floor", mesh_of("plane", {}), (Pose(),), False)
BOX = mesh_of("box", {"width_m": 0.2, "depth_m": 0.2, "height_m": 0.1})


def box(name="box", z=0.5, x=0.0, **more):
    return Body(name, BOX, (Pose((x, 0.0, z)),), True, **more)


def test_a_free_fall_is_that_of_galileo():
    rest = settled([FLOOR, box(z=2.0, velocity_m_s=(0.5, 0.0, 0.0))], Physics(), frames=7, fps=20.0)
    for frame, pose in enumerate(rest.poses["box"]):
        t = frame / 20
        assert pose.position[2] == pytest.approx(2 - 9.81 * t * t / 2, abs=0.01)
        assert pose.position[0] == pytest.approx(0.5 * t, abs=1e-3)
    assert rest.contacts == ()


def test_a_box_comes_to_rest_on_the_floor_and_another_on_it():
    rest = settled([FLOOR, box("low", 0.02), box("high", 0.2)], Physics(), frames=1, fps=1.0)
    assert rest.poses["low"][0].position[2] == pytest.approx(0, abs=5e-4)
    assert rest.poses["high"][0].position[2] == pytest.approx(0.1, abs=1e-3)
    assert rest.supports == {"low": "floor", "high": "low"}
    assert [(pair.one, pair.other) for pair in rest.contacts] == [("floor", "low"), ("high", "low")]


@pytest.mark.parametrize(("friction", "slides"), [(0.2, True), (1.0, False)])
def test_a_box_slides_down_a_slope_steeper_than_its_friction(friction, slides):
    angle = np.radians(30)
    turn = (float(np.cos(angle / 2)), 0.0, float(np.sin(angle / 2)), 0.0)  # downhill along x
    slope = replace(FLOOR, poses=(Pose((0.0, 0.0, 0.0), turn),))
    start = replace(box(), poses=(Pose((0.0, 0.0, 1e-3), turn),))
    end = settled([slope, start], Physics(friction=friction), frames=2, fps=2.0).poses["box"][-1]
    moved = float(np.hypot(end.position[0], end.position[2]))
    wanted = 9.81 * (np.sin(angle) - friction * np.cos(angle)) * 0.5**2 / 2
    assert moved == pytest.approx(wanted, rel=0.05) if slides else moved < 0.01


def test_momentum_is_kept_when_two_meet():
    bodies = [box("one", 5.0, -0.3, velocity_m_s=(2.0, 0.0, 0.0)), box("two", 5.0, density_kg_m3=1500.0)]
    rest = settled(bodies, Physics(gravity_m_s2=0.0), frames=11, fps=20.0)
    speed = {name: (poses[-1].position[0] - poses[-2].position[0]) * 20 for name, poses in rest.poses.items()}
    assert speed["one"] * 500 + speed["two"] * 1500 == pytest.approx(2.0 * 500, rel=0.01)
    assert speed["two"] > speed["one"]
    assert {(pair.one, pair.other) for pair in rest.contacts} <= {("one", "two")}


def test_what_is_led_pushes_what_is_loose():
    pusher = Body("pusher", BOX, tuple(Pose((-0.5 + 0.1 * k, 0.0, 0.0)) for k in range(11)), False)
    rest = settled([FLOOR, pusher, box(z=0.0)], Physics(), frames=11, fps=10.0)
    assert rest.poses["box"][-1].position[0] == pytest.approx(0.7, abs=0.05)


def test_a_ball_stays_in_a_bowl():
    bowl = Body("bowl", mesh_of("bowl", {"radius_m": 0.3, "height_m": 0.2}), (Pose(),), False)
    ball = Body("ball", mesh_of("ball", {"radius_m": 0.05}), (Pose((0.12, 0.0, 0.25)),), True)
    rest = settled([FLOOR, bowl, ball], Physics(), frames=1, fps=1.0)
    assert rest.supports == {"ball": "bowl"}
    assert 0.01 <= rest.poses["ball"][0].position[2] < 0.05
    assert np.hypot(*rest.poses["ball"][0].position[:2]) < 0.12


def test_the_same_twice_bit_for_bit():
    bodies = [FLOOR, *(box(f"b{k}", 0.2 + 0.15 * k, 0.03 * k) for k in range(5))]
    assert settled(bodies, Physics(), frames=1, fps=1.0) == settled(bodies, Physics(), frames=1, fps=1.0)


def test_what_falls_for_ever_or_never_rests_is_no_scene():
    with pytest.raises(UnfitScene, match="fell out of the world"):
        settled([box()], Physics(), frames=1, fps=1.0)
    with pytest.raises(UnfitScene, match="still move"):
        settled([FLOOR, box(z=3.0)], Physics(settle_s=0.3), frames=1, fps=1.0)
    with pytest.raises(InputError, match=r"step up to 0\.01"):
        Physics(step_s=0.1)


def told(**more):
    return Spec.from_dict(
        {
            "name": "heap",
            "things": {
                "floor": {"family": "plane", "labelled": False},
                "bowl": {"family": "bowl", "shape": {"radius_m": 0.4, "height_m": 0.25}},
                "goods": {
                    "family": {"choice": ["box", "can"]},
                    "count": 4,
                    "place": {"drop": "bowl", "surface": "inside"},
                },
            },
            "camera": {"distance_m": 3.0},
            **more,
        }
    )


def test_dropped_things_lie_in_the_bowl_and_the_scene_keeps_it():
    made = plan(told(), Seed(2), 0)
    goods = [thing for thing in made.things if thing.name.startswith("goods")]
    assert len(goods) == 4
    assert any(thing.parent == "bowl" and thing.relation == "in" for thing in goods)
    assert all(np.hypot(*thing.poses[0].position[:2]) < 0.5 for thing in goods)
    assert made.contacts
    assert Scene.from_dict(made.to_dict()) == made
    assert plan(told(), Seed(2), 0) == made


def test_a_clip_shows_the_fall():
    made = plan(told(frames=5, fps=10.0), Seed(2), 0)
    heights = np.array([[pose.position[2] for pose in thing.poses] for thing in made.things if "goods" in thing.name])
    assert heights.shape == (4, 5)
    assert (heights[:, 0] > heights[:, -1]).all()
    later = plan(told(frames=5, fps=10.0, physics={"before_s": 3.0}), Seed(2), 0)
    still = np.array([[pose.position for pose in thing.poses] for thing in later.things if "goods" in thing.name])
    assert np.abs(np.diff(still, axis=1)).max() < 0.01
