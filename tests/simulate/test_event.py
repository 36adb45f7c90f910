import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.simulate.event import event

COLUMNS = {"t": np.array([600.0, 700.0, 800.0]), "p": np.array([1.0, 5.0, 2.0]), "leak": np.array([0.0, 1.0, 0.0])}


@pytest.mark.parametrize(
    ("text", "score", "hit"),
    [
        ("t > 700", [-100, 0, 100], [False, False, True]),
        ("t >= 700", [-100, 0, 100], [False, True, True]),
        ("700 <= t < 750", [-100, 0, -50], [False, True, False]),
        ("t > 700 and p < 3", [-100, -2, 1], [False, False, True]),
        ("t > 700 or p >= 5", [-4, 0, 100], [False, True, True]),
        ("not t > 700", [100, 0, -100], [True, True, False]),
        ("leak == 1", [-1, 0, -1], [False, True, False]),
        ("leak != 1", [1, 0, 1], [True, False, True]),
        ("abs(t - 700) / 2 > p + 40", [9, -45, 8], [True, False, True]),
        ("t / leak < 800", [-np.inf, 100, -np.inf], [False, True, False]),
    ],
)
def test_the_score_tells_how_far_each_row_is_from_the_event(text, score, hit):
    told = event(text, list(COLUMNS)).judge(COLUMNS)
    assert told[0].tolist() == score
    assert told[1].tolist() == hit


def test_unlike_units_are_held_together_in_their_own_spread():
    found = event("t > 700 and p < 3", list(COLUMNS)).scaled(COLUMNS)
    assert found.scales == (np.std(COLUMNS["t"]), np.std(COLUMNS["p"]))
    assert found.judge(COLUMNS)[0][2] == pytest.approx(min(100 / found.scales[0], 1 / found.scales[1]))
    assert event("leak < 3", ["leak"]).scaled({"leak": np.zeros(4)}).scales == (1.0,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("temp > 3", 'no column "temp"'),
        ("t + 3", "is no condition"),
        ("t", "is no condition"),
        ("-t", "no comparison"),
        ('t == "hot"', "is no number"),
        ("t in [1, 2]", "write `a == 1 or a == 2`"),
        ("max(t, p) > 3", "is no number"),
    ],
)
def test_what_is_no_event_is_refused_with_what_to_write(text, told):
    with pytest.raises(InputError, match=told):
        event(text, list(COLUMNS))
