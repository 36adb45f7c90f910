from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from report import fabricate, hostile

from tuckpoint.report import page, terminal
from tuckpoint.schema import Column, Schema


def columns_of(line: str) -> int:
    return sum(
        0 if unicodedata.combining(c) or c in "\u200c\u200d" else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in line
    )


def test_verdicts_come_first_then_numbers_then_columns_then_the_place() -> None:
    told = terminal.summary(fabricate.evaluation(), report="out/report.html")
    order = [
        "4 of 6 claims hold",
        "✗ Does not hold: Made rows cannot be told from real ones",
        "real 0.498; allowed: up to",
        "What to do:",
        "– Not decided",
        "✓ Holds",
        "Key numbers",
        "0.583",
        "[0.561, 0.605]",
        "Worst columns",
        "proves privacy",
        "Report: out/report.html",
    ]
    for part in order:
        before, found, told = told.partition(part)
        assert found, f"{part!r} does not stand after {before[-80:]!r}"


def test_five_worst_columns_are_named() -> None:
    told = terminal.summary(fabricate.evaluation())
    block = told.split("Worst columns")[1].split("\n\n")[0].strip().split("\n")
    assert len(block) == 1 + 5


@pytest.mark.parametrize("width", [40, 61, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_no_line_is_wider_than_asked(width: int, encoding: str) -> None:
    for evaluation in (fabricate.evaluation(), hostile.evaluation()):
        told = terminal.summary(evaluation, width=width, encoding=encoding)
        assert max(map(columns_of, told.split("\n"))) <= width
        told.encode(encoding)


def test_notes_of_the_evaluation_are_told() -> None:
    found = replace(fabricate.evaluation(), notes=("The made table has a column that the real one lacks: score.",))
    told = terminal.summary(found)
    assert "The made table has a column that the real one lacks: score." in " ".join(told.split())
    assert told.index("score") < told.index("Synthetic rows;")


def test_remarks_tell_the_notes_of_columns_whole() -> None:
    doubt = "column names are numbers: does the file lack a header line?"
    columns = [Column(f"c{i}", "integer", "int64", note=doubt if i % 2 else "") for i in range(40)]
    told = terminal.remarks(Schema(tuple(columns)), width=60)
    assert "c1: column names are numbers: does the file lack a header" in " ".join(told.split())
    assert "c2:" not in told
    assert "and 12 more in the report" in told
    assert max(map(len, told.splitlines())) <= 60
    assert terminal.remarks(Schema((columns[0],))) == ""


def test_colour_only_when_asked() -> None:
    assert "\x1b" not in terminal.summary(fabricate.evaluation())
    assert "\x1b[31m" in terminal.summary(fabricate.evaluation(), colour=True)


def test_names_in_the_data_cannot_drive_the_terminal() -> None:
    told = terminal.summary(hostile.evaluation(), report="out/\x1b[2J.html")
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Cf"} and c not in "\n\u200d" for c in told)


def test_plain_ascii_says_the_same() -> None:
    told = terminal.summary(fabricate.evaluation(), encoding="ascii")
    assert "x Does not hold" in told
    assert "+ Holds" in told


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (3907, ""),
        (3000, "3,907 made rows were measured, as many as were learnt from; the 3,000 written are the first of them."),
        (1, "3,907 made rows were measured, as many as were learnt from; the 1 written is the first of them."),
        (9000, "The first 3,907 of 9,000 made rows were measured, as many as were learnt from."),
    ],
)
def test_how_many_rows_were_measured_is_told(written: int, said: str) -> None:
    found = fabricate.evaluation()
    found = replace(found, rows={**found.rows, "written": written})
    told = " ".join(terminal.summary(found).split())
    html = page.page(found, schema=fabricate.schema(), record={}, title="people")
    assert said in told
    assert said in html
    assert ("were measured" in told) is bool(said)
    assert ("were measured" in html) is bool(said)


def test_a_remedy_is_told_once_for_a_claim() -> None:
    found = fabricate.evaluation()
    scores = tuple(
        replace(score, passed=False, advice=f"{score.name} is off.", remedy="Ask the maker.")
        if score.name in ("exact_copies", "near_copies")
        else score
        for score in found.scores
    )
    found = replace(found, scores=scores)
    html = page.page(found, schema=fabricate.schema(), record={}, title="people")
    for told in (terminal.summary(found), html):
        assert "exact_copies is off." in told
        assert "near_copies is off." in told
        assert told.count("Ask the maker.") == 1
