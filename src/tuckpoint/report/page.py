"""The report as one HTML file that stands alone: verdicts first, then figures, pictures, methods and how to repeat."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from tuckpoint.measure.evaluation import ColumnView, Evaluation
from tuckpoint.report import chart
from tuckpoint.report.chart import glyph, prose, text
from tuckpoint.report.sections import guarantee as guarantee_of
from tuckpoint.report.sections import (
    method,
    protection,
    provenance,
    repetition,
    rule_list,
    understood,
    without_values,
)
from tuckpoint.report.sheet import LIMIT_BYTES, Head, Section, sheet
from tuckpoint.report.verdict import (
    ORDER,
    WORD,
    Verdict,
    deciding,
    headline,
    state,
    verdicts,
    worst_columns,
    worst_pairs,
)
from tuckpoint.report.words import (
    count,
    figures,
    meaning,
    measurably_worse,
    measured,
    number,
    places,
    subjects,
    visible,
)
from tuckpoint.schema import Schema
from tuckpoint.score import Score

PLOTS = 36  # columns drawn, the worst ones
HEAT_COLUMNS = 40
PAIRS = 10  # pairs listed beside the heat map
NAMED = 4  # claims named under the headline
ALONE = (
    "Every made row is another person's. How rows of one person hang together, such as the course of an illness, was "
    "neither made nor measured: these claims are about single rows."
)
WORSE = "Worse than chance explains, and within what is allowed."
COLUMN_SCORES = 12  # scores of single columns listed for one measure


def page(
    evaluation: Evaluation,
    *,
    schema: Schema,
    record: Mapping[str, Any],
    title: str,
    repeat: Sequence[str] = (),
    rules: Sequence[str] = (),
) -> str:
    """The whole report as HTML under 400 kB, without scripts and without anything to load.

    `record` is what `Record.to_dict` gives, `repeat` the commands that make the same again, `rules` the rules that
    made rows obey. Wide tables get fewer pictures, and the page says so.
    """
    html = ""
    for plots in (PLOTS, PLOTS // 2, PLOTS // 6, 0):
        sections = _sections(evaluation, schema=schema, record=record, repeat=repeat, rules=rules, plots=plots)
        html = _fill(evaluation, record=record, title=title, sections=sections)
        if len(html.encode()) < LIMIT_BYTES:
            break
    return html


def as_json(
    evaluation: Evaluation,
    *,
    schema: Schema,
    record: Mapping[str, Any],
    title: str,
    repeat: Sequence[str] = (),
    rules: Sequence[str] = (),
) -> str:
    """The same report for machines: verdicts, every score, schema, record and commands."""
    found = verdicts(evaluation)
    value = {
        "tuckpoint_report": 1,
        "synthetic": True,
        "title": title,
        "headline": headline(found),
        "verdicts": [
            {"claim": verdict.claim, "state": verdict.state, "scores": [score.name for score in verdict.scores]}
            for verdict in found
        ],
        "evaluation": evaluation.to_dict(),
        "schema": without_values(schema).to_dict(),
        "rules": list(rules),
        "record": dict(record),
        "repeat": list(repeat),
    }
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


def _fill(evaluation: Evaluation, *, record: Mapping[str, Any], title: str, sections: Iterable[Section]) -> str:
    found = verdicts(evaluation)
    head = Head(
        title=f"{visible(title, 120)} · tuckpoint report",
        description="Report on synthetic data made by tuckpoint.",
        banner=_banner(record),
        heading=text(title, 120),
        about=_about(evaluation, record),
        state=found[0].state if found else "open",
        headline=escape(headline(found)),
        outcome=f'<p class="outcome">{_outcome(found)}</p>',
    )
    return sheet(head, sections, legend="Grey is always real, the coloured line always made.")


def _banner(record: Mapping[str, Any]) -> str:
    privacy = guarantee_of(record)
    made = "The rows judged here were drawn from a model of real rows, not collected from people."
    if privacy:
        said = (
            f"Its making spent a differential-privacy budget of ε = {privacy['epsilon']:.6g} "
            '(<a href="#protection">what that covers</a>).'
        )
    elif record:
        said = (
            "It carries <strong>no privacy guarantee</strong>: a model can hold on to traces of those it learned from."
        )
    else:
        made = "The rows judged here are said to be made, not collected from people."
        said = (
            "No record came with them: how they were made is not known, and <strong>no privacy guarantee</strong> is."
        )
    return (
        f"<strong>Synthetic data.</strong> {made} {said} "
        "This page shows figures of real rows too: share it as you would share them."
    )


def _about(evaluation: Evaluation, record: Mapping[str, Any]) -> str:
    rows = evaluation.rows
    maker = record.get("maker")
    engine = maker.get("engine") if isinstance(maker, Mapping) else None
    facts = [
        count(rows.get("made", 0), "made row") + f" against {rows.get('real', 0):,} real",
        f"{rows.get('holdout', 0):,} held out untouched",
        count(len(evaluation.columns), "column"),
        *([f"target {text(evaluation.target, 40)}"] if evaluation.target is not None else []),
        *([f"engine {text(engine, 40)}"] if engine else []),
    ]
    return " · ".join(facts)


def _outcome(found: Sequence[Verdict]) -> str:
    parts = []
    for kind in ORDER[:2]:
        names = [verdict.label for verdict in found if verdict.state == kind]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        if names:
            listed = "; ".join(text(name, 120) for name in names[:NAMED])
            parts.append(f'<span class="word {kind}">{WORD[kind]}:</span> {listed}{more}.')
    if not parts and found:
        parts.append("Every claim below was checked against real rows that no model has seen.")
    return " ".join(parts)


def _sections(
    evaluation: Evaluation,
    *,
    schema: Schema,
    record: Mapping[str, Any],
    repeat: Sequence[str],
    rules: Sequence[str],
    plots: int,
) -> list[Section]:
    return [
        _verdict_section(verdicts(evaluation), schema),
        _numbers(evaluation),
        _columns(evaluation, plots),
        _pairs(evaluation),
        rule_list(evaluation, rules),
        protection(evaluation, record),
        method(evaluation),
        understood(schema),
        repetition(record, repeat),
        provenance(record),
    ]


def _verdict_section(found: Sequence[Verdict], schema: Schema) -> Section:
    items = "".join(_claim(verdict) for verdict in found)
    lead = "" if schema.person is None else ALONE
    return Section("verdict", "Verdict", lead, f'<ul class="claims">{items}</ul>' if items else "")


def _claim(verdict: Verdict) -> str:
    same = [score for score in verdict.scores if state(score) == verdict.state]
    prefix = {id(score): f"{_name(score)}: " if len(verdict.scores) > 1 else "" for score in same}
    failing = [] if verdict.state == "holds" else same
    said = [(prefix[id(score)], score.why) for score in same if score.why]
    said += [(prefix[id(score)], score.advice) for score in failing if score.remedy]
    why = [f"<p>{name}{prose(words)}</p>" for name, words in said]
    advised = dict.fromkeys(score.remedy or score.advice for score in failing if score.advice)
    todo = "".join(f"<li>{prose(advice)}</li>" for advice in list(advised)[:4])
    todo = f'<div class="todo"><strong>What to do</strong><ul>{todo}</ul></div>' if todo else ""
    facts = "".join(_fact(score, "" if score in same else score.why) for score in verdict.scores[:6])
    return (
        f'<li class="{verdict.state}">{glyph(verdict.state)}<div><h3>{text(verdict.label, 120)}</h3>'
        f'<p class="word {verdict.state}">{WORD[verdict.state]}</p>{"".join(why[:6])}{todo}'
        f'<dl class="facts">{facts}</dl></div></li>'
    )


def _fact(score: Score, why: str) -> str:
    """A figure with what it is read against; one that could not be computed says `why` if nobody did."""
    shown = figures(score)
    reference = f' <span class="soft">· real {shown.reference}</span>' if shown.reference else ""
    interval = f' <span class="soft">{shown.interval}</span>' if shown.interval else ""
    failed = state(score) == "fails"
    mark = glyph(state(score)) if failed else ""
    more = [f"allowed: {text(score.allowed, 160)}"] if failed and score.allowed else []
    more += [prose(why)] if why and score.value is None else []
    under = "".join(f'<span class="soft under">{line}</span>' for line in more)
    return f"<div><dt>{mark}{_name(score)}</dt><dd><b>{shown.value}</b>{interval}{reference}{under}</dd></div>"


def _name(score: Score) -> str:
    return text(meaning(score.name).label) + (text(subjects(score), 180) if score.subject else "")


def _numbers(evaluation: Evaluation) -> Section:
    rows = []
    for name in dict.fromkeys(score.name for score in evaluation.scores):
        whole = list(deciding(evaluation, (name,)))
        rows += [_number_row(score) for score in whole[:COLUMN_SCORES]]
    head = (
        '<thead><tr><th scope="col">Measure</th><th scope="col" class="num">Made</th>'
        '<th scope="col" class="num">95% interval</th><th scope="col" class="num">Real</th>'
        '<th scope="col">Verdict</th><th scope="col" class="num">n</th></tr></thead>'
    )
    lead = "Each figure beside what real rows reach under the same conditions. That, not zero or one, is the aim."
    lead = f"{lead} {measured(evaluation.rows)}".rstrip()
    body = f'<table class="stack">{head}<tbody>{"".join(rows)}</tbody></table>' if rows else ""
    return Section("numbers", "Key numbers", lead, body)


def _number_row(score: Score) -> str:
    shown = figures(score)
    wanted = {"lower": "Lower is better.", "higher": "Higher is better.", "reference": "Closer to real is better."}
    told = [wanted.get(score.better, "Shown, decides nothing.")] if score.value is not None else []
    told += [f"Reference: {text(score.reference_is, 400)}."] if score.reference_is else []
    told += [f"Allowed: {text(score.allowed, 160)}."] if score.allowed else []
    told += [WORSE] if score.passed and measurably_worse(score) else []
    told += [prose(score.why)] if score.why else []
    word = WORD[state(score)] if score.passed is not None and score.value is not None else "–"
    cells = [
        ("Made", "num", f"<b>{shown.value}</b>"),
        ("95% interval", "num" if shown.interval else "num empty", shown.interval),
        ("Real", "num" if shown.reference else "num empty", shown.reference),
        ("Verdict", "", f'<span class="word {state(score)}">{word}</span>'),
        ("n", "num" if score.n else "num empty", f"{score.n:,}" if score.n else ""),
    ]
    return (
        f'<tr><th scope="row">{_name(score)}<span class="under small soft">{" ".join(told)}</span></th>'
        + "".join(f'<td class="{css}" data-is="{label}">{content}</td>' for label, css, content in cells)
        + "</tr>"
    )


def _columns(evaluation: Evaluation, plots: int) -> Section:
    drawn = worst_columns(evaluation)[:plots]
    every = len(evaluation.columns)
    lead = "Ordered by how far each column lies beyond what chance allows, worst first."
    if len(drawn) < every:
        lead += f" The {len(drawn)} worst of {every} are drawn; the JSON report holds them all."
    legend = (
        '<p class="legend"><span><svg width="14" height="12" aria-hidden="true"><rect class="real" width="14" '
        'height="12"/></svg>grey bar: real</span><span><svg width="14" height="12" aria-hidden="true">'
        '<path class="made" d="M0 6h14"/></svg>coloured line: made</span>'
        "<span>figures: distance of made (of real holdout)</span></p>"
    )
    figures_of = "".join(_plot(view, evaluation) for view in drawn)
    return Section("columns", "Columns", lead, f'{legend}<div class="plots">{figures_of}</div>' if drawn else "")


def _plot(view: ColumnView, evaluation: Evaluation) -> str:
    return (
        f"<figure><figcaption><h3>{text(view.name, 40)}</h3>"
        f"<p>{text(view.kind, 20)} · {_beside(view.distance, view.reference)}</p></figcaption>"
        f"{chart.column(view, real_rows=evaluation.rows.get('real', 0))}</figure>"
    )


def _beside(distance: float, reference: float | None) -> str:
    digits = places(max(distance, reference or 0.0))
    return number(distance, digits=digits) + ("" if reference is None else f" ({number(reference, digits=digits)})")


def _pairs(evaluation: Evaluation) -> Section:
    ordered = worst_pairs(evaluation)
    if not ordered:
        return Section("pairs", "Pairs", "", "")
    chosen: dict[str, None] = {}
    for pair in ordered:
        extra = dict.fromkeys((pair.first, pair.second))
        if len(chosen | extra) <= HEAT_COLUMNS:
            chosen |= extra
    views = [view.name for view in evaluation.columns]
    names = [name for name in views if name in chosen] + [name for name in chosen if name not in views]
    lead = (
        "Below the diagonal stands made against real, above it real holdout against real. "
        "A perfect twin mirrors itself; stronger colour in the lower half shows relations that were lost."
    )
    if len(names) < len(evaluation.columns):
        lead += f" {len(names)} of {len(evaluation.columns)} columns are drawn, those of the worst pairs."
    rows = "".join(
        f'<tr><th scope="row">{text(pair.first, 32)} × {text(pair.second, 32)}</th>'
        f'<td class="num" data-is="Made">{number(pair.distance)}</td>'
        f'<td class="num" data-is="Holdout">{"" if pair.reference is None else number(pair.reference)}</td></tr>'
        for pair in ordered[:PAIRS]
    )
    return Section(
        "pairs",
        "Pairs",
        lead,
        f'<p class="legend"><span>distance {chart.scale(ordered)}</span></p>'
        f'<div class="scroll" tabindex="0">{chart.heat(ordered, names)}</div><h3>Worst pairs</h3>'
        '<table class="pairs"><thead><tr><th scope="col">Pair</th><th scope="col" class="num">Made</th>'
        f'<th scope="col" class="num">Holdout</th></tr></thead><tbody>{rows}</tbody></table>{_unseen(evaluation)}',
    )


def _unseen(evaluation: Evaluation) -> str:
    """The pairs of levels that made rows join and no real row does, those of most made rows first."""
    found = next((score.detail.get("worst") for score in evaluation.scores if score.name == "unseen_pairs"), None)
    if not found:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{text(first, 32)} = {text(level, 32)}, {text(second, 32)} = {text(other, 32)}</th>'
        f'<td class="num" data-is="Made rows">{pair["made"]:,}</td>'
        f'<td class="num" data-is="Expected">{pair["expected"]:,.0f}</td></tr>'
        for pair in found
        for first, level, second, other in (pair["pair"],)
    )
    return (
        "<h3>Joined by made rows, never by real ones</h3><p>Beside the training rows that would join the two if their "
        "columns were unrelated: of many, none is no accident. What cannot be is forbidden by a rule where rows are "
        "made.</p>"
        '<table class="pairs"><thead><tr><th scope="col">Levels</th><th scope="col" class="num">Made rows</th>'
        f'<th scope="col" class="num">Expected</th></tr></thead><tbody>{rows}</tbody></table>'
    )
