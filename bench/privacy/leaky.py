"""Generators whose leak is known because it was planted, and innocent ones: the ground truth for any audit.

Each makes as many rows as it saw. Where copies stand among other rows, these are real rows of other people, who are in
neither side of the audit: innocent by construction.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

import tuckpoint
from bench.privacy.splits import Seen
from bench.tables.environments import Peer
from bench.tables.run import launch
from tuckpoint.errors import ToolError
from tuckpoint.seed import Seed
from tuckpoint.table import fit as fitting
from tuckpoint.table import sample as sampling
from tuckpoint.table.engine import Context, Guarantee
from tuckpoint.table.engines.marginals import Marginals

Floats = NDArray[np.float64]
Make = Callable[[Seen, Seed], pa.Table]
Truth = Literal["leaky", "innocent", "open"]

HEAP = 0.2  # a number that so many rows share is a heap, and stays one under noise
TINY, MODERATE = 0.02, 0.2  # standard deviations of noise, in those of the column
REDRAWN = 0.1  # share of category cells that moderate noise draws anew
SHIFT = 0.5  # in standard deviations of the column
BEND = 0.8  # exponent of the monotone map
ODDEST, NEIGHBOUR = 20, 5
DELTA = 1e-6
CAP_S = 600


@dataclass(frozen=True)
class Generator:
    """One way to make rows, what is true of it, in words what it does, and the guarantee that it claims."""

    truth: Truth
    what: str
    make: Make
    claimed: Guarantee | None = None


# Copies ---------------------------------------------------------------------------------------------------------------


def copies(share: float) -> Make:
    """Other people's rows, a share of them replaced by training rows."""

    def make(seen: Seen, seed: Seed) -> pa.Table:
        count = round(share * seen.train.num_rows)
        return _planted(seen, seed.numpy().choice(seen.train.num_rows, count, replace=False), seed)

    return make


def oddest_copied(seen: Seen, seed: Seed) -> pa.Table:
    """Other people's rows, twenty replaced by the most unusual training rows."""
    return _planted(seen, np.argsort(-oddness(seen.train), kind="stable")[:ODDEST], seed)


def oddness(table: pa.Table) -> Floats:
    """Distance (n,) of each row to its fifth nearest: numbers in standard deviations, levels one-hot over sqrt 2."""
    parts = []
    for column in table.columns:
        if is_number(column):
            values = _floats(column)
            known = values[~np.isnan(values)]
            spread = known.std() if len(known) and known.std() > 0 else 1.0
            parts.append(np.where(np.isnan(values), 0.0, (values - np.nanmean(values)) / spread)[:, None])
            continue
        codes = column.combine_chunks().dictionary_encode(null_encoding="encode").indices.to_numpy()
        parts.append(np.eye(codes.max() + 1)[codes] / np.sqrt(2))
    points = np.concatenate(parts, axis=1)  # (n, d)
    length = (points**2).sum(axis=1)
    square = np.maximum(length[:, None] + length[None, :] - 2 * points @ points.T, 0)
    np.fill_diagonal(square, np.inf)
    nth = min(NEIGHBOUR, len(points) - 1) - 1
    return np.asarray(np.sqrt(np.partition(square, nth, axis=1)[:, nth]), dtype=np.float64)


def bootstrap(seen: Seen, seed: Seed) -> pa.Table:
    """Training rows drawn with replacement."""
    return seen.train.take(seed.numpy().integers(0, seen.train.num_rows, seen.train.num_rows))


def _planted(seen: Seen, rows: NDArray[np.int64], seed: Seed) -> pa.Table:
    """Other people's rows in which these training rows stand at random places."""
    chosen = np.arange(seen.others.num_rows)
    places = seed.child("places").numpy().choice(len(chosen), len(rows), replace=False)
    chosen[places] = len(chosen) + rows
    return pa.concat_tables([seen.others, seen.train]).take(chosen)


# Values ---------------------------------------------------------------------------------------------------------------


