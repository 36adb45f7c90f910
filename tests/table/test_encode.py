from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuckpoint.errors import SchemaError
from tuckpoint.schema import Column, Domain, Schema
from tuckpoint.table.encode import declared, decode, encode, encode_column, fields, numbers, spell
from tuckpoint.table.frame import read
from tuckpoint.table.infer import infer

US = dt.timedelta(microseconds=1)
KINDS = {
    "integer": (pa.int64(), st.integers(-(2**53), 2**53)),
    "small": (pa.int8(), st.integers(-128, 127)),
    "decimal": (pa.float64(), st.decimals(-10000, 10000, places=3).map(float)),
    "exact": (pa.decimal128(12, 2), st.decimals(-10000, 10000, places=2)),
    "whole_float": (pa.float64(), st.integers(-100, 100).map(float)),
    "boolean": (pa.bool_(), st.booleans()),
    "category": (pa.string(), st.sampled_from(["a", "B", "ü ", "(rare)", "1"])),
    "ordered": (pa.dictionary(pa.int8(), pa.string(), ordered=True), st.sampled_from(["low", "high"])),
    "date": (pa.date32(), st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31))),
    "datetime": (pa.timestamp("us"), st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))),
    "zoned": (
        pa.timestamp("ms", "Europe/Berlin"),
        st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC)).map(
            lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
        ),
    ),
    "duration": (pa.duration("us"), st.timedeltas(dt.timedelta(-999), dt.timedelta(999))),
    "clock": (pa.time64("us"), st.times()),
    "number_text": (pa.string(), st.integers(1, 999).map(str)),
    "date_text": (pa.string(), st.dates(dt.date(1000, 1, 1), dt.date(9999, 12, 31)).map(lambda day: f"{day:%d.%m.%Y}")),
    "money_text": (pa.string(), st.integers(0, 10**7).map(lambda cents: f"${cents / 100:,.2f}")),
}


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 30))
    names = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=6, unique=True))
    columns = {}
    for name in names:
        kind, values = KINDS[name]
        cells = draw(st.lists(st.one_of(st.none(), values), min_size=rows, max_size=rows))
        inner = kind.value_type if pa.types.is_dictionary(kind) else kind
        array = pa.array(cells, inner)
        columns[name] = array.cast(kind) if inner != kind else array
    return pa.table(columns)


@settings(max_examples=120, deadline=None)
@given(tables())
def test_any_table_comes_back_as_it_was(table):
    schema = infer(table)
    back = decode(encode(table, schema), schema)
    for column in schema.columns:
        if column.modelled:
            before, after = table[column.name].to_pylist(), back[column.name].to_pylist()
            assert str(back[column.name].type) == column.storage == str(table[column.name].type)
            assert before == after, column


def csv(tmp_path, text):
    path = tmp_path / "rows.csv"
    path.write_text(text, encoding="utf-8")
    return read(path).table


@pytest.mark.parametrize(
    ("cells", "storage"),
    [
        (["1", "-20", "3"], "int64"),
        (["1.50", "2.25", "-3.00"], "double"),
        (["1.5", "2", "0.25"], "double"),
        (["1.0", "2.0", "4.0"], "double"),
        (["True", "False", "True"], "bool"),
        (["true", "false", "true"], "bool"),
        (["yes", "no", "yes"], "string"),
        (["02134", "90210", "02134"], "string"),
        (["2020-01-31", "1066-10-14", "9999-12-31"], "date32[day]"),
        (["31/01/2020", "14/10/1066", "01/02/2300"], "date32[day]"),
        (["20141013T000000", "20150101T000000", "20150101T000000"], "date32[day]"),
        (["2020-01-01 10:00:01", "1500-01-01 00:00:00", "2500-01-01 00:00:00"], "timestamp[us]"),
        (["2020-01-01T10:00:01Z", "1500-01-01T00:00:00Z", "2020-01-01T10:00:01Z"], "timestamp[us, tz=UTC]"),
        (
            ["2020-01-01T10:00:01+02:00", "1999-01-01T00:00:00+02:00", "2020-01-01T10:00:01+02:00"],
            "timestamp[us, tz=+02:00]",
        ),
        (["09:30", "23:59", "00:01"], "duration[us]"),
        (["1 days 02:03:04", "0 days 00:00:01", "2 days 00:00:00"], "duration[us]"),
        (["$1,234.50", "$0.25", "$1,000,000.00"], "double"),
        (["12%", "15%", "99%"], "int64"),
        (["1.234,50", "2,25", "10.000.000,00"], "double"),
    ],
)
def test_text_of_a_file_is_typed_and_spelled_as_it_was(tmp_path, cells, storage):
    quoted = "\n".join(f'x,"{cell}"' for cell in cells)
    table = csv(tmp_path, f"other,value\n{quoted}\ny,\n")
    schema = infer(table)
    assert schema["value"].storage == storage
    back = decode(encode(table, schema), schema)
    assert str(back["value"].type) == storage
    written = spell(back, schema)["value"]
    if pa.types.is_floating(written.type) or pa.types.is_integer(written.type) or pa.types.is_boolean(written.type):
        assert schema["value"].format is None
        plain = [
            str(cell).lower() if isinstance(cell, bool) else None if cell is None else str(cell)
            for cell in written.to_pylist()
        ]
        assert plain == [*cells, None]
    else:
        assert written.cast(pa.string()).to_pylist() == [*cells, None]


