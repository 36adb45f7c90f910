import bz2
import csv as python_csv
import gzip
import hashlib
import io
import json
import lzma
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuckpoint.errors import InputError, TraceError
from tuckpoint.record import Maker, Record
from tuckpoint.write import csv

RECORD = Record(dataset="census", maker=Maker("trees"), recipe="cd" * 32, seed=7, rows=3)
TABLE = pa.table({"a": pa.array([1, None, 3]), "b": pa.array(["x,y", "", None])})
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": lambda data: pa.CompressedInputStream(pa.BufferReader(data), "zstd").read(),
}
HOSTILE = st.text(alphabet=st.sampled_from(list("ab ,;\t\"'\n\r\\=@+-#\0\ufeff\u2028é😀")), max_size=8) | st.text(
    max_size=8
)


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def put(table: pa.Table, path: Path, *, overwrite: bool = False) -> int:
    return csv.write(table.to_batches(), path, RECORD, schema=table.schema, overwrite=overwrite)


def text(table: pa.Table, path: Path) -> str:
    put(table, path)
    return path.read_bytes().decode()


def test_the_text_of_each_kind(tmp_path: Path) -> None:
    table = pa.table(
        {
            "whole": [1, -2],
            "float": [5.0, 0.1],
            "large": [1e300, float("inf")],
            "money": pa.array([Decimal("1.50"), Decimal("-0.05")]),
            "truth": [True, False],
            "category": pa.array(["a b", "c"]).dictionary_encode(),
            "day": [date(1900, 1, 1), date(2024, 2, 29)],
            "moment": pa.array([datetime(2024, 2, 29, 1, 2, 3), datetime(1969, 12, 31)], pa.timestamp("s")),
            "zoned": pa.array([datetime(2024, 7, 1, tzinfo=UTC)] * 2, pa.timestamp("ms", "UTC")),
            "time": pa.array([time(1, 2, 3), time(0)], pa.time32("s")),
            "span": pa.array([timedelta(milliseconds=1500), timedelta(days=-1)], pa.duration("ms")),
        }
    )
    assert text(table, tmp_path / "rows.csv").splitlines() == [
        "whole,float,large,money,truth,category,day,moment,zoned,time,span",
        "1,5.0,1e+300,1.50,true,a b,1900-01-01,2024-02-29 01:02:03,2024-07-01 00:00:00.000Z,01:02:03,1.5",
        "-2,0.1,inf,-0.05,false,c,2024-02-29,1969-12-31 00:00:00,2024-07-01 00:00:00.000Z,00:00:00,-86400.0",
    ]


def test_quotes_only_where_needed(tmp_path: Path) -> None:
    table = pa.table(
        {
            "plain": ["a b", "=1+1", "7", "it's"],
            "needs, quotes": ['say "hi"', "a,b", "line\nbreak", "\rx"],
            "space": [" a", "a ", "", None],
        }
    )
    assert text(table, tmp_path / "rows.csv") == (
        'plain,"needs, quotes",space\na b,"say ""hi"""," a"\n=1+1,"a,b","a "\n7,"line\nbreak",""\nit\'s,"\rx",\n'
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(HOSTILE | st.none(), HOSTILE | st.none()), max_size=6), HOSTILE, HOSTILE)
def test_hostile_values_come_back(rows: list[tuple[str | None, str | None]], first: str, second: str) -> None:
    names = [first, second if second != first else second + "2"]
    columns = [pa.array([row[i] for row in rows], pa.string()) for i in range(2)]
    table = pa.Table.from_arrays(columns, names=names)
    data = csv.header(names) + b"".join(csv._lines(batch, ",") for batch in table.to_batches())
    by_python = list(python_csv.reader(io.StringIO(data.decode(), newline="")))
    assert by_python == [names, *[[value or "" for value in row] for row in rows]]
    by_arrow = arrow_csv.read_csv(
        io.BytesIO(data),
        read_options=arrow_csv.ReadOptions(column_names=["a", "b"], use_threads=False),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types={"a": pa.string(), "b": pa.string()},
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )
    bom = not names[0].isascii() and data.startswith("\ufeff".encode())
    assert not bom, "a leading mark would be eaten by readers"
    assert by_arrow.slice(1).to_pydict() == {"a": [r[0] for r in rows], "b": [r[1] for r in rows]}


@settings(max_examples=50, deadline=None)
@given(st.lists(HOSTILE | st.none(), max_size=6))
def test_one_column_never_makes_an_empty_line(values: list[str | None]) -> None:
    batch = pa.record_batch({"a": pa.array(values, pa.string())})
    lines = csv._lines(batch, ",").decode()
    assert list(python_csv.reader(io.StringIO(lines, newline=""))) == [[value or ""] for value in values]
    assert "\n\n" not in lines or any("\n" in (value or "") for value in values)


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_floats_come_back_exactly(values: list[float]) -> None:
    lines = csv._lines(pa.record_batch({"a": pa.array(values), "b": pa.array(values)}), ",").decode().splitlines()
    assert [float(line.split(",")[0]) for line in lines] == values


