"""From gaps to a plan of a proof: what to do about each gap, and the plan for those that made rows may fill."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tuckpoint import parts
from tuckpoint.errors import InputError, RecipeError
from tuckpoint.prove.metric import LEAST
from tuckpoint.prove.plan import Folds, Metric, Plan, Source

Do = Literal["make", "collect", "nothing"]
VERSION = 1  # of gaps.json
NEEDED = math.ceil(LEAST / Folds().test)  # rows of a gap, so that enough of them are locked for a claim
MOST = 6  # gaps of one plan: Holm's procedure shares 5 % among their claims


@dataclass(frozen=True)
class Decision:
    """What to do about one gap: `rows` to make or to collect, and why."""

    where: str
    do: Do
    rows: int
    why: str


@dataclass(frozen=True)
class Draft:
    """What is to be done, gap by gap, and the plan; None where nothing is to be made."""

    decisions: tuple[Decision, ...]
    plan: Plan | None

    def to_yaml(self) -> str:
        """The plan as YAML, the decisions before it as comments."""
        told = [f"# {one.do} {one.rows:,} rows: {one.where}\n#   {one.why}" for one in self.decisions]
        return "\n".join([*told, "" if self.plan is None else self.plan.to_yaml()])


def draft(
    gaps: Mapping[str, Any],
    sources: Sequence[str] = ("trees",),
    *,
    metric: Metric | None = None,
    smallest_effect: float | None = None,
    seed: int = 0,
) -> Draft:
    """What to do about each gap of a gaps.json, by where information can come from.

    A table engine knows what the training rows know: it may fill gaps that neighbours surround. Outside their
    support, and where a learning curve is flat, it cannot: collect rows there, or do nothing. Raises InputError for
    gaps that were found without a target, an unknown or private engine, or a metric whose smallest effect is not said.
    """
    target = _checked(gaps)
    decisions = tuple(_decided(gap) for gap in gaps["gaps"])
    chosen = [one for one in decisions if one.do == "make"][:MOST]
    over = [one for one in decisions if one.do == "make"][MOST:]
    decisions = tuple(
        Decision(one.where, "nothing", one.rows, f"one plan claims {MOST} gaps at most; fill those first")
        if one in over
        else one
        for one in decisions
    )
    if not chosen:
        return Draft(decisions, None)
    classes = "log loss" in str(gaps.get("overall", {}).get("model", "log loss"))
    kind: Metric = metric or ("log_loss" if classes else "rmse")
    if smallest_effect is None:
        if kind != "log_loss":
            raise InputError(
                f"say the smallest gain of {kind} that matters: --smallest-effect NUMBER, in its own units"
            )
        smallest_effect = float(gaps["about"]["settings"]["smallest_effect"])
    made = [
        Source(f"{engine}-{number}" if len(chosen) > 1 else engine, engine, where=one.where)
        for engine in sources
        for number, one in enumerate(chosen, 1)
    ]
    slices = tuple(one.where for one in chosen)
    return Draft(
        decisions, Plan(target, tuple(made), metric=kind, smallest_effect=smallest_effect, slices=slices, seed=seed)
    )


def _checked(gaps: Mapping[str, Any]) -> str:
    """The target of the gaps."""
    if gaps.get("tuckpoint_gaps") != VERSION:
        raise RecipeError(
            f"not the gaps.json of this version: tuckpoint_gaps is {gaps.get('tuckpoint_gaps')!r}, not {VERSION}"
        )
    target = gaps["about"].get("target")
    if not target:
        raise InputError("these gaps were found without a target; run `tuckpoint find` again with --target COLUMN")
    serious = [leak["told"] for leak in gaps.get("leaks", ()) if leak.get("serious")]
    if serious:
        raise InputError(f"mend the rows first, then find again: {serious[0]}")
    return str(target)


def _decided(gap: Mapping[str, Any]) -> Decision:
    """What one gap asks for."""
    missing, rows = gap["missing"], int(gap["missing"]["lacking"])
    state = (gap.get("reducible") or {}).get("state", "not known")
    harm = (gap.get("harm") or {}).get("state", "too few rows")
    where = str(missing["where"])
    if state == "not reducible":
        return Decision(where, "nothing", 0, "its learning curve is flat: more rows would not mend it")
    if gap.get("support") == "outside":
        why = "it lies outside the support of the training rows: a table engine knows nothing there, only real rows do"
        return Decision(where, "collect", rows, why)
    if missing["rows"] == 0:
        return Decision(where, "collect", rows, "there is no row of it that a table engine could learn from")
    if harm == "not shown" and state != "reducible":
        return Decision(where, "nothing", 0, "rows are missing, but the model was not shown to do worse there")
    if missing["rows"] < NEEDED:
        why = f"made rows may help, but {missing['rows']} rows are too few to prove it on; {NEEDED} are needed"
        return Decision(where, "collect", rows, why)
    surrounded = "neighbours surround it" if gap.get("support") in ("inside", "edge") else "it may have neighbours"
    return Decision(
        where, "make", rows, f"{surrounded}, and more rows may mend it ({state}); prove it against collecting"
    )


def check_sources(sources: Sequence[str]) -> None:
    """Raise InputError for a source that is no engine of tables."""
    for source in sources:
        if ":" in source:
            raise InputError(
                f'--source "{source}": there are only engines of tables so far ({", ".join(parts.names("engine"))}); '
                "a simulator's rows can be measured with `tuckpoint prove --made NAME=FILE`"
            )
        parts.find("engine", source)
