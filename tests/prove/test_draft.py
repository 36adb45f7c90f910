"""From gaps to a plan: each answer for its reason."""

import json

import pytest

from tuckpoint.cli import main
from tuckpoint.errors import InputError, RecipeError
from tuckpoint.prove.draft import MOST, draft
from tuckpoint.prove.plan import Plan


def gap(where="age < 25", rows=40, lacking=200, support="inside", reducible="reducible", harm="harmful"):
    return {
        "missing": {"where": where, "rows": rows, "lacking": lacking},
        "support": support,
        "reducible": {"state": reducible},
        "harm": {"state": harm},
    }


def gaps(*found, **more):
    about = {"target": "income", "settings": {"smallest_effect": 0.02}}
    return {
        "tuckpoint_gaps": 1,
        "about": about,
        "gaps": list(found),
        "leaks": [],
        "overall": {"model": "log loss 0.3"},
        **more,
    }


@pytest.mark.parametrize(
    ("found", "do", "why"),
    [
        (gap(), "make", "neighbours surround it"),
        (gap(reducible="not known"), "make", "not known"),
        (gap(reducible="not reducible"), "nothing", "flat"),
        (gap(support="outside"), "collect", "outside the support"),
        (gap(rows=0), "collect", "no row of it"),
        (gap(rows=20), "collect", "20 rows are too few to prove it on"),
        (gap(harm="not shown", reducible="not known"), "nothing", "not shown to do worse"),
        (gap(harm="not shown"), "make", "reducible"),
    ],
)
def test_each_gap_gets_the_answer_for_its_reason(found, do, why):
    made = draft(gaps(found))
    (one,) = made.decisions
    assert (one.do, one.rows) == (do, 0 if do == "nothing" else 200)
    assert why in one.why
    assert (made.plan is None) == (do != "make")


def test_the_plan_claims_its_gaps_and_can_be_read_again(tmp_path):
    made = draft(
        gaps(gap(), gap('sex == "F"', support="edge"), gap("a > 1", support="outside")), ("trees", "independent")
    )
    assert made.plan.slices == ("age < 25", 'sex == "F"')
    named = [(source.name, source.where) for source in made.plan.sources]
    assert named[:2] == [("trees-1", "age < 25"), ("trees-2", 'sex == "F"')]
    assert named[2:] == [("independent-1", "age < 25"), ("independent-2", 'sex == "F"')]
    assert (made.plan.metric, made.plan.smallest_effect, made.plan.target) == ("log_loss", 0.02, "income")
    (tmp_path / "plan.yaml").write_text(made.to_yaml())
    assert Plan.load(tmp_path / "plan.yaml") == made.plan
    assert "# collect 200 rows: a > 1" in made.to_yaml()


def test_no_more_claims_than_one_plan_can_bear():
    made = draft(gaps(*(gap(f"age < {n}") for n in range(MOST + 2))))
    assert len(made.plan.slices) == MOST
    assert [one.do for one in made.decisions] == ["make"] * MOST + ["nothing"] * 2


@pytest.mark.parametrize(
    ("told", "error", "said"),
    [
        ({**gaps(gap()), "tuckpoint_gaps": 2}, RecipeError, "tuckpoint_gaps is 2"),
        (gaps(gap(), about={"target": None}), InputError, "with --target"),
        (
            gaps(gap(), leaks=[{"serious": True, "told": "5 people on both sides"}]),
            InputError,
            "5 people on both sides",
        ),
        (gaps(gap(), overall={"model": "squared error"}), InputError, "--smallest-effect"),
    ],
)
def test_gaps_that_cannot_be_planned_are_refused(told, error, said):
    with pytest.raises(error, match=said):
        draft(told)


def test_from_the_command_line(tmp_path, capsys):
    def run(found, *more):
        (tmp_path / "gaps.json").write_text(json.dumps(found))
        return main(["plan", str(tmp_path / "gaps.json"), "-o", str(tmp_path / "plan.yaml"), *more])

    assert run(gaps(gap(reducible="not reducible"))) == 3
    assert not (tmp_path / "plan.yaml").exists()
    assert run(gaps(gap()), "--metric", "auc", "--smallest-effect", "0.01") == 0
    assert Plan.load(tmp_path / "plan.yaml").metric == "auc"
    assert "next: tuckpoint prove" in capsys.readouterr().out
    assert run(gaps(gap())) == 2  # it is there already
    assert run(gaps(gap()), "--source", "simulator: plant.py") == 2
    assert "only engines of tables so far" in capsys.readouterr().err
    assert run([1, 2], "--overwrite") == 2
    assert main(["plan", str(tmp_path / "none.json"), "-o", str(tmp_path / "p.yaml")]) == 2
