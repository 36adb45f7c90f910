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
from scene.stages import ball, box, camera, quad, stage

from tuckpoint.errors import InputError, ToolError
from tuckpoint.scene.plan import plan
from tuckpoint.scene.renderers import blender, worker
from tuckpoint.scene.renderers.blender import Blender
from tuckpoint.scene.renderers.raycast import Raycast
from tuckpoint.scene.scene import Lamp, Material, Pose, Sky, Sun, looking, turned
from tuckpoint.scene.spec import Spec
from tuckpoint.scene.stage import staged
from tuckpoint.seed import Seed

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
    first, *rest = (room / "plan").read_text("utf-8").split() or ["fine"]
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
    return [int(line) for line in (fake.parent / "asked").read_text("utf-8").split()]


def alive(pid):
    """Whether a process runs; one that ended and that nobody asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def gone(pid):
    """Whether it ends within two seconds."""
    return any(not alive(pid) or time.sleep(0.02) for _ in range(100))


def parent_of(path):
    """The parent's number of a process in /proc."""
    try:
        return int((path / "stat").read_text("utf-8").rpartition(")")[2].split()[1])
    except OSError:
        return None


def words(path):
    """The command of a process in /proc."""
    try:
        return (path / "cmdline").read_bytes()
    except OSError:
        return b""


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
    told = blender.question(shown, 1, Blender(python=sys.executable), tmp_path, "passes")
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


@pytest.fixture(scope="module")
def cycles():
    """The renderer with few samples; without a worker on this machine, the reason why it is skipped."""
    try:
        renderer = Blender(samples=4, timeout_s=300)
    except ToolError as error:
        pytest.skip(str(error))
    yield renderer
    worker.stop()


TWENTY = {
    "name": "twenty",
    "frames": 3,
    "things": {
        "ground": {"family": "plane", "labelled": False, "shape": {"width_m": 3.0, "depth_m": 3.0}},
        "goods": {
            "family": {"choice": ["bottle", "can", "bowl", "box", "ball"]},
            "count": 20,
            "place": {"on": "ground"},
        },
    },
    "camera": {"distance_m": 3.0, "elevation_deg": 35.0},
}


def clip():
    """Twenty things, of which one moves and turns, before a camera that moves too, with pixels that are not square."""
    scene = plan(Spec.from_dict(TWENTY), Seed(1), 0)
    first, view = scene.things[1].pose(0), scene.camera.pose(0)
    moved = tuple(
        Pose((first.position[0] + 0.07 * n, first.position[1] + 0.03 * n, 0.05 * n), turned((0, 0, 1), 20.0 * n))
        for n in range(3)
    )
    eyes = tuple(
        looking((view.position[0] + 0.03 * n, view.position[1], view.position[2]), (0.02 * n, 0.0, 0.0))
        for n in range(3)
    )
    things = tuple(replace(thing, poses=moved) if n == 1 else thing for n, thing in enumerate(scene.things))
    (fx, fy), (cx, cy) = scene.camera.focal_px, scene.camera.centre_px
    lens = replace(scene.camera, focal_px=(fx, 0.9 * fy), centre_px=(cx + 11.0, cy - 7.5), poses=eyes)
    return staged(replace(scene, things=things, camera=lens))


