from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tuckpoint.errors import InputError
from tuckpoint.scene.plain import plain, read


@dataclass(frozen=True)
class Inner:
    at: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Outer:
    name: str
    many: tuple[Inner, ...] = ()
    one: Inner | None = None
    named: Mapping[str, Inner] = field(default_factory=dict)
    rest: Mapping[str, Any] = field(default_factory=dict)
    count: int = 0


WHOLE = Outer("x", (Inner(), Inner((2.0, 3.0))), Inner(), {"a": Inner()}, {"deep": [1, {"b": None}]}, 4)


def test_told_and_read_again():
    assert read(Outer, plain(WHOLE), "outer") == WHOLE
    assert read(Outer, {"name": "x"}, "outer") == Outer("x")


def test_whole_numbers_are_taken_for_decimals():
    assert read(Inner, {"at": [1, 2]}, "inner") == Inner((1.0, 2.0))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "give a mapping"),
        ({"name": "x", "mayn": []}, 'no entry "mayn".*many'),
        ({}, 'lacks "name"'),
        ({"name": 3}, "outer.name is 3; give text"),
        ({"name": "x", "many": [{"at": [1]}]}, "outer.many.0.at has 1 entry; give 2"),
        ({"name": "x", "many": 3}, "give a list"),
        ({"name": "x", "count": True}, "give a whole number"),
        ({"name": "x", "named": []}, "give a mapping"),
        ({"name": "x", "one": {"at": [1, "y"]}}, "give a number"),
    ],
)
def test_another_shape_is_refused_with_its_place(data, said):
    with pytest.raises(InputError, match=said):
        read(Outer, data, "outer")
