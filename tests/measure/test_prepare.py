from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from measure.tables import SCHEMA, people

from tuckpoint.errors import InputError
from tuckpoint.measure import fidelity
from tuckpoint.measure.prepare import UNSEEN, coded, plain, prepare
from tuckpoint.measure.views import column_views
from tuckpoint.schema import Column, Schema
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Field


def one(kind: str, real: pa.Array, made: pa.Array, **more: object) -> tuple[np.ndarray, np.ndarray]:
    schema = Schema((Column("c", kind, str(real.type), **more),))  # type: ignore[arg-type]
    space = prepare(pa.table({"c": real}), pa.table({"c": made}), None, schema)
    return space.real.columns["c"], space.made.columns["c"]


def test_codes_follow_frequency_and_unseen_levels_share_the_last() -> None:
    real, made = one("category", pa.array(["b", "b", "a", None]), pa.array(["a", "x", "y", None]))
    assert real.tolist() == [0, 0, 1, -1]
    assert made.tolist() == [1, 2, 2, -1]


@pytest.mark.parametrize(
    "made",
    [
        pa.array([1, 2, 3]),
        pa.array([1.0, 2.0, 3.0]),
        pa.array(["1", "2.0", " 3 "]),
        pa.array(["1", "2", "3"]).dictionary_encode(),
        pa.array([1, 2, 3], pa.int8()),
    ],
)
@pytest.mark.parametrize("kind", ["integer", "category"])
def test_numbers_read_alike_from_any_storage(kind: str, made: pa.Array) -> None:
    real, other = one(kind, pa.array([1, 2, 3]), made)
    assert real.tolist() == other.tolist()


def test_real_texts_of_digits_keep_their_zeros() -> None:
    _, made = one("category", pa.array(["01", "02"]), pa.array([1, 2]))
    assert made.tolist() == [2, 2]


def test_booleans_read_alike() -> None:
    real, made = one("boolean", pa.array([True, False, True]), pa.array(["TRUE", "0", "yes"]))
    assert real.tolist() == made.tolist()


def test_values_are_read_as_the_schema_says_they_are_written() -> None:
    real, made = one("boolean", pa.array(["ja", "nein", "ja"]), pa.array([True, False, True]), format="nein/ja")
    assert real.tolist() == made.tolist()
    real, made = one("decimal", pa.array(["1.234,5", "2,0", "3,0"]), pa.array([1234.5, 2.0, 3.0]), format="#.###,#")
    assert real.tolist() == made.tolist()


def test_dates_read_alike_from_text_and_timestamps() -> None:
    days = pa.array([0, 1, 400], pa.int32()).cast(pa.date32())
    for made in (days.cast(pa.timestamp("ns")), pa.array(["1970-01-01", "1970-01-02", "1971-02-05"])):
        real, other = one("date", days, made)
        assert other.tolist() == real.tolist() == [0, 1, 400]


def test_text_dates_follow_the_format_and_zones_are_utc() -> None:
    texts, empty = pa.array(["05.02.1971", "01.01.1970", "02.01.1970"]), pa.nulls(3, pa.string())
    real, _ = one("date", texts, empty, format="%d.%m.%Y")
    assert real.tolist() == [400, 0, 1]
    stamps = pa.array([0, 1, 7200], pa.timestamp("s", "UTC"))
    real, made = one("datetime", stamps, pa.array(["1970-01-01T01:00:00+01:00", "1970-01-01 00:00:01", ""]))
    assert made[:2].tolist() == [0, 1]
    assert np.isnan(made[2])
    assert real.tolist() == [0, 1, 7200]


def test_durations_are_seconds() -> None:
    real, made = one("duration", pa.array([1, 2, 3], pa.duration("ms")), pa.array([0.001, 0.002, 0.003]))
    assert real.tolist() == pytest.approx(made.tolist())


def test_two_valued_numbers_become_levels() -> None:
    space = prepare(pa.table({"c": [0, 1]}), pa.table({"c": [0.0, 1.0, 5.0]}), None, plain(pa.table({"c": [0, 1]})))
    assert space.real.field("c").levels == ("0", "1", UNSEEN)
    assert space.made.columns["c"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (pa.table({"cc": [1]}), 'no column "c" \\(did you mean "cc"'),
        (pa.table({"c": pa.array(["1", "old"])}), "1 value is no integer in the made table \\(first: row 2 = 'old'"),
        (pa.table({"c": [1.0, float("inf")]}), "1 infinite value in the made table .first: row 2."),
        (pa.table({"c": pa.array([0], pa.timestamp("s"))}), "holds timestamp\\[s\\] where the schema says integer"),
        (pa.table({"c": pa.array([], pa.int64())}), "the made table has no rows"),
        (pa.Table.from_arrays([pa.array([1]), pa.array([1])], ["c", "c"]), "2 columns called"),
    ],
)
def test_what_cannot_be_read_is_said(made: pa.Table, says: str) -> None:
    with pytest.raises(InputError, match=says):
        prepare(pa.table({"c": [1, 2, 3]}), made, None, Schema((Column("c", "integer", "int64"),)))


