from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from measure.tables import SCHEMA, people

from tuckpoint import parts
from tuckpoint.errors import InputError
from tuckpoint.measure.audit import SETTINGS, AuditSettings, audit
from tuckpoint.measure.finding import Audit, Finding, Sides
from tuckpoint.measure.prepare import plain
from tuckpoint.schema import Column, Schema
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Guarantee

TRAIN, HOLDOUT, OTHERS = people(600, 1), people(600, 2), people(600, 3)
QUICK = ("copies", "values", "distance", "density", "aligned")
FEW = AuditSettings(trials=3, power=(5, 50))


def audited(made: pa.Table, holdout: pa.Table | None = HOLDOUT, schema: Schema = SCHEMA, **given: Any) -> Audit:
    asked: dict[str, Any] = {"seed": Seed(0), "attacks": QUICK, "settings": FEW, **given}
    return audit(TRAIN if "train" not in asked else asked.pop("train"), made, holdout, schema, **asked)


def copied(count: int) -> pa.Table:
    return pa.concat_tables([TRAIN.slice(0, count), OTHERS.slice(count)])


def moved(table: pa.Table, change: Callable[[Any], Any], *names: str) -> pa.Table:
    for name in names:
        at, values = table.column_names.index(name), np.asarray(table[name].fill_null(0)).astype(float)
        table = table.set_column(at, name, pa.array(change(values)))
    return table


INNOCENT = audited(OTHERS, attacks=None)


def test_other_people_pass_with_both_controls_and_power() -> None:
    assert INNOCENT.decision == "pass"
    assert INNOCENT.reasons == ()
    assert [control.worked for control in INNOCENT.controls] == [True, True]
    assert [control.name for control in INNOCENT.controls] == ["leaky copy", "other real people"]
    assert INNOCENT.power[-1].copied == 50
    assert INNOCENT.power[-1].caught == 3
    assert INNOCENT.rows == {"train": 600, "holdout": 600, "made": 600, "people": 600}
    assert INNOCENT.unit == "row"
    assert INNOCENT.epsilon.value is not None
    assert INNOCENT.epsilon.value < 0.3
    assert INNOCENT.epsilon.passed is None


def test_power_is_that_of_the_attacks_that_were_made() -> None:
    assert audited(OTHERS, attacks=("values",)).power[-1].caught == 0
    assert audited(OTHERS, attacks=("copies",)).power[-1].caught == 3


def test_every_attack_of_the_parts_table_speaks() -> None:
    # A table may lack what an attack looks at, but never an attack.
    files = {parts.PARTS["attack"][name].split(":")[0].rsplit(".", 1)[1] for name in parts.names("attack")}
    assert len({finding.attack for finding in INNOCENT.findings}) >= len(files)
    for finding in INNOCENT.findings:
        assert (finding.p is None) == (finding.adjusted is None)
        assert finding.score.value is not None or finding.score.why


def test_an_audit_survives_json() -> None:
    import json

    told = json.loads(json.dumps(INNOCENT.to_dict(), allow_nan=False))
    assert Audit.from_dict(told).to_dict() == INNOCENT.to_dict()


LEAKS: dict[str, pa.Table] = {
    "copies of 5 %": copied(30),
    "bootstrap": TRAIN.take(np.random.default_rng(0).integers(0, 600, 600)),
    "the table itself": TRAIN,
    "tiny noise": moved(TRAIN, lambda x: x * (1 + np.random.default_rng(0).normal(0, 1e-3, 600)), "pay", "hours"),
    "another unit": moved(TRAIN, lambda x: x * 1.4 + 900, "pay", "hours"),
    "values republished": OTHERS.set_column(6, "pay", TRAIN["pay"].take(np.random.default_rng(0).permutation(600))),
    "identifiers written again": OTHERS.set_column(8, "email", TRAIN["email"]),
}