def test_text_of_a_dataframe_stays_text():
    table = pa.table({"n": ["1", "2", "3"], "when": ["01.02.2020", "13.02.2020", None], "yes": ["True", "False", None]})
    schema = infer(table)
    assert [column.kind for column in schema.columns] == ["integer", "date", "boolean"]
    assert decode(encode(table, schema), schema).equals(table)


def test_units_of_numbers():
    table = pa.table(
        {
            "day": pa.array([dt.date(1970, 1, 2), None]),
            "at": pa.array([dt.datetime(1970, 1, 1, 0, 1), None], pa.timestamp("us")),
            "long": pa.array([dt.timedelta(minutes=2), None], pa.duration("ms")),
            "yes": [True, None],
        }
    )
    encoded = encode(table, infer(table))
    assert [encoded.columns[name][0] for name in ("day", "at", "long", "yes")] == [1, 60, 120, 1]
    assert all(np.isnan(encoded.columns[name][1]) for name in ("day", "at", "long"))
    assert encoded.columns["yes"][1] == -1
    assert encoded.field("yes").levels == ("false", "true")
    assert {name: encoded.columns[name].dtype.name for name in ("at", "yes")} == {"at": "float64", "yes": "int32"}


def test_made_rows_in_types_encode_like_real_rows_in_text():
    real = pa.table({"n": ["1", "2"], "day": ["01.02.2020", "13.02.2020"], "c": ["a", "b"]})
    schema = infer(real)
    made = pa.table({"n": [2, 1], "day": [dt.date(2020, 2, 13), None], "c": ["b", "new"]})
    encoded = encode(made, schema)
    assert encoded.columns["n"].tolist() == [2, 1]
    assert encoded.columns["day"][0] == encode(real, schema).columns["day"][1]
    assert encoded.field("c").levels == ("a", "b", "new")  # the codes of the domain stay
    assert encoded.columns["c"].tolist() == [1, 2]


def test_domains_reach_the_fields():
    table = pa.table({"n": [1, 5], "c": ["a", "b"]})
    schema = Schema(
        (
            Column("n", "integer", "int64", domain=Domain("public", 0, 120)),
            Column("c", "category", "string", domain=Domain("expert", levels=("b", "a", "z"))),
        )
    )
    number, category = fields(schema, table)
    assert (number.low, number.high, number.provenance) == (0, 120, "public")
    assert (category.levels, category.provenance) == (("b", "a", "z"), "expert")
    free = fields(Schema((Column("n", "integer", "int64"),)), table)[0]
    assert (free.low, free.high, free.provenance) == (1, 5, "data")


def test_people_are_numbered_and_the_nameless_are_alone():
    table = pa.table({"who": ["x", "y", None, "x", None], "n": [1, 2, 3, 4, 5]})
    person = encode(table, infer(table, person="who")).person
    assert person[0] == person[3]
    assert len(set(person.tolist())) == 4


def test_what_cannot_be_read_is_named():
    schema = Schema((Column("n", "integer", "int64"), Column("day", "date", "string", format="%d.%m.%Y")))
    good = {"n": ["1", "2"], "day": ["01.01.2020", None]}
    with pytest.raises(SchemaError, match=r'column "n": 1 value cannot be read as integer \(first: row 2 = \'x\'\)'):
        encode(pa.table({**good, "n": ["1", "x"]}), schema)
    with pytest.raises(SchemaError, match=r'column "n": 1 value .* row 1 = 1.5'):
        encode(pa.table({**good, "n": [1.5, 2]}), schema)
    with pytest.raises(SchemaError, match=r'"day": 1 value .* row 2 = \'30.02.2020\''):
        encode(pa.table({**good, "day": [None, "30.02.2020"]}), schema)
    with pytest.raises(SchemaError, match='"day" of the schema is not in the table'):
        encode(pa.table({"n": [1]}), schema)
    with pytest.raises(SchemaError, match='"n" is date32'):
        encode(pa.table({**good, "n": [dt.date(2020, 1, 1)] * 2}), schema)


