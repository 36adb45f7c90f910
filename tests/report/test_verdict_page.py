import re
from dataclasses import replace

import pytest

from tuckpoint.prove.effect import Effect
from tuckpoint.prove.plan import Plan, Source
from tuckpoint.prove.verdict import Arm, Claim, Control, Proof, Saved
from tuckpoint.report.verdict_chart import Bar, curve, forest
from tuckpoint.report.verdict_page import WORD, lines, verdict_page

EFFECTS = (Effect(0.02, 0.005, 9, "two-way"), Effect(0.01, 0.004, 9, "corrected resampled t"))
PROOF = Proof(
    "helps", "better in `age < 25`", Plan("y", (Source("twin", "trees"),)), "ab" * 32,
    {"name": "real.csv", "sha256": "cd" * 32, "rows": 500, "locked": 150, "trained": 280, "group": "who", "time": None},
    (Claim("age < 25", 60, "helps", EFFECTS[0], 0.009, 0.031, effects=EFFECTS, unharmed=True, detectable=0.014),
     Claim("elsewhere", 90, "no evidence", why="3 rows; 10 are needed")),
    (Arm("real only", 0.8, log_loss=0.4, calibration=1.1), Arm("real + made", 0.82, 0.02, 0.009, 0.031, 0.39, 1.0)),
    (Control("permuted labels", True, "gain -0.01"), Control("planted copies, twin", False, "not noticed")),
    {"twin, 1 rows per real row, weight 0.3": 9, "no made rows": 1},
    Saved(((70.0, 0.7), (140.0, 0.75), (280.0, 0.8)), 280.0, 0.82, 0.2, 0.1, 0.3, beyond=True), ("One note.",),
)  # fmt: skip


def shown(proof):
    return re.sub(r"<[^>]+>", " ", verdict_page(proof).partition("</style>")[2])


def test_the_page_tells_everything():
    told = shown(PROOF)
    wanted = [
        "Helps", "age &lt; 25", "+0.0200", "[+0.0087, +0.0313]", "+0.0100", "elsewhere", "cannot be measured",
        "permuted labels", "not noticed", "at least 20%", "abababab", "twin, 1 rows per real row, weight 0.3",
        "9 times", "whole groups of", "One note.", "smallest_effect: 0.01",
    ]  # fmt: skip
    assert [word for word in wanted if word not in told] == []


@pytest.mark.parametrize("state", list(WORD))
def test_every_state_has_its_word(state):
    assert WORD[state] in shown(replace(PROOF, state=state))
    assert lines(replace(PROOF, state=state))[0].startswith(WORD[state])


def test_the_plan_stands_there_line_by_line():
    assert "\nfolds:\n  test: 0.3\n" in verdict_page(PROOF)


def test_names_are_no_markup():
    hostile = "<script>alert(1)</script>"
    bad = replace(
        PROOF, claims=(replace(PROOF.claims[0], name=hostile),), real={**PROOF.real, "name": hostile, "group": hostile},
        why=hostile, controls=(Control(hostile, True, hostile),), chosen={hostile: 1}, notes=(hostile,),
    )  # fmt: skip
    assert "<script" not in verdict_page(bad)


def test_the_terminal_names_a_control_that_failed():
    told = "\n".join(lines(PROOF))
    assert "control planted copies, twin: FAILED" in told
    assert PROOF.digest in told


def test_better_is_to_the_right():
    drawn = forest([Bar("a", 0.02, 0.01, 0.03), Bar("b", -0.02, -0.03, -0.01)], 0.01, told="two")
    right, left = map(float, re.findall(r'circle cx="([\d.]+)"', drawn))
    zero = float(re.search(r'class="zero" d="M([\d.]+)', drawn)[1])
    assert left < zero < right
    assert forest([], 0.01, told="none") == ""


def test_more_rows_stand_further_right_and_higher_values_higher():
    drawn = curve(PROOF.saved, lower_is_better=False, title="AUC")
    dots = [tuple(map(float, dot)) for dot in re.findall(r'realdot" cx="([\d.]+)" cy="([\d.]+)"', drawn)]
    assert [x for x, _ in dots] == sorted(x for x, _ in dots)
    assert [y for _, y in dots] == sorted((y for _, y in dots), reverse=True)


def test_one_number_of_rows_is_drawn_too():
    drawn = curve(
        Saved(((140.0, 0.7), (140.0, 0.7)), 140.0, 0.7, 0.0, 0.0, 0.0, beyond=False), lower_is_better=False, title="AUC"
    )
    assert {float(x) for x in re.findall(r'realdot" cx="([\d.]+)"', drawn)} == {64.0}