def test_the_labels_of_both_renderers_agree(cycles):
    shown = clip()
    ours, theirs = Raycast(device="cpu").render(shown, 1, shaded=False), cycles.passes(shown, 1)
    seen = [n for n in range(1, 22) if (ours.instance == n).sum() > 100]
    assert len(seen) >= 15
    both = sum(((ours.instance == n) & (theirs.instance == n)).sum() for n in seen)
    either = sum(((ours.instance == n) | (theirs.instance == n)).sum() for n in seen)
    same = (ours.instance == theirs.instance) & (ours.instance > 0)
    apart = np.abs(ours.depth[same] - theirs.depth[same])
    off = {
        name: np.linalg.norm(getattr(ours, name)[same] - getattr(theirs, name)[same], axis=-1)
        for name in ("flow", "flow_back", "normal")
    }
    worst = min(
        ((ours.instance == n) & (theirs.instance == n)).sum() / ((ours.instance == n) | (theirs.instance == n)).sum()
        for n in seen
    )
    assert both / either > 0.998
    assert worst > 0.99
    assert np.quantile(apart, 0.99) < 2e-3
    assert np.median(np.linalg.norm(ours.flow[same], axis=-1)) > 1
    assert np.median(np.linalg.norm(ours.flow[ours.instance == 2] - ours.flow[ours.instance == 1].mean(0), axis=-1)) > 3
    assert np.quantile(off["flow"], 0.99) < 0.05
    assert np.quantile(off["flow_back"], 0.99) < 0.05
    assert np.quantile(off["normal"], 0.99) < 0.01
    assert np.isinf(theirs.depth[theirs.instance == 0]).all()
    assert cycles.passes(shown, 0).flow_back is None
    assert cycles.passes(shown, 2).flow is None


FLAT = quad(half=20.0)
GREY = Material(colour=(0.5, 0.5, 0.5), roughness=1.0)
DARK = Sky((0, 0, 0), (0, 0, 0), (0, 0, 0))
DOWN = camera((0.0, 0.0, 5.0), size=(32, 32), focal=200.0)


def light(renderer, **more):
    """The light of a grey floor from above, in its middle."""
    found = renderer.render(stage([FLAT], view=DOWN, material=GREY, **{"sun": None, "sky": DARK, **more}), 0)
    return found.radiance[12:20, 12:20].mean(axis=(0, 1))


@pytest.mark.parametrize(
    ("lit", "matt"),  # what falls on a grey floor times 0.5 / pi is what comes back, but for a gloss of some percent
    [
        ({"sun": Sun(30.0, 0.0, 4.0, (1.0, 0.5, 0.25))}, [4 * 0.5 * 0.5 / np.pi * c for c in (1.0, 0.5, 0.25)]),
        ({"sky": Sky((1.0, 0.5, 0.2), (1.0, 0.5, 0.2), (0.0, 0.0, 0.0))}, None),
        ({"lamps": (Lamp((0.0, 0.0, 2.0), (0.0, 0.0, 0.0), 0.1, 100.0),)}, [100 / (np.pi * 4) * 0.5 / np.pi] * 3),
        ({"lamps": (Lamp((1.0, 0.0, 2.0), (0.0, 0.0, 0.0), 0.2, 100.0),)}, None),
    ],
)
def test_light_has_the_same_units_in_both(cycles, lit, matt):
    theirs = light(replace(cycles, samples=64, denoise=False), **lit)
    ours = light(Raycast(device="cpu", sky_rays=16, lamp_rays=16), **lit)
    assert theirs == pytest.approx(ours, rel=0.15)
    if matt is not None:
        assert theirs == pytest.approx(matt, rel=0.12)


