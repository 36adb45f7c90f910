from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pytest

from tuckpoint.errors import InputError
from tuckpoint.record import Maker, Record
from tuckpoint.write.table import SUFFIXES, concatenate, read_stamp, suffix, write

RECORD = Record(dataset="census", maker=Maker("trees"), recipe="cd" * 32, seed=7, rows=3)
TABLE = pa.table({"a": [1, 2, 3], "b": ["x", "y", None]})


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("ending", SUFFIXES)
def test_each_format_is_stamped_and_repeats(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows{ending}"
    assert write(TABLE, path, RECORD) == 3
    assert read_stamp(path) == RECORD.to_dict()
    first = path.read_bytes()
    write(TABLE, str(path), RECORD, overwrite=True)
    assert path.read_bytes() == first
    with pytest.raises(InputError, match="exists already"):
        write(TABLE, path, RECORD)


def test_streams(tmp_path: Path) -> None:
    batches = TABLE.to_batches(max_chunksize=1)
    assert write(iter(batches), tmp_path / "a.parquet", RECORD) == 3
    assert write(pa.RecordBatchReader.from_batches(TABLE.schema, batches), tmp_path / "b.parquet", RECORD) == 3
    assert write([], tmp_path / "c.parquet", RECORD, schema=TABLE.schema) == 0
    assert pq.read_table(tmp_path / "a.parquet").equals(TABLE)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert pq.read_table(tmp_path / "c.parquet").schema.equals(TABLE.schema)
    with pytest.raises(InputError, match="pass `schema`"):
        write([], tmp_path / "d.parquet", RECORD)


def test_refusals_come_before_the_work(tmp_path: Path) -> None:
    drawn = []

    def stream() -> object:
        drawn.append(1)
        yield TABLE.to_batches()[0]

    for name, words in (
        ("gone/rows.csv", "mkdir -p"),
        ("rows.xlsx", r"no format for '\.xlsx'"),
        ("rows", "use .parquet"),
    ):
        with pytest.raises(InputError, match=words):
            write(stream(), tmp_path / name, RECORD)  # type: ignore[arg-type]
    assert not drawn


def test_suffixes() -> None:
    assert suffix(Path("a.b.CSV.Gz")) == ".csv.gz"
    assert suffix(Path("a.parquet")) == ".parquet"
    with pytest.raises(InputError, match=r'did you mean "\.parquet"'):
        suffix(Path("a.parqet"))


def test_parquet_shards_become_any_format(tmp_path: Path) -> None:
    shards = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    write(TABLE.slice(0, 2), shards[0], RECORD)
    write(TABLE.slice(2), shards[1], RECORD)
    concatenate(shards, tmp_path / "rows.parquet", RECORD)
    concatenate(shards, tmp_path / "rows.csv.gz", RECORD)
    assert pq.read_table(tmp_path / "rows.parquet").equals(TABLE)
    assert arrow_csv.read_csv(tmp_path / "rows.csv.gz")["a"].to_pylist() == [1, 2, 3]
    assert read_stamp(tmp_path / "rows.csv.gz") == RECORD.to_dict()


def test_csv_shards_become_csv_only(tmp_path: Path) -> None:
    write(TABLE, tmp_path / "0.csv", RECORD)
    concatenate([tmp_path / "0.csv"] * 2, tmp_path / "rows.csv", RECORD)
    assert (tmp_path / "rows.csv").read_text("utf-8") == "a,b\n" + "1,x\n2,y\n3,\n" * 2
    with pytest.raises(InputError, match="make the shards in Parquet"):
        concatenate([tmp_path / "0.csv"], tmp_path / "rows.parquet", RECORD)
    with pytest.raises(InputError, match="no shards"):
        concatenate([], tmp_path / "rows.parquet", RECORD)
    assert "rows.parquet" not in listed(tmp_path)
