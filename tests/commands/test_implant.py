import json
import shlex

import numpy as np
import pytest
from implant.phantom import CUBE, patch

from tuckpoint import arguments
from tuckpoint.cli import _VERBS, main
from tuckpoint.commands import implant


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
    kinds = {one["kind"] for image in json.loads((tmp_path / "out/findings.json").read_text())["images"]
             for one in image["findings"]}  # fmt: skip
    assert kinds <= {"solid", "lobed"}
    status = main(["implant", "check", "out", "-o", "report.html", "-o", "report.json"])
    told = json.loads((tmp_path / "report.json").read_text())
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
    found = json.loads((tmp_path / "out/findings.json").read_text())["images"][0]["findings"][0]
    assert found["drawn"]["source_group"] == "p9"
    assert main(["implant", "lung-nodule", "healthy", "--bank", "real", "--size", "4", "5", "-o", "other"]) == 2
    assert "--size goes with parametric nodules" in capsys.readouterr().err


def test_bad_hosts_are_told_and_nothing_is_left(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grey").mkdir()
    np.savez(tmp_path / "grey" / "a.npz", image=np.zeros((40, 40, 40), np.uint8), spacing=np.array(CUBE))
    assert main(["implant", "lung-nodule", "grey", "-o", "out"]) == 2
    assert "8-bit" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
