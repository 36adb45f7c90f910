"""How much one person can move what is counted."""

import numpy as np
from scipy import stats

from tuckpoint.table.contribution import bounded, rows_of_unit, unit_in_words
from tuckpoint.table.engine import Encoded, Field


def crowd(person: list[int] | None) -> Encoded:
    rows = 12 if person is None else len(person)
    values = np.arange(rows, dtype=float)
    return Encoded((Field("x"),), {"x": values}, None if person is None else np.array(person, np.int64))


def test_no_person_keeps_more_rows_than_allowed_and_few_keep_all():
    person = [7, 3, 7, 7, 3, 9, 7, 7, 3, 7, 100, 7]
    for most in (1, 2, 3, 50):
        kept = bounded(crowd(person), most)
        for one in set(person):
            assert (kept.person == one).sum() == min(most, person.count(one))
        assert (np.diff(kept.columns["x"]) > 0).all()  # the order of the table
        assert [person[int(x)] for x in kept.columns["x"]] == kept.person.tolist()


def test_rows_without_people_stay():
    assert bounded(crowd(None), 1).rows == 12
    assert bounded(crowd([]), 1).rows == 0


def test_each_row_of_a_person_is_as_likely_to_stay_whoever_else_is_there():
    for others in ([], [1, 1, 1, 2]):
        seen = np.zeros(4)
        for _ in range(2000):
            kept = bounded(crowd([5, *others, 5, 5, 5]), 2)
            mine = kept.columns["x"][kept.person == 5].astype(int)
            seen[np.where(mine == 0, 0, mine - len(others))] += 1
        assert stats.chisquare(seen, np.full(4, 1000)).pvalue > 1e-7


def test_the_sensitivity_is_that_of_the_unit():
    assert rows_of_unit(crowd([1] * 4), "person", 3) == 3
    assert rows_of_unit(crowd([1] * 4), "row", 3) == 1
    assert rows_of_unit(crowd(None), "person", 3) == 1
    assert unit_in_words("row", 1) == "one row"
    assert unit_in_words("person", 1) == "one person (at most 1 row of each counted)"
    assert "at most 5 rows" in unit_in_words("person", 5)
