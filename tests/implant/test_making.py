import json
import os
import signal
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from implant.chest import GAIN, MM, film
from implant.phantom import CUBE, patch
from PIL import Image

from tuckpoint.errors import InputError, TraceError
from tuckpoint.implant import hosts, unfinished
from tuckpoint.implant.appearance import Appearance
from tuckpoint.implant.ct import LungNodule
from tuckpoint.implant.making import Asked, Order, make
from tuckpoint.implant.radiograph import RadiographNodule
from tuckpoint.implant.radiograph_gain import Gain
from tuckpoint.implant.surface import SurfaceDefect
from tuckpoint.volumes.formats import FORMATS

FORMS = {"lung-nodule": ("nnunet",), "surface-defect": ("coco",), "radiograph-nodule": ("png", "coco")}


@dataclass(frozen=True)
class Watched:
    """An adapter that tells which hosts it was given, and is stopped before the one after `most`."""

    inner: Any
    most: int = 100
    seen: list[str] = field(default_factory=list)

    def plan(self, host, seed, **more):
        if len(self.seen) == self.most:
            raise KeyboardInterrupt
        self.seen.append(host.name)
        return self.inner.plan(host, seed, **more)

    def implant(self, host, drawn):
        return self.inner.implant(host, drawn)


@dataclass(frozen=True)
class Deadly:
    """An adapter that ends its own process once, in the middle of an image."""

    inner: Any
    notes: Path

    def plan(self, host, seed, **more):
        return self.inner.plan(host, seed, **more)

    def implant(self, host, drawn):
        if host.name == "t2":
            try:
                self.notes.touch(exist_ok=False)
            except FileExistsError:
                return self.inner.implant(host, drawn)
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner.implant(host, drawn)


def tile(place, number):
    grey = np.random.Generator(np.random.Philox(key=number)).normal(120, 6, (60, 64))
    Image.fromarray(grey.astype(np.uint8)).save(place / f"t{number}.png")


def ordered(place, what, **asked):
    """Hosts in a new folder, and what to do with them."""
    place.mkdir(exist_ok=True)
    if what == "lung-nodule":
        for number in range(2):
            np.savez(place / f"p{number}.npz", image=patch(number), spacing=np.array(CUBE))
        adapter, files = LungNodule(Appearance(size_mm=(4.0, 6.0))), hosts.scans(place)
    elif what == "surface-defect":
        for number in range(3):
            tile(place, number)
        adapter, files = SurfaceDefect(kinds=("hole", "crack")), hosts.photos(place)
    else:
        (place / "masks").mkdir()
        for number in range(2):
            image, lung = film(number)
            Image.fromarray(image).save(place / f"p{number}.png")
            Image.fromarray(lung.astype(np.uint8)).save(place / "masks" / f"p{number}.png")
        adapter = RadiographNodule(Gain(GAIN), Appearance(size_mm=(8.0, 10.0), kinds={"solid": 1.0}))
        files = hosts.films(place, lungs=place / "masks", spacing=(MM, MM))
    given = Asked(**({"count": 3, "null": 0.3, "seed": 4} | asked))
    return Order(what, adapter, files, given, {})


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def single(monkeypatch):
    """One image a shard, however small."""
    monkeypatch.setattr(unfinished, "LEAST_BYTES", 1)


