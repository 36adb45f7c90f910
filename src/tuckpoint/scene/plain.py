"""Frozen values as plain JSON and back, by their type hints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from tuckpoint.errors import InputError, count, did_you_mean

T = TypeVar("T")


def plain(value: Any) -> Any:
    """A value of frozen dataclasses, tuples and mappings as lists, dicts, numbers and text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple | list) else value


def read(kind: type[T], data: Any, where: str) -> T:
    """The frozen dataclass that `plain` told.

    Raises InputError for an entry that it does not have, that is missing, or of another type.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"{where} is {data!r}; give a mapping")
    hints: dict[str, Any] = _hints(kind)  # type: ignore[arg-type]
    for name in data:
        if name not in hints:
            raise InputError(
                f'{where} has no entry "{name}"{did_you_mean(str(name), hints)}; it has: {", ".join(hints)}'
            )
    for item in fields(kind):  # type: ignore[arg-type]
        if item.default is MISSING and item.default_factory is MISSING and item.name not in data:
            raise InputError(f'{where} lacks "{item.name}"')
    return kind(**{name: _value(hints[name], value, f"{where}.{name}") for name, value in data.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {item.name: hints[item.name] for item in fields(kind)}


def _value(hint: Any, value: Any, where: str) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if value is None and NoneType in inner:
            return None
        return _value(next(choice for choice in inner if choice is not NoneType), value, where)
    if is_dataclass(hint):
        return read(hint, value, where)  # type: ignore[arg-type]
    if origin is tuple:
        return _tuple(inner, value, where)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise InputError(f"{where} is {value!r}; give a mapping")
        return {str(key): _value(inner[1], item, f"{where}.{key}") for key, item in value.items()}
    return _scalar(hint, value, where)


def _tuple(inner: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise InputError(f"{where} is {value!r}; give a list")
    if inner[-1] is Ellipsis:
        return tuple(_value(inner[0], item, f"{where}.{number}") for number, item in enumerate(value))
    if len(value) != len(inner):
        raise InputError(f"{where} has {count(len(value), 'entry', 'entries')}; give {len(inner)}")
    return tuple(_value(hint, item, f"{where}.{i}") for i, (hint, item) in enumerate(zip(inner, value, strict=True)))


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is Any:
        return value
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    words = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}
    raise InputError(f"{where} is {value!r}; give {words.get(hint, hint)}")
