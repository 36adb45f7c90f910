import pytest
from fair.laws import PARITY, SHARES, WITHIN

from tuckpoint.errors import InputError
from tuckpoint.fair.spec import TARGETS, Spec


@pytest.mark.parametrize(
    ("target", "instead"),
    [
        ("equalized odds", "thresholds"),
        ("error-rate parity", "thresholds"),
        ("equal opportunity", "measures the difference of error rates"),
        ("calibration", "Recalibrate"),
        ("worst-group loss", "worst group's accuracy"),
        ("no bias", "several meanings"),
        ("minimise bias", "several meanings"),
        ("demographic parity", "labels or predictions"),
        ("counterfactual fairness", "causal graph"),
        ("label party", 'did you mean "label parity"'),
        (7, "not known"),
    ],
)
def test_what_no_table_can_promise_is_refused_with_the_choices(target, instead):
    with pytest.raises(InputError) as caught:
        Spec.from_dict({**PARITY, "target": target})
    assert instead in str(caught.value)
    assert [name for name in TARGETS if f"`{name}`" not in str(caught.value)] == []
    assert "never promised" in str(caught.value)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"groups": []}, "groups is empty"),
        ({"groups": None}, "groups is missing"),
        ({"groups": ["race", "race"]}, "stands twice"),
        ({"outcome": None, "positive": None}, "needs outcome"),
        ({"positive": None}, "belong together"),
        ({"tolerance": 0}, "tolerance is 0"),
        ({"tolerance": "5%"}, "give a number"),
        ({"least": 0}, "least is 0"),
        ({"pool": {"race": {"x": "a"}}}, "a list of levels, or rest"),
        ({"pool": {"race": {"x": ["a"], "y": ["a"]}}}, "stands twice"),
        ({"pool": {"school": {"x": ["low"]}}}, "neither groups nor given"),
        ({"cuts": {"race": [3, 1]}}, "rising numbers"),
        ({"given": {"age": 3}}, "a list of column names"),
        ({"tolerence": 0.1}, 'did you mean "tolerance"'),
        ({"positive": [1]}, "one value"),
        ({"shares": 3}, "give a mapping"),
        ({"target": "conditional parity"}, "needs given"),
        ({"target": "representation", "given": ["school"]}, "leave given out"),
    ],
)
def test_a_slip_of_the_pen_is_named(entries, told):
    with pytest.raises(InputError, match=told):
        Spec.from_dict({**PARITY, **entries})


def test_without_a_target_the_choices_are_listed():
    with pytest.raises(InputError, match=r"`representation`.*`label parity`.*`conditional parity`"):
        Spec.from_dict({"groups": ["race"]})


@pytest.mark.parametrize("asked", [PARITY, WITHIN, SHARES, {**SHARES, "shares": {"race": {"a": 1.0}}}])
def test_what_was_asked_comes_back_from_its_own_words(asked, tmp_path):
    spec = Spec.from_dict({**asked, "pool": {asked["groups"][0]: {"x": ["a", "man"], "others": "rest"}}})
    assert Spec.from_dict(spec.to_dict()) == spec
    (tmp_path / "fair.yaml").write_text(spec.to_yaml())
    again = Spec.load(tmp_path / "fair.yaml")
    assert again == spec
    assert again.digest() == spec.digest() != Spec.from_dict(asked).digest()


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(InputError, match="no file"):
        Spec.load(tmp_path / "fair.yaml")
    (tmp_path / "fair.yaml").write_text("target: [")
    with pytest.raises(InputError, match="line 1"):
        Spec.load(tmp_path / "fair.yaml")


def test_equal_shares_may_be_said():
    assert Spec.from_dict({**SHARES, "shares": "equal"}) == Spec.from_dict(SHARES)
