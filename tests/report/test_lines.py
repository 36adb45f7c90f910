from __future__ import annotations

import pytest

from tuckpoint.report.lines import columns_of, cut, encodable, table, wrapped


def test_wide_letters_keep_the_columns_aligned() -> None:
    assert columns_of("名前") == 4
    assert cut("名前名前", 5) == "名前…"


def test_long_lines_are_broken_and_the_rest_hangs() -> None:
    assert wrapped("one two three", 8, hang=2) == ["one two", "  three"]
    assert wrapped("aaaaaaaaaa", 4) == ["aaaa", "aaaa", "aa"]
    assert wrapped("a b", 20, indent=4) == ["    a b"]
    assert wrapped("", 20) == []


def test_a_table_folds_in_a_narrow_window() -> None:
    rows = [("Name", "value"), ("something rather long", "0.123")]
    assert table(rows, 60) == ["Name                      value", "  something rather long   0.123"]
    narrow = table(rows, 26)
    assert max(map(len, narrow)) <= 26
    assert narrow[-1] == "    0.123"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "no such encoding"])
def test_what_cannot_be_shown_is_spelled(encoding: str) -> None:
    told = encodable("✓ 2 × 10⁻⁹ – ok", encoding, 80)
    assert told == ("✓ 2 × 10⁻⁹ – ok" if encoding == "utf-8" else "+ 2e-9 - ok")
