import io
import json
import math
import struct
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from write.handmade import hand_set, item, stays_inside

from tuckpoint.errors import InputError
from tuckpoint.record import canonical
from tuckpoint.scene.plain import read
from tuckpoint.scene.renderers.raycast import Raycast
from tuckpoint.scene.scene import Camera, Lamp, Material, Pose, Scene, Sun, Texture, Thing, looking, turned
from tuckpoint.scene.stage import mesh_of, staged
from tuckpoint.write.gltf import glb, gltf

CHECKS = Material((1.0, 0.5, 0.25), 0.4, 0.1, 0.0, Texture("checker", {"size": 16}))
GLASS = Material((0.9, 0.9, 1.0), 0.05, 0.0, 0.8)
CAN = {"height_m": 0.2, "radius_m": 0.05}
THINGS = (
    Thing("board", "box", {"width_m": 1.0, "depth_m": 0.5, "height_m": 0.1}, {"all": CHECKS}, (Pose((0, 0, -0.1)),)),
    Thing("can.0", "can", CAN, dict.fromkeys(("base", "side", "rim", "lid"), GLASS),
          (Pose((0.1, 0.2, 0.0), turned((1, 2, 3), 40)),), "../../evil"),
    Thing("can.1", "can", CAN, {**dict.fromkeys(("base", "rim", "lid"), GLASS), "side": CHECKS},
          (Pose((-0.2, 0.0, 0.0)), Pose((-0.1, 0.0, 0.0), turned((0, 0, 1), 90))), "../../evil"),
)  # fmt: skip
VIEW = Camera(64, 48, (80.0, 70.0), (32.0, 24.0), (looking((1.0, -2.0, 1.0), (0.0, 0.0, 0.1), roll_deg=10),))
LAMP = Lamp((1.0, 1.0, 2.0), (0.0, 0.0, 0.0), 0.4, 50.0)
SCENE = Scene("x", 0, THINGS, VIEW, Sun(30, -60, 2.0), (LAMP,), classes=("../../evil",), frames=2)
TO_GLTF = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])  # y up


def told(data):
    """The JSON and the bytes of a .glb, read by hand from the specification."""
    magic, version, size = struct.unpack_from("<4sII", data)
    assert (magic, version, size) == (b"glTF", 2, len(data))
    length, kind = struct.unpack_from("<I4s", data, 12)
    rest, second = struct.unpack_from("<I4s", data, 20 + length)
    assert (kind, second) == (b"JSON", b"BIN\0")
    assert 28 + length + rest == len(data)
    assert length % 4 == rest % 4 == 0
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def matrix(document, name):
    """World from a node below the node "world"."""
    world = next(node for node in document["nodes"] if node["name"] == "world")
    node = next(node for node in document["nodes"] if node["name"] == name)
    whole = np.eye(4)
    whole[:3, :3] = (Rotation.from_quat(world["rotation"]) * Rotation.from_quat(node["rotation"])).as_matrix()
    whole[:3, 3] = Rotation.from_quat(world["rotation"]).apply(node["translation"])
    return whole


@pytest.fixture(scope="module")
def stage():
    return staged(SCENE)


@pytest.fixture(scope="module")
def made(tmp_path_factory, stage):
    scenes = [canonical(SCENE.to_dict()), None]
    built = {"scenes": scenes, "build": lambda scene: staged(Scene.from_dict(scene))}
    place = tmp_path_factory.mktemp("gltf")
    pictures = hand_set(place / "set", [item("00000003-0000", []), item("00000003-0001", [])], **built)
    (place / "out").mkdir()
    gltf(pictures, place / "out")
    return pictures, place / "out"


@pytest.fixture(scope="module")
def data(made):
    return (made[1] / "scenes" / "00000003.glb").read_bytes()


def test_another_library_finds_every_triangle_where_it_was(data, stage):
    scene = trimesh.load_scene(io.BytesIO(data), file_type="glb")
    found = []
    for name in scene.graph.nodes_geometry:
        place, geometry = scene.graph[name]
        shape = scene.geometry[geometry]
        found.append(trimesh.transform_points(shape.vertices, place)[shape.faces])
    ours = stage.vertices(0)[stage.faces] @ TO_GLTF.T
    theirs = np.concatenate(found)
    assert theirs.shape == ours.shape
    assert np.allclose(theirs.mean(axis=(0, 1)), ours.mean(axis=(0, 1)), atol=1e-5)
    apart, match = cKDTree(ours.reshape(-1, 9)).query(theirs.reshape(-1, 9))
    assert apart.max() < 1e-5
    assert len(set(match.tolist())) == len(ours)


