import pytest

from tuckpoint.prove.effect import Effect
from tuckpoint.prove.plan import Plan, Source
from tuckpoint.prove.verdict import EXIT, Claim, Control, Proof, decide, named, sentences, signed

EFFECT = Effect(0.02, 0.005, 9, "two-way")
FINE = {"leaks": [], "controls": [Control("same", True, "")], "bare": [], "no_more_than_copies": False}


def claim(state, name="age < 25", **more):
    return Claim(name, 100, state, EFFECT, 0.01, 0.03, **more)


@pytest.mark.parametrize(
    ("states", "elsewhere", "more", "said"),
    [(["helps"], None, {}, "helps"), (["helps", "no evidence"], None, {}, "helps"),
     (["helps", "hurts"], None, {}, "hurts"), (["equivalent"], None, {}, "equivalent"),
     (["equivalent", "no evidence"], None, {}, "no evidence"), (["helps"], ("equivalent", True), {}, "helps"),
     (["helps"], ("no evidence", False), {}, "no evidence"), (["helps"], ("hurts", False), {}, "hurts"),
     (["helps"], None, {"bare": ["made"]}, "unverifiable"), (["helps"], None, {"leaks": ["made: copies"]}, "blocked"),
     (["helps"], None, {"controls": [Control("permuted labels", False, "gain")]}, "blocked"),
     (["helps"], None, {"no_more_than_copies": True}, "no evidence"),
     (["helps"], None, {"bare": ["made"], "leaks": ["copies"]}, "blocked")],
)  # fmt: skip
def test_one_state_out_of_many(states, elsewhere, more, said):
    rest = None if elsewhere is None else claim(elsewhere[0], "elsewhere", unharmed=elsewhere[1])
    assert decide([claim(state) for state in states], rest, **(FINE | more))[0] == said


def test_states_end_as_the_other_verbs_do():
    assert EXIT["helps"] == 0
    assert {EXIT[state] for state in ("no evidence", "unverifiable")} == {3}
    assert (EXIT["blocked"], EXIT["equivalent"], EXIT["hurts"]) == (2, 4, 5)


def test_a_sentence_holds_effect_interval_and_what_it_takes():
    plan = Plan("y", (Source("a", "trees"),), smallest_effect=0.02)
    open_ = Claim("all rows", 90, "no evidence", EFFECT, -0.01, 0.03, detectable=0.014, rows_needed=400)
    told = sentences(
        Proof("no evidence", "", plan, "", {}, (open_, claim("helps"), Claim("x", 3, "no evidence", why="3 rows")),
              (), (), {})
    )  # fmt: skip
    assert "+0.0200 [−0.0100, +0.0300]" in told[0]
    assert "about 400 locked rows would show 0.02" in told[0]
    assert "`age < 25`" in told[1]
    assert "whether by the 0.02 that matters is not shown" in told[1]
    assert "cannot be measured: 3 rows" in told[2]


def test_gains_have_signs():
    assert [signed(gain) for gain in (0.0, -0.5, 1e-5)] == ["+0.0000", "−0.5000", "+1e−05"]


def test_a_slice_that_holds_backticks_stands_between_quotes():
    assert named("age < 25") == "`age < 25`"
    assert named("`x 1` > 0") == "\N{LEFT DOUBLE QUOTATION MARK}`x 1` > 0\N{RIGHT DOUBLE QUOTATION MARK}"
    assert named("all rows") == "all rows"
