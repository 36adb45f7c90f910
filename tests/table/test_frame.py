from __future__ import annotations

import bz2
import datetime as dt
import gzip
import io
import lzma

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from tuckpoint.errors import InputError, SchemaError
from tuckpoint.table.frame import digest, give_back, read


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def pandas_frame():
    return pd.DataFrame(
        {
            "integer": pd.array([1, 2, None], dtype="Int64"),
            "decimal": [1.5, np.nan, 2.0],
            "text": ["a", None, "b"],
            "category": pd.Categorical(["x", "y", "x"]),
            "moment": pd.to_datetime(["2020-01-01 10:00", "2020-01-02", None], format="mixed").tz_localize(
                "Europe/Berlin"
            ),
            "truth": [True, False, True],
            "day": [dt.date(1500, 1, 1), dt.date(2300, 1, 1), None],
            7: [1, 2, 3],
        }
    )


def test_pandas_comes_back_as_pandas():
    frame = pandas_frame()
    before = frame.copy(deep=True)
    read_ = read(frame)
    pd.testing.assert_frame_equal(give_back(read_.table, read_), frame)
    pd.testing.assert_frame_equal(frame, before)
    assert read_.kind == "pandas"


def test_pandas_whole_numbers_that_lost_a_value_stay_usable():
    read_ = read(pd.DataFrame({"n": [1, 2]}))
    back = give_back(pa.table({"n": pa.array([1, None], pa.int64())}), read_)
    assert back["n"].isna().tolist() == [False, True]


def test_mixed_objects_are_read_as_their_text():
    assert read(pd.DataFrame({"x": [1, "a", None, 2.5]})).table["x"].to_pylist() == ["1", "a", None, "2.5"]


def test_polars_comes_back_as_polars():
    frame = pl.DataFrame(
        {
            "integer": pl.Series([1, None], dtype=pl.Int16),
            "category": pl.Series(["a", "b"], dtype=pl.Categorical),
            "kind": pl.Series(["u", "v"], dtype=pl.Enum(["v", "u"])),
            "day": [dt.date(1500, 1, 1), None],
            "clock": [dt.time(1, 2, 3)] * 2,
        }
    )
    read_ = read(frame)
    back = give_back(read_.table, read_)
    assert back.equals(frame)
    assert back.schema == frame.schema
    assert isinstance(give_back(read_.table, read(frame.lazy())), pl.DataFrame)


def test_a_level_that_an_enumeration_does_not_know_stays_text():
    read_ = read(pl.DataFrame({"kind": pl.Series(["u"], dtype=pl.Enum(["v", "u"]))}))
    assert give_back(pa.table({"kind": ["(rare)"]}), read_)["kind"].to_list() == ["(rare)"]


def test_arrow_comes_back_in_its_own_types():
    table = pa.table({"t": pa.array(["a"], pa.large_string()), "n": pa.array([1], pa.int8())})
    read_ = read(table)
    assert read_.table.schema.field("t").type == pa.string()
    assert give_back(read_.table, read_).schema == table.schema


def test_the_digest_depends_on_values_and_not_on_memory():
    table = pa.table({"t": ["a", None, "bc", "a"], "n": [1, 2, None, 4], "b": [True, None, False, True]})
    chunked = pa.concat_tables([table.slice(0, 1), table.slice(1, 1), table.slice(2)])
    coded = table.set_column(0, "t", table["t"].dictionary_encode())
    assert digest(table) == digest(chunked) == digest(coded) == digest(table.replace_schema_metadata({"a": "b"}))
    other = {
        digest(table.set_column(0, "t", pa.array(values))) for values in (["a", "", "bc", "a"], ["ab", None, "c", "a"])
    }
    assert len({digest(table), *other, digest(table.rename_columns(["u", "n", "b"])), digest(table.slice(1))}) == 5
    shifted = pa.concat_tables([table, table]).slice(4)
    assert digest(shifted) == digest(table)


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz", ".zst"])
def test_packed_text_files(tmp_path, suffix):
    text = b'a,b\n1,"x, y"\n2,\n'
    buffer = io.BytesIO()
    with pa.CompressedOutputStream(pa.PythonFile(buffer, "w"), "zstd") as stream:
        stream.write(text)
        stream.flush()
        pack = {
            "": bytes,
            ".gz": gzip.compress,
            ".bz2": bz2.compress,
            ".xz": lzma.compress,
            ".zst": lambda _: _zstd(text),
        }[suffix]
        path = tmp_path / f"rows.csv{suffix}"
        path.write_bytes(pack(text))
    frame = read(path)
    assert frame.table.to_pydict() == {"a": ["1", "2"], "b": ["x, y", None]}
    assert (frame.kind, frame.name) == ("path", path.name)
    assert isinstance(give_back(frame.table, frame), pa.Table)


def _zstd(data):
    return pa.Codec("zstd").compress(data, asbytes=True)


