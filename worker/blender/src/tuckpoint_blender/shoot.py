# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders what was asked and hands it back as arrays: the light, or Cycles' own labels at the centres of pixels."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from tuckpoint_blender.build import build

KINDS = ("OPTIX", "CUDA", "HIP", "ONEAPI", "METAL")


class RefusedError(Exception):
    """What was asked cannot be done here, and no retry will help."""


def version() -> str:
    """The version of Blender."""
    return str(bpy.app.version_string)


def memory_mb() -> float:
    """Resident memory now, in MB; the most there ever was where the system does not tell."""
    if sys.platform == "win32":
        return 0.0  # there the number of scenes alone recycles a worker
    import resource

    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / 1e6 if sys.platform == "darwin" else most / 1e3
    return pages * resource.getpagesize() / 1e6


def shoot(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Render the scene in a folder and write OUT.npz there; says on what device."""
    folder = Path(asked["folder"])
    with np.load(folder / "scene.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    passes = asked["what"] == "passes"
    scene = build(asked, arrays, moving=passes)
    device = _settings(scene, asked)
    (_labels if passes else _light)(scene, asked)
    _output(scene, folder / "out.exr", layers=passes)
    bpy.ops.render.render(write_still=True, scene=scene.name)
    found = _read(folder / "out.exr")
    made = _passes(found, asked) if passes else {"radiance": found["radiance"]}
    np.savez(folder / "out.npz", **made)
    return {"device": device}


def _settings(scene: Any, asked: Mapping[str, Any]) -> str:
    """What holds for both kinds of pictures; returns the device."""
    scene.render.engine = "CYCLES"
    scene.render.threads_mode, scene.render.threads = "FIXED", 1
    scene.render.use_persistent_data = False
    scene.render.use_compositing = scene.render.use_sequencer = False
    scene.render.use_motion_blur = False
    scene.render.film_transparent = False
    scene.view_settings.exposure = 0.0
    cycles = scene.cycles
    cycles.use_adaptive_sampling = False
    cycles.use_light_tree = False
    cycles.seed = asked["seed"] % 2**31
    device = _device(asked["device"])
    cycles.device = "CPU" if device == "CPU" else "GPU"
    return device


def _device(asked: str) -> str:
    if asked == "cpu":
        return "CPU"
    about = bpy.context.preferences.addons["cycles"].preferences
    for kind in KINDS:
        try:
            about.compute_device_type = kind
        except TypeError:  # not in this build
            continue
        about.refresh_devices()
        fit = [device for device in about.devices if device.type == kind]
        for device in about.devices:
            device.use = device in fit
        if fit:
            return kind
    if asked == "gpu":
        raise RefusedError('device is "gpu", and Cycles finds none here; use "auto" or "cpu"')
    return "CPU"


def _light(scene: Any, asked: Mapping[str, Any]) -> None:
    cycles = scene.cycles
    cycles.samples = asked["samples"]
    cycles.max_bounces = asked["bounces"]
    cycles.diffuse_bounces = min(asked["bounces"], 3)
    cycles.glossy_bounces = min(asked["bounces"], 3)
    cycles.transmission_bounces = asked["bounces"]
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", 1.5
    cycles.use_denoising = asked["denoise"]
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    cycles.denoising_prefilter = "FAST"
    cycles.denoising_quality = asked["denoise_quality"]
    cycles.denoising_use_gpu = scene.cycles.device == "GPU"
    for name in ("use_pass_z", "use_pass_vector", "use_pass_normal", "use_pass_object_index"):
        setattr(scene.view_layers[0], name, False)


def _labels(scene: Any, asked: Mapping[str, Any]) -> None:
    """One sample through the centre of each pixel, and no light."""
    cycles = scene.cycles
    cycles.samples, cycles.max_bounces = 1, 0
    cycles.use_denoising = False
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 0.01
    for name in ("use_pass_z", "use_pass_vector", "use_pass_normal", "use_pass_object_index"):
        setattr(scene.view_layers[0], name, True)


def _output(scene: Any, path: Path, *, layers: bool) -> None:
    picture = scene.render.image_settings
    picture.media_type = "MULTI_LAYER_IMAGE" if layers else "IMAGE"  # before file_format
    picture.file_format = "OPEN_EXR_MULTILAYER" if layers else "OPEN_EXR"
    picture.color_mode = "RGBA" if layers else "RGB"
    picture.color_depth = "32"
    picture.exr_codec, picture.use_exr_interleave = "NONE", True
    scene.render.use_file_extension = True
    scene.render.filepath = os.fspath(path)


def _read(path: Path) -> dict[str, np.ndarray]:
    """Every channel of every part, (h, w); RGB of the picture together as `radiance` (h, w, 3) float32."""
    import OpenEXR

    with OpenEXR.File(os.fspath(path), separate_channels=True) as file:
        found = {name: channel.pixels for part in file.parts for name, channel in part.channels.items()}
    path.unlink()
    if all(name in found for name in "RGB"):
        found["radiance"] = np.stack([found[name] for name in "RGB"], axis=-1).astype(np.float32)
    return found


def _passes(found: Mapping[str, np.ndarray], asked: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Cycles' labels: instance, planar depth (inf where nothing is), normal, and the flow that there is."""

    def layer(ending: str) -> np.ndarray:
        name = next(name for name in found if name.endswith(ending))
        return found[name]

    index = layer("Object Index.X")
    if (index != np.rint(index)).any():
        raise RuntimeError("the object index was blended")
    nothing = index == 0
    made = {
        "instance": index.astype(np.uint16),
        "depth": np.where(nothing, np.inf, layer("Depth.Z")).astype(np.float32),
        "normal": np.stack([layer(f"Normal.{axis}") for axis in "XYZ"], axis=-1).astype(np.float32),
    }
    # XY lead to the previous frame, ZW to the next, of a picture whose y goes up.
    flow = np.stack([-layer("Vector.Z"), layer("Vector.W")], axis=-1)
    back = np.stack([layer("Vector.X"), -layer("Vector.Y")], axis=-1)
    for name, values, there in (("flow", flow, asked["next"]), ("flow_back", back, asked["previous"])):
        if there:
            made[name] = np.where(nothing[..., None], np.nan, values).astype(np.float32)
    return made
