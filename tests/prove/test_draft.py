"""From gaps to a plan: each answer for its reason."""

import json

import pytest

from tuckpoint.cli import main
from tuckpoint.errors import InputError, RecipeError
from tuckpoint.prove.draft import MOST, Decision, draft
from tuckpoint.prove.plan import Plan
from tuckpoint.prove.ridge import Ridge


def gap(where="age < 25", rows=40, lacking=200, support="inside", reducible="reducible", harm="harmful"):
    return {
        "missing": {"where": where, "rows": rows, "lacking": lacking},
        "support": support,
        "reducible": {"state": reducible},
        "harm": {"state": harm},
    }


def gaps(*found, **more):
    about = {"target": "income", "rows": 4000, "settings": {"smallest_effect": 0.02}}
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
        (gap(support="unknown"), "reweight", "weights, copies and SMOTE first"),
        (gap(rows=12, support="unknown"), "collect", "no source knows more"),
    ],
)
def test_each_gap_gets_the_answer_for_its_reason(found, do, why):
    made = draft(gaps(found))
    (one,) = made.decisions
    lacking = {"nothing": 0}.get(do, 14 if found["missing"]["rows"] == 20 else 200)
    assert (one.do, one.rows) == (do, lacking)
    assert why in one.why
    assert (made.plan is None) == (do not in ("make", "reweight"))


@pytest.fixture
def rates(tmp_path):
    """A file of rates, as it is named on the command line."""
    file = tmp_path / "rates.yaml"
    file.write_text('tuckpoint_rates: 1\nlevel: "yes"\nrates: [{where: "age < 30", rate: 0.1, source: census}]\n')
    return f"rates: {file}"


def test_a_gap_that_a_published_rate_agrees_with_is_left_alone(rates):
    told = {"rows": 90, "means": {"no": 0.88, "yes": 0.12}, "errors": {"no": 0.01, "yes": 0.01}}
    expected = {**told, "costs": {"no": 2.0, "yes": 2.0}}

    def answer(sources=("trees", rates), reducible="not known", gain=None, mean=0.12, where="age < 30"):
        found = gap(where, reducible=reducible)
        found["reducible"]["gain"] = gain
        found["expected"] = {**expected, "means": {"no": 1 - mean, "yes": mean}}
        return draft(gaps(found), sources).decisions[0]

    assert answer().do == "nothing"
    assert "less than the 0.02 that matters" in answer().why
    assert answer(gain=0.01).do == "nothing"
    assert answer(gain=0.03).do == "make"  # refits foretell more
    assert answer(reducible="reducible").do == "make"
    assert answer(mean=0.3).do == "make"
    assert "0.1 is published (census) and the model expects 0.3" in answer(mean=0.3).why
    assert answer(where="age < 25").do == "make"  # the rate is not of this gap
    assert answer(sources=("trees",)).do == "make"


def test_a_source_that_knows_something_comes_first(rates):
    made = draft(gaps(gap(), gap("age >= 70"), gap('sex == "F"', support="unknown")), ("trees", rates))
    assert [one.sources for one in made.decisions] == [("rates",), ("trees",), ("smote",)]
    (known, trees, smote) = made.decisions
    assert (known.do, trees.do, smote.do) == ("make", "make", "reweight")
    assert "know" in known.why
    named = {source.name: (source.kind, source.where) for source in made.plan.sources}
    assert named == {
        "trees": ("engine", "age >= 70"), "rates": ("rates", "age < 25"), "smote": ("smote", 'sex == "F"'),
    }  # fmt: skip
    assert Plan.from_dict(made.plan.to_dict()) == made.plan
    # rates cannot make rows where no training row tells of the other columns
    assert draft(gaps(gap(support="outside")), ("trees", rates)).decisions[0].do == "collect"


def test_a_row_of_the_plan_says_how_it_will_be_judged():
    found = {**gap(rows=400), "provable": {"rows": 90, "effective": 90.0, "detectable": 0.04}}
    made = draft(gaps(found))
    (one,) = made.decisions
    assert (one.sources, one.weight, one.metric, one.smallest_effect) == (("trees",), 0.05, "log_loss", 0.02)
    assert one.locked == 120
    assert one.detectable == pytest.approx(0.04 * (90 / 120) ** 0.5)
    assert "one proof" in one.stop
    assert made.plan.amounts == (0.8,)  # sixteen made rows per row that lacks
    assert made.plan.weights == (0.015, 0.05, 0.15)
    told = made.to_yaml()
    assert "# make 200 rows: age < 25" in told
    assert "#   log_loss better by 0.02, on about 120 locked rows, which show 0.035 in four of five trials" in told


def test_rows_to_collect_come_from_the_learning_curve():
    found = gap(support="outside")
    found["reducible"] = {"state": "reducible", "needed": 57}
    (one,) = draft(gaps(found)).decisions
    assert (one.do, one.rows) == ("collect", 57)
    assert "learning curve" in one.why


def test_the_plan_claims_its_gaps_and_can_be_read_again(tmp_path):
    made = draft(
        gaps(gap(), gap('sex == "F"', support="edge"), gap("a > 1", support="outside")), ("trees", "independent")
    )
    assert made.plan.slices == ("age < 25", 'sex == "F"')
    # one source at a time is taken, so each is asked for all gaps that it can fill
    assert {source.name: source.where for source in made.plan.sources} == dict.fromkeys(
        ("trees", "independent"), '(age < 25) or (sex == "F")'
    )
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
    for source, said in (
        ("simulator: none.py", "none.py"), ("rates", "from which file"), ("tree", 'did you mean "trees"'),
        ("trees: x.yaml", 'no kind of source "trees"'), ("engine: x.yaml", "named alone"), ("aim", "spends privacy"),
    ):  # fmt: skip
        assert run(gaps(gap()), "--source", source, "--overwrite") == 2
        assert said in capsys.readouterr().err
    assert run([1, 2], "--overwrite") == 2
    assert main(["plan", str(tmp_path / "none.json"), "-o", str(tmp_path / "p.yaml")]) == 2


def test_gaps_of_pictures_are_filled_by_what_can_be_drawn(tmp_path):
    (tmp_path / "world.yaml").write_text("name: x\nthings: {one: {family: ball}}\n")
    told = gaps(gap('label == "ball"', support="unknown", rows=60))
    told["about"] |= {"of": "pictures", "target": "label"}
    assert draft(told, ("trees",)).decisions[0].do == "reweight"  # an engine of tables is no help
    plan = draft(told, ("trees", f"scene: {tmp_path / 'world.yaml'}")).plan
    assert [source.kind for source in plan.sources] == ["scene"]
    assert plan.learner == Ridge()
    assert plan.amounts == (100.0,)


def test_one_row_is_told_as_one():
    assert Decision("age < 3", "collect", 1, "few").lines()[0] == "collect 1 row: age < 3"
