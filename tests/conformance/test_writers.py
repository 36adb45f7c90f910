"""What every writer keeps, by its name in the table."""

import hashlib

import pytest
from write.handmade import stays_inside

from tuckpoint import parts, pictures
from tuckpoint.record import Record

SPEC = {
    "name": "small",
    "image": {"width": 64, "height": 48},
    "things": {
        "ground": {"family": "plane", "labelled": False, "material": {"texture": {"kind": "checker"}}},
        "goods": {
            "family": {"choice": ["box", "can", "bottle"]},
            "class": {"choice": ["../../evil", "a/b\nc: [d]", ""]},
            "count": 3,
            "place": {"on": "ground"},
        },
    },
    "camera": {"distance_m": 0.8, "elevation_deg": {"uniform": [20, 60]}, "fov_deg": 50.0},
}
ALONE = {"hf"}  # what cannot be without pictures


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return pictures.render(SPEC, tmp_path_factory.mktemp("set") / "out", 2, seed=5, workers=1)


def digests(folder):
    return {path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}  # fmt: skip


@pytest.mark.parametrize("name", parts.names("writer"))
def test_the_same_bytes_the_stamp_and_no_name_that_leaves_the_folder(made, name):
    (folder,) = pictures.write(made.folder, [name])
    first = digests(folder)
    assert folder == made.folder / name
    assert stays_inside(folder)
    assert Record.load(folder / "record.json") == made.about.record
    assert len(first) > 1
    (again,) = pictures.write(made.folder, [name], overwrite=True)
    assert digests(again) == first
    digest = made.about.record.digest().encode()
    unmarked = {path.suffix for path in folder.rglob("*") if path.is_file() and digest not in path.read_bytes()}
    assert unmarked <= {".txt", ".json", ".npz", ".jsonl"}  # plain labels, whose format has no room for it
    assert not list(folder.parent.parent.rglob("*evil*"))


@pytest.mark.parametrize("name", [name for name in parts.names("writer") if name not in ALONE])
def test_labels_alone_can_be_written(made, name, tmp_path):
    bare = pictures.render(SPEC, tmp_path / "bare", 1, seed=5, workers=1, shaded=False)
    (folder,) = pictures.write(bare.folder, [name])
    assert Record.load(folder / "record.json") == bare.about.record
    assert not [path for path in folder.rglob("*.png") if path.parent.name in ("images", "train", "rgb", "image_2")]
    assert len(list(folder.rglob("*"))) > 1
