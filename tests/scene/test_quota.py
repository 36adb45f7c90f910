"""Quotas: by construction, for any number of scenes."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuckpoint.errors import InputError
from tuckpoint.scene.plan import cells_of, plan
from tuckpoint.scene.quota import cell, quota_of
from tuckpoint.scene.spec import Spec
from tuckpoint.seed import Seed

TOLD = {
    "name": "x",
    "things": {"goods": {"family": {"choice": ["box", "can"]}, "count": {"integers": [1, 9]}}},
    "camera": {"distance_m": 20.0},
    "quotas": [
        {"knobs": {"sun.elevation_deg": [{"uniform": [3, 15]}, {"uniform": [15, 60]}], "goods.count": [1, 2, 3]}},
        {"knobs": {"goods.family": ["box", "can"]}, "shares": {"goods.family": [0.25, 0.75]}},
    ],
}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=6).filter(any), st.integers(1, 150), st.integers(0, 9))
def test_no_cell_is_a_whole_scene_off_its_share(weights, scenes, root):
    quota = quota_of({"knobs": {"a": list(range(len(weights)))}, "shares": {"a": weights}}, "q")
    counts = Counter(cell(quota, 0, Seed(root), index) for index in range(scenes))
    for number, weight in enumerate(weights):
        assert abs(counts[number] - scenes * weight / sum(weights)) < 1


def test_cells_are_every_combination_equally_often_and_in_no_fixed_order():
    quota = quota_of({"knobs": {"a": [1, 2, 3], "b": ["x", "y"]}}, "q")
    drawn = [cell(quota, 0, Seed(3), index) for index in range(60)]
    assert set(Counter(drawn).values()) == {10}
    assert {tuple(one.items()) for one in quota.cells} == {(("a", a), ("b", b)) for a in (1, 2, 3) for b in "xy"}
    assert len({tuple(drawn[start : start + 6]) for start in range(0, 60, 6)}) > 5


def test_the_scene_has_what_its_cell_says():
    spec = Spec.from_dict(TOLD)
    first = spec.quotas[0]["knobs"]["sun.elevation_deg"]
    seen = Counter()
    for index in range(24):
        made = plan(spec, Seed(0), index)
        low, high = first[cells_of(spec, Seed(0), index)[0] % 2]["uniform"]
        assert low <= made.sun.elevation_deg <= high
        seen[low, len(made.things)] += 1
        seen[{thing.family for thing in made.things}.pop()] += 1
    assert {seen[low, count] for low in (3, 15) for count in (1, 2, 3)} == {4}
    assert (seen["box"], seen["can"]) == (6, 18)


def test_a_cell_does_not_depend_on_the_attempt():
    spec = Spec.from_dict(TOLD)
    one, other = (plan(spec, Seed(0), 5, attempt=attempt) for attempt in (0, 1))
    assert len(one.things) == len(other.things)
    assert one.camera.lens.noise_key != other.camera.lens.noise_key


def test_a_drawn_pin_comes_from_the_knobs_own_stream():
    spec = Spec.from_dict({**TOLD, "quotas": []})
    values = [
        plan(spec, Seed(0), k, pins={"sun.elevation_deg": {"uniform": [1, 2]}}).sun.elevation_deg for k in range(9)
    ]
    assert all(1 <= value <= 2 for value in values)
    assert np.std(values) > 0.05


@pytest.mark.parametrize(
    ("quota", "said"),
    [
        ({"knob": {"a": [1]}}, "give {knobs"),
        ({"knobs": {"goods.count": []}}, "give a list of values"),
        ({"knobs": {"goods.count": [1, 2]}, "share": {}}, 'did you mean "shares"'),
        ({"knobs": {"goods.count": [1, 2]}, "shares": {"goods.count": [1]}}, "give 2 numbers"),
        ({"knobs": {"goods.count": [1, 2]}, "shares": {"goods.count": [0, 0]}}, "not all 0"),
        ({"knobs": {"goods.count": [1, 2]}, "shares": {"goods.family": [1, 2]}}, "shares of goods.family"),
        ({"knobs": {str(k): list(range(20)) for k in range(4)}}, "160,000 cells"),
        (
            {"knobs": {str(k): [1, 2] for k in range(3)}, "shares": {str(k): [0.001, 0.998] for k in range(3)}},
            "rounder",
        ),
    ],
)
def test_impossible_quotas_are_refused(quota, said):
    with pytest.raises(InputError, match=said):
        Spec.from_dict({**TOLD, "quotas": [quota]})


def test_unknown_knobs_and_two_holders_are_refused():
    with pytest.raises(InputError, match=r'no knob "goods\.cuont".*goods\.count'):
        plan(Spec.from_dict({**TOLD, "quotas": [{"knobs": {"goods.cuont": [1]}}]}), Seed(0), 0)
    with pytest.raises(InputError, match=r"a pin or twin hold the knob goods\.count"):
        plan(Spec.from_dict(TOLD), Seed(0), 0, pins={"goods.count": 4})
    with pytest.raises(InputError, match="another quota"):
        plan(Spec.from_dict({**TOLD, "quotas": [*TOLD["quotas"], TOLD["quotas"][1]]}), Seed(0), 0)
