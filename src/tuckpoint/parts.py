"""THE TABLE: every exchangeable part, by kind and name. Adding a part is one file and one row."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from tuckpoint.errors import InputError, UnknownPart, did_you_mean

PARTS: dict[str, dict[str, str]] = {
    "engine": {
        "trees": "tuckpoint.table.engines.trees:Trees",
        "marginals": "tuckpoint.table.engines.marginals:Marginals",
        "aim": "tuckpoint.table.engines.aim:Aim",
        "independent": "tuckpoint.table.engines.independent:Independent",
        "auto": "tuckpoint.table.engines.auto:Auto",
    },
    "source": {
        "engine": "tuckpoint.prove.kinds.engine:Engine",
        "scene": "tuckpoint.prove.kinds.scene:SceneSource",
        "smote": "tuckpoint.prove.kinds.smote:Smote",
        "rates": "tuckpoint.prove.kinds.rates:Rates",
        "simulator": "tuckpoint.prove.kinds.simulator:Simulator",
    },
    "attack": {
        "copies": "tuckpoint.measure.attacks.copies:copies",
        "values": "tuckpoint.measure.attacks.values:values",
        "distance": "tuckpoint.measure.attacks.distance:distance",
        "density": "tuckpoint.measure.attacks.density:density",
        "classifier": "tuckpoint.measure.attacks.classifier:classifier",
        "aligned": "tuckpoint.measure.attacks.aligned:aligned",
        "singling_out": "tuckpoint.measure.attacks.singling_out:singling_out",
        "linkability": "tuckpoint.measure.attacks.linkability:linkability",
        "inference": "tuckpoint.measure.attacks.inference:inference",
        "minorities": "tuckpoint.measure.attacks.minorities:minorities",
    },
    "thing": {
        "box": "tuckpoint.scene.things.solids:Box",
        "ball": "tuckpoint.scene.things.solids:Ball",
        "cylinder": "tuckpoint.scene.things.solids:Cylinder",
        "plane": "tuckpoint.scene.things.solids:Plane",
        "bottle": "tuckpoint.scene.things.vessels:Bottle",
        "can": "tuckpoint.scene.things.vessels:Can",
        "bowl": "tuckpoint.scene.things.vessels:Bowl",
        "table": "tuckpoint.scene.things.furniture:Table",
        "shelf": "tuckpoint.scene.things.furniture:Shelf",
        "crate": "tuckpoint.scene.things.furniture:Crate",
        "mug": "tuckpoint.scene.things.furniture:Mug",
        "plate": "tuckpoint.scene.things.furniture:Plate",
        "book": "tuckpoint.scene.things.furniture:Book",
        "soil": "tuckpoint.scene.things.field:Soil",
        "plant": "tuckpoint.scene.things.field:Plant",
        "rock": "tuckpoint.scene.things.field:Rock",
        "branch": "tuckpoint.scene.things.field:Branch",
        "figure": "tuckpoint.scene.things.creatures:Figure",
        "deer": "tuckpoint.scene.things.creatures:Deer",
        "road": "tuckpoint.scene.things.street:Road",
        "house": "tuckpoint.scene.things.street:House",
        "tree": "tuckpoint.scene.things.street:Tree",
        "post": "tuckpoint.scene.things.street:Post",
        "cone": "tuckpoint.scene.things.street:Cone",
        "car": "tuckpoint.scene.things.cars:Car",
        "panel": "tuckpoint.scene.things.industry:Panel",
        "gear": "tuckpoint.scene.things.industry:Gear",
        "bolt": "tuckpoint.scene.things.industry:Bolt",
        "nut": "tuckpoint.scene.things.industry:Nut",
        "mesh": "tuckpoint.scene.things.imported:Model",
        "sign": "tuckpoint.scene.things.signs:SignPost",
    },
    "texture": {
        "noise": "tuckpoint.scene.texture:Noise",
        "checker": "tuckpoint.scene.texture:Checker",
        "stripes": "tuckpoint.scene.texture:Stripes",
        "wood": "tuckpoint.scene.texture:Wood",
        "bricks": "tuckpoint.scene.texture:Bricks",
        "speckle": "tuckpoint.scene.texture:Speckle",
        "label": "tuckpoint.scene.texture:Label",
        "image": "tuckpoint.scene.texture:Image",
        "decal": "tuckpoint.scene.decal:Decal",
        "embedded": "tuckpoint.scene.embedded:Embedded",
        "sign": "tuckpoint.scene.signs:Sign",
    },
    "annotator": {
        "class": "tuckpoint.scene.annotators.masks:CLASS",
        "instance": "tuckpoint.scene.annotators.masks:INSTANCE",
        "part": "tuckpoint.scene.annotators.masks:PART",
        "mask": "tuckpoint.scene.annotators.masks:MASK",
        "mask_amodal": "tuckpoint.scene.annotators.masks:AMODAL",
        "box": "tuckpoint.scene.annotators.boxes:BOX",
        "box_amodal": "tuckpoint.scene.annotators.boxes:AMODAL",
        "box_3d": "tuckpoint.scene.annotators.boxes:BOX_3D",
        "visibility": "tuckpoint.scene.annotators.boxes:VISIBILITY",
        "depth": "tuckpoint.scene.annotators.surfaces:DEPTH",
        "distance": "tuckpoint.scene.annotators.surfaces:DISTANCE",
        "position": "tuckpoint.scene.annotators.surfaces:POSITION",
        "normal": "tuckpoint.scene.annotators.surfaces:NORMAL",
        "uv": "tuckpoint.scene.annotators.surfaces:UV",
        "material": "tuckpoint.scene.annotators.surfaces:MATERIAL",
        "flow": "tuckpoint.scene.annotators.surfaces:FLOW",
        "keypoints": "tuckpoint.scene.annotators.geometry:KEYPOINTS",
        "pose": "tuckpoint.scene.annotators.geometry:POSE",
        "camera": "tuckpoint.scene.annotators.geometry:CAMERA",
        "lights": "tuckpoint.scene.annotators.geometry:LIGHTS",
        "tracks": "tuckpoint.scene.annotators.tracks:TRACKS",
        "relations": "tuckpoint.scene.annotators.words:RELATIONS",
        "caption": "tuckpoint.scene.annotators.words:CAPTION",
    },
    "writer": {
        "coco": "tuckpoint.write.coco:coco",
        "yolo": "tuckpoint.write.yolo:yolo",
        "yolo_segment": "tuckpoint.write.yolo:yolo_segment",
        "yolo_pose": "tuckpoint.write.yolo:yolo_pose",
        "kitti": "tuckpoint.write.kitti:kitti",
        "bop": "tuckpoint.write.bop:bop",
        "webdataset": "tuckpoint.write.webdataset:webdataset",
        "hf": "tuckpoint.write.hf:hf",
        "exr": "tuckpoint.write.exr:exr",
        "gltf": "tuckpoint.write.gltf:gltf",
        "folder": "tuckpoint.write.folder:folder",
    },
    "implant": {
        "lung-nodule": "tuckpoint.implant.ct:LungNodule",
        "surface-defect": "tuckpoint.implant.surface:SurfaceDefect",
        "radiograph-nodule": "tuckpoint.implant.radiograph:RadiographNodule",
    },
    "renderer": {
        "raycast": "tuckpoint.scene.renderers.raycast:Raycast",
        "blender": "tuckpoint.scene.renderers.blender:Blender",
    },
}


def names(kind: str) -> tuple[str, ...]:
    """The names of all parts of a kind, our own first, then those of installed third parties."""
    return tuple(_rows(kind))


def find(kind: str, name: str) -> Any:
    """The part itself (a class or function), imported only now.

    Raises UnknownPart with the nearest name if there is none.
    """
    rows = _rows(kind)
    if name not in rows:
        raise UnknownPart(f'no {kind} "{name}"{did_you_mean(name, rows)}; there are: {", ".join(rows)}')
    module, _, attribute = rows[name].partition(":")
    return getattr(import_module(module), attribute)


def _rows(kind: str) -> dict[str, str]:
    if kind not in PARTS:
        raise UnknownPart(f'no kind of part "{kind}"{did_you_mean(kind, PARTS)}; there are: {", ".join(PARTS)}')
    rows = dict(PARTS[kind])
    for point in entry_points(group=f"tuckpoint.{kind}"):
        if point.name in rows:
            raise InputError(
                f'two {kind} parts are called "{point.name}": {rows[point.name]} and {point.value}; uninstall one'
            )
        rows[point.name] = point.value
    return rows
