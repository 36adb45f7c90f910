"""What every family of things promises."""

from dataclasses import fields

import numpy as np
import pytest

from tuckpoint import parts
from tuckpoint.errors import InputError
from tuckpoint.settings import build, plain

FAMILIES = tuple(name for name in parts.names("thing") if name != "mesh")  # what that is, a file tells
OPEN = ("plane", "soil", "road", "plant")  # grounds, and leaves
STANDING = [name for name in FAMILIES if name not in OPEN]
OTHER = {"body": "van", "defect": "stain", "sign": "yield"}
WITH = {("panel", "key"): {"defect": "crack"}, ("gear", "key"): {"broken": 3}}  # where a setting needs another one


def made(family, **shape):
    return build(parts.find("thing", family), shape).mesh()


def corners(mesh):
    return mesh.vertices[mesh.faces].astype(float)


def across(mesh):
    a, b, c = corners(mesh).transpose(1, 0, 2)
    return np.cross(b - a, c - a)


def volume(mesh):
    a, b, c = corners(mesh).transpose(1, 0, 2)
    return (np.cross(a, b) * c).sum() / 6


@pytest.mark.parametrize("family", FAMILIES)
def test_normals_are_unit_and_agree_with_the_faces(family):
    mesh = made(family)
    assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-4)
    flat = across(mesh)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    assert (np.einsum("fk,fck->fc", flat, mesh.normals[mesh.faces]) > 0.2).all()


@pytest.mark.parametrize("family", STANDING)
def test_it_is_closed_and_faces_out(family):
    mesh = made(family)
    assert volume(mesh) > 0
    assert np.allclose(across(mesh).sum(axis=0), 0, atol=1e-6)  # the normals of a closed surface cancel


