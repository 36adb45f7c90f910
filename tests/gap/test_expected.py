"""What the model expects in a gap, against laws that say it."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from gap.laws import column, law, without

from tuckpoint.gap.find import find
from tuckpoint.report.gaps import about
from tuckpoint.seed import Seed

CUT = {"place": "b", "sex": "f"}


def cut(table):
    return without(table, np.logical_and.reduce([column(table, name) == value for name, value in CUT.items()]))


def test_the_mean_prediction_is_that_of_the_law_without_outcomes_in_the_reference():
    reference = law(4000, 2)
    (gap,) = find(cut(law(3000, 1)), target="y", reference=reference.drop_columns(["y"])).gaps
    told = gap.expected
    inside = np.logical_and.reduce([column(reference, name) == value for name, value in CUT.items()])
    assert told.rows == inside.sum()
    assert sum(told.means.values()) == pytest.approx(1)
    odds = 0.05 * (column(reference, "age")[inside] - 50) + 0.02 * 25  # pay has a mean of about 25
    true = (1 / (1 + np.exp(-odds))).mean()
    assert abs(told.means["yes"] - true) < 4 * told.errors["yes"] + 0.02
    assert 0.005 < told.errors["yes"] < 0.1
    assert 2 < told.costs["yes"] == told.costs["no"]  # mean p(1 - p) is at most a quarter
    assert any("the model expects there" in line and "yes 0." in line for line in about(gap))


def numbers(rows, key):
    random = Seed(key, ("numbers",)).numpy()
    group, x = np.array(list("abcde"))[random.integers(0, 5, rows)], random.normal(size=rows)
    y = 1000 + 100 * x + 300 * (group == "a") + random.normal(0, 30, rows)
    return pa.table({"group": group, "x": x.round(3), "y": y.round(1)})


def test_a_number_is_told_in_its_own_units():
    train = numbers(2500, 1)
    (gap,) = find(without(train, column(train, "group") == "a", 0.5), target="y", reference=numbers(2000, 2)).gaps
    told = gap.expected
    assert told.means[""] == pytest.approx(1300, abs=40)
    assert 1 < told.errors[""] < 40
    assert told.costs[""] == pytest.approx(1 / np.var(column(train, "y")), rel=0.35)


def test_without_rows_beside_the_training_rows_nothing_is_expected(tmp_path):
    file = tmp_path / "margins.yaml"
    file.write_text("tuckpoint_margins: 1\nsource: census\nshares:\n  - {where: 'sex == \"f\"', share: 0.9}\n")
    gap = find(law(2000, 1), target="y", margins=file).gaps[0]
    assert gap.expected is None
    assert not any("expects" in line for line in about(replace(gap)))
    tested = find(law(2000, 1), target="y", margins=file, test=law(800, 3)).gaps[0]
    assert tested.expected.rows > 300
