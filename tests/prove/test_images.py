from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest
from photos.drawn import SHAPES, folder, image

from tuckpoint import parts
from tuckpoint.errors import InputError
from tuckpoint.photos import descriptor
from tuckpoint.photos.album import read_album
from tuckpoint.photos.descriptor import with_descriptors
from tuckpoint.prove.images import images_of
from tuckpoint.prove.plan import Folds, Plan, Source
from tuckpoint.prove.proof import prove
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
        photos = read_album(self.folder)
        return Made(with_descriptors(photos.table.select(["label"]), photos.thumbs))


@pytest.fixture(autouse=True)
def sources(monkeypatch):
    monkeypatch.setattr(descriptor, "CELL", 12)  # a fifth of the numbers, and a hundredth of the time
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
    assert one.mixed > one.real + 0.05
    assert proof.claims[0].effect is not None
    assert one.gain > proof.claims[0].effect.gain
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
    frame, group, notes = images_of(real, "label", pattern=PATTERN)
    assert (group, notes) == ("group", ())
    assert len(study(plan(locked="late == True"), frame.table, group=group).lock.test) == 18
    coarse, group, _ = images_of(real, "label", group="label")
    with pytest.raises(InputError, match="groups have rows on both sides"):
        study(plan(locked="late == True"), coarse.table, group=group)


def test_groups_are_columns_or_what_a_path_says(tmp_path):
    real = folder(tmp_path / "real", things=2)
    by_path = images_of(real, "label", pattern=r"(\w+)/(\d+)_")[0].table
    assert by_path["group"].to_pylist()[:4] == ["ball/000", "ball/000", "ball/001", "ball/001"]
    (real / "ring" / "001_1.png").write_bytes(b"\x89PNG")
    frame, _, notes = images_of(real, "label", group="label,path")
    assert frame.table["group"][0].as_py() == "ball/ball/000_0.png"
    assert frame.table.num_rows == 11
    assert "1 image was left out: ring/001_1.png" in notes[0]
    for wrong, said in ((r"none", "matches 11 paths not at all"), ("(", "no regular expression")):
        with pytest.raises(InputError, match=said):
            images_of(real, "label", pattern=wrong)
    with pytest.raises(InputError, match='group "labl" is no column of the images'):
        images_of(real, "label", group="labl")


def test_a_slice_may_be_of_what_was_measured(tmp_path):
    real = folder(tmp_path / "real", things=8)
    frame, group, _ = images_of(real, "label", pattern=PATTERN)
    work = study(plan(slices=("brightness > 0",)), frame.table, group=group)
    assert work.claims["brightness > 0"].all()
    assert "brightness" not in work.data.columns


def test_a_table_has_no_listing_and_no_ridge(tmp_path):
    table = pa.table({"label": ["a", "b"] * 20, "x": np.arange(40.0)})
    with pytest.raises(InputError, match="no folder of images"):
        prove(plan(), table, pattern=PATTERN)
    with pytest.raises(InputError, match="ridge reads descriptors"):
        prove(Plan("label", (Source("a", "independent"),), learner=Ridge()), table)


def test_an_engine_of_tables_makes_no_images(tmp_path):
    frame, _, _ = images_of(folder(tmp_path / "real", things=8), "label")
    with pytest.raises(InputError, match="source a makes rows of tables"):
        study(Plan("label", (Source("a", "independent"),), metric="accuracy", learner=Ridge()), frame.table)
