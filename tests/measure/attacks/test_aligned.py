from __future__ import annotations

import numpy as np
import pytest
from measure.crowds import around, strangers

from tuckpoint.measure.attacks.aligned import aligned
from tuckpoint.measure.attacks.distance import distance
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded

MEMBERS, OUTSIDERS = strangers(500, 0), strangers(500, 1)


@pytest.mark.parametrize("change", [lambda x: x + 7.0, lambda x: 3.0 - (1.0 - x) ** 3, np.exp, lambda x: x * 1e-3])
def test_a_copy_in_other_units_is_a_copy(change: object) -> None:
    assert callable(change)
    columns: dict[str, Array] = {name: change(MEMBERS.columns[name]) for name in "abcd"}
    sides = around(MEMBERS, OUTSIDERS, Encoded(MEMBERS.fields, {**MEMBERS.columns, **columns}))
    ranked, _, guessed = aligned(sides, Seed(0))
    assert (ranked.score.value or 0) > 0.95
    assert ranked.p == pytest.approx(0.0, abs=1e-12)
    assert guessed.score.value is not None
    assert guessed.score.value > 0.95


def test_plain_distances_do_not_see_it() -> None:
    columns = {name: MEMBERS.columns[name] + 7.0 for name in "abcd"}
    ranked, _, _ = distance(
        around(MEMBERS, OUTSIDERS, Encoded(MEMBERS.fields, {**MEMBERS.columns, **columns})), Seed(0)
    )
    assert (ranked.score.value or 1) < 0.8


def test_strangers_in_other_units_pass() -> None:
    others = strangers(500, 2)
    columns = {name: others.columns[name] * 100 for name in "abcd"}
    found = aligned(around(MEMBERS, OUTSIDERS, Encoded(others.fields, {**others.columns, **columns})), Seed(0))
    assert min(one.p for one in found if one.p is not None) > 0.01
