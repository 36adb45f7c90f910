import json

import numpy as np
import pytest
from photos.scenes import encoded, folder, scene

from tuckpoint.errors import InputError
from tuckpoint.photos.album import read_album


def test_a_folder_a_class(tmp_path):
    held = read_album(folder(tmp_path, {"red": 2, "blue": 1}))
    assert held.table.to_pydict() == {
        "path": ["blue/2.png", "red/0.png", "red/1.png"],
        "label": ["blue", "red", "red"],
    }
    assert held.thumbs.shape == (3, 48, 48, 3)
    np.testing.assert_array_equal(held.thumbs[1], scene("red", 0))
    assert held.measured["width"].to_pylist() == [48] * 3


def test_sides_above_classes(tmp_path):
    folder(tmp_path / "train", {"red": 1})
    folder(tmp_path / "val", {"blue": 1}, start=5)
    held = read_album(tmp_path)
    assert held.table["side"].to_pylist() == ["train", "test"]
    assert held.table["label"].to_pylist() == ["red", "blue"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_listing_says_classes_and_more(tmp_path, kind):
    folder(tmp_path, {"red": 2, "blue": 1})
    rows = [("red/1.png", "b", "7"), ("blue/2.png", "a", "07"), ("red/9.png", "a", "1"), ("red/1.png", "b", "7")]
    if kind == "csv":
        text = "file_name,class,person,path_note\n" + "".join(f"{p},{c},{g},\n" for p, c, g in rows)
    else:
        text = "".join(json.dumps({"file_name": p, "class": c, "person": g}) + "\n" for p, c, g in rows)
    (tmp_path / f"metadata.{kind}").write_text(text)
    held = read_album(tmp_path, label="class")
    assert held.table["label"].to_pylist() == ["b", "a"]
    assert held.table["person"].to_pylist() == ["7", "07"]
    assert [fault.kind for fault in held.faults] == ["no such file", "listed twice"]
    assert held.aside == {"pictures not listed": 1}


@pytest.mark.parametrize("name", ["../outside.png", "/etc/hosts", "red/../../outside.png"])
def test_a_listing_that_leads_out_is_refused(tmp_path, name):
    root = folder(tmp_path / "in", {"red": 1})
    (tmp_path / "outside.png").write_bytes(encoded(scene("red", 3)))
    (root / "listing.csv").write_text(f"path,label\n{name},a\n")
    with pytest.raises(InputError, match="leads out of"):
        read_album(root)


def test_what_cannot_be_read_is_left_out_and_told(tmp_path):
    root = folder(tmp_path, {"red": 2})
    (root / "red" / "broken.png").write_bytes(encoded(scene("red", 4))[:200])
    (root / "red" / "even.png").write_bytes(encoded(np.full((9, 9, 3), 5, np.uint8)))
    (root / "red" / "notes.txt").write_text("x")
    (root / "red" / ".hidden.png").write_bytes(b"")
    held = read_album(root)
    assert [(fault.path, fault.kind, fault.left_out) for fault in held.faults] == [
        ("red/broken.png", "truncated", True),
        ("red/even.png", "one colour", False),
    ]
    assert len(held.files) == 3
    assert held.aside == {"other files": 1}


def test_masks_beside_pictures_are_set_aside(tmp_path):
    root = folder(tmp_path, {"red": 1})
    (root / "red" / "0.jpg").write_bytes(encoded(scene("red", 0), "JPEG"))
    mask = np.zeros((48, 48), np.uint8)
    mask[9:20, 9:20] = 255
    (root / "red" / "0.png").write_bytes(encoded(mask))
    held = read_album(root)
    assert held.table["path"].to_pylist() == ["red/0.jpg"]
    assert held.aside == {"masks": 1}


def test_names_that_are_no_text_are_read(tmp_path):
    root = folder(tmp_path, {"red": 1})
    (root / "new\nline").mkdir()
    (root / "new\nline" / "<b>.png").write_bytes(encoded(scene("blue", 1)))
    held = read_album(root)
    assert held.table["label"].to_pylist() == ["new\ufffdline", "red"]


def test_the_errors_say_what_to_do(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        read_album(tmp_path / "absent")
    with pytest.raises(InputError, match="holds no picture"):
        read_album(tmp_path)
    folder(tmp_path, {"red": 1})
    with pytest.raises(InputError, match="no listing"):
        read_album(tmp_path, tmp_path / "absent.csv")
    (tmp_path / "listing.csv").write_text("path,klass\nred/0.png,a\n")
    with pytest.raises(InputError, match="did you mean"):
        read_album(tmp_path, label="class")
