import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.scene.annotate import annotate
from tuckpoint.scene.annotator import View
from tuckpoint.scene.plan import plan
from tuckpoint.scene.renderers.raycast import Raycast
from tuckpoint.scene.scene import Texture
from tuckpoint.scene.sign_faces import NAMES, diamond, face, octagon, triangle
from tuckpoint.scene.sign_paint import coverage, disc, rounded, stroke
from tuckpoint.scene.signs import Sign
from tuckpoint.scene.spec import Spec
from tuckpoint.scene.stage import mesh_of, staged
from tuckpoint.scene.texture import baked
from tuckpoint.seed import Seed

EVERY = [name.replace("_N", "_50") for name in NAMES]


def area(polygon):
    x, y = np.asarray(polygon).T
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2)


@pytest.mark.parametrize("name", EVERY)
def test_every_face_is_drawn_within_its_outline(name):
    drawn = face(name)
    assert np.abs(drawn.outline).max() <= 1 + 1e-9
    assert area(drawn.outline) > 0  # counter-clockwise
    plate = coverage([drawn.outline], 128)
    for colour, shapes in drawn.layers:
        if shapes:
            outside = coverage(shapes, 128) * (plate == 0)
            assert outside.max() == 0, colour


def test_no_two_faces_look_alike():
    pictures = [Sign(sign=name, size=32).draw() for name in [*EVERY, "speed_20", "speed_120", "end_speed_80"]]
    for n, one in enumerate(pictures):
        assert all(np.abs(one - other).mean() > 0.002 for other in pictures[:n])


def test_outlines_have_the_areas_of_their_shapes():
    assert area(disc()) == pytest.approx(np.pi, rel=2e-3)
    assert area(octagon(radius=1e-6)) == pytest.approx(8 * (2**0.5 - 1), rel=1e-4)
    assert area(diamond(radius=1e-6)) == pytest.approx(2, rel=1e-4)
    assert area(triangle(radius=1e-6)) == pytest.approx(3**0.5, rel=1e-4)
    square = rounded([(0, 0), (1, 0), (1, 1), (0, 1)], 0.2, steps=64)
    assert area(square) == pytest.approx(1 - (4 - np.pi) * 0.04, abs=1e-4)


def test_a_border_is_as_wide_as_its_inset():
    for edge in (triangle, octagon):
        low = [float(edge(inset, 1e-6)[:, 1].min()) for inset in (0.0, 0.1)]
        assert low[1] - low[0] == pytest.approx(0.1, abs=1e-5)


def test_edges_are_smooth_and_cover_what_they_should():
    shares = coverage([disc(radius=0.5)], 64)
    assert shares.mean() * 4 == pytest.approx(np.pi / 4, rel=0.02)
    assert ((shares > 0.1) & (shares < 0.9)).sum() > 20
    line = coverage(stroke([(-0.5, 0.0), (0.5, 0.0)], 0.25), 64)
    assert line.mean() * 4 == pytest.approx(0.25, rel=0.08)


def test_pictures_are_upright_and_coloured():
    signals = Sign(sign="traffic_signals", size=128).draw()
    green, red = (
        np.nonzero(signals[36:104, 64, one] > 3 * signals[36:104, 64, other])[0] for one, other in ((1, 0), (0, 1))
    )
    assert green.min() > np.median(red)  # the green light is below the red one
    arrow = Sign(sign="turn_left_ahead", size=128).draw()[..., 0] > 0.4
    assert arrow[30:64, 24:54].sum() > 2 * arrow[30:64, 74:104].sum()
    mirrored = Sign(sign="turn_right_ahead", size=128).draw()
    assert np.abs(mirrored[:, ::-1] - Sign(sign="turn_left_ahead", size=128).draw()).mean() < 0.01
    assert Sign(sign="speed_50", size=64).draw()[32, 4] == pytest.approx([0.45, 0.015, 0.012], abs=0.02)


@pytest.mark.parametrize("setting", [{"fading": 0.8}, {"dirt": 0.7}, {"scratches": 1.0}, {"red": [0.2, 0.0, 0.0]}])
def test_each_kind_of_weather_shows(setting):
    new = baked(Texture("sign", {"sign": "no_entry"})).astype(float)
    assert np.abs(baked(Texture("sign", {"sign": "no_entry", **setting})) - new).mean() > 1


