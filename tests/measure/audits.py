"""Fabricated audits of plausible content, for gates and pages; no number here was measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tuckpoint.measure.finding import Audit, Control, Criterion, Exposed, Finding, Power
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.record import Input, Maker, Record
from tuckpoint.score import Score

PEOPLE = 2_000
ONE, SEVERAL = ("one attribute",), ("several attributes",)
OUTSIDERS = "the same attack on as many people who were not in the data"
GUARANTEE: dict[str, Any] = {
    "epsilon": 2.4, "delta": 1e-9, "rho": 0.0731, "unit": "one person (at most 1 row of each counted)",
    "neighbours": "add or remove one unit",
    "mechanism": "discrete Gaussian counts on a spanning tree chosen by exponential mechanisms (zCDP)",
    "failure": 0.0, "rows": 38_912,
    "spent": {"number of rows": 0.0015, "single columns": 0.021, "choice of pairs": 0.0106, "pair tables": 0.04},
}  # fmt: skip
ACCOUNT = {"epsilon": 2.9, "delta": 1e-9, "rho": 0.105}


def share(
    attack: str, criterion: Criterion, name: str, hits: tuple[int, int], *, limit: float, p: float,
    adjusted: float = 1.0, subject: tuple[str, ...] = (), epsilon: float | None = None,
) -> Finding:  # fmt: skip
    inside, outside = hits
    low, high = clopper_pearson(inside, PEOPLE)
    passed = (inside - outside) / PEOPLE <= limit
    detail = {"count": inside, "count_outsiders": outside, "limit": limit}
    score = Score(
        name, inside / PEOPLE, low, high, PEOPLE, "lower", outside / PEOPLE, OUTSIDERS, subject, passed, detail=detail,
        advice="" if passed else "use larger leaves, or fit with --private",
    )  # fmt: skip
    return Finding(attack, criterion, score, p, adjusted, epsilon)


def ranked(attack: str, value: float, *, p: float, adjusted: float = 1.0, epsilon: float = 0.0) -> Finding:
    score = Score(
        "membership_auc", value, value - 0.018, value + 0.018, PEOPLE, "lower", 0.5, "guessing", (attack,),
        passed=value + 0.018 <= 0.55, detail={"limit": 0.55},
    )  # fmt: skip
    return Finding("membership", "membership", score, p, adjusted, epsilon)


def findings(*, leaky: bool = False) -> tuple[Finding, ...]:
    p, sure = (1e-12, 1e-12) if leaky else (0.43, 1.0)
    hits = ((41, 3), (1093, 8), (122, 20), (210, 31)) if leaky else ((3, 4), (9, 8), (22, 20), (33, 31))
    copied, values, known, alone = hits
    proven = (2.59, 1.1, 1.9) if leaky else (0.0, 0.0, 0.0)
    found = [
        share("exact_copies", "copying", "exact_copies", copied, limit=0.005, p=p, adjusted=sure, epsilon=proven[0]),
        share("unique_values", "copying", "unique_values", values, limit=0.02, p=p, adjusted=sure, subject=("weight",)),
        ranked("nearest", 0.533 if leaky else 0.504, p=p, adjusted=sure, epsilon=proven[1]),
        ranked("density ratio", 0.517 if leaky else 0.509, p=0.08, adjusted=0.9),
        share("membership", "membership", "true_positives", known, limit=0.02, p=p, adjusted=sure, epsilon=proven[2]),
        share("singling_out", "singling out", "singling_out", alone, limit=0.05, p=p, adjusted=sure, subject=ONE),
        share("singling_out", "singling out", "singling_out", (28, 26), limit=0.05, p=0.44, subject=SEVERAL),
        share("linkability", "linkability", "linkability", (60, 58), limit=0.05, p=0.46),
        share("inference", "inference", "inference", (1212, 1205), limit=0.05, p=0.43, subject=("income",)),
        share("inference", "inference", "inference", (802, 790), limit=0.05, p=0.36, subject=("occupation",)),
        share("outliers", "worst case", "outliers", (4, 2), limit=0.05, p=0.34, subject=("the 5 % oddest",)),
        Finding("minorities", "worst case", Score("minorities", None, why="no group is small enough to be told apart")),
    ]
    return tuple(found)


CONTROLS = (
    Control("leaky copy", True, 1e-14, "unique_values", "1 % of the made rows were replaced by real ones"),
    Control("other real people", True, 0.71, "exact_copies", "rows of people who were in neither table"),
)


def audit(*, leaky: bool = False, claimed: float | None = None, made: int = 3_907) -> Audit:
    return Audit(
        rows={"train": 39_073, "holdout": 9_769, "made": made, "people": PEOPLE},
        unit="person",
        findings=findings(leaky=leaky),
        epsilon=Score(
            "epsilon", 2.59 if leaky else 0.0, n=2 * PEOPLE, better="lower", reference=claimed,
            reference_is="claimed" if claimed else "", detail={"by": "exact_copies"},
        ),
        controls=CONTROLS,
        power=(Power(20, 20, 20), Power(10, 17, 20), Power(5, 6, 20)),
        worst=tuple(Exposed(row, "nearest", 0.999 - 0.004 * i) for i, row in enumerate((17_204, 391, 8_020, 30_411))),
        decision="block" if leaky else "pass",
        reasons=(
            "41 made rows repeat a row of the training data and 3 one of the holdout (p < 0.001)",
            'column "weight": 1,093 values that only one person of the training data held came out again',
        ) if leaky else (),
        notes=("free text and identifiers were not attacked",),
    )  # fmt: skip


def broken(found: Audit, name: str, what: str = "it passed, with p = 0.4") -> Audit:
    """The same audit with one control that failed."""
    controls = tuple(replace(c, worked=False, what=what) if c.name == name else c for c in found.controls)
    return replace(found, controls=controls, decision="block", reasons=(f"the control {name} failed",))


def record(privacy: dict[str, Any] | None = None, *, rows: int = 3_907, **changes: Any) -> dict[str, Any]:
    """A record that contradicts nothing."""
    source = Input("people.csv", "77b1" * 16, None if privacy else 48_842)
    maker = Maker("marginals" if privacy else "trees", "5f0c" * 16, "0.1.0")
    made = Record("people", maker, "9a3d" * 16, 7, rows, (source,), privacy, ("gain: clipped to 0..99999",))
    return replace(made, **changes).to_dict()
