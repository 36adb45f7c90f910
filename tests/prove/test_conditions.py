import pytest

from tuckpoint.prove.conditions import named, overlap, same, with_levels
from tuckpoint.schema import Column, Schema


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("age < 25", "age < 22", True),
        ("age < 25", "age >= 25", False),
        ("a < -3", "a < 0", True),
        ("18 <= age < 25", "age < 18", False),
        ("18 <= age < 25", "age <= 18", True),
        ('education == "PhD"', 'education in ["PhD", "MD"]', True),
        ('not x == "a"', 'x == "a"', False),
        ('not x == "a"', 'x == "b"', True),
        ('sex == "F" and m == "x"', 'm == "x" and sex == "F"', True),
        ('sex == "F"', 'sex == "F" and m == "x"', False),  # another slice: the rate of all women
        ("`my col` > 3", "`my col` >= 10", True),
        ("missing(a)", "missing(a)", True),
        ("missing(a)", "missing(b)", False),
        ('day >= "2024-01-31"', 'day >= "2024-02-01"', False),  # dates: only the same words
    ],
)
def test_conditions_overlap_where_a_row_could_satisfy_both(one, other, meet):
    assert overlap(one, other) is meet
    assert overlap(other, one) is meet


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ('x in ["a", "b"]', 'x == "b" or x == "a"', True),
        ("18 <= age < 25", "age < 25 and age >= 18", True),
        ("age < 25", "age < 22", False),
        ('x == "a"', 'x in ["a", "b"]', False),
        ('x == "a"', 'x == "a" and y == "b"', False),
        ("missing(a)", " missing(a) ", True),
        ("missing(a)", "missing(b)", False),
    ],
)
def test_conditions_are_the_same_where_the_same_rows_satisfy_them(one, other, equal):
    assert same(one, other) is equal
    assert same(other, one) is equal


def test_levels_that_a_condition_names_are_levels():
    schema = Schema((Column("x", "category", "string"), Column("n", "integer", "int64")))
    meant = with_levels(schema, ('x in ["a", "b"] and n > 3', 'x == "c"'))
    assert meant["x"].domain.levels == ("a", "b", "c")
    assert meant["n"].domain is None
    assert named('x in ["a"] and n > -3') == {"x": ("a",), "n": (-3.0,)}
