# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene of Blender out of arrays and numbers. World and units are the same: metres, z up, linear colours."""

import math
from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np

FLIP = np.diag([1.0, -1.0, -1.0, 1.0])  # a camera of Blender looks along -z, its y goes up
SUN_ANGLE = math.radians(0.533)  # the sun's mean apparent diameter
INDEX_OF_REFRACTION = 1.5
NEAR_M, FAR_M = 1e-4, 1e6


def cleared() -> bpy.types.Scene:
    """The one scene, emptied of all that was built before."""
    scene = bpy.context.scene
    data = bpy.data
    for shelf in (data.objects, data.meshes, data.materials, data.images, data.lights, data.cameras, data.worlds,
                  data.shape_keys, data.actions):  # fmt: skip
        data.batch_remove(list(shelf))
    return scene


def build(asked: Mapping[str, Any], arrays: Mapping[str, np.ndarray], *, moving: bool) -> bpy.types.Scene:
    """All of a scene; with its neighbour frames if it is `moving`. The picture's frame is frame 1."""
    scene = cleared()
    scene.frame_start, scene.frame_end = 0, 2
    images = {name: _image(name, array) for name, array in arrays.items() if name.startswith("texture")}
    materials = [_material(entry, images) for entry in asked["materials"]]
    _things(scene, asked, arrays, materials, moving=moving)
    _camera(scene, asked, arrays["camera"], moving=moving)
    _lights(scene, asked)
    _sky(scene, asked["sky"], arrays.get("sky"))
    scene.frame_set(1)
    return scene


def _image(name: str, codes: np.ndarray) -> bpy.types.Image:
    """A picture (h, w, 3) uint8 sRGB, whose first row is the top one."""
    height, width = codes.shape[:2]
    image = bpy.data.images.new(name, width, height, alpha=False, float_buffer=False)
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = codes[::-1] / np.float32(255)
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    return image


def _material(entry: Mapping[str, Any], images: Mapping[str, bpy.types.Image]) -> bpy.types.Material:
    made = bpy.data.materials.new("surface")
    tree = made.node_tree
    if tree is None:  # before Blender 5 a material had no nodes until it was told so
        made.use_nodes = True
        tree = made.node_tree
    tree.nodes.clear()
    out = tree.nodes.new("ShaderNodeOutputMaterial")
    surface = tree.nodes.new("ShaderNodeBsdfPrincipled")
    colour = (*entry["colour"], 1.0)
    surface.inputs["Base Color"].default_value = colour
    surface.inputs["Roughness"].default_value = entry["roughness"]
    surface.inputs["Metallic"].default_value = entry["metallic"]
    surface.inputs["IOR"].default_value = INDEX_OF_REFRACTION
    surface.inputs["Transmission Weight"].default_value = entry["transmission"]
    if entry["texture"] is not None:
        picture = tree.nodes.new("ShaderNodeTexImage")
        picture.image = images[entry["texture"]]
        times = tree.nodes.new("ShaderNodeVectorMath")
        times.operation = "MULTIPLY"
        times.inputs[1].default_value = colour[:3]
        tree.links.new(picture.outputs["Color"], times.inputs[0])
        tree.links.new(times.outputs[0], surface.inputs["Base Color"])
    shader = surface.outputs[0]
    if entry["transmission"] > 0:
        shader = _lets_light_through(tree, shader, entry["transmission"], colour)
    tree.links.new(shader, out.inputs["Surface"])
    return made


def _lets_light_through(tree: Any, shader: Any, share: float, colour: tuple[float, ...]) -> Any:
    """Straight through for shadow rays, since without caustics clear glass would throw a black shadow."""
    path = tree.nodes.new("ShaderNodeLightPath")
    times = tree.nodes.new("ShaderNodeMath")
    times.operation = "MULTIPLY"
    times.inputs[1].default_value = share
    clear = tree.nodes.new("ShaderNodeBsdfTransparent")
    clear.inputs["Color"].default_value = colour
    mixed = tree.nodes.new("ShaderNodeMixShader")
    tree.links.new(path.outputs["Is Shadow Ray"], times.inputs[0])
    tree.links.new(times.outputs[0], mixed.inputs[0])
    tree.links.new(shader, mixed.inputs[1])
    tree.links.new(clear.outputs[0], mixed.inputs[2])
    return mixed.outputs[0]


