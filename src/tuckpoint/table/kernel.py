"""The compiled kernel, called with numpy arrays: grow trees, boost, and draw rows. Calls let other threads run."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Codes = NDArray[np.uint16]

NODE = np.dtype([("feature", "<u2"), ("split", "<u2"), ("left", "<i4")])
LEAF = 0xFFFF
MAX_LEVELS = 255  # of a categorical feature; the rest share the last code
SQUARED, LOGISTIC, SOFTMAX = 0, 1, 2


def _library() -> ctypes.CDLL:
    spec = find_spec("tuckpoint.table._kernel")
    if spec is None or spec.origin is None:
        raise ImportError(
            "the compiled kernel of tuckpoint is missing; install tuckpoint again with a C compiler at hand"
        )
    library = ctypes.CDLL(spec.origin)
    library.tree_grow.restype = ctypes.c_int32
    library.boost_fit.restype = ctypes.c_int32
    return library


_KERNEL = _library()


def _at(array: Array | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if array is None else array.ctypes.data)


def _table(arrays: Sequence[Array]) -> Any:
    return (ctypes.c_void_p * max(1, len(arrays)))(*[array.ctypes.data for array in arrays])


def _exact(array: Any, dtype: Any) -> Array:
    return np.ascontiguousarray(array, dtype=dtype)


@dataclass(frozen=True)
class Forest:
    """Trees one after another: nodes (m,), counts (m,) members of each leaf, sets (s, 8), members (r,).

    `node_at`, `set_at` and `member_at` (trees,) tell where each tree begins.
    """

    nodes: Array
    counts: Array
    sets: Array
    members: Array
    node_at: Array
    set_at: Array
    member_at: Array


def join(trees: Sequence[tuple[Array, Array, Array, Array]]) -> Forest:
    """One forest of trees as `grow` returns them."""
    nodes, counts, sets, members = zip(*trees, strict=True)

    def starts(parts: Sequence[Array]) -> Array:
        return np.cumsum([0] + [len(part) for part in parts[:-1]]).astype(np.int64)

    return Forest(
        np.concatenate(nodes),
        np.concatenate(counts),
        np.concatenate([*sets, np.zeros((1, 8), np.uint32)]),  # one to spare: the kernel may read a set it then ignores
        np.concatenate(members),
        starts(nodes),
        starts(sets),
        starts(members),
    )


def grow(
    codes: Sequence[Codes],
    categorical: Sequence[bool],
    *,
    target: Array | None,
    label: Array | None,
    outputs: int,
    weight: Array | None,
    min_leaf: float,
    rows: Array,
    apart: Sequence[bool] = (),
    least: float | None = None,
) -> tuple[Array, Array, Array, Array]:
    """Grow one tree on `rows` of features `codes`, each (n,) uint16; returns nodes, counts, sets and members.

    Splits maximise the between-child variance of target (n, outputs) float64, or of the one-hot of label (n,). A leaf
    holds `min_leaf` people, or `least` where a split by a feature that may set people `apart` is beyond chance.
    """
    bag = len(rows)
    least = min_leaf if least is None else min(least, min_leaf)
    max_nodes = min(2 * bag, int(2 * bag / least) + 2) + 1
    nodes, counts = np.zeros(max_nodes, NODE), np.zeros(max_nodes, np.int32)
    sets = np.zeros((min(max_nodes, 65535), 8), np.uint32)
    members, used = np.array(rows, np.int32), ctypes.c_int32()
    flags, few = np.array(categorical, np.uint8), np.zeros(len(codes), np.uint8)
    few[: len(apart)] = apart
    made = _KERNEL.tree_grow(
        _table(codes), _at(flags), _at(few), len(codes), _at(target), _at(label), outputs, _at(weight),
        ctypes.c_double(min_leaf), ctypes.c_double(least), _at(members), bag, _at(nodes), max_nodes, _at(counts),
        _at(sets), len(sets), ctypes.byref(used),
    )  # fmt: skip
    if made < 0:
        raise MemoryError("no memory to grow a tree")
    return nodes[:made].copy(), counts[:made].copy(), sets[: used.value].copy(), members


def leaves(codes: Sequence[Codes], tree: tuple[Array, Array, Array, Array], rows: Array) -> NDArray[np.int32]:
    """The leaf (len(rows),) of one grown tree that each of these rows falls into."""
    nodes, _, sets, _ = tree
    at, out = _exact(rows, np.int32), np.empty(len(rows), np.int32)
    _KERNEL.tree_apply(_table(codes), _at(nodes), _at(sets), _at(at), len(at), _at(out))
    return out


_FOREST = {"nodes": NODE, "counts": np.int32, "sets": np.uint32, "members": np.int32}
_BOOSTED = {"feature": np.int32, "split": np.uint8, "value": np.float32, "start": np.float32}


def _check_kinds(model: Forest | Boosted, kinds: Mapping[str, Any]) -> None:
    for name, array in vars(model).items():
        if array.dtype != kinds.get(name, np.int64) or not array.flags.c_contiguous:
            raise ValueError(f"{name} of the trees is {array.dtype}, not as the kernel reads it")


def check_forest(forest: Forest, *, categorical: Sequence[bool], rows: int) -> None:
    """Raise ValueError if a forest read from a file, on such features and real rows, could mislead the kernel."""
    _check_kinds(forest, _FOREST)
    ends = {
        "node": (forest.node_at, len(forest.nodes)),
        "set": (forest.set_at, len(forest.sets)),
        "member": (forest.member_at, len(forest.members)),
    }
    sizes = {}
    for what, (starts, end) in ends.items():
        sizes[what] = np.diff(np.append(starts, end))
        if not len(starts) or len(starts) != len(forest.node_at) or starts[0] != 0 or (sizes[what] < 0).any():
            raise ValueError(f"the trees' {what} offsets do not fit")
    if (sizes["node"] < 1).any() or len(forest.counts) != len(forest.nodes):
        raise ValueError("a tree has no nodes")
    if forest.sets.shape[1:] != (8,) or sizes["set"][-1] < 1:
        raise ValueError("the trees lack the set to spare")
    own, members, sets = (np.repeat(sizes[what], sizes["node"]) for what in ("node", "member", "set"))
    place = np.arange(len(forest.nodes)) - np.repeat(forest.node_at, sizes["node"])
    left, leaf = forest.nodes["left"].astype(np.int64), forest.nodes["feature"] == LEAF
    marked, feature = ~leaf & (forest.nodes["feature"] >= 0x8000), forest.nodes["feature"] & 0x7FFF
    of_category = np.append(np.array(categorical, bool), False)[np.minimum(feature, len(categorical))]
    wrong = leaf & ((left < 0) | (forest.counts < 1) | (left + forest.counts > members))
    wrong |= ~leaf & ((left <= place) | (left + 1 >= own) | (feature >= len(categorical)))
    wrong |= marked & ((forest.nodes["split"] >= sets) | ~of_category)
    if wrong.any() or (forest.members < 0).any() or (forest.members >= rows).any():
        raise ValueError("a tree points outside itself")


def check_boosted(model: Boosted, *, features: int) -> None:
    """Raise ValueError if a boosted model read from a file could lead the kernel outside its arrays."""
    _check_kinds(model, _BOOSTED)
    trees, depth = model.feature.shape
    if model.split.shape != (trees, depth) or depth > 8 or model.value.shape != (trees, 1 << depth):
        raise ValueError("the boosted trees do not fit together")
    if model.start.ndim != 1 or not len(model.start) or trees % len(model.start):
        raise ValueError("the boosted trees do not fit their outputs")
    if (model.feature < 0).any() or (model.feature >= features).any():
        raise ValueError("a boosted tree reads a feature that is not there")


class _ForestView(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_void_p) for name in ("nodes", "sets", "members", "counts", "node_at", "set_at", "member_at")
    ] + [("trees", ctypes.c_int32)]


def members(
    forest: Forest,
    codes: Sequence[Codes],
    rows: int,
    first_row: int,
    key: int,
    used: Sequence[NDArray[np.int32]] = (),
) -> NDArray[np.int32]:
    """The real row (rows,) whose value each made row takes; none of those in `used`, each (rows,), if avoidable."""
    out = np.empty(rows, np.int32)
    view = _ForestView(
        _at(forest.nodes),
        _at(forest.sets),
        _at(forest.members),
        _at(forest.counts),
        _at(forest.node_at),
        _at(forest.set_at),
        _at(forest.member_at),
        len(forest.node_at),
    )
    failed = _KERNEL.draw_members(
        ctypes.byref(view),
        _table(codes),
        len(codes),
        _table(used),
        len(used),
        rows,
        ctypes.c_uint64(first_row),
        ctypes.c_uint64(key),
        _at(out),
    )
    if failed:
        raise MemoryError("no memory to draw")
    return out


@dataclass(frozen=True)
class Boosted:
    """Oblivious boosted trees: feature and split (trees, depth), value (trees, 2**depth), start (outputs,).

    Trees of round r and output k stand at r * outputs + k.
    """

    feature: Array
    split: Array
    value: Array
    start: Array

    @property
    def outputs(self) -> int:
        """Numbers that one row's prediction has."""
        return len(self.start)

    @property
    def rounds(self) -> int:
        """Rounds kept."""
        return len(self.feature) // self.outputs