def test_the_key_chooses_where_the_dirt_is():
    one, two = (Sign(dirt=0.6, scratches=0.6, key=key).draw() for key in (1, 2))
    assert not np.array_equal(one, two)
    assert np.array_equal(one, Sign(dirt=0.6, scratches=0.6, key=1).draw())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"sign": "stpo"}, 'did you mean "stop"'),
        ({"sign": "speed_1000"}, "no sign"),
        ({"fading": 1.5}, "fading"),
        ({"red": [0.1]}, "red"),
        ({"size": 4}, "size"),
    ],
)
def test_what_cannot_be_drawn_is_refused(settings, said):
    with pytest.raises(InputError, match=said):
        baked(Texture("sign", settings))


@pytest.mark.parametrize("name", ["stop", "curve_left", "yield", "priority_road", "speed_30"])
def test_the_plate_faces_outwards_and_shows_its_sign(name):
    mesh = mesh_of("sign", {"sign": name, "size_m": 0.8, "fading": 0.25})
    corners = mesh.vertices[mesh.faces].astype(float)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", across, mesh.normals[mesh.faces].mean(axis=1)) > 0).all()
    plate = np.linalg.norm(across[mesh.part == 0], axis=1).sum() / 2
    assert plate == pytest.approx(area(face(name).outline) * 0.4**2, rel=1e-4)
    settings = mesh.looks["face"]["texture"]["settings"]
    assert (settings["sign"], settings["fading"]) == (name, 0.25)
    assert mesh.parts == ("face", "back", "post")


def test_a_sign_may_hang_and_must_fit_above_the_ground():
    hung = mesh_of("sign", {"post_m": 0.0})
    assert set(hung.part.tolist()) == {0, 1}
    assert hung.bounds[0][2] == pytest.approx(2.0)
    for shape in ({"height_m": 0.1}, {"post_m": -1.0}, {"size_m": 0.0}, {"sign": "halt"}):
        with pytest.raises(InputError):
            mesh_of("sign", shape)


def told(**thing):
    signs = {"family": "sign", "class": {"of": "shape.sign"}, "shape": {"sign": {"choice": ["stop", "yield"]}}, **thing}
    camera = {"target_m": [0.0, 0.0, 2.3], "distance_m": 2.0, "elevation_deg": 0.0}
    return {"name": "t", "image": {"width": 64, "height": 64}, "things": {"sign": signs}, "camera": camera}


def test_the_class_follows_the_sign():
    spec = Spec.from_dict(told())
    assert spec.classes == ("stop", "yield")
    scenes = [plan(spec, Seed(1), number) for number in range(12)]
    assert all(scene.things[0].class_name == scene.things[0].shape["sign"] for scene in scenes)
    assert {scene.things[0].class_name for scene in scenes} == {"stop", "yield"}
    pinned = plan(spec, Seed(1), 0, pins={"sign.shape.sign": "yield"})
    assert pinned.things[0].class_name == "yield"


def test_the_class_of_a_family_without_that_knob_is_its_name():
    spec = Spec.from_dict(told(family={"choice": ["box", "sign"]}, shape={}, shapes={"sign": {"sign": "stop"}}))
    assert spec.classes == ("box", "stop")
    assert {plan(spec, Seed(1), number).things[0].class_name for number in range(12)} == {"box", "stop"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"class": {"of": "family"}}, "knob of the shape"),
        ({"class": {"of": "shape.size_m"}, "shape": {"size_m": {"uniform": [0.4, 0.9]}}}, "may be anything"),
    ],
)
def test_a_class_follows_only_what_has_known_values(change, said):
    with pytest.raises(InputError, match=said):
        Spec.from_dict(told(**change))


def test_a_rendered_sign_shows_its_face_where_the_label_says():
    stage = staged(plan(Spec.from_dict(told(shape={"sign": "no_entry"})), Seed(1), 0))
    shot = Raycast(device="cpu").render(stage, 0)
    label = annotate(("box", "class"), View(stage, shot, 0), key="0")
    assert shot.radiance is not None
    facing = shot.part == 1 + stage.part_names.index("sign/face")
    assert facing.sum() > 200
    assert shot.albedo[facing][:, 0].mean() > 2 * shot.albedo[facing][:, 2].mean()  # red, with a white bar
    rows, columns = np.nonzero(facing)
    middle = shot.albedo[int(rows.mean()), int(columns.mean())]
    assert middle == pytest.approx([0.72, 0.72, 0.7], abs=0.02)
    assert label is not None
