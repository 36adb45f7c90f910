"""Made rows that keep a fairness target, counted here by hand from the Arrow table."""

from dataclasses import replace
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from fair.laws import PARITY, SHARES, WITHIN, fitted, law

from tuckpoint.errors import InputError
from tuckpoint.fair.make import check, fair_rows
from tuckpoint.fair.spec import Spec
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.rules import user_rule
from tuckpoint.table.sample import sample

REAL = law()
N = 6000


@pytest.fixture(scope="module")
def model():
    return fitted(REAL)


def made(model, asked, rows=N, key=1, **more):
    return fair_rows(model, Spec.from_dict(asked), rows, Seed(key), **more)


def rates(table, names, *, outcome="pay", positive=">50K"):
    """Rows and rate of each combination of levels that occurs."""
    columns = [table[name].to_pylist() for name in names]
    yes = [value == positive for value in table[outcome].to_pylist()]
    out = {}
    for key, hit in zip(zip(*columns, strict=True), yes, strict=True):
        rows, positives = out.get(key, (0, 0))
        out[key] = (rows + 1, positives + hit)
    return {key: (rows, hits / rows) for key, (rows, hits) in out.items()}


def differing(first, second):
    return {name for name in first.column_names if not first[name].equals(second[name])}


def test_representation_is_exact_and_the_rows_are_whole(model):
    done = made(model, SHARES, 601, real=REAL)
    counts = rates(done.table, ["race", "sex"])
    assert sorted(rows for rows, _ in counts.values()) == [100] * 5 + [101]
    assert done.table.schema.names == REAL.schema.names
    assert done.told.changed == 0
    assert done.told.error <= 1 / 601


@pytest.mark.parametrize(
    ("shares", "due"),
    [
        ({"sex": {"man": 0.25, "woman": 0.75}, "race": {"a": 0.5, "b": 0.5}}, {("b", "woman"): 375, ("a", "man"): 125}),
        ({"a / man": 0.1, "c / woman": 0.9}, {("a", "man"): 100, ("c", "woman"): 900}),
    ],
)
def test_shares_by_column_or_by_group(model, shares, due):
    counts = rates(made(model, {**SHARES, "shares": shares}, 1000).table, ["race", "sex"])
    assert {key: counts[key][0] for key in due} == due
    assert sum(rows for rows, _ in counts.values()) == 1000


@pytest.mark.parametrize("engine", ["trees", "independent"])
def test_label_parity_is_exact_and_only_labels_changed(model, engine):
    model = model if engine == "trees" else fitted(REAL, engine="independent")
    done, plain = made(model, PARITY), sample(model, N, Seed(1))
    overall = pc.mean(pc.equal(done.table["pay"], ">50K")).as_py()
    assert max(abs(rate - overall) for _, rate in rates(done.table, ["race", "sex"]).values()) <= 0.005
    assert overall == pc.mean(pc.equal(plain["pay"], ">50K")).as_py()
    assert differing(done.table, plain) == {"pay"}
    changed = pc.sum(pc.not_equal(done.table["pay"], plain["pay"])).as_py()
    assert changed == done.told.changed == sum(cell.up + cell.down for cell in done.told.cells)
    least = sum(abs(cell.before - cell.wanted) * cell.rows for cell in done.told.cells)
    assert changed <= least + len(done.told.cells)


def test_conditional_parity_is_exact_and_leaves_what_the_legitimate_column_explains(model):
    done = made(model, WITHIN, real=REAL)
    for school in ("low", "mid", "high"):
        part = done.table.filter(pc.equal(done.table["school"], school))
        overall = pc.mean(pc.equal(part["pay"], ">50K")).as_py()
        assert max(abs(rate - overall) for _, rate in rates(part, ["sex"]).values()) <= 0.005
    assert done.told.between[1] > 0.02
    assert any("Simpson: equal within school" in warning for warning in done.told.warnings)
    assert done.told.within[1] <= 0.01 < 0.1 < done.told.within[0]


def test_parity_overall_tells_what_is_left_within(model):
    told = made(model, {**PARITY, "given": ["school"], "groups": ["sex"]}).told
    assert told.within[1] > 0.02
    assert any("Simpson: equal over all rows" in warning for warning in told.warnings)


def test_numbers_are_legitimate_in_quarters(model):
    done = made(model, {**WITHIN, "given": ["age"]})
    assert len({cell.stratum for cell in done.told.cells}) == 4
    assert check(done.table, done) == done.told.error <= 0.005