def columns_alone(seen: Seen, seed: Seed) -> pa.Table:
    """Each column resampled alone from the training rows: no row survives, each value does."""
    rows, train = seen.train.num_rows, seen.train
    return pa.table({n: train[n].take(seed.child(n).numpy().integers(0, rows, rows)) for n in train.column_names})


def one_column(seen: Seen, seed: Seed) -> pa.Table:
    """Other people's rows, the column of most distinct values resampled from the training rows."""
    train = seen.train
    name = max(train.column_names, key=lambda name: len(train[name].unique()))
    values = train[name].take(seed.numpy().integers(0, train.num_rows, train.num_rows))
    return seen.others.set_column(train.column_names.index(name), train.schema.field(name), values)


# Every row, altered ---------------------------------------------------------------------------------------------------


def noisy(share: float, redrawn: float = 0.0) -> Make:
    """Every training row, its numbers moved by noise of so many standard deviations, a share of its levels redrawn."""

    def make(seen: Seen, seed: Seed) -> pa.Table:
        made = seen.train
        for name in made.column_names:
            random = seed.child(name).numpy()
            if is_number(made[name]):
                made = _with(made, name, _jittered(_floats(made[name]), share, random), seen)
            elif redrawn:
                rows = np.arange(made.num_rows)
                moved = random.random(made.num_rows) < redrawn
                rows[moved] = random.integers(0, made.num_rows, moved.sum())
                made = made.set_column(made.column_names.index(name), made.schema.field(name), made[name].take(rows))
        return made

    return make


def shifted(seen: Seen, seed: Seed) -> pa.Table:
    """Every training row, each number moved by the same half standard deviation of its column."""
    made = seen.train
    for name in filter(lambda name: is_number(made[name]), made.column_names):
        values = _floats(made[name])
        step = 10.0 ** -(seen.public[name].decimals or 0)
        made = _with(made, name, values + max(step, SHIFT * float(np.nanstd(values))), seen)
    return made


def bent(seen: Seen, seed: Seed) -> pa.Table:
    """Every training row, each number through one monotone map of its column's range onto itself."""
    made = seen.train
    for name in filter(lambda name: is_number(made[name]), made.column_names):
        values = _floats(made[name])
        low, high = np.nanmin(values), np.nanmax(values)
        made = _with(made, name, low + (high - low) * ((values - low) / (high - low)) ** BEND, seen)
    return made


def is_number(column: pa.ChunkedArray) -> bool:
    """Whether a column holds numbers rather than two or fewer values or names."""
    typed = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    return typed and len(column.drop_null().unique()) > 2


def _jittered(values: Floats, share: float, random: np.random.Generator) -> Floats:
    known = values[~np.isnan(values)]
    distinct, counts = np.unique(known, return_counts=True)
    heap = np.isin(values, distinct[counts >= HEAP * len(known)])
    moved = values + random.normal(0, share * known.std(), len(values))
    return np.where(heap, values, np.clip(moved, known.min(), known.max()))


def _floats(column: pa.ChunkedArray) -> Floats:
    return np.asarray(pc.fill_null(pc.cast(column, pa.float64()), np.nan).to_numpy(), dtype=np.float64)


def _with(table: pa.Table, name: str, values: Floats, seen: Seen) -> pa.Table:
    """The table with these numbers in a column, with its decimals and type; NaN is missing."""
    rounded = pa.array(np.round(values, seen.public[name].decimals or 0), from_pandas=True)
    field = table.schema.field(name)
    return table.set_column(table.column_names.index(name), field, rounded.cast(field.type))


# Models ---------------------------------------------------------------------------------------------------------------


def engine(name: str, settings: Mapping[str, Any] | None = None, **asked: Any) -> Make:
    """An engine of tuckpoint, fitted to the training rows with the schema that a user gets who gives none."""

    def make(seen: Seen, seed: Seed) -> pa.Table:
        root = seed.integer() % 2**63
        fitted = tuckpoint.fit(seen.train, workers=1, engine=name, settings=settings, seed=root, **asked)
        return tuckpoint.sample(fitted, seen.train.num_rows, seed=root)

    return make


