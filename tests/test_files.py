from pathlib import Path

import pytest

from tuckpoint.errors import InputError
from tuckpoint.files import check_new, replacing, replacing_folder, sha256


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fail(place: Path) -> None:
    place.write_text("half")
    raise ZeroDivisionError


def holds_model(folder: Path) -> bool:
    return (folder / "model.json").exists()


def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with replacing(path, overwrite=False) as place:
        place.write_text("whole")
        assert not path.exists()
        assert place.suffix == ".txt"
    assert path.read_text("utf-8") == "whole"
    assert listed(tmp_path) == ["a.txt"]


def test_a_failure_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path, overwrite=True) as place:
        fail(place)
    assert path.read_text("utf-8") == "old"
    assert listed(tmp_path) == ["a.txt"]


def test_a_file_that_came_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    writing = replacing(path, overwrite=False)
    place = writing.__enter__()
    place.write_text("new")
    path.write_text("from somebody else")
    with pytest.raises(InputError, match="exists already"):
        writing.__exit__(None, None, None)
    assert path.read_text("utf-8") == "from somebody else"
    assert listed(tmp_path) == ["a.txt"]


def test_refusals_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no folder .*gone; make it first: mkdir -p"):
        check_new(tmp_path / "gone" / "a.csv", overwrite=True)
    with pytest.raises(InputError, match="it is a folder"):
        check_new(tmp_path, overwrite=True)
    (tmp_path / "a.csv").touch()
    with pytest.raises(InputError, match="exists already and stays"):
        check_new(tmp_path / "a.csv", overwrite=False)


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    with replacing(tmp_path / "a", overwrite=False) as place:
        place.touch()
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_folder_appears_whole_and_is_replaced_on_purpose(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    for text in ("first", "second"):
        with replacing_folder(folder, overwrite=text == "second", ours=holds_model) as place:
            (place / "model.json").write_text(text)
            assert text == "second" or not folder.exists()
    assert (folder / "model.json").read_text("utf-8") == "second"
    assert listed(tmp_path) == ["model"]
    with (
        pytest.raises(InputError, match="exists already"),
        replacing_folder(folder, overwrite=False, ours=holds_model),
    ):
        pass


def test_a_folder_with_other_files_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    with (
        pytest.raises(InputError, match="other files, which would be lost"),
        replacing_folder(tmp_path, overwrite=True, ours=holds_model),
    ):
        pass
    assert (tmp_path / "photo.jpg").exists()


def test_a_folder_is_left_as_it_was_after_a_failure(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.json").write_text("old")
    with pytest.raises(ZeroDivisionError), replacing_folder(folder, overwrite=True, ours=holds_model) as place:
        fail(place / "model.json")
    assert (folder / "model.json").read_text("utf-8") == "old"
    assert listed(tmp_path) == ["model"]


def test_an_empty_folder_and_a_file_of_the_name(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    with replacing_folder(folder, overwrite=False, ours=holds_model) as place:
        (place / "model.json").touch()
    assert (folder / "model.json").exists()
    (tmp_path / "file").touch()
    for name, words in (("file", "a file has that name"), ("gone/model", "mkdir -p")):
        with (
            pytest.raises(InputError, match=words),
            replacing_folder(tmp_path / name, overwrite=True, ours=holds_model),
        ):
            pass


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
