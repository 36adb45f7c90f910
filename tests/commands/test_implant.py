import json
import shlex

import numpy as np
import pytest
from implant.phantom import CUBE, calm, patch
from PIL import Image

from tuckpoint import arguments
from tuckpoint.cli import _VERBS, main
from tuckpoint.commands import implant
from tuckpoint.implant import calibrate, reading, volumes
from tuckpoint.implant.appearance import Appearance
from tuckpoint.implant.ct import LungNodule
from tuckpoint.seed import Seed


def folder(place, numbers):
    place.mkdir()
    for number in numbers:
        np.savez(place / f"p{number}.npz", image=patch(number), spacing=np.array(CUBE))
    return place


@pytest.mark.parametrize("line", [line for line in implant.MORE.splitlines() if line.startswith("  tuckpoint ")])
def test_examples_are_understood(line):
    arguments.parser(_VERBS).parse_args(shlex.split(line)[1:])


def test_from_hosts_to_a_checked_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "healthy", range(4))
    made = ["implant", "lung-nodule", "healthy", "-n", "16", "--null", "0.5", "--size", "4", "6", "-o", "out"]
    assert main([*made, "--kinds", "solid", "lobed"]) == 0
    assert "nulls in 16 images" in capsys.readouterr().out
    kinds = {one["kind"] for image in json.loads((tmp_path / "out/findings.json").read_text("utf-8"))["images"]
             for one in image["findings"]}  # fmt: skip
    assert kinds <= {"solid", "lobed"}
    status = main(["implant", "check", "out", "-o", "report.html", "-o", "report.json"])
    told = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert status == (3 if any(one["state"] == "fails" for one in told["checks"]) else 0)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Synthetic findings in real images" in page
    assert page.count("<figure>") == 16
    assert "<script" not in page
    assert main(["implant", "check", "out", "-o", "report.html"]) == 2  # nothing is overwritten


def test_a_bank_lays_real_nodules_into_other_patients(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "healthy", [1])
    folder(tmp_path / "real", [2])
    assert main(["implant", "lung-nodule", "real", "-n", "1", "--size", "7", "8", "-o", "first"]) == 0
    for name, kind in (("p9", "images"), ("p9_mask", "masks")):
        (made,) = (tmp_path / "first" / kind).iterdir()
        (tmp_path / "real" / f"{name}.npz").write_bytes(made.read_bytes())
    (tmp_path / "real" / "p2.npz").unlink()
    assert main(["implant", "lung-nodule", "healthy", "--bank", "real", "-n", "2", "-o", "out"]) == 0
    found = json.loads((tmp_path / "out/findings.json").read_text("utf-8"))["images"][0]["findings"][0]
    assert found["drawn"]["source_group"] == "p9"
    assert main(["implant", "lung-nodule", "healthy", "--bank", "real", "--size", "4", "5", "-o", "other"]) == 2
    assert "--size goes with parametric nodules" in capsys.readouterr().err


def test_a_run_is_repeated_from_its_recipe(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiles").mkdir()
    grain = Seed(1, ("tile",)).numpy().normal(120, 8, (64, 64)).astype(np.uint8)
    for number in range(3):
        Image.fromarray(grain + np.uint8(number)).save(tmp_path / "tiles" / f"t{number}.png")
    made = ["implant", "surface-defect", "tiles", "--kinds", "hole", "--null", "0.3", "-o", "out", "--format", "coco"]
    assert main([*made, "--workers", "1"]) == 0
    assert "again: tuckpoint run out.recipe.yaml" in capsys.readouterr().out
    recipe = (tmp_path / "out.recipe.yaml").read_text(encoding="utf-8")
    assert "count: 3" in recipe
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["run", "../out.recipe.yaml"]) == 0
    files = sum(path.is_file() for path in (tmp_path / "out").rglob("*"))
    assert f"the same bytes again: {files} files" in capsys.readouterr().out
    assert main(["run", "../out.recipe.yaml", "-o", "out"]) == 0
    told = [(tmp_path / place / "findings.json").read_bytes() for place in ("out", "elsewhere/out")]
    assert told[0] == told[1]
    Image.fromarray(grain).save(tmp_path / "tiles/t1.png")
    assert main(["run", "../out.recipe.yaml"]) == 2
    assert "hosts or masks are not what they were" in capsys.readouterr().err
    for old, new, words in (
        ("each: 1\n", "", "each not given"), ("seed: 0", "seed: one", "give a whole number"),
        ("hosts: tiles", "hosts: gone", "no gone here"), ("- coco", "- dicom", "does not hold photographs"),
        ("what: surface", "what: face", "face-defect"),
    ):  # fmt: skip
        (tmp_path / "altered.recipe.yaml").write_text(recipe.replace(old, new), encoding="utf-8")
        assert main(["run", "../altered.recipe.yaml"]) == 2
        assert words in capsys.readouterr().err


