import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tuckpoint.errors import InputError, TraceError
from tuckpoint.record import Input, Maker, Record
from tuckpoint.write import parquet

RECORD = Record(dataset="census", maker=Maker("trees"), recipe="cd" * 32, seed=7, rows=3)
TABLE = pa.table(
    {
        "whole": pa.array([1, None, 3], pa.int32()),
        "decimal": pa.array([0.1, None, 5.0]),
        "category": pa.array(["a", None, "b"]).dictionary_encode(),
        "truth": pa.array([True, None, False]),
        "day": pa.array([date(1900, 1, 1), None, date(2024, 2, 29)]),
        "moment": pa.array([datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=UTC), None, None], pa.timestamp("us", "UTC")),
        "span": pa.array([timedelta(seconds=1), None, None]),
        "<script>\n'\"": pa.array(["x", "", "\0"]),
    }
)


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def put(table: pa.Table, path: Path, record: Record = RECORD, *, overwrite: bool = False) -> int:
    return parquet.write(table.to_batches(), path, record, schema=table.schema, overwrite=overwrite)


def numbers(rows: int) -> pa.Table:
    draw = np.random.Generator(np.random.Philox(key=1))
    return pa.table(
        {"a": draw.normal(size=rows), "b": draw.integers(0, 9, rows), "c": [f"{i % 50}" for i in range(rows)]}
    )


