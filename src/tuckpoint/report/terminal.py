"""The outcome of an evaluation as text for a terminal: verdicts, key numbers, the worst columns."""

from __future__ import annotations

from collections.abc import Iterator

from tuckpoint.measure.evaluation import Evaluation
from tuckpoint.report.lines import NARROWEST, encodable, table, wrapped
from tuckpoint.report.verdict import WORD, State, Verdict, deciding, headline, state, verdicts, worst_columns
from tuckpoint.report.words import WHOLE, count, figures, meaning, measured, number, subjects, visible
from tuckpoint.schema import Schema
from tuckpoint.score import Score

WORST = 5
REMARKS = 8  # columns whose note is told
MARKS: dict[State, str] = {"fails": "✗", "open": "–", "holds": "✓"}
COLOURS: dict[State, str] = {"fails": "31", "open": "33", "holds": "32"}


def summary(
    evaluation: Evaluation, *, width: int = 80, colour: bool = False, report: str = "", encoding: str = "utf-8"
) -> str:
    """Verdicts first, then key numbers with intervals, the worst columns, and where the report is.

    No line is wider than `width` columns (at least 40). Colour codes only if asked for. What `encoding` cannot show is
    written in ASCII.
    """
    width = max(width, NARROWEST)
    found = verdicts(evaluation)
    rows = evaluation.rows
    about = (
        f"{count(rows.get('made', 0), 'made row')}, {rows.get('real', 0):,} real, {rows.get('holdout', 0):,} held out"
    )
    lines = [headline(found), *wrapped(about, width), *wrapped(measured(rows), width), ""]
    for verdict in found:
        lines += _verdict(verdict, width, colour=colour)
    lines += ["", *_numbers(evaluation, width)]
    lines += ["", *_columns(evaluation, width)] if evaluation.columns else []
    told = [line for note in evaluation.notes for line in wrapped(visible(note, WHOLE), width, hang=2)]
    lines += ["", *told] if told else []
    lines += ["", *wrapped("Synthetic rows; nothing here proves privacy.", width)]
    lines += wrapped(f"Report: {visible(report, 400)}", width) if report else []
    return encodable("\n".join(lines), encoding, width) + "\n"


def remarks(schema: Schema, *, width: int = 80, colour: bool = False, encoding: str = "utf-8") -> str:
    """What a person should look at in the schema that was understood, column by column; empty without a note."""
    width = max(width, NARROWEST)
    noted = [column for column in schema.columns if column.note]
    if not noted:
        return ""
    head = wrapped("How the columns were understood (--schema corrects it)", width)
    lines = [f"\x1b[{COLOURS['open']}m{line}\x1b[0m" if colour else line for line in head]
    for column in noted[:REMARKS]:
        lines += wrapped(f"{visible(column.name, 40)}: {visible(column.note, WHOLE)}", width, indent=2)
    left = len(noted) - REMARKS
    lines += wrapped(f"and {left} more in the report", width, indent=2) if left > 0 else []
    return encodable("\n".join(lines), encoding, width)


def _verdict(verdict: Verdict, width: int, *, colour: bool) -> Iterator[str]:
    head = wrapped(f"{MARKS[verdict.state]} {WORD[verdict.state]}: {visible(verdict.label, 120)}", width, hang=2)
    for line in head:
        yield f"\x1b[{COLOURS[verdict.state]}m{line}\x1b[0m" if colour else line
    if verdict.state == "holds":
        return
    todo: dict[str, None] = {}
    for score in verdict.scores:
        if state(score) == verdict.state:
            allowed = (
                f"; allowed: {visible(score.allowed, WHOLE)}" if score.allowed and verdict.state == "fails" else ""
            )
            yield from wrapped(f"{_label(score)}: {_told(score)}{allowed}", width, indent=4)
            yield from wrapped(visible(score.why, WHOLE), width, indent=4) if score.why else ()
            if score.remedy:
                yield from wrapped(visible(score.advice, WHOLE), width, indent=4)
            todo.setdefault(score.remedy or score.advice)
    for advice in filter(None, todo):
        yield from wrapped(f"What to do: {visible(advice, WHOLE)}", width, indent=4)


def _label(score: Score) -> str:
    return visible(meaning(score.name).label) + subjects(score)


def _told(score: Score) -> str:
    shown = figures(score)
    reference = f", real {shown.reference}" if shown.reference else ""
    return f"{shown.value} {shown.interval}".strip() + reference


def _numbers(evaluation: Evaluation, width: int) -> list[str]:
    scores = deciding(evaluation, tuple(dict.fromkeys(score.name for score in evaluation.scores)))
    rows = [("Key numbers", "made", "95% interval", "real")]
    for score in scores:
        shown = figures(score)
        rows.append((_label(score), "–" if score.value is None else shown.value, shown.interval, shown.reference))
    return table(rows, width)


def _columns(evaluation: Evaluation, width: int) -> list[str]:
    rows = [("Worst columns", "made", "holdout")]
    for view in worst_columns(evaluation)[:WORST]:
        rows.append(
            (visible(view.name), number(view.distance), "" if view.reference is None else number(view.reference))
        )
    return table(rows, width)
