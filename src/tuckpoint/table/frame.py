"""Any dataframe or file in, an Arrow table inside, and the kind that came in back out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tuckpoint.errors import InputError, SchemaError
from tuckpoint.table import delimited
from tuckpoint.write.csv import SEPARATOR

SUFFIXES = (".parquet", *delimited.SUFFIXES)


@dataclass(frozen=True)
class Frame:
    """A table and where it came from.

    `kind` is `path`, `arrow`, `pandas`, `polars` or another dataframe library's name; `name` a file's bare name or the
    kind; `digest` the SHA-256 of names, types and values, the same however the memory is laid out. `template` has no
    rows; it keeps the types that Arrow forgets.
    """

    table: pa.Table
    kind: str
    name: str
    digest: str
    template: Any = None


def read(source: Any) -> Frame:
    """Read a pandas, Polars, Arrow or other dataframe that narwhals knows, or a .parquet, .csv or .tsv file.

    Text files may be packed (.gz .bz2 .xz .zst); all their columns come as text, null where empty. The caller's data
    stay as they are. Raises InputError for what cannot be read, SchemaError for columns that cannot be told apart.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        table = _file(path)
        kind, name, template = "path", path.name, None
    elif isinstance(source, pa.Table | pa.RecordBatch | pa.RecordBatchReader):
        table = source if isinstance(source, pa.Table) else _gathered(source)
        kind, name, template = "arrow", "arrow", table.schema.empty_table() if _unique(table.column_names) else None
    else:
        table, kind, template = _dataframe(source)
        name = kind
    _check_names(table.column_names, name)
    table = pa.table([_plain(n, c) for n, c in zip(table.column_names, table.columns, strict=True)], _schema(table))
    return Frame(table=table, kind=kind, name=name, digest=digest(table), template=template)


def give_back(table: pa.Table, like: Frame) -> Any:
    """The table as the kind of dataframe that `like` was read from; an Arrow table for a file.

    Types that Arrow forgets (pandas' nullable integers, Polars' categories) return where the values allow it.
    """
    if like.kind == "path" or like.template is None:
        return table
    if like.kind == "arrow":
        return _retyped(table, like.template.schema)
    import narwhals as nw
    from narwhals.exceptions import NarwhalsError

    if like.kind == "pandas":
        return _as_pandas(table, like.template)
    frame: Any = nw.from_arrow(table, backend=cast(Any, like.kind))
    known = nw.from_native(like.template, eager_only=True).schema
    wanted = {name: dtype for name, dtype in known.items() if name in frame.columns and dtype != frame.schema[name]}
    for name, dtype in wanted.items():
        try:
            frame = frame.with_columns(nw.col(name).cast(dtype))
        except (NarwhalsError, TypeError, ValueError):  # such as a pooled level that an enumeration does not know
            continue
    return frame.to_native()


def digest(table: pa.Table) -> str:
    """SHA-256 of names, types and values; chunks, offsets, dictionaries and metadata do not count."""
    hashed = hashlib.sha256()
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind, parts = _canonical(column)
        hashed.update(f"{len(name)}:{name}:{kind}:{len(column)};".encode())
        for part in parts:
            hashed.update(part)
    return hashed.hexdigest()


def _file(path: Path) -> pa.Table:
    name = path.name.lower()
    if path.is_dir():
        raise InputError(f"{path} is a folder; pass one of the files in it")
    if not name.endswith(SUFFIXES):
        raise InputError(f"{path.name}: unknown kind of file; pass one that ends in {', '.join(SUFFIXES)}")
    if not path.exists():
        raise InputError(f"no file {path}")
    if not name.endswith(".parquet"):
        return delimited.read(path)
    from pyarrow import parquet

    try:
        with path.open("rb") as file:
            return parquet.ParquetFile(file).read()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path.name} cannot be read as Parquet: {error}") from None


def _gathered(source: pa.RecordBatch | pa.RecordBatchReader) -> pa.Table:
    return pa.Table.from_batches([source]) if isinstance(source, pa.RecordBatch) else source.read_all()


def _dataframe(source: Any) -> tuple[pa.Table, str, Any]:
    import narwhals as nw
    from narwhals.dependencies import is_pandas_dataframe

    if is_pandas_dataframe(source):
        names = [str(name) for name in source.columns]
        _check_names(names, "pandas")
        columns = [_from_pandas(name, source.iloc[:, at]) for at, name in enumerate(names)]
        return pa.table(columns, names), "pandas", source.iloc[:0]
    try:
        frame = nw.from_native(source)
        if isinstance(frame, nw.LazyFrame):
            frame = frame.collect(backend="polars" if "polars" in type(source).__module__ else "pyarrow")
    except TypeError:
        raise InputError(
            f"cannot read a {type(source).__name__} as a table; pass a pandas, Polars or Arrow table, or a path"
        ) from None
    native = frame.to_native()
    if isinstance(native, pa.Table):
        return native, "arrow", native.schema.empty_table()
    return frame.to_arrow(), frame.implementation.value, frame.head(0).to_native()


