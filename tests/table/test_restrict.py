import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.table.engine import Condition, Field
from tuckpoint.table.restrict import allowed_runs, from_steps, refusal, separate, to_steps


def test_steps_and_back():
    values = np.array([0.1, -2.35, 7.0, 1e6 + 0.01])
    assert np.array_equal(from_steps(to_steps(values, 2).astype(np.int64), 2), values)


@pytest.mark.parametrize(
    ("mask", "runs"),
    [
        (lambda v: v > 0.25, [[26, 101]]),
        (lambda v: v == 0.4, [[40, 41]]),
        (lambda v: np.isin(v, [0.0, 1.0]), [[0, 1], [100, 101]]),
        (lambda v: np.zeros(len(v), bool), []),
        (lambda v: np.ones(len(v), bool), [[0, 101]]),
        (lambda v: (v < 0.1) | (v >= 0.9), [[0, 10], [90, 101]]),
    ],
)
def test_small_domains_are_searched_whole(mask, runs):
    assert allowed_runs(mask, 0, 100, 2).tolist() == runs


def test_edges_in_large_domains_are_exact():
    low, high = -(10**12), 10**12
    runs = allowed_runs(lambda v: (v > 123_456_789.123) & (v <= 987_654_321.5), low, high, 3)
    assert runs.tolist() == [[123_456_789_124, 987_654_321_501]]


def test_single_numbers_in_large_domains_are_found_where_round_or_marked():
    assert allowed_runs(lambda v: v == 5000, 0, 10**8, 2).tolist() == [[500_000, 500_001]]
    midnight = 20_000 * 86_400
    assert allowed_runs(lambda v: v == midnight, 0, 2 * 10**9, 0).tolist() == [[midnight, midnight + 1]]
    odd = 123_456_789
    assert allowed_runs(lambda v: v == odd, 0, 2 * 10**9, 0, np.array([odd])).tolist() == [[odd, odd + 1]]


def test_separate_checks_given_columns():
    condition = Condition("a > 1", ("a",), lambda c: c["a"] > 1, {"a": lambda v: v > 1})
    with pytest.raises(InputError, match=r"2 values break the condition \(first: row 2"):
        separate(condition, {"a": np.array([2.0, 1.0, 0.0])}, 3)
    with pytest.raises(InputError, match="3 values for 4 rows"):
        separate(None, {"a": np.zeros(3)}, 4)
    assert set(separate(condition, {"b": np.zeros(3)}, 3)) == {"a"}


def test_refusal_says_what_to_do():
    fields = (Field("age"), Field("wage"))
    mixed = Condition("age < wage", ("age", "wage"), lambda c: c["age"] < c["wage"])
    assert "use engine trees" in str(refusal("x", fields, mixed, ()))
    assert 'did you mean "wage"' in str(refusal("x", fields, None, ("wgae",)))
    assert refusal("x", fields, None, ("age",)) is None
