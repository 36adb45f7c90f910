import numpy as np
import pytest

from tuckpoint.prove.metric import SIGN, calibration, estimate, losses, measurable, recall_at
from tuckpoint.seed import Seed


def drawn(rows=400, key=0):
    random = Seed(key, ("metric",)).numpy()
    truth = (random.random(rows) < 0.4).astype(float)
    return 1 / (1 + np.exp(-(truth + random.normal(size=rows)))), truth


@pytest.mark.parametrize("metric", ["log_loss", "rmse", "auc"])
def test_the_influence_tells_what_leaving_a_row_out_does(metric):
    predicted, truth = drawn()
    whole = estimate(metric, predicted, truth)
    for row in (0, 17, 200):
        rest = np.arange(len(truth)) != row
        moved = estimate(metric, predicted[rest], truth[rest]).value - whole.value
        assert moved == pytest.approx(-whole.influence[row] / (len(truth) - 1), rel=0.05, abs=2e-5)
    assert whole.influence.mean() == pytest.approx(0, abs=1e-9)


def test_log_loss_of_several_classes_reads_the_true_one():
    predicted = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    assert losses(predicted, np.array([0.0, 2.0])) == pytest.approx(-np.log([0.7, 0.8]))
    assert np.isfinite(losses(np.array([0.0, 1.0]), np.array([1.0, 0.0]))).all()


def test_recall_is_that_above_the_share_of_false_alarms():
    score = np.concatenate([np.arange(100) / 100, [0.985, 0.995, 0.2, 0.3]])
    positive = np.arange(104) >= 100
    assert recall_at(score, positive, 0.02).value == pytest.approx(0.5)  # two negatives, .98 and .99, are above .97
    assert recall_at(score, positive, 0.01).value == pytest.approx(0.25)


def test_a_moved_threshold_is_no_gain_in_recall():
    predicted, truth = drawn()
    plain = recall_at(predicted, truth == 1, 0.1)
    inflated = recall_at(predicted**0.2, truth == 1, 0.1)
    assert inflated.minus(plain).value == 0


def test_the_standard_error_of_recall_is_that_of_new_samples():
    values, errors = [], []
    for key in range(200):
        found = recall_at(*(lambda p, t: (p, t == 1))(*drawn(600, key)), 0.1)
        values.append(found.value)
        errors.append(found.se)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.25)


def test_what_cannot_be_measured_says_why():
    truth = np.array([1.0] * 5 + [0.0] * 100)
    assert "5 positive" in measurable("auc", truth)
    assert measurable("auc", np.repeat([0.0, 1.0], 50)) == ""
    assert "rate of false alarms" in measurable("recall", np.repeat([0.0, 1.0], 20), rate=0.01)
    assert "3 rows" in measurable("rmse", np.zeros(3))


def test_calibration_is_a_rate_or_a_mean_error():
    assert calibration(np.array([0.5, 0.5]), np.array([0.0, 1.0])) == 1.0
    assert calibration(np.array([3.0, 5.0]), np.array([2.0, 2.0])) == 2.0


def test_lower_losses_are_better():
    assert SIGN["log_loss"] == SIGN["rmse"] == -SIGN["auc"] == -SIGN["recall"] == -1


def several(rows=300, key=0):
    random = Seed(key, ("several",)).numpy()
    truth = random.choice(3, rows, p=[0.6, 0.3, 0.1]).astype(float)
    score = random.normal(size=(rows, 3)) + 1.2 * np.eye(3)[truth.astype(int)]
    return np.exp(score) / np.exp(score).sum(axis=1, keepdims=True), truth


def test_macro_recall_is_the_mean_over_classes_and_accuracy_over_rows():
    predicted, truth = several()
    right = predicted.argmax(axis=1) == truth
    assert estimate("accuracy", predicted, truth).value == pytest.approx(right.mean())
    recalls = [right[truth == c].mean() for c in range(3)]
    assert estimate("macro_recall", predicted, truth).value == pytest.approx(np.mean(recalls))
    assert estimate("accuracy", predicted[:, 1], (truth == 1).astype(float)).value == pytest.approx(
        ((predicted[:, 1] > 0.5) == (truth == 1)).mean()
    )


@pytest.mark.parametrize("metric", ["accuracy", "macro_recall"])
def test_the_interval_of_right_answers_holds_the_truth(metric):
    predicted, truth = several(400_000, key=1)
    known = estimate(metric, predicted, truth).value
    held = 0
    for number in range(300):
        one = estimate(metric, *several(300, key=2 + number))
        held += abs(one.value - known) <= 1.96 * one.influence.std() / np.sqrt(300)
    assert 0.91 <= held / 300 <= 0.985