def test_defects_on_photographs_are_made_and_checked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiles").mkdir()
    for number in range(2):
        grain = Seed(number, ("tile",)).numpy().normal(120, 8, (96, 96))
        Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8)).save(tmp_path / "tiles" / f"t{number}.png")
    made = ["implant", "surface-defect", "tiles", "--kinds", "hole", "-n", "4", "--null", "0.3", "-o", "out"]
    assert main(made) == 0
    told = json.loads((tmp_path / "out/findings.json").read_text("utf-8"))
    assert {one["kind"] for image in told["images"] for one in image["findings"]} == {"hole"}
    assert main(["implant", "check", "out", "-o", "report.html", "-o", "report.json"]) in (0, 3)
    states = {one["name"]: one["state"] for one in json.loads((tmp_path / "report.json").read_text("utf-8"))["checks"]}
    assert states["untouched outside alpha"] == states["values within limits"] == "holds"
    assert main(["implant", "surface-defect", "tiles", "--kinds", "hoel", "-o", "other"]) == 2


def test_an_expert_gets_a_sheet_and_is_held_against_the_key(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "healthy", range(2))
    assert main(["implant", "lung-nodule", "healthy", "-n", "6", "--size", "4", "6", "-o", "out"]) == 0
    folder(tmp_path / "few", range(10, 16))
    sheet = ["implant", "sheet", "out", "--real-positives", "few", "-o", "reader", "--key", "key.json"]
    assert main(sheet) == 0
    truth = json.loads((tmp_path / "key.json").read_text("utf-8"))["implanted"]
    lines = ["pair,implanted", *(f"{name},{side}" for name, side in truth.items())]
    (tmp_path / "filled.csv").write_text("\n".join(lines))
    assert main(["implant", "answers", "filled.csv", "--key", "key.json"]) == 0
    assert "6 of 6 right, 100%" in capsys.readouterr().out


def test_calibration_tells_before_and_after(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(calibrate, "NODULES", 12)
    folder(tmp_path / "healthy", [1])
    few = folder(tmp_path / "few", [])
    adapter = LungNodule(Appearance(size_mm=(5.0, 7.0), kinds={"solid": 1.0}), attached=0.0)
    for number in range(12):
        host = calm(number % 3)
        pair = adapter.implant(host, adapter.plan(host, Seed(number)))
        np.savez(few / f"r{number}.npz", image=pair.image, spacing=np.array(CUBE))
        np.savez(few / f"r{number}_mask.npz", image=pair.mask())
    monkeypatch.setattr(reading, "ct", lambda path, **_: (calm(1), volumes.read(path)))
    made = ["implant", "lung-nodule", "healthy", "--calibrate", "few", "--kinds", "solid", "--attached", "0", "-n", "1"]
    assert main([*made, "-o", "out"]) == 0
    assert "calibrated: fwhm_mm" in capsys.readouterr().out
    settings = json.loads((tmp_path / "out/findings.json").read_text("utf-8"))["settings"]
    assert settings["look"]["size_factor"] < 1
    assert settings["calibration"]["after"] != settings["calibration"]["before"]
    for place in list(few.glob("r[1-9]*")):
        place.unlink()
    assert main([*made, "-o", "other"]) == 2
    assert "1 nodules can be measured" in capsys.readouterr().err


def test_bad_hosts_are_told_and_nothing_is_left(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grey").mkdir()
    np.savez(tmp_path / "grey" / "a.npz", image=np.zeros((40, 40, 40), np.uint8), spacing=np.array(CUBE))
    assert main(["implant", "lung-nodule", "grey", "-o", "out"]) == 2
    assert "8-bit" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