def _from_pandas(name: str, series: Any) -> pa.ChunkedArray | pa.Array:
    cut = _intervals(series.dtype)
    if cut is not None:
        series = series.cat.rename_categories(list(cut))
    try:
        array = pa.Array.from_pandas(series)
    except (
        pa.ArrowInvalid,
        pa.ArrowTypeError,
        OverflowError,
    ):  # objects of several types: their text, for inference to judge
        missing = series.isna()
        array = pa.array([None if gone else str(value) for gone, value in zip(missing, series, strict=True)])
    except pa.ArrowNotImplementedError as error:
        raise InputError(f'column "{name}": {error}; change its type or leave it out') from None
    if isinstance(array.type, pa.BaseExtensionType):  # periods, intervals
        array = pa.Array.from_pandas(series.astype(str).where(series.notna(), None))
    return array


def _intervals(dtype: Any) -> dict[str, Any] | None:
    """The intervals that are the categories of a pandas column, by their text; None for other columns."""
    categories: Any = getattr(dtype, "categories", None)
    return {str(one): one for one in categories} if getattr(categories, "closed", None) is not None else None


def _plain(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column in one of the few types that the table trade knows."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        if pa.types.is_string(kind.value_type):
            return column
        return column.cast(pa.dictionary(pa.int32(), _type(name, kind.value_type), ordered=kind.ordered))
    wanted = _type(name, kind)
    return column if wanted == kind else column.cast(wanted)


def _type(name: str, kind: pa.DataType) -> pa.DataType:
    known = pa.types
    if known.is_large_string(kind) or kind == pa.string_view():
        return pa.string()
    simple = (known.is_integer, known.is_floating, known.is_decimal, known.is_boolean, known.is_string, known.is_null)
    if any(test(kind) for test in (*simple, known.is_temporal)) and not known.is_interval(kind):
        return kind
    raise SchemaError(
        f'column "{name}" holds {kind}; only numbers, text, dates, times and truth values make a table: '
        "flatten the column or leave it out"
    )


def _schema(table: pa.Table) -> pa.Schema:
    fields = []
    for field, name in zip(table.schema, table.column_names, strict=True):
        kind = field.type
        if pa.types.is_dictionary(kind) and not pa.types.is_string(kind.value_type):
            kind = pa.dictionary(pa.int32(), _type(name, kind.value_type), ordered=kind.ordered)
        elif not pa.types.is_dictionary(kind):
            kind = _type(name, kind)
        mark = (field.metadata or {}).get(delimited.MARK)
        fields.append(pa.field(name, kind, metadata={delimited.MARK: mark} if mark else None))
    told = (table.schema.metadata or {}).get(SEPARATOR)
    return pa.schema(fields, metadata={SEPARATOR: told} if told else None)


def _unique(names: Iterable[str]) -> bool:
    listed = list(names)
    return len(set(listed)) == len(listed)


def _check_names(names: list[str], where: str) -> None:
    if not names:
        raise InputError(f"{where} holds no columns; pass a table with at least one")
    seen: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if name in seen:
            raise SchemaError(
                f'{where}: columns {seen[name]} and {position} are both called "{name}"; rename one of them'
            )
        seen[name] = position


def _canonical(column: pa.ChunkedArray) -> tuple[str, list[Any]]:
    """A type name and buffers that depend on the values alone."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = str(column.type)
    if pa.types.is_null(column.type):
        return kind, []
    validity = [np.packbits(column.is_valid().to_numpy())] if column.null_count else []
    if pa.types.is_string(column.type) or pa.types.is_decimal(column.type):
        text = pc.fill_null(column.cast(pa.large_string()), "").combine_chunks()
        text = text if isinstance(text, pa.Array) else pa.concat_arrays(text.chunks)
        offsets = np.frombuffer(text.buffers()[1], np.int64)[text.offset : text.offset + len(text) + 1]
        data = text.buffers()[2]
        lengths = np.diff(offsets) if len(text) else offsets[:0]
        return kind, [*validity, lengths, memoryview(data)[offsets[0] : offsets[-1]] if data and len(text) else b""]
    if pa.types.is_boolean(column.type):
        return kind, [*validity, np.packbits(pc.fill_null(column, False).to_numpy())]
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.int32() if column.type.bit_width == 32 else pa.int64())
    filled = pc.fill_null(column, pa.scalar(0).cast(column.type))
    return kind, [*validity, np.ascontiguousarray(filled.to_numpy())]


def _retyped(table: pa.Table, schema: pa.Schema) -> pa.Table:
    for at, name in enumerate(table.column_names):
        wanted = schema.field(name).type if name in schema.names else table.schema.field(at).type
        if table.schema.field(at).type != wanted:
            try:
                table = table.set_column(at, name, table.column(at).cast(wanted))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # the values outgrew the type: keep theirs
                continue
    return table


def _as_pandas(table: pa.Table, template: Any) -> Any:
    frame = table.to_pandas(date_as_object=True)
    originals = {str(name): name for name in template.columns}
    for name in table.column_names:
        wanted = template[originals[name]].dtype if name in originals else None
        if wanted is not None and frame[name].dtype != wanted:
            cut = _intervals(wanted)
            if cut is not None:
                frame[name] = frame[name].map(cut)
            try:
                frame[name] = frame[name].astype(wanted)
            except (TypeError, ValueError):  # such as integers that now have missing values
                continue
    return frame.rename(columns=originals)
