"""Partly filled rows: filled cells stay, empty ones follow them, rules hold, and what cannot be is said."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from table.groups import REAL, fitted, numbers, table

from tuckpoint.errors import SchemaError, ShortSample
from tuckpoint.seed import Seed
from tuckpoint.table import fit as fitting
from tuckpoint.table.complete import complete
from tuckpoint.table.engine import Context
from tuckpoint.table.engines.trees import Trees
from tuckpoint.table.infer import infer


@pytest.fixture
def model():
    return fitted()


def partly(rows=300, *, seed=5):
    """Made-up rows in which every cell but some is empty, in many patterns."""
    rng = np.random.default_rng(seed)
    whole = table(rows, seed=seed).drop_columns(["land", "total"])
    kinds = rng.random((4, whole.num_columns)) < 0.6
    which = rng.integers(0, 4, rows)
    columns = {
        name: pc.if_else(pa.array(~kinds[which, at]), whole[name], pa.scalar(None, whole[name].type))
        for at, name in enumerate(whole.column_names)
    }
    return pa.table(columns)


def test_filled_cells_stay_and_empty_ones_are_filled(model):
    partial = partly()
    made = complete(model, partial, Seed(1))
    assert made.schema.equals(REAL.schema)
    for name in partial.column_names:
        old, new = partial[name].to_pylist(), made[name].to_pylist()
        assert all(o is None or o == n for o, n in zip(old, new, strict=True)), name
    assert not any(made[name].null_count for name in made.column_names)
    assert pc.all(pc.equal(made["total"], pc.add(made["base"], made["extra"]))).as_py()
    assert len(set(made["id"].to_pylist())) == made.num_rows
    assert made.equals(complete(model, partial, Seed(1)))
    assert not made.equals(complete(model, partial, Seed(2)))


def test_a_filling_follows_the_filled_cells(model):
    made = complete(model, pa.table({"group": ["low"] * 800 + ["high"] * 800}), Seed(1))
    size = made["size"].to_numpy()
    for half, level in ((size[:800], "low"), (size[800:], "high")):
        real = numbers(REAL.filter(pc.equal(REAL["group"], level)), "size")
        assert half.mean() == pytest.approx(real.mean(), abs=0.4)
        assert half.std() == pytest.approx(real.std(), rel=0.15)
    back = complete(model, pa.table({"size": [10.0] * 200 + [26.0] * 200}), Seed(1))
    assert back["group"].to_pylist()[:200].count("low") > 180
    assert back["group"].to_pylist()[200:].count("high") > 150


def test_a_computed_cell_that_is_filled_is_matched(model):
    made = complete(model, pa.table({"land": ["land1", "land0", "land1"], "base": [1200, 2000, 3000]}), Seed(1))
    assert made["land"].to_pylist() == ["land1", "land0", "land1"]
    assert [int(city[-1]) // 2 for city in made["city"].to_pylist()] == [1, 0, 1]


def test_numbers_keep_more_decimals_than_the_model_has(model):
    assert complete(model, pa.table({"size": [12.345678]}), Seed(1))["size"][0].as_py() == 12.345678


def test_whole_rows_and_no_rows_are_completed(model):
    whole = table(20)
    assert (
        complete(model, whole.drop_columns(["note"]), Seed(1))
        .drop_columns(["note"])
        .equals(whole.drop_columns(["note"]))
    )
    assert complete(model, whole.slice(0, 0), Seed(1)).num_rows == 0
    empty = pa.table({name: pa.nulls(15, REAL.schema.field(name).type) for name in REAL.column_names})
    assert not any(column.null_count for column in complete(model, empty, Seed(1)).columns)


def test_columns_that_are_mostly_empty_are_filled():
    rng = np.random.default_rng(0)
    real = pa.table({f"c{i}": pa.array(rng.normal(size=1000).round(2), mask=rng.random(1000) < 0.6) for i in range(8)})
    model = fitting.fit(real, infer(real), engine=Trees(trees=1, rounds=5), seed=Seed(1), context=Context())
    made = complete(model, pa.table({"c0": [0.5] * 200}), Seed(1))
    assert not any(column.null_count for column in made.columns)


@pytest.mark.parametrize(
    ("partial", "why"),
    [
        ({"group": ["hgih"]}, "high"),
        ({"gruop": ["high"]}, "group"),
        ({"size": ["wide"]}, "size"),
    ],
)
def test_what_the_model_does_not_know_is_said(model, partial, why):
    with pytest.raises(SchemaError, match=why):
        complete(model, pa.table(partial), Seed(1))


def test_cells_that_break_a_rule_leave_the_row_short(model):
    with pytest.raises(ShortSample, match="break the rule"):
        complete(model, pa.table({"base": [1000], "extra": [5], "total": [9]}), Seed(1))


def renovated(rows=1200):
    """Nine houses of ten never renovated, and then without a word on how."""
    rng = np.random.default_rng(2)
    year = np.where(rng.random(rows) < 0.9, 0, rng.integers(1950, 2015, rows))
    return pa.table(
        {
            "year": year,
            "how": [None if not at else ("roof", "heating")[at % 2] for at in year.tolist()],
            "area": rng.integers(40, 300, rows),
        }
    )


def test_a_cell_that_a_rule_leaves_empty_costs_no_draws_and_biases_nothing():
    """Filled at any price, such a cell took fifty rounds of twenty thousand draws, and made every house renovated."""
    real = renovated()
    some = fitting.fit(real, infer(real), engine=Trees(trees=2, rounds=5), seed=Seed(1), context=Context())
    asked = []
    draw = type(some.engine).draw

    class Counting:
        def __getattr__(self, name):
            return getattr(some.engine, name)

        def draw(self, rows, seed, **more):
            asked.append(rows)
            return draw(some.engine, rows, seed, **more)

    counted = replace(some, engine=Counting())
    made = complete(counted, pa.table({"area": [100] * 400, "year": [0] * 200 + [None] * 200}), Seed(1))
    assert sum(asked) < 5000
    years = np.array(made["year"].to_pylist())
    assert (years[:200] == 0).all()
    assert np.mean(years[200:] == 0) > 0.75
    assert [how is None for how in made["how"].to_pylist()] == (years == 0).tolist()


def test_what_cannot_be_completed_names_its_row_and_its_rule(model):
    partial = pa.table({"base": [1000, 1000, None], "extra": [5, 5, 5], "total": [1005, 9, 40]})
    with pytest.raises(ShortSample, match=r"row 2.*`base \+ extra == total`"):
        complete(model, partial.slice(0, 2), Seed(1))


def test_an_empty_text_is_an_empty_cell_unless_the_model_knows_it(model):
    made = complete(model, pa.table({"group": ["low", "", "  "], "size": [10.0, 26.0, 26.0]}), Seed(1))
    assert made["group"][0].as_py() == "low"
    assert set(made["group"].to_pylist()) <= {"low", "mid", "high"}


def test_what_rules_compute_from_the_filled_cells_is_not_drawn(model):
    """An odd total with one addend was met by chance only, or not at all."""
    some = pa.table({"total": [4321, 2777, 3001], "extra": [123, 77, 5], "land": ["land0", "land1", "land1"]})
    made = complete(model, some, Seed(1))
    assert made["base"].to_pylist() == [4198, 2700, 2996]
    assert made["total"].to_pylist() == some["total"].to_pylist()


def test_rules_are_read_backwards_where_that_leaves_one_value():
    """A day thirty before a given one, or a price behind a total, was met by chance only, or not at all."""
    rng = np.random.default_rng(3)
    end, price, many = rng.integers(0, 5000, 800), rng.integers(100, 90_000, 800) / 100, rng.integers(1, 9, 800)
    total = np.round(price * many, 2)
    real = pa.table({"end": end, "due": end + 30, "price": price, "many": many, "total": total})
    some = fitting.fit(real, infer(real), engine=Trees(trees=2, rounds=5), seed=Seed(1), context=Context())
    assert {"due == end + 30", "price * many == total"} <= {rule.text for rule in some.book.rules if rule.enforced}
    asked = pa.table({"due": [31, 4444, 77], "many": [3, 7, 2], "total": [4.5, 1799.91, 20.0]})
    made = complete(some, asked, Seed(1))
    assert made["end"].to_pylist() == [1, 4414, 47]
    assert made["price"].to_pylist() == [1.5, 257.13, 10.0]
    with pytest.raises(ShortSample, match="row 1"):  # seven times no price is 10.00 to the cent
        complete(some, pa.table({"many": [7], "total": [10.00]}), Seed(1))


def test_a_rare_level_that_the_model_pooled_stays_in_its_cell():
    """Rows of the very table that was learnt were refused, since rare levels do not leave it."""
    rng = np.random.default_rng(4)
    land = rng.choice(["DE", "FR"], 600).astype(object)
    land[:12] = [f"rare{i // 2}" for i in range(12)]
    real = pa.table({"land": land, "x": rng.normal(size=600).round(2)})
    some = fitting.fit(real, infer(real), engine=Trees(trees=2, rounds=5), seed=Seed(1), context=Context())
    assert "(rare)" in some.book.fields[0].levels
    made = complete(some, pa.table({"land": ["rare1", "DE", None]}), Seed(1))
    assert made["land"].to_pylist()[:2] == ["rare1", "DE"]
    assert made["x"].null_count == 0
