from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from tuckpoint.errors import InputError, PrivacyError
from tuckpoint.privacy.account import epsilon_of, rho_of
from tuckpoint.seed import Seed
from tuckpoint.table import counting
from tuckpoint.table.engine import Context, Encoded, Field
from tuckpoint.table.engines import marginals
from tuckpoint.table.engines.marginals import Marginals, budget

LEVELS = tuple("abcdef")


def level(name: str, size: int = 6) -> Field:
    return Field(name, levels=LEVELS[:size], nullable=False, provenance="public")


def chain(rows: int, seed: int = 0) -> Encoded:
    """a -> b -> c, each step keeping its level with a chance of 0.8; d is alone."""
    stream = np.random.default_rng(seed)
    a = stream.integers(0, 6, rows)
    b = np.where(stream.random(rows) < 0.8, a, stream.integers(0, 6, rows))
    c = np.where(stream.random(rows) < 0.8, b, stream.integers(0, 6, rows))
    columns = {"a": a, "b": b, "c": c, "d": stream.integers(0, 6, rows)}
    return Encoded(tuple(level(n) for n in columns), {n: v.astype(np.int32) for n, v in columns.items()})


def fit(real: Encoded, **settings):
    return Marginals(**settings).fit(real, Seed(1), Context())


def edges(model) -> set[frozenset[str]]:
    names = [node.grid.field.name for node in model.nodes]
    return {frozenset((names[i], names[v])) for i, n in enumerate(model.nodes) for v in n.parents}


def test_the_planted_tree_is_found_and_its_tables_are_right():
    real = chain(20_000)
    model = fit(real, epsilon=5.0)
    assert {frozenset("ab"), frozenset("bc")} <= edges(model)
    assert frozenset("ac") not in edges(model)
    made = model.draw(20_000, Seed(2)).columns
    for one, other in ("ab", "bc", "ac", "ad"):
        tables = [np.bincount(c[one] * 6 + c[other], minlength=36) / 20_000 for c in (real.columns, made)]
        assert np.abs(tables[0] - tables[1]).sum() / 2 < 0.04


def test_more_budget_less_error():
    real = chain(3000)
    error = []
    for epsilon in (0.1, 1.0, 20.0):
        made = fit(real, epsilon=epsilon).draw(30_000, Seed(2)).columns
        tables = [np.bincount(c["a"] * 6 + c["b"], minlength=36) / len(c["a"]) for c in (real.columns, made)]
        error.append(np.abs(tables[0] - tables[1]).sum() / 2)
    assert error[0] > error[1] > error[2]
    assert error[2] < 0.05


def test_two_fits_with_one_seed_differ_and_two_draws_do_not():
    real = chain(2000)
    one, other = fit(real), fit(real)
    assert not np.array_equal(one.nodes[0].law, other.nodes[0].law)
    assert one.draw(50, Seed(3)).columns["a"].tobytes() == one.draw(50, Seed(3)).columns["a"].tobytes()


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 8.0])
def test_the_promise_is_computed_from_what_was_spent(epsilon):
    model = fit(chain(500), epsilon=epsilon, delta=1e-6)
    told = model.guarantee
    assert told.rho <= rho_of(epsilon, 1e-6)
    assert told.rho == pytest.approx(sum(told.spent.values()))
    assert told.epsilon <= epsilon
    if edges(model):  # a fit that stops before the first pair spends less
        assert told.rho > 0.97 * rho_of(epsilon, 1e-6)
        assert told.epsilon > 0.97 * epsilon
    assert told.epsilon >= min(epsilon_of(told.rho, 1e-6), epsilon)
    assert told.delta == 1e-6
    assert "one person" in told.unit


def test_domains_read_off_the_data_are_refused_by_name():
    real = chain(50)
    leaky = tuple(replace(f, provenance="data") if f.name in "bd" else f for f in real.fields)
    with pytest.raises(PrivacyError, match=r"'b', 'd'.*schema.yaml.*public or expert"):
        fit(Encoded(leaky, real.columns))
    with pytest.raises(PrivacyError, match='"x" has no low and high'):
        fit(Encoded((Field("x", provenance="public"),), {"x": np.zeros(3)}))


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf"), 1e-310])
def test_budgets_that_cannot_be_counted_are_refused(bad):
    with pytest.raises(PrivacyError):
        Marginals(epsilon=bad)
    for delta in (bad, 1.0, 1.5):
        with pytest.raises(PrivacyError):
            Marginals(delta=delta)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"bins": 1}, InputError),
        ({"cells": 10**6}, InputError),
        ({"rows_per_person": 0}, InputError),
        ({"unit": "cat"}, PrivacyError),
    ],
)
def test_settings_out_of_range_are_refused(settings, error):
    with pytest.raises(error):
        Marginals(**settings)


@pytest.fixture
def scores(monkeypatch):
    """The scores and sensitivity handed to each choice."""
    seen: list[tuple[np.ndarray, int]] = []

    def first(given, epsilon, sensitivity):
        seen.append((np.array(given), sensitivity))
        return 0

    monkeypatch.setattr(marginals.noise, "exponential_choice", first)
    return seen