@pytest.mark.parametrize("packed", UNPACK)
def test_packed_files_hold_the_same_text_and_repeat(packed: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows.csv{packed}"
    assert put(TABLE, path) == 3
    first = path.read_bytes()
    assert UNPACK[packed](first) == b'a,b\n1,"x,y"\n,""\n3,\n'
    assert put(TABLE, path, overwrite=True) == 3
    put(TABLE, tmp_path / f"other.csv{packed}")
    assert path.read_bytes() == first == (tmp_path / f"other.csv{packed}").read_bytes()
    assert csv.read_stamp(path) == RECORD.to_dict()


def test_gzip_holds_neither_time_nor_name(tmp_path: Path) -> None:
    put(TABLE, tmp_path / "secret.csv.gz")
    data = (tmp_path / "secret.csv.gz").read_bytes()
    assert data[3] == 0  # no flags: no name
    assert data[4:8] == bytes(4)  # modification time zero (RFC 1952)


def test_tabs(tmp_path: Path) -> None:
    table = pa.table({"a": ["x,y", "x\ty"], "b": [1, 2]})
    assert text(table, tmp_path / "rows.tsv") == 'a\tb\nx,y\t1\n"x\ty"\t2\n'
    put(table, tmp_path / "ROWS.TSV.GZ")
    assert gzip.decompress((tmp_path / "ROWS.TSV.GZ").read_bytes()) == (tmp_path / "rows.tsv").read_bytes()
    assert text(table, tmp_path / "a.tsv.csv").startswith("a,b\n")


def test_pandas_and_polars_read_it(tmp_path: Path) -> None:
    table = pa.table({"n": [1, 2, 3], "f": [1.0, None, 2.5], "t": ['a"b', "c\nd", "e,f"], "d": ["x", None, "y"]})
    put(table, tmp_path / "rows.csv")
    frame = pd.read_csv(tmp_path / "rows.csv")
    assert frame["t"].tolist() == ['a"b', "c\nd", "e,f"]
    assert [str(kind) for kind in frame.dtypes[:2]] == ["int64", "float64"]
    assert frame["d"].isna().tolist() == [False, True, False]
    assert pl.read_csv(tmp_path / "rows.csv").to_dict(as_series=False) == table.to_pydict()


def test_the_sidecar(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    put(TABLE, path)
    assert listed(tmp_path) == ["rows.csv", "rows.csv.prov.json"]
    beside = json.loads((tmp_path / "rows.csv.prov.json").read_bytes())
    assert beside["file"] == {
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    assert csv.read_stamp(path) == RECORD.to_dict()
    (tmp_path / "rows.csv.prov.json").unlink()
    assert csv.read_stamp(path) is None


def test_an_altered_sidecar_is_refused(tmp_path: Path) -> None:
    put(TABLE, tmp_path / "rows.csv")
    beside = tmp_path / "rows.csv.prov.json"
    beside.write_bytes(beside.read_bytes().replace(b'"rows":3', b'"rows":4'))
    with pytest.raises(TraceError, match=r"prov\.json: the record was altered"):
        csv.read_stamp(tmp_path / "rows.csv")
    with pytest.raises(InputError, match="no file"):
        csv.read_stamp(tmp_path / "gone.csv")


def test_what_csv_cannot_hold(tmp_path: Path) -> None:
    for values in ([[1]], [{"a": 1}], [b"x"]):
        table = pa.table({"odd": values})
        with pytest.raises(InputError, match=r'column "odd": CSV cannot hold .*; write \.parquet'):
            put(table, tmp_path / "rows.csv")
    with pytest.raises(InputError, match="without columns"):
        put(pa.table({}), tmp_path / "rows.csv")
    with pytest.raises(InputError, match="a batch has"):
        csv.write(TABLE.to_batches(), tmp_path / "rows.csv", RECORD, schema=pa.schema({"c": pa.int64()}))
    assert listed(tmp_path) == []


def test_no_rows(tmp_path: Path) -> None:
    assert text(TABLE.slice(0, 0), tmp_path / "rows.csv") == "a,b\n"
    assert text(pa.table({"n": pa.nulls(2), "m": pa.nulls(2)}), tmp_path / "nulls.csv") == "n,m\n,\n,\n"


def test_slices_are_written_from_their_first_row(tmp_path: Path) -> None:
    table = pa.table({"a": [f"r{i}" for i in range(10)], "b": list(range(10))}).slice(7)
    assert text(table, tmp_path / "rows.csv") == "a,b\nr7,7\nr8,8\nr9,9\n"


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("real")
    with pytest.raises(InputError, match="exists already"):
        put(TABLE, tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text("utf-8") == "real"
    with pytest.raises(InputError, match="mkdir -p"):
        put(TABLE, tmp_path / "gone" / "rows.csv")


@pytest.mark.parametrize("packed", ["", ".gz", ".bz2", ".xz", ".zst"])
def test_shards_join_to_one_text(packed: str, tmp_path: Path) -> None:
    table = pa.table({'a "quoted"\nname': [f"{i},{i}" for i in range(10)], "b": list(range(10))})
    shards = []
    for start in (0, 4, 8):
        shards.append(tmp_path / f"part-{start}.csv{packed}")
        put(table.slice(start, 4), shards[-1])
    csv.concatenate(shards, tmp_path / f"joined.csv{packed}", RECORD)
    put(table, tmp_path / f"whole.csv{packed}")
    unpack = UNPACK[packed]
    assert unpack((tmp_path / f"joined.csv{packed}").read_bytes()) == unpack(
        (tmp_path / f"whole.csv{packed}").read_bytes()
    )
    assert csv.read_stamp(tmp_path / f"joined.csv{packed}") == RECORD.to_dict()


def test_joining_refuses_strangers(tmp_path: Path) -> None:
    put(TABLE, tmp_path / "a.csv")
    put(TABLE.rename_columns(["a", "c"]), tmp_path / "b.csv")
    (tmp_path / "c.csv").write_text('"cut')
    with pytest.raises(TraceError, match=r"b\.csv has another header than a\.csv"):
        csv.concatenate([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "d.csv", RECORD)
    with pytest.raises(TraceError, match="no header"):
        csv.concatenate([tmp_path / "c.csv"], tmp_path / "d.csv", RECORD)
    with pytest.raises(InputError, match="no shards"):
        csv.concatenate([], tmp_path / "d.csv", RECORD)
    assert not (tmp_path / "d.csv").exists()