@pytest.mark.parametrize("name", list(LEAKS))
def test_leaks_are_blocked(name: str) -> None:
    found = audited(LEAKS[name])
    assert found.decision == "block"
    assert found.reasons
    assert min(finding.adjusted for finding in found.findings if finding.adjusted is not None) < 0.01


def test_the_certified_bound_is_the_largest_and_names_its_attack() -> None:
    found = audited(TRAIN)
    assert found.epsilon.value == max(finding.epsilon or 0.0 for finding in found.findings)
    assert found.epsilon.value > 3
    assert found.epsilon.detail["by"] in {finding.key for finding in found.findings}


def test_a_claim_is_held_against_the_bound() -> None:
    leaky = audited(TRAIN, claimed=Guarantee(1.0, 1e-9, 0.01, "row"))
    assert leaky.epsilon.reference == 1.0
    assert leaky.epsilon.passed is False
    assert "incident" in leaky.reasons[0]
    assert leaky.epsilon.detail["delta"] == 1e-9
    honest = audited(OTHERS, claimed=3.0)
    assert honest.epsilon.passed is True
    assert honest.decision == "pass"


def test_worst_records_are_told_by_row_and_rounded() -> None:
    found = audited(copied(30))
    assert len(found.worst) == 5
    assert all(record.row < 30 for record in found.worst)
    for record in found.worst:
        assert record.percentile == pytest.approx(round(record.percentile, 3))
        assert 0.0 <= record.percentile <= 1.0


def test_the_seed_makes_the_audit() -> None:
    assert audited(copied(5)).to_dict() == audited(copied(5)).to_dict()
    assert audited(copied(5), seed=Seed(1)).to_dict() != audited(copied(5)).to_dict()


def test_settings_move_the_audit() -> None:
    assert audited(OTHERS, settings=AuditSettings(most_people=100, trials=1)).rows["people"] == 100
    assert len(audited(OTHERS, settings=AuditSettings(worst=2, trials=1)).worst) == 2
    assert [one.trials for one in audited(OTHERS, settings=AuditSettings(trials=2, power=(50,))).power] == [2]
    strict = audited(OTHERS, settings=AuditSettings(control_level=1.0, trials=1))
    assert strict.decision == "block"  # a control that must be perfect fails
    far = audited(copied(300), settings=AuditSettings(most_made=20, trials=1))
    assert far.finding("membership_auc").score.value != audited(copied(300)).finding("membership_auc").score.value
    assert AuditSettings() == SETTINGS


def test_progress_is_told() -> None:
    told: list[tuple[str, float]] = []
    audited(OTHERS, progress=lambda what, share: told.append((what, share)))
    assert told[-1] == ("done", 1.0)
    assert [share for _, share in told] == sorted(share for _, share in told)


def test_few_people_cannot_say_and_never_pass() -> None:
    found = audited(OTHERS, people(49, 2))
    assert found.decision == "block"
    assert "cannot say: 49 people" in found.reasons[0]
    assert found.findings == ()
    assert found.epsilon.value is None
    assert Audit.from_dict(found.to_dict()).to_dict() == found.to_dict()
    assert audited(OTHERS, people(1, 2), train=people(1, 1)).decision == "block"


def test_no_holdout_is_an_error() -> None:
    with pytest.raises(InputError, match="no holdout"):
        audited(OTHERS, None)


def test_unknown_attacks_are_named() -> None:
    with pytest.raises(InputError, match=r'no attack "copys".*did you mean "copies"'):
        audited(OTHERS, attacks=("copys",))
    with pytest.raises(InputError, match="no attack was asked for"):
        audited(OTHERS, attacks=())


def test_an_attack_that_fails_blocks_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(sides: Sides, seed: Seed) -> tuple[Finding, ...]:
        raise ZeroDivisionError("no rows of that kind")

    find = parts.find
    monkeypatch.setattr(parts, "find", lambda kind, name: broken if name == "distance" else find(kind, name))
    found = audited(OTHERS)
    assert found.decision == "block"
    assert found.reasons == ("the attack distance failed to compute (ZeroDivisionError: no rows of that kind)",)


