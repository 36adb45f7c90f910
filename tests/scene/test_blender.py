"""The line to the worker and what it survives, everywhere; Cycles itself against `raycast` and paper, where it is."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from house.source import ROOT, imported, modules, name, tree
from scene.stages import ball, box, stage

from tuckpoint.errors import InputError, ToolError
from tuckpoint.scene.renderers import blender, worker
from tuckpoint.scene.renderers.blender import Blender
from tuckpoint.scene.scene import Lamp, Sun

SOURCE = ROOT / "worker" / "blender" / "src" / "tuckpoint_blender"
# The worker with another renderer in it: it takes the next line of a file as what it does with the scene.
SHOOT = """
import os, pathlib, signal, sys, time

class RefusedError(Exception):
    pass

def version():
    return "none"

def memory_mb():
    return float(os.environ.get("FAKE_MB", "10"))

def shoot(asked):
    room = pathlib.Path(os.environ["FAKE"])
    with (room / "asked").open("a") as file:
        file.write(f"{os.getpid()}\\n")
    first, *rest = (room / "plan").read_text().split() or ["fine"]
    (room / "plan").write_text(" ".join(rest))
    print("this must not disturb the line", flush=True)
    os.system("echo nor this")
    if first == "crash":
        os.write(2, b"a wall fell\\n" * 3 + b"on the tracer\\n")
        os.kill(os.getpid(), signal.SIGSEGV)
    if first == "hang":
        time.sleep(60)
    if first == "grow":
        held = bytearray(300_000_000)
        time.sleep(60)
    if first == "garbage":
        for handle in range(3, 12):
            try:
                os.write(handle, b"Fra:1 Mem:12M")
            except OSError:
                pass
        time.sleep(60)
    if first == "fail":
        raise RuntimeError("no such light")
    if first == "refuse":
        raise RefusedError("no GPU here")
    return {"pid": os.getpid()}
"""
STARTER = """#!{python}
import runpy, sys
sys.path.insert(0, {folder!r})
sys.argv = ["tuckpoint_blender", sys.argv[-1]]
runpy.run_module("tuckpoint_blender", run_name="__main__", alter_sys=True)
"""
FEW = worker.Limits(timeout_s=20, recycle_after=100, memory_mb=100)


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """The path of a worker that does not render; `fake.plans` says what it does scene by scene."""
    package = tmp_path / "tuckpoint_blender"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("*.pyc", "build.py"))
    (package / "shoot.py").write_text(SHOOT)
    starter = tmp_path / "python"
    starter.write_text(STARTER.format(python=sys.executable, folder=str(tmp_path)))
    starter.chmod(0o755)
    monkeypatch.setenv("FAKE", str(tmp_path))
    (tmp_path / "plan").write_text("")
    yield starter
    worker.stop()


def ask(fake, plans="", limits=FEW, **question):
    (fake.parent / "plan").write_text(plans)
    return worker.ask(blender.worker_command(str(fake)), question, limits)


def asked(fake):
    """The processes that were asked, in order."""
    return [int(line) for line in (fake.parent / "asked").read_text().split()]


def alive(pid):
    """Whether a process runs; one that ended and that nobody asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def gone(pid):
    """Whether it ends within two seconds."""
    return any(not alive(pid) or time.sleep(0.02) for _ in range(100))


def test_tuckpoint_never_imports_blender():
    others = {path: {module.split(".")[0] for module in imported(tree(path))} for path in modules()}
    assert [name(path) for path, taken in others.items() if taken & {"bpy", "mathutils", "tuckpoint_blender"}] == []
    assert any("subprocess" in taken for taken in others.values())


def test_one_process_serves_one_scene_after_the_other(fake):
    first, second = ask(fake)["pid"], ask(fake)["pid"]
    assert first == second != os.getpid()
    assert asked(fake) == [first, second]


@pytest.mark.parametrize("what", ["crash", "garbage", "fail"])
def test_the_same_scene_is_tried_again_in_a_fresh_process(fake, what):
    answer = ask(fake, f"{what} {what} fine")
    pids = asked(fake)
    assert len(set(pids)) == 3
    assert answer["pid"] == pids[2]
    assert gone(pids[0])


def test_a_hang_is_ended_and_tried_again(fake):
    started = time.monotonic()
    answer = ask(fake, "hang fine", replace(FEW, timeout_s=1.5))
    assert 1.5 < time.monotonic() - started < 15
    assert gone(asked(fake)[0])
    assert answer["pid"] == asked(fake)[1]


