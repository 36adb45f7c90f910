"""Signs of damaged files: broken letters, header lines among the rows, other spellings and other units."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tuckpoint.errors import count
from tuckpoint.gap.finding import Leak
from tuckpoint.schema import Schema
from tuckpoint.table.engine import Encoded

BROKEN = re.compile("\ufffd|\x00|Ã[\u0080-\u00bf]|â€")  # replacement marks, and UTF-8 that was read as Latin-1
FACTOR = 8.0  # by which medians differ where a unit may have changed
APART = 3.0  # quartile distances of the reference that the median must have moved as well


def damaged(table: pa.Table, name: str) -> list[Leak]:
    """What looks broken in one table."""
    found = []
    texts = [n for n, c in zip(table.column_names, table.columns, strict=True) if pa.types.is_string(c.type)]
    for column in texts:
        counts = pc.value_counts(table[column].drop_null())
        bad = sum(c.as_py() for v, c in zip(counts.field(0), counts.field(1), strict=True) if BROKEN.search(v.as_py()))
        if bad:
            told = f"{name}: {count(bad, 'value')} of {column} with broken letters; read the file in its own encoding"
            found.append(Leak("broken letters", told, bad, False))
    heads = pa.array([True] * table.num_rows)
    for column in texts:
        heads = pc.and_(heads, pc.fill_null(pc.equal(table[column], column), False).combine_chunks())
    if len(texts) > 1 and (again := int(pc.sum(heads).as_py() or 0)):
        told = f"{name}: its header stands {count(again, 'time')} among its rows"
        found.append(Leak("header", told, again, False))
    empty = [n for n, c in zip(table.column_names, table.columns, strict=True) if c.null_count == len(c)]
    if empty and table.num_rows:
        found.append(Leak("empty", f"{name}: {', '.join(empty)} holds no value at all", len(empty), False))
    return found


def units(train: Encoded, reference: Encoded, schema: Schema) -> list[Leak]:
    """Numbers whose unit may differ between two tables, which makes gaps that are none: medians that differ by a factor
    of 8 and more, and by three quartile distances.
    """
    found = []
    for field in reference.fields:
        first, second = train.columns[field.name], reference.columns[field.name]
        if field.numeric:
            a, b = first[~np.isnan(first)], second[~np.isnan(second)]
            if len(a) < 20 or len(b) < 20 or schema[field.name].kind in ("date", "datetime"):
                continue
            low, middle, high = np.quantile(b, [0.25, 0.5, 0.75])
            mine = float(np.median(a))
            ratio = abs(mine / middle) if middle and mine else 1.0
            if max(ratio, 1 / ratio) >= FACTOR and abs(mine - middle) > APART * max(high - low, 1e-300):
                told = (
                    f"{field.name}: its median is {mine:.4g} here and {middle:.4g} in the reference; "
                    "is the unit another?"
                )
                found.append(Leak("units", told, len(a), False))
    return found


def spellings(train: pa.Table, reference: pa.Table, schema: Schema) -> list[Leak]:
    """Levels of the one table that the other writes in other case, spaces or punctuation."""
    found = []
    for column in schema.columns:
        if column.kind not in ("category", "ordered") or column.name not in reference.column_names:
            continue
        mine, theirs = (
            set(map(str, side[column.name].unique().drop_null().to_pylist())) for side in (train, reference)
        )
        plain = {_plain(level): level for level in theirs}
        pairs = [(one, plain[_plain(one)]) for one in sorted(mine - theirs) if plain.get(_plain(one)) is not None]
        pairs = [(one, other) for one, other in pairs if other not in mine]
        if pairs:
            one, other = pairs[0]
            told = (
                f'{column.name}: "{one}" here is "{other}" in the reference ({len(pairs)} such levels); '
                "write them alike"
            )
            found.append(Leak("spelling", told, len(pairs), False))
    return found


def _plain(level: str) -> str:
    return re.sub(r"[\W_]+", "", level).casefold()
