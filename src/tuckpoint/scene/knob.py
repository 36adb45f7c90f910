"""Knobs: a value, or how to draw one; written as a mapping of one entry, as in `{uniform: [3, 60]}`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.seed import Seed

Draw = Callable[[Any, np.random.Generator, str], Any]


def is_draw(value: Any) -> bool:
    """Whether this is a way to draw a value, and not the value itself."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in _DRAWS


def drawn(value: Any, seed: Seed, path: str) -> Any:
    """A value of the distribution; `path` is its knob's, for errors. Raises InputError if it cannot be drawn from."""
    ((kind, given),) = value.items()
    return _DRAWS[kind](given, seed.numpy(), path)


def check(value: Any, path: str) -> None:
    """Raise InputError for a choice whose weighted values are not text: as keys of JSON they would become text."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name == "choice" and is_draw(value) and isinstance(item, Mapping):
                wrong = next((key for key in item if not isinstance(key, str)), None)
                if wrong is not None:
                    raise InputError(
                        f"{path}: weights are for values that are text, not {wrong!r}; repeat values of a list instead"
                    )
            check(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            check(item, f"{path}.{number}")


def support(value: Any) -> list[Any] | None:
    """All values that a choice can give; None for other distributions, the value alone for no distribution."""
    if not is_draw(value):
        return [value]
    ((kind, given),) = value.items()
    if kind == "choice":
        return sorted(given, key=str) if isinstance(given, Mapping) else list(given)
    return [False, True] if kind == "chance" else None


def _numbers(given: Any, path: str, *, least: int, most: int | None = None) -> list[float]:
    fits = isinstance(given, Sequence) and not isinstance(given, str) and least <= len(given) <= (most or least)
    if not fits or not all(_is_number(item) for item in given):
        raise InputError(f"{path}: {given!r} is not a list of {least} numbers")
    return [float(item) for item in given]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _range(given: Any, path: str) -> tuple[float, float]:
    low, high = _numbers(given, path, least=2)
    if low > high:
        raise InputError(f"{path}: from {low:g} to {high:g} is no range; give the lower number first")
    return low, high


def _uniform(given: Any, random: np.random.Generator, path: str) -> float:
    return float(random.uniform(*_range(given, path)))


def _log_uniform(given: Any, random: np.random.Generator, path: str) -> float:
    low, high = _range(given, path)
    if low <= 0:
        raise InputError(f"{path}: log_uniform from {low:g}; both ends must be above 0")
    return float(np.exp(random.uniform(math.log(low), math.log(high))))


def _normal(given: Any, random: np.random.Generator, path: str) -> float:
    mean, spread, *ends = _numbers(given, path, least=2, most=4)
    if spread < 0 or len(ends) == 1:
        raise InputError(f"{path}: normal takes [mean, deviation] or [mean, deviation, low, high], deviation from 0")
    low, high = _range(ends, path) if ends else (-math.inf, math.inf)
    return float(np.clip(random.normal(mean, spread), low, high))


def _integers(given: Any, random: np.random.Generator, path: str) -> int:
    low, high = _range(given, path)
    if low != int(low) or high != int(high):
        raise InputError(f"{path}: integers from {low:g} to {high:g}; give whole numbers")
    return int(random.integers(int(low), int(high) + 1))


def _choice(given: Any, random: np.random.Generator, path: str) -> Any:
    if not isinstance(given, Mapping | list | tuple) or not given:
        raise InputError(f"{path}: choice takes a list of values, or values with their weights")
    place = random.random()
    if not isinstance(given, Mapping):
        return given[min(int(place * len(given)), len(given) - 1)]
    names = sorted(given, key=str)  # no order of a mapping counts
    weights = [given[name] for name in names]
    if not all(_is_number(weight) and weight >= 0 for weight in weights) or not sum(weights) > 0:
        raise InputError(f"{path}: the weights of choice are {weights}; give numbers from 0, not all 0")
    at = int(np.searchsorted(np.cumsum(weights) / sum(weights), place, side="right"))
    return names[min(at, len(weights) - 1)]


def _chance(given: Any, random: np.random.Generator, path: str) -> bool:
    if not _is_number(given) or not 0 <= given <= 1:
        raise InputError(f"{path}: chance is {given!r}; give a number from 0 to 1")
    return bool(random.random() < given)


_DRAWS: Mapping[str, Draw] = {
    "uniform": _uniform,
    "log_uniform": _log_uniform,
    "normal": _normal,
    "integers": _integers,
    "choice": _choice,
    "chance": _chance,
}
