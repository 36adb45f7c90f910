import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuckpoint.errors import InputError, TraceError
from tuckpoint.record import NO_GUARANTEE, Input, Maker, Record, canonical, digest_of, unseal

RECORD = Record(
    dataset="census",
    maker=Maker("trees", model="ab" * 32),
    recipe="cd" * 32,
    seed=7,
    rows=1000,
    inputs=(Input("census", "ef" * 32, 5000),),
    protections=("age: clipped to 18..80",),
    evidence={"scores": "01" * 32, "verdicts": {"fit": "pass"}},
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_canonical_json_is_one_text() -> None:
    assert canonical({"b": [1, 2.5, None], "a": {"é": True}}) == '{"a":{"é":true},"b":[1,2.5,null]}'.encode()
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})


@given(PLAIN)
def test_canonical_json_gives_back_what_it_took(value: Any) -> None:
    assert json.loads(canonical(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: "a"}, {"a": {2: 3}}, b"x", {1, 2}, "\ud800"])
def test_canonical_json_refuses_what_it_would_change(value: Any) -> None:
    with pytest.raises(InputError):
        canonical(value)


def test_canonical_json_refuses_bottomless_depth() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(InputError, match="depth"):
        canonical(value)


def test_round_trip(tmp_path: Path) -> None:
    assert Record.from_dict(json.loads(canonical(RECORD.to_dict()))) == RECORD
    RECORD.dump(tmp_path / "record.json")
    assert Record.load(tmp_path / "record.json") == RECORD
    with pytest.raises(InputError, match="exists already"):
        RECORD.dump(tmp_path / "record.json")


def test_every_field_moves_the_digest() -> None:
    moved = [
        replace(RECORD, dataset="other"),
        replace(RECORD, maker=Maker("auto", model="ab" * 32)),
        replace(RECORD, maker=replace(RECORD.maker, version="0")),
        replace(RECORD, recipe="00" * 32),
        replace(RECORD, seed=8),
        replace(RECORD, rows=1001),
        replace(RECORD, inputs=()),
        replace(RECORD, privacy={"epsilon": 1.0, "delta": 1e-9, "unit": "row"}),
        replace(RECORD, protections=()),
        replace(RECORD, evidence={}),
    ]
    assert len({record.digest() for record in [RECORD, *moved]}) == 11


def test_the_same_run_gives_the_same_bytes_and_tells_nothing_of_the_machine() -> None:
    text = RECORD.sealed().decode()
    assert text == replace(RECORD).sealed().decode()
    assert str(Path.home()) not in text
    assert set(RECORD.to_dict()) == {
        *("tuckpoint_record", "synthetic", "dataset", "maker", "recipe", "seed", "inputs", "parents", "generation"),
        *("privacy", "privacy_statement", "protections", "evidence", "rows"),
    }


def test_generations_count_twins_of_twins() -> None:
    assert RECORD.generation == 1
    assert RECORD.parents == ()
    second = replace(RECORD, inputs=(Input.of("twin", sha256="1", rows=9, stamp=RECORD.to_dict()), *RECORD.inputs))
    assert second.generation == 2
    assert second.parents == (RECORD.digest(),)
    third = replace(RECORD, inputs=(Input.of("twin", sha256="2", rows=9, stamp=second.to_dict()),))
    assert third.generation == 3
    by_column_mark = Input.of("twin", sha256="1", rows=9, stamp={"digest": RECORD.digest(), "generation": 1})
    assert by_column_mark == second.inputs[0]
    assert Input.of("real", sha256="1", rows=9) == Input("real", "1", 9)


def test_privacy_is_said_in_words() -> None:
    assert RECORD.to_dict()["privacy"] is None
    assert RECORD.to_dict()["privacy_statement"] == NO_GUARANTEE == "no formal guarantee"
    private = replace(RECORD, privacy={"epsilon": 1.0, "delta": 1e-9, "unit": "person"})
    assert private.privacy_statement() == "differential privacy with epsilon 1.0, delta 1e-09 per person"


@pytest.mark.parametrize("name", ["/home/me/people.csv", "C:\\me\\people.csv", "sub/people"])
def test_paths_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="bare name"):
        replace(RECORD, dataset=name)
    with pytest.raises(InputError, match="bare name"):
        replace(RECORD, inputs=(Input(name, "1", 1),))


def test_an_altered_record_is_refused(tmp_path: Path) -> None:
    sealed = json.loads(RECORD.sealed())
    for key in sealed["record"]:
        altered = json.loads(RECORD.sealed())
        altered["record"][key] = "altered"
        with pytest.raises(TraceError):
            unseal(canonical(altered))
        del altered["record"][key]
        with pytest.raises(TraceError):
            unseal(canonical(altered))
    path = tmp_path / "record.json"
    path.write_bytes(RECORD.sealed().replace(b'"rows":1000', b'"rows":9000'))
    with pytest.raises(TraceError, match=r"record\.json: the record was altered"):
        Record.load(path)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"7", b"\xff", b'{"digest":"x","record":[]}', b"[" * 100_000])
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(TraceError):
        unseal(data)


def test_a_record_must_agree_with_itself() -> None:
    """Somebody who recomputes the digest still cannot pass a twin of a twin off as a twin of real data."""
    second = replace(RECORD, inputs=(Input("twin", "1", 9, generation=1, record="2"),))
    for change in ({"generation": 1}, {"parents": []}, {"privacy_statement": "private"}, {"synthetic": False}):
        with pytest.raises(TraceError, match="contradicts itself"):
            Record.from_dict({**second.to_dict(), **change})
    with pytest.raises(TraceError, match="altered or cut"):
        Record.from_dict({**second.to_dict(), "maker": {"engine": "trees", "colour": "red"}})


def test_a_newer_record_is_refused() -> None:
    plain = RECORD.to_dict() | {"tuckpoint_record": 2}
    with pytest.raises(TraceError, match="upgrade tuckpoint"):
        unseal(canonical({"record": plain, "digest": digest_of(plain)}))


def test_unknown_entries_beside_the_record_are_let_be() -> None:
    assert unseal(canonical({**json.loads(RECORD.sealed()), "signatures": []})) == RECORD.to_dict()


def test_a_missing_record(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no record"):
        Record.load(tmp_path / "record.json")
