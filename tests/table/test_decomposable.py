"""A small decomposable model with every joint chance known: what is drawn follows it, whatever is known before."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy import stats

from tuckpoint.errors import InputError, ShortSample, TraceError
from tuckpoint.seed import Seed
from tuckpoint.table import decomposable
from tuckpoint.table.decomposable import CHUNK, DecomposableModel, Node
from tuckpoint.table.engine import Condition, Field, State
from tuckpoint.table.grid import grid

# a; b given a; c given a and b; d given b and c; e given a: a ring of four with its chord, and a leaf.
SIZES = {"a": 3, "b": 2, "c": 3, "d": 2, "e": 2}
PARENTS = {"a": "", "b": "a", "c": "ab", "d": "bc", "e": "a"}
LAWS = {
    name: np.random.default_rng(i).dirichlet(np.ones(SIZES[name]), int(np.prod([SIZES[p] for p in PARENTS[name]])))
    for i, name in enumerate(SIZES)
}


def level(name: str) -> Field:
    return Field(name, levels=tuple("xyz"[: SIZES[name]]), nullable=False, provenance="public")


def node(name: str, law: np.ndarray, parents: tuple[int, ...]) -> Node:
    size = SIZES[name]
    return Node(grid(level(name), 8), np.arange(size), np.ones(size), parents, law)


def model(*more: Node) -> DecomposableModel:
    place = list(SIZES)
    nodes = (*(node(n, LAWS[n], tuple(place.index(p) for p in PARENTS[n])) for n in SIZES), *more)
    return DecomposableModel("some", tuple(n.grid.field for n in nodes), nodes, 8, None)


def chance(*bins: int) -> float:
    """The joint chance of one row."""
    of = dict(zip(SIZES, bins, strict=True))
    total = 1.0
    for name in SIZES:
        row = 0
        for parent in PARENTS[name]:
            row = row * SIZES[parent] + of[parent]
        total *= LAWS[name][row, of[name]]
    return total


JOINT = {bins: chance(*bins) for bins in product(*(range(size) for size in SIZES.values()))}


def agrees(made, keep) -> float:
    """The chance of rows as far as these from the joint law, given what is kept."""
    law = {key: value for key, value in JOINT.items() if keep(*key)}
    rows = list(zip(*(made.columns[name].tolist() for name in SIZES), strict=True))
    seen = [rows.count(key) for key in law]
    assert sum(seen) == len(rows)
    expected = np.array(list(law.values())) / sum(law.values()) * len(rows)
    return float(stats.chisquare(seen, expected).pvalue)


def several(**sets) -> Condition:
    masks = {name: (lambda v, allowed=allowed: np.isin(v, allowed)) for name, allowed in sets.items()}
    return Condition("test", tuple(sets), lambda c: np.all([m(c[n]) for n, m in masks.items()], axis=0), masks)


def test_the_chances_are_a_joint_law():
    assert sum(JOINT.values()) == pytest.approx(1)


def test_draws_follow_the_joint_law():
    assert agrees(model().draw(20_000, Seed(1)), lambda *_: True) > 1e-6


@pytest.mark.parametrize(
    ("condition", "keep"),
    [
        ({"c": [0]}, lambda a, b, c, d, e: c == 0),
        ({"c": [0, 2], "d": [1]}, lambda a, b, c, d, e: c != 1 and d == 1),
        ({"a": [0, 2], "b": [1], "c": [1]}, lambda a, b, c, d, e: a != 1 and b == 1 and c == 1),
        ({"d": [0], "e": [1]}, lambda a, b, c, d, e: d == 0 and e == 1),
    ],
)
def test_conditions_draw_from_the_exact_conditional_law(condition, keep):
    assert agrees(model().draw(12_000, Seed(2), condition=several(**condition)), keep) > 1e-6


@pytest.mark.parametrize("names", ["d", "ad", "bc", "de", "bcde", "abc", "e"])
def test_given_columns_draw_the_rest_from_the_exact_conditional_law(names):
    """Each combination of given values is repeated in random places, and must be told apart row by row."""
    combinations = list(product(*(range(SIZES[n]) for n in names)))
    which = np.random.default_rng(3).permutation(np.repeat(np.arange(len(combinations)), 2500))
    given = {n: np.array([c[k] for c in combinations], np.int32)[which] for k, n in enumerate(names)}
    made = model().draw(len(which), Seed(3), given=given)
    for n in names:
        assert made.columns[n].tobytes() == given[n].tobytes()
    place = [list(SIZES).index(n) for n in names]
    for k, combination in enumerate(combinations):
        rows = replace(made, columns={n: v[which == k] for n, v in made.columns.items()})
        assert (
            agrees(rows, lambda *bins, c=combination: all(bins[p] == v for p, v in zip(place, c, strict=True))) > 1e-7
        )


def test_given_columns_and_a_condition_hold_together():
    given = {"d": np.zeros(9000, np.int32)}
    made = model().draw(9000, Seed(4), given=given, condition=several(a=[0, 1], d=[0]))
    assert agrees(made, lambda a, b, c, d, e: d == 0 and a < 2) > 1e-6


def test_many_combinations_are_heard_a_few_at_a_time(monkeypatch):
    """The bound on memory changes what is drawn together, and not the law."""
    given = {"d": np.tile(np.array([0, 1], np.int32), 5000), "e": np.repeat(np.array([0, 1], np.int32), 5000)}
    calls = []
    plain = decomposable._listen
    monkeypatch.setattr(decomposable, "_listen", lambda n, p, told: calls.append(len(told[3])) or plain(n, p, told))
    model().draw(10_000, Seed(5), given=given)
    assert calls == [4]
    monkeypatch.setattr(decomposable, "_HEARD", 18)  # one combination of the widest table, a, b and c
    made = model().draw(10_000, Seed(5), given=given)
    assert calls == [4, 1, 1, 1, 1]
    for d, e in product((0, 1), repeat=2):
        rows = (given["d"] == d) & (given["e"] == e)
        part = replace(made, columns={n: v[rows] for n, v in made.columns.items()})
        assert agrees(part, lambda *bins, d=d, e=e: bins[3] == d and bins[4] == e) > 1e-7


def test_what_is_known_of_very_many_columns_does_not_vanish():
    """Three hundred witnesses of one column, each of which halves a chance a thousand times over in all."""
    size, law = 300, np.array([[0.9, 0.1], [0.1, 0.9]])
    fields = [Field(f"w{i}", levels=("x", "y"), nullable=False, provenance="public") for i in range(size)]
    root = node("b", np.array([[0.5, 0.5]]), ())
    nodes = (root, *(Node(grid(f, 8), np.arange(2), np.ones(2), (0,), law) for f in fields))
    crowd = DecomposableModel("some", (level("b"), *fields), nodes, 8, None)
    given = {f.name: np.array([i % 2, 1, 0], np.int32) for i, f in enumerate(fields[:-2])}
    made = crowd.draw(3, Seed(6), given=given)
    assert made.columns["b"][1:].tolist() == [1, 0]


def test_numbers_keep_to_the_allowed_part_of_a_bin():
    field = Field("x", decimals=1, nullable=True, low=0.0, high=1000.0, provenance="public")
    cells = grid(field, 4)
    bins = np.arange(cells.size)
    law = np.full((3, cells.size), 1 / cells.size)
    joined = model(Node(cells, bins, np.ones(cells.size), (0,), law))
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
    assert np.bincount(made.columns["a"]) / made.rows == pytest.approx(LAWS["a"][0], abs=1e-3)


def test_what_cannot_occur_together_is_a_short_sample():
    sure = DecomposableModel(
        "some",
        (level("a"), level("b")),
        (node("a", LAWS["a"], ()), node("b", np.array([[1.0, 0], [1, 0], [1, 0]]), (0,))),
        8,
        None,
    )
    with pytest.raises(ShortSample, match="never occur together"):
        sure.draw(3, Seed(1), condition=several(b=[1]))
    with pytest.raises(ShortSample, match='column "a"'):
        sure.draw(3, Seed(1), condition=several(a=[7]))
    assert sure.draw(0, Seed(1), condition=several(a=[7])).rows == 0
    with pytest.raises(InputError, match="breaks the condition"):
        sure.draw(2, Seed(1), condition=several(a=[1]), given={"a": np.array([1, 2], np.int32)})


def test_a_state_that_is_no_model_is_refused():
    whole, law = model(), LAWS["b"]
    state = whole.state()
    assert DecomposableModel.from_state(state, whole.fields).draw(9, Seed(1)).columns["c"].tobytes() == (
        whole.draw(9, Seed(1)).columns["c"].tobytes()
    )
    broken = [
        State({}, state.arrays),
        *(
            State({**state.values, "parents": [*state.values["parents"][:3], wrong, [0]]}, state.arrays)
            for wrong in ([2, 1], [1, 5], [1, 1, 2], [1], [-1, 2], "no")
        ),
        State({**state.values, "parents": [[], [], [0, 1], [1, 2], [0]]}, {**state.arrays, "1.law": law[:1]}),
        State({**state.values, "order": ["a", "b", "c", "c", "e"]}, state.arrays),
        State(state.values, {**state.arrays, "1.law": law[:2]}),
        State(state.values, {**state.arrays, "1.law": law * 2}),
        State(state.values, {**state.arrays, "1.law": law.ravel()}),
        State(state.values, {**state.arrays, "1.law": np.full_like(law, np.nan)}),
        State(state.values, {**state.arrays, "2.bins": np.array([0, 1, 5])}),
        State(state.values, {k: v for k, v in state.arrays.items() if k != "0.share"}),
    ]
    for wrong in broken:
        with pytest.raises(TraceError):
            DecomposableModel.from_state(wrong, whole.fields)
    with pytest.raises(TraceError):
        DecomposableModel.from_state(state, whole.fields[:3])
