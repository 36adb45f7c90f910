"""The choice of an engine: by what, within which band, and that it says so."""

import numpy as np
import pytest

from tuckpoint.errors import InputError, TraceError
from tuckpoint.measure.evaluate import judge
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Context, Encoded, Field, State
from tuckpoint.table.engines import auto
from tuckpoint.table.engines.auto import CANDIDATES, Auto
from tuckpoint.table.engines.independent import Independent
from tuckpoint.table.engines.trees import Trees

N = 900
FIELDS = (Field("x", decimals=3), Field("y", decimals=3), Field("l", levels=("a", "b")))


def table(*, rows=N, people=False):
    rng = np.random.default_rng(0)
    x = np.round(rng.normal(size=rows), 3)
    y = np.round(x + 0.6 * rng.normal(size=rows), 3)
    person = np.repeat(np.arange(rows), 3)[:rows] * 7 if people else None
    return Encoded(FIELDS, {"x": x, "y": y, "l": (x + y + rng.normal(size=rows) > 0).astype(np.int32)}, person)


@pytest.fixture
def two(monkeypatch):
    """Two candidates suffice to choose, and take less long."""
    some = {"trees": Trees(leaf=100, finest=60, rounds=10), "independent": Independent()}
    monkeypatch.setattr(auto, "CANDIDATES", some)
    return some


def fitted(told, *, real=None, **settings):
    return Auto(**settings).fit(real or table(), Seed(1), Context(target="l", judge=told))


def by_engine(**numbers):
    """A judge that gives numbers in the order of the candidates."""
    rest = iter(zip(*numbers.values(), strict=True))
    return lambda *_: dict(zip(numbers, next(rest), strict=True))


def test_independence_is_rejected_where_columns_depend(two):
    # The error of a membership AUC on 400 rows aside is 0.02, so the usual band would be a coin here.
    model = fitted(judge, real=table(rows=2000), band=0.6)
    assert model.chosen == "trees"
    made = model.draw(2000, Seed(2)).columns
    assert np.corrcoef(made["x"], made["y"])[0, 1] > 0.75
    assert "chose trees" in model.why[0]
    assert len(model.why) == 3
    assert model.notes[:3] == model.why
    losses = {line.split(":")[0]: float(line.split("loss ")[1].split()[0]) for line in model.why[1:]}
    assert losses["independent"] > losses["trees"] + 0.1


def test_the_least_loss_within_the_band_wins(two):
    told = by_engine(detection=[0.6, 0.7], membership=[0.5, 0.5])
    assert fitted(told).chosen == "trees"
    told = by_engine(detection=[0.6, 0.7], membership=[0.56, 0.52])
    assert fitted(told).chosen == "independent"
    told = by_engine(detection=[0.6, 0.7], membership=[0.56, 0.52])
    assert fitted(told, band=0.6).chosen == "trees"


def test_utility_is_weighed_against_detection(two):
    numbers = {"detection": [0.60, 0.55], "utility": [0.9, 0.86], "utility_reference": [0.9, 0.9]}
    numbers["membership"] = [0.5, 0.5]
    assert fitted(by_engine(**numbers), utility_weight=0.5).chosen == "independent"
    assert fitted(by_engine(**numbers), utility_weight=2.0).chosen == "trees"


def test_where_none_is_within_the_band_the_nearest_is_kept_and_said(two):
    model = fitted(by_engine(detection=[0.5, 0.9], membership=[0.7, 0.6]))
    assert model.chosen == "independent"
    assert "no candidate stayed within" in model.why[0]


def test_the_judge_sees_rows_that_no_candidate_saw(two):
    seen = []

    def told(train, made, rest, target):
        seen.append((train, made, rest, target))
        return {"detection": 0.6}

    real = table(people=True)
    fitted(told, real=real, share=0.7)
    for train, made, rest, target in seen:
        assert target == "l"
        assert train.rows + rest.rows == N
        assert made.rows == train.rows
        assert train.rows == pytest.approx(0.7 * N, abs=0.1 * N)
        assert not set(train.person) & set(rest.person)


def test_too_few_rows_or_people_are_not_judged():
    def never(*_):
        raise AssertionError("judged")

    small = fitted(never, real=table(rows=100))
    assert small.chosen == "trees"
    assert "too few" in small.why[0]
    real = table()
    alone = fitted(never, real=Encoded(real.fields, real.columns, np.zeros(N, np.int64)))
    assert "too few people" in alone.why[0]
    assert fitted(never, real=Encoded((), {})).chosen == "trees"


def test_without_a_judge_it_says_what_to_do():
    with pytest.raises(InputError, match="judge"):
        Auto().fit(table(), Seed(1), Context())


def test_settings_out_of_range_are_refused():
    for wrong in ({"share": 0.0}, {"share": 1.0}, {"band": 0.4}, {"utility_weight": -1.0}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            Auto(**wrong)


@pytest.mark.parametrize("membership", [[0.5, 0.9], [0.9, 0.5]])
def test_a_saved_choice_comes_back(two, membership):
    model = fitted(by_engine(detection=[0.6, 0.6], membership=membership))
    state = model.state()
    back = Auto.load(State(dict(state.values), dict(state.arrays)), FIELDS)
    assert (back.chosen, back.why) == (model.chosen, model.why)
    for name, values in model.draw(50, Seed(3)).columns.items():
        assert np.array_equal(values, back.draw(50, Seed(3)).columns[name])
    for wrong in ({"chosen": "gpt"}, {"chosen": None}, {"inner": 3}, {"why": None}):
        with pytest.raises(TraceError):
            Auto.load(State({**state.values, **wrong}, state.arrays), FIELDS)


def test_every_candidate_is_one_that_can_be_told_apart():
    assert len({(type(engine), engine) for engine in CANDIDATES.values()}) == len(CANDIDATES)
    assert "independent" in CANDIDATES
