from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from measure.tables import people
from measure.test_canaries import PUBLIC

from tuckpoint import parts
from tuckpoint.errors import InputError
from tuckpoint.measure.audit import AuditSettings
from tuckpoint.measure.audit_model import ModelSettings, audit_model, merge
from tuckpoint.measure.finding import Audit
from tuckpoint.measure.onerun import BOUNDS
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.settings import build
from tuckpoint.table.engine import Context
from tuckpoint.table.fit import TableModel, fit
from tuckpoint.table.infer import infer

TRAIN, HOLDOUT = people(400, 1), people(400, 2)
SHORT = AuditSettings(power=())
QUICK = ModelSettings(files=1, canaries=64, shadows=8, exposed=2, audit=SHORT)
BY_HEART = {"leaf": 1, "finest": 1, "bag": 1.0, "jitter": 0.0, "trees": 1}


def fitted(engine: str, schema: Schema | None = None, **settings: object) -> TableModel:
    schema = infer(TRAIN, target="rich") if schema is None else schema
    made = build(parts.find("engine", engine), settings)
    return fit(TRAIN, schema, engine=made, seed=Seed(1), context=Context(target="rich"))


def named(audit: Audit, attack: str) -> list[str]:
    return [finding.key for finding in audit.findings if finding.attack.startswith(attack)]


@pytest.fixture(scope="module")
def learnt_by_heart() -> Audit:
    return audit_model(fitted("trees", **BY_HEART), TRAIN, HOLDOUT, seed=Seed(0), settings=QUICK)


def test_a_generator_that_learns_its_rows_by_heart_is_blocked(learnt_by_heart: Audit) -> None:
    audit = learnt_by_heart
    assert audit.decision == "block"
    assert audit.reasons
    canaries = [finding for finding in audit.findings if finding.attack.startswith("canaries")]
    assert len(canaries) == 2
    assert min(finding.adjusted or 1.0 for finding in canaries) < 0.05
    assert (audit.epsilon.value or 0) >= max(finding.epsilon or 0 for finding in audit.findings) > 0.5


def test_the_decision_counts_all_findings(learnt_by_heart: Audit) -> None:
    tested = [finding for finding in learnt_by_heart.findings if finding.p is not None]
    smallest = min(tested, key=lambda finding: finding.p or 0.0)
    assert smallest.adjusted == pytest.approx(min(1.0, (smallest.p or 0.0) * len(tested)))
    assert Audit.from_dict(learnt_by_heart.to_dict()) == learnt_by_heart


def test_what_was_done_is_told(learnt_by_heart: Audit) -> None:
    notes = " ".join(learnt_by_heart.notes)
    assert "1 file of 400 rows was drawn" in notes
    assert "of 64 people who do not exist" in notes
    assert "8 fits, half with and half without each of 3 records" in notes
    assert "thrown away" in notes
    (shadows,) = (finding for finding in learnt_by_heart.findings if finding.attack == "shadow_models")
    assert shadows.score.detail["targets"] == [*(f"row {one.row + 1}" for one in learnt_by_heart.worst[:2]), "canary"]


def test_a_private_generator_is_held_against_its_claim() -> None:
    model = fitted("marginals", PUBLIC, epsilon=3.0)
    audit = audit_model(model, TRAIN, HOLDOUT, seed=Seed(0), settings=QUICK)
    assert audit.epsilon.reference == pytest.approx(3.0, abs=1e-3)
    assert audit.epsilon.passed is True
    worst = [finding for finding in audit.findings if finding.attack.startswith(("canaries", "shadow"))]
    assert len(worst) == 3
    for finding in worst:  # 64 coins guessed right would not contradict so large a loss
        assert finding.score.detail["allowed"] == model.guarantee.epsilon  # type: ignore[union-attr]
        assert finding.p == 1.0


def test_a_false_claim_is_an_incident() -> None:
    model = fitted("trees", **BY_HEART)
    claim = fitted("marginals", PUBLIC, epsilon=0.1).guarantee

    class Boastful:
        def __getattr__(self, name: str) -> object:
            return claim if name == "guarantee" else getattr(model.engine, name)

    boastful = replace(model, engine=Boastful())  # type: ignore[arg-type]
    audit = audit_model(boastful, TRAIN, HOLDOUT, seed=Seed(0), settings=replace(QUICK, shadows=0))
    assert audit.decision == "block"
    assert "incident" in audit.reasons[0]
    assert audit.epsilon.passed is False


