import json

import pyarrow as pa
import pytest
from measure import audits

from tuckpoint import release
from tuckpoint.errors import InputError, TraceError
from tuckpoint.privacy.ledger import Ledger
from tuckpoint.record import Record, digest_of
from tuckpoint.release import Audited, claim, judge, privacy_of, read_context
from tuckpoint.table.engine import Guarantee
from tuckpoint.table.frame import read
from tuckpoint.write import table as writing

GUARANTEE = Guarantee(**audits.GUARANTEE)


def test_a_record_states_the_guarantee_and_the_entry_that_paid_for_it():
    told = privacy_of(GUARANTEE, {"population": "p", "part": None, "purpose": None, "entry": "ab" * 32})
    assert told["ledger"] == "ab" * 32
    assert claim({"privacy": told}) == GUARANTEE
    assert privacy_of(None, None) is None
    assert claim({"privacy": None}) is None
    assert "ledger" not in privacy_of(GUARANTEE, None)


def test_a_guarantee_that_cannot_be_read_is_no_guarantee():
    with pytest.raises(TraceError, match="no guarantee that can be read"):
        claim({"privacy": {"epsilon": 1.0}})


def test_what_only_people_know_is_read_and_held_to_its_names(tmp_path):
    place = tmp_path / "context.yaml"
    place.write_text("recipient: the registry\nexpiry: 2027-01-31\nsigners: [data-protection officer]\ncontrols:\n")
    assert read_context(place) == {
        "recipient": "the registry",
        "expiry": "2027-01-31",
        "signers": ["data-protection officer"],
    }
    place.write_text("recipent: the registry\n")
    with pytest.raises(InputError, match=r'unknown entry "recipent" .did you mean "recipient"'):
        read_context(place)
    place.write_text("- a\n")
    with pytest.raises(InputError, match="no mapping"):
        read_context(place)
    with pytest.raises(InputError, match="no file"):
        read_context(tmp_path / "none.yaml")


def test_what_only_people_know_may_be_a_mapping_too():
    assert read_context(None) == {}
    assert read_context({"purpose": "teaching", "expiry": None}) == {"purpose": "teaching"}
    with pytest.raises(InputError, match=r'context: unknown entry "purpos" .did you mean "purpose"'):
        read_context({"purpos": "teaching"})
    with pytest.raises(InputError, match=r"context is list .'purpose'.; give a mapping"):
        read_context(["purpose"])


@pytest.mark.parametrize("signers", ["head of the registry", [7], [{"rôle": "head"}]])
def test_signers_that_the_page_would_leave_out_are_told(signers):
    with pytest.raises(InputError, match=r"signers is .*; list roles"):
        read_context({"signers": signers})


@pytest.fixture
def folder(tmp_path):
    """A folder as `make --audit` leaves it: rows, record and audit that belong together."""
    audit = audits.audit()
    table = pa.table({"x": list(range(audit.rows["made"]))})
    record = Record.from_dict(audits.record(evidence={"audit": digest_of(audit.to_dict())}))
    writing.write(table, tmp_path / "data.parquet", record)
    record.dump(tmp_path / "record.json")
    place = Audited(audit, None, made=read(tmp_path / "data.parquet").digest, about=record.to_dict())
    place.write(tmp_path)
    return tmp_path


def test_evidence_is_written_and_judged_again(folder):
    verdict = judge(folder, "internal", book=Ledger.at())
    assert verdict.state in ("pass", "review")
    assert verdict.audit is not None


def test_evidence_about_other_rows_is_refused(folder):
    told = json.loads((folder / release.AUDIT).read_text("utf-8"))
    for name in ("made", "record"):
        (folder / release.AUDIT).write_text(json.dumps({**told, name: "0" * 64}))
        with pytest.raises(TraceError, match="other rows"):
            judge(folder, "internal", book=Ledger.at())
    (folder / release.AUDIT).write_text("{}")
    with pytest.raises(TraceError, match="no audit"):
        judge(folder, "internal", book=Ledger.at())


def test_an_audit_that_was_altered_is_noticed(folder):
    told = json.loads((folder / release.AUDIT).read_text("utf-8"))
    told["audit"]["notes"] = ["all is well"]
    (folder / release.AUDIT).write_text(json.dumps(told))
    assert judge(folder, "internal", book=Ledger.at()).state == "block"


def test_without_an_audit_nothing_passes(folder):
    (folder / release.AUDIT).unlink()
    verdict = judge(folder, "internal", book=Ledger.at())
    assert verdict.state == "block"
    assert any("there is no" in check.found for check in verdict.reasons)


def test_a_folder_without_rows_is_no_release(tmp_path):
    with pytest.raises(InputError, match="holds no made rows"):
        judge(tmp_path, "public", book=Ledger.at())


def test_another_record_beside_the_rows_is_noticed(folder):
    Record.from_dict(audits.record(rows=7)).dump(folder / "record.json", overwrite=True)
    with pytest.raises(TraceError, match="bears another record"):
        judge(folder, "internal", book=Ledger.at())
