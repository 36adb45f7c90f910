"""`tuckpoint blender` with a worker that renders nothing, packed by hand: nothing is fetched."""

import sys
import zipfile

import pytest
from house.source import ROOT
from scene.test_blender import SHOOT

from tuckpoint import cli
from tuckpoint.commands import blender as module

SOURCE = ROOT / "worker" / "blender" / "src" / "tuckpoint_blender"
ABOUT = "tuckpoint_blender-0.1.0.dist-info"


@pytest.fixture
def say(capsys):
    """Run the command; its exit status, and what it printed."""

    def run(*words):
        status = cli.main(["blender", *map(str, words)])
        out, err = capsys.readouterr()
        return status, out + err

    return run


def python(folder, script):
    """A program in the place of Python."""
    place = folder / "python"
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)
    return place


@pytest.fixture
def wheel(tmp_path):
    """A distribution that pip installs without building or fetching anything."""
    place = tmp_path / "tuckpoint_blender-0.1.0-py3-none-any.whl"
    files = {
        "tuckpoint_blender/__init__.py": (SOURCE / "__init__.py").read_text(encoding="utf-8"),
        "tuckpoint_blender/__main__.py": (SOURCE / "__main__.py").read_text(encoding="utf-8"),
        "tuckpoint_blender/shoot.py": SHOOT,
        f"{ABOUT}/METADATA": "Metadata-Version: 2.1\nName: tuckpoint-blender\nVersion: 0.1.0\n",
        f"{ABOUT}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(place, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
        packed.writestr(f"{ABOUT}/RECORD", "".join(f"{name},,\n" for name in [*files, f"{ABOUT}/RECORD"]))
    return place


@pytest.mark.skipif(sys.version_info[:2] != module.WANTED, reason="Blender's module needs Python 3.11, this is another")
def test_the_worker_is_installed_checked_and_found(say, wheel, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("TUCKPOINT_BLENDER", raising=False)
    status, told = say("check")
    assert (status, "tuckpoint blender install" in told) == (2, True)
    status, told = say("install", "--source", wheel, "--python", sys.executable)
    assert (status, "Blender none" in told) == (0, True), told
    assert say("check")[0] == 0
    assert [path.name for path in (tmp_path / "data" / "tuckpoint").iterdir()] == ["blender"]
    status, told = say("install", "--source", wheel, "--python", sys.executable)
    assert (status, "--overwrite" in told) == (2, True)


def test_what_fails_is_told_and_leaves_nothing(say, tmp_path):
    place = python(tmp_path, 'case "$*" in *version_info*) echo 3 11;; *) echo no room on the disk >&2; exit 7;; esac')
    status, told = say("install", "--source", "x", "--python", place, "--path", tmp_path / "env")
    assert (status, "ended with exit code 7" in told, "no room on the disk" in told) == (2, True, True)
    assert [path.name for path in tmp_path.iterdir()] == ["python"]


def test_another_python_is_refused(say, tmp_path):
    other = python(tmp_path, "echo 3 10")
    status, told = say("install", "--source", "x", "--python", other, "--path", tmp_path / "env")
    assert (status, "no Python 3.11 found" in told) == (2, True)
    assert not (tmp_path / "env").exists()


def test_a_folder_with_other_files_is_let_be(say, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").touch()
    status, told = say(
        "install", "--source", "x", "--python", sys.executable, "--path", tmp_path / "home", "--overwrite"
    )
    assert status == 2
    if sys.version_info[:2] == module.WANTED:
        assert "holds other files" in told
    assert (tmp_path / "home" / "thesis.tex").exists()


def test_the_source_is_beside_us_or_asked_for(say, tmp_path, monkeypatch):
    assert module._beside_us() == ROOT / "worker" / "blender"
    monkeypatch.setattr(module, "SOURCE", tmp_path / "nowhere")
    status, told = say("install")
    assert (status, "--source" in told) == (2, True)