def test_without_a_column_to_measure_it_is_said_what_to_do() -> None:
    ids = pa.table({"c": ["a", "b"]})
    with pytest.raises(InputError, match=r"correct its kind there .* --schema schema\.yaml"):
        prepare(ids, ids, None, Schema((Column("c", "text", "string"),)))


def test_identifiers_are_left_out_and_noted() -> None:
    table = people(30, 0)
    space = prepare(table, table.append_column("more", pa.array(range(30))), table, SCHEMA)
    assert "email" not in space.real.columns
    assert any("email" in note for note in space.notes)
    assert any("more" in note for note in space.notes)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("date", pa.array([dt.date(2020, 1, 1), dt.date(2021, 1, 1), None] * 3)),
        ("duration", pa.array([dt.timedelta(minutes=5), dt.timedelta(hours=1), None] * 3)),
        ("decimal", pa.array(["1.50", "2.0", None] * 3)),
        ("integer", pa.array([3, 7, None] * 3)),
    ],
)
def test_coded_knows_number_columns_of_two_values(kind: str, values: pa.Array) -> None:
    schema = Schema((Column("c", kind, str(values.type)),))  # type: ignore[arg-type]
    table = pa.table({"c": values})
    space = prepare(table, table, None, schema)
    assert space.made.columns["c"].tolist() == [0, 1, -1] * 3
    assert coded(table, schema, space.real.fields, "made")["c"].tolist() == [0, 1, -1] * 3


def test_coded_uses_the_codes_of_the_fields() -> None:
    table = people(20, 0)
    columns = coded(table, SCHEMA, [Field("grade", levels=("high", "low")), Field("age")], "made")
    places = {"high": 0, "low": 1, "mid": -1}
    assert columns["grade"].tolist() == [places[text] for text in table["grade"].to_pylist()]
    assert columns["age"].tolist() == table["age"].to_pylist()


def test_people_are_numbered_across_the_sides() -> None:
    schema = Schema((Column("id", "identifier", "string"), Column("x", "integer", "int64")), person="id")
    real = pa.table({"id": ["ann", "bob", "ann", None], "x": [1, 2, 3, 4]})
    held = pa.table({"id": ["bob", "eve"], "x": [1, 2]})
    space = prepare(real, pa.table({"x": [1, 2]}), held, schema)
    ann, bob, again, nobody = space.real.person.tolist()
    assert ann == again
    assert len({ann, bob, nobody}) == 3
    assert space.holdout.person.tolist()[0] == bob
    assert space.made.person is None


def test_what_one_person_holds_in_many_rows_is_not_named_and_no_rare_level() -> None:
    random = np.random.default_rng(1)
    person = np.repeat(np.arange(100), 10)
    town = random.choice(["Ash", "Birch"], 1000).astype(object)
    town[:9] = "Only Ann"  # nine rows of one person
    town[100:1000:100] = "Elm"  # nine people
    score = np.where(person == 0, 77, random.integers(0, 4, 1000))
    table = pa.table({"id": person, "town": pa.array(town.tolist()), "score": score})
    schema = Schema(
        (
            Column("id", "identifier", "int64"),
            Column("town", "category", "string"),
            Column("score", "integer", "int64"),
        ),
        person="id",
    )
    for who, named in ((schema, False), (Schema(schema.columns), True)):
        space = prepare(table, table.slice(500), None, who)
        found = fidelity.distances(space.real, space.made, None, seed=Seed(0))
        labels = {view.name: view.labels for view in column_views(space.real, space.made, found, space.kinds)}
        assert ("Only Ann" in labels["town"]) is named
        assert ("77" in labels["score"]) is named
        assert "Elm" in labels["town"]
        coverage = fidelity.rare_level_coverage(space.real, space.made, None, seed=Seed(0))
        assert coverage.detail["levels"] == (2 if named else 1)
