import numpy as np
import pytest
from gap.laws import column, in_parts, law, without

from tuckpoint.gap.cells import fewer, passed
from tuckpoint.gap.reference import against
from tuckpoint.gap.spans import density
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.expression import parse
from tuckpoint.table.infer import infer

FEATURES = ["age", "pay", "place", "sex"]


def test_a_planted_pair_is_the_first_gap_and_the_only_one():
    train, reference = law(3000, 1).select(FEATURES), law(2000, 2).select(FEATURES)
    cut = without(train, (column(train, "place") == "b") & (column(train, "sex") == "f"))
    found = against(in_parts(cut, reference)).found
    assert len(found) == 1
    gap = found[0]
    assert set(gap.where.split(" and ")) == {'place == "b"', 'sex == "f"'}
    assert gap.low < 0.05 < gap.high < 0.12
    assert gap.beyond < 0.15
    there = int(((column(train, "place") == "b") & (column(train, "sex") == "f")).sum())
    assert gap.lacking == pytest.approx(there - gap.rows, rel=0.2)


def test_a_lacking_parent_is_told_in_place_of_its_pairs():
    train, reference = law(3000, 1).select(FEATURES), law(2000, 2).select(FEATURES)
    cut = without(train, column(train, "place") == "c", share=0.3)
    found = against(in_parts(cut, reference)).found
    assert [gap.where for gap in found] == ['place == "c"']


def test_missing_values_and_ranges_are_gaps_too():
    train, reference = law(3000, 1).select(FEATURES), law(2000, 2).select(FEATURES)
    gone = train["pay"].is_null().to_numpy()
    assert against(in_parts(without(train, gone), reference)).found[0].where == "missing(pay)"
    old = against(in_parts(without(train, column(train, "age") >= 81), reference)).found
    assert old[0].where.startswith("age >= ")


def test_a_level_that_training_rows_never_hold_is_found_beside_a_small_reference():
    train, reference = law(6000, 1).select(FEATURES), law(300, 2).select(FEATURES)
    found = against(in_parts(without(train, column(train, "place") == "c", share=0.0), reference)).found
    assert found[0].where == 'place == "c"'
    assert found[0].rows == 0
    assert found[0].low == 0


def test_conditions_are_read_back_as_the_same_rows():
    train, reference = law(3000, 1).select(FEATURES), law(2000, 2).select(FEATURES)
    cut = without(train, (column(train, "age") < 27) & (column(train, "place") == "a"))
    gap = against(in_parts(cut, reference)).found[0]
    schema = infer(cut)
    data = encode(cut, schema)
    assert int(parse(gap.where, data.fields, schema).mask(data.columns).sum()) == gap.rows


def test_neighbouring_ranges_are_told_as_one_gap():
    train, reference = law(4000, 1).select(FEATURES), law(3000, 2).select(FEATURES)
    old = (column(train, "age") >= 58) & (column(train, "place") == "a")
    found = against(in_parts(without(train, old), reference)).found
    assert len(found) == 1
    assert set(found[0].columns) == {"age", "place"}
    assert found[0].expected > 0.8 * old.sum()


def test_with_no_gap_a_false_one_is_rare():
    runs = 120
    false = sum(
        bool(against(in_parts(law(600, 1000 + i).select(FEATURES), law(400, 5000 + i).select(FEATURES))).found)
        for i in range(runs)
    )
    assert clopper_pearson(false, runs)[0] <= 0.05


def test_the_exact_p_is_that_of_the_hypergeometric_law():
    from scipy.stats import hypergeom

    train, reference = np.array([0, 3, 20, 50]), np.array([12, 30, 25, 40])
    exact = [hypergeom.cdf(k, 600, k + r, 400) for k, r in zip(train, reference, strict=True)]
    np.testing.assert_allclose(fewer(train, reference, 400, 200), exact, rtol=1e-8)


def test_intervals_of_density_ratios_cover_the_truth():
    random, covered, runs = Seed(3).numpy(), 0, 1500
    for _ in range(runs):
        low, high = density(random.binomial(3000, 0.004), random.binomial(1000, 0.02), 3000, 1000)
        covered += low <= 0.2 <= high
    assert covered / runs >= 0.945


def test_holm_by_hand():
    assert passed(np.array([0.01, 0.9, 0.02, 0.04]), 0.05).tolist() == [True, False, False, False]
    assert passed(np.array([0.01, 0.9, 0.016, 0.024]), 0.05).tolist() == [True, False, True, True]
    assert not passed(np.array([0.5]), 0.05).any()


def test_one_true_gap_lets_no_false_ones_by():
    told = 0
    for i in range(20):
        train, reference = law(2000, 7000 + i).select(FEATURES), law(2000, 9000 + i).select(FEATURES)
        cut = without(train, column(train, "place") == "b", share=0.1)
        told += len(against(in_parts(cut, reference)).found) - 1
    assert told <= 2
