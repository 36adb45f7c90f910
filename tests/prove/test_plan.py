import re
from pathlib import Path

import pytest
import yaml

from tuckpoint.errors import InputError, RecipeError, UnknownPart
from tuckpoint.prove.plan import Plan, Source

TOLD = {"tuckpoint_plan": 1, "target": "y", "sources": [{"name": "twin", "engine": "trees"}]}


def test_a_plan_comes_back_from_its_own_words():
    plan = Plan.from_dict({**TOLD, "slices": ["x > 1"], "folds": {"repeats": 5}})
    assert Plan.from_dict(plan.to_dict()) == plan
    assert plan.folds.repeats == 5


def test_every_entry_moves_the_digest():
    plain = Plan.from_dict(TOLD)
    others = [
        {"metric": "log_loss"}, {"smallest_effect": 0.02}, {"slices": ["x > 1"]}, {"amounts": [2]}, {"weights": [0.5]},
        {"seed": 1}, {"folds": {"inner": 4}}, {"learner": {"rounds": 9}}, {"curve": []}, {"positive": "a"},
    ]  # fmt: skip
    digests = {Plan.from_dict({**TOLD, **other}).digest() for other in others}
    assert len(digests) == len(others)
    assert plain.digest() not in digests


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"metric": "recall"}, "fixed rate of false alarms"), ({"false_positive_rate": 0.02}, "fixed rate"),
     ({"smallest_effect": 0}, "above 0"), ({"sources": []}, "one or more"), ({"metrics": "auc"}, "did you mean"),
     ({"folds": {"test": 0.9}}, "share from 0.1"), ({"sources": [{"engine": "trees"}]}, "no name"),
     ({"tuckpoint_plan": 2}, "newer than this"), ({"target": None}, "names no target")],
)  # fmt: skip
def test_what_cannot_be_a_plan_is_told(wrong, said):
    with pytest.raises((InputError, RecipeError), match=said):
        Plan.from_dict({**TOLD, **wrong})


def test_sources_are_checked_before_anything_runs():
    with pytest.raises(UnknownPart, match="tree"):
        Source("a", "tree")
    with pytest.raises(InputError, match="leaf"):
        Source("a", "trees", {"leav": 3})
    with pytest.raises(InputError, match="spends privacy"):
        Source("a", "marginals")


def test_a_file_that_is_no_plan(tmp_path):
    with pytest.raises(InputError, match="no file"):
        Plan.load(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(RecipeError, match="no YAML"):
        Plan.load(tmp_path / "bad.yaml")


def test_the_plan_of_the_guide_is_understood_and_whole():
    text = (Path(__file__).parents[2] / "docs" / "prove.md").read_text(encoding="utf-8")
    told = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    plan = Plan.from_dict(told)
    assert plan.sources[1].where == "age < 25"
    assert set(Plan.from_dict(TOLD).to_dict()) - set(told) == {"false_positive_rate"}
    defaults = Plan.from_dict({**TOLD, "target": "income"}).to_dict()
    for name in ("amounts", "weights", "folds", "learner", "curve", "seed", "metric"):
        assert told[name] == defaults[name], name
