"""The outcome of an evaluation as text for a terminal: verdicts, key numbers, the worst columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from tuckpoint.measure.evaluation import Evaluation
from tuckpoint.report.verdict import WORD, State, Verdict, deciding, headline, state, verdicts, worst_columns
from tuckpoint.report.words import figures, meaning, number, subjects, visible
from tuckpoint.score import Score

NARROWEST = 40
WORST = 5
MARKS: dict[State, str] = {"fails": "✗", "open": "–", "holds": "✓"}
COLOURS: dict[State, str] = {"fails": "31", "open": "33", "holds": "32"}
ASCII = {" × 10": "e", "⁻": "-", "✗": "x", "–": "-", "✓": "+", "−": "-", "×": "x", "…": "..."}


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
    about = f"{rows.get('made', 0):,} made rows, {rows.get('real', 0):,} real, {rows.get('holdout', 0):,} held out"
    lines = [headline(found), *wrapped(about, width), ""]
    for verdict in found:
        lines += _verdict(verdict, width, colour=colour)
    lines += ["", *_numbers(evaluation, width)]
    lines += ["", *_columns(evaluation, width)] if evaluation.columns else []
    lines += ["", *wrapped("Synthetic rows; nothing here proves privacy.", width)]
    lines += wrapped(f"Report: {visible(report, 400)}", width) if report else []
    return encodable("\n".join(lines), encoding, width) + "\n"


def _verdict(verdict: Verdict, width: int, *, colour: bool) -> Iterator[str]:
    head = wrapped(f"{MARKS[verdict.state]} {WORD[verdict.state]}: {visible(verdict.label, 120)}", width, hang=2)
    for line in head:
        yield f"\x1b[{COLOURS[verdict.state]}m{line}\x1b[0m" if colour else line
    if verdict.state == "holds":
        return
    for score in verdict.scores:
        if state(score) == verdict.state:
            yield from wrapped(f"{_label(score)}: {_told(score)}", width, indent=4)
            yield from wrapped(visible(score.why, 400), width, indent=4) if score.why else ()
            yield from wrapped(f"What to do: {visible(score.advice, 400)}", width, indent=4) if score.advice else ()


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
    return _table(rows, width)


def _columns(evaluation: Evaluation, width: int) -> list[str]:
    rows = [("Worst columns", "made", "holdout")]
    for view in worst_columns(evaluation)[:WORST]:
        rows.append(
            (visible(view.name), number(view.distance), "" if view.reference is None else number(view.reference))
        )
    return _table(rows, width)


def _table(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """Names on the left, figures in columns to their right; in a narrow window the figures stand below the names."""
    sizes = [max(columns_of(row[place]) for row in rows) for place in range(1, len(rows[0]))]
    names = max(columns_of(row[0]) for row in rows)
    room = width - sum(size + 3 for size in sizes) - 2
    lines = []
    for index, row in enumerate(rows):
        cells = "".join(
            "   " + " " * (size - columns_of(cell)) + cell for cell, size in zip(row[1:], sizes, strict=True)
        )
        indent = "" if index == 0 else "  "
        if room < min(names, 24):
            lines += [*wrapped(indent + row[0], width), *wrapped(" ".join(filter(None, row[1:])), width, indent=4)]
            continue
        name = _cut(indent + row[0], min(room, names) + 2)
        lines.append((name + " " * (min(room, names) + 2 - columns_of(name)) + cells).rstrip())
    return lines


def columns_of(text: str) -> int:
    """How many columns of a terminal the text fills."""
    return sum(
        0 if unicodedata.combining(c) or c in "\u200c\u200d" else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _cut(text: str, width: int) -> str:
    if columns_of(text) <= width:
        return text
    while columns_of(text) > width - 1:
        text = text[:-1]
    return text + "…"


def wrapped(text: str, width: int, *, indent: int = 0, hang: int = 0) -> list[str]:
    """Lines of at most `width` columns, broken at spaces and inside words that are longer."""
    lines, line, start = [], " " * indent, indent
    if not indent and text.startswith("  "):
        line, start = "  ", 2
    for word in text.split():
        while True:
            gap = "" if columns_of(line) <= start else " "
            if columns_of(line + gap + word) <= width:
                line += gap + word
                break
            if gap:
                lines.append(line)
                start = indent + hang
                line = " " * start
                continue
            fitting = next(n for n in range(len(word), 0, -1) if columns_of(line + word[:n]) <= width)
            lines.append(line + word[:fitting])
            start = indent + hang
            line, word = " " * start, word[fitting:]
    return [*lines, line] if line.strip() else lines


def encodable(text: str, encoding: str, width: int) -> str:
    """The text with what the encoding cannot show written in ASCII, no line wider than before or than `width`."""
    try:
        text.encode(encoding)
        return text
    except (UnicodeEncodeError, LookupError):
        for mark, plain in ASCII.items():
            text = text.replace(mark, plain)
    text = text.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))
    lines = text.encode("ascii", "backslashreplace").decode().split("\n")
    return "\n".join(
        line if len(line) <= width or "\x1b" in line else _cut(line, width - 2)[:-1] + "..." for line in lines
    )
