# SPDX-License-Identifier: GPL-3.0-or-later
"""The yardstick of `bench.scenes.blender`: the same scenes by plain `bpy`, written the obvious way.

`python plain.py FOLDER...`: each folder holds scene.npz and asked.json, as the worker gets them. One render a frame
gives the picture (16 samples, denoised) and all passes that labels can be taken from; all settings else are Blender's.
"""

import json
import math
import sys
from pathlib import Path

import bpy
import numpy as np
import OpenEXR
from mathutils import Matrix, Vector

PASSES = ("z", "normal", "vector", "uv", "object_index", "material_index", "diffuse_color", "cryptomatte_object")


def things(scene, asked, arrays):
    """One object per instance, from lists."""
    images = {}
    for name in arrays:
        if name.startswith("texture"):
            height, width = arrays[name].shape[:2]
            images[name] = bpy.data.images.new(name, width, height)
            rgba = np.ones((height, width, 4), np.float32)
            rgba[..., :3] = arrays[name][::-1] / 255
            images[name].pixels = rgba.ravel().tolist()
    materials = []
    for number, entry in enumerate(asked["materials"]):
        material = bpy.data.materials.new(f"material {number}")
        material.pass_index = number
        surface = material.node_tree.nodes["Principled BSDF"]
        surface.inputs["Base Color"].default_value = (*entry["colour"], 1)
        surface.inputs["Roughness"].default_value = entry["roughness"]
        surface.inputs["Metallic"].default_value = entry["metallic"]
        surface.inputs["Transmission Weight"].default_value = entry["transmission"]
        if entry["texture"]:
            picture = material.node_tree.nodes.new("ShaderNodeTexImage")
            picture.image = images[entry["texture"]]
            material.node_tree.links.new(picture.outputs["Color"], surface.inputs["Base Color"])
        materials.append(material)
    for number in np.unique(arrays["instance"]):
        rows = np.flatnonzero(arrays["instance"] == number)
        used, corners = np.unique(arrays["faces"][rows], return_inverse=True)
        mesh = bpy.data.meshes.new(f"thing {number}")
        mesh.from_pydata(arrays["vertices"][asked["now"]][used].tolist(), [], corners.reshape(-1, 3).tolist())
        layer = mesh.uv_layers.new()
        for loop in mesh.loops:
            layer.data[loop.index].uv = arrays["uv"][used[loop.vertex_index]]
        slots = np.unique(arrays["material"][rows]).tolist()
        for slot in slots:
            mesh.materials.append(materials[slot])
        for polygon, slot in zip(mesh.polygons, arrays["material"][rows], strict=True):
            polygon.material_index = slots.index(slot)
        mesh.normals_split_custom_set_from_vertices(arrays["normals"][used].tolist())
        thing = bpy.data.objects.new(mesh.name, mesh)
        thing.pass_index = int(number)
        scene.collection.objects.link(thing)


def surroundings(scene, asked, arrays):
    """Camera, sun and sky."""
    width, height = asked["size"]
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.lens = asked["focal"][0] / width * camera.data.sensor_width
    camera.matrix_world = Matrix((arrays["camera"][asked["now"]] @ np.diag([1, -1, -1, 1])).tolist())
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.render.resolution_x, scene.render.resolution_y = width, height
    if asked["sun"]:
        sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
        sun.data.energy, sun.data.color = asked["sun"]["irradiance"], asked["sun"]["colour"]
        sun.data.angle = math.radians(0.53)
        sun.rotation_euler = Vector(asked["sun"]["towards"]).to_track_quat("Z", "Y").to_euler()
        scene.collection.objects.link(sun)
    world = bpy.data.worlds.new("sky")
    scene.world = world
    tree = world.node_tree
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    ends = ramp.color_ramp.elements
    ends[0].color, ends[1].color = (*asked["sky"]["ground"], 1), (*asked["sky"]["zenith"], 1)
    ends.new(0.5).color = (*asked["sky"]["horizon"], 1)
    parts = tree.nodes.new("ShaderNodeSeparateXYZ")
    half = tree.nodes.new("ShaderNodeMath")
    half.operation = "MULTIPLY_ADD"
    half.inputs[1].default_value = half.inputs[2].default_value = 0.5
    tree.links.new(tree.nodes.new("ShaderNodeTexCoord").outputs["Generated"], parts.inputs[0])
    tree.links.new(parts.outputs["Z"], half.inputs[0])
    tree.links.new(half.outputs[0], ramp.inputs[0])
    background = next(node for node in tree.nodes if node.type == "BACKGROUND")
    background.inputs["Strength"].default_value = asked["sky"]["strength"]
    tree.links.new(ramp.outputs["Color"], background.inputs["Color"])


def render(folder):
    """One frame: build, render, read every layer."""
    asked = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
    with np.load(folder / "scene.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    things(scene, asked, arrays)
    surroundings(scene, asked, arrays)
    scene.render.engine = "CYCLES"
    scene.render.threads_mode, scene.render.threads = "FIXED", 1
    scene.cycles.samples, scene.cycles.use_denoising = asked["samples"], True
    for name in PASSES:
        setattr(scene.view_layers[0], f"use_pass_{name}", True)
    scene.render.image_settings.media_type = "MULTI_LAYER_IMAGE"
    scene.render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
    scene.render.image_settings.color_depth = "32"
    scene.render.filepath = str(folder / "plain.exr")
    bpy.ops.render.render(write_still=True)
    with OpenEXR.File(str(folder / "plain.exr"), separate_channels=True) as file:
        layers = {name: channel.pixels for part in file.parts for name, channel in part.channels.items()}
    np.savez(folder / "plain.npz", **{name.replace("/", "-"): array for name, array in layers.items()})


for place in sys.argv[1:]:
    render(Path(place))