def test_another_library_finds_textures_and_materials(data, stage):
    scene = trimesh.load_scene(io.BytesIO(data), file_type="glb")
    board = next(shape for name, shape in scene.geometry.items() if name.startswith("board"))
    material = board.visual.material
    assert np.array_equal(np.asarray(material.baseColorTexture.convert("RGB")), stage.textures[0])
    assert material.baseColorTexture.text["synthetic"] == "true"
    assert (material.roughnessFactor, material.metallicFactor) == (0.4, 0.1)
    mesh = stage.meshes[0]
    ours = {tuple(row) for row in np.round(np.hstack([mesh.vertices, mesh.uv]).astype(float), 4).tolist()}
    theirs = {tuple(row) for row in np.round(np.hstack([board.vertices, board.visual.uv]).astype(float), 4).tolist()}
    assert theirs == ours


def test_the_camera_sees_what_ours_sees(data):
    document, _ = told(data)
    camera = document["cameras"][0]
    lens = camera["perspective"]
    view = np.linalg.inv(matrix(document, "camera"))
    points = np.array([[0.1, 0.2, 0.3], [-0.3, 0.1, 0.0], [0.0, 0.0, 0.1]])
    seen = (TO_GLTF @ points.T).T @ view[:3, :3].T + view[:3, 3]
    assert (seen[:, 2] < 0).all()  # a camera of glTF looks along its own -z
    up = 1 / math.tan(lens["yfov"] / 2)
    x = up / lens["aspectRatio"] * seen[:, 0] / -seen[:, 2]
    y = up * seen[:, 1] / -seen[:, 2]
    pixels, _ = VIEW.project(points)
    assert np.allclose(np.stack([(x + 1) / 2 * 64, (1 - y) / 2 * 48], axis=1), pixels, atol=1e-6)
    assert camera["extras"]["focal_px"] == [80.0, 70.0]


def test_lights_shine_where_ours_do(data):
    document, _ = told(data)
    sun, lamp = document["extensions"]["KHR_lights_punctual"]["lights"]
    assert (sun["type"], sun["intensity"]) == ("directional", pytest.approx(2.0 * 683))
    assert (lamp["type"], lamp["intensity"]) == ("spot", pytest.approx(50 / math.pi * 683))
    assert lamp["extras"]["size_m"] == 0.4
    up, around = math.radians(30), math.radians(-60)
    towards = np.array([math.cos(up) * math.cos(around), math.cos(up) * math.sin(around), math.sin(up)])
    assert np.allclose(matrix(document, "sun")[:3, :3] @ [0, 0, -1], TO_GLTF @ -towards)
    assert np.allclose(matrix(document, "lamp 0")[:3, 3], TO_GLTF @ [1, 1, 2])
    assert np.allclose(matrix(document, "lamp 0")[:3, :3] @ [0, 0, -1], TO_GLTF @ np.array([-1, -1, -2]) / math.sqrt(6))


@pytest.mark.parametrize("way", [(0, 0, 1), (0, 0, -1), (1, 0, 0), (-0.6, 0.0, -0.8)])
def test_a_lamp_may_face_anywhere(way, stage, made):
    scene = replace(SCENE, lamps=(Lamp(tuple(map(float, np.multiply(way, -2))), (0.0, 0.0, 0.0)),))
    document, _ = told(glb(json.loads(canonical(scene.to_dict())), stage, made[0].about.record))
    assert np.allclose(matrix(document, "lamp 0")[:3, :3] @ [0, 0, -1], TO_GLTF @ way, atol=1e-9)


def test_colours_above_one_are_strength(stage, made):
    scene = replace(SCENE, sun=Sun(30, -60, 2.0, (4.0, 2.0, 1.0)))
    document, _ = told(glb(json.loads(canonical(scene.to_dict())), stage, made[0].about.record))
    sun = document["extensions"]["KHR_lights_punctual"]["lights"][0]
    assert sun["color"] == [1.0, 0.5, 0.25]
    assert sun["intensity"] == pytest.approx(2.0 * 4.0 * 683)


