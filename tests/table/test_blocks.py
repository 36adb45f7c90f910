"""What blocks fix while columns come one after another."""

import numpy as np

from tuckpoint.table.blocks import Blocks
from tuckpoint.table.engine import Field
from tuckpoint.table.rule import block

FIELDS = (Field("gain"), Field("loss"), Field("kind", levels=("none", "some")))
RULES = (
    block("gain", [0.0], {"loss": 0.0}, opposite=True),
    block("kind", ["none"], {"loss": None}),
)
ROWS = {
    "gain": np.array([5.0, 0.0, np.nan, 0.0]),
    "loss": np.array([7.0, 7.0, 7.0, 7.0]),
    "kind": np.array([1, 0, 1, -1], np.int32),
}


def test_rows_are_free_where_no_column_before_fixes_this_one():
    blocks = Blocks(RULES, FIELDS)
    assert blocks.free("loss", ("gain",), ROWS).tolist() == [False, True, True, True]
    assert blocks.free("loss", ("gain", "kind"), ROWS).tolist() == [False, False, True, True]
    assert blocks.free("loss", (), ROWS) is None
    assert blocks.free("gain", ("loss",), ROWS) is None
    everywhere = {**ROWS, "gain": np.full(4, 5.0)}
    assert blocks.free("loss", ("gain",), everywhere) is None  # else nothing is left to learn from


def test_what_is_fixed_is_put_in_and_the_drawn_column_left_alone():
    blocks = Blocks(RULES, FIELDS)
    made = blocks.held("loss", ROWS)
    np.testing.assert_array_equal(made, [0.0, np.nan, 7.0, 7.0])
    assert ROWS["loss"].tolist() == [7.0] * 4
    assert blocks.held("loss", {"loss": ROWS["loss"]}) is ROWS["loss"]  # the others are not drawn yet
    assert blocks.held("gain", ROWS) is ROWS["gain"]
