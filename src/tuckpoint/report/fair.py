"""Rows that keep a fairness target, and what they do to models, as one HTML file and as lines; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuckpoint.errors import count
from tuckpoint.fair.spec import TARGETS
from tuckpoint.fair.told import Cell, Told, donors_told
from tuckpoint.measure.fairness import MEASURES, Measure
from tuckpoint.measure.fairness_arms import AS_IS, FAIR, REAL, Arm, Effects
from tuckpoint.report.chart import plain, prose, text
from tuckpoint.report.sheet import Head, Section, facts, sheet, table
from tuckpoint.report.verdict_chart import Bar, forest
from tuckpoint.report.words import number

TITLE = {REAL: "real rows", AS_IS: "made rows, as they come", FAIR: "made rows, fair"}
IS = {
    "accuracy": "share of real people predicted rightly",
    "DP difference": "largest difference between groups of the share predicted positive (demographic parity)",
    "EO difference": "the larger of the largest differences of true and of false positive rates (equalized odds)",
    "TPR difference": "largest difference of true positive rates (equal opportunity)",
    "worst-group accuracy": "accuracy in the group where it is lowest",
}
BESIDE = 5e-4  # what the chart shows at least, in units of the measures


def lines(told: Told, effects: Effects | None) -> list[str]:
    """The outcome for a terminal: what was kept, what was changed, what it did."""
    out = [told.sentence(), *(f"  warning: {warning}" for warning in told.warnings)]
    if told.between[0] is not None and told.between[1] is not None:
        out.append(f"  rates of groups differ by {told.between[1]:.3f}; before by {told.between[0]:.3f}")
    for cell in told.cells:
        changed = f"; {_changed(cell)}" if cell.up or cell.down else ""
        donors = "" if cell.donors is None else f"; {donors_told(cell.donors)} real rows"
        after = "" if cell.after is None else f", {number(cell.after)} (wanted {number(cell.wanted or 0.0)})"
        out.append(f"  {_name(cell)}: {count(cell.rows, 'row')}{after}{changed}{donors}")
    if effects is None:
        return out
    out += ["", f"  measured, not promised, on {effects.tested:,} real rows that nothing learnt from:"]
    for arm in effects.arms:
        shown = "; ".join(f"{name} {_span(measure)}" for name, measure in arm.measures.items())
        out.append(f"  trained on {TITLE[arm.name]}: {shown}")
    return out


def fair_page(told: Told, effects: Effects | None, about: Mapping[str, Any]) -> str:
    """The page: what was kept, cell by cell, what was changed, and what a model does with it.

    `about` names the `model`, the `real` and `holdout` rows, and the `rows` file.
    """
    groups = " × ".join(told.spec.groups)
    head = Head(
        title=f"{told.spec.target} over {groups}",
        description="Made rows that keep a fairness target, and what they do to models",
        banner=(
            "The target is kept by the rows, exactly and as counted on the written file. What a model trained on them "
            "does is measured below and promised nowhere. Internal: figures of real rows."
        ),
        heading=f"{told.spec.target[:1].upper()}{told.spec.target[1:]} over {text(groups)}",
        about=f"{text(about['rows'])}, {told.rows:,} made rows of {text(about['model'])}",
        state="holds",
        headline="Kept",
        outcome=f'<p class="outcome">{prose(_outcome(told))}</p>',
    )
    sections = (
        Section("warnings", "To be known", "", _warnings(told)),
        Section("cells", "Groups", _cells_lead(told), _cells(told)),
        Section("within", "Overall and within", _within_lead(told), _within(told)),
        Section("models", "Models", _models_lead(effects), _models(effects)),
        Section("people", "Each group", "Rates of the same models on real people, group by group.", _people(effects)),
        Section("asked", "What was asked", "", f"<pre>{_asked(told)}</pre>"),
        Section("method", "How it was done", "", _method(told, effects, about)),
    )
    legend = "In the picture right of zero is better, whichever way the measure points."
    return sheet(head, sections, legend=legend, styles=("style.css", "verdict.css"))


def _outcome(told: Told) -> str:
    kept = f"The largest difference to the target is {told.error:.4f}; {told.spec.tolerance:g} was allowed."
    if told.spec.target == "representation":
        return f"{kept} No label was changed."
    return f"{kept} {told.changed:,} of {told.rows:,} labels ({told.changed / told.rows:.1%}) were changed for it."


def _warnings(told: Told) -> str:
    return "".join(f'<div class="card"><p>{prose(warning)}.</p></div>' for warning in told.warnings)


def _name(cell: Cell) -> str:
    return cell.group if not cell.stratum else f"{cell.group}, {cell.stratum}"


def _changed(cell: Cell) -> str:
    told = f"{cell.up:,} became positive" if cell.up else ""
    return told or (f"{cell.down:,} became negative" if cell.down else "")


def _cells_lead(told: Told) -> str:
    return f"{TARGETS[told.spec.target][:1].upper()}{TARGETS[told.spec.target][1:]}, counted on the written rows."


def _cells(told: Told) -> str:
    share = told.spec.target == "representation"
    before = "share of real rows" if share else "rate as drawn"
    heads = ("group", "made rows", before, "wanted", "kept", "labels changed", "real rows", "real positive")
    rows = [
        (
            plain(_name(cell)), f"{cell.rows:,}", _figure(cell.before), _figure(cell.wanted), _figure(cell.after),
            _changed(cell), donors_told(cell.donors), donors_told(cell.positive_donors),
        )
        for cell in told.cells
    ]  # fmt: skip
    if share and told.spec.outcome is not None:
        heads = (*heads[:5], "rate of positive labels", *heads[6:])
        rows = [(*row[:5], _figure(cell.rate), *row[6:]) for row, cell in zip(rows, told.cells, strict=True)]
    right = tuple(head for head in heads[1:] if head != "labels changed")
    return table(heads, rows, right=right)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _within_lead(told: Told) -> str:
    return "" if told.between[1] is None else "The largest difference of positive rates between groups, both ways."


def _within(told: Told) -> str:
    if told.between[1] is None:
        return ""
    rows = [("over all rows", _figure(told.between[0]), _figure(told.between[1]))]
    if told.spec.given:
        given = ", ".join(told.spec.given)
        rows.append((f"within {plain(given)}, at worst", _figure(told.within[0]), _figure(told.within[1])))
    return table(("where", "as drawn", "kept"), rows, right=("as drawn", "kept"), css="pairs")


def _models_lead(effects: Effects | None) -> str:
    if effects is None:
        return ""
    people = "" if effects.people == effects.tested else f" of {effects.people:,} people"
    return (
        f"One model a table, tested on the same {effects.tested:,} real rows{people} that nothing learnt from; 95 % "
        "intervals over people. Measured, not promised: another model, or other people, may fare otherwise."
    )


def _models(effects: Effects | None) -> str:
    if effects is None:
        return ""
    beside = [arm for arm in effects.arms if arm.beside_real]
    bars = [_bar(arm, name) for name in MEASURES for arm in beside]
    heads = ("measure", *(TITLE[arm.name] for arm in effects.arms))
    rows = [
        (
            f'{name}<span class="under small soft">{IS[name]}</span>',
            *(_span(arm.measures[name]) for arm in effects.arms),
        )
        for name in MEASURES
    ]
    less = ("less that of real rows", *(TITLE[arm.name] for arm in beside))
    gaps = [(name, *(_span(arm.beside_real[name], signed=True) for arm in beside)) for name in MEASURES]
    picture = forest(
        [bar for bar in bars if bar is not None], BESIDE, told="Each measure beside that of the model of real rows"
    )
    return picture + table(heads, rows, right=heads[1:]) + table(less, gaps, right=less[1:])


def _bar(arm: Arm, name: str) -> Bar | None:
    gap = arm.beside_real[name]
    if gap.value is None or gap.low is None or gap.high is None:
        return None
    css, who = ("mixed", "fair") if arm.name == FAIR else ("other", "as they come")
    short = name.replace("-group accuracy", " group")
    if MEASURES[name] == "lower":
        return Bar(f"{short}, {who}", -gap.value, -gap.high, -gap.low, css)
    return Bar(f"{short}, {who}", gap.value, gap.low, gap.high, css)


def _span(measure: Measure, *, signed: bool = False) -> str:
    if measure.value is None or measure.low is None or measure.high is None:
        return plain(measure.why, 160)
    sign = "+" if signed else ""
    return f"{measure.value:{sign}.3f} [{measure.low:{sign}.3f}, {measure.high:{sign}.3f}]"


def _people(effects: Effects | None) -> str:
    if effects is None:
        return ""
    heads = (
        "group",
        "trained on",
        "real rows tested",
        "accuracy",
        "predicted positive",
        "true positive",
        "false positive",
    )
    by_name = [(group.name, arm.name, group) for arm in effects.arms for group in arm.groups]
    names = list(dict.fromkeys(name for name, *_ in by_name))
    rows = [
        (
            plain(name), TITLE[arm], f"{group.rows:,}", f"{group.accuracy:.3f}", f"{group.selected:.3f}",
            "" if group.tpr is None else f"{group.tpr:.3f}", "" if group.fpr is None else f"{group.fpr:.3f}",
        )
        for name, arm, group in sorted(by_name, key=lambda entry: names.index(entry[0]))
    ]  # fmt: skip
    return table(heads, rows, right=heads[2:])


def _asked(told: Told) -> str:
    return "\n".join(plain(line, 200) for line in told.spec.to_yaml().splitlines())


def _method(told: Told, effects: Effects | None, about: Mapping[str, Any]) -> str:
    parity = told.spec.target != "representation"
    entries = [
        ("rows", "drawn by the fitted engine; groups with quotas under exact conditions, counts by largest remainders"),
        ("labels", f"as few as can be, all one way within a cell, {prose(told.order)}; a cell's logits move by one "
         "constant (massaging: Kamiran, Calders 2012; drawn as in Pareto sampling: Rosén 1997)" if parity else ""),
        ("what followed", f"computed anew from the changed labels by rules: {text(', '.join(told.follows))}"
         if told.follows else ""),
        ("rules", "a label that a rule holds was not changed; enforced rules hold in every row" if parity else ""),
        ("labels not known", f"{told.unknown:,} rows, left as they are and not counted" if told.unknown else ""),
        ("models", "LightGBM, 150 trees, all other columns (those of the groups too), positive from probability 0.5"
         if effects else ""),
        ("intervals", "bootstrap over people; largest differences by the max-t bootstrap over all pairs of groups "
         "(Romano, Wolf 2005), which is wide where groups are small" if effects else ""),
        ("real rows", f"{text(about['real'])}; tested on {text(about['holdout'])}" if effects else text(about["real"])),
    ]  # fmt: skip
    return f'<dl class="method">{facts(entry for entry in entries if entry[1])}</dl>'
