import numpy as np

from tuckpoint.gap.finding import Missing
from tuckpoint.gap.who import hints, people_in
from tuckpoint.schema import Column, Schema

SCHEMA = Schema((Column("sex", "category", "string"), Column("x", "decimal", "double")))


def gap(*columns):
    return Missing("...", columns, "sample", 1, 9.0, 0.1, 0.1, 0.0, 0.5, 3.0, 0.001, 8)


def test_few_people_and_protected_groups_are_told():
    assert "one person stands" in hints(gap("x"), 1, SCHEMA)[0]
    assert "4 people stand" in hints(gap("x"), 4, SCHEMA)[0]
    assert hints(gap("x"), 10, SCHEMA) == ()
    assert hints(gap("x"), 0, SCHEMA) == ()
    assert "show 4 people or things" in hints(gap("x"), 4, SCHEMA, pictures=True)[0]
    assert any(hint.startswith("fairness: sex") for hint in hints(gap("sex", "x"), 50, SCHEMA))


def test_people_are_counted_once():
    assert people_in(np.array([True, True, True, False]), np.array([7, 7, 8, 9])) == 2
