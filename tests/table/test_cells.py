"""Cells of columns of few values: where a row lies, and what is told of cells of few rows."""

import numpy as np

from tuckpoint.table.cells import Cells, cells_of, finer, offsets, within

SEEN = {"rate": np.array([4.9, 9.9, np.nan, 4.9]), "land": np.array([0, 2, 1, -1], np.int32)}


def test_a_row_lies_in_the_cell_of_its_values_or_in_none():
    cells = cells_of(("rate", "land"), SEEN)
    assert cells.values == ((4.9, 9.9), (0.0, 1.0, 2.0))
    assert cells.count == 6
    assert cells.of(SEEN).tolist() == [0, 5, -1, -1]
    assert cells.of({"rate": np.array([5.0, 99.0]), "land": np.array([0, 0], np.int32)}).tolist() == [-1, -1]


def test_cells_of_few_rows_have_the_offset_of_all():
    cell = np.repeat([0, 1], [30, 5])
    rest = np.where(cell == 0, 2.0, 50.0)
    assert offsets(cell, rest, 3).tolist() == [2.0, 2.0, 2.0]


def test_means_are_taken_within_each_cell():
    assert within(np.array([0, 0, 1]), np.array([[1.0, 3.0, 7.0]])).tolist() == [[-1.0, 1.0, 0.0]]


def test_finer_cells_must_halve_what_is_left():
    rng = np.random.default_rng(0)
    groups = {"rate": rng.choice([4.9, 9.9], 2000), "chance": rng.integers(0, 5, 2000).astype(np.int32)}
    usable, rest = np.ones(2000, bool), rng.normal(0, 0.1, 2000)
    assert finer(None, groups, usable, rest) is None
    assert finer(None, groups, usable, rest + (groups["rate"] > 5)) == Cells(("rate",), ((4.9, 9.9),))
