"""How the inputs of a simulator are distributed together: a Gaussian copula of marginals, declared or of real rows.

tuckpoint_inputs: 1
source: plant log 2024                        # where the figures come from
inputs:
  flow: {normal: [12.0, 1.5]}                 # mean, standard deviation
  load: {uniform: [0.2, 1.0]}
  wind: {weibull: [2.0, 7.5]}                 # shape, scale
correlations: [[flow, load, 0.4]]             # of the normal scores; all others are 0

Every marginal is cut to the range that the simulator declares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.declared import load
from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.simulate.columns import numbers
from tuckpoint.simulate.contract import Range, Simulator
from tuckpoint.table.engine import Array, Encoded

FEWEST = 20  # real rows that a distribution is fitted to
Quantile = Callable[[Array], Array]  # from a standard normal number


@dataclass(frozen=True)
class Inputs:
    """Independent standard normal numbers (n, d) into inputs by name; `root` (d, d) makes them go together."""

    quantiles: Mapping[str, Quantile]
    root: Array
    told: str

    @property
    def size(self) -> int:
        """d, the number of inputs."""
        return len(self.quantiles)

    def at(self, normal: Array) -> dict[str, Array]:
        """Inputs (n,) by name at these numbers (n, d)."""
        joined = normal @ self.root.T
        return {name: quantile(joined[:, j]) for j, (name, quantile) in enumerate(self.quantiles.items())}


def fitted(simulator: Simulator, real: Encoded) -> Inputs:
    """The marginals of real rows, interpolated between their quantiles, joined by the copula of their normal scores.

    Rows of which an input lacks, or lies outside its declared range, are left out. Nothing lies beyond the real
    extremes. Raises InputError for columns that are not there, or fewer than 20 rows.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    known = [field.name for field in real.fields]
    for name in simulator.inputs:
        if name not in known:
            raise InputError(
                f'input "{name}" of {simulator.name} is no column of the real table{did_you_mean(name, known)}; name '
                "inputs as the columns are named, or declare their distributions with --inputs"
            )
    columns = {name: numbers(real, name) for name in simulator.inputs}
    kept = ~simulator.outside(columns)
    if kept.sum() < FEWEST:
        raise InputError(
            f"{int(kept.sum())} real rows have all inputs within what {simulator.name} declares; {FEWEST} are needed "
            "to fit their distribution: bring more rows, or declare it with --inputs"
        )
    values = np.column_stack([column[kept] for column in columns.values()])  # (n, d)
    scores = ndtri(rankdata(values, axis=0) / (len(values) + 1))
    spread = scores.std(axis=0)
    together = np.where(spread > 0, scores / np.where(spread > 0, spread, 1), 0.0)
    correlation = together.T @ together / len(values)
    np.fill_diagonal(correlation, 1.0)
    quantiles = {name: _empirical(values[:, j]) for j, name in enumerate(columns)}
    told = f"{len(values):,} real rows: their marginals, joined by a Gaussian copula; nothing beyond the real extremes"
    return Inputs(quantiles, _root(correlation), told)


def declared(simulator: Simulator, path: Path) -> Inputs:
    """The distributions in a YAML file; raises InputError for one that is missing, unknown or malformed."""
    said = load(path, "inputs", ("source", "inputs", "correlations"), guide="docs/rare.md")
    given = said.get("inputs")
    if not isinstance(given, Mapping) or set(given) != set(simulator.inputs):
        raise InputError(
            f"{path} declares the inputs {sorted(map(str, given or ()))}, and {simulator.name} takes "
            f"{sorted(simulator.inputs)}; declare each of them"
        )
    quantiles = {name: _declared(f"{path}: {name}", given[name], there) for name, there in simulator.inputs.items()}
    root = _root(_correlations(path, said.get("correlations") or [], list(quantiles)))
    return Inputs(quantiles, root, f"declared by {said.get('source', path.name)}")


def _empirical(values: Array) -> Quantile:
    """Interpolated quantiles; a column of few values keeps those."""
    from scipy.special import ndtr

    order = np.sort(values)
    method: Any = "inverted_cdf" if len(np.unique(order)) <= 10 else "linear"
    return lambda normal: np.asarray(np.quantile(order, ndtr(normal), method=method))


def _declared(where: str, said: Any, there: Range) -> Quantile:
    """One marginal, cut to the declared range."""
    from scipy import stats
    from scipy.special import ndtr

    if not isinstance(said, Mapping) or len(said) != 1:
        raise InputError(f"{where} is {said!r}; say one distribution, such as {{normal: [mean, sd]}}")
    ((kind, given),) = said.items()
    known = ("uniform", "log_uniform", "normal", "lognormal", "weibull", "triangular", "gumbel")
    fits = isinstance(given, list) and all(isinstance(n, int | float) and not isinstance(n, bool) for n in given)
    if kind not in known or not fits or len(given) != (3 if kind == "triangular" else 2):
        raise InputError(
            f"{where} is {said!r}; known are {', '.join(known)} with two numbers each (triangular: low, mode, high)"
            f"{did_you_mean(str(kind), known)}"
        )
    a, b = float(given[0]), float(given[1])
    c = float(given[2]) if kind == "triangular" else b
    positive = {"normal": b > 0, "lognormal": b > 0, "weibull": a > 0 and b > 0, "gumbel": b > 0}
    if not positive.get(kind, a < c and a <= b <= c and (kind != "log_uniform" or a > 0)):
        raise InputError(f"{where}: {kind} of {given} is none; spreads lie above 0, and limits rise")
    made: Mapping[str, Callable[[], Any]] = {
        "uniform": lambda: stats.uniform(a, b - a),
        "log_uniform": lambda: stats.loguniform(a, b),
        "normal": lambda: stats.norm(a, b),
        "lognormal": lambda: stats.lognorm(b, scale=math.exp(a)),
        "weibull": lambda: stats.weibull_min(a, scale=b),
        "triangular": lambda: stats.triang((b - a) / (c - a), a, c - a),
        "gumbel": lambda: stats.gumbel_r(a, b),
    }
    law = made[kind]()
    first, last = float(law.cdf(there.low)), float(law.cdf(there.high))
    if not last > first:
        raise InputError(f"{where}: {said} holds nothing within {there.low:g}..{there.high:g} {there.unit}".rstrip())
    upper, rest = float(law.sf(there.low)), float(law.sf(there.high))

    def quantile(normal: Array) -> Array:
        # The upper half is found from above: a share near 1 cannot tell what is rare.
        low = law.ppf(first + ndtr(normal) * (last - first))
        high = law.isf(rest + ndtr(-normal) * (upper - rest))
        return np.asarray(np.clip(np.where(normal < 0, low, high), there.low, there.high))

    return quantile


def _correlations(path: Path, said: Any, names: list[str]) -> Array:
    found = np.eye(len(names))
    for entry in said:
        right = isinstance(entry, list) and len(entry) == 3 and entry[0] in names and entry[1] in names
        if not right or entry[0] == entry[1] or not isinstance(entry[2], int | float) or not -1 < entry[2] < 1:
            raise InputError(f"{path}: correlation {entry!r}; write [one input, another, a number between -1 and 1]")
        one, other = names.index(entry[0]), names.index(entry[1])
        found[one, other] = found[other, one] = float(entry[2])
    if float(np.linalg.eigvalsh(found)[0]) < 0:
        raise InputError(f"{path}: no inputs can have these correlations together; make them weaker")
    return found


def _root(correlation: Array) -> Array:
    """A root (d, d) of a correlation that may be singular."""
    values, vectors = np.linalg.eigh(correlation)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))
