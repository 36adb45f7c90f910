"""Measures a made table whole: every score with its interval and reference, the claims they decide, and the views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pyarrow as pa

from tuckpoint.errors import InputError, did_you_mean, listed
from tuckpoint.measure import fidelity
from tuckpoint.measure.attacks.copies import exact_copies, near_copies, reissued_identifiers
from tuckpoint.measure.attacks.membership import membership
from tuckpoint.measure.attacks.nearest import nearest_record_share
from tuckpoint.measure.detect import detection, detection_against_training
from tuckpoint.measure.evaluation import Evaluation
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.measure.limits import DEFAULT, Limits
from tuckpoint.measure.prepare import Space, coded, prepare
from tuckpoint.measure.sides import check_overlap
from tuckpoint.measure.unseen import unseen_pairs
from tuckpoint.measure.utility import global_utility, utility
from tuckpoint.measure.views import column_views, pair_views
from tuckpoint.schema import Schema
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, Field, Progress, quiet

CLAIMS: dict[str, tuple[str, ...]] = {
    "fidelity": (
        "detection", "one_way_distance", "two_way_distance", "correlation_error", "rare_level_coverage", "unseen_pairs",
    ),
    "utility": ("utility", "global_utility"),
    "copies & membership": (
        "exact_copies", "near_copies", "membership", "detection_against_training", "reissued_identifiers",
    ),
    "missing values": ("missing_share_error",),
    "rules": ("rule_adherence",),
}  # fmt: skip
JUDGED = 4  # draws of rows that `judge` asks membership on
# Left out of a claim where the table has nothing that they could be measured on.
OPTIONAL = {
    "rule_adherence", "correlation_error", "rare_level_coverage", "two_way_distance", "global_utility", "unseen_pairs",
}  # fmt: skip


class Rules(Protocol):
    """What is asked of a rule book: the fields its codes refer to, and which rows break which rule."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """All columns the rules speak of."""
        ...

    def violations(self, columns: Mapping[str, Array], *, every: bool = False) -> Mapping[str, Array]:
        """Per rule a mask (n,) of the rows that break it; `every` asks also for those that construction settles."""
        ...


def evaluate(
    real: pa.Table,
    made: pa.Table,
    holdout: pa.Table | None,
    schema: Schema,
    *,
    target: str | None = None,
    seed: Seed,
    rules: Rules | None = None,
    threads: int = 1,
    progress: Progress = quiet,
    limits: Limits = DEFAULT,
) -> Evaluation:
    """Measure made rows against the real rows they were learnt from and against real rows held out.

    `target` defaults to the schema's. A score that cannot be computed says why; none is left out. Raises InputError
    for tables that cannot be compared, or a holdout that overlaps the real rows.
    """
    progress("reading", 0.0)
    space = prepare(real, made, holdout, schema)
    if space.holdout is not None:
        check_overlap(space.real, space.holdout)
    target = schema.target if target is None else target
    if target is not None and target not in space.real.columns:
        raise InputError(
            f'target "{target}" is no compared column{did_you_mean(target, space.real.columns)}; '
            f"choose one of: {listed(space.real.columns)}"
        )
    progress("distances", 0.05)
    seed = seed.child("measure")
    one, two = (
        fidelity.distances(space.real, space.made, space.holdout, seed=seed.child("ways", w), ways=w) for w in (1, 2)
    )
    scores = [fidelity.distance_score(one, limits=limits), fidelity.distance_score(two, limits=limits)]
    scores += measured(space, target, seed=seed, threads=threads, limits=limits, progress=progress)
    scores += reissued_identifiers(real, made, holdout, schema)
    scores += [] if rules is None else rule_adherence(made, holdout, schema, rules)
    sides = {"real": real.num_rows, "made": made.num_rows, "holdout": 0 if holdout is None else holdout.num_rows}
    progress("done", 1.0)
    columns = column_views(space.real, space.made, one, space.kinds)
    return Evaluation(sides, target, tuple(scores), columns, pair_views(two), claims(scores), space.notes)


def measured(
    space: Space, target: str | None, *, seed: Seed, threads: int, limits: Limits, progress: Progress
) -> list[Score]:
    """All scores of the shared space but the distances."""
    real, made, holdout = space.real, space.made, space.holdout
    scores = [
        fidelity.correlation_error(real, made, holdout, seed=seed.child("correlation"), limits=limits),
        fidelity.missing_share_error(real, made, holdout, seed=seed.child("missing"), limits=limits),
        fidelity.rare_level_coverage(real, made, holdout, seed=seed.child("rare"), limits=limits),
        unseen_pairs(real, made, holdout, kinds=space.kinds, seed=seed.child("unseen"), limits=limits),
    ]
    progress("detection", 0.2)
    scores.append(detection(real, made, holdout, seed=seed.child("detect"), threads=threads, limits=limits))
    progress("detection against training rows", 0.4)
    scores.append(detection_against_training(real, made, seed=seed.child("detect"), threads=threads, limits=limits))
    progress("utility", 0.5)
    if target is not None:
        scores.append(utility(real, made, holdout, target, seed=seed.child("utility"), threads=threads, limits=limits))
    scores.append(
        global_utility(
            real, made, holdout, seed=seed.child("global"), threads=threads, limits=limits,
            progress=lambda what, share: progress(what, 0.6 + 0.25 * share),
        )
    )  # fmt: skip
    progress("copies and membership", 0.85)
    scores.append(exact_copies(real, made, holdout, limits=limits))
    scores.append(near_copies(real, made, holdout, seed=seed.child("near"), limits=limits))
    scores.append(membership(real, made, holdout, seed=seed.child("membership"), limits=limits))
    scores.append(nearest_record_share(real, made, holdout, seed=seed.child("nearest"), limits=limits))
    return scores


def claims(scores: list[Score]) -> dict[str, tuple[str, ...]]:
    """Which scores decide which claim: those asked for; what the table has no material for decides nothing."""
    known = {score.name: score for score in scores}
    found = {}
    for claim, names in CLAIMS.items():
        kept = [n for n in names if n in known and not (known[n].value is None and n in OPTIONAL)]
        if kept:
            found[claim] = tuple(kept)
    return found


def rule_adherence(made: pa.Table, holdout: pa.Table | None, schema: Schema, rules: Rules) -> list[Score]:
    """`rule_adherence`: share of made rows that break no rule, then one score for each rule that some row breaks.

    The reference is the share of real holdout rows that break none; the interval is Clopper and Pearson's.
    """
    sides = {"made": made} | ({} if holdout is None else {"holdout": holdout})
    broken = {
        side: rules.violations(coded(table, schema, rules.fields, side), every=True) for side, table in sides.items()
    }
    if not broken["made"]:
        return [Score("rule_adherence", None, better="higher", why="there are no rules to obey")]
    scores = []
    for rule in (None, *(name for name, mask in broken["made"].items() if mask.any())):
        kept = {
            side: ~np.any(list(masks.values()), axis=0) if rule is None else ~masks[rule]
            for side, masks in broken.items()
        }
        n, obeying = made.num_rows, int(kept["made"].sum())
        reference = float(kept["holdout"].mean()) if "holdout" in kept else None
        first = {} if obeying == n else {"first_row": int(np.argmin(kept["made"]))}
        scores.append(
            Score(
                "rule_adherence", obeying / n, *clopper_pearson(obeying, n), n, "higher", reference,
                "" if reference is None else "share of real holdout rows that obey", () if rule is None else (rule,),
                obeying == n, advice="" if obeying == n else "Make the rows with this rule given, or drop the rule.",
                allowed="100%",
                detail={"broken": n - obeying, "rules": len(broken["made"]), "interval_of": "value", **first},
            )
        )  # fmt: skip
    return scores


def judge(real: Encoded, made: Encoded, holdout: Encoded, target: str | None) -> Mapping[str, float]:
    """The numbers by which `auto` chooses: detection, two_way_distance, membership, and for a target utility beside
    `utility_reference`. A number that could not be computed is left out.
    """
    seed = Seed(0, ("judge",))
    scores = [
        detection(real, made, holdout, seed=seed),
        fidelity.distance_score(fidelity.distances(real, made, holdout, seed=seed, ways=2, most=100)),
    ]
    numbers = {score.name: score.value for score in scores}
    attacked = [membership(real, made, holdout, seed=seed.child(i)).value for i in range(JUDGED)]
    told = [value for value in attacked if value is not None]
    numbers["membership"] = float(np.mean(told)) if told else None
    if target is not None:
        score = utility(real, made, holdout, target, seed=seed)
        numbers |= {"utility": score.value, "utility_reference": score.reference}
    return {name: float(np.float64(value)) for name, value in numbers.items() if value is not None}