def test_an_attack_of_a_third_party_is_asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def theirs(sides: Sides, seed: Seed) -> tuple[Finding, ...]:
        return (Finding("theirs", "membership", Score("theirs", 0.9), 1e-9),)

    monkeypatch.setitem(parts.PARTS["attack"], "theirs", "nowhere:theirs")
    find = parts.find
    monkeypatch.setattr(parts, "find", lambda kind, name: theirs if name == "theirs" else find(kind, name))
    found = audited(OTHERS, attacks=("theirs", "copies"))
    assert found.decision == "block"
    assert found.finding("theirs").adjusted is not None
    assert not found.controls[1].worked  # it also accuses other real people


def bounded(count: int) -> tuple[Finding, ...]:
    return tuple(Finding("theirs", "membership", Score("theirs", 0.5, subject=(str(i),)), 1.0, None, 0.1 * i)
                 for i in range(count))  # fmt: skip


def test_no_more_bounds_are_told_than_share_the_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(parts.PARTS["attack"], "theirs", "nowhere:theirs")
    find = parts.find
    told = lambda kind, name: (lambda sides, seed: bounded(20)) if name == "theirs" else find(kind, name)  # noqa: E731
    monkeypatch.setattr(parts, "find", told)
    found = audited(OTHERS, attacks=("theirs", "copies"))
    assert [one.epsilon for one in found.findings if one.epsilon is not None] == [one.epsilon for one in bounded(8)]
    assert found.epsilon.value == pytest.approx(0.7)


def test_rows_that_are_nobodys_make_the_audit_blind_and_it_says_so() -> None:
    names = ("grade", "member", "rich")
    coarse = [table.select(list(names)) for table in (OTHERS, HOLDOUT, TRAIN)]
    found = audited(coarse[0], coarse[1], Schema(tuple(SCHEMA[name] for name in names)), train=coarse[2])
    assert found.decision == "block"
    assert "the audit is blind here" in found.reasons[0]


@pytest.mark.parametrize(
    ("value", "kind"), [(1.0, pa.float64()), (None, pa.float64()), (None, pa.null()), ("x", pa.string())]
)
def test_degenerate_tables_are_judged_without_an_error(value: Any, kind: pa.DataType) -> None:
    def table(rows: int) -> pa.Table:
        return pa.table({"v": pa.array([value] * rows, kind), "w": pa.array([0.5] * rows)})

    column = Column(
        "v", "category" if kind == pa.string() else "decimal", "string" if kind == pa.string() else "double"
    )
    schema = Schema((column, Column("w", "decimal", "double")))
    found = audited(table(1), table(60), schema, train=table(80), attacks=None)
    assert found.decision == "block"
    assert "failed" not in " ".join(found.reasons)
    assert "blind" in found.reasons[0]


def test_one_made_row_and_unseen_levels_are_judged() -> None:
    assert audited(OTHERS.slice(0, 1)).decision == "pass"
    elsewhere = OTHERS.set_column(3, "town", pa.array(["Elsewhere"] * 600))
    assert audited(elsewhere).decision == "pass"


def test_rows_of_one_person_are_one() -> None:
    schema = Schema((*SCHEMA.columns, Column("who", "identifier", "string")))

    def owned(table: pa.Table, letter: str) -> pa.Table:
        return table.append_column("who", pa.array([f"{letter}{i // 3}" for i in range(table.num_rows)]))

    found = audited(OTHERS, owned(HOLDOUT, "h"), schema, train=owned(TRAIN, "t"), person="who")
    assert found.unit == "person"
    assert found.rows["people"] == 200
    assert found.decision == "pass"


def test_a_plain_schema_serves_a_table_of_another_maker() -> None:
    found = audited(OTHERS, HOLDOUT, plain(TRAIN))
    assert found.decision == "pass"
