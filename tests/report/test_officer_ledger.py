from __future__ import annotations

from report.assessments import ACCOUNT, LEDGER
from report.reader import Reader

from tuckpoint.report.officer_ledger import ENTRIES, spent_so_far


def told(ledger: list[dict[str, object]] | None, account: dict[str, object] | None) -> str:
    return Reader(spent_so_far(ledger, account).body).prose


def test_each_release_stands_with_who_what_for_and_what_it_cost() -> None:
    text = told(LEDGER, ACCOUNT)
    assert "Spent in total ε = 2.9 at δ = 1 × 10⁻⁹" in text
    assert "Allowed in total ε = 10" in text
    assert "Left for one more release ε = 6.1" in text
    assert "marginals entry 5 2026-11-02 m.muster · release for teaching reserved, counts in full 0.0731 2.4" in text


def test_without_a_ledger_the_page_says_that_nothing_is_known() -> None:
    assert "No ledger was given." in told(None, None)
    assert "No release stands in the ledger." in told([], ACCOUNT)


def test_an_account_of_totals_alone_is_enough() -> None:
    text = told(LEDGER, {"epsilon": 2.9, "delta": 1e-9, "rho": 0.1})
    assert "Spent in total ε = 2.9" in text
    assert "Allowed" not in text


def test_many_entries_are_cut_and_counted_the_latest_stay() -> None:
    many = [{"number": number, "mechanism": "m"} for number in range(ENTRIES + 3)]
    text = told(many, None)
    assert f"entry {ENTRIES + 2} " in text
    assert "entry 2 " not in text
    assert "3 earlier entries in the JSON." in text


def test_entries_of_odd_shape_are_shown_as_far_as_they_go() -> None:
    assert "a release" in told([{}], None)
    assert "nan" not in told([{"rho": float("nan"), "release": "x"}], None)
