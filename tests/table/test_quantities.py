"""Whole numbers that are keys of another table, and others that only look like them."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from tuckpoint.table.infer import infer

RANDOM = np.random.default_rng(3)


def inferred(name, values):
    return infer(pa.table({name: values, "amount": RANDOM.normal(size=len(values)).round(2)}))


@pytest.mark.parametrize(
    ("name", "different", "kind"),
    [
        ("account_id", 900, "identifier"),
        ("productId", 900, "identifier"),
        ("district_id", 77, "integer"),  # levels, whatever they are called
        ("house number", 900, "integer"),
        ("amount_paid", 900, "integer"),
    ],
)
def test_whole_numbers_that_repeat_are_keys_where_they_are_called_so_and_many(name, different, kind):
    schema = inferred(name, RANDOM.integers(1, different + 1, 3000))
    assert schema[name].kind == kind
    if kind == "identifier":
        assert schema.primary_key is None
        assert f"say --person {name}" in schema[name].note


@pytest.mark.parametrize("name", ["user_id", "users_id", "PatientID"])
def test_keys_that_repeat_and_name_people_are_the_person(name):
    assert inferred(name, RANDOM.integers(1, 900, 3000)).person == name


@pytest.mark.parametrize("kind", [pa.int64(), pa.decimal128(20, 0), pa.decimal128(38, 0)])
def test_whole_numbers_that_float64_cannot_tell_apart_are_keys(kind):
    column = inferred("code", pa.array([Decimal(10**18 + n) for n in range(100)], pa.decimal128(19, 0)).cast(kind))[
        "code"
    ]
    assert (column.kind, column.pattern) == ("identifier", "key:1")


@pytest.mark.parametrize(
    ("name", "start", "kind"),
    [
        ("doc", 1, "identifier"),
        ("doc", 4_500_000_000, "identifier"),
        ("doc", 43_831, "integer"),  # days of a spreadsheet
        ("doc", 1990, "integer"),
        ("year", 100_000, "integer"),
    ],
)
def test_numbers_in_a_row_are_keys_where_they_count_rows(name, start, kind):
    assert inferred(name, RANDOM.permutation(np.arange(start, start + 200)))[name].kind == kind


@pytest.mark.parametrize(
    ("name", "kind"), [("Belegnr", "identifier"), ("Kundennummer", "identifier"), ("x", "integer")]
)
def test_german_names_of_keys(name, kind):
    assert inferred(name, RANDOM.choice(10**6, 500, replace=False))[name].kind == kind


def test_a_first_key_leaves_room_in_its_storage():
    ids = pa.array([Decimal(n) for n in range(1, 101)], pa.decimal128(3, 0))
    for kind, start in ((pa.int8(), 1), (pa.int32(), 1001), (pa.decimal128(3, 0), 1), (pa.decimal128(5, 0), 1001)):
        assert inferred("x_id", ids.cast(kind))["x_id"].pattern == f"key:{start}"
