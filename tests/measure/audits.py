"""Fabricated audits of plausible content, for gates and pages; no number here was measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tuckpoint.measure.finding import Audit, Control, Criterion, Exposed, Finding, Power
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.record import Input, Maker, Record
from tuckpoint.score import Score

PEOPLE = 2_000
ONE, SEVERAL, GROUP = ("one attribute",), ("several attributes",), ("country", "Philippines")
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
    adjusted: float = 1.0, subject: tuple[str, ...] = (), epsilon: float | None = None, people: int = PEOPLE,
) -> Finding:  # fmt: skip
    """An attack that succeeds on so many members and so many outsiders."""
    inside, outside = hits
    difference = (inside - outside) / people
    score = Score(
        name, inside / people, *clopper_pearson(inside, people), people, "lower", outside / people, OUTSIDERS, subject,
        passed=difference + 0.003 <= limit,
        detail={
            "count": inside, "count_outsiders": outside, "limit": limit, "difference": difference,
            "difference_low": difference - 0.003, "difference_high": difference + 0.003,
        },
    )  # fmt: skip
    return Finding(attack, criterion, score, p, adjusted, epsilon)


def copied_of(
    attack: str, name: str, hits: tuple[int, int], *, p: float, adjusted: float = 1.0, subject: tuple[str, ...] = ()
) -> Finding:
    """Copies of rows or values: without a limit of their own."""
    found = share(attack, "copying", name, hits, limit=0.0, p=p, adjusted=adjusted, subject=subject)
    detail = {key: value for key, value in found.score.detail.items() if key != "limit"} | {"of_outsiders": PEOPLE}
    return replace(found, score=replace(found.score, passed=None, detail=detail))


def ranked(attack: str, value: float, *, p: float, adjusted: float = 1.0, subject: tuple[str, ...] = ()) -> Finding:
    """An attack that tells a member from an outsider in such a share of pairs."""
    score = Score(
        "membership_auc", value, value - 0.018, value + 0.018, PEOPLE, "lower", 0.5, "guessing", subject,
        passed=value + 0.018 <= 0.55, detail={"limit": 0.55},
    )  # fmt: skip
    return Finding(attack, "membership", score, p, adjusted)


def recognised(attack: str, value: float) -> Finding:
    """An attack that recognises such a share of members at 1 % false alarms."""
    score = Score(
        "true_positives", value, value - 0.004, value + 0.005, PEOPLE, "lower", 0.01,
        "share of people not in the data who are taken for members", passed=value + 0.005 <= 0.02,
        detail={"limit": 0.02},
    )  # fmt: skip
    return Finding(attack, "membership", score)


def best(attack: str, right: int, guesses: int, *, p: float, adjusted: float, epsilon: float) -> Finding:
    """An attack that is right so often in its surest guesses."""
    low, high = clopper_pearson(right, guesses)
    score = Score("best_guesses", right / guesses, low, high, guesses, "lower", 0.5, OUTSIDERS, detail={"right": right})
    return Finding(attack, "membership", score, p, adjusted, epsilon)


def findings(*, leaky: bool = False) -> tuple[Finding, ...]:
    """What an audit of made rows finds; if they are leaky, one in a hundred is a copy."""
    p, sure = (1e-12, 1e-12) if leaky else (0.43, 1.0)
    hits = ((41, 3), (1093, 8), (210, 31), (44, 21)) if leaky else ((3, 4), (9, 8), (33, 31), (22, 21))
    copied, values, alone, worst = hits
    unmeasured = Score("canaries", None, why="no canaries were planted when this engine was fitted")
    return (
        copied_of("copies", "exact_copies", copied, p=p, adjusted=sure),
        copied_of("copies", "near_copies", (5, 4), p=0.4),
        copied_of("values", "unique_values", values, p=p, adjusted=sure, subject=("weight",)),
        ranked("distance", 0.513 if leaky else 0.504, p=0.2),
        ranked("density", 0.533 if leaky else 0.509, p=p, adjusted=sure, subject=("nearest neighbour",)),
        ranked("classifier", 0.521 if leaky else 0.498, p=0.08, adjusted=0.9),
        recognised("density", 0.031 if leaky else 0.011),
        best("density", 50 if leaky else 29, 50, p=p, adjusted=sure, epsilon=1.9 if leaky else 0.0),
        Finding("canaries", "membership", unmeasured),
        share("singling_out", "singling out", "singling_out", alone, limit=0.05, p=p, adjusted=sure, subject=ONE),
        share("singling_out", "singling out", "singling_out", (28, 26), limit=0.05, p=0.44, subject=SEVERAL),
        share("linkability", "linkability", "linkability", (60, 58), limit=0.05, p=0.46),
        secret("inference_boosted", (1212, 1205), "income"),
        secret("inference_nearest", (1090, 1101), "income"),
        secret("inference_boosted", (802, 790), "occupation"),
        share("minorities", "worst case", "oddest_people", (22, 20), limit=0.4, p=0.34, people=100),
        share("minorities", "worst case", "worst_off", worst, limit=0.05, p=p, adjusted=sure),
        share("minorities", "worst case", "worst_group", (27, 22), limit=0.4, p=0.9, subject=GROUP, people=110),
    )


def secret(attack: str, hits: tuple[int, int], column: str) -> Finding:
    """An attack that guesses a column."""
    return share(attack, "inference", "attribute_inference", hits, limit=0.05, p=0.4, subject=(column,))


CONTROLS = (
    Control("leaky copy", True, 1e-14, "copies", "the same made rows and those of 100 people who were in the data"),
    Control("other real people", True, 0.71, "density", "half of the people held out, against the other half"),
)


def reasons(found: tuple[Finding, ...], controls: tuple[Control, ...]) -> tuple[str, ...]:
    """Why an audit blocks, as `measure.decide` tells it."""
    failed = [f"the audit is blind here: it did not find {one.what}" for one in controls if not one.worked]
    leaks = [one for one in found if one.adjusted is not None and one.adjusted < 0.05]
    told = [f"{one.attack}: {one.score.name.replace('_', ' ')} {one.score.value:.3g}" for one in leaks]
    return (*failed, *told[:5], *([f"and {len(leaks) - 5} more findings"] if len(leaks) > 5 else []))


def audit(*, leaky: bool = False, claimed: float | None = None, made: int = 3_907) -> Audit:
    """A whole audit that finds nothing, or one copied row in a hundred."""
    found = findings(leaky=leaky)
    least = Score(
        "epsilon", 1.9 if leaky else 0.0, n=2 * PEOPLE, better="lower", reference=claimed,
        reference_is="claimed" if claimed else "", why="proved, with 95 % confidence", detail={"by": "density"},
    )  # fmt: skip
    return Audit(
        rows={"train": 39_073, "holdout": 9_769, "made": made, "people": PEOPLE},
        unit="person",
        findings=found,
        epsilon=least,
        controls=CONTROLS,
        power=(Power(20, 20, 20), Power(10, 17, 20), Power(5, 6, 20)),
        worst=tuple(Exposed(row, "density", 0.999 - 0.004 * i) for i, row in enumerate((17_204, 391, 8_020, 30_411))),
        decision="block" if leaky else "pass",
        reasons=reasons(found, CONTROLS),
        notes=("free text and identifiers were not attacked",),
    )


def broken(found: Audit, name: str) -> Audit:
    """The same audit with one control that failed."""
    trials = tuple(replace(c, worked=False, p=0.4) if c.name == name else c for c in found.controls)
    return replace(found, controls=trials, decision="block", reasons=reasons(found.findings, trials))


def record(privacy: dict[str, Any] | None = None, *, rows: int = 3_907, **changes: Any) -> dict[str, Any]:
    """A record that contradicts nothing."""
    source = Input("people.csv", "77b1" * 16, None if privacy else 48_842)
    maker = Maker("marginals" if privacy else "trees", "5f0c" * 16, "0.1.0")
    made = Record("people", maker, "9a3d" * 16, 7, rows, (source,), privacy, ("gain: clipped to 0..99999",))
    return replace(made, **changes).to_dict()