def test_rare_level_in_a_typed_storage_is_missing():
    schema = Schema((Column("zip", "category", "int64", domain=Domain(levels=("1", "(rare)"))),))
    encoded = encode(pa.table({"zip": ["1", "(rare)"]}), schema)
    assert decode(encoded, schema)["zip"].to_pylist() == [1, None]


def test_decimals_are_kept_and_tails_stay_inside_the_storage():
    schema = Schema((Column("price", "decimal", "decimal128(10, 2)", decimals=2), Column("n", "integer", "int8")))
    encoded = encode(pa.table({"price": [1.005, 2.0], "n": [1, 2]}), schema)
    wild = {**encoded.columns, "n": np.array([1.0, 900.0])}
    back = decode(type(encoded)(encoded.fields, wild), schema)
    assert back["price"].to_pylist() == [decimal.Decimal("1.00"), decimal.Decimal("2.00")]
    assert back["n"].to_pylist() == [1, 127]


def test_decoding_a_million_rows_takes_about_a_second():
    generator = np.random.default_rng(0)
    rows = 10**6
    small = pa.table({"c": ["a", "b", "c"] * 10, "n": list(range(30)), "x": np.arange(30) / 4, "b": [True, False] * 15})
    schema = infer(small)
    encoded = encode(small, schema)
    big = encoded.take(generator.integers(0, 30, rows))
    start = time.process_time()
    assert decode(big, schema).num_rows == rows
    assert time.process_time() - start < 1


def test_microseconds_of_another_century_stay():
    moments = [
        dt.datetime(1833, 1, 1, 0, 0, 0, 7),
        dt.datetime(1901, 5, 5, 1, 2, 3, 4),
        dt.datetime(2101, 1, 1, microsecond=9),
    ]
    table = pa.table({"at": moments})
    schema = infer(table)
    assert decode(encode(table, schema), schema)["at"].to_pylist() == moments


ANY_KIND = (
    Column("x", "integer", "int64", format="$#,###"),
    Column("x", "decimal", "double", decimals=3, format="#.00 kg"),
    Column("x", "decimal", "double", decimals=15),
    Column("x", "date", "date32[day]", format="%d.%m.%Y"),
    Column("x", "datetime", "timestamp[us]", decimals=6),
    Column("x", "duration", "string", format="%D days %H:%M:%S"),
    Column("x", "boolean", "bool", format="Yes/No"),
    Column("x", "ordered", "string", domain=Domain("public", levels=("a", "b"))),
    Column("x", "category", "int64"),
)
WRITTEN = st.from_regex(
    r"[-+$]?[0-9,.'eE]{0,24}( kg)?|[0-9]{1,6}[-./:T ][0-9]{1,3}[-./: ][0-9]{1,5}.{0,9}", fullmatch=True
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.none() | st.text() | WRITTEN, max_size=6), st.sampled_from(ANY_KIND))
def test_no_text_is_an_error_where_none_may_be(texts, column):
    table = pa.table({"x": pa.array(texts, pa.string())})
    made = encode(table, Schema((column,)), strict=False)
    fitted = declared(made, Schema((column,)))
    assert made.rows == fitted.rows == len(texts)
    values = fitted.columns["x"]
    assert not np.isinf(values).any()
    if not fitted.field("x").numeric:
        assert values.max(initial=-1) < max(len(fitted.field("x").levels), 1)


@pytest.mark.parametrize("scale", [1.0, 1e-19, 1e12])
def test_all_digits_of_measured_numbers_stay_and_fewer_are_kept_where_somebody_asked(scale):
    values = np.random.default_rng(0).normal(size=300) * scale
    table = pa.table({"x": values})
    schema = infer(table)
    np.testing.assert_array_equal(encode(table, schema).columns["x"], values)
    if scale == 1.0:
        asked = Schema((dataclasses.replace(schema["x"], decimals=2),))
        np.testing.assert_array_equal(encode(table, asked).columns["x"], np.round(values, 2))


def test_exact_decimals_are_read_to_their_last_digit():
    units = np.random.default_rng(1).integers(-(10**9), 10**9, 5000)
    table = pa.table({"x": pa.array([decimal.Decimal(int(unit)) / 100 for unit in units], pa.decimal128(14, 2))})
    column = infer(table)["x"]
    assert (column.kind, column.decimals) == ("decimal", 2)
    assert encode_column(table.column("x"), column)[1].tolist() == [unit / 100 for unit in units.tolist()]
    assert numbers(table.column("x"), column)[0].tolist() == [unit / 100 for unit in units.tolist()]
