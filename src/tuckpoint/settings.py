"""The settings of a part: a frozen dataclass, built from named values and told again as plain ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tuckpoint.errors import InputError, did_you_mean


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
    wanted = " or ".join(_word(choice) for choice in choices)
    raise InputError(f"{where} is {value!r}; give {wanted}")


def _as(value: Any, choice: Any, where: str) -> tuple[bool, Any]:
    origin, inner = get_origin(choice), get_args(choice)
    if choice is Any:
        return True, value
    if choice in (NoneType, None):
        return value is None, None
    if origin is Literal:
        return value in inner, value
    if origin in (tuple, list, Sequence):
        items = value if isinstance(value, list | tuple) else [value]
        return not isinstance(value, Mapping), tuple(_read(where, item, inner[0]) for item in items)
    if origin in (dict, Mapping) or choice in (dict, Mapping):
        return isinstance(value, Mapping), value
    if choice is float:
        right = isinstance(value, int | float) and not isinstance(value, bool)
        return right, float(value) if right else None
    return isinstance(value, choice) and (choice is bool or not isinstance(value, bool)), value


def _word(choice: Any) -> str:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text", NoneType: "none"}
    if get_origin(choice) is Literal:
        return "one of " + ", ".join(map(str, get_args(choice)))
    return words.get(choice, str(choice))
