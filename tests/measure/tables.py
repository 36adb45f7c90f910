"""A table with planted structure, and what can be done to it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tuckpoint.schema import Column, Domain, Schema

SCHEMA = Schema(
    (
        Column("age", "integer", "int64"),
        Column("hours", "decimal", "double", missing=True, decimals=1),
        Column("since", "date", "date32[day]"),
        Column("town", "category", "string"),
        Column("grade", "ordered", "string", domain=Domain("public", levels=("low", "mid", "high"))),
        Column("member", "boolean", "bool"),
        Column("pay", "decimal", "double", decimals=2),
        Column("rich", "category", "string"),
        Column("email", "identifier", "string", pattern="email"),
    ),
    target="rich",
)
TOWNS = ("Ash", "Birch", "Cedar", "Dale", "Elm", "Fern", "Glen", "Hill")


def people(rows: int, seed: int) -> pa.Table:
    """Columns that hang together: pay by age, hours and grade; rich by pay; town by grade; a rare town."""
    random = np.random.default_rng(seed)
    age = np.clip(random.normal(42, 12, rows), 18, 80).round()
    grade = np.digitize(age + random.normal(0, 10, rows), [36, 50])
    hours = np.round(np.clip(random.normal(36 + 2 * grade, 6), 5, 70), 1)
    town = np.where(random.random(rows) < 0.6, grade * 2 + random.integers(0, 2, rows), random.integers(0, 7, rows))
    town = np.where(random.random(rows) < 0.008, 7, town)
    pay = np.round(np.exp(random.normal(0, 0.25, rows)) * hours * (30 + age / 2 + 15 * grade), 2)
    rich = random.random(rows) < 1 / (1 + np.exp(-(pay - 3200) / 350))
    since = 12_000 + (80 - age) * 30 + random.integers(0, 300, rows)
    return pa.table(
        {
            "age": pa.array(age.astype(np.int64)),
            "hours": pa.array(hours, mask=random.random(rows) < 0.06),
            "since": pa.array(since.astype(np.int32), pa.int32()).cast(pa.date32()),
            "town": pa.array([TOWNS[t] for t in town]),
            "grade": pa.array([("low", "mid", "high")[g] for g in grade]),
            "member": pa.array(random.random(rows) < 0.3 + 0.2 * grade),
            "pay": pa.array(pay),
            "rich": pa.array(np.where(rich, "yes", "no")),
            "email": pa.array([f"p{seed}-{i}@example.org" for i in range(rows)]),
        }
    )


def independent(table: pa.Table, seed: int) -> pa.Table:
    """Each column shuffled alone: every single column right, nothing else."""
    random = np.random.default_rng(seed)
    return pa.table({name: table[name].take(random.permutation(table.num_rows)) for name in table.column_names})