@pytest.mark.parametrize("what", list(FORMS))
def test_after_an_interrupt_the_same_call_goes_on_to_the_same_bytes(tmp_path, monkeypatch, single, what):
    order, out = ordered(tmp_path / "in", what), tmp_path / "out"
    (tmp_path / "whole").mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(unfinished, "LEAST_BYTES", 10**9)
        make(order, tmp_path / "whole/out", also=FORMS[what])
    with pytest.raises(KeyboardInterrupt, match=r"stopped with 1 of 3 shards .* run the same again"):
        make(replace(order, adapter=Watched(order.adapter, most=1)), out, also=FORMS[what])
    assert not out.exists()
    form = FORMS[what][0]
    calls = []

    def stopped(*given):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return FORMATS[form].write(*given)

    rest = Watched(order.adapter)
    with monkeypatch.context() as patched:
        patched.setattr("tuckpoint.implant.making.FORMATS", {**FORMATS, form: replace(FORMATS[form], write=stopped)})
        with pytest.raises(KeyboardInterrupt, match="stopped with 1 of 3 shards"):
            make(replace(order, adapter=rest), out, also=FORMS[what])
    assert len(rest.seen) == 2
    assert not out.exists()
    idle = Watched(order.adapter)
    made = make(replace(order, adapter=idle), out, also=FORMS[what])
    assert idle.seen == []
    assert made.images == 3
    assert contents(out) == contents(tmp_path / "whole" / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out", "whole"]


def test_two_workers_one_of_them_killed_change_no_byte(tmp_path, monkeypatch):
    order = ordered(tmp_path / "in", "surface-defect", count=10, each=2)
    (tmp_path / "one").mkdir()
    told = []
    made = make(order, tmp_path / "one/out", also=("coco", "png"), progress=lambda *what: told.append(what))
    assert told[-1][0].startswith("5 of 5 images as coco, png")
    assert told[-1][1] == 1
    monkeypatch.setattr(unfinished, "LEAST_BYTES", 8_000)  # two hosts or three
    deadly = Deadly(order.adapter, tmp_path / "killed")
    assert make(replace(order, adapter=deadly), tmp_path / "out", also=("coco", "png"), workers=2) == made
    assert (tmp_path / "killed").exists()
    assert contents(tmp_path / "out") == contents(tmp_path / "one/out")


def test_a_broken_host_is_told_by_name_and_costs_only_its_own_images(tmp_path, single):
    (tmp_path / "in").mkdir()
    order, out = ordered(tmp_path / "in", "surface-defect", count=6), tmp_path / "out"
    whole = (tmp_path / "in/t1.png").read_bytes()
    (tmp_path / "in/t1.png").write_bytes(whole[:300])
    with pytest.raises(InputError, match=r"t1.png is no picture, or a broken one"):
        make(order, out)
    (tmp_path / "in/t1.png").write_bytes(whole)
    rest = Watched(order.adapter, most=2)
    with pytest.raises(KeyboardInterrupt):
        make(replace(order, adapter=rest), out)
    assert rest.seen == ["t1", "t1"]
    (tmp_path / "new").mkdir()
    tile(tmp_path / "new", 7)
    (tmp_path / "new/t7.png").rename(tmp_path / "in/t0.png")  # a host that was done is another now
    last = Watched(order.adapter)
    make(replace(order, adapter=last), out)
    assert last.seen == ["t0", "t0", "t2", "t2"]
    make(order, tmp_path / "new/out")
    assert contents(out) == contents(tmp_path / "new/out")


def test_what_is_torn_or_belongs_to_nothing_is_made_again_or_goes(tmp_path, single):
    order, out = ordered(tmp_path / "in", "surface-defect"), tmp_path / "out"
    (tmp_path / "whole").mkdir()
    make(order, tmp_path / "whole/out")
    with pytest.raises(KeyboardInterrupt):
        make(replace(order, adapter=Watched(order.adapter, most=2)), out)
    made = tmp_path / "out.unfinished/images/made"
    (torn,) = made.glob("images/000000*")
    torn.write_bytes(torn.read_bytes()[:100])
    (made / "images/000002_t2.png").write_bytes(b"half")
    (made / "thicknesses").mkdir()
    rest = Watched(order.adapter)
    make(replace(order, adapter=rest), out)
    assert rest.seen == ["t0", "t2"]
    assert contents(out) == contents(tmp_path / "whole/out")
    assert not (out / "thicknesses").exists()


def test_another_run_into_the_same_place_is_told_apart(tmp_path, single):
    order, out = ordered(tmp_path / "in", "surface-defect"), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        make(replace(order, adapter=Watched(order.adapter, most=1)), out)
    other = replace(order, asked=replace(order.asked, seed=5))
    with pytest.raises(TraceError, match=r"out.unfinished holds what another run .* \(--overwrite\)"):
        make(other, out)
    make(other, out, overwrite=True)
    assert json.loads((out / "findings.json").read_text("utf-8"))["asked"]["seed"] == 5
    with pytest.raises(InputError, match="has no name"):
        make(order, Path())


def test_a_host_without_a_place_is_passed_over_in_any_cut_of_the_run(tmp_path, monkeypatch):
    @dataclass(frozen=True)
    class Picky:
        inner: Any

        def plan(self, host, seed, **more):
            if host.name == "t1":
                raise InputError("t1: no free place")
            return self.inner.plan(host, seed, **more)

        def implant(self, host, drawn):
            return self.inner.implant(host, drawn)

    order = ordered(tmp_path / "in", "surface-defect", count=6)
    order = replace(order, adapter=Picky(order.adapter))
    for name, size in (("one", 10**9), ("many", 1)):
        monkeypatch.setattr(unfinished, "LEAST_BYTES", size)
        (tmp_path / name).mkdir()
        make(order, tmp_path / name / "out")
    told = json.loads((tmp_path / "one/out/findings.json").read_text("utf-8"))["images"]
    assert [entry["host"] for entry in told if entry["host"] != "t1"] == [entry["host"] for entry in told]
    assert [told[number]["host"] for number in (0, 2, 3, 5)] == ["t0", "t2", "t0", "t2"]
    assert len({json.dumps(entry["findings"]) for entry in told}) == 6
    assert contents(tmp_path / "many/out") == contents(tmp_path / "one/out")


@pytest.mark.parametrize(("images", "files"), [(1, 1), (7, 3), (3, 7), (12, 4), (5, 1)])
def test_rows_of_shards_are_all_images_once_host_by_host(images, files):
    many = tuple(hosts.Photo(Path(f"{number}.png")) for number in range(files))
    order = Order("x", SurfaceDefect(), many, Asked(images), {})
    numbers = [order.image(row) for row in range(images)]
    assert sorted(numbers) == list(range(images))
    assert [number % files for number in numbers] == sorted(number % files for number in range(images))