def panorama(folder):
    """An environment map in which each of eight columns and four rows has a colour of its own."""
    from PIL import Image

    codes = np.zeros((32, 64, 3), np.uint8)
    codes[..., 0] = 30 + 25 * (np.arange(64) // 8)
    codes[..., 1] = 40 + 50 * (np.arange(32) // 8)[:, None]
    Image.fromarray(codes).save(folder / "sky.png")
    return str(folder / "sky.png")


@pytest.mark.parametrize("kind", ["gradient", "map"])
@pytest.mark.parametrize("target", [(1.0, -5.0, 0.4), (-3.0, -7.0, -1.0), (0.5, -5.0, -3.0)])
def test_the_sky_is_the_same_in_both(cycles, tmp_path, kind, target):
    sky = Sky(strength=1.3) if kind == "gradient" else Sky(strength=1.3, map=panorama(tmp_path), turn_deg=50.0)
    shown = stage([ball(0.01, 4)], view=camera(target=target, focal=40.0), sky=sky, sun=None)
    ours = Raycast(device="cpu").render(shown, 0).radiance
    theirs = replace(cycles, samples=16, denoise=False).render(shown, 0).radiance
    apart = np.abs(ours - theirs).max(axis=-1)
    assert np.median(apart) < 0.002
    assert np.quantile(apart, 0.7) < 0.02  # edges between colours are smoothed in one of them
    assert ours.std() > 0.02


def test_a_face_that_is_a_line_stops_nothing(cycles):
    good = quad((0, -1, 0), 1.0)
    faces = np.concatenate([[[0, 0, 1], [2, 2, 2]], good.faces]).astype(np.int32)
    torn = replace(good, faces=faces, part=np.zeros(4, np.int32))
    nothing = replace(torn, faces=faces[:2], part=np.zeros(2, np.int32))
    shown = stage([torn, nothing])
    assert (cycles.passes(shown, 0).instance == Raycast(device="cpu").render(shown, 0, shaded=False).instance).all()


def test_lamps_light_but_are_no_things(cycles):
    lamp = Lamp((0.0, -2.0, 0.0), (0.0, 0.0, 0.0), 1.0, 100.0)
    shown = stage([ball(0.5, 16)], lamps=(lamp,), sun=None, sky=DARK)
    found = replace(cycles, denoise=False).render(shown, 0)
    assert found.radiance[found.instance == 1].mean() > 0.1
    assert found.radiance[0].max() == 0


def test_one_sees_through_glass(cycles):
    red = Material(colour=(0.9, 0.02, 0.02), roughness=1.0)
    clear = Material(colour=(1.0, 1.0, 1.0), roughness=0.0, transmission=1.0)
    behind, before = quad((0, -1, 0), 4.0), quad((0, -1, 0), 0.5)
    shown = stage([behind, before], poses=[(Pose((0.0, 2.0, 0.0)),), (Pose(),)], material=red, sun=Sun(10.0, -90.0))
    shown = replace(shown, materials=(red, clear))
    found = replace(cycles, samples=16).render(shown, 0)
    through, past = (found.radiance[found.instance == n].mean(axis=0) for n in (2, 1))
    assert (found.instance == 2).sum() > 50
    assert through[0] > 5 * through[1]
    assert through[0] == pytest.approx(past[0], rel=0.3)


def test_textures_lie_as_they_do_in_the_other(cycles):
    random = np.random.Generator(np.random.Philox(1)).integers(0, 256, (8, 8, 3))
    picture = np.kron(random, np.ones((16, 16, 1))).astype(np.uint8)
    shown = stage([quad(half=2.0)], view=camera((0.0, 0.0, 5.0)), textures={0: picture},
                  material=Material(colour=(0.8, 1.0, 0.6), roughness=1.0), sun=Sun(80.0))  # fmt: skip
    ours = Raycast(device="cpu", sky_rays=16).render(shown, 0).radiance
    theirs = replace(cycles, samples=32, denoise=False).render(shown, 0).radiance
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.99


def test_the_same_scene_has_the_same_light_in_a_fresh_process(cycles):
    shown = clip()
    shown = replace(shown, scene=replace(shown.scene, camera=camera((0.0, -3.0, 2.0))))
    first = cycles.render(shown, 0).radiance
    worker.stop()
    assert np.abs(cycles.render(shown, 0).radiance - first).max() < 1 / 255
    other = replace(shown, scene=replace(shown.scene, index=1))
    assert np.abs(cycles.render(other, 0).radiance - first).max() > 1 / 255


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends when its scene is done")
def test_cycles_itself_ends_with_its_parent(cycles, tmp_path):
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from scene.test_blender import clip\n"
        "from tuckpoint.scene.renderers.blender import Blender\n"
        "Blender(samples=100000).render(clip(), 0)"
    )
    before = {path.name for path in Path("/proc").glob("[0-9]*")}
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}
    )
    try:
        child = None
        for _ in range(600):
            time.sleep(0.05)
            for path in Path("/proc").glob("[0-9]*"):
                if path.name not in before and parent_of(path) == parent.pid and b"tuckpoint_blender" in words(path):
                    child = int(path.name)
            if child is not None:
                break
        assert child is not None
        time.sleep(4)  # it renders by now
        assert alive(child)
    finally:
        parent.kill()
        parent.wait()
    assert gone(child)
