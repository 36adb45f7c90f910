import io

import numpy as np
import pyarrow.json as arrow_json
import pytest
import yaml
from write.handmade import HEIGHT, HOSTILE, WIDTH, disc, hand_set, item, stays_inside, thing

from tuckpoint.errors import InputError
from tuckpoint.write.hf import hf
from tuckpoint.write.sets import unpng

ONE, NONE = disc(30, 24, 9), np.zeros((HEIGHT, WIDTH), bool)


@pytest.fixture
def made(tmp_path):
    things = [thing(1, 2, ONE), thing(4, 1, NONE), thing(5, 4, disc(8, 8, 5))]
    return hand_set(tmp_path / "set", [item("00000000", []), item("00000001", things)])


@pytest.fixture
def out(made, tmp_path):
    place = tmp_path / "out"
    place.mkdir()
    hf(made, place)
    return place


def test_rows_come_back(made, out):
    table = arrow_json.read_json(io.BytesIO((out / "train" / "metadata.jsonl").read_bytes()))
    assert table.column_names == ["file_name", "width", "height", "objects", "caption"]
    assert str(table.schema.field("objects").type.field("bbox").type) == "list<item: list<item: double>>"
    first, second = table.to_pylist()
    assert first["objects"] == {"id": [], "bbox": [], "category": [], "name": [], "area": []}
    ys, xs = np.nonzero(ONE)
    box = [xs.min(), ys.min(), xs.max() + 1 - xs.min(), ys.max() + 1 - ys.min()]
    assert second["objects"]["bbox"][0] == box
    assert second["objects"]["category"] == [1, 3]
    assert second["objects"]["name"] == [HOSTILE[1], HOSTILE[3]]
    assert second["objects"]["id"] == [1, 5]
    assert second["objects"]["area"][0] == ONE.sum()
    assert second["caption"] == 'two "things"\nand more'
    for row, picture in zip((first, second), made.items(), strict=True):
        assert row["file_name"] == f"{picture.key}.png"
        assert np.array_equal(unpng((out / "train" / row["file_name"]).read_bytes()), picture.image)


def test_the_card_says_what_it_is(made, out):
    text = (out / "README.md").read_text(encoding="utf-8")
    _, front, body = text.split("---\n", 2)
    told = yaml.safe_load(front)
    assert told["class_names"] == list(HOSTILE)
    assert told["tags"] == ["synthetic", "tuckpoint"]
    assert told["size_categories"] == ["n<1K"]
    assert told["tuckpoint_record"] == made.about.record.digest()
    assert "evil" not in body
    assert "**These pictures are synthetic**" in body
    assert told["configs"][0]["data_files"] == [{"split": "train", "path": "train/**"}]
    assert (out / "record.json").is_file()
    assert stays_inside(out)


def test_what_is_lacking_is_told(tmp_path):
    alone = hand_set(tmp_path / "a", [item("00000000", [], image=False)])
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="labels alone"):
        hf(alone, tmp_path / "out")
    with pytest.raises(InputError, match="needs the label box"):
        hf(hand_set(tmp_path / "b", [item("00000000", [])], meanings=("depth",)), tmp_path)
