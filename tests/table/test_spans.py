"""Moments in a fixed order are learnt as distances: stays stay stays, whatever is missing between."""

import numpy as np
import pyarrow as pa
import pytest

from tuckpoint.seed import Seed
from tuckpoint.table import fit as fitting
from tuckpoint.table.complete import complete
from tuckpoint.table.engine import Context
from tuckpoint.table.engines.independent import Independent
from tuckpoint.table.engines.trees import Trees
from tuckpoint.table.infer import infer
from tuckpoint.table.sample import sample

HOUR = 3600
ROWS = 1500


def admissions() -> pa.Table:
    """Two years of admissions; stays of days; an operation, in two of five, somewhere in the stay."""
    rng = np.random.default_rng(7)
    admit = rng.integers(0, 730 * 24, ROWS) * HOUR
    ward = rng.choice(["short", "long"], ROWS)
    stay = np.ceil(rng.gamma(2, np.where(ward == "short", 12, 48))).astype(int) * HOUR + HOUR
    operated = rng.random(ROWS) < 0.4
    surgery = admit + (rng.random(ROWS) * stay // HOUR).astype(int) * HOUR
    moment = pa.timestamp("s")
    return pa.table(
        {
            "discharge": pa.array(admit + stay, moment),
            "admit": pa.array(admit, moment),
            "surgery": pa.array(surgery, moment, mask=~operated),
            "ward": ward,
        }
    )


@pytest.fixture(scope="module")
def real() -> pa.Table:
    return admissions()


@pytest.fixture(scope="module")
def model(real, tmp_path_factory):
    fitted = fitting.fit(real, infer(real), engine=Trees(trees=4), seed=Seed(1), context=Context())
    folder = tmp_path_factory.mktemp("spans") / "model"
    fitting.save(fitted, folder)
    return fitting.load(folder)


def seconds(table: pa.Table, name: str) -> np.ndarray:
    return table.column(name).cast(pa.int64()).to_pandas().to_numpy(float)


def test_moments_are_learnt_as_their_distance_from_the_nearest_that_is_always_there(model):
    assert {(span.column, span.after) for span in model.book.spans} == {("discharge", "admit"), ("surgery", "admit")}
    stay = next(item for item in model.book.free if item.name == "discharge")
    assert 0 < stay.low < stay.high < 60 * 24 * HOUR


def test_made_stays_are_as_long_as_real_ones_and_as_often_with_an_operation(real, model):
    made = sample(model, 4000, Seed(2))
    begin, end, operation = (seconds(made, name) for name in ("admit", "discharge", "surgery"))
    assert (begin <= end).all()
    present = ~np.isnan(operation)
    assert (operation[present] >= begin[present]).all()
    assert (operation[present] <= end[present]).all()
    assert abs(present.mean() - 0.4) < 0.06
    long = np.array(made.column("ward").to_pylist()) == "long"
    true = seconds(real, "discharge") - seconds(real, "admit")
    was_long = np.array(real.column("ward").to_pylist()) == "long"
    for here, there in ((long, was_long), (~long, ~was_long)):
        stays, wanted = np.quantile((end - begin)[here], [0.25, 0.5, 0.9]), np.quantile(true[there], [0.25, 0.5, 0.9])
        assert np.abs(stays / wanted - 1).max() < 0.25


def test_a_condition_on_a_moment_holds_exactly(model):
    made = sample(model, 300, Seed(3), where='discharge >= "1971-06-01" and discharge < "1971-07-01"')
    end = seconds(made, "discharge")
    assert (end >= 516 * 24 * HOUR).all()
    assert (end < 546 * 24 * HOUR).all()
    assert (seconds(made, "admit") <= end).all()


@pytest.mark.parametrize("given", [("discharge",), ("admit",), ("discharge", "admit"), ("surgery",)])
def test_given_moments_stay_and_the_others_keep_their_distance(real, model, given):
    rows = real.filter(real.column("surgery").is_valid()).slice(0, 40).select([*given, "ward"])
    made = complete(model, rows, Seed(4))
    for name in given:
        assert made.column(name).equals(rows.column(name))
    stay = seconds(made, "discharge") - seconds(made, "admit")
    assert (stay > 0).all()
    assert np.median(stay) < 10 * 24 * HOUR
    assert not np.isnan(seconds(made, "surgery")).any()


def test_a_control_that_learns_each_column_alone_has_no_spans(real):
    fitted = fitting.fit(real, infer(real), engine=Independent(), seed=Seed(1), mine_rules=True, context=Context())
    assert fitted.book.spans == ()
