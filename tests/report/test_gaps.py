from dataclasses import replace

import pytest
from report.hostile import SCRIPTS

from tuckpoint.gap.finding import Gap, Gaps, Harm, Leak, Missing, Provable, Reducible, Weak
from tuckpoint.report.gaps import gaps_page, headline, lines
from tuckpoint.report.gaps_chart import Ratio, ratios

MISSING = Missing(
    where='sex == "f" and age < 30', columns=("sex", "age"), basis="sample", rows=12, expected=240.0, share=0.03,
    ratio=0.05, low=0.03, high=0.08, z=11.0, p=1e-40, lacking=230, beyond=0.06,
)  # fmt: skip
GAP = Gap(
    MISSING,
    support="edge",
    outside=0.2,
    harm=Harm("harmful", 100, 0.8, 0.4, 0.3, 0.5, -0.2, -6.0),
    reducible=Reducible("reducible", (), 0.3, 0.1, 0.5, "the loss would fall by 0.3"),
    provable=Provable(90, 90.0, 0.08),
    hints=("fairness: sex",),
    advice="fill it",
)
ABOUT = {"name": "t.csv", "rows": 8000, "test": None, "reference": {"kind": "sample", "name": "p.csv"}}
FOUND = Gaps(ABOUT, (GAP,), (Weak("age < 30", ("age",), 90, 0.9, 0.8, 0.7, 0.9, 1e-9, 0.1, 4.0),), tested=400)


def test_the_page_tells_the_gap_and_what_to_do():
    page = gaps_page(FOUND)
    for said in ("1 gap", "12", "230", "harmful", "at the edge", "0.0800", "fairness: sex", "fill it", "age &lt; 30"):
        assert said in page, said
    told = "\n".join(lines(FOUND))
    assert "12 rows where 240 would be expected" in told
    assert "weak: age < 30" in told


def test_one_of_a_thing_is_not_told_as_many():
    alone = replace(GAP, missing=replace(MISSING, rows=1), harm=replace(GAP.harm, judged=1))
    told = "\n".join(lines(replace(FOUND, gaps=(alone,), tested=1)))
    assert "(1 cell tested)" in told
    assert "1 row where 240 would be expected" in told
    assert "(1 row judged)" in told
    assert "1 rows" not in told


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (replace(FOUND, gaps=()), "No gap found"),
        (replace(FOUND, gaps=(), tested=0), "Too few rows to tell"),
        (replace(FOUND, gaps=(replace(GAP, reducible=Reducible("not reducible")),)), "No gap worth filling"),
        (replace(FOUND, gaps=(GAP, GAP)), "2 gaps"),
        (replace(FOUND, leaks=(Leak("group", "4 people", 4, True),)), "Leak in the split"),
    ],
)
def test_the_headline_says_the_outcome(found, said):
    assert headline(found) == said
    assert said in gaps_page(found)
    assert lines(found)[0].startswith(said)


@pytest.mark.parametrize("script", SCRIPTS)
def test_names_of_the_data_run_nothing(script):
    gap = replace(GAP, missing=replace(MISSING, where=script, also=(script,)), advice=script)
    about = {**ABOUT, "name": script, "reference": {"kind": "sample", "name": script}}
    page = gaps_page(replace(FOUND, about=about, gaps=(gap,), notes=(script,), leaks=(Leak("x", script, 1, False),)))
    assert script not in page
    assert "<script" not in page


def test_ratios_stand_left_of_one_and_in_their_order():
    picture = ratios([Ratio("a", 0.05, 0.03, 0.08), Ratio("b", 0.0, 0.0, 0.02)])
    assert picture.count("<circle") == 2
    assert "≤ 1/64" in picture
    assert ratios([]) == ""
