from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from measure.crowds import FIELDS, around, exchanged, leaking, shuffled, strangers

from tuckpoint.measure.attacks.values import REST, values
from tuckpoint.measure.finding import Finding
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded, Field


def by_column(found: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.score.subject[0]: finding for finding in found}


def test_columns_resampled_alone_are_found_where_no_row_survives() -> None:
    members = strangers(300, 0)
    found = by_column(values(around(members, strangers(300, 1), shuffled(members, 2)), Seed(0)))
    assert set(found) == set("abcd")  # six levels each: nobody has one alone
    for finding in found.values():
        assert finding.score.value == 1.0
        assert finding.score.reference == 0.0
        assert finding.p is not None
        assert finding.p < 1e-100


def test_copies_are_counted_exactly() -> None:
    found = by_column(values(leaking(0.03), Seed(0)))
    assert 30 <= found["a"].score.detail["count"] <= 36  # a number of six decimals may come up twice
    assert found["a"].score.n >= 995
    assert found["a"].p is not None
    assert found["a"].p < 1e-6


def test_a_value_of_several_people_is_nobodys() -> None:
    members = strangers(100, 0)
    outsiders = replace(strangers(100, 1), columns={**strangers(100, 1).columns, "a": members.columns["a"]})
    assert "a" not in by_column(values(around(members, outsiders, members), Seed(0)))


def test_rows_of_one_person_count_once() -> None:
    members, outsiders = strangers(200, 0), strangers(200, 1)
    sides = around(members, outsiders, members.take(np.arange(5)))
    assert by_column(values(sides, Seed(0)))["a"].score.detail["count"] == 5
    # All five copied rows are one person's: one hit, which proves nothing.
    person = np.concatenate([np.zeros(5, int), np.arange(1, 196)])
    one = replace(sides, train=replace(members, person=person), holdout=replace(outsiders, person=np.arange(200)))
    finding = by_column(values(one, Seed(0)))["a"]
    assert finding.score.detail["count"] == 1
    assert finding.p == pytest.approx(196 / 396)


def test_columns_with_few_such_values_are_tested_together() -> None:
    fields = tuple(Field(name, levels=tuple(map(str, range(40)))) for name in "pqr")

    def side(first: int) -> Encoded:
        """Sixty people, six of whom hold a level of their own in each column."""
        codes = {f.name: np.zeros(60, np.int32) for f in fields}
        for j, column in enumerate(codes.values()):
            column[6 * j : 6 * j + 6] = first + np.arange(6)
        return Encoded(fields, codes)

    members, outsiders = side(1), side(10)
    found = by_column(values(around(members, outsiders, members), Seed(0)))
    assert set(found) == {REST}
    assert found[REST].score.detail["count"] == 18
    assert found[REST].score.detail["of_outsiders"] == 18
    assert found[REST].p is not None
    assert found[REST].p < 1e-9


def test_identifiers_and_text_are_looked_at() -> None:
    sides = around(strangers(100, 0), strangers(100, 1), strangers(100, 2))
    mail = (np.arange(100), np.arange(100, 200), np.arange(30))
    finding = by_column(values(replace(sides, texts={"mail": mail}), Seed(0)))["mail"]
    assert finding.score.value == pytest.approx(0.3)
    assert finding.p is not None
    assert finding.p < 1e-8


def test_a_table_without_values_of_ones_own_says_so() -> None:
    levels = Encoded(FIELDS[4:], {name: np.zeros(60, np.int32) for name in "pqrs"})
    (finding,) = values(around(levels, levels, levels), Seed(0))
    assert finding.p is None
    assert "no column" in finding.score.why


@pytest.mark.parametrize("rows", [np.nan, 0.0])
def test_missing_and_constant_columns_hold_nothing(rows: float) -> None:
    empty = Encoded((Field("x"),), {"x": np.full(50, rows)})
    assert values(around(empty, empty, empty), Seed(0))[0].score.value is None


def test_p_values_are_valid_if_people_can_be_exchanged() -> None:
    # Whatever the made rows hold: here they hold every value of a third of all people.
    sides = leaking(0.3, people=150)
    trials = 600
    found = np.array([by_column(values(exchanged(sides, i), Seed(0)))["a"].p for i in range(trials)])
    for level in (0.01, 0.05, 0.2):
        assert np.mean(found <= level) <= level + 6 * np.sqrt(level * (1 - level) / trials)
    assert np.mean(found <= 0.2) > 0.05
