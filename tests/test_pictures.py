import json
import tarfile

import numpy as np
import pytest
import yaml
from PIL import Image

from tuckpoint import pictures
from tuckpoint.cli import main
from tuckpoint.errors import InputError, RecipeError, TraceError, UnknownPart
from tuckpoint.record import Record
from tuckpoint.scale import local
from tuckpoint.scene.annotators.masks import filled
from tuckpoint.write import sets

SPEC = {
    "name": "small",
    "image": {"width": 64, "height": 48},
    "frames": 2,
}
SPEC["things"] = {
    "ground": {
        "family": "plane",
        "labelled": False,
        "material": {"texture": {"kind": "noise", "settings": {"size": 32}}},
    },
    "goods": {
        "family": {"choice": ["box", "can"]},
        "class": {"choice": ["../../evil", "a/b\nc"]},
        "count": {"integers": [1, 3]},
        "place": {"on": "ground"},
        "motion": {"velocity_m_s": [0.2, 0.0, 0.0]},
    },
}
SPEC["camera"] = {"distance_m": 1.2, "elevation_deg": {"uniform": [20, 60]}, "fov_deg": 60.0}
SPEC["require"] = {"things": 1, "pixels": 20}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return pictures.render(SPEC, tmp_path_factory.mktemp("set") / "out", 3, seed=5, workers=1)


def test_the_folder_holds_what_was_asked(made):
    items = list(made.items())
    assert [item.key for item in items] == [f"{n:08d}-{frame:04d}" for n in range(3) for frame in range(2)]
    assert made.about.pictures == len(items) == 6
    for item in items:
        assert item.image.shape == (48, 64, 3)
        assert item.image.std() > 5
        assert item.arrays["depth"].shape == (48, 64)
        assert ("flow" in item.arrays) == item.key.endswith("0000")
        assert max(item.facts["seen"]) >= 20 or item.facts["frame"] == 1
        assert np.array_equal(filled(item.objects[0]["mask"]), item.arrays["instance"] == item.objects[0]["instance"])


def test_every_file_says_that_it_is_synthetic(made):
    record = Record.load(made.folder / "record.json")
    assert record.rows == 6
    with tarfile.open(made.folder / "shards" / made.about.shards[0]) as tar:
        assert tar.getnames()[0] == "__tuckpoint__/record.json"
        with Image.open(tar.extractfile("00000000-0000.png")) as image:
            assert image.text["synthetic"] == "true"
            assert image.text["tuckpoint_record"] == record.digest()
        assert json.loads(tar.extractfile("00000000-0000.scene.json").read())["index"] == 0


def test_coverage_is_counted_on_pixels(made):
    told = pictures.covered(made)
    seen = sum(count > 0 for item in made.items() for count in item.facts["seen"])
    assert sum(per["things"] for per in told["classes"].values()) == seen
    assert sum(per["pixels"] for per in told["classes"].values()) == sum(sum(i.facts["seen"]) for i in made.items())


