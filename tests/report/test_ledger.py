from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

import pytest

from tuckpoint.privacy.account import rho_of
from tuckpoint.privacy.book import Policy
from tuckpoint.privacy.ledger import Ledger
from tuckpoint.report.ledger import balance, shown, up

ONE = Fraction(rho_of(1, 1e-6))
MODEL = "c" * 64
HOSTILE = "a\u202egnp\u0301 名前 \u2066end"


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    return Ledger.at(tmp_path / "ledger.jsonl")


@pytest.fixture
def busy(ledger) -> Ledger:
    said = {"unit": "patient_id", "rho": ONE, "mechanism": "engine aim", "who": "Ada"}
    made = ledger.reserve(population="patients", columns=["age", "sex"], purpose="a course", **said)
    ledger.spend(made, rho=ONE, model=MODEL)
    ledger.reserve(population="staff", **said)
    ledger.share(["patients", "staff"], "patient_id", why="staff are treated too", who="Bo")
    for _ in range(3):
        ledger.drawn(MODEL, 5000, who="Cy")
    return ledger


def columns_of(line: str) -> int:
    return sum(
        0 if unicodedata.combining(c) or c in "\u200c\u200d" else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in line
    )


def test_an_account_is_told_with_what_is_spent_by_whom_and_for_what(busy) -> None:
    told = shown(busy.accounts(), place=str(busy.path), width=200)
    order = [
        str(busy.path),
        '"patients" and "staff" per patient_id',
        "Of epsilon 10 at delta 1e-06, ",
        "is spent. One more release of up to epsilon ",
        "entry  when (UTC)        what      epsilon  who, what for",
        "opened",
        "  spent           1  Ada · a course · engine aim · 2 columns · of patients",
        "  reserved        1  Ada · engine aim · of staff",
        "  shared             Bo · ",
        "staff are treated too",
        "  free            0  Cy · 15,000 rows in 3 draws from the model of entry 2",
        "What is reserved counts in full",
        "less than their sum",
    ]
    for part in order:
        before, found, told = told.partition(part)
        assert found, f"{part!r} does not stand after {before[-80:]!r}"


def test_the_last_lines_are_shown_or_all(ledger) -> None:
    for _ in range(30):
        ledger.reserve(population="p", unit="row", rho=1e-4, mechanism="m")
    told = shown(ledger.accounts(), place="l")
    assert len(re.findall(r" \d+  20.* reserved ", told)) == 20
    assert "11 earlier lines: --all" in told
    told = shown(ledger.accounts(), place="l", every=True)
    assert len(re.findall(r" \d+  20.* reserved ", told)) == 30
    assert "earlier" not in told


@pytest.mark.parametrize("width", [10, 40, 61, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_no_line_is_wider_than_asked_whatever_the_names(ledger, width: int, encoding: str) -> None:
    ledger.reserve(
        population=f"{HOSTILE} {'p' * 90}", unit="u" * 70, rho=ONE, mechanism="m " * 90, purpose=HOSTILE, who="w" * 99
    )
    told = shown(ledger.accounts(), place=f"/{'x' * 90}/\x1b[2J.jsonl", width=width, encoding=encoding)
    assert max(map(columns_of, told.split("\n"))) <= max(width, 40)
    told.encode(encoding)
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Cf"} and c != "\n" for c in told)


def test_the_balance_says_what_is_left_or_why_nothing_is(ledger) -> None:
    def now() -> str:
        return balance(ledger.accounts()[0])

    limit = Policy().limit(Fraction(0))
    ledger.reserve(population="a", unit="row", rho=ONE, mechanism="m")
    assert now().startswith("Of epsilon 10 at delta 1e-06, 1 is spent. One more release of up to epsilon 9.9")
    ledger.reserve(population="a", unit="row", rho=limit - ONE, mechanism="m")
    assert now() == "Of epsilon 10 at delta 1e-06, 10 is spent. Nothing more fits."
    ledger.reserve(population="b", unit="row", rho=ONE, delta=9e-7, mechanism="m")
    ledger.share(["a", "b"], "row", why="w")
    assert "That is more than the policy allows: nothing more is let through." in now()
    for name in ("c", "d"):
        ledger.reserve(population=name, unit="row", rho=1e-6, delta=6e-7, mechanism="m")
    ledger.share(["c", "d"], "row", why="w")
    assert balance(ledger.accounts()[1]).startswith(
        "All of delta 1e-06 is spent, so no epsilon can be told. That is more"
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.0, "0"), (3.86349, "3.864"), (1.0, "1"), (9.999999999999, "10"), (1234.01, "1235"), (2e-9, "2e-09")],
)
def test_losses_are_rounded_up(value: float, told: str) -> None:
    assert up(value) == told
