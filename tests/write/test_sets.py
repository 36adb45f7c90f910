import numpy as np
import pytest
from write.handmade import HEIGHT, WIDTH, disc, hand_set, item, thing

from tuckpoint.errors import InputError, TraceError
from tuckpoint.write.sets import filled, open_set, pathless

ARRAYS = {"depth": np.ones((HEIGHT, WIDTH), np.float32)}


@pytest.fixture
def made(tmp_path):
    items = [item(f"00000000-000{n}", [thing(1, 1, disc(9, 9, 4))], arrays=ARRAYS) for n in range(2)]
    return hand_set(tmp_path / "set", items, scenes=[b'{"index": 7}', None])


def test_the_scene_comes_with_its_first_frame(made):
    assert [(one.key, scene) for one, scene in made.pairs()] == [
        ("00000000-0000", {"index": 7}),
        ("00000000-0001", None),
    ]


def test_bare_items_have_neither_image_nor_arrays_and_all_else(made):
    for bare, whole in zip(made.items(bare=True), made.items(), strict=True):
        assert bare.image is None
        assert not bare.arrays
        assert whole.image is not None
        assert whole.arrays
        assert (bare.key, bare.facts, bare.objects) == (whole.key, whole.facts, whole.objects)


def test_what_is_lacking_is_told_once_each(made):
    made.require("X", box="box", pixels="visibility")
    with pytest.raises(InputError, match=r"^X needs the label uv; render with --labels box visibility uv$"):
        made.require("X", box="box", pixels="visibility", visible="visibility", uv="uv", albedo="uv")


def test_shapes_come_from_above_or_not_at_all(made):
    with pytest.raises(InputError, match="X needs the shapes of things"):
        made.built("X", {"index": 7})


def test_run_lengths_give_the_mask_back(made):
    assert np.array_equal(filled(next(made.items()).objects[0]["mask"]), disc(9, 9, 4))


def test_files_are_told_without_where_they_lie():
    told = {"file": "/home/me/a.glb", "other": "C:\\me\\b.ply", "scale": 2.0, "plain": "c.obj", "none": None}
    assert pathless(told) == {"file": "a.glb", "other": "b.ply", "scale": 2.0, "plain": "c.obj", "none": None}


def test_damage_and_absence(made, tmp_path):
    shard = made.folder / "shards" / "part-000000.tar"
    shard.write_bytes(shard.read_bytes()[:700])
    with pytest.raises(TraceError, match="damaged"):
        list(made.items())
    with pytest.raises(InputError, match="holds no set"):
        open_set(tmp_path)