@dataclass(frozen=True)
class BoostSettings:
    """How to boost: rounds at most, patience in rounds, depth of trees, learning rate, L2 penalty, least hessian of a
    child, share of rows per round."""

    rounds: int = 80
    patience: int = 10
    depth: int = 5
    rate: float = 0.1
    penalty: float = 1.0
    min_child: float = 20.0
    bag: float = 0.7


def boost(
    bins: Sequence[NDArray[np.uint8]],
    bin_counts: Sequence[int],
    target: Array,
    *,
    train: Array,
    watch: Array,
    loss: int,
    start: Array,
    settings: BoostSettings,
    key: int,
) -> tuple[Boosted, Array]:
    """Boost on the train rows, stop by the loss on the watched rows; returns the model and scores (outputs, n)."""
    outputs, rows, depth = len(start), len(target), settings.depth
    trees = settings.rounds * outputs
    feature, split = np.zeros((trees, depth), np.int32), np.zeros((trees, depth), np.uint8)
    value = np.zeros((trees, 1 << depth), np.float32)
    score = np.repeat(_exact(start, np.float32)[:, None], rows, axis=1)
    train, watch, wanted = _exact(train, np.int32), _exact(watch, np.int32), _exact(target, np.float32)
    counts, best = _exact(bin_counts, np.int32), ctypes.c_double()
    kept = _KERNEL.boost_fit(
        _table(bins),
        _at(counts),
        len(bins),
        rows,
        _at(train),
        len(train),
        _at(watch),
        len(watch),
        _at(wanted),
        loss,
        outputs,
        settings.rounds,
        settings.patience,
        depth,
        ctypes.c_double(settings.rate),
        ctypes.c_double(settings.penalty),
        ctypes.c_double(settings.min_child),
        ctypes.c_double(settings.bag),
        ctypes.c_uint64(key),
        _at(feature),
        _at(split),
        _at(value),
        _at(score),
        ctypes.byref(best),
    )
    if kept < 0:
        raise MemoryError("no memory to boost")
    kept *= outputs
    return Boosted(feature[:kept].copy(), split[:kept].copy(), value[:kept].copy(), _exact(start, np.float32)), score


