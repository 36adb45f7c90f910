import numpy as np
import pyarrow as pa
import pytest
from gap.laws import column, law

from tuckpoint.errors import InputError
from tuckpoint.gap.find import Settings, find
from tuckpoint.gap.model import predicted
from tuckpoint.gap.outcomes import with_outcome
from tuckpoint.measure.prepare import prepare
from tuckpoint.measure.utility import Task
from tuckpoint.seed import Seed
from tuckpoint.table.frame import read
from tuckpoint.table.infer import infer


def relabelled(table, mask, level):
    told = [level if inside else old for inside, old in zip(mask, table["y"].to_pylist(), strict=True)]
    return table.set_column(table.column_names.index("y"), "y", pa.array(told))


def gone(table):
    return (column(table, "place") == "c") & (column(table, "sex") == "f")


def test_an_outcome_that_training_rows_never_hold_is_told_harms_and_can_be_mended():
    train, reference = law(900, 1), law(900, 2)
    train = train.filter(pa.array(~gone(train)))
    reference = relabelled(reference, gone(reference) & (column(reference, "age") > 40), "perhaps")
    found = find(train, target="y", reference=reference, settings=Settings(most=1, ways=2))
    told = [leak for leak in found.leaks if leak.name == "unseen outcomes"]
    assert len(told) == 1
    assert "(perhaps)" in told[0].told
    assert told[0].count == sum(value == "perhaps" for value in reference["y"].to_pylist())
    gap = found.gaps[0]
    assert set(gap.missing.columns) == {"place", "sex"}
    assert gap.harm.state == "harmful"
    assert gap.harm.judged == int(gone(reference).sum())  # those of the new outcome, too
    assert gap.reducible.state == "reducible"


def test_few_rows_of_an_unseen_outcome_are_told_and_make_no_class():
    train, reference = law(600, 1), law(600, 2)
    found = find(train, target="y", reference=relabelled(reference, np.arange(600) < 3, "yes?"))
    assert [leak.count for leak in found.leaks if leak.name == "unseen outcomes"] == [3]
    assert "597 rows" in found.overall["model"]


def test_a_number_has_no_unseen_outcomes():
    found = find(law(400, 1), target="pay", reference=law(400, 2))
    assert not [leak for leak in found.leaks if leak.name == "unseen outcomes"]


def test_rows_without_an_outcome_are_not_counted():
    train, reference = law(1500, 1), law(1000, 2)
    blank = gone(train) & (Seed(3).numpy().random(1500) < 0.9)
    found = find(relabelled(train, blank, None), target="y", reference=reference, settings=Settings(most=1, ways=2))
    assert set(found.gaps[0].missing.columns) == {"place", "sex"}
    assert found.about["rows"] == 1500 - blank.sum()
    assert any(f"{blank.sum():,} training rows without a known y" in note for note in found.notes)
    with pytest.raises(InputError, match='target "y": no training row of arrow has one'):
        with_outcome(read(relabelled(train, np.ones(1500, bool), None)), "y")


def test_without_a_target_all_rows_count():
    train = relabelled(law(300, 1), np.arange(300) < 100, None)
    assert find(train, reference=law(300, 2)).about["rows"] == 300


def test_a_model_of_one_outcome_alone_is_sure_of_it():
    table = law(30, 1)
    rows = prepare(table, table, None, infer(table)).real
    work = Task("y", 3, {})
    assert (predicted(rows, np.full(30, 2.0), rows, work, Seed(1)) == [0, 0, 1]).all()
