from itertools import product

import numpy as np
import pytest
from scipy import stats

from tuckpoint.errors import InputError, ShortSample, TraceError
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Condition, Field, State
from tuckpoint.table.grid import grid
from tuckpoint.table.tree import CHUNK, Node, TreeModel, spread

# a -> b -> c and a -> d, with chances written down: every joint chance is known.
A = np.array([[0.2, 0.5, 0.3]])
B = np.array([[0.7, 0.3], [0.1, 0.9], [0.5, 0.5]])
C = np.array([[0.6, 0.3, 0.1], [0.05, 0.15, 0.8]])
D = np.array([[0.9, 0.1], [0.4, 0.6], [0.25, 0.75]])
SIZES = {"a": 3, "b": 2, "c": 3, "d": 2}


def level(name: str) -> Field:
    return Field(name, levels=tuple("xyz"[: SIZES[name]]), nullable=False, provenance="public")


def node(name: str, law: np.ndarray, parent: int) -> Node:
    size = SIZES[name]
    return Node(grid(level(name), 8), np.arange(size), np.ones(size), parent, law)


def model(*more: Node) -> TreeModel:
    nodes = (node("a", A, -1), node("b", B, 0), node("c", C, 1), node("d", D, 0), *more)
    return TreeModel(tuple(n.grid.field for n in nodes), nodes, 8, None)


JOINT = {
    (a, b, c, d): A[0, a] * B[a, b] * C[b, c] * D[a, d]
    for a, b, c, d in product(range(3), range(2), range(3), range(2))
}


def agrees(made, keep) -> float:
    chance = {key: value for key, value in JOINT.items() if keep(*key)}
    rows = list(zip(*(made.columns[name].tolist() for name in "abcd"), strict=True))
    seen = [rows.count(key) for key in chance]
    assert sum(seen) == len(rows)
    expected = np.array(list(chance.values())) / sum(chance.values()) * len(rows)
    return float(stats.chisquare(seen, expected).pvalue)


def several(**sets) -> Condition:
    masks = {name: (lambda v, allowed=allowed: np.isin(v, allowed)) for name, allowed in sets.items()}
    return Condition("test", tuple(sets), lambda c: np.all([m(c[n]) for n, m in masks.items()], axis=0), masks)


def test_draws_follow_the_joint_law():
    assert agrees(model().draw(8000, Seed(1)), lambda *_: True) > 1e-6


@pytest.mark.parametrize(
    ("condition", "keep"),
    [
        (several(c=[0]), lambda a, b, c, d: c == 0),
        (several(c=[0, 2], d=[1]), lambda a, b, c, d: c != 1 and d == 1),
        (several(a=[0, 2], b=[1], c=[1]), lambda a, b, c, d: a != 1 and b == 1 and c == 1),
    ],
)
def test_conditions_draw_from_the_exact_conditional_law(condition, keep):
    assert agrees(model().draw(6000, Seed(2), condition=condition), keep) > 1e-6


def test_given_columns_draw_the_rest_from_the_exact_conditional_law():
    given = {"c": np.full(6000, 2, np.int32), "d": np.zeros(6000, np.int32)}
    assert agrees(model().draw(6000, Seed(3), given=given), lambda a, b, c, d: c == 2 and d == 0) > 1e-6


def test_given_columns_speak_row_by_row():
    given = {"c": np.tile(np.array([0, 2], np.int32), 3000)}
    made = model().draw(6000, Seed(4), given=given)
    for value in (0, 2):
        rows = given["c"] == value
        chance = sum(p for (_, b, c, _), p in JOINT.items() if c == value and b == 1)
        chance /= sum(p for (_, _, c, _), p in JOINT.items() if c == value)
        assert made.columns["b"][rows].mean() == pytest.approx(chance, abs=0.04)


def test_numbers_keep_to_the_allowed_part_of_a_bin():
    field = Field("x", decimals=1, nullable=True, low=0.0, high=1000.0, provenance="public")
    cells = grid(field, 4)
    bins = np.arange(cells.size)
    law = np.full((3, cells.size), 1 / cells.size)
    joined = model(Node(cells, bins, np.ones(cells.size), 0, law))
    condition = Condition(
        "x in (200.3, 200.9]", ("x",), lambda c: c["x"] > 0, {"x": lambda v: (v > 200.3) & (v <= 200.9)}
    )
    made = joined.draw(600, Seed(5), condition=condition).columns["x"]
    values, counts = np.unique(made, return_counts=True)
    assert values.tolist() == [200.4, 200.5, 200.6, 200.7, 200.8, 200.9]
    assert stats.chisquare(counts).pvalue > 1e-6
    missing = Condition("x is missing", ("x",), lambda c: np.isnan(c["x"]), {"x": np.isnan})
    assert np.isnan(joined.draw(50, Seed(5), condition=missing).columns["x"]).all()


def test_more_rows_than_one_chunk():
    made = model().draw(CHUNK + 5, Seed(6))
    assert made.rows == CHUNK + 5
    assert np.bincount(made.columns["a"]) / made.rows == pytest.approx(A[0], abs=1e-3)


def test_what_cannot_occur_together_is_a_short_sample():
    sure = TreeModel(
        (level("a"), level("b")),
        (node("a", A, -1), node("b", np.array([[1.0, 0], [1, 0], [1, 0]]), 0)),
        8,
        None,
    )
    with pytest.raises(ShortSample, match="never occur together"):
        sure.draw(3, Seed(1), condition=several(b=[1]))
    with pytest.raises(ShortSample, match='column "a"'):
        sure.draw(3, Seed(1), condition=several(a=[7]))
    assert sure.draw(0, Seed(1), condition=several(a=[7])).rows == 0
    with pytest.raises(InputError, match="break the condition"):
        sure.draw(2, Seed(1), condition=several(a=[1]), given={"a": np.array([1, 2], np.int32)})


def test_spread_fills_each_group_evenly():
    group = np.repeat([2, 0, 1], [50, 1, 49])
    chance = spread(group, np.random.default_rng(0))
    assert ((chance >= 0) & (chance < 1)).all()
    assert sorted((chance[group == 2] * 50).astype(int)) == list(range(50))
    assert not np.array_equal(np.sort(chance[group == 2]), chance[group == 2])


def test_a_state_that_is_no_model_is_refused():
    whole = model()
    state = whole.state()
    assert TreeModel.from_state(state, whole.fields).draw(9, Seed(1)).columns["c"].tobytes() == (
        whole.draw(9, Seed(1)).columns["c"].tobytes()
    )
    broken = [
        State({}, state.arrays),
        State({**state.values, "parent": [-1, 0, 5, 0]}, state.arrays),
        State({**state.values, "order": ["a", "b", "c", "c"]}, state.arrays),
        State(state.values, {**state.arrays, "1.law": B[:2]}),
        State(state.values, {**state.arrays, "1.law": B * 2}),
        State(state.values, {**state.arrays, "1.law": np.full_like(B, np.nan)}),
        State(state.values, {**state.arrays, "2.bins": np.array([0, 1, 5])}),
        State(state.values, {k: v for k, v in state.arrays.items() if k != "0.share"}),
    ]
    for wrong in broken:
        with pytest.raises(TraceError):
            TreeModel.from_state(wrong, whole.fields)
    with pytest.raises(TraceError):
        TreeModel.from_state(state, whole.fields[:3])