@pytest.mark.parametrize("bound", [1, 3])
def test_one_person_moves_counts_and_scores_by_no_more_than_was_charged(monkeypatch, scores, bound):
    """The measured quantities of two neighbours, with all that was published before held the same."""
    real = chain(300)
    person = np.append(np.arange(296), np.full(4, 999))  # the last four rows are one person
    tables: list[np.ndarray] = []

    def recorded(counts, variance):
        tables.append(np.asarray(counts).ravel())
        return np.full(np.asarray(counts).shape, 40.0)  # the same "noisy" answer whatever the data

    for module in (counting, marginals):
        monkeypatch.setattr(module, "noisy", recorded)
    for rows in (np.ones(300, bool), person != 999):
        fit(Encoded(real.fields, real.columns, person).take(rows), rows_per_person=bound)
    half = len(tables) // 2
    moved = [np.abs(a - b).sum() for a, b in zip(tables[:half], tables[half:], strict=True)]
    assert moved == [bound] * half
    rounds = len(scores) // 2
    assert rounds == 3
    assert len(scores[0][0]) == 7  # all pairs, and to stop
    for (a, charged), (b, _) in zip(scores[:rounds], scores[rounds:], strict=True):
        assert 0 < np.abs(a - b).max() <= charged


def test_rows_of_one_person_are_bounded():
    real = chain(600)
    crowd = Encoded(real.fields, real.columns, np.repeat(np.arange(3), 200))
    totals = {}
    for name, settings in {"one": {}, "five": {"rows_per_person": 5}, "rows": {"unit": "row"}}.items():
        totals[name] = fit(crowd, epsilon=1e6, **settings).guarantee.rows
    assert totals == {"one": 3, "five": 15, "rows": 600}
    assert "at most 5 rows" in fit(crowd, rows_per_person=5).guarantee.unit
    assert fit(crowd, unit="row").guarantee.unit == "one row"


def test_the_budget_is_split_by_sizes_alone():
    shares = budget([16, 16, 2, 7])
    assert sum(shares) <= 1
    assert all(isinstance(share, Fraction) for share in shares)
    assert shares[3] > shares[1] > shares[2] > 0
    assert budget([5])[2:] == (0, 0)


@pytest.mark.parametrize("overspent", [False, True])
def test_an_attack_finds_an_overspent_budget_and_no_other(monkeypatch, overspent):
    """A person is there or not; the event is fixed beforehand (Clopper-Pearson, 99.995 % each side).

    The overspent twin, whose noise is twenty times too small, shows that the attack would notice.
    """
    epsilon, delta, trials = 1.0, 1e-2, 120
    told: list[np.ndarray] = []
    plain = counting.noisy

    def heard(counts, variance):
        told.append(plain(counts, variance / 400 if overspent else variance))
        return told[-1]

    for module in (counting, marginals):
        monkeypatch.setattr(module, "noisy", heard)
    gone = Encoded((level("a", 2), level("b", 2)), {n: np.zeros(0, np.int32) for n in "ab"})
    there = Encoded(gone.fields, {n: np.ones(1, np.int32) for n in "ab"})
    engine = Marginals(epsilon=epsilon, delta=delta)

    def event(real: Encoded) -> bool:
        told.clear()
        engine.fit(real, Seed(1), Context())
        return bool(told[1][1] + told[2][1] >= 1)  # the noisy counts of the second level of both columns

    hits = [sum(event(real) for _ in range(trials)) for real in (there, gone)]
    low = stats.beta.ppf(5e-5, hits[0], trials - hits[0] + 1)
    high = stats.beta.ppf(1 - 5e-5, hits[1] + 1, trials - hits[1])
    assert (np.log(max(low - delta, 1e-9) / high) > epsilon) == overspent


def test_numbers_fall_where_the_real_ones_lie():
    stream = np.random.default_rng(8)
    pay = np.where(stream.random(20_000) < 0.6, 0, np.rint(stream.lognormal(8, 1, 20_000))).clip(0, 1_000_000)
    field = Field("pay", low=0, high=1_000_000, nullable=False, provenance="public")
    made = fit(Encoded((field,), {"pay": pay}), epsilon=5.0).draw(20_000, Seed(1)).columns["pay"]
    assert np.mean(made == 0) == pytest.approx(0.6, abs=0.02)
    for share in (0.7, 0.9, 0.99):
        assert np.quantile(made, share) == pytest.approx(np.quantile(pay, share), rel=0.2)


def test_strange_values_never_raise():
    fields = (level("a", 2), Field("x", low=0, high=9, nullable=False, provenance="public"))
    wild = Encoded(fields, {"a": np.array([0, 7, -1, -9], np.int32), "x": np.array([np.nan, 1e300, -np.inf, 4])})
    made = fit(wild, epsilon=50.0).draw(100, Seed(1)).columns
    assert set(np.unique(made["a"])) <= {0, 1}
    assert ((made["x"] >= 0) & (made["x"] <= 9)).all()


def test_an_empty_table_and_one_without_columns_are_answered_like_any():
    assert fit(chain(0)).draw(5, Seed(1)).rows == 5
    nothing = fit(Encoded((), {}))
    assert nothing.draw(0, Seed(1)).rows == 0
    assert nothing.guarantee.epsilon == 0
