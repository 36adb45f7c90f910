"""Made rows from a model: conditions, shares, partly filled rows, shards and later rules, all from Arrow tables."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy import stats
from table.groups import GROUPS, REAL, fitted, numbers

from tuckpoint.errors import InputError, ShortSample
from tuckpoint.seed import Seed
from tuckpoint.table import fit as fitting
from tuckpoint.table.engine import Context
from tuckpoint.table.engines.independent import Independent
from tuckpoint.table.engines.trees import Trees
from tuckpoint.table.infer import infer
from tuckpoint.table.rules import user_rule
from tuckpoint.table.sample import sample, thrown


@pytest.fixture
def model():
    return fitted()


# Conditions ---------------------------------------------------------------------------------------------------------

CONDITIONS = {
    'group == "high"': lambda t: pc.equal(t["group"], "high"),
    'group in ["low", "high"] and size > 15': lambda t: pc.and_(
        pc.is_in(t["group"], pa.array(["low", "high"])), pc.greater(t["size"], 15)
    ),
    "13.5 <= size < 20.25": lambda t: pc.and_(pc.greater_equal(t["size"], 13.5), pc.less(t["size"], 20.25)),
    "missing(note)": lambda t: pc.is_null(t["note"]),
    'not missing(note) and group == "mid"': lambda t: pc.and_(pc.is_valid(t["note"]), pc.equal(t["group"], "mid")),
    'day >= "2020-06-01"': lambda t: pc.greater_equal(t["day"], pa.scalar(dt.date(2020, 6, 1))),
    'land == "land1"': lambda t: pc.equal(t["land"], "land1"),
    "total > 4500": lambda t: pc.greater(t["total"], 4500),
    'total > 4500 and city == "city2"': lambda t: pc.and_(pc.greater(t["total"], 4500), pc.equal(t["city"], "city2")),
    'group == "high" or size < 9': lambda t: pc.or_(pc.equal(t["group"], "high"), pc.less(t["size"], 9)),
    'land == "land0" or total < 2000': lambda t: pc.or_(pc.equal(t["land"], "land0"), pc.less(t["total"], 2000)),
    "extra * 4 > base": lambda t: pc.greater(pc.multiply(t["extra"], 4), t["base"]),
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_conditions_hold_exactly_and_rows_follow_the_conditional_law(model, text):
    made = sample(model, 1500, Seed(2), where=text)
    holds = CONDITIONS[text]
    assert made.num_rows == 1500
    assert pc.all(pc.fill_null(holds(made), False)).as_py()
    assert pc.all(pc.equal(made["total"], pc.add(made["base"], made["extra"]))).as_py()
    real = REAL.filter(pc.fill_null(holds(REAL), False))
    for name in ("size", "base", "total", "note"):
        if len(numbers(real, name)) > 100:
            # Samples of 1,500 and of the real rows differ by less than this 999 times in 1,000; twice that is let pass
            # for what the model smooths.
            noise = 1.95 * np.sqrt(1 / len(numbers(made, name)) + 1 / len(numbers(real, name)))
            assert stats.ks_2samp(numbers(made, name), numbers(real, name)).statistic < 2 * noise, name
    for level in GROUPS:
        told = [np.mean(np.array(some["group"].to_pylist()) == level) for some in (made, real)]
        assert told[0] == pytest.approx(told[1], abs=4 * np.sqrt(0.25 / real.num_rows + 0.25 / 1500))
    assert made["note"].null_count / 1500 == pytest.approx(real["note"].null_count / real.num_rows, abs=0.08)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("siz > 3", "siz"),
        ('group == "hgih"', "high"),
        ('id == "P-000001"', "made anew"),
        ("size >", "condition"),
        ("", "empty"),
        ("size + 1", "size"),
        ('__import__("os")', "__import__"),
    ],
)
def test_wrong_conditions_say_why_before_any_work(model, text, why):
    never = replace(model, engine=None)
    with pytest.raises(InputError, match=why):
        sample(never, 5, Seed(1), where=text)


def test_an_engine_that_cannot_says_so_before_any_work():
    model = fitting.fit(REAL, infer(REAL), engine=Independent(), seed=Seed(1), mine_rules=False, context=Context())
    with pytest.raises(InputError, match="independent"):
        sample(model, 5, Seed(1), where='group == "high" or size < 9')
    assert set(sample(model, 50, Seed(1), where='group == "high"')["group"].to_pylist()) == {"high"}


def test_too_narrow_a_condition_is_short_and_carries_what_was_made(model):
    with pytest.raises(ShortSample, match="people") as short:
        sample(model, 20, Seed(1), where='group == "low" and size > 25')
    assert short.value.rows.schema.equals(REAL.schema)
    assert short.value.rows.num_rows == 0


def test_rules_that_leave_too_few_rows_are_short_and_carry_them(model):
    hard = user_rule("size > 30", model.book.fields, model.schema)
    strict = replace(model, book=model.book.with_rules([hard]))
    with pytest.raises(ShortSample, match="size > 30") as short:
        sample(strict, 2000, Seed(1))
    rows = short.value.rows
    assert 0 < rows.num_rows < 2000
    assert (rows["size"].to_numpy() > 30).all()
    assert len(set(rows["id"].to_pylist())) == rows.num_rows


def test_a_rule_that_throws_rows_away_is_told(model):
    def under(*texts):
        rules = [user_rule(text, model.book.fields, model.schema) for text in texts]
        return replace(model, book=model.book.with_rules(rules))

    assert thrown(model, Seed(1)) == thrown(under("size < 40"), Seed(1)) == {}
    told = thrown(under("size < 40", "extra * 40 == base", 'group != "mid"'), Seed(1))
    assert set(told) == {"extra * 40 == base", 'group != "mid"'}
    assert told["extra * 40 == base"] > 0.9
    assert told['group != "mid"'] == pytest.approx(0.3, abs=0.05)
    assert thrown(under('group == "high"'), Seed(1), where='group == "high"') == {}


def test_a_rule_of_the_fit_that_throws_rows_away_is_told():
    rule = 'group != "mid" or size > 17'  # a fifth of all rows break it
    model = fitting.fit(
        REAL, infer(REAL), engine=Independent(), seed=Seed(1), rules=[rule], mine_rules=False, context=Context()
    )
    told = thrown(model, Seed(1))
    assert set(told) == {rule}
    assert 0.1 < told[rule] < 0.3


def test_rules_added_after_the_fit_are_obeyed(model):
    more = [user_rule(text, model.book.fields, model.schema) for text in ("size < 25", 'group != "low" or base > 2000')]
    made = sample(replace(model, book=model.book.with_rules(more)), 800, Seed(1))
    assert (made["size"].to_numpy() < 25).all()
    low = np.array(made["group"].to_pylist()) == "low"
    assert (made["base"].to_numpy()[low] > 2000).all()


# Numbers of rows, keys, seeds ---------------------------------------------------------------------------------------


def test_rows_seeds_and_keys(model):
    assert sample(model, 0, Seed(1)).schema.equals(REAL.schema)
    assert sample(model, 0, Seed(1), where='group == "high"').num_rows == 0
    assert sample(model, 1, Seed(1)).num_rows == 1
    one = sample(model, 300, Seed(1))
    assert one.equals(sample(model, 300, Seed(1)))
    assert not one.equals(sample(model, 300, Seed(2)))
    with pytest.raises(InputError, match="0 or more"):
        sample(model, -1, Seed(1))


def test_shards_have_keys_of_their_own(model):
    pieces = [sample(model, 100, Seed(1).child(at), first_row=100 * at) for at in range(5)]
    keys = pa.concat_tables(pieces)["id"].to_pylist()
    assert len(set(keys)) == 500
    assert not set(keys) & set(REAL["id"].to_pylist())


# Shares -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1000, 997, 7, 1])
def test_shares_are_exact_up_to_rounding(model, rows):
    shares = {"group": {"low": 0.2, "mid": 0.3, "high": 0.5}}
    made = sample(model, rows, Seed(3), rebalance=shares)
    assert made.num_rows == rows
    for level, share in shares["group"].items():
        assert abs(made["group"].to_pylist().count(level) - share * rows) < 1


def test_shares_of_two_columns_and_of_computed_ones(model):
    shares = {"group": {"low": 1, "high": 1}, "land": {"land0": 3, "land1": 1}}
    made = sample(model, 800, Seed(3), rebalance=shares)
    pairs = list(zip(made["group"].to_pylist(), made["land"].to_pylist(), strict=True))
    assert [pairs.count(("low", "land0")), pairs.count(("high", "land1"))] == [300, 100]
    assert pairs.count(("mid", "land0")) == 0


def test_the_rest_given_a_level_stays_as_it_was(model):
    made = sample(model, 3000, Seed(3), rebalance={"group": {"low": 0.1, "mid": 0.1, "high": 0.8}})
    for level in GROUPS:
        some, real = (t.filter(pc.equal(t["group"], level)) for t in (made, REAL))
        noise = 1.95 * np.sqrt(1 / some.num_rows + 1 / real.num_rows)
        for name in ("size", "base"):
            assert stats.ks_2samp(numbers(some, name), numbers(real, name)).statistic < 1.5 * noise
        share = [t["note"].null_count / t.num_rows for t in (some, real)]
        assert share[0] == pytest.approx(share[1], abs=0.1)
    # The parts are mixed: the levels do not stand in blocks.
    place = np.array([GROUPS.index(g) for g in made["group"].to_pylist()])
    assert abs(np.corrcoef(place, np.arange(3000))[0, 1]) < 0.06


def test_what_is_left_of_the_shares_goes_to_all_others(model):
    """A share of 0.3 was made 1, since it was the only one."""
    made = sample(model, 400, Seed(3), rebalance={"group": {"high": 0.3}})["group"].to_pylist()
    assert made.count("high") == 120
    assert 1.5 < made.count("low") / made.count("mid") < 2.6  # 2 to 1 among real rows
    both = sample(model, 100, Seed(3), rebalance={"group": {"high": 0.2}, "land": {"land0": 0.5}})
    pairs = list(zip((group == "high" for group in both["group"].to_pylist()), both["land"].to_pylist(), strict=True))
    assert pairs.count((True, "land0")) == 10
    assert pairs.count((False, "land0")) == 40


def test_numbers_and_days_have_shares_too():
    """The commonest wish of all, as many 1 as 0 of a numeric target, was refused."""
    rng = np.random.default_rng(1)
    day = np.where(rng.random(600) < 0.5, 18_000, 18_000 + rng.integers(1, 40, 600)).astype("datetime64[D]")
    real = pa.table({"sick": (rng.random(600) < 0.1).astype(int), "x": rng.normal(size=600).round(2), "day": day})
    for engine in (Trees(rounds=5), Independent()):
        some = fitting.fit(real, infer(real), engine=engine, seed=Seed(1), context=Context())
        made = sample(some, 101, Seed(2), rebalance={"sick": {"0": 0.5, "1": 0.5}}, where="x < 1")
        assert abs(made["sick"].to_pylist().count(1) - 50.5) < 1
        days = sample(some, 100, Seed(2), rebalance={"day": {"2019-04-14": 0.9}})["day"].to_pylist()
        assert days.count(dt.date(2019, 4, 14)) == 90


def test_shares_under_a_condition(model):
    made = sample(model, 400, Seed(3), rebalance={"group": {"low": 0.5, "mid": 0.5}}, where="14 < size < 16")
    assert made["group"].to_pylist().count("low") == 200
    assert ((made["size"].to_numpy() > 14) & (made["size"].to_numpy() < 16)).all()
    either = sample(model, 60, Seed(3), rebalance={"group": {"low": 0.5, "mid": 0.5}}, where="size < 9 or size > 16")
    assert either["group"].to_pylist().count("low") == 30
    assert ((either["size"].to_numpy() < 9) | (either["size"].to_numpy() > 16)).all()


@pytest.mark.parametrize(
    ("shares", "why"),
    [
        ({"group": {"hgih": 1}}, "high"),
        ({"gruop": {"high": 1}}, "group"),
        ({"size": {"wide": 1}}, "numbers"),
        ({"size": {"nan": 1}}, "numbers"),
        ({"group": {"high": 0}}, "not all 0"),
        ({"group": {"high": -1, "low": 2}}, "0 or more"),
        ({"group": {"high": float("nan")}}, "0 or more"),
        ({"id": {"P-000001": 1}}, "no modelled column"),
        ({"day": {"2020": 1}}, r'"day" .* date and .2020. is none; write day=2024-01-31:0.5, or .*year\(day\) == 2024'),
    ],
)
def test_wrong_shares_say_why(model, shares, why):
    with pytest.raises(InputError, match=why):
        sample(model, 10, Seed(1), rebalance=shares)


def test_a_condition_on_many_columns_copies_nobody():
    """Eight columns of four levels, all named: made combinations are real ones no more often than by chance."""
    rng = np.random.default_rng(5)
    names = [f"c{i}" for i in range(8)]
    real = pa.table({name: [f"l{v}" for v in rng.integers(0, 4, 3000)] for name in names})
    fitted = fitting.fit(real, infer(real), engine=Trees(rounds=5), seed=Seed(1), context=Context())
    every = " and ".join(f'{name} in ["l0", "l1", "l2"]' for name in names)
    made = sample(fitted, 500, Seed(2), where=every)
    known = set(zip(*(real[name].to_pylist() for name in names), strict=True))
    copied = np.mean([row in known for row in zip(*(made[name].to_pylist() for name in names), strict=True)])
    assert made.num_rows == 500
    assert not set(made["c0"].to_pylist()) - {"l0", "l1", "l2"}
    assert copied < 3 * 3000 / 4**8 + 0.05