def private(epsilon: float) -> Generator:
    """Marginals with noise, from public domains; the noise is the operating system's, so rows differ each time.

    The fit stands outside of any ledger: these are public tables, and nothing is released.
    """

    def make(seen: Seen, seed: Seed) -> pa.Table:
        settings = Marginals(epsilon=epsilon, delta=DELTA, unit="row")
        model = fitting.fit(seen.train, seen.public, engine=settings, seed=seed.child("fit"), context=Context())
        return sampling.sample(model, seen.train.num_rows, seed.child("sample")).cast(seen.train.schema)

    what = f"marginals, epsilon {epsilon:g}, delta {DELTA:g}"
    return Generator("innocent", what, make, Guarantee(epsilon, DELTA, 0.0, "one row"))


def cart(leaf: int, split: int) -> Make:
    """Plain sequential CART of the table bench, in its own environment."""

    def make(seen: Seen, seed: Seed) -> pa.Table:
        peer = Peer("cart", "cart", "", {"leaf": leaf, "split": split})
        with tempfile.TemporaryDirectory() as folder:
            real, made = Path(folder) / "real.parquet", Path(folder) / "made.parquet"
            pq.write_table(seen.train, real)
            asked = {"rows": seen.train.num_rows, "target": "", "seed": seed.integer() % 2**32, "cap_s": CAP_S}
            outcome = launch(peer, real, made, **asked)
            if "stopped" in outcome:
                raise ToolError(f"cart of leaf {leaf}: {outcome['stopped']}")
            return pq.read_table(made).select(seen.train.column_names).cast(seen.train.schema)

    return make


def other_people(seen: Seen, seed: Seed) -> pa.Table:
    """Real rows of people whom neither side of the audit holds."""
    return seen.others


MEMORISING = {"trees": 1, "leaf": 1, "finest": 1, "bag": 1.0, "stacked": 0.0, "reach": 0.0, "jitter": 0.0}

GENERATORS: dict[str, Generator] = {
    "copies-1": Generator("leaky", "1 % of rows are training rows, the rest other people's", copies(0.01)),
    "copies-5": Generator("leaky", "5 % of rows are training rows, the rest other people's", copies(0.05)),
    "oddest-20": Generator("leaky", "the 20 most unusual training rows among other people's", oddest_copied),
    "tiny-noise": Generator("leaky", f"every row, noise of {TINY} standard deviations", noisy(TINY)),
    "moderate-noise": Generator(
        "leaky", f"every row, noise of {MODERATE} standard deviations, a tenth of levels redrawn", noisy(MODERATE, 0.1)
    ),
    "shifted": Generator("leaky", "every row, all numbers plus half a standard deviation", shifted),
    "bent": Generator("leaky", f"every row, all numbers through a monotone map (power {BEND})", bent),
    "trees-memorising": Generator(
        "leaky",
        "our trees: one tree a column, leaves of one, no bagging, no jitter, no protection",
        engine("trees", MEMORISING, k=1, mine_rules=False),
    ),
    "cart-1": Generator("leaky", "plain CART, leaves of 1", cart(1, 2)),
    "cart-5": Generator("leaky", "plain CART, leaves of 5", cart(5, 15)),
    "bootstrap": Generator("leaky", "training rows drawn with replacement", bootstrap),
    "columns-alone": Generator("leaky", "each column resampled alone", columns_alone),
    "one-column": Generator("leaky", "other people's rows, one nearly unique column resampled", one_column),
    "other-people": Generator("innocent", "real rows of other people", other_people),
    "marginals-1": private(1.0),
    "marginals-3": private(3.0),
    "marginals-10": private(10.0),
    "trees": Generator("open", "our trees, defaults", engine("trees")),
    "independent": Generator("open", "our independent columns, defaults (k = 5)", engine("independent")),
}
