"""Formulas with noise, planted by hand and found again; and what is not one, left alone."""

import numpy as np
import pytest

from tuckpoint.table import formula as formulas
from tuckpoint.table.codes import code_column
from tuckpoint.table.engine import Field
from tuckpoint.table.formula import Formula, find, heaps, rests

N = 4000


def stream(seed=0):
    return np.random.default_rng(seed)


def table(decimals=2, **columns):
    fields = {name: Field(name, decimals=decimals) for name in columns}
    return {
        name: code_column(fields[name], np.round(values, decimals), atom_rows=5) for name, values in columns.items()
    }


def boxes(rows=N):
    """Three sides, and a ratio of them that is written with an error in one row of thirty."""
    rng = stream()
    x = rng.lognormal(1.5, 0.3, rows)
    y = x * rng.lognormal(0, 0.02, rows)
    depth = rng.normal(60, 2, rows)
    z = depth * (x + y) / 200
    wrong = rng.random(rows) < 1 / 30
    return {"x": x, "y": y, "depth": np.where(wrong, rng.normal(60, 2, rows), depth), "z": z}


def found(columns, seed=1):
    return find(columns, list(columns), stream(seed))


def test_a_product_is_found_with_its_powers_though_rows_break_it():
    (formula,) = found(table(**boxes()))
    assert formula.logarithm
    assert formula.column == "z"  # of the four it spreads most beside what the others leave of it
    powers = dict(zip(formula.parents, formula.weights, strict=True))
    assert powers == pytest.approx({"x": 0.5, "y": 0.5, "depth": 1.0}, abs=0.02)


def test_a_sum_is_found_with_its_weights_and_without_what_does_not_matter():
    rng = stream()
    a, b = rng.normal(0, 100, N), rng.normal(0, 50, N)
    columns = table(a=a, b=b, noise=rng.normal(0, 30, N), total=2 * a - b + 7 + rng.normal(0, 0.5, N))
    (formula,) = found(columns)
    assert not formula.logarithm
    assert {formula.column, *formula.parents} == {"a", "b", "total"}
    twice = formula.column == "total"
    assert abs(formula.weights[formula.parents.index("a" if twice else "total")]) == pytest.approx(
        2 if twice else 0.5, abs=0.02
    )


def test_a_sum_with_missing_parents_is_still_found():
    rng = stream()
    a, b = rng.normal(0, 100, N), rng.normal(0, 50, N)
    total = a + b + rng.normal(0, 0.5, N)
    a[rng.random(N) < 0.05] = np.nan
    assert len(found(table(a=a, b=b, total=total))) == 1


@pytest.mark.parametrize("spread", [0.3, 1.0])
def test_what_merely_depends_has_no_formula(spread):
    rng = stream()
    a = rng.normal(0, 1, N)
    assert found(table(a=a, b=a + spread * rng.normal(0, 1, N), c=rng.normal(0, 1, N))) == ()


def loans(rows=N):
    """Instalments of an annuity: a product of the sum lent and of what rate and term together make."""
    rng = stream()
    lent = np.round(rng.lognormal(9, 0.6, rows), -2)
    rate, term = rng.choice([4.9, 5.9, 7.9, 9.9, 12.9], rows), rng.choice([12.0, 24.0, 36.0, 48.0, 60.0], rows)
    monthly = rate / 1200
    due = lent * monthly / (1 - (1 + monthly) ** -term)
    return {"lent": lent, "rate": rate, "term": term, "due": due, "score": np.round(rng.normal(600, 50, rows))}


def test_a_factor_that_two_columns_of_few_values_make_is_found():
    columns = table(**loans())
    (formula,) = found(columns)
    assert (formula.column, formula.parents, formula.logarithm) == ("due", ("lent",), True)
    assert set(formula.cells.groups) == {"rate", "term"}
    assert set(formula.needs) == {"lent", "rate", "term"}
    other = loans(2 * N)
    near = np.exp(formula.predict(other, 2 * N)) / other["due"]
    assert np.quantile(np.abs(near - 1), 0.99) < 1e-4  # beyond those seen, predictions stay within their range
    unknown = {"lent": np.array([1000.0]), "rate": np.array([6.66]), "term": np.array([np.nan])}
    assert formula.predict(unknown, 1)[0] == pytest.approx(formula.offset + formula.weights[0] * np.log(1000.0))


def test_a_tax_by_land_is_found_though_rows_break_it():
    rng = stream()
    land = rng.choice(6, N, p=[0.4, 0.2, 0.2, 0.14, 0.05, 0.01]).astype(np.int32)
    net, many = np.round(rng.lognormal(4, 1, N), 2), rng.choice([1.0, 2.0, 3.0, 5.0, 10.0], N)
    gross = net * many * (1 + np.array([0.19, 0.2, 0.22, 0.21, 0.25, 0.08]))[land]
    gross[rng.random(N) < 0.03] *= 1.5
    field = Field("land", levels=tuple("abcdef"))
    columns = {**table(net=net, many=many, gross=gross), "land": code_column(field, land, atom_rows=5)}
    (formula,) = found(columns)
    assert {formula.column, *formula.parents} == {"net", "gross"}
    assert set(formula.cells.groups) == {"many", "land"}
    rest = rests(formula, columns)
    assert np.nanmedian(np.abs(rest.rest)) < 1e-3
    assert (rest.place >= 0).mean() > 0.95