def test_parquet(tmp_path):
    table = pa.table({"a": [1, 2]})
    parquet.write_table(table, tmp_path / "rows.parquet")
    assert read(tmp_path / "rows.parquet").table.equals(table)
    assert read(str(tmp_path / "rows.parquet")).digest == read(table).digest


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("a;b\nä;1,5\nö;2\n", "utf-8"),
        ("a\tb\nä\t1,5\nö\t2\n", "utf-8-sig"),
        ("a|b\nä|1,5\nö|2\n", "cp1252"),
        ('a,b\nä,"1,5"\nö,2\n', "utf-16"),
    ],
)
def test_separators_and_encodings_are_found(tmp_path, text, encoding):
    path = write(tmp_path, "rows.csv", text, encoding)
    assert read(path).table.to_pydict() == {"a": ["ä", "ö"], "b": ["1,5", "2"]}


@pytest.mark.parametrize(("first", "separator"), [("sep=;", ";"), ('"sep=|"', "|"), ("SEP=\t", "\t"), ("sep=,", ",")])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_first_line_for_a_spreadsheet_tells_the_separator(tmp_path, first, separator, ending):
    rows = [first, separator.join("ab"), separator.join("12")]
    path = write(tmp_path, "rows.csv", ending.join(rows) + ending)
    assert read(path).table.to_pydict() == {"a": ["1"], "b": ["2"]}
    told = (read(path).table.schema.metadata or {}).get(b"tuckpoint.separator", b",").decode()
    assert told == separator


def test_empty_rows_and_a_mark_at_the_end_of_a_file_are_no_rows(tmp_path):
    path = write(tmp_path, "rows.csv", "a;b\n1;2\n;\n3;4\n;\n;\n\x1a")
    assert read(path).table.to_pydict() == {"a": ["1", None, "3"], "b": ["2", None, "4"]}
    assert read(write(tmp_path, "one.csv", 'a\n1\n""\n')).table.to_pydict() == {"a": ["1", None]}


def test_quotes_line_breaks_and_nameless_columns(tmp_path):
    path = write(tmp_path, "rows.csv", ',a\n0,"x ""y""\nz"\n1,""\n')
    assert read(path).table.to_pydict() == {"column_1": ["0", "1"], "a": ['x "y"\nz', None]}


@pytest.mark.parametrize(
    ("name", "content", "error", "told"),
    [
        ("rows.csv", b"", InputError, "empty"),
        ("rows.csv", b"\n\n", InputError, "empty"),
        ("rows.csv", b"a,b\n1,2\n3\n4,5,6\n", InputError, r"2 rows .*first: row 2 below the header has 1"),
        (
            "rows.csv",
            b"a;b\n1;2\n3;4\n2 rows selected\n",
            InputError,
            "remove lines that are no rows, such as titles or totals",
        ),
        (
            "rows.csv",
            b"Sales 2024\n\na;b\n1;2\n3;4\n5;6\n",
            InputError,
            "the first line is no header.*remove what stands above",
        ),
        ("rows.csv", b"a^b\n1^2,5\n3^4,5\n", InputError, "cells are parted by one of , ; tab or |"),
        ("rows.csv", b"sep=^\na^b\n", InputError, r"sep=\^.*one of , ; tab or |"),
        ("rows.csv", b"a,b,a\n1,2,3\n", SchemaError, 'columns 1 and 3 are both called "a"'),
        ("rows.csv", b"a\x00b\n1\n", InputError, "zero bytes"),
        ("rows.csv", b"a\nfine\n\x81\x8d\n", InputError, "byte 0x81 in line 3"),
        ("rows.csv.gz", b"a,b\n1,2\n", InputError, "cannot be unpacked as .gz"),
        ("rows.parquet", b"PAR1", InputError, "cannot be read as Parquet"),
        ("rows.xlsx", b"x", InputError, "unknown kind of file"),
    ],
)
def test_broken_files_say_what_is_wrong(tmp_path, name, content, error, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=told):
        read(tmp_path / name)


def test_other_things_say_what_is_wrong(tmp_path):
    with pytest.raises(InputError, match="no file"):
        read(tmp_path / "none.csv")
    with pytest.raises(InputError, match="folder"):
        read(tmp_path)
    with pytest.raises(InputError, match="cannot read a dict"):
        read({"a": [1]})
    with pytest.raises(InputError, match="no columns"):
        read(pa.table({}))
    with pytest.raises(SchemaError, match='column "a" holds list'):
        read(pa.table({"a": [[1]]}))
    with pytest.raises(SchemaError, match="both called"):
        read(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(SchemaError, match="both called"):
        read(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]))


def test_header_only_and_one_row(tmp_path):
    assert read(write(tmp_path, "rows.csv", "a,b\n")).table.num_rows == 0
    assert read(write(tmp_path, "one.csv", "a,b\n1,2")).table.to_pylist() == [{"a": "1", "b": "2"}]


def test_pandas_cuts_come_back_as_cuts():
    cut = pd.cut(pd.Series(range(60)), [-1, 9, 29, 70])
    cut[3] = None
    source = pd.DataFrame({"x": cut, "y": range(60)})
    frame = read(source)
    assert frame.table["x"].to_pylist()[:4] == ["(-1, 9]"] * 3 + [None]
    assert frame.table["x"].type.ordered
    pd.testing.assert_frame_equal(give_back(frame.table, frame), source)


def test_whole_numbers_beyond_64_bits_are_read_as_their_text():
    assert read(pd.DataFrame({"x": [10**30, None, 3]})).table["x"].to_pylist() == [str(10**30), None, "3"]
