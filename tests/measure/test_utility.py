from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from measure.tables import SCHEMA, independent, people

from tuckpoint.measure.prepare import Space, plain, prepare
from tuckpoint.measure.utility import global_utility, graded, task, utility
from tuckpoint.score import Score
from tuckpoint.seed import Seed

REAL, MADE, HOLDOUT = people(3000, 1), people(3000, 2), people(1000, 3)
SPACE = prepare(REAL, MADE, HOLDOUT, SCHEMA)


def used(space: Space, target: str) -> Score:
    return utility(space.real, space.made, space.holdout, target, seed=Seed(0))


@pytest.mark.parametrize(
    ("target", "measure"), [("rich", "AUC"), ("town", "macro one-vs-rest AUC"), ("pay", "R2"), ("member", "AUC")]
)
def test_same_law_trains_the_same_model(target: str, measure: str) -> None:
    score = used(SPACE, target)
    assert score.detail["measure"] == measure
    assert score.passed is True
    assert score.value == pytest.approx(score.reference, abs=0.06)
    assert score.low is not None
    assert score.high is not None
    assert score.low < score.value < score.high  # type: ignore[operator]


@pytest.mark.parametrize("target", ["rich", "pay"])
def test_independent_columns_train_nothing(target: str) -> None:
    score = used(prepare(REAL, independent(REAL, 0), HOLDOUT, SCHEMA), target)
    assert score.passed is False
    assert score.advice


def test_a_rare_class_says_why() -> None:
    labels = np.where(np.arange(1000) < 7, "yes", "no")
    held = HOLDOUT.set_column(7, "rich", pa.array(labels))
    score = used(prepare(REAL, MADE, held, SCHEMA), "rich")
    assert score.value is None
    assert 'only 7 holdout rows of class "yes"' in score.why


def test_no_holdout_says_why() -> None:
    score = utility(SPACE.real, SPACE.made, None, "rich", seed=Seed(0))
    assert score.value is None
    assert "no holdout" in score.why


def test_made_rows_without_one_class_score_as_guessing() -> None:
    made = MADE.set_column(7, "rich", pa.array(["no"] * 3000))
    score = used(prepare(REAL, made, HOLDOUT, SCHEMA), "rich")
    assert score.value == 0.5
    assert score.passed is False


def test_a_target_that_real_rows_cannot_predict_decides_nothing() -> None:
    random = np.random.default_rng(0)

    def noise(rows: int) -> pa.Table:
        return pa.table({"a": random.normal(size=rows), "b": random.choice(["u", "v"], rows)})

    real = noise(1500)
    score = used(prepare(real, noise(1500), noise(500), plain(real)), "b")
    assert score.passed is None
    assert score.value is not None
    assert score.why


def heavy(rows: int, seed: int, tail: float) -> pa.Table:
    """A target over many powers of ten, of which two columns tell the order."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 2))
    return pa.table({"x": x[:, 0], "y": x[:, 1], "cost": np.exp(x[:, 0] + x[:, 1] + tail * random.normal(size=rows))})


def test_where_extremes_decide_r2_ranks_are_judged() -> None:
    real, holdout = heavy(1500, 1, 1.5), heavy(500, 2, 1.5)
    for made, passed in ((heavy(1500, 3, 1.5), True), (independent(real, 0), False)):
        score = used(prepare(real, made, holdout, plain(real)), "cost")
        assert score.detail["measure"] == "R2 of ranks"
        assert score.detail["r2"]["real"] < 0
        assert "extreme values" in score.why
        assert score.passed is passed
        assert -1 < score.value < 1
        assert score.reference > 0.1


def test_worse_than_the_mean_fails_and_ranks_stand_beside() -> None:
    real, holdout = heavy(1500, 1, 0.2), heavy(500, 2, 0.2)
    made = real.set_column(2, "cost", pa.array(real["cost"].to_numpy() * 100))
    score = used(prepare(real, made, holdout, plain(real)), "cost")
    assert score.passed is False
    assert score.value < -100
    assert score.detail["measure"] == "R2"
    assert "worse than always guessing the mean" in score.why
    assert score.detail["ranks"]["real"] > 0.8


def test_rare_classes_are_pooled_and_numbers_of_few_values_are_classes() -> None:
    work = task({"real": SPACE.real, "holdout": SPACE.real}, "town", most_classes=4)
    assert work.classes == 4
    assert work.labels[-1] == "(other)"
    table = pa.table({"n": [1, 2, 3] * 20, "m": range(60)})
    few = prepare(table, table, None, plain(table))
    assert task({"real": few.real}, "n").classes == 3
    assert task({"real": few.real}, "m").classes == 0


def test_macro_auc_is_the_mean_over_classes() -> None:
    random = np.random.default_rng(0)
    truth, shares = random.integers(0, 3, 200), random.random((200, 3))
    found = graded(shares, truth, 3)
    assert found is not None
    each = []
    for c in range(3):
        a, b = shares[truth == c, c], shares[truth != c, c]
        each.append(((a[:, None] > b) + 0.5 * (a[:, None] == b)).mean())
    assert found.value == pytest.approx(np.mean(each))


def test_global_utility_keeps_same_law_and_rejects_independent_columns() -> None:
    good = global_utility(SPACE.real, SPACE.made, SPACE.holdout, seed=Seed(0))
    assert good.passed is True
    assert set(good.detail["columns"]) <= set(SPACE.real.columns)
    control = prepare(REAL, independent(REAL, 0), HOLDOUT, SCHEMA)
    bad = global_utility(control.real, control.made, control.holdout, seed=Seed(0))
    assert bad.passed is False
    assert bad.value == pytest.approx(0.0, abs=0.06)