def test_a_sun_below_the_horizon_is_dark(stage, made):
    document, _ = told(glb(json.loads(canonical(replace(SCENE, sun=Sun(-5)).to_dict())), stage, made[0].about.record))
    assert [light["name"] for light in document["extensions"]["KHR_lights_punctual"]["lights"]] == ["lamp 0"]
    dark = replace(SCENE, sun=None, lamps=())
    document, _ = told(glb(json.loads(canonical(dark.to_dict())), stage, made[0].about.record))
    assert "extensions" not in document


def test_what_moves_is_an_animation(data):
    document, rest = told(data)
    (motion,) = document["animations"]
    assert [channel["target"]["path"] for channel in motion["channels"]] == ["translation", "rotation"]
    assert {document["nodes"][channel["target"]["node"]]["name"] for channel in motion["channels"]} == {"can.1"}

    def numbers(index):
        accessor = document["accessors"][index]
        view = document["bufferViews"][accessor["bufferView"]]
        part = rest[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        return np.frombuffer(part, np.float32).reshape(accessor["count"], -1)

    moved, turned_by = (numbers(sampler["output"]) for sampler in motion["samplers"])
    assert np.allclose(numbers(motion["samplers"][0]["input"]).ravel(), [0.0, 0.1])
    assert np.allclose(moved, [[-0.2, 0, 0], [-0.1, 0, 0]])
    assert np.allclose(turned_by, [[0, 0, 0, 1], [0, 0, math.sqrt(0.5), math.sqrt(0.5)]])


def test_the_rules_of_the_format(data):
    document, rest = told(data)
    assert document["extensionsUsed"] == ["KHR_lights_punctual", "KHR_materials_transmission"]
    for view in document["bufferViews"]:
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= document["buffers"][0]["byteLength"] <= len(rest)
    shared = [mesh["primitives"][0]["attributes"]["POSITION"] for mesh in document["meshes"]]
    assert shared[1] == shared[2] != shared[0]  # two cans of one shape
    assert len(document["images"]) == 1
    glass = document["materials"][document["meshes"][1]["primitives"][0]["material"]]
    assert glass["extensions"]["KHR_materials_transmission"]["transmissionFactor"] == 0.8


def test_the_stamp_and_hostile_names(made, data):
    pictures, out = made
    document, _ = told(data)
    digest = pictures.about.record.digest()
    assert document["asset"]["extras"] == {"synthetic": True, "tuckpoint_record": digest}
    assert document["nodes"][2]["extras"]["class"] == "../../evil"
    assert [path.name for path in (out / "scenes").iterdir()] == ["00000003.glb"]  # once, for both frames
    assert (out / "record.json").is_file()
    assert stays_inside(out)


def test_without_shapes_there_is_no_file(tmp_path):
    pictures = hand_set(tmp_path / "set", [item("00000000", [])], scenes=[canonical(SCENE.to_dict())])
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="glTF needs the shapes of things"):
        gltf(pictures, tmp_path / "out")


def test_where_a_sky_lies_on_the_disk_is_not_told(stage, made):
    scene = replace(SCENE, sky=replace(SCENE.sky, map="/home/me/noon.png"))
    document, _ = told(glb(json.loads(canonical(scene.to_dict())), stage, made[0].about.record))
    assert document["scenes"][0]["extras"]["sky"]["map"] == "noon.png"


def test_rendered_from_the_file_the_labels_are_the_same(made):
    file = {"file": str(made[1] / "scenes" / "00000003.glb"), "centred": False}
    materials = {part: read(Material, look, part) for part, look in mesh_of("mesh", file).looks.items()}
    again = replace(SCENE, things=(Thing("all", "mesh", file, materials),), frames=1)
    ours, theirs = (Raycast().render(staged(scene), 0, shaded=False) for scene in (SCENE, again))
    assert np.array_equal(ours.depth, theirs.depth)
    for name in ("albedo", "roughness", "metallic", "normal", "uv"):
        assert np.allclose(getattr(ours, name), getattr(theirs, name), atol=1e-5)
    assert ours.albedo.std() > 0.05