def test_shares_and_parity_together(model):
    done = made(model, {**PARITY, "groups": ["sex"], "shares": {"man": 0.5, "woman": 0.5}}, 2000)
    counts = rates(done.table, ["sex"])
    assert {rows for rows, _ in counts.values()} == {1000}
    assert np.ptp([rate for _, rate in counts.values()]) <= 0.0011


def test_the_model_decides_which_labels_change(model):
    """Skill must stay as telling of the label as it was: labels changed at random would blur it."""
    asked = {**PARITY, "groups": ["sex"]}

    def told_apart(table):
        skill, yes = np.array(table["skill"]), np.array(table["pay"]) == ">50K"
        woman = np.array(table["sex"]) == "woman"
        return skill[woman & yes].mean() - skill[woman & ~yes].mean()

    before, after = told_apart(sample(model, N, Seed(1))), told_apart(made(model, asked).table)
    assert after > 0.8 * before


def test_the_same_seed_gives_the_same_rows(model):
    assert made(model, PARITY).table.equals(made(model, PARITY).table)
    assert not made(model, PARITY, key=2).table.equals(made(model, PARITY).table)


def test_too_few_rows_are_named_with_the_number_that_would_do(model):
    # Which group of the rare level misses the tolerance is up to the draw.
    with pytest.raises(
        InputError, match=r"(?s)no rows were written.*c / (wo)?man: too few rows.*ask for about"
    ) as caught:
        made(model, PARITY, 301)
    enough = int(str(caught.value).partition("ask for about ")[2].split()[0].replace(",", ""))
    assert made(model, PARITY, 2 * enough).told.error <= 0.005


def test_few_real_rows_are_named(model):
    thin = REAL.filter(pc.or_(pc.not_equal(REAL["race"], "c"), pc.equal(REAL["sex"], "man")))
    for asked in (PARITY, SHARES):
        with pytest.raises(InputError, match="c / woman: no donors"):
            made(model, asked, real=thin)
    with pytest.raises(InputError, match="c / woman: few donors: fewer than 5 real rows, least is 10"):
        made(model, PARITY, real=pa.concat_tables([thin, _some(("c", "woman"), 3)]))


def test_no_label_is_invented_where_no_real_row_has_it(model):
    without = REAL.filter(pc.or_(pc.not_equal(REAL["sex"], "woman"), pc.equal(REAL["pay"], "<=50K")))
    with pytest.raises(InputError, match="woman: rate 0: no real row of it is positive"):
        made(model, {**PARITY, "groups": ["sex"]}, real=without)


def test_few_donors_of_a_label_are_warned_of(model):
    rows = np.flatnonzero((np.array(REAL["sex"]) == "woman") & (np.array(REAL["pay"]) == ">50K"))
    few = REAL.take(np.setdiff1d(np.arange(REAL.num_rows), rows[6:]))
    told = made(model, {**PARITY, "groups": ["sex"]}, real=few).told
    assert any("collapse: woman: labels became positive where 6 real rows are" in text for text in told.warnings)


def test_an_outcome_with_one_value_is_refused():
    model = fitted(REAL.filter(pc.equal(REAL["pay"], ">50K")))
    with pytest.raises(InputError, match="rate 1"):
        made(model, PARITY)


def test_an_outcome_with_three_values_is_refused(model):
    with pytest.raises(InputError, match="3 values"):
        made(model, {**PARITY, "groups": ["sex"], "outcome": "race", "positive": "a"})


def test_an_outcome_written_twice_changes_in_both_columns():
    real = law(more=lambda paid, rng: {"code": np.where(paid, 7, 3)})
    done = made(fitted(real, mine_rules=True), {**PARITY, "groups": ["sex"]}, real=real)
    assert done.told.changed > 0
    assert pc.all(pc.equal(pc.equal(done.table["code"], 7), pc.equal(done.table["pay"], ">50K"))).as_py()


def test_what_a_rule_fixes_given_the_outcome_follows_it():
    real = law(more=lambda paid, rng: {"bonus": np.where(paid, rng.integers(0, 9, len(paid)), 0)})
    model = fitted(real, rules=('implies(pay == "<=50K", bonus == 0)',))
    done = made(model, {**PARITY, "groups": ["sex"]}, real=real)
    assert done.told.follows == ("bonus",)
    assert sum(cell.down for cell in done.told.cells) > 0
    assert [share for _, share in model.book.adherence(encode(done.table, model.schema).columns)] == [1.0]
    assert differing(done.table, sample(model, N, Seed(1))) == {"pay", "bonus"}


