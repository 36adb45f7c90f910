import numpy as np
import pyarrow as pa
import pytest

from tuckpoint.errors import InputError, SchemaError
from tuckpoint.simulate.operating import domain

FACTORS = {"weather": ["clear", "rain", "fog"], "on": [True, False], "speed": [0, 30, 60, 130], "sun.up": [0, 5, 8]}


def test_levels_and_ranges_go_to_values_and_back():
    found = domain({"factors": FACTORS})
    assert [one.size for one in found.factors] == [3, 2, 3, 2]
    assert found.told((0, 2, 3), (2, 1, 0)) == 'weather == "fog" and 30 <= speed < 60 and 0 <= `sun.up` < 5'
    rows = np.array([[0, 0, 0, 1], [2, 1, 2, 0]])
    table = found.table(rows)
    assert table.to_pydict() == {
        "weather": ["clear", "fog"], "on": ["true", "false"], "speed": [15.0, 95.0], "sun.up": [6.5, 2.5],
    }  # fmt: skip
    assert (found.places(table) == rows).all()


def test_values_outside_the_domain_have_no_place():
    found = domain({"factors": FACTORS})
    table = pa.table({"weather": ["snow", None], "on": [True, False], "speed": ["130", "29.9"], "sun.up": [-1, None]})
    assert found.places(table).tolist() == [[-1, 0, -1, -1], [-1, 1, 0, -1]]
    with pytest.raises(InputError, match=r'factor "sun\.up" is no column'):
        found.places(table.drop_columns(["sun.up"]))
    with pytest.raises(InputError, match="list its levels"):
        found.places(table.set_column(2, "speed", pa.array(["fast", "slow"])))


def test_constraints_are_judged_at_the_middle_of_ranges():
    found = domain(
        {"factors": FACTORS, "invalid": ['weather == "fog" and speed >= 60', 'on == "false" and `sun.up` > 3']}
    )
    first, second = found.constraints
    assert (first.factors, np.argwhere(first.forbidden).tolist()) == ((0, 2), [[2, 2]])
    assert (second.factors, np.argwhere(second.forbidden).tolist()) == ((1, 3), [[1, 1]])


@pytest.mark.parametrize(
    ("factors", "told"),
    [
        ({"a": ["x"]}, "list two levels or more"),
        ({"a": [3, 1, 2]}, "rising numbers"),
        ({"a": ["x", "x"]}, "a level stands twice"),
        ({"a": 3}, "list two levels or more"),
    ],
)
def test_factors_that_cannot_be_are_refused(factors, told):
    with pytest.raises(InputError, match=told):
        domain({"factors": factors})


def test_a_constraint_on_something_else_is_refused():
    with pytest.raises(SchemaError, match="snow"):
        domain({"factors": FACTORS, "invalid": ['weather == "snow"']})