@pytest.mark.parametrize("family", [*(name for name in STANDING if name != "sign"), "plant", "road"])
def test_it_stands_on_the_ground_about_the_origin(family):
    low, high = made(family).bounds
    assert low[2] == pytest.approx(0, abs=1e-6)
    assert np.allclose(low[:2], -high[:2], atol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_setting_moves_the_mesh(family):
    kind = parts.find("thing", family)
    for item in fields(kind):
        value, context = plain(kind())[item.name], WITH.get((family, item.name), {})
        if isinstance(value, str):
            value = OTHER.get(item.name, value)
        else:
            value = value + 2 if isinstance(value, int) else value * 1.2 or 0.1
        one, other = (made(family, **context, **change) for change in ({}, {item.name: value}))
        same = other.vertices.shape == one.vertices.shape and np.array_equal(other.vertices, one.vertices)
        assert not same or not np.array_equal(other.uv, one.uv) or one.looks != other.looks, item.name


@pytest.mark.parametrize("family", FAMILIES)
def test_all_parts_are_used_and_uv_is_finite(family):
    mesh = made(family)
    assert set(mesh.part) == set(range(len(mesh.parts)))
    assert np.isfinite(mesh.uv).all()
    low, high = mesh.bounds
    for point in mesh.keypoints.values():
        assert (np.array(point) >= low - 1e-6).all()
        assert (np.array(point) <= high + 1e-6).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_no_size_is_refused(family):
    kind = parts.find("thing", family)
    size = next(item.name for item in fields(kind) if item.name.endswith("_m"))
    with pytest.raises(InputError, match=f"{family}: {size} is 0"):
        made(family, **{size: 0.0})


def test_volumes_are_those_of_the_closed_forms():
    assert volume(made("box", width_m=0.3, depth_m=0.2, height_m=0.5)) == pytest.approx(0.03)
    assert volume(made("ball", radius_m=0.5, rings=200)) == pytest.approx(4 / 3 * np.pi * 0.125, rel=1e-3)
    assert volume(made("cylinder", radius_m=0.2, height_m=1.0, segments=400)) == pytest.approx(np.pi * 0.04, rel=1e-3)


def test_a_box_can_be_read_from_every_wall():
    mesh = made("box")
    for at in range(0, 24, 4):  # u must grow to the right and v up, as seen from outside
        out, right, up = (mesh.normals[at], *((mesh.vertices[at + k] - mesh.vertices[at]) for k in (1, 3)))
        turn = mesh.uv[at + 1] - mesh.uv[at], mesh.uv[at + 3] - mesh.uv[at]
        sense = np.sign(turn[0][0] * turn[1][1] - turn[0][1] * turn[1][0])
        assert np.dot(np.cross(right, up), out) * sense > 0


@pytest.mark.parametrize(
    ("family", "shape", "said"),
    [
        ("bottle", {"neck": 0.9}, "neck"),
        ("bottle", {"shoulder": 0.6}, "no body"),
        ("bowl", {"wall": 0.5}, "wall"),
        ("table", {"leg_m": 0.5}, "do not fit"),
        ("shelf", {"boards": 90}, "90 boards"),
        ("crate", {"wall_m": 0.2}, "no room"),
        ("mug", {"wall_m": 0.02}, "thinner"),
        ("book", {"cover_m": 0.02}, "no pages"),
        ("soil", {"cells": 2}, "8 to 400"),
        ("plant", {"droop": 9.0}, "droop 9.0"),
        ("rock", {"rough": 0.9}, "0 to 0.5"),
        ("branch", {"twigs": -1}, "twigs"),
        ("figure", {"build": 9.0}, "build 9.0"),
        ("deer", {"head_down": 2.0}, "share from 0 to 1"),
        ("road", {"lanes": 0}, "1 to 8"),
        ("house", {"windows": 12}, "1.2 m of front"),
        ("tree", {"clumps": 0}, "clumps"),
        ("car", {"body": "tank"}, "saloon, hatchback, van"),
        ("car", {"wheel_m": 0.9}, "wheels of 0.9"),
        ("panel", {"defect": "scrach"}, 'did you mean "scratch"'),
        ("panel", {"size_m": 0.19}, "smaller"),
        ("gear", {"broken": 20}, "at most half"),
        ("bolt", {"length_m": 0.01}, "longer"),
    ],
)
def test_impossible_shapes_are_refused(family, shape, said):
    with pytest.raises(InputError, match=said):
        made(family, **shape)


@pytest.mark.parametrize("defect", ["scratch", "dent", "pits", "crack", "stain"])
def test_a_defect_is_a_part_of_the_face_as_large_and_deep_as_asked(defect):
    mesh = made("panel", defect=defect, size_m=0.05, narrow_m=0.003, sunk_m=0.001, turn_deg=0.0)
    face = mesh.vertices[mesh.faces[mesh.part == mesh.parts.index("defect")]].astype(float)
    reach = face.reshape(-1, 3).max(0) - face.reshape(-1, 3).min(0)
    assert reach[0] == pytest.approx(0.05, rel=0.35)
    whole = np.linalg.norm(np.cross(face[:, 1] - face[:, 0], face[:, 2] - face[:, 0]), axis=1).sum() / 2
    assert 0 < whole < 0.05**2
    deepest = 0.008 - face[..., 2].min()
    assert deepest == pytest.approx({"stain": 0.0, "crack": 0.006}.get(defect, 0.001), rel=0.15, abs=1e-7)
    rest = mesh.vertices[mesh.faces[mesh.part == mesh.parts.index("face")]]
    assert rest[..., 2].mean(axis=1).min() > 0.008 - 0.4 * max(deepest, 1e-6)  # but for corners at the rim
    assert "defect" not in made("panel", defect="none").parts


def test_broken_teeth_are_a_part_and_shorter():
    whole, broken = made("gear"), made("gear", broken=3)
    assert "break" not in whole.parts
    torn = broken.vertices[broken.faces[broken.part == broken.parts.index("break")]]
    assert np.hypot(*torn[..., :2].reshape(-1, 2).T).max() < 0.0595
    assert volume(broken) < volume(whole)


def test_a_figure_is_as_tall_as_asked_and_its_keypoints_are_those_of_coco():
    mesh = made("figure", height_m=1.6)
    assert mesh.bounds[1][2] == pytest.approx(1.6, rel=0.03)
    assert len(mesh.keypoints) == 17
    assert mesh.keypoints["left_wrist"][0] > 0 > mesh.keypoints["right_wrist"][0]


def test_shelves_and_lanes_are_where_things_stand():
    boards = [surface for surface in made("shelf", boards=5).surfaces if surface.name.startswith("board")]
    assert len(boards) == 5
    lanes = {surface.name: surface.centre[0] for surface in made("road", lanes=3).surfaces if "lane" in surface.name}
    assert lanes["lane1"] < lanes["lane2"] < lanes["lane3"]
