"""Slices whose predictions are off, where they are and where they are not."""

import numpy as np
import pytest
from gap.laws import column, in_parts, law

from tuckpoint.gap.calibration import off, overall
from tuckpoint.gap.find import find
from tuckpoint.gap.model import Judged
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.report.gaps import gaps_page, lines
from tuckpoint.seed import Seed

FEATURES = ["age", "pay", "place", "sex"]
ROWS = 3000


@pytest.fixture(scope="module")
def columns():
    table = law(ROWS).select(FEATURES)
    return in_parts(table, table)


def classes(key, *, mask=None, more=0.0, everywhere=1.0, low=0.05, high=0.6):
    """Outcomes of stated chances, which the predictions miss by `more` where the mask holds."""
    random = Seed(key, ("classes",)).numpy()
    p = random.uniform(low, high, ROWS)
    true = np.clip(everywhere * p + more * (0 if mask is None else mask), 0, 1)
    y = random.random(ROWS) < true
    return Judged(np.zeros(ROWS), p - y, p * (1 - p), np.arange(ROWS), "test")


def numbers(key, *, mask=None, more=0.0):
    error = Seed(key, ("numbers",)).numpy().exponential(1.0, ROWS) - 1.0
    error = error - more * (0 if mask is None else mask)
    return Judged(error**2, error, np.full(ROWS, np.nan), np.arange(ROWS), "test")


@pytest.mark.parametrize("made", [classes, numbers])
def test_a_slice_that_is_off_is_found_with_its_bias(columns, made):
    mask = (columns[2].train == 1) & (columns[3].train == 0)
    found, tested = off(columns, made(1, mask=mask, more=0.4), smallest=0.02)
    assert tested > 20
    assert set(found[0].where.split(" and ")) == {columns[2].where[1], columns[3].where[0]}
    assert found[0].low < -0.4 < found[0].high
    assert found[0].rows == mask.sum()


@pytest.mark.parametrize(
    "made",
    [
        classes,
        numbers,
        lambda key: classes(key, low=0.0005, high=0.01),  # a normal approximation would be wrong here
        lambda key: classes(key, everywhere=0.7),  # off everywhere is not off in a slice
    ],
)
def test_where_nothing_is_off_a_slice_is_rarely_told(columns, made):
    runs = 100
    false = sum(bool(off(columns, made(key))[0]) for key in range(runs))
    assert clopper_pearson(false, runs)[0] <= 0.05


def test_what_costs_too_little_is_not_told(columns):
    mask = columns[3].train == 0
    rows = classes(3, mask=mask, more=0.15)
    assert off(columns, rows)[0]
    assert not off(columns, rows, smallest=0.1)[0]


def test_another_law_in_the_reference_is_told_though_no_row_is_missing():
    reference = law(3000, 2)
    flipped = column(reference, "place") == "a"
    y = np.where(flipped & (Seed(1).numpy().random(3000) < 0.7), "no", column(reference, "y"))
    other = reference.set_column(reference.column_names.index("y"), "y", [y.tolist()])
    found = find(law(3000, 1), target="y", reference=other)
    assert found.gaps == ()
    assert "place" in found.off[0].where
    assert found.off[0].bias < -0.1
    assert found.about["predicted"] == 'y == "no"'  # which came more often
    assert any("off: " in line for line in lines(found))
    assert "Where its predictions are off" in gaps_page(found)
    assert "predictions are off in places" in gaps_page(found)
    same = find(law(3000, 1), target="y", reference=reference)
    assert not [one for one in same.off if one.cost > 0.1]
    assert "Where its predictions are off" not in gaps_page(find(law(2000, 1), reference=law(2000, 2)))


def test_the_overall_bias_is_told_with_its_interval():
    told = overall(classes(1, everywhere=0.5))
    assert told.startswith("predicted less true +0.1")
    assert "over all judged rows" in told


def test_a_hostile_level_stays_text_on_the_page():
    def hostile(key, changed):
        table = law(2000, key)
        no = (column(table, "y") == "no") & ~(changed & (column(table, "place") == "a"))
        level = np.where(no, 'no"><script>alert(1)</script>', "yes")
        return table.set_column(table.column_names.index("y"), "y", [level.tolist()])

    found = find(hostile(1, changed=False), target="y", reference=hostile(2, changed=True))
    assert found.off
    assert "<script>alert" not in gaps_page(found)
