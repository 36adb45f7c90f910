from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from measure.crowds import SCHEMA, around, exchanged, leaking, stacked, strangers

from tuckpoint.measure.attacks.inference import boosted, classes, inference, nearest_rows, secrets_of
from tuckpoint.measure.finding import Finding, Sides
from tuckpoint.measure.nearness import embedding
from tuckpoint.measure.prepare import UNSEEN
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded, Field


def by_way(sides: Sides, secret: str) -> dict[str, Finding]:
    found = {finding.attack: finding for finding in inference(sides, Seed(0), secrets=[secret])}
    assert set(found) == {"inference_nearest", "inference_boosted"}
    assert all(finding.score.subject == (secret,) for finding in found.values())
    return found


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_copied_members_lose_a_secret_that_nothing_else_tells(share: float) -> None:
    # Level p is one of six whatever the other columns are: copies tell it, and of others one guess in six is right.
    found = by_way(leaking(share), "p")["inference_nearest"]
    assert found.score.value == pytest.approx(share + (1 - share) / 6, abs=0.05)
    assert found.score.reference == pytest.approx(1 / 6, abs=0.06)
    assert found.score.detail["difference"] == pytest.approx(share * 5 / 6, abs=0.07)
    assert found.p is not None
    assert found.p < 1e-6
    assert found.score.passed is False


def test_tenths_of_a_number_are_secrets_too() -> None:
    found = by_way(leaking(0.5), "a")["inference_nearest"]
    assert found.score.value == pytest.approx(0.55, abs=0.05)
    assert found.score.reference == pytest.approx(0.1, abs=0.05)


def test_what_the_population_tells_is_no_leak() -> None:
    # p follows from a for everybody: both attackers guess it of members and outsiders alike.
    sides = leaking(0.0)
    lawful = [
        replace(side, columns=side.columns | {"p": (side.columns["a"] * 3).astype(np.int32)})
        for side in (sides.members, sides.outsiders, sides.made)
    ]
    found = by_way(around(*lawful), "p")
    assert found["inference_boosted"].score.value == pytest.approx(1.0, abs=0.02)
    for finding in found.values():
        assert finding.score.value is not None
        assert finding.score.value > 0.5
        assert finding.score.passed is True
        assert finding.p is not None
        assert finding.p > 0.01


def test_a_model_that_learnt_members_by_heart_gives_them_away() -> None:
    # Sixty copies of each of twenty members: a boosted model of these rows knows their secrets.
    members, outsiders = strangers(200, 1), strangers(200, 2)
    made = members.take(np.repeat(np.arange(20), 60))
    few = around(members.take(np.arange(20)), outsiders.take(np.arange(20)), made)
    found = by_way(few, "p")["inference_boosted"]
    assert found.score.value == 1.0
    assert found.p is not None
    assert found.p < 1e-4


def test_p_values_are_valid_when_members_and_outsiders_are_exchanged() -> None:
    members, outsiders, made = strangers(100, 1), strangers(100, 2), strangers(100, 3)
    some = stacked(members.take(np.arange(25)), outsiders.take(np.arange(25)), made)
    sides = around(members, outsiders, some)
    found = np.array(
        [[f.p for f in inference(exchanged(sides, t), Seed(t), secrets=["p"])] for t in range(120)], dtype=float
    )
    for level in (0.05, 0.2):
        assert (np.mean(found <= level, axis=0) <= level + 6 * np.sqrt(level * (1 - level) / 120)).all()
    assert (np.mean(found <= 0.4, axis=0) > 0.1).all()


def test_secrets_are_the_sensitive_columns_then_the_target_then_what_tells_most() -> None:
    made = strangers(500, 1)
    assert secrets_of(SCHEMA.with_column(replace(SCHEMA["q"], sensitive=True)), made) == ("q",)
    assert secrets_of(replace(SCHEMA, target="r"), made) == ("r",)
    assert secrets_of(SCHEMA, made) == ("a", "b", "c") or set(secrets_of(SCHEMA, made)) <= set("abcd")
    constant = replace(made, columns=made.columns | {"q": np.zeros(500, np.int32)})
    assert "q" not in secrets_of(SCHEMA.with_column(replace(SCHEMA["q"], sensitive=True)), constant)


def test_every_sensitive_column_up_to_three_is_attacked() -> None:
    schema = SCHEMA
    for name in "pqrs":
        schema = schema.with_column(replace(schema[name], sensitive=True))
    found = inference(replace(leaking(0.1, people=200), schema=schema), Seed(0))
    assert len(found) == 6
    assert len({finding.score.subject for finding in found}) == 3


def test_nearest_rows_agree_with_looking_at_every_pair() -> None:
    people, made = strangers(40, 1), strangers(60, 2)
    found = nearest_rows(people, made, ("p", "a"), Seed(0))
    for name in ("p", "a"):
        others = tuple(field.name for field in people.fields if field.name != name)
        space = embedding(people.select(others), Seed(0))
        mine, theirs = (space.place(side.select(others)).astype(float) for side in (people, made))
        gaps = ((mine[:, None, :] - theirs[None, :, :]) ** 2).sum(axis=2)
        assert found[name].tolist() == gaps.argmin(axis=1).tolist()


def test_levels_that_no_real_person_holds_are_never_guessed_right() -> None:
    field = Field("p", ("x", "y", UNSEEN))
    truth, known = classes(field, np.array([0, 2, -1]), np.array([2, 1, -1]))
    assert truth.tolist() == [0, -2, -1]
    assert known.tolist() == [-2, 1, -1]


def test_constant_and_lonely_columns() -> None:
    sides = leaking(0.2, people=60)
    constant = replace(sides.made, columns=sides.made.columns | {"p": np.full(60, 3, np.int32)})
    guess = boosted(sides.members, constant, "p", constant.columns["p"].astype(np.int64), Seed(0))
    assert set(guess.tolist()) == {3}
    alone = [side.select(("a",)) for side in (sides.members, sides.outsiders, sides.made)]
    (finding,) = inference(around(*alone), Seed(0))
    assert "no column is a secret" in finding.score.why
    empty = Encoded(sides.made.fields, {name: values[:0] for name, values in sides.made.columns.items()})
    assert secrets_of(SCHEMA, empty) == ()
