from __future__ import annotations

import numpy as np
import pyarrow as pa

from tuckpoint.measure.limits import Limits
from tuckpoint.measure.prepare import prepare
from tuckpoint.measure.unseen import unseen_pairs
from tuckpoint.schema import Column, Schema
from tuckpoint.score import Score
from tuckpoint.seed import Seed

SCHEMA = Schema(
    (
        Column("sex", "category", "string"),
        Column("pregnant", "boolean", "bool"),
        Column("children", "integer", "int64"),
        Column("town", "category", "string"),
    )
)
BORN = "sex = male with pregnant = true"


def patients(rows: int, seed: int, *, men: int = 0) -> pa.Table:
    """No man is pregnant but for the first `men` of them, nobody who is pregnant is without children."""
    random = np.random.default_rng(seed)
    male = random.random(rows) < 0.5
    pregnant = ~male & (random.random(rows) < 0.2)
    pregnant[np.flatnonzero(male)[:men]] = True
    children = np.where(pregnant, random.integers(1, 4, rows), random.integers(0, 4, rows))
    return pa.table(
        {
            "sex": np.where(male, "male", "female"),
            "pregnant": pregnant,
            "children": children,
            "town": random.choice(["Ash", "Elm"], rows),
        }
    )


def measured(
    made: pa.Table, holdout: pa.Table | None, real: pa.Table | None = None, *, schema: Schema = SCHEMA
) -> Score:
    space = prepare(patients(2000, 1) if real is None else real, made, holdout, schema)
    return unseen_pairs(space.real, space.made, space.holdout, kinds=space.kinds, seed=Seed(0))


def worst(score: Score) -> dict[str, int]:
    return {"{} = {} with {} = {}".format(*pair["pair"]): pair["made"] for pair in score.detail["worst"]}


def test_pregnant_men_are_counted_and_named() -> None:
    score = measured(patients(1500, 2, men=40), patients(500, 3))
    assert score.value == 40 / 1500
    assert score.reference == 0
    assert score.passed is False
    assert score.low is not None
    assert 0 < score.low < 40 / 1500
    assert worst(score) == {BORN: 40}
    expected = score.detail["worst"][0]["expected"]
    assert 80 < expected < 120  # a tenth of 1,000 men, were the two unrelated
    assert BORN in score.advice


def test_other_real_people_and_the_training_rows_themselves_join_nothing_new() -> None:
    for made in (patients(1500, 2), patients(2000, 1)):
        score = measured(made, patients(500, 3))
        assert score.value == 0
        assert score.passed
        assert score.advice == ""
        assert worst(score) == {}


def test_columns_shuffled_alone_join_what_no_row_joins() -> None:
    """Closed form: of independent columns a tenth are pregnant, and of these half are men, a quarter childless."""
    random, table = np.random.default_rng(4), patients(20_000, 5)
    lonely = pa.table({name: table[name].take(random.permutation(20_000)) for name in table.column_names})
    score = measured(lonely, patients(500, 3))
    childless = float(np.mean(table["children"].to_numpy() == 0))
    wanted = float(np.mean(table["pregnant"].to_numpy(zero_copy_only=False))) * (1 - 0.5 * (1 - childless))
    assert score.low is not None
    assert score.high is not None
    assert score.low < wanted < score.high
    assert set(worst(score)) == {BORN, "pregnant = true with children = 0"}


def test_what_the_holdout_holds_is_the_reference_and_is_not_named() -> None:
    score = measured(patients(1500, 2, men=40), patients(500, 3, men=15))
    assert score.reference == 15 / 500
    assert score.passed
    assert worst(score) == {}


def test_a_few_in_a_thousand_are_allowed() -> None:
    few, more = (measured(patients(20_000, 2, men=men), patients(5000, 3)) for men in (90, 110))
    assert few.passed
    assert more.passed is False
    assert Limits().unseen_pair == 0.005
    assert "of one pair up to 0.5%" in more.allowed
    assert BORN in more.advice


def test_a_scatter_of_rare_pairs_may_come_to_one_row_in_a_hundred() -> None:
    """Twenty villages a side, of which none is ever joined to its twin: each pair is rare, and all pairs are many."""
    schema = Schema(tuple(Column(name, "category", "string") for name in ("home", "work")))

    def people(rows: int, seed: int, share: float) -> pa.Table:
        random = np.random.default_rng(seed)
        home = random.integers(0, 20, rows)
        work = (home + random.integers(1, 20, rows)) % 20
        work = np.where(random.random(rows) < share, home, work)
        return pa.table({"home": [f"h{k}" for k in home], "work": [f"w{k}" for k in work]})

    real, holdout = people(4000, 1, 0.0), people(1000, 2, 0.0)
    few, more = (measured(people(20_000, 3, share), holdout, real, schema=schema) for share in (0.008, 0.013))
    assert few.passed
    assert more.passed is False


def test_missing_is_a_level_and_levels_of_nobody_are_none() -> None:
    def married(rows: int, seed: int, *, broken: int = 0, foreign: bool = False) -> pa.Table:
        random = np.random.default_rng(seed)
        wed = random.random(rows) < 0.5
        known = wed.copy()
        known[np.flatnonzero(~wed)[:broken]] = True
        since = np.where(known, "spring", None)
        return pa.table({"wed": np.where(wed, "yes", "no"), "since": ["Mars"] * rows if foreign else pa.array(since)})

    schema = Schema((Column("wed", "category", "string"), Column("since", "category", "string", missing=True)))
    real = married(1000, 1).set_column(1, "since", _beside(married(1000, 1)["since"]))
    score = measured(married(1000, 2, broken=30), None, real, schema=schema)
    assert worst(score) == {"wed = no with since = spring": 30}
    assert measured(married(1000, 2, foreign=True), None, real, schema=schema).value == 0


def _beside(since: pa.ChunkedArray) -> pa.Array:
    """Half of those with a season have another, so that the column holds two."""
    texts = since.to_pylist()
    return pa.array([text if text is None or i % 2 else "autumn" for i, text in enumerate(texts)])


def test_levels_of_few_people_are_counted_and_not_named() -> None:
    def visits(rows: int, seed: int, *, joined: int = 0) -> pa.Table:
        table = patients(rows, seed, men=joined)
        who = np.arange(rows)
        who[np.flatnonzero(np.array(table["pregnant"]))] %= 4  # all pregnancies are of four people
        return table.append_column("who", pa.array([f"p{w}" for w in who]))

    schema = Schema((*SCHEMA.columns, Column("who", "identifier", "string")), person="who")
    score = measured(visits(1500, 2, joined=40), None, visits(2000, 1), schema=schema)
    assert score.value == 40 / 1500
    assert worst(score) == {}


def test_many_pairs_are_drawn_and_wide_columns_left_out() -> None:
    random = np.random.default_rng(0)
    wide = pa.table(
        {f"c{i}": random.choice(["x", "y"], 300) for i in range(60)} | {"big": [f"l{i}" for i in range(300)]}
    )
    schema = Schema(tuple(Column(name, "category", "string") for name in wide.column_names))
    assert measured(wide, None, wide, schema=schema).detail["pairs"] == 1000
    two = Schema(schema.columns[-2:])
    none = measured(wide.select(two.names), None, wide.select(two.names), schema=two)
    assert none.value is None
    assert "fewer than two columns of 2 to 50 levels" in none.why


def test_the_tables_stay_as_they_are_and_the_same_comes_out() -> None:
    first, second = (measured(patients(1500, 2, men=40), patients(500, 3)) for _ in range(2))
    assert first == second
