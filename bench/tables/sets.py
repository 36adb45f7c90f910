"""The seven public tables of the bench: how each is read, which column a model will predict, and the one split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class TableSet:
    """One data set, kept in a folder as NAME/NAME.csv; `dates` are columns that every generator gets as dates."""

    name: str
    target: str
    dates: tuple[str, ...] = ()


SETS: dict[str, TableSet] = {
    item.name: item
    for item in (
        TableSet("adult", "income"),
        TableSet("shoppers", "Revenue"),
        TableSet("default", "has_default"),
        TableSet("kc_house", "price", ("date",)),
        TableSet("diamonds", "price"),
        TableSet("insurance", "charges"),
        TableSet("stroke", "stroke"),
    )
}


def missing(folder: Path, names: tuple[str, ...]) -> str | None:
    """Why these sets cannot be read from the folder; None if they can."""
    lost = [str(path) for name in names if not (path := folder / name / f"{name}.csv").is_file()]
    if not lost:
        return None
    return (
        f"no data at {', '.join(lost)}; the first argument is a folder that holds NAME/NAME.csv for each of "
        f"{', '.join(names)} (public tables, described in bench/tables/README.md; they are not part of this repository)"
    )


def split(folder: Path, item: TableSet) -> tuple[Any, Any]:
    """Training and holdout rows as pandas data frames: the same 80 and 20 per cent for every generator and seed."""
    import pandas as pd

    frame = pd.read_csv(folder / item.name / f"{item.name}.csv", parse_dates=list(item.dates) or False)
    order = np.random.default_rng(0).permutation(len(frame))
    kept = int(0.8 * len(frame))
    return frame.iloc[order[:kept]].reset_index(drop=True), frame.iloc[order[kept:]].reset_index(drop=True)
