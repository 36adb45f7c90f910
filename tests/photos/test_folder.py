import numpy as np
import pytest
from photos.drawn import folder

from tuckpoint.errors import InputError
from tuckpoint.photos.folder import grouped, read_folder, read_images


def test_labels_are_the_names_of_the_folders(tmp_path):
    table = read_folder(folder(tmp_path / "shapes"))
    assert table.num_rows == 36
    assert set(table["label"].to_pylist()) == {"ball", "box", "ring"}
    assert table["path"][0].as_py() == "ball/000_0.png"


def test_a_listing_says_more(tmp_path):
    place = folder(tmp_path / "shapes", things=1)
    (place / "manifest.csv").write_text("path,label,site\nball/000_0.png,round,a\nbox/000_1.png,square,b\n")
    table = read_folder(place)
    assert table["label"].to_pylist() == ["round", "square"]
    assert table["site"].to_pylist() == ["a", "b"]
    (tmp_path / "other.csv").write_text("file_name,label\nring/000_0.png,round\n")
    assert read_folder(place, listing=tmp_path / "other.csv")["path"].to_pylist() == ["ring/000_0.png"]


@pytest.mark.parametrize(
    ("listing", "said"),
    [
        ("path,label\n../secret.png,a\n", "leads out of"),
        ("path,label\nnone.png,a\n", "names none.png, which is not in"),
        ("image,label\nx,a\n", "no column path"),
    ],
)
def test_what_a_listing_must_not_say(tmp_path, listing, said):
    (tmp_path / "secret.png").touch()
    place = folder(tmp_path / "shapes", things=1)
    (place / "labels.csv").write_text(listing)
    with pytest.raises(InputError, match=said):
        read_folder(place)


def test_folders_that_hold_nothing_to_learn(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        read_folder(tmp_path / "nowhere")
    (tmp_path / "loose").mkdir()
    with pytest.raises(InputError, match="holds no images"):
        read_folder(tmp_path / "loose")
    (tmp_path / "loose" / "a.png").touch()
    with pytest.raises(InputError, match="in no class folder"):
        read_folder(tmp_path / "loose")


def test_groups_are_read_off_the_paths(tmp_path):
    table = grouped(read_folder(folder(tmp_path / "shapes", things=2)), r"(\w+)/(\d+)_")
    assert table["group"].to_pylist()[:4] == ["ball/000", "ball/000", "ball/001", "ball/001"]
    with pytest.raises(InputError, match="12 paths not at all"):
        grouped(table, "none")
    with pytest.raises(InputError, match="no regular expression"):
        grouped(table, "(")


def test_images_are_squares_of_one_size_and_damaged_ones_are_named(tmp_path):
    from PIL import Image

    Image.fromarray(np.full((30, 90), 128, np.uint8)).save(tmp_path / "grey.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "grey.png").read_bytes()[:60])
    held = read_images(tmp_path, ["grey.png"], 48)
    assert held.shape == (1, 48, 48, 3)
    assert (held == 128).all()
    with pytest.raises(InputError, match=r"1 images cannot be read: cut\.png"):
        read_images(tmp_path, ["grey.png", "cut.png"], 48)