def test_labels_that_a_rule_holds_stay_and_too_many_of_them_stop_it():
    real = law()
    kept = fitted(real, rules=('implies(pay == ">50K", skill > -5)',))
    assert made(kept, {**PARITY, "groups": ["sex"]}).told.changed > 0
    held = real.filter(pc.or_(pc.equal(real["pay"], "<=50K"), pc.greater(real["skill"], 0.8)))
    tight = fitted(held, rules=('implies(skill <= 0.8, pay == "<=50K")',))
    done = made(tight, {**PARITY, "groups": ["sex"]})
    yes = pc.filter(done.table["skill"], pc.equal(done.table["pay"], ">50K"))
    assert pc.min(yes).as_py() > 0.8
    with pytest.raises(InputError, match=r"labels would have to change, and .* must not.*implies"):
        made(held_back(fitted(real), 'implies(sex == "woman", pay == "<=50K")'), {**PARITY, "groups": ["sex"]})


def test_an_outcome_that_others_fix_is_refused():
    table = law()
    level = np.round(np.random.default_rng(0).random(table.num_rows), 1)
    table = table.set_column(5, "pay", pa.array(np.where(level > 0.5, ">50K", "<=50K"))).append_column(
        "level", pa.array([f"l{v}" for v in level])
    )
    model = fitted(table, mine_rules=True)
    with pytest.raises(InputError, match='follows from "level" by a rule'):
        made(model, {**PARITY, "groups": ["sex"]})


def test_missing_labels_and_groups_are_counted_apart():
    gone = np.random.default_rng(1).random(3000) < 0.1
    real = law()
    pay = pa.array(real["pay"].to_pylist(), mask=gone)
    sex = pa.array(real["sex"].to_pylist(), mask=np.roll(gone, 7))
    real = real.set_column(5, "pay", pay).set_column(0, "sex", sex)
    done = made(fitted(real), {**PARITY, "groups": ["sex"]})
    assert done.told.unknown == done.table["pay"].null_count > 0
    known = done.table.filter(pc.is_valid(done.table["pay"]))
    assert np.ptp([rate for _, rate in rates(known, ["sex"]).values()]) <= 0.005
    assert {cell.group for cell in done.told.cells} == {"man", "woman", "(not known)"}
    shared = made(fitted(real), {**SHARES, "groups": ["sex"]}, 400)
    assert shared.table["sex"].null_count == 0


def test_rows_that_were_touched_afterwards_are_found(model):
    done = made(model, PARITY)
    with pytest.raises(InputError, match="miss the target"):
        check(done.table.set_column(5, "pay", pa.array([">50K"] * 3000 + ["<=50K"] * 3000)), done)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"shares": {"race": {"a": 0.5}, "sex": {"man": 1}}}, "add up to 0.5"),
        ({"shares": {"race": {"a": 1}}}, 'say nothing of "sex"'),
        ({"shares": {"a / men": 1}}, 'did you mean "a / man"'),
        ({"shares": {"a / man": -1}}, "a share from 0"),
        ({"outcome": "pey", "positive": 1}, 'did you mean "pay"'),
    ],
)
def test_wrong_shares_and_columns_are_named(model, entries, told):
    with pytest.raises(InputError, match=told):
        made(model, {**SHARES, **entries}, 600)


def test_the_number_of_rows_is_checked(model):
    for rows in (0, 3_000_000):
        with pytest.raises(InputError, match="quotas are counted out"):
            made(model, SHARES, rows)
    with pytest.raises(InputError, match="whole rows miss a share"):
        made(model, SHARES, 10)


def test_the_record_tells_nothing_of_real_rows(model):
    told = made(model, PARITY, real=REAL).told
    assert "donors" not in str(told.short())
    assert told.to_dict()["cells"][0]["donors"] > 0


def _some(group, rows):
    race, sex = (np.array(REAL[name]) for name in ("race", "sex"))
    return REAL.take(np.flatnonzero((race == group[0]) & (sex == group[1]))[:rows])


def held_back(model, text):
    """The model with a rule that came after the fit."""
    rule = user_rule(text, model.book.fields, model.schema)
    return replace(model, book=model.book.with_rules([rule]))


def test_every_group_is_told(model):
    told = made(model, PARITY).told
    assert {cell.group for cell in told.cells} == {" / ".join(pair) for pair in product("abc", ("man", "woman"))}
