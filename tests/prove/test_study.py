import numpy as np
import pyarrow as pa
import pytest
from prove.laws import law, plan

from tuckpoint.errors import InputError
from tuckpoint.prove.plan import Folds, Plan, Source
from tuckpoint.prove.study import ELSEWHERE, EVERYWHERE, study
from tuckpoint.schema import Column, Domain, Schema


def test_the_rarer_outcome_is_the_one_that_is_sought():
    table = law().set_column(3, "y", pa.array(["common"] * 150 + ["rare"] * 50))
    work = study(plan(), table)
    assert work.outcome.labels == ("common", "rare")
    assert work.truth.sum() == 50
    assert study(plan(positive="common"), table).truth.sum() == 150


def test_rows_without_an_outcome_are_left_out():
    answers = law()["y"].to_pylist()
    table = law().set_column(3, "y", pa.array([None, *answers[1:]]))
    work = study(plan(), table)
    assert work.dropped == 1
    assert len(work.truth) == work.table.num_rows == 199


def test_slices_and_the_rest_part_the_rows():
    work = study(plan(slices=("x > 0", 'place == "a"')), law())
    assert list(work.claims) == ["x > 0", 'place == "a"', ELSEWHERE]
    assert (work.sought ^ work.claims[ELSEWHERE]).all()
    assert list(study(plan(), law()).claims) == [EVERYWHERE]


def test_nobody_who_is_tested_is_trained_on():
    work = study(plan(), law(people=50), group="who")
    assert not set(work.groups[work.lock.test]) & set(work.groups[work.lock.pool])
    assert "who" not in work.inputs.names


def test_bounds_that_were_read_off_all_rows_are_forgotten():
    columns = (
        Column("x", "decimal", "double", domain=Domain("data", -9, 9)),
        Column("z", "decimal", "double", domain=Domain("expert", -9, 9)),
        Column("y", "category", "string", domain=Domain("data", levels=("no", "yes"))),
    )
    table = law().select(["x", "z", "y"])
    found = study(plan(), table, schema=Schema(columns, target="y")).schema
    assert found["x"].domain is None
    assert found["z"].domain is not None


def test_several_classes_are_for_log_loss():
    several = Plan("place", (Source("made", "independent"),), metric="log_loss", folds=Folds(repeats=4))
    assert study(several, law()).outcome.classes == 3
    with pytest.raises(InputError, match="2 classes"):
        study(Plan("place", several.sources), law())


def test_the_time_column_must_hold_moments():
    table = law().append_column("day", pa.array(np.arange(200)))
    work = study(plan(), table, time="day")
    assert work.lock.test.min() > work.lock.pool.max()
    with pytest.raises(InputError, match="no dates or numbers"):
        study(plan(), table, time="place")
