from __future__ import annotations

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from measure.tables import SCHEMA, TOWNS, people

from tuckpoint.errors import InputError
from tuckpoint.measure.canaries import Planted, bound, plant, plenty, surprise
from tuckpoint.measure.onerun import GRID, LEVEL
from tuckpoint.schema import Column, Domain, Schema
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.infer import check, infer
from tuckpoint.table.rules import RuleBook, mine, user_rule

REAL = people(800, 1)
KEYED = REAL.append_column("id", pa.array(np.arange(1, 801)))
BOUNDS = {"age": (0, 120), "hours": (0, 168), "since": (0, 20_000), "pay": (0, 1_000_000)}


def public() -> Schema:
    """The schema with domains that nobody read off the rows."""
    schema = SCHEMA
    for name, (low, high) in BOUNDS.items():
        schema = schema.with_column(replace(schema[name], domain=Domain("public", low, high)))
    for name, levels in (("town", TOWNS), ("member", ("false", "true")), ("rich", ("no", "yes"))):
        schema = schema.with_column(replace(schema[name], domain=Domain("public", levels=levels)))
    return schema


PUBLIC = public()


def planted(count: int = 64, seed: int = 0) -> Planted:
    return plant(REAL, PUBLIC, count, Seed(seed))


def test_heads_are_planted_behind_the_real_rows() -> None:
    found = planted()
    assert found.canaries.num_rows == len(found.coins) == 64
    assert found.table.slice(0, 800).equals(REAL.select(PUBLIC.names))
    assert found.table.slice(800).equals(found.canaries.filter(pa.array(found.coins)))
    assert found.table.schema.equals(REAL.select(PUBLIC.names).schema)
    check(found.table, PUBLIC)


def test_coins_are_fair_and_follow_the_seed() -> None:
    heads = [int(planted(64, seed).coins.sum()) for seed in range(40)]
    # 2,560 fair coins: 1,280 heads, and 153 more or fewer with chance 1e-9.
    assert abs(sum(heads) - 1280) < 153
    assert len(set(heads)) > 3
    assert planted().canaries.equals(planted().canaries)
    assert (planted().coins == planted().coins).all()
    assert not planted().canaries.equals(planted(seed=1).canaries)


def test_with_public_domains_canaries_do_not_depend_on_any_real_row() -> None:
    others = plant(people(300, 9), PUBLIC, 64, Seed(0))
    names = [name for name in PUBLIC.names if PUBLIC[name].modelled]
    assert others.canaries.select(names).equals(planted().canaries.select(names))
    assert (others.coins == planted().coins).all()


def test_canaries_are_spread_evenly_over_the_domain() -> None:
    found = plant(REAL, PUBLIC, 1000, Seed(0)).canaries
    pay = np.asarray(found["pay"])
    assert pay.min() < 20_000
    assert pay.max() > 980_000
    assert abs(pay.mean() - 500_000) < 6 * 288_675 / math.sqrt(1000)
    assert len(found["town"].unique()) == len(TOWNS)
    assert found["hours"].null_count == 0


def test_what_few_people_share_is_no_domain() -> None:
    lonely = REAL.set_column(3, "town", pa.array(["Nowhere", *REAL["town"].to_pylist()[1:]]))
    lonely = lonely.set_column(0, "age", pa.array([119, *REAL["age"].to_pylist()[1:]]))
    schema = infer(lonely, target="rich")
    assert "Nowhere" in (schema["town"].domain.levels or ())  # type: ignore[union-attr]
    found = plant(lonely, schema, 1000, Seed(0)).canaries
    assert not pc.is_in(found["town"], pa.array(["Nowhere", "(rare)"])).to_numpy().any()
    assert np.asarray(found["age"]).max() <= np.sort(np.asarray(lonely["age"]))[-5]


def test_keys_and_people_are_new() -> None:
    schema = infer(KEYED, person="id", primary_key="id", target="rich")
    found = plant(KEYED, schema, 64, Seed(0))
    assert not set(found.canaries["id"].to_pylist()) & set(range(1, 801))
    assert len(set(found.canaries["id"].to_pylist())) == 64
    later = KEYED.set_column(KEYED.column_names.index("id"), "id", pa.array(np.arange(801, 1601)))
    held = set(plant(later, replace(schema, columns=schema.columns), 64, Seed(0)).canaries["id"].to_pylist())
    assert not held & set(range(801, 1601))


def test_text_columns_get_text() -> None:
    texts = pa.table({name: REAL[name].cast(pa.string()) for name in REAL.column_names})
    found = plant(texts, PUBLIC, 64, Seed(0))
    assert set(found.table.schema.types) == {pa.string()}
    check(found.table, PUBLIC)


def test_canaries_obey_the_rules_of_the_table() -> None:
    months = REAL.append_column("months", pa.array(np.asarray(REAL["age"]) * 12))
    schema = infer(months, target="rich")
    read = encode(months, schema)
    book = RuleBook(tuple(mine(read)), read.fields)
    assert any({"age", "months"} <= set(rule.columns) for rule in book.rules)
    found = plant(months, schema, 64, Seed(0), book=book)
    assert (np.asarray(found.canaries["months"]) == 12 * np.asarray(found.canaries["age"])).all()
    alone = plant(months, schema, 64, Seed(0))
    assert not (np.asarray(alone.canaries["months"]) == 12 * np.asarray(alone.canaries["age"])).all()


