"""Values held to their types: the settings of a part, a frozen dataclass, and the arguments of a public function."""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache, wraps
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, Unpack, get_args, get_origin, get_type_hints, is_typeddict

from tuckpoint.errors import InputError, did_you_mean

P = ParamSpec("P")
R = TypeVar("R")


def build(part: Any, given: Mapping[str, Any]) -> Any:
    """The part with these settings, the rest at their defaults.

    Whole numbers are taken for decimals and lists for tuples. Raises InputError for a setting that the part does not
    have, or a value of another type; the part itself checks ranges.
    """
    hints = _hints(part)
    title = getattr(part, "name", part.__name__)
    for name in given:
        if name not in hints:
            known = f"it has: {', '.join(hints)}" if hints else "it has none"
            raise InputError(f'{title} has no setting "{name}"{did_you_mean(name, hints)}; {known}')
    return part(**{name: _read(f"{title}: {name}", value, hints[name]) for name, value in given.items()})


def plain(part: Any) -> dict[str, Any]:
    """All settings of a built part as plain values for YAML and JSON."""
    return {name: _plain(getattr(part, name)) for name in _hints(type(part))}


def typed(function: Callable[P, R]) -> Callable[P, R]:
    """The function, but an argument that is not what its hint says raises InputError: what was found, what to give.

    Numbers of NumPy are taken for plain ones, and one text for a list of it. What has no type of ours is left alone.
    """

    @wraps(function)
    def checked(*args: P.args, **named: P.kwargs) -> R:
        try:
            given = inspect.signature(function).bind(*args, **named)
        except TypeError as error:
            raise TypeError(f"{function.__name__}: {error}") from None
        hints = _arguments(function)
        for name, value in given.arguments.items():
            if isinstance(inner := hints.get(name, Any), dict):  # those behind ** have hints of their own
                given.arguments[name] = {one: _argument(function, one, its, inner) for one, its in value.items()}
            else:
                given.arguments[name] = _argument(function, name, value, hints)
        return function(*given.args, **given.kwargs)

    return checked


def _argument(function: Callable[..., Any], name: str, value: Any, hints: Mapping[str, Any]) -> Any:
    return _read(f"{function.__name__}: {name}", value, hints.get(name, Any))


@cache
def _arguments(function: Callable[..., Any]) -> dict[str, Any]:
    hints = get_type_hints(function)
    for name, hint in hints.items():
        inner = get_args(hint)[0] if get_origin(hint) is Unpack else None
        if is_typeddict(inner):
            hints[name] = get_type_hints(inner)
    return hints


def _hints(part: Any) -> dict[str, Any]:
    if not is_dataclass(part):
        return {}
    hints = get_type_hints(part)
    return {item.name: hints[item.name] for item in fields(part) if item.init}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _read(where: str, value: Any, hint: Any) -> Any:
    """The value as the type that the hint names."""
    choices = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for choice in choices:
        fits, read = _as(value, choice, where)
        if fits:
            return read
    raise InputError(f"{where} is {_shown(value)}; give {_wanted(choices)}")


def _as(value: Any, choice: Any, where: str) -> tuple[bool, Any]:
    origin, inner = get_origin(choice), get_args(choice)
    if choice is Any:
        return True, value
    if choice in (NoneType, None):
        return value is None, None
    if origin is Literal:
        return value in inner, value
    if origin in (tuple, list, Sequence):
        if value is None or isinstance(value, Mapping):
            return False, None
        items = value if isinstance(value, Iterable) and not isinstance(value, str | bytes) else [value]
        return True, tuple(_read(where, item, inner[0]) for item in items)
    if origin in (dict, Mapping) or choice in (dict, Mapping):
        return _as_mapping(value, inner, where)
    if origin is Callable:
        return callable(value), value
    if choice in (int, float):
        right = isinstance(value, Integral if choice is int else Real) and not isinstance(value, bool)
        return right, choice(value) if right else None
    return isinstance(value, choice) and (choice is bool or not isinstance(value, bool)), value


def _as_mapping(value: Any, inner: tuple[Any, ...], where: str) -> tuple[bool, Any]:
    if not isinstance(value, Mapping):
        return False, None
    for name in value:
        if inner and inner[0] is str and not isinstance(name, str):
            raise InputError(f"{where} has the entry {_shown(name)}; its names are text")
    if not inner or inner[1] is Any:
        return True, value
    return True, {name: _read(f"{where}, {name!r},", one, inner[1]) for name, one in value.items()}


def _shown(value: Any) -> str:
    """A small value as it is written, of a large one or an object its type."""
    plainly = isinstance(value, str | bytes | Real | list | tuple | set | Mapping) or value is None
    return reprlib.repr(value) if plainly else _a(type(value).__name__)


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'AEIOUaeiou' else 'a'} {noun}"


def _wanted(choices: Sequence[Any]) -> str:
    words = dict.fromkeys(map(_word, choices))
    if Path in choices:
        words.pop("text", None)
    return " or ".join(words)


def _word(choice: Any) -> str:
    words = {
        int: "a whole number", float: "a number", bool: "true or false", str: "text", NoneType: "none", Path: "a path",
    }  # fmt: skip
    origin, inner = get_origin(choice), get_args(choice)
    if origin is Literal:
        return "one of " + ", ".join(map(str, inner))
    if origin in (tuple, list, Sequence):
        return f"a list of {_word(inner[0])}"
    if origin in (dict, Mapping) or choice in (dict, Mapping):
        return "a mapping"
    return "a function" if origin is Callable else words.get(choice, _a(getattr(choice, "__name__", str(choice))))