def predict(model: Boosted, bins: Sequence[NDArray[np.uint8]], rows: int) -> NDArray[np.float32]:
    """Scores (outputs, rows)."""
    score = np.repeat(model.start[:, None], rows, axis=1)
    trees, depth = model.feature.shape
    table = _table(bins)
    for output in range(model.outputs):
        _KERNEL.boost_predict(
            table,
            rows,
            _at(model.feature),
            _at(model.split),
            _at(model.value),
            depth,
            output,
            trees,
            model.outputs,
            _at(score[output]),
        )
    return score


class Numbers(ctypes.Structure):
    """One numeric column as the kernel draws from it; see numbers_t in draw.c. The arrays must outlive it."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("value", "code", "place", "ties", "pool", "pool_code")),
        ("pool_size", ctypes.c_int32),
        ("snap", ctypes.c_int32),
        *((name, ctypes.c_double) for name in ("width", "power", "reach", "low", "high")),
    ]


def numbers(
    column: Numbers,
    member: NDArray[np.int32],
    first_row: int,
    key: int,
    *,
    here: NDArray[np.float32] | None = None,
    out_of_fold: NDArray[np.float32] | None = None,
    fold: NDArray[np.uint8] | None = None,
) -> tuple[NDArray[np.float64], Codes]:
    """Values and codes (rows,) of members, moved within the pool; `here` (2, rows) are both folds' predictions."""
    rows = len(member)
    value, code = np.empty(rows, np.float64), np.empty(rows, np.uint16)
    _KERNEL.draw_numbers(
        ctypes.byref(column),
        _at(member),
        rows,
        ctypes.c_uint64(first_row),
        ctypes.c_uint64(key),
        _at(here),
        _at(out_of_fold),
        _at(fold),
        _at(value),
        _at(code),
    )
    return value, code


def steps(prediction: NDArray[np.float32], low: float, high: float, count: int = 4000) -> Codes:
    """A prediction (rows,) as a feature code 1..count+1, in equal steps from low to high."""
    code = np.empty(len(prediction), np.uint16)
    scale = count / max(high - low, 1e-9)
    _KERNEL.draw_steps(_at(prediction), len(prediction), ctypes.c_double(low), ctypes.c_double(scale), count, _at(code))
    return code


def levels(score: NDArray[np.float32], first_row: int, key: int) -> NDArray[np.int32]:
    """Levels (rows,) drawn from boosted scores (outputs, rows), which are overwritten."""
    outputs, rows = score.shape
    out = np.empty(rows, np.int32)
    _KERNEL.draw_levels(_at(score), outputs, rows, ctypes.c_uint64(first_row), ctypes.c_uint64(key), _at(out))
    return out


def bins(code: Codes, mapping: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """mapping[code], with codes past its end read as its last."""
    out = np.empty(len(code), np.uint8)
    _KERNEL.draw_bins(_at(code), len(code), _at(mapping), len(mapping), _at(out))
    return out