def test_without_a_claim_twice_the_odds_are_allowed(learnt_by_heart: Audit) -> None:
    for finding in learnt_by_heart.findings:
        if finding.attack.startswith(("canaries", "shadow")):
            assert finding.score.detail["allowed"] == pytest.approx(math.log(2))


def test_further_files_add_findings_but_no_bounds() -> None:
    settings = replace(QUICK, files=2, canaries=0, shadows=0)
    audit = audit_model(fitted("independent"), TRAIN, HOLDOUT, seed=Seed(0), settings=settings)
    second = [finding for finding in audit.findings if "file 2" in finding.score.subject]
    first = [finding for finding in audit.findings if "file 2" not in finding.score.subject]
    assert len(second) == len(first)
    assert all(finding.epsilon is None for finding in second)
    assert any(finding.epsilon is not None for finding in first)
    assert [finding.p for finding in first] != [finding.p for finding in second]
    assert len({finding.key for finding in audit.findings}) == len(audit.findings)
    assert "none were asked for" in " ".join(audit.notes)


def test_bounds_of_canaries_and_shadows_leave_room_for_fewer_of_a_file(learnt_by_heart: Audit) -> None:
    own = [one for one in learnt_by_heart.findings if one.epsilon is not None and not one.attack.startswith("canar")]
    more = [one for one in learnt_by_heart.findings if one.attack.startswith("canaries")]
    told = tuple(replace(one, epsilon=9.0 * (i > 5)) for i, one in enumerate(own * 2))
    file = replace(learnt_by_heart, findings=told)
    merged = merge([file], more, [])
    assert sum(one.epsilon is not None for one in merged.findings) == BOUNDS
    assert merged.epsilon.value == max(one.epsilon or 0.0 for one in more)


def test_a_table_that_bears_no_canaries_says_so() -> None:
    names = ["grade", "member", "rich", "age"]
    schema = infer(TRAIN.select(names), target="rich")
    model = fit(
        TRAIN.select(names), schema, engine=build(parts.find("engine", "independent"), {}), seed=Seed(1),
        context=Context(),
    )  # fmt: skip
    audit = audit_model(
        model, TRAIN.select(names), HOLDOUT.select(names), seed=Seed(0), settings=replace(QUICK, shadows=0)
    )
    assert named(audit, "canaries") == ["canaries / canaries"]
    assert "rows apart" in audit.finding("canaries").score.why
    assert any("Canaries were left out" in note for note in audit.notes)


def test_rules_of_a_person_and_rules_that_came_later_hold_in_refits() -> None:
    schema = infer(TRAIN, target="rich")
    engine = build(parts.find("engine", "independent"), {})
    model = fit(TRAIN, schema, engine=engine, seed=Seed(1), rules=["age >= 18"], context=Context())
    audit = audit_model(model, TRAIN, HOLDOUT, seed=Seed(0), settings=replace(QUICK, shadows=0))
    assert named(audit, "canaries_nearest")


def test_too_few_people_are_told_at_once() -> None:
    few = TRAIN.slice(0, 30)
    audit = audit_model(fitted("independent"), few, HOLDOUT, seed=Seed(0), settings=QUICK)
    assert audit.decision == "block"
    assert audit.findings == ()
    assert "cannot say" in audit.reasons[0]


def test_no_holdout_is_refused() -> None:
    with pytest.raises(InputError, match="no holdout"):
        audit_model(fitted("independent"), TRAIN, None, seed=Seed(0), settings=QUICK)


def test_the_seed_decides_all_but_private_noise() -> None:
    settings = replace(QUICK, canaries=32, shadows=0)
    model = fitted("independent")
    first, same, other = (
        audit_model(model, TRAIN, HOLDOUT, seed=Seed(seed), settings=settings).to_dict() for seed in (0, 0, 1)
    )
    assert first == same
    assert first != other


@pytest.mark.parametrize("settings", [{"files": 0}, {"exposed": -1}])
def test_settings_that_mean_nothing_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(InputError, match="is"):
        ModelSettings(**settings)  # type: ignore[arg-type]


def test_canaries_and_shadows_leave_the_callers_table_as_it_was() -> None:
    before = pa.table({name: TRAIN[name] for name in TRAIN.column_names})
    audit_model(fitted("independent"), TRAIN, HOLDOUT, seed=Seed(3), settings=replace(QUICK, shadows=8, canaries=32))
    assert before.equals(TRAIN)
    assert np.asarray(TRAIN["age"]).flags.writeable is False
