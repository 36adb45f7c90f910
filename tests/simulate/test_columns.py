import numpy as np
import pyarrow as pa
import pytest
from simulate.law import simulator

from tuckpoint.errors import InputError
from tuckpoint.simulate.columns import column_of, numbers, observed
from tuckpoint.table.encode import encode
from tuckpoint.table.infer import infer


def coded(**columns):
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    return encode(table, infer(table))


def test_rows_without_an_output_or_outside_the_declared_inputs_are_left_out():
    data = coded(t=[1.5, 20.25, None, 3.5, 4.5, 7.125], y=[1.0, 2.5, 3.5, None, 5.25, 7.75])
    real = observed(simulator(None), data)
    assert real.rows.tolist() == [0, 4, 5]
    assert real.outputs["y"].tolist() == [1.0, 5.25, 7.75]
    assert real.take(np.array([1])).inputs["t"].tolist() == [4.5]


def test_truth_values_and_levels_that_spell_numbers_are_numbers_both_ways():
    data = coded(y=[True, False, None, True], n=["4", "6", "8", "4"])
    np.testing.assert_array_equal(numbers(data, "y"), [1, 0, np.nan, 1])
    assert numbers(data, "n").tolist() == [4, 6, 8, 4]
    assert numbers(data.select(("n",)), "n").tolist() == [4, 6, 8, 4]
    field = data.field("y")
    assert [field.levels[code] for code in column_of(np.array([0.9, 0.1]), field)] == ["true", "false"]


def test_numbers_are_rounded_as_the_column_is():
    field = coded(t=[1.5, 2.25, 3.0]).field("t")
    assert column_of(np.array([1.23456]), field).tolist() == [1.23]


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ({"time": [1.5, 2.5], "y": [1.0, 2.0]}, 'input "t" of law is no column .*name inputs and outputs'),
        ({"t": ["a", "b"] * 9, "y": [1.0, 2.0] * 9}, "holds words .a, b."),
        ({"t": [100.5, 200.5], "y": [1.0, 2.0]}, r"no real row has .* ranges that law declares .t 0\.\.10 s."),
    ],
)
def test_a_table_that_does_not_fit_is_told(columns, error):
    with pytest.raises(InputError, match=error):
        observed(simulator(None), coded(**columns))
