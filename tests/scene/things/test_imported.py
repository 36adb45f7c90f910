"""Models of the user: cubes whose every number is known, in each format."""

import numpy as np
import pytest
from scene.models import CORNERS, cube_glb, cube_obj, cube_ply

from tuckpoint.errors import InputError
from tuckpoint.scene.pieces import smoothed, triangles
from tuckpoint.scene.scene import Texture
from tuckpoint.scene.texture import baked
from tuckpoint.scene.things.imported import Model


def volume(mesh):
    a, b, c = mesh.vertices[mesh.faces].astype(float).transpose(1, 0, 2)
    return float((np.cross(a, b) * c).sum() / 6)


def flat(mesh):
    """Unit normals of the faces."""
    a, b, c = mesh.vertices[mesh.faces].astype(float).transpose(1, 0, 2)
    across = np.cross(b - a, c - a)
    return across / np.linalg.norm(across, axis=1, keepdims=True)


def test_an_obj_keeps_materials_textures_and_size(tmp_path):
    mesh = Model(str(cube_obj(tmp_path / "cube.obj")), scale=0.5).mesh()
    assert volume(mesh) == pytest.approx(1)
    assert np.allclose(mesh.bounds, [[-0.5, -0.5, 0], [0.5, 0.5, 1]])
    assert set(mesh.parts) == {"side", "lid"}
    assert mesh.looks["lid"] == {"colour": [0.8, 0.1, 0.1], "roughness": 0.2, "metallic": 0.9}
    assert mesh.looks["side"]["texture"] == {"kind": "image", "settings": {"path": str(tmp_path / "skin.png")}}
    lid = mesh.faces[mesh.part == mesh.parts.index("lid")]
    assert np.allclose(mesh.vertices[lid][..., 2], 1)
    assert np.allclose(mesh.normals[mesh.faces], flat(mesh)[:, None])  # edges of a cube stay sharp
    assert {tuple(uv) for uv in mesh.uv.tolist()} == {(0, 0), (1, 0), (1, 1), (0, 1)}


