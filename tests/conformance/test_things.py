"""What every family of things promises."""

from dataclasses import fields

import numpy as np
import pytest

from tuckpoint import parts
from tuckpoint.errors import InputError
from tuckpoint.settings import build, plain

FAMILIES = tuple(name for name in parts.names("thing") if name != "mesh")  # what that is, a file tells
STANDING = [name for name in FAMILIES if name != "plane"]


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


@pytest.mark.parametrize("family", STANDING)
def test_it_stands_on_the_ground_about_the_origin(family):
    low, high = made(family).bounds
    assert low[2] == pytest.approx(0, abs=1e-6)
    assert np.allclose(low[:2], -high[:2], atol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_setting_moves_the_mesh(family):
    plain_one = made(family)
    kind = parts.find("thing", family)
    for item in fields(kind):
        value = plain(kind())[item.name]
        other = made(family, **{item.name: value + 8 if isinstance(value, int) else value * 1.2})
        same = other.vertices.shape == plain_one.vertices.shape and np.array_equal(other.vertices, plain_one.vertices)
        assert not same or not np.array_equal(other.uv, plain_one.uv), item.name


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
    [("bottle", {"neck": 0.9}, "neck"), ("bottle", {"shoulder": 0.6}, "no body"), ("bowl", {"wall": 0.5}, "wall")],
)
def test_impossible_shapes_are_refused(family, shape, said):
    with pytest.raises(InputError, match=said):
        made(family, **shape)