def test_an_offset_of_each_machine_is_found_beside_a_sum():
    rng = stream()
    machine = rng.integers(0, 12, N).astype(np.int32)
    heat = rng.normal(100, 20, N)
    load = 2 * heat + rng.normal(0, 50, 12)[machine] + rng.normal(0, 0.3, N)
    field = Field("machine", levels=tuple("abcdefghijkl"))
    columns = {**table(heat=heat, load=load), "machine": code_column(field, machine, atom_rows=5)}
    (formula,) = found(columns)
    assert formula.cells.groups == ("machine",)


@pytest.mark.parametrize("seed", range(4))
def test_columns_of_few_values_that_have_nothing_to_do_with_it_make_no_formula(seed):
    rng = stream(seed)
    a = rng.normal(0, 1, N)
    numbers = table(a=a, b=a + 0.3 * rng.normal(0, 1, N), c=rng.lognormal(0, 1, N))
    levels = {
        f"g{i}": code_column(
            Field(f"g{i}", levels=tuple("abcdefgh")), rng.integers(-1, 8, N).astype(np.int32), atom_rows=5
        )
        for i in range(8)
    }
    assert found({**numbers, **levels}) == ()


def test_rests_of_two_values_part_no_cells():
    """A year of birth and an age that differ by one of two numbers: the commoner one of each cell is chance."""
    rng = stream()
    born = rng.integers(1930, 2015, N).astype(float)
    stay = np.minimum(rng.geometric(0.2, N), 30).astype(float)
    assert found(table(0, born=born, age=2023 - born + rng.integers(0, 2, N), stay=stay)) == ()


def test_few_rows_few_values_and_single_columns_have_none():
    rng = stream()
    a = rng.normal(0, 100, N)
    assert found(table(a=a[:300], b=2 * a[:300])) == ()
    assert found(table(a=a)) == ()
    assert found({}) == ()
    few = np.round(a / 50)
    assert found(table(a=few, b=2 * few, c=rng.normal(0, 1, N))) == ()


def test_a_constant_column_does_no_harm():
    rng = stream()
    a = rng.normal(0, 100, N)
    columns = table(a=a, b=2 * a + rng.normal(0, 0.1, N), one=np.r_[np.ones(N - 60), np.arange(60.0)])
    assert len(found(columns)) == 1


def test_the_same_stream_finds_the_same():
    columns = table(**boxes())
    assert found(columns, 3) == found(columns, 3)


def test_rests_are_what_is_left_and_stand_where_the_pool_has_them():
    columns = table(**boxes())
    (formula,) = found(columns)
    left = rests(formula, columns)
    follows = left.place >= 0
    assert follows.mean() > 0.9
    z, x, y, depth = (columns[name].values for name in ("z", "x", "y", "depth"))
    expected = np.log(z) - np.log(depth * np.sqrt(x * y) / 100)
    assert np.median(np.abs(left.rest - expected)[follows]) < 1e-3
    np.testing.assert_array_equal(left.pool[left.place[follows]], left.rest[follows])
    assert (left.pool[left.place[follows] + left.ties[follows] - 1] == left.rest[follows]).all()
    assert (np.diff(left.pool) >= 0).all()


def test_rows_without_a_logarithm_or_far_away_keep_their_own_value():
    made = boxes()
    made["z"][:20] = 0
    made["z"][20:25] *= 3
    made["z"][25] = np.nan
    columns = table(**made)
    (formula,) = found(columns)
    assert (rests(formula, columns).place[:26] == -1).all()


def test_a_prediction_stays_in_the_range_of_real_ones_and_bridges_gaps():
    formula = Formula("t", ("a", "b"), (1.0, 2.0), (5.0, 0.0), 1.0, False, 0.0, 100.0)
    values = {"a": np.array([1.0, np.nan, 1e6, -1e6]), "b": np.array([2.0, 2.0, 0.0, 0.0])}
    np.testing.assert_array_equal(formula.predict(values, 4), [6, 10, 100, 0])


def test_heaps_are_values_far_commoner_than_their_neighbours():
    rng = stream()
    smooth = np.round(rng.normal(100, 10, N))
    assert heaps(smooth).mean() < 0.01
    heaped = np.where(rng.random(N) < 0.2, 100.0, np.round(rng.normal(100, 10, N), 2))
    assert (heaps(heaped) == (heaped == 100)).mean() > 0.99
    assert heaps(np.array([np.nan, 1.0, 2.0])).all()


def test_columns_of_a_few_factors_are_found_in_few_rounds(monkeypatch):
    rng = stream()
    factors = rng.normal(size=(1000, 5))
    columns = table(**{f"c{j}": factors @ rng.normal(size=5) for j in range(40)})
    fits = []
    once = formulas._fitted
    monkeypatch.setattr(formulas, "_fitted", lambda name, *rest: fits.append(name) or once(name, *rest))
    made = found(columns)
    assert len(made) == 35  # all but as many as there are factors
    for position, formula in enumerate(made):
        assert not {earlier.column for earlier in made[:position]} & set(formula.parents)
    assert len(fits) < 8 * 40  # one by one, it would be 40 + 39 + ... of them, for numbers and for logarithms
