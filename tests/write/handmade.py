"""Sets of pictures made by hand, whose labels are known: what writers are tested on without a renderer."""

import numpy as np

from tuckpoint.labels import Item, Meaning
from tuckpoint.record import Maker, Record
from tuckpoint.scene.annotators.boxes import around
from tuckpoint.scene.annotators.masks import run_lengths
from tuckpoint.write import sets

HOSTILE = ("../../evil", "a/b\nc: [d]", 'plain "x" </script>', "DontCare")
WIDTH, HEIGHT, FOCAL = 64, 48, 50.0
GIVEN = ("mask", "mask_amodal", "box", "box_3d", "pixels", "visible", "truncated", "keypoints", "camera", "caption",
         "pose_camera", "depth", "normal", "instance", "class")  # fmt: skip


def camera(from_world=None):
    """The fact `camera`: a pinhole in the middle of the picture, by default in the world's own axes."""
    matrix = np.eye(4) if from_world is None else from_world
    inner = [[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]]
    return {"width": WIDTH, "height": HEIGHT, "intrinsics": inner, "from_world": np.asarray(matrix).tolist()}


def thing(number, class_id, mask, *, classes=HOSTILE, whole=None, truncated=0.0, points=(), box_3d=None):
    """One labelled thing that shows in `mask` (h, w), and would in `whole`."""
    whole = mask if whole is None else whole
    return {
        "instance": number, "name": f"t{number}", "class": classes[class_id - 1], "class_id": class_id,
        "mask": run_lengths(mask), "mask_amodal": run_lengths(whole), "box": around(mask), "pixels": int(mask.sum()),
        "visible": float(mask.sum() / max(whole.sum(), 1)), "truncated": truncated, "keypoints": list(points),
        "box_3d": box_3d,
    }  # fmt: skip


def point(name, x, y, state):
    """A keypoint."""
    return {"name": name, "pixel": None if state == 0 else [x, y], "depth_m": 1.0, "world_m": [0, 0, 0], "state": state}


def disc(x, y, radius):
    """A mask (h, w) of the pixels whose centres lie in a circle."""
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    return (columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 < radius**2


def item(key, things, *, image=True, facts=None, arrays=None):
    """One picture: noise, so that no two are alike."""
    noise = np.random.Generator(np.random.Philox(key=int(key[:8]))).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    told = {"camera": camera(), "caption": 'two "things"\nand more', "seen": [one["pixels"] for one in things]}
    return Item(key, WIDTH, HEIGHT, noise if image else None, arrays or {}, {**told, **(facts or {})}, tuple(things))


def hand_set(folder, items, *, classes=HOSTILE, meanings=GIVEN, scenes=None, build=None, meant=None):
    """A finished set of these pictures in a new folder."""
    record = Record(dataset="by hand", maker=Maker("hand"), recipe="cd" * 32, seed=7, rows=len(items))
    (folder / sets.SHARDS).mkdir(parents=True)
    pairs = zip(items, scenes or [None] * len(items), strict=True)
    sets.write_shard(folder / sets.SHARDS / "part-000000.tar", pairs, record)
    told = {name: Meaning("float32", "h, w", "m", "camera", "by hand") for name in meanings} | (meant or {})
    about = sets.SetMeta("by hand: 1", WIDTH, HEIGHT, len(items), classes, told, "hand", record, ("part-000000.tar",))
    sets.write_about(folder, about)
    return sets.ImageSet(folder, sets.open_set(folder).about, build)


def stays_inside(folder):
    """Whether every name below a folder is a plain one, and nothing evil stands around it."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*")]
    plain = all(set(name) <= set("abcdefghijklmnopqrstuvwxyzREADMIS0123456789_-./") for name in names)
    return plain and not list(folder.parent.rglob("*evil*")) and not list(folder.parents[1].glob("*evil*"))
