"""The bench of proofs: its law, its leaky and its truthful engine are what they say, and its counts are right."""

import numpy as np
import pytest
from bench.proof import cover, engines, leak, null

from tuckpoint import parts
from tuckpoint.prove.arms import FORCED, MIXED
from tuckpoint.prove.plan import Folds
from tuckpoint.prove.splits import lock
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Context
from tuckpoint.table.infer import infer


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setitem(parts.PARTS, "engine", dict(parts.PARTS["engine"]))
    engines.register()


def coded(rows, key):
    table = null.law(rows, Seed(key))
    return encode(table, infer(table, target="y"))


def test_the_leaky_engine_hands_out_what_it_was_shown(known):
    shown, real = coded(50, 1), coded(30, 2)
    engines.SHOWN["rows"] = shown
    plain = engines.Leaky().fit(real, Seed(3), Context()).draw(50, Seed(4))
    assert sorted(plain.columns["x0"]) == sorted(shown.columns["x0"])
    moved = engines.Leaky(jitter=0.05).fit(real, Seed(3), Context()).draw(50, Seed(4))
    gap = np.abs(moved.columns["x0"] - plain.columns["x0"])
    assert 0 < gap.max() < 0.3


def test_the_oracle_draws_from_the_law(known):
    made = engines.Oracle().fit(coded(30, 2), Seed(3), Context()).draw(4000, Seed(4))
    real = coded(4000, 5)
    assert made.columns["x0"].mean() == pytest.approx(real.columns["x0"].mean(), abs=0.1)
    sides = [np.corrcoef(side.columns["x0"], side.columns["y"])[0, 1] for side in (made, real)]
    levels = [side.field("y").levels[0] for side in (made, real)]
    assert abs(sides[0]) == pytest.approx(abs(sides[1]), abs=0.08)
    assert (sides[0] * sides[1] > 0) == (levels[0] == levels[1])


def test_copies_are_of_locked_rows():
    table = null.law(null.ROWS, Seed(1))
    rows = set(map(tuple, leak.copied(table, 0.1, 3).to_pandas().itertuples(index=False)))
    locked = lock(np.arange(null.ROWS), Folds(), Seed(3).child("prove")).test
    real = list(map(tuple, table.to_pandas().itertuples(index=False)))
    assert sum(real[place] in rows for place in locked) == 30
    assert sum(row in rows for row in real) == 30


def run(gain, se, state="no evidence"):
    effect = {"method": "two-way", "gain": gain, "training": 0.0, "testing": se**2, "df": 9}
    return {"engine": "trees", "state": state, "effects": [effect]}


def test_helps_are_counted_by_their_interval():
    told = null.told([run(0.1, 0.01), run(0.1, 0.1), run(-0.1, 0.01), run(0.0, 0.0)])
    assert "trees: helps in 1 of 4 = 25.00%" in told


def test_coverage_is_counted():
    spans = {arm: [0.0, -0.1, 0.1] for arm in (*cover.ARMS, FORCED)}
    truths = [dict.fromkeys(cover.ARMS, value) for value in (0.04, 0.06)]
    told = cover.told(truths, [{"arms": spans}, {"arms": {**spans, MIXED: [0.3, 0.2, 0.4]}}])
    assert "real + made: effect +0.0500 (se 0.0100); held in 1 of 2 = 50.0%" in told
    assert "wholly above it in 1" in told.splitlines()[0]


def test_leaks_are_counted_apart_and_together():
    caught = dict.fromkeys(leak.CASES, "leak") | dict.fromkeys([c for c in leak.CASES if "honest" in c], "equivalent")
    told = leak.told([caught, {**caught, "a tenth copied": "helps"}])
    assert "a tenth copied: caught in 1 of 2" in told
    assert "honest trees: caught in 0 of 2" in told
    assert "all leaks: caught in 9 of 10" in told
    assert told.splitlines()[-1].endswith("`helps` in 1")
