"""What every attack of an audit promises, whoever wrote it; found by name in the parts table."""

import math
from copy import deepcopy
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest

from tuckpoint import parts
from tuckpoint.measure.finding import Criterion
from tuckpoint.measure.sides import stand
from tuckpoint.schema import Column, Schema
from tuckpoint.seed import Seed

ATTACKS = parts.names("attack")
SCHEMA = Schema(
    (
        Column("age", "integer", "int64"),
        Column("income", "decimal", "double", decimals=2, missing=True),
        Column("job", "category", "string", missing=True, sensitive=True),
        Column("sex", "category", "string"),
        Column("same", "category", "string"),
    ),
    target="job",
)


def people(rows, seed):
    """People of one population: age and job tell something of income, one column tells nothing."""
    random = np.random.default_rng(seed)
    job = random.integers(0, 6, rows)
    age = np.clip(random.normal(40 + 2 * job, 12), 17, 90).astype(int)
    income = np.round(np.exp(random.normal(9.5 + 0.2 * job + 0.01 * age, 0.6)), 2)
    income[random.random(rows) < 0.05] = np.nan
    return pa.table(
        {
            "age": age,
            "income": pa.array(income, from_pandas=True),
            "job": pa.array([None if j == 5 else "abcde"[j] for j in job], pa.string()),
            "sex": pa.array(["FM"[i] for i in random.integers(0, 2, rows)]),
            "same": pa.array(["x"] * rows),
        }
    )


def placed(train, made, holdout, seed=0):
    return stand(train, made, holdout, SCHEMA, person=None, seed=Seed(seed), most_people=2000, most_made=20_000).sides


def run(name, sides, seed=1):
    return parts.find("attack", name)(sides, Seed(seed).child(name))


@pytest.fixture(scope="module")
def innocent():
    return placed(people(700, 1), people(700, 2), people(700, 3))


@pytest.fixture(scope="module")
def leaky():
    train = people(700, 1)
    return placed(train, train, people(700, 3))


@pytest.mark.parametrize("name", ATTACKS)
def test_same_seed_same_findings(name, innocent):
    assert run(name, innocent) == run(name, innocent)


@pytest.mark.parametrize("name", ATTACKS)
def test_findings_can_be_read(name, innocent):
    found = run(name, innocent)
    assert found
    for finding in found:
        assert finding.criterion in get_args(Criterion)
        assert finding.adjusted is None  # the audit alone corrects for all findings
        assert finding.p is None or 0 < finding.p <= 1
        assert finding.epsilon is None or (finding.epsilon >= 0 and math.isfinite(finding.epsilon))
        if finding.score.value is not None:
            assert finding.score.reference_is
    assert len({finding.key for finding in found}) == len(found)


@pytest.mark.parametrize("name", ATTACKS)
def test_other_real_people_are_no_leak(name, innocent):
    assert all(finding.p is None or finding.p > 1e-3 for finding in run(name, innocent))


@pytest.mark.parametrize("name", ATTACKS)
def test_a_table_given_away_whole_is_found(name, leaky):
    assert min(finding.p for finding in run(name, leaky) if finding.p is not None) < 1e-6


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_handed_in_stays_as_it_is(name, innocent):
    before = {side: deepcopy(dict(getattr(innocent, side).columns)) for side in ("members", "outsiders", "made")}
    run(name, innocent)
    for side, columns in before.items():
        for column, values in columns.items():
            assert np.array_equal(getattr(innocent, side).columns[column], values, equal_nan=values.dtype.kind == "f")


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("rows", [2, 12])
def test_few_people_are_no_error_and_no_proof(name, rows):
    sides = placed(people(rows, 1), people(rows, 2), people(rows, 3))
    for finding in run(name, sides):
        assert finding.score.value is not None or finding.score.why
        assert finding.p is None or finding.p > 1e-4
