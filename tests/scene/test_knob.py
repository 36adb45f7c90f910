import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.scene.knob import drawn, is_draw, support
from tuckpoint.seed import Seed


def many(value, count=4000):
    return [drawn(value, Seed(1).child(number), "a.b") for number in range(count)]


def test_a_mapping_of_one_known_word_is_a_draw_and_nothing_else_is():
    assert is_draw({"uniform": [0, 1]})
    assert not is_draw({"width_m": 3})
    assert not is_draw({"uniform": [0, 1], "chance": 1})
    assert not is_draw([1, 2])


def test_draws_follow_their_law():
    uniform = np.array(many({"uniform": [2, 6]}))
    assert uniform.min() >= 2
    assert uniform.max() <= 6
    assert uniform.mean() == pytest.approx(4, abs=0.1)
    assert np.log(many({"log_uniform": [0.01, 100]})).mean() == pytest.approx(0, abs=0.25)
    normal = np.array(many({"normal": [1.0, 2.0]}))
    assert (normal.mean(), normal.std()) == pytest.approx((1, 2), abs=0.15)
    assert max(many({"normal": [0, 5, -1, 1]})) == 1
    assert set(many({"integers": [1, 3]})) == {1, 2, 3}
    assert np.mean(many({"chance": 0.2})) == pytest.approx(0.2, abs=0.03)
    kinds = many({"choice": {"a": 3, "b": 1, "never": 0}})
    assert kinds.count("a") / len(kinds) == pytest.approx(0.75, abs=0.03)
    assert "never" not in kinds
    assert {tuple(item) for item in many({"choice": [[1, 2], [3, 4]]})} == {(1, 2), (3, 4)}


def test_what_a_choice_can_give():
    assert support({"choice": ["a", "b"]}) == ["a", "b"]
    assert support({"choice": {"a": 1}}) == ["a"]
    assert support("a") == ["a"]
    assert support({"uniform": [0, 1]}) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"uniform": [5, 1]}, "a.b: from 5 to 1 is no range"),
        ({"uniform": [1]}, "not a list of 2 numbers"),
        ({"uniform": ["x", 1]}, "not a list of 2 numbers"),
        ({"uniform": [0, float("nan")]}, "not a list"),
        ({"log_uniform": [0, 1]}, "above 0"),
        ({"normal": [0, -1]}, "deviation"),
        ({"normal": [0, 1, 2]}, "deviation"),
        ({"integers": [0.5, 2]}, "whole numbers"),
        ({"choice": []}, "choice takes a list"),
        ({"choice": {"a": -1}}, "weights"),
        ({"chance": 2}, "from 0 to 1"),
    ],
)
def test_what_cannot_be_drawn_from_is_refused(value, said):
    with pytest.raises(InputError, match=said):
        drawn(value, Seed(0), "a.b")