def test_round_trip_with_the_stamp(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    assert put(TABLE, path) == 3
    assert pq.read_table(path).equals(TABLE)
    assert parquet.read_stamp(path) == RECORD.to_dict()
    assert Record.from_dict(parquet.read_stamp(path) or {}) == RECORD
    assert listed(tmp_path) == ["rows.parquet"]


def test_the_stamp_survives_a_selection_and_the_loss_of_the_key_value_part(tmp_path: Path) -> None:
    put(TABLE, tmp_path / "rows.parquet")
    picked = pq.read_table(tmp_path / "rows.parquet", columns=["day", "truth"])
    assert parquet.stamp_of(picked.schema) == RECORD.to_dict()
    bare = picked.replace_schema_metadata(None)
    assert parquet.stamp_of(bare.schema) == {"synthetic": True, "digest": RECORD.digest(), "generation": 1}
    pq.write_table(bare, tmp_path / "picked.parquet")
    stamp = parquet.read_stamp(tmp_path / "picked.parquet")
    assert Input.of("picked", sha256="1", rows=3, stamp=stamp).record == RECORD.digest()


def test_an_unmarked_file_has_no_stamp(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "real.parquet")
    assert parquet.read_stamp(tmp_path / "real.parquet") is None


def test_an_altered_stamp_is_refused(tmp_path: Path) -> None:
    marked = parquet.stamp(TABLE.schema, RECORD)
    forged = marked.metadata[parquet.KEY].replace(b'"rows":3', b'"rows":4')
    pq.write_table(TABLE.cast(marked.with_metadata({parquet.KEY: forged})), tmp_path / "forged.parquet")
    with pytest.raises(TraceError, match=r"forged\.parquet: the record was altered"):
        parquet.read_stamp(tmp_path / "forged.parquet")
    field = TABLE.schema.field("day").with_metadata({parquet.FIELD_KEY: b"{}"})
    with pytest.raises(TraceError, match='column "day"'):
        parquet.stamp_of(pa.schema([field]))


def test_a_new_stamp_takes_the_place_of_the_old(tmp_path: Path) -> None:
    put(TABLE, tmp_path / "first.parquet")
    second = replace(RECORD, dataset="second", inputs=(Input("first", "1", 3, generation=1, record="2"),))
    put(pq.read_table(tmp_path / "first.parquet"), tmp_path / "second.parquet", second)
    stamp = parquet.read_stamp(tmp_path / "second.parquet")
    assert stamp == second.to_dict()
    assert stamp["generation"] == 2


def test_same_rows_same_bytes_however_they_are_cut(tmp_path: Path) -> None:
    table = numbers(150_000)
    files = []
    for size in (1_000, 65_536, 65_537, 150_000):
        files.append(tmp_path / f"{size}.parquet")
        parquet.write(table.to_batches(max_chunksize=size), files[-1], RECORD, schema=table.schema)
    assert len({file.read_bytes() for file in files}) == 1
    groups = pq.ParquetFile(files[0]).metadata
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [65_536, 65_536, 18_928]
    assert pq.read_table(files[0]).equals(table)


def test_a_file_put_in_its_place_has_the_same_bytes(tmp_path: Path) -> None:
    put(TABLE, tmp_path / "a.parquet")
    assert parquet.put(TABLE.to_batches(), tmp_path / "b.parquet", RECORD, schema=TABLE.schema) == 3
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_shards_join_to_the_bytes_of_one_write(tmp_path: Path) -> None:
    table = numbers(150_000)
    shards = []
    for start in range(0, 150_000, 40_000):
        shards.append(tmp_path / f"part-{start}.parquet")
        put(table.slice(start, 40_000), shards[-1])
    assert parquet.concatenate(shards, tmp_path / "joined.parquet", RECORD) == 150_000
    put(table, tmp_path / "whole.parquet")
    assert (tmp_path / "joined.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_joining_refuses_strangers(tmp_path: Path) -> None:
    put(TABLE, tmp_path / "a.parquet")
    put(numbers(3), tmp_path / "b.parquet")
    with pytest.raises(TraceError, match=r"b\.parquet has other columns than a\.parquet"):
        parquet.concatenate([tmp_path / "a.parquet", tmp_path / "b.parquet"], tmp_path / "c.parquet", RECORD)
    assert not (tmp_path / "c.parquet").exists()
    with pytest.raises(InputError, match="no shards"):
        parquet.concatenate([], tmp_path / "c.parquet", RECORD)


def test_pandas_gets_its_dtypes_back_and_no_count_of_real_rows(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "category": pd.Categorical(["a", "b", "a"], categories=["b", "a"], ordered=True),
            "moment": pd.to_datetime(["2024-01-01", None, "2024-02-29"]).tz_localize("Europe/Berlin"),
            "truth": pd.array([True, None, False], dtype="boolean"),
        }
    )
    real = pa.Table.from_pandas(pd.concat([frame] * 5, ignore_index=True))
    put(real.slice(0, 3), tmp_path / "rows.parquet")
    back = pd.read_parquet(tmp_path / "rows.parquet")
    pd.testing.assert_frame_equal(back, frame)
    pandas = json.loads(pq.read_schema(tmp_path / "rows.parquet").metadata[b"pandas"])
    assert pandas["index_columns"] == []


def test_pandas_keeps_a_named_index(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5]}, index=pd.Index(["a", "b"], name="key"))
    put(pa.Table.from_pandas(frame), tmp_path / "rows.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "rows.parquet"), frame)
    broken = pa.table({"x": [1]}).replace_schema_metadata({b"pandas": b"{"})
    with pytest.raises(InputError, match="metadata for pandas"):
        put(broken, tmp_path / "broken.parquet")


@pytest.mark.parametrize("table", [TABLE.slice(0, 0), TABLE.slice(0, 1), pa.table({f"c{i}": [i] for i in range(500)})])
def test_no_rows_one_row_many_columns(table: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    assert put(table, path) == table.num_rows
    assert pq.read_table(path).equals(table)
    assert parquet.read_stamp(path) == RECORD.to_dict()


def test_a_failing_stream_leaves_nothing(tmp_path: Path) -> None:
    def stream() -> object:
        yield TABLE.to_batches()[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parquet.write(stream(), tmp_path / "rows.parquet", RECORD, schema=TABLE.schema)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="or other types"):
        parquet.write(numbers(3).to_batches(), tmp_path / "rows.parquet", RECORD, schema=TABLE.schema)
    assert listed(tmp_path) == []


def test_reading_the_stamp_of_what_is_no_parquet_file(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("a,b")
    with pytest.raises(InputError, match="is not a Parquet file"):
        parquet.read_stamp(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="no file"):
        parquet.read_stamp(tmp_path / "b.parquet")