def _things(scene: Any, asked: Mapping[str, Any], arrays: Mapping[str, np.ndarray], materials: list[Any], *,
            moving: bool) -> None:  # fmt: skip
    """One object per instance. Vertices are in the world already, (frames, v, 3)."""
    faces, instance, material = arrays["faces"], arrays["instance"], arrays["material"]
    frames = arrays["vertices"]
    whole = (faces != np.roll(faces, 1, axis=1)).all(axis=1)  # Blender may crash on a face with a corner twice
    order = np.flatnonzero(whole)[np.argsort(instance[whole], kind="stable")]
    numbers, firsts = np.unique(instance[order], return_index=True)
    for number, rows in zip(numbers, np.split(order, firsts[1:]), strict=True):
        used, corners = np.unique(faces[rows], return_inverse=True)
        slots, slot_of = np.unique(material[rows], return_inverse=True)
        mesh = _mesh(
            frames[asked["now"]][used], arrays["normals"][used], arrays["uv"][used], corners.reshape(-1, 3), slot_of
        )
        for slot in slots:
            mesh.materials.append(materials[slot])
        thing = bpy.data.objects.new(f"thing {number}", mesh)
        thing.pass_index = int(number)
        scene.collection.objects.link(thing)
        if moving and len(frames) > 1:
            _moved(thing, frames[:, used], asked["now"])


def _mesh(vertices: np.ndarray, normals: np.ndarray, uv: np.ndarray, faces: np.ndarray, slot: np.ndarray) -> Any:
    mesh = bpy.data.meshes.new("mesh")
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", vertices.ravel())
    mesh.loops.add(faces.size)
    mesh.loops.foreach_set("vertex_index", faces.ravel().astype(np.int32))
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, 3, dtype=np.int32))
    mesh.polygons.foreach_set("material_index", slot.astype(np.int32))
    layer = mesh.uv_layers.new(name="uv")
    layer.uv.foreach_set("vector", uv[faces.ravel()].astype(np.float32).ravel())
    mesh.update(calc_edges=True)
    mesh.normals_split_custom_set_from_vertices(normals)
    return mesh


def _moved(thing: Any, frames: np.ndarray, now: int) -> None:
    """True motion: a shape for each frame that has its whole weight there and none in the frames beside it."""
    if (frames == frames[:1]).all():
        return
    thing.shape_key_add(name="now", from_mix=False)
    for place, vertices in enumerate(frames):
        if place == now:
            continue
        key = thing.shape_key_add(name=f"frame {place}", from_mix=False)
        key.data.foreach_set("co", vertices.ravel())
        at = 1 + place - now
        for frame in (0, 1, 2):
            key.value = float(frame == at)
            key.keyframe_insert("value", frame=frame)
    _straight(thing.data.shape_keys)


def _straight(animated: Any) -> None:
    """Linear between keys."""
    for bag in animated.animation_data.action.layers[0].strips[0].channelbags:
        for curve in bag.fcurves:
            for point in curve.keyframe_points:
                point.interpolation = "LINEAR"


def _camera(scene: Any, asked: Mapping[str, Any], poses: np.ndarray, *, moving: bool) -> None:
    """A pinhole of these focal lengths and principal point; poses (frames, 4, 4) are world from camera, y down."""
    width, height = asked["size"]
    (fx, fy), (cx, cy) = asked["focal"], asked["centre"]
    lens = bpy.data.cameras.new("camera")
    lens.sensor_fit, lens.sensor_width = "HORIZONTAL", 36.0
    lens.lens = fx / width * lens.sensor_width
    # Shifts are in widths of the picture along both axes; Blender counts the vertical one in square pixels.
    lens.shift_x, lens.shift_y = (width / 2 - cx) / width, (cy - height / 2) * (fx / fy) / width
    lens.clip_start, lens.clip_end = NEAR_M, FAR_M
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    # A pixel is 1/fx wide and 1/fy high.
    scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = max(fy / fx, 1.0), max(fx / fy, 1.0)
    camera = bpy.data.objects.new("camera", lens)
    scene.collection.objects.link(camera)
    scene.camera = camera
    camera.rotation_mode = "QUATERNION"
    for place, pose in enumerate(poses):
        if place != asked["now"] and not moving:
            continue
        camera.matrix_world = (pose @ FLIP).T  # columns become rows: foreach order of mathutils
        if moving and len(poses) > 1:
            for path in ("location", "rotation_quaternion"):
                camera.keyframe_insert(path, frame=1 + place - asked["now"])
    if moving and len(poses) > 1:
        _straight(camera)


