from dataclasses import dataclass
from typing import ClassVar, Literal

import pytest

from tuckpoint.errors import InputError
from tuckpoint.settings import build, plain


@dataclass(frozen=True)
class Part:
    name: ClassVar[str] = "part"
    leaf: int = 15
    rate: float = 0.1
    spread: bool = True
    kind: Literal["fast", "slow"] = "fast"
    order: tuple[str, ...] = ()
    limit: int | None = None


def test_settings_come_back_plain():
    built = build(Part, {"leaf": 20, "rate": 1, "order": ["a", "b"], "limit": 3, "kind": "slow", "spread": False})
    assert built == Part(20, 1.0, False, "slow", ("a", "b"), 3)
    assert isinstance(built.rate, float)
    assert build(Part, plain(built)) == built
    assert plain(Part())["order"] == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"leef": 3}, 'part has no setting "leef" (did you mean "leaf"?)'),
        ({"leaf": 3.5}, "part: leaf is 3.5; give a whole number"),
        ({"leaf": True}, "leaf is True"),
        ({"rate": "much"}, "give a number"),
        ({"spread": 1}, "true or false"),
        ({"kind": "medium"}, "one of fast, slow"),
        ({"order": [1]}, "give text"),
        ({"limit": "x"}, "a whole number or none"),
    ],
)
def test_what_does_not_fit_is_named(given, said):
    with pytest.raises(InputError) as caught:
        build(Part, given)
    assert said in str(caught.value)


def test_one_value_is_a_list_of_one_and_none_is_none():
    assert build(Part, {"order": "a"}).order == ("a",)
    assert build(Part, {"limit": None}).limit is None