@pytest.mark.parametrize("kind", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_a_ply_is_the_same_in_text_and_both_byte_orders(tmp_path, kind):
    mesh = Model(str(cube_ply(tmp_path / "cube.ply", kind)), centred=False).mesh()
    assert volume(mesh) == pytest.approx(1)
    assert np.allclose(mesh.bounds, [[0, 0, 0], [1, 1, 1]])
    assert np.allclose(mesh.looks["all"]["colour"], ((188 / 255 + 0.055) / 1.055) ** 2.4, atol=1e-3)


def test_a_glb_is_turned_upright_and_moved_by_its_nodes(tmp_path):
    node = {"translation": [0, 3, 0], "scale": [1, 2, 1]}
    mesh = Model(str(cube_glb(tmp_path / "cube.glb", node=node)), centred=False).mesh()
    assert np.allclose(mesh.bounds, [[0, -1, 3], [1, 0, 5]])  # y is up there
    assert volume(mesh) == pytest.approx(2)
    assert np.allclose(mesh.normals[mesh.faces], flat(mesh)[:, None], atol=1e-6)
    assert mesh.looks["skin"]["metallic"] == 0.25
    picture = baked(Texture(**mesh.looks["skin"]["texture"]))
    assert (picture == [255, 0, 0]).all()


def test_a_mirrored_node_still_faces_out(tmp_path):
    mesh = Model(str(cube_glb(tmp_path / "cube.glb", node={"scale": [-1, 1, 1]}))).mesh()
    assert volume(mesh) == pytest.approx(1)
    assert np.allclose(mesh.normals[mesh.faces], flat(mesh)[:, None], atol=1e-6)


def test_smoothing_follows_the_angle():
    angle = np.linspace(0, np.pi / 2, 10)
    ring = np.array([[np.cos(a), np.sin(a), z] for z in (0, 1) for a in angle])
    faces = np.array([f for k in range(9) for f in ([k, k + 1, k + 11], [k, k + 11, k + 10])])
    round_, cornered = (smoothed(ring, faces, degrees) for degrees in (30, 5))
    inner = np.isin(faces, np.r_[1:9, 11:19])
    out = ring[faces] * [1, 1, 0]
    assert np.einsum("fck,fck->fc", round_, out)[inner].min() > 0.999
    assert np.allclose(cornered[:, 0], cornered[:, 1])


def test_a_concave_polygon_is_filled_and_not_crossed():
    star = np.array(
        [[np.cos(t) * r, np.sin(t) * r, 0] for t, r in zip(np.arange(10) * np.pi / 5, [1, 0.3] * 5, strict=True)]
    )
    for points in (star, star[:, [2, 0, 1]], star[:, [1, 2, 0]]):
        cut = triangles(range(10), points)
        a, b, c = points[np.array(cut)].transpose(1, 0, 2)
        areas = np.cross(b - a, c - a) / 2
        whole = np.cross(points, np.roll(points, -1, axis=0)).sum(0) / 2
        assert len(cut) == 8
        assert np.allclose(areas.sum(0), whole)
        assert np.linalg.norm(areas, axis=1).sum() == pytest.approx(np.linalg.norm(whole))  # none is turned over


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


CASES = {
    "missing": (lambda folder: folder / "no.obj", "no file"),
    "suffix": (lambda folder: write(folder / "x.objj", "v 0 0 0"), 'did you mean ".obj"'),
    "pointer": (lambda folder: write(folder / "x.glb", "version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"),
    "no faces": (lambda folder: write(folder / "x.obj", "v 0 0 0\nv 1 0 0\n"), "no faces"),
    "nan": (lambda folder: write(folder / "x.obj", "v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"), "1 vertices are not"),
    "number": (lambda folder: write(folder / "x.obj", "v 0 0 zero\n"), "line 1"),
    "index": (lambda folder: write(folder / "x.obj", "v 0 0 0\nv 1 0 0\nf 1 2 9\n"), "not there"),
    "no size": (lambda folder: write(folder / "x.obj", "v 1 1 1\n" * 3 + "f 1 2 3\n"), "no size"),
    "cut text": (lambda folder: cube_ply(folder / "x.ply", cut=9), "cut short"),
    "cut bytes": (lambda folder: cube_ply(folder / "x.ply", "binary_little_endian", cut=9), "cut short"),
    "no ply": (lambda folder: write(folder / "x.ply", "solid x"), "cut short or damaged"),
    "no gltf": (lambda folder: write(folder / "x.gltf", "{}"), "no glTF 2"),
    "draco": (lambda folder: cube_glb(folder / "x.glb", required=["KHR_draco_mesh_compression"]), "KHR_draco_mesh"),
    "sparse": (lambda folder: cube_glb(folder / "x.glb", sparse=True), "sparse"),
    "short": (lambda folder: write(folder / "x.glb", cube_glb(folder / "y.glb").read_bytes()[:300]), "bytes"),
    "outside": (
        lambda folder: write(
            folder / "x.gltf",
            '{"asset": {"version": "2.0"}, "nodes": [{"mesh": 0}], "meshes": [{"primitives": [{"attributes": '
            '{"POSITION": 0}}]}], "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}], '
            '"bufferViews": [{"buffer": 0, "byteLength": 36}], "buffers": [{"uri": "../../a.bin", "byteLength": 36}]}',
        ),
        "outside its folder",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_read_is_refused(case, tmp_path):
    make, said = CASES[case]
    with pytest.raises(InputError, match=said):
        Model(str(make(tmp_path))).mesh()


@pytest.mark.parametrize("shape", [{"scale": 0.0}, {"scale": -1.0}])
def test_a_scale_must_be_above_nothing(tmp_path, shape):
    with pytest.raises(InputError, match="scale"):
        Model(str(cube_obj(tmp_path / "cube.obj")), **shape).mesh()


def test_parts_of_one_name_stay_apart(tmp_path):
    text = "\n".join(f"v {x} {y} {z}" for x, y, z in CORNERS)
    path = write(tmp_path / "x.obj", f"{text}\nusemtl a b\nf 1 3 4\nusemtl a.b\nf 5 6 8\n")
    assert Model(str(path)).mesh().parts == ("a_b", "a_b-2")