def _lights(scene: Any, asked: Mapping[str, Any]) -> None:
    sun = asked["sun"]
    if sun is not None:
        light = bpy.data.lights.new("sun", "SUN")
        light.energy, light.color, light.angle = sun["irradiance"], sun["colour"], SUN_ANGLE
        _place(scene, light, (0.0, 0.0, 0.0), [-value for value in sun["towards"]])
    for lamp in asked["lamps"]:
        light = bpy.data.lights.new("lamp", "AREA")
        light.shape, light.size = "SQUARE", lamp["size_m"]
        light.energy, light.color = lamp["power_w"], lamp["colour"]
        _place(scene, light, lamp["position"], lamp["facing"])


def _place(scene: Any, light: Any, position: Any, facing: Any) -> None:
    from mathutils import Vector

    lamp = bpy.data.objects.new(light.name, light)
    lamp.location = position
    lamp.rotation_mode = "QUATERNION"
    lamp.rotation_quaternion = Vector(facing).to_track_quat("-Z", "Y")
    lamp.visible_camera = False  # it is no thing, so no label knows it
    scene.collection.objects.link(lamp)


def _sky(scene: Any, sky: Mapping[str, Any], panorama: np.ndarray | None) -> None:
    world = bpy.data.worlds.new("sky")
    scene.world = world
    tree = world.node_tree
    if tree is None:
        world.use_nodes = True
        tree = world.node_tree
    tree.nodes.clear()
    out = tree.nodes.new("ShaderNodeOutputWorld")
    light = tree.nodes.new("ShaderNodeBackground")
    light.inputs["Strength"].default_value = sky["strength"]
    way = tree.nodes.new("ShaderNodeTexCoord").outputs["Generated"]
    colour = _gradient(tree, sky, way) if panorama is None else _environment(tree, sky, way, panorama)
    tree.links.new(colour, light.inputs["Color"])
    tree.links.new(light.outputs[0], out.inputs["Surface"])
    # A smooth gradient is found well enough by the bounces alone: all shadow rays are then left for sun and lamps,
    # which took a quarter off the time and a tenth off the noise. A map may hold a sun.
    world.cycles.sampling_method = "NONE" if panorama is None else "MANUAL"
    world.cycles.sample_map_resolution = 512


def _gradient(tree: Any, sky: Mapping[str, Any], way: Any) -> Any:
    """The horizon towards the zenith with the root of the height, towards the ground with its power 0.35."""
    parts = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(way, parts.inputs[0])

    def part(sign: float, power: float, colour: Any, below: Any) -> Any:
        """`below`, mixed with a colour by the clipped height to a power."""
        height = tree.nodes.new("ShaderNodeMath")
        height.operation, height.use_clamp = "MULTIPLY", True
        height.inputs[1].default_value = sign
        tree.links.new(parts.outputs["Z"], height.inputs[0])
        raised = tree.nodes.new("ShaderNodeMath")
        raised.operation = "POWER"
        raised.inputs[1].default_value = power
        tree.links.new(height.outputs[0], raised.inputs[0])
        mixed = tree.nodes.new("ShaderNodeMix")
        mixed.data_type = "RGBA"
        sockets = {socket.identifier: socket for socket in mixed.inputs}
        tree.links.new(raised.outputs[0], sockets["Factor_Float"])
        if below is None:
            sockets["A_Color"].default_value = (*sky["horizon"], 1.0)
        else:
            tree.links.new(below, sockets["A_Color"])
        sockets["B_Color"].default_value = (*colour, 1.0)
        return next(socket for socket in mixed.outputs if socket.identifier == "Result_Color")

    return part(-1.0, 0.35, sky["ground"], part(1.0, 0.5, sky["zenith"], None))


def _environment(tree: Any, sky: Mapping[str, Any], way: Any, panorama: np.ndarray) -> Any:
    """A map whose middle column looks along +y; that of Blender looks along +x."""
    turn = tree.nodes.new("ShaderNodeVectorRotate")
    turn.rotation_type = "Z_AXIS"
    turn.inputs["Angle"].default_value = -math.pi / 2 - math.radians(sky["turn_deg"])
    tree.links.new(way, turn.inputs["Vector"])
    picture = tree.nodes.new("ShaderNodeTexEnvironment")
    picture.image = _image("sky", panorama)
    tree.links.new(turn.outputs[0], picture.inputs["Vector"])
    return picture.outputs["Color"]
