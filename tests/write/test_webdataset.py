import io
import json
import re
import tarfile

import numpy as np
import pytest
from write.handmade import HEIGHT, HOSTILE, WIDTH, disc, hand_set, item, stays_inside, thing

from tuckpoint.write import webdataset as module
from tuckpoint.write.sets import unpng
from tuckpoint.write.webdataset import webdataset

NONE = np.zeros((HEIGHT, WIDTH), bool)


def samples(path):
    """What the loader makes of a tar: members by key, the part of the name before the first dot."""
    found = []
    with tarfile.open(path) as tar:
        for member in tar:
            if re.match(r"__[^/]*__($|/)", member.name):
                continue
            key, _, kind = member.name.partition(".")
            if not found or found[-1]["__key__"] != key:
                found.append({"__key__": key})
            found[-1][kind] = tar.extractfile(member).read()
    return found


@pytest.fixture
def made(tmp_path):
    things = [thing(1, 2, disc(8, 8, 5)), thing(4, 3, disc(30, 24, 9)), thing(5, 1, NONE)]
    arrays = {"depth": np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)}
    items = [item("00000000", things, arrays=arrays), item("00000001", [thing(1, 1, NONE)], arrays=arrays)]
    items += [item(f"{n:08d}-000{n}", things, arrays=arrays) for n in (2, 3, 4)]
    return hand_set(tmp_path / "set", items)


def test_samples_come_back(made, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    webdataset(made, out)
    found = samples(out / "train-000000.tar")
    items = list(made.items())
    assert [one["__key__"] for one in found] == [one.key for one in items]
    assert [int(one["cls"]) for one in found] == [2, -1, 2, 2, 2]
    for one, own in zip(found, items, strict=True):
        assert set(one) == {"__key__", "png", "cls", "json", "npz"}
        assert np.array_equal(unpng(one["png"]), own.image)
        told = json.loads(one["json"])
        assert told["synthetic"] is True
        assert told["objects"] == list(own.objects)
        with np.load(io.BytesIO(one["npz"])) as arrays:
            assert np.array_equal(arrays["depth"], own.arrays["depth"])
    assert stays_inside(out)


def test_shards_are_numbered_and_named(made, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PICTURES_PER_SHARD", 2)
    out = tmp_path / "out"
    out.mkdir()
    webdataset(made, out)
    told = json.loads((out / "dataset.json").read_text("utf-8"))
    assert told["url"] == "train-{000000..000002}.tar"
    assert [shard["samples"] for shard in told["shards"]] == [2, 2, 1]
    keys = [one["__key__"] for shard in told["shards"] for one in samples(out / shard["name"])]
    assert keys == [one.key for one in made.items()]
    assert told["classes"] == list(HOSTILE)
    assert set(told["members"]) == {"png", "cls", "json", "npz"}
    assert told["meanings"]["depth"]["unit"] == "m"
    assert told["tuckpoint_record"] == made.about.record.digest()


def test_every_tar_opens_with_the_record_and_repeats(made, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        webdataset(made, tmp_path / name)
    with tarfile.open(tmp_path / "a" / "train-000000.tar") as tar:
        assert tar.getnames()[0] == "__tuckpoint__/record.json"
        assert json.loads(tar.extractfile("__tuckpoint__/record.json").read())["record"]["synthetic"] is True
    files = [(tmp_path / name / "train-000000.tar").read_bytes() for name in ("a", "b")]
    assert files[0] == files[1]


def test_labels_alone(tmp_path):
    (tmp_path / "out").mkdir()
    webdataset(hand_set(tmp_path / "set", [item("00000000", [], image=False)]), tmp_path / "out")
    assert set(samples(tmp_path / "out" / "train-000000.tar")[0]) == {"__key__", "cls", "json"}


def test_the_shards_of_a_set_are_samples_too(made):
    found = samples(made.folder / "shards" / "part-000000.tar")
    assert [one["__key__"] for one in found] == [one.key for one in made.items()]
    assert all(set(one) == {"__key__", "png", "json", "npz"} for one in found)
