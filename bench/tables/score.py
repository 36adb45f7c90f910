"""The one scorer: the published definitions, by the functions of tuckpoint.measure, on rows no generator has seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tuckpoint.measure.detect import detection, detection_against_training
from tuckpoint.measure.fidelity import correlation_error, distances, missing_share_error
from tuckpoint.measure.prepare import Space, plain, prepare
from tuckpoint.score import Score
from tuckpoint.seed import Seed

SEED = Seed(0, ("bench",))  # one judge for all: the generator's seed never reaches it


def score(train: Any, made_file: Path, holdout: Any, *, target: str) -> dict[str, float]:
    """All figures of one made table; `train` and `holdout` are pandas frames, `made_file` is Parquet.

    `*_floor`, `*_null` and `trtr` are what real rows reach. Figures that cannot be computed are left out.
    """
    real, held = (pa.Table.from_pandas(frame, preserve_index=False) for frame in (train, holdout))
    space = prepare(real, pq.read_table(made_file), held, plain(real, target))
    figures = fidelity(space) | told(space)
    return {name: round(value, 6) for name, value in figures.items() if value is not None}


def fidelity(space: Space) -> dict[str, float | None]:
    """Distances, correlations and missing values, `eq` with as many made rows as the holdout has."""
    assert space.holdout is not None
    figures: dict[str, float | None] = {"n_holdout": space.holdout.rows, "n_train": space.real.rows}
    for ways in (1, 2):
        found = distances(space.real, space.made, space.holdout, seed=SEED.child("distance", ways), ways=ways)
        assert found.holdout is not None
        figures[f"tvd{ways}"] = float(found.made_full.mean())
        figures[f"tvd{ways}_eq"] = float(found.made.mean())
        figures[f"tvd{ways}_floor"] = float(found.holdout.mean())
    correlation = correlation_error(space.real, space.made, space.holdout, seed=SEED.child("correlation"))
    figures |= both("spearman", correlation, "spearman_floor")
    missing = missing_share_error(space.real, space.made, space.holdout, seed=SEED.child("missing"))
    figures["missing"] = missing.detail.get("full", missing.value)
    return figures


def both(name: str, found: Score, reference: str) -> dict[str, float | None]:
    """A score and what real rows reach, under our own names."""
    return {name: found.value, reference: found.reference}


def told(space: Space) -> dict[str, float | None]:
    """Detection against the holdout and against the training rows."""
    assert space.holdout is not None
    found = detection(space.real, space.made, space.holdout, seed=SEED.child("detection"))
    training = detection_against_training(space.real, space.made, seed=SEED.child("detection"))
    return {**both("c2st", found, "c2st_null"), "n_c2st": found.n, "c2st_train": training.value}