def test_a_maker_that_copies_its_rows_is_found_out() -> None:
    found = planted(400)
    nearest, values = bound(found.table, found, seed=Seed(0))
    for finding, least_auc, least_epsilon in ((nearest, 0.999, 3.0), (values, 0.7, 0.5)):
        assert finding.criterion == "worst case"
        assert finding.p is not None
        assert finding.p < 1e-10
        assert (finding.epsilon or 0) > least_epsilon
        assert finding.score.passed is False
        assert (finding.score.value or 0) > least_auc


def test_the_bound_is_that_of_all_guesses_right() -> None:
    found = planted(400)
    nearest, _ = bound(found.table, found, seed=Seed(0))
    tests = 2 * len([k for k in GRID if k <= 200])
    alpha = LEVEL / tests
    # 100 right guesses of 100: epsilon = logit(alpha^(1/100)), less than what 200 right of 200 would prove.
    share = alpha ** (1 / 100)
    assert (nearest.epsilon or 0) > math.log(share / (1 - share)) - 0.01


def test_a_maker_that_never_saw_them_gives_nobody_away() -> None:
    for finding in bound(people(2000, 7), planted(400), seed=Seed(0), without=people(2000, 8)):
        assert finding.epsilon == 0.0
        assert finding.p is not None
        assert finding.p > 0.01
        assert finding.score.passed is True


def test_what_any_maker_would_draw_is_taken_off() -> None:
    # Planted canaries add little to their columns: only beside a model without them is it seen.
    found = planted(400)
    whole = found.table

    def columns_alone(table: pa.Table, seed: int) -> pa.Table:
        random = np.random.default_rng(seed)
        return pa.table({n: table[n].take(random.integers(0, table.num_rows, 4000)) for n in table.column_names})

    made, without = columns_alone(whole, 1), columns_alone(REAL, 2)
    aucs = [
        {finding.attack: finding.score.value or 0 for finding in bound(made, found, seed=Seed(0), without=beside)}
        for beside in (None, without)
    ]
    assert aucs[1]["canaries_values"] > aucs[0]["canaries_values"] + 0.05


def test_p_values_and_bounds_hold_for_a_maker_of_known_loss() -> None:
    # Randomised response: each coin is shown truly with probability e^eps / (1 + e^eps).
    random = np.random.default_rng(3)
    epsilon, trials, m = 1.0, 300, 200
    p, small = [], []
    for trial in range(trials):
        coins = random.random(m) < 0.5
        shown = np.where(random.random(m) < 1 / (1 + math.exp(-epsilon)), coins, ~coins).astype(float)
        p.append(surprise(shown, coins, seed=Seed(trial), allowed=epsilon, delta=0.0))
        small.append(surprise(shown, coins, seed=Seed(trial), allowed=0.0, delta=0.0))
    for level in (0.05, 0.2):
        assert np.mean(np.array(p) <= level) <= level + 6 * math.sqrt(level * (1 - level) / trials)
    assert np.mean(np.array(small) < 0.001) > 0.9  # and some loss there is


def test_coins_that_all_fell_alike_prove_nothing_and_say_so() -> None:
    found = replace(planted(), coins=np.zeros(64, bool))
    for finding in bound(REAL, found, seed=Seed(0)):
        assert finding.score.value is None
        assert "0 of 64 canaries were planted" in finding.score.why
        assert finding.p is None


@pytest.mark.parametrize("count", [31, 1001])
def test_too_few_or_too_many_are_refused(count: int) -> None:
    with pytest.raises(InputError, match="plant 32 to 1000"):
        planted(count)


def test_where_nobody_stands_out_none_are_planted() -> None:
    coarse = REAL.select(["grade", "member", "rich"])
    with pytest.raises(InputError, match="the domain tells only 12 rows apart, and 32 canaries need 32,000"):
        plant(coarse, infer(coarse), 32, Seed(0))


def test_rules_that_hardly_any_row_obeys_are_told() -> None:
    column = Column("x", "integer", "int64", domain=Domain("public", 0, 10**9))
    schema = Schema((column, replace(column, name="y"), replace(column, name="z")))
    table = pa.table({name: pa.array([1, 2, 3]) for name in "xyz"})
    fields = encode(table, schema).fields
    book = RuleBook((user_rule("abs(x - y) < 2", fields, schema),), fields)
    with pytest.raises(InputError, match="canaries could be drawn that obey the rules"):
        plant(table, schema, 32, Seed(0), book=book)


def test_plenty_is_one_in_twenty() -> None:
    assert [plenty(rows) for rows in (10, 2000, 10**6)] == [32, 100, 1000]


def test_memory_does_not_grow_with_levels_that_no_canary_holds() -> None:
    levels = tuple(f"L{i}" for i in range(4000))
    schema = Schema(tuple(Column(n, "category", "string", domain=Domain("public", levels=levels)) for n in "ab"))
    random = np.random.default_rng(0)
    table = pa.table({n: [levels[i] for i in random.integers(0, 4000, 4000)] for n in "ab"})
    found = plant(table, schema, 32, Seed(0))
    tracemalloc.start()
    bound(table, found, seed=Seed(0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6  # one row of 4,000 numbers for each of 4,000 made rows is over three times that
