from dataclasses import replace

import numpy as np
import pytest
from gap.laws import law

from tuckpoint.gap.finding import Reducible
from tuckpoint.gap.reducible import Rows, both, corrected, curve, forecast, measured, needed
from tuckpoint.measure.prepare import prepare
from tuckpoint.measure.utility import task
from tuckpoint.seed import Seed
from tuckpoint.table.infer import infer

COUNTS = np.array([40, 20, 10])


def test_the_forecast_of_a_known_curve_is_covered():
    covered, runs = 0, 80
    for key in range(runs):
        random = Seed(key, ("curve",)).numpy()
        power = random.uniform(0.2, 0.9)
        a, b = 0.3, random.uniform(0, 2)
        rows = random.exponential(0.3, 200) - 0.3
        noise = random.normal(0, 0.02, (3, 5, 1))
        curves = a + b * (COUNTS**-power)[:, None, None] + rows + noise
        _, low, high = forecast(COUNTS, curves, 400, Seed(key))
        covered += low <= b * (40**-power - 400**-power) <= high
    assert covered / runs >= 0.9


def test_a_flat_curve_forecasts_no_gain():
    gain, low, high = forecast(COUNTS, np.full((3, 5, 50), 0.4), 400, Seed(1))
    np.testing.assert_allclose([gain, low, high], 0, atol=1e-12)


def case(train_inside, *, special):
    """Rows whose outcome in place d goes by another law than elsewhere, if it is special."""
    train, reference = law(2500, 1), law(2500, 2)
    sides = []
    for table, keep in ((train, train_inside), (reference, None)):
        place = np.array(table["place"].to_pylist())
        if special:
            old = np.array(table["age"].to_pylist()) > 54
            y = np.array(table["y"].to_pylist())
            y = np.where(place == "d", np.where(old, "no", "yes"), y)
            table = table.set_column(table.column_names.index("y"), "y", [y])
        if keep is not None:
            inside = np.flatnonzero(place == "d")
            table = table.take(np.sort(np.concatenate([np.flatnonzero(place != "d"), inside[:keep]])))
        sides.append(table)
    schema = infer(sides[0], target="y")
    space = prepare(sides[0], sides[1], None, schema)
    work = task({"real": space.real, "reference": space.made}, "y")
    at = space.real.field("place").levels.index("d")
    rows = [
        Rows(data, work.truth[side], data.columns["place"] == at)
        for data, side in ((space.real, "real"), (space.made, "reference"))
    ]
    return rows, work


def test_a_slice_of_its_own_law_is_reducible_and_measured():
    (train, reference), work = case(5, special=True)
    found = measured(train, reference, work, lacking=200, smallest=0.01, seed=Seed(3))
    assert found.state == "reducible"
    assert found.low > 0.1
    few = curve(train, reference, work, lacking=200, smallest=0.01, seed=Seed(3))
    assert few.state == "not estimable"
    (train, reference), work = case(60, special=True)
    forecasted = curve(train, reference, work, lacking=200, smallest=0.01, seed=Seed(3))
    assert forecasted.gain > 0
    assert [n for n, _ in forecasted.points] == [60, 30, 15]


def test_a_slice_of_the_law_of_all_is_not():
    (train, reference), work = case(20, special=False)
    found = measured(train, reference, work, lacking=200, smallest=0.1, seed=Seed(3))
    assert found.state == "not reducible"
    assert found.low < 0.05


def test_a_correction_sees_a_law_of_its_own_and_no_other():
    (train, reference), work = case(5, special=True)
    found = corrected(train, reference, work, smallest=0.05, seed=Seed(3))
    assert found.state == "reducible"
    assert found.low > 0.1
    (train, reference), work = case(20, special=False)
    found = corrected(train, reference, work, smallest=0.05, seed=Seed(3))
    assert found.state == "not reducible"
    assert abs(found.gain) < 0.02
    few = reference.some(~reference.inside | (np.cumsum(reference.inside) <= 30))
    assert "30 labelled rows" in corrected(train, few, work, smallest=0.05, seed=Seed(3)).why


def test_what_is_wrong_everywhere_is_no_matter_of_the_gap():
    (train, reference), work = case(20, special=False)
    turned = Rows(train.data, 1 - train.truth, train.inside)  # a model that is wrong about all rows
    assert corrected(turned, reference, work, smallest=0.05, seed=Seed(3)).state == "not reducible"


def test_a_number_is_corrected_by_its_shift():
    (train, reference), work = case(20, special=False)
    column = train.data.columns["age"] / 18.0
    other = reference.data.columns["age"] / 18.0
    work = replace(work, classes=0, target="age")
    train = Rows(train.data, column, train.inside)
    shifted = Rows(reference.data, other + np.where(reference.inside, 1.0, 0.0), reference.inside)
    assert corrected(train, shifted, work, smallest=0.05, seed=Seed(1)).low > 0.5
    plain = Rows(reference.data, other, reference.inside)
    assert corrected(train, plain, work, smallest=0.05, seed=Seed(1)).state == "not reducible"


def told(state, low=-0.1):
    return Reducible(state, ((10, 0.4),), 0.0, low, 0.1)


@pytest.mark.parametrize(
    ("refitted", "correction", "state"),
    [
        (told("reducible"), told("not reducible"), "reducible"),
        (told("not reducible"), told("reducible"), "not reducible"),
        (told("not known"), told("reducible"), "reducible"),
        (told("not known"), told("not reducible"), "not reducible"),
        (told("not known", low=0.001), told("not reducible"), "not known"),
        (told("not known"), told("not known"), "not known"),
        (told("not estimable"), told("not known"), "not known"),
        (told("not known"), told("not estimable"), "not known"),
    ],
)
def test_a_correction_decides_where_refits_cannot_tell(refitted, correction, state):
    found = both(refitted, correction)
    assert found.state == state
    assert found.points == ((10, 0.4),)


def test_the_gain_told_is_that_of_refits_where_there_were_some():
    narrow = Reducible("not reducible", (), -0.01, -0.02, -0.005, "its shift and slope alone would bring nothing")
    found = both(told("not known"), narrow)
    assert (found.gain, found.low, found.high) == (0.0, -0.1, 0.1)
    assert "shift and slope alone" in found.why
    assert both(replace(told("not known"), state="not estimable"), narrow).high == -0.005


def test_rows_that_a_known_curve_asks_for():
    mean = 0.3 + 2.0 * COUNTS**-0.5
    more = needed(COUNTS, mean, 0.1)
    assert 2.0 * (40**-0.5 - (40 + more) ** -0.5) == pytest.approx(0.1, abs=0.002)
    assert needed(COUNTS, mean, 0.4) is None  # 0.316 is all that is above the floor
    assert needed(COUNTS, np.full(3, 0.4), 0.01) is None
