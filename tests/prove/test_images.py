from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest
from photos.drawn import SHAPES, folder, image

from tuckpoint import parts
from tuckpoint.errors import InputError
from tuckpoint.photos.descriptor import SIDE, with_descriptors
from tuckpoint.photos.folder import read_folder, read_images
from tuckpoint.prove.plan import Folds, Plan, Source
from tuckpoint.prove.proof import images_of, prove
from tuckpoint.prove.ridge import Ridge
from tuckpoint.prove.source import Made
from tuckpoint.prove.study import study

PATTERN = r"(\w+/\d+)_"


@dataclass(frozen=True)
class Painter:
    """Paints the shapes by the law that the real images come from."""

    name: ClassVar[str] = "painter"
    once: ClassVar[bool] = True

    def make(self, task):
        random = task.seed.numpy()
        labels = [shape for shape in SHAPES for _ in range(40)]
        return Made(with_descriptors(pa.table({"label": labels}), np.stack([image(s, random) for s in labels])))


@dataclass(frozen=True)
class Thief:
    """Gives back the images of a folder."""

    name: ClassVar[str] = "thief"
    once: ClassVar[bool] = True
    folder: str

    def make(self, task):
        table = read_folder(self.folder)
        pictures = read_images(self.folder, table["path"].to_pylist(), SIDE)
        return Made(with_descriptors(table.select(["label"]), pictures))


@pytest.fixture(autouse=True)
def sources(monkeypatch):
    monkeypatch.setitem(parts.PARTS["source"], "painter", f"{__name__}:Painter")
    monkeypatch.setitem(parts.PARTS["source"], "thief", f"{__name__}:Thief")


def plan(kind="painter", **more):
    told = {
        "metric": "macro_recall", "learner": Ridge(), "amounts": (100.0,), "weights": (1.0,), "curve": (),
        "folds": Folds(repeats=4, inner=2), "items": (1,),
    }  # fmt: skip
    return Plan("label", (Source("made", kind=kind, settings=more.pop("settings", {})),), **(told | more))


def test_images_that_know_help_most_where_real_ones_are_few(tmp_path):
    proof = prove(plan(), folder(tmp_path / "real", things=16), pattern=PATTERN)
    assert proof.state != "blocked", proof.why
    assert proof.real["group"] == "group"
    (one,) = proof.points
    assert one.items == 1
    assert one.rows == 6  # two images of one thing of each class
    assert one.mixed > one.real + 0.1
    assert proof.claims[0].effect is not None
    assert one.gain > proof.claims[0].effect.gain
    assert one.state == "helps"
    assert [weighed.weight for weighed in proof.weights] == [1.0]
    assert any("with 1 real of each class" in line for line in proof.to_dict()["sentences"])


def test_images_that_are_the_locked_ones_are_caught(tmp_path):
    real = folder(tmp_path / "real", things=16)
    proof = prove(plan("thief", settings={"folder": str(real)}, items=()), real, pattern=PATTERN)
    assert proof.state == "blocked"
    assert "equal a locked row" in proof.why


def test_a_test_of_the_folders_own_is_locked(tmp_path):
    real = folder(tmp_path / "real", things=8)
    lines = [f"{p.relative_to(real).as_posix()},{p.parent.name},{p.name < '003'}" for p in sorted(real.rglob("*.png"))]
    (real / "manifest.csv").write_text("\n".join(["path,label,late", *lines]) + "\n")
    held = images_of(real, None, PATTERN).table
    assert len(study(plan(locked="late == True"), held, group="group").lock.test) == 18
    coarse = images_of(real, None, r"(\w+)/").table
    with pytest.raises(InputError, match="groups have rows on both sides"):
        study(plan(locked="late == True"), coarse, group="group")


def test_a_table_has_no_listing_and_no_ridge(tmp_path):
    table = pa.table({"label": ["a", "b"] * 20, "x": np.arange(40.0)})
    with pytest.raises(InputError, match="no folder of images"):
        prove(plan(), table, pattern=PATTERN)
    with pytest.raises(InputError, match="ridge reads descriptors"):
        prove(Plan("label", (Source("a", "independent"),), learner=Ridge()), table)
