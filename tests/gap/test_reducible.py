import numpy as np
from gap.laws import law

from tuckpoint.gap.reducible import Rows, curve, forecast, measured
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