def test_progress_tells_the_pace_and_the_time_left(tmp_path, monkeypatch):
    clock = iter(range(0, 1000, 30))
    monkeypatch.setattr(local.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(pictures, "SCENES_PER_SHARD", 2)
    told = []
    small = {**SPEC, "frames": 1}
    pictures.render(
        small, tmp_path / "out", 6, labels=["box"], shaded=False, workers=1, progress=lambda *one: told.append(one)
    )
    assert told[0] == ("0 of 6 pictures", 0.0)
    assert told[-1] == ("6 of 6 pictures · 4 a minute · 0:00:00 left", 1.0)
    assert ("2 of 6 pictures · 4 a minute · 0:01:00 left", 2 / 6) in told


def test_quotas_are_met_and_counted_on_pixels(tmp_path):
    quota = {"knobs": {"goods.count": [1, 3], "camera.elevation_deg": [25.0, 55.0]}}
    made = pictures.render({**SPEC, "quotas": [quota]}, tmp_path / "even", 8, labels=["box"], shaded=False, workers=1)
    (cells,) = pictures.covered(made)["quotas"]
    assert [cell["pictures"] for cell in cells] == [4] * 4  # two scenes of two frames
    things = {tuple(cell["knobs"].values()): sum(per["things"] for per in cell["classes"].values()) for cell in cells}
    assert (
        max(things[elevation, 1] for elevation in (25, 55)) <= 4 < min(things[elevation, 3] for elevation in (25, 55))
    )
    total = sum(per["pixels"] for per in pictures.covered(made)["classes"].values())
    assert sum(per["pixels"] for cell in cells for per in cell["classes"].values()) == total


def test_what_was_drawn_in_vain_is_counted_once_a_scene(tmp_path, monkeypatch):
    spec = {**SPEC, "require": {"things": 2, "pixels": 3}, "camera": {"distance_m": 4.0, "elevation_deg": 50.0}}
    found = pictures.render(spec, tmp_path / "rare", 3, labels=["box"], shaded=False, workers=1)
    counted = sum(pictures.covered(found)["scenes_drawn_in_vain"].values())
    tried = []
    real = pictures._drawn
    monkeypatch.setattr(pictures, "_drawn", lambda order, spec, number, attempt=0: (
        tried.append(number), real(order, spec, number, attempt))[1])  # fmt: skip
    monkeypatch.setattr(pictures, "_first", lambda *_: ())
    pictures.render(spec, tmp_path / "again", 3, labels=["box"], shaded=False, workers=1)
    assert counted == len(tried) - 3 > 0


def test_workers_shards_and_a_second_run_change_nothing(made, tmp_path, monkeypatch):
    again = pictures.render(SPEC, tmp_path / "again", 3, seed=5, workers=2)
    for name in made.about.shards:
        assert (again.folder / "shards" / name).read_bytes() == (made.folder / "shards" / name).read_bytes()
    other = pictures.render(SPEC, tmp_path / "other", 3, seed=6, workers=1)
    assert next(other.items()).facts["scene"] != next(made.items()).facts["scene"]
    monkeypatch.setattr(pictures, "SCENES_PER_SHARD", 1)
    cut = pictures.render(SPEC, tmp_path / "cut", 3, seed=5, workers=1)
    assert [item.facts for item in cut.items()] == [item.facts for item in made.items()]


def test_a_stopped_run_goes_on(made, tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "SCENES_PER_SHARD", 1)
    real = sets.write_shard

    def stops(path, items, record):
        if "000002" in path.name:
            raise KeyboardInterrupt
        return real(path, items, record)

    monkeypatch.setattr(sets, "write_shard", stops)
    with pytest.raises(KeyboardInterrupt):
        pictures.render(SPEC, tmp_path / "out", 3, seed=5, workers=1)
    with pytest.raises(InputError, match="holds no set"):
        sets.open_set(tmp_path / "out")
    monkeypatch.setattr(sets, "write_shard", real)
    whole = pictures.render(SPEC, tmp_path / "out", 3, seed=5, workers=1)
    assert [item.facts for item in whole.items()] == [item.facts for item in made.items()]


def test_twins_differ_in_one_knob(tmp_path):
    pair = pictures.render(
        SPEC, tmp_path / "pair", 1, twin="sun.elevation_deg", values=(10, 60), labels=["instance"], workers=1
    )
    one, *_, other = list(pair.items())
    assert (one.key[:9], other.key[:9]) == ("00000000a", "00000000b")
    assert one.facts["knobs"].items() ^ other.facts["knobs"].items() == {
        ("sun.elevation_deg", 10), ("sun.elevation_deg", 60),
    }  # fmt: skip
    first = next(pair.items())
    assert not np.array_equal(first.image, other.image)


def test_a_suite_pins_each_scene_in_turn(tmp_path, capsys):
    (tmp_path / "spec.json").write_text(json.dumps({**SPEC, "frames": 1}))
    (tmp_path / "suite.csv").write_text("goods.count,camera.elevation_deg,goods.family\n1,30,box\n3,,can\n")
    words = ["render", str(tmp_path / "spec.json"), "--no-pictures", "--workers", "1"]
    assert main([*words, "--suite", str(tmp_path / "suite.csv"), "-o", str(tmp_path / "out")]) == 0
    first, second = (item.facts["knobs"] for item in sets.open_set(tmp_path / "out").items())
    assert (first["goods.count"], first["camera.elevation_deg"], first["goods.0.family"]) == (1, 30, "box")
    assert (second["goods.count"], second["goods.2.family"]) == (3, "can")
    assert 20 <= second["camera.elevation_deg"] <= 60
    again = pictures.order_of(tmp_path / "out" / "recipe.yaml")
    assert again.suite[0] == {"goods.count": 1, "camera.elevation_deg": 30, "goods.family": "box"}
    assert again.suite[1] == {"goods.count": 3, "goods.family": "can"}
    assert main([*words, "-o", str(tmp_path / "none")]) == 2
    assert "--suite" in capsys.readouterr().err
    (tmp_path / "suite.csv").write_text("goods.count\n1\nmany\n")  # told before anything is rendered
    assert main([*words, "--suite", str(tmp_path / "suite.csv"), "-o", str(tmp_path / "wrong")]) == 2
    assert not (tmp_path / "wrong").exists()
    with pytest.raises(InputError, match="held by the suite and by a pin"):
        pictures.Order(SPEC, 1, pins={"goods.count": 2}, suite=({"goods.count": 1},))


def test_labels_alone(tmp_path):
    bare = pictures.render(SPEC, tmp_path / "bare", 1, labels=["box", "mask"], shaded=False, workers=1)
    item = next(bare.items())
    assert item.image is None
    assert not item.arrays
    assert set(bare.about.meanings) == {"box", "mask"}


def test_coco_is_read_back_by_its_own_tools(made, capsys):
    from pycocotools.coco import COCO

    (folder,) = pictures.write(made.folder, ["coco"], overwrite=True)
    read = COCO(str(folder / "annotations.json"))
    items = list(made.items())
    assert [image["file_name"] for image in read.dataset["images"]] == [f"{item.key}.png" for item in items]
    assert [row["name"] for row in read.dataset["categories"]] == list(made.about.classes)
    for number, item in enumerate(items, 1):
        with Image.open(folder / "images" / f"{item.key}.png") as image:
            assert np.array_equal(np.asarray(image), item.image)
        rows = read.loadAnns(read.getAnnIds(imgIds=[number]))
        entries = [entry for entry in item.objects if entry["box"]]
        assert len(rows) == len(entries)
        for row, entry in zip(rows, entries, strict=True):
            left, top, right, bottom = entry["box"]
            assert row["bbox"] == [left, top, right - left, bottom - top]
            assert row["area"] == filled(entry["mask"]).sum() == sum(row["segmentation"]["counts"][1::2])
            assert row["category_id"] == entry["class_id"]
            names = read.loadCats(row["category_id"])[0].get("keypoints", [])
            assert len(row.get("keypoints", [])) == 3 * len(names)


def test_yolo_boxes_come_back(made):
    (folder,) = pictures.write(made.folder, ["yolo"], overwrite=True)
    told = yaml.safe_load((folder / "data.yaml").read_text("utf-8"))
    assert list(told["names"].values()) == list(made.about.classes)
    for item in made.items():
        lines = (folder / "labels" / "train" / f"{item.key}.txt").read_text("utf-8").splitlines()
        entries = [entry for entry in item.objects if entry["box"]]
        for line, entry in zip(lines, entries, strict=True):
            number, x, y, w, h = map(float, line.split())
            box = [(x - w / 2) * 64, (y - h / 2) * 48, (x + w / 2) * 64, (y + h / 2) * 48]
            assert np.allclose(box, entry["box"], atol=1e-3)
            assert number == entry["class_id"] - 1
        assert (folder / "images" / "train" / f"{item.key}.png").is_file()
    assert not (folder / told["val"]).exists()  # nobody validates on what was trained on


def test_plain_folders_come_back(made):
    (folder,) = pictures.write(made.folder, ["folder"], overwrite=True)
    item = next(made.items())
    for name in ("class", "instance", "part"):
        with Image.open(folder / "masks" / name / f"{item.key}.png") as image:
            assert np.array_equal(np.asarray(image), item.arrays[name])
    with np.load(folder / "arrays" / f"{item.key}.npz") as arrays:
        assert np.array_equal(arrays["depth"], item.arrays["depth"])
    meant = json.loads((folder / "meanings.json").read_text("utf-8"))["meanings"]
    assert meant["depth"]["unit"] == "m"


def test_no_name_leaves_the_folder(made):
    written = [path for folder in pictures.write(made.folder, ["coco", "yolo", "folder"], overwrite=True)
               for path in folder.rglob("*")]  # fmt: skip
    assert not any("evil" in str(path) or "\n" in str(path) for path in written)
    assert not (made.folder.parent / "evil").exists()


def test_what_stands_there_is_not_lost(made, tmp_path):
    with pytest.raises(InputError, match="finished set"):
        pictures.render(SPEC, made.folder, 3, workers=1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="other files"):
        pictures.render(SPEC, tmp_path / "mine", 1, workers=1)
    with pytest.raises(InputError, match="mkdir -p"):
        pictures.render(SPEC, tmp_path / "no" / "where", 1, workers=1)
    with pytest.raises(InputError, match="holds no set"):
        pictures.write(tmp_path / "mine", ["coco"])


@pytest.mark.parametrize(
    ("more", "kind", "said"),
    [
        ({"scenes": 0}, InputError, "1 or more"),
        ({"labels": ["dept"]}, UnknownPart, "depth"),
        ({"renderer": "raycats"}, UnknownPart, "raycast"),
        ({"pins": {"goods.cuont": 1}}, InputError, "goods.count"),
        ({"values": (1, 2)}, InputError, "twins"),
        ({"settings": {"rays": 2}}, InputError, "rays"),
    ],
)
def test_mistakes_are_told_before_work_starts(more, kind, said, tmp_path):
    with pytest.raises(kind, match=said):
        pictures.render(SPEC, tmp_path / "out", **{"scenes": 1, "workers": 1, **more})
    assert not (tmp_path / "out").exists()


def test_a_scene_that_never_shows_what_it_must_is_an_error(tmp_path):
    spec = {**SPEC, "require": {"things": 99}, "tries": 2}
    with pytest.raises(InputError, match="no try of 2 was fit: fewer than 99"):
        pictures.render(spec, tmp_path / "out", 1, workers=1)


def test_damage_is_found(made, tmp_path):
    copy = pictures.render(SPEC, tmp_path / "copy", 1, labels=["box"], shaded=False, workers=1)
    shard = copy.folder / "shards" / copy.about.shards[0]
    shard.write_bytes(shard.read_bytes()[:700])
    with pytest.raises(TraceError, match="damaged"):
        list(copy.items())
    shard.unlink()
    with pytest.raises(TraceError, match="missing"):
        list(copy.items())


def test_the_command_line_from_specification_to_coco(tmp_path, capsys):
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(SPEC, sort_keys=False))
    out = tmp_path / "out"
    asked = ["render", str(tmp_path / "spec.yaml"), "-n", "1", "--seed", "5", "--workers", "1", "-o", str(out)]
    assert main([*asked, "--pin", "goods.count=2"]) == 0
    assert "2 pictures" in capsys.readouterr().out
    assert main(["write", str(out), "--format", "coco", "yolo"]) == 0
    assert (out / "coco" / "annotations.json").is_file()
    assert main(["run", str(out / "recipe.yaml"), "--workers", "1"]) == 0
    assert "the same bytes again" in capsys.readouterr().out
    assert main(["run", str(out / "recipe.yaml"), "--workers", "1", "-o", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / "set.json").read_bytes() == (out / "set.json").read_bytes()
    assert main(["run", str(out / "recipe.yaml"), "--input", "x.csv"]) == 2
    assert "leave --input out" in capsys.readouterr().err
    assert main(["run", str(out / "recipe.yaml"), "--overwrite", "-o", str(tmp_path / "again")]) == 2
    assert "never replaced: remove the old one or choose a new folder" in capsys.readouterr().err
    assert main(["write", str(out), "--format", "coco"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["render", str(tmp_path / "spec.yaml"), "-n", "1", "-o", str(tmp_path / "x"), "--pin", "nothing"])
    assert "NAME=VALUE" in capsys.readouterr().err
    pair = ["render", str(tmp_path / "spec.yaml"), "-n", "1", "--workers", "1", "--no-pictures", "--labels", "box"]
    assert main([*pair, "--twin", "sun.elevation_deg=5,60", "-o", str(tmp_path / "pair")]) == 0
    assert [item.key[:9] for item in sets.open_set(tmp_path / "pair").items()][::2] == ["00000000a", "00000000b"]
    assert main([*pair, "--twin", "sun.elevation_deg=5", "-o", str(tmp_path / "one")]) == 2
    assert "two values" in capsys.readouterr().err


def test_a_recipe_of_pictures_that_was_altered_is_refused(made, tmp_path):
    told = yaml.safe_load((made.folder / "recipe.yaml").read_text("utf-8"))
    assert pictures.order_of(made.folder / "recipe.yaml").digest() == Record.load(made.folder / "record.json").recipe
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({**told, "sceens": 3}))
    with pytest.raises(RecipeError, match="scenes"):
        pictures.order_of(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text(yaml.safe_dump({**told, "verb": "make"}))
    with pytest.raises(RecipeError, match="no recipe of render; repeat it with: tuckpoint run"):
        pictures.order_of(tmp_path / "b.yaml")