def test_what_fails_three_times_is_told_with_its_last_lines(fake):
    with pytest.raises(ToolError, match=r"(?s)failed 3 times.*its process ended .exit code -11.*on the tracer"):
        ask(fake, "crash crash crash fine")
    assert len(asked(fake)) == 3
    with pytest.raises(ToolError, match="RuntimeError: no such light"):
        ask(fake, "fail fail fail")
    with pytest.raises(ToolError, match=r"no answer in 0\.3 s"):
        ask(fake, "hang hang hang", replace(FEW, timeout_s=0.3))


def test_what_is_refused_is_not_tried_again(fake):
    with pytest.raises(InputError, match="no GPU here"):
        ask(fake, "refuse fine")
    assert len(asked(fake)) == 1


def test_processes_are_recycled(fake, monkeypatch):
    pids = [ask(fake, limits=replace(FEW, recycle_after=2))["pid"] for _ in range(3)]
    assert pids[0] == pids[1] != pids[2]
    monkeypatch.setenv("FAKE_MB", "101")
    worker.stop()
    assert ask(fake)["pid"] != ask(fake)["pid"]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc tells the memory of a process")
def test_a_process_that_grows_within_a_scene_is_ended(fake):
    started = time.monotonic()
    assert ask(fake, "grow fine")["pid"] == asked(fake)[1]
    assert time.monotonic() - started < 20
    assert gone(asked(fake)[0])


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("#!/bin/sh\necho hello world, here is no line\n", "no message"),
        ("#!/bin/sh\necho cannot find libX >&2; exit 3\n", "(?s)exit code 3.*cannot find libX"),
    ],
)
def test_what_is_no_worker_is_told(tmp_path, script, said):
    place = tmp_path / "python"
    place.write_text(script)
    place.chmod(0o755)
    with pytest.raises(ToolError, match=said):
        worker.ask(blender.worker_command(str(place)), {}, FEW)
    with pytest.raises(ToolError, match=said):
        worker.hello(blender.worker_command(str(place)))


def test_an_older_worker_is_told_to_be_replaced(fake, monkeypatch):
    monkeypatch.setattr(worker, "PROTOCOL", 2)
    with pytest.raises(ToolError, match="protocol 1, not 2; install it again"):
        worker.hello(blender.worker_command(str(fake)))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends when its scene is done")
def test_a_worker_ends_with_its_parent_even_within_a_scene(fake):
    (fake.parent / "plan").write_text("hang")
    code = (
        "from tuckpoint.scene.renderers import blender, worker\n"
        f"worker.ask(blender.worker_command({str(fake)!r}), {{}}, worker.Limits(60, 9, 999))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
    try:
        for _ in range(300):
            if (fake.parent / "asked").exists() and asked(fake):
                break
            time.sleep(0.05)
        (pid,) = asked(fake)
        assert alive(pid)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert gone(pid)


def test_no_worker_is_told_with_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("TUCKPOINT_BLENDER", raising=False)
    with pytest.raises(ToolError, match="tuckpoint blender install"):
        Blender()
    assert blender.home() == tmp_path / "tuckpoint" / "blender"
    place = blender.python_in(blender.home())
    place.parent.mkdir(parents=True)
    place.touch()
    assert Blender().name == "blender"
    assert blender.worker_command()[0] == str(place)


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"bounces": -1}, {"timeout_s": 0.0}, {"recycle_after": 0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Blender(python=sys.executable, **wrong)


def test_what_the_worker_gets_is_whole_and_plain(tmp_path):
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    shown = stage([box(), ball(0.4, 8)], textures={0: picture, 1: picture}, sun=Sun(irradiance=2.0), frames=2)
    told = {
        **blender._numbers(shown, 1, Blender(python=sys.executable)),
        **blender._arrays(shown, 1, tmp_path, "passes"),
    }
    assert json.loads(json.dumps(told)) == told
    assert (told["now"], told["next"], told["previous"]) == (1, False, True)
    assert [one["texture"] for one in told["materials"]] == ["texture0", "texture0", None]
    assert np.linalg.norm(told["sun"]["towards"]) == pytest.approx(1)
    with np.load(tmp_path / "scene.npz") as stored:
        assert {name: stored[name].shape for name in stored.files} == {
            "vertices": (2, len(shown.vertices()), 3), "normals": (len(shown.vertices()), 3), "uv": shown.uv.shape,
            "faces": shown.faces.shape, "instance": shown.instance.shape, "material": shown.material.shape,
            "camera": (2, 4, 4), "texture0": (4, 4, 3),
        }  # fmt: skip
        assert (stored["texture0"] == picture).all()
    low = stage([box()], sun=Sun(elevation_deg=-1.0), lamps=(Lamp((0.0, 0.0, 1.0), (0.0, 0.0, 1.0)),))
    assert blender._sun(low.scene.sun) is None
    with pytest.raises(InputError, match="faces itself"):
        blender._numbers(low, 0, Blender(python=sys.executable))
