"""The ledger of outside files, and the refusal to release what is not free."""

import json

import pytest
import yaml
from scene.models import cube_glb, cube_obj

from tuckpoint import pictures
from tuckpoint.errors import InputError, TraceError
from tuckpoint.files import sha256
from tuckpoint.scene.assets import CLEAN, Asset, check_clean, files_of, ledger
from tuckpoint.scene.spec import load


def told(**assets):
    return {
        "name": "own",
        "image": {"width": 32, "height": 24},
        "things": {
            "floor": {
                "family": "plane",
                "labelled": False,
                "material": {"texture": {"kind": "image", "settings": {"path": "skin.png"}}},
            },
            "goods": {
                "family": "mesh",
                "class": "cube",
                "shape": {"file": {"choice": ["cube.obj", "cube.glb"]}, "scale": 0.3},
                "place": {"on": "floor"},
            },
        },
        "camera": {"distance_m": 2.0},
        "assets": assets,
    }


FREE = {"source": "made by hand", "licence": "CC0-1.0"}
ALL = dict.fromkeys(("skin.png", "cube.obj", "cube.mtl", "cube.glb"), FREE)


@pytest.fixture
def folder(tmp_path):
    cube_obj(tmp_path / "cube.obj")
    cube_glb(tmp_path / "cube.glb")
    return tmp_path


def spec(folder, **assets):
    (folder / "own.yaml").write_text(yaml.safe_dump(told(**assets), sort_keys=False))
    return folder / "own.yaml"


def test_every_file_is_found_also_among_choices_and_beside_models(folder):
    found = files_of(load(spec(folder)).to_dict())
    assert found == tuple(str(folder / name) for name in ("skin.png", "cube.obj", "cube.mtl", "cube.glb"))
    assert files_of({"sky": {"map": "sky.png"}, "things": []}) == ("sky.png",)
    over = {"kind": "image", "settings": {"path": "b.png"}}
    assert files_of({"things": [{"material": {"texture": {"kind": "decal", "settings": {"over": over}}}}]}) == (
        "b.png",
    )


def test_the_ledger_has_digests_sources_and_licences(folder):
    entries = ledger(load(spec(folder, **{"cube.glb": FREE})).to_dict())
    by_name = {entry.file.rpartition("/")[2]: entry for entry in entries}
    assert by_name["cube.glb"].digest == sha256(folder / "cube.glb")
    assert by_name["cube.glb"].clean
    assert (by_name["cube.obj"].licence, by_name["cube.obj"].clean) == ("", False)


@pytest.mark.parametrize(
    "licence", ["", "CC-BY-NC-4.0", "CC-BY-ND-4.0", "CC-BY-SA-4.0", "GPL-3.0-only", "research only", "cc0"]
)
def test_what_is_not_surely_free_is_refused(licence):
    with pytest.raises(InputError, match="1 of 2 files are not free"):
        check_clean([Asset("a.png", "0", "me", licence), Asset("b.png", "0", "me", "own")])


def test_what_is_free_passes():
    check_clean([Asset("a.png", "0", "me", licence) for licence in CLEAN])
    check_clean([])


def test_a_set_with_models_is_rendered_and_keeps_its_ledger(folder):
    made = pictures.render(
        spec(folder, **ALL), folder / "out", 3, workers=1, labels=["class", "box"], release_clean=True
    )
    kept = json.loads((folder / "out" / "assets.json").read_bytes())["assets"]
    assert [entry["clean"] for entry in kept] == [True] * 4
    assert pictures.taken(made)[3].source == "made by hand"
    assert pictures.covered(made)["classes"]["cube"]["things"] == 3
    pictures.write(folder / "out", ["folder"], release_clean=True)
    order = pictures.order_of(folder / "out" / "recipe.yaml")
    assert "the same bytes again" in pictures.repeat(order, folder / "out", workers=1)
    cube_glb(folder / "cube.glb", node={"scale": [2, 2, 2]})
    with pytest.raises(TraceError, match=r"cube\.glb is not the file that was used"):
        pictures.repeat(order, folder / "out", workers=1)


def test_release_clean_refuses_before_and_after(folder):
    with pytest.raises(InputError, match="nobody said"):
        pictures.render(spec(folder), folder / "out", 1, workers=1, release_clean=True)
    assert not (folder / "out").exists()
    pictures.render(spec(folder), folder / "out", 1, workers=1, labels=["box"], shaded=False)
    with pytest.raises(InputError, match="nobody said"):
        pictures.write(folder / "out", ["folder"], release_clean=True)
    (folder / "out" / "assets.json").unlink()
    with pytest.raises(TraceError, match="missing or damaged"):
        pictures.write(folder / "out", ["folder"], release_clean=True)


@pytest.mark.parametrize(
    ("assets", "said"),
    [
        ({"other.glb": FREE}, "no scene uses"),
        ({"cube.glb": {"license": "MIT"}}, "give {source"),
        ({"cube.glb": {"licence": 3}}, "give {source"),
    ],
)
def test_wrong_entries_are_refused(folder, assets, said):
    with pytest.raises(InputError, match=said):
        pictures.render(spec(folder, **assets), folder / "out", 1, workers=1)


def test_a_missing_file_is_told(folder):
    (folder / "skin.png").unlink()
    with pytest.raises(InputError, match=r"skin\.png, which is not there"):
        pictures.render(spec(folder), folder / "out", 1, workers=1)
