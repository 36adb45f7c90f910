from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from tuckpoint.errors import InputError
from tuckpoint.measure.policy import Policy


def written(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_policy_from_yaml_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    found = Policy.load(written(tmp_path, "public_epsilon: 1\nvalid_days: 90\npublic_needs_ledger: true\n"))
    assert found == Policy(public_epsilon=1.0, valid_days=90, public_needs_ledger=True)
    assert isinstance(found.public_epsilon, float)


def test_every_threshold_has_its_reason_in_the_docstring() -> None:
    told = Policy.__doc__ or ""
    for item in fields(Policy):
        assert f"`{item.name}`" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("public_epsilom: 1", 'did you mean "public_epsilon"'),
        ("public_epsilon: much", "public_epsilon is 'much'; give a number"),
        ("public_epsilon: .nan", "give a number above 0"),
        ("valid_days: 0", "give a number above 0"),
        ("valid_days: 1.5", "give a whole number"),
        ("power: 2", "a share from 0 to 1"),
        ("public_epsilon: 11", "lower the first or raise the second"),
        ("- 3", "a policy is a mapping of thresholds"),
        ("", "a policy is a mapping of thresholds"),
        ("1: 2", "a policy is a mapping of thresholds"),
        ("a: [", "line 1, column 5: no YAML"),
    ],
)
def test_a_wrong_policy_says_where_and_what(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError, match=told) as raised:
        Policy.load(path)
    assert str(path) in str(raised.value)


def test_a_policy_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        Policy.load(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="is a folder"):
        Policy.load(tmp_path)


def test_a_policy_does_not_change_after_it_was_made() -> None:
    with pytest.raises(FrozenInstanceError):
        Policy().power = 0.1  # type: ignore[misc]
