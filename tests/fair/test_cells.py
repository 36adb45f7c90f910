import numpy as np
import pytest
from fair.laws import PARITY, SHARES, WITHIN

from tuckpoint.errors import InputError
from tuckpoint.fair.cells import UNKNOWN, Label, given_cells, group_cells
from tuckpoint.fair.spec import Spec
from tuckpoint.schema import Column, Schema
from tuckpoint.table.engine import Encoded, Field
from tuckpoint.table.expression import parse

FIELDS = (
    Field("race", ("a", "b", "c", "(rare)")),
    Field("sex", ("man", "woman")),
    Field("age", None),
    Field("pay", ("<=50K", ">50K")),
    Field("school", ("low", "high")),
)
SCHEMA = Schema(
    (
        *(Column(name, "category", "string") for name in ("race", "sex", "pay", "school")),
        Column("age", "integer", "int64"),
        Column("id", "identifier", "string"),
    )
)
DATA = Encoded(
    FIELDS,
    {
        "race": np.array([0, 1, 2, 3, -1, 0], np.int32),
        "sex": np.array([0, 1, 0, 1, 0, 1], np.int32),
        "age": np.array([20.0, 30.0, 40.0, 50.0, np.nan, 29.0]),
        "pay": np.array([0, 1, 1, 0, -1, 0], np.int32),
        "school": np.array([0, 1, 1, 0, 0, 0], np.int32),
    },
)


def spec(**entries):
    return Spec.from_dict({**SHARES, **entries})


def named(cells, data=DATA):
    return [cells.names[at] for at in cells.place(data)]


def test_intersections_with_pooled_levels():
    cells = group_cells(spec(pool={"race": {"a": ["a"], "others": "rest"}}), FIELDS, SCHEMA)
    assert named(cells) == [
        "a / man", "others / woman", "others / man", f"{UNKNOWN} / woman", f"{UNKNOWN} / man", "a / woman",
    ]  # fmt: skip
    assert cells.known.tolist() == [UNKNOWN not in name for name in cells.names]
    assert len(cells.names) == 9


def test_what_is_not_known_may_be_pooled_too():
    cells = group_cells(spec(pool={"race": {"a": ["a"], "others": ["b", "c", UNKNOWN]}}), FIELDS, SCHEMA)
    others = [name.startswith("others") for name in named(cells)]
    assert others == [False, True, True, True, True, False]
    wheres = [parse(cells.where(c), FIELDS, SCHEMA).mask(DATA.columns) for c in np.flatnonzero(cells.known)]
    assert sum(wheres).tolist() == [1] * 6
    assert (np.flatnonzero(cells.known)[np.argmax(wheres, axis=0)] == cells.place(DATA)).all()


def test_numbers_fall_between_the_cuts_and_quarters():
    cells = group_cells(spec(groups=["age"], cuts={"age": [30, 50]}), FIELDS, SCHEMA)
    assert named(cells) == ["below 30", "30 to 50", "30 to 50", "50 up", UNKNOWN, "below 30"]
    quarters = given_cells(Spec.from_dict({**WITHIN, "given": ["age"]}), DATA, SCHEMA)
    assert np.bincount(quarters.place(DATA)).max() <= 2


def test_the_condition_of_a_cell_is_the_cell():
    asked = spec(groups=["race", "age"], pool={"race": {"ab": ["a", "b"]}}, cuts={"age": [30, 50]})
    cells = group_cells(asked, FIELDS, SCHEMA)
    place = cells.place(DATA)
    for cell in np.flatnonzero(cells.known):
        assert parse(cells.where(int(cell)), FIELDS, SCHEMA).mask(DATA.columns).tolist() == (place == cell).tolist()


def test_another_reader_may_have_other_codes():
    cells = group_cells(spec(), FIELDS, SCHEMA)
    other = Encoded(
        (Field("race", ("c", "new", "a")), Field("sex", ("woman",))),
        {"race": np.array([0, 1, 2], np.int32), "sex": np.zeros(3, np.int32)},
    )
    assert named(cells, other) == ["c / woman", f"{UNKNOWN} / woman", "a / woman"]


def test_labels_of_levels_and_of_numbers():
    known, positive = Label("pay", ">50K").read(DATA)
    assert known.tolist() == [True, True, True, True, False, True]
    assert positive.tolist() == [False, True, True, False, False, False]
    assert Label("age", 20).read(DATA)[1].tolist() == [True, False, False, False, False, False]


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"groups": ["rase"]}, 'did you mean "race"'),
        ({"groups": ["id"]}, "mean nothing in made rows"),
        ({"groups": ["age"]}, "say where groups part"),
        ({"pool": {"race": {"x": ["d"]}}}, 'no level "d"'),
        ({"cuts": {"race": [1]}}, "pooled, not cut"),
    ],
)
def test_what_is_no_group_is_named(entries, told):
    with pytest.raises(InputError, match=told):
        group_cells(spec(**entries), FIELDS, SCHEMA)


def test_a_wrong_label_is_named():
    with pytest.raises(InputError, match="give a number"):
        Label("age", ">50").read(DATA)
    with pytest.raises(InputError, match="no level"):
        Label("pay", PARITY["positive"] + "!").read(DATA)
