"""The one scorer: the published definitions, by the functions of tuckpoint.measure, on rows no generator has seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tuckpoint.measure.attacks.copies import exact_copies, near_copies
from tuckpoint.measure.attacks.membership import membership
from tuckpoint.measure.attacks.nearest import nearest_record_share
from tuckpoint.measure.detect import detection, detection_against_training
from tuckpoint.measure.evaluate import rule_adherence
from tuckpoint.measure.fidelity import correlation_error, distances, missing_share_error, rare_level_coverage
from tuckpoint.measure.prepare import Space, plain, prepare
from tuckpoint.measure.utility import global_utility, utility
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.frame import read
from tuckpoint.table.infer import infer
from tuckpoint.table.rules import RuleBook, mine

SEED = Seed(0, ("bench",))  # one judge for all: the generator's seed never reaches it
JUDGES = 3  # judges that draw rows or folds are asked this often, and their mean is told
Figures = dict[str, float | None]


def score(train: Any, made_file: Path, holdout: Any, *, target: str) -> dict[str, float]:
    """All figures of one made table; `train` and `holdout` are pandas frames, `made_file` is Parquet.

    `*_floor`, `*_null` and `trtr` are what real rows reach. Figures that cannot be computed are left out.
    """
    real, held = (pa.Table.from_pandas(frame, preserve_index=False) for frame in (train, holdout))
    space = prepare(real, pq.read_table(made_file), held, plain(real, target))
    figures = fidelity(space) | use(space, target) | told(space) | privacy(space) | obeyed(train, made_file, holdout)
    return {name: round(value, 6) for name, value in figures.items() if value is not None}


def fidelity(space: Space) -> Figures:
    """Distances, correlations, missing values and rare levels, with as many made rows as the holdout has."""
    real, made, holdout = space.real, space.made, space.holdout
    assert holdout is not None
    figures: Figures = {"n_train": real.rows, "n_holdout": holdout.rows, "n_made": made.rows}
    for ways in (1, 2):
        found = distances(real, made, holdout, seed=SEED.child("distance", ways), ways=ways)
        assert found.holdout is not None
        figures[f"tvd{ways}"] = float(found.made_full.mean())
        figures[f"tvd{ways}_eq"] = float(found.made.mean())
        figures[f"tvd{ways}_floor"] = float(found.holdout.mean())
    figures |= paired("spearman", correlation_error(real, made, holdout, seed=SEED.child("correlation")))
    figures |= paired("missing", missing_share_error(real, made, holdout, seed=SEED.child("missing")))
    return figures | paired("rare", rare_level_coverage(real, made, holdout, seed=SEED.child("rare")))


def obeyed(train: Any, made_file: Path, holdout: Any) -> Figures:
    """Share of made rows that break none of the rules that all training rows obey, and that share of holdout rows."""
    real, made, held = (read(source).table for source in (train, made_file, holdout))
    schema = infer(real)
    encoded = encode(real, schema)
    book = RuleBook(mine(encoded), encoded.fields)
    return paired("rules", rule_adherence(made, held, schema, book)[0])


def use(space: Space, target: str) -> Figures:
    """Training on made rows, for the target and for every column in turn, beside training on real rows."""
    found = utility(space.real, space.made, space.holdout, target, seed=SEED.child("utility"))
    every = global_utility(space.real, space.made, space.holdout, seed=SEED.child("columns"))
    return {"tstr": found.value, "trtr": found.reference} | paired("global", every)


def told(space: Space) -> Figures:
    """Detection against the holdout and against the training rows."""
    made, real, holdout = space.made, space.real, space.holdout
    found = judged("detection", lambda seed: detection(real, made, holdout, seed=seed))
    training = judged("detection", lambda seed: detection_against_training(real, made, seed=seed))
    return {"c2st": found[0], "c2st_null": found[1], "c2st_train": training[0], "n_c2st": found[2]}


def privacy(space: Space) -> Figures:
    """Membership, nearest-record share, exact and near copies."""
    sides = space.real, space.made, space.holdout
    member = judged("membership", lambda seed: membership(*sides, seed=seed))
    nearest = judged("nearest", lambda seed: nearest_record_share(*sides, seed=seed))
    near = near_copies(*sides, seed=SEED.child("near"))
    return (
        {"mia": member[0], "n_mia": member[2], "dcr": nearest[0]}
        | paired("copies", exact_copies(*sides))
        | paired("near", near)
    )


def paired(name: str, found: Score) -> Figures:
    """A score and, as `NAME_floor`, what real rows reach."""
    return {name: found.value, f"{name}_floor": found.reference}


def judged(name: str, judge: Callable[[Seed], Score]) -> tuple[float | None, float | None, int]:
    """Mean value and mean reference of several judges that differ in their draws, and the rows a side."""
    found = [judge(SEED.child(name, i)) for i in range(JUDGES)]
    return average([one.value for one in found]), average([one.reference for one in found]), found[0].n


def average(values: list[float | None]) -> float | None:
    """The mean; None if any is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None
