import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuckpoint.errors import InputError, PrivacyError, TraceError
from tuckpoint.privacy import chain
from tuckpoint.privacy.chain import FIRST, read, writing
from tuckpoint.privacy.lock import locked
from tuckpoint.record import canonical, digest_of

BODIES = [{"who": "Ada", "rho": "1/3"}, {"who": "Žofie 名前", "columns": ["a", "b"]}, {"rows": 12, "part": None}]


@pytest.fixture(autouse=True)
def no_patience(monkeypatch):
    monkeypatch.setattr(chain, "_LOOK_S", 0)


def filled(path):
    with writing(path) as writer:
        for number, body in enumerate(BODIES):
            writer.add(f"kind {number}", body)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.jsonl"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return filled(tmp_path_factory.mktemp("chain") / "ledger.jsonl")


def test_what_is_written_is_read(path):
    filled(path)
    log = read(path)
    assert [entry.body for entry in log.entries] == BODIES
    assert [entry.number for entry in log.entries] == [0, 1, 2]
    assert [entry.previous for entry in log.entries] == [FIRST, *(entry.digest for entry in log.entries[:-1])]
    assert log.head == log.entries[-1].digest
    assert log.sound
    assert log.size == len(path.read_bytes())


def test_the_digests_can_be_computed_by_anyone(path):
    """SHA-256 of the canonical JSON of all but the digest itself: no need of our code to check a ledger."""
    for line in filled(path).splitlines():
        plain = json.loads(line)
        claimed = plain.pop("digest")
        assert digest_of(plain) == claimed


def test_reading_makes_nothing(path):
    assert read(path).entries == ()
    assert read(path).head == FIRST
    assert os.listdir(path.parent) == []  # noqa: PTH208 - hidden files too


def test_an_error_in_the_block_writes_nothing(path):
    filled(path)
    before = path.read_bytes()

    def fail():
        with writing(path) as writer:
            writer.add("half", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_bytes() == before


def test_only_its_owner_reads_a_new_file(path):
    old = os.umask(0)
    try:
        filled(path)
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_is_no_ledger(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path)


def test_a_writer_waits_for_the_other(path):
    filled(path)
    with locked(path), pytest.raises(PrivacyError, match="locked by process"), writing(path, wait_s=0.05):
        pass


def test_by_another_path_it_is_the_same_file(path):
    filled(path)
    other = path.with_name("link.jsonl")
    other.symlink_to(path)
    with locked(path), pytest.raises(PrivacyError, match="locked"), writing(other, wait_s=0.05):
        pass
    with writing(other) as writer:
        writer.add("more", {})
    assert len(read(path).entries) == 4
    assert other.is_symlink()


def found(path, data):
    """Whether a reader is told that the bytes are not those of a ledger that was left in peace."""
    path.write_bytes(data)
    try:
        return not read(path).sound
    except TraceError:
        return True


HARMLESS = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(st.data())
@HARMLESS
def test_any_changed_byte_is_found(path, whole, data):
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != whole[place]))
    assert found(path, whole[:place] + bytes([byte]) + whole[place + 1 :])


@given(st.data())
@HARMLESS
def test_any_byte_put_in_or_taken_out_is_found(path, whole, data):
    place = data.draw(st.integers(0, len(whole) - 1))
    assert found(path, whole[:place] + whole[place + 1 :])
    assert found(path, whole[:place] + data.draw(st.binary(min_size=1, max_size=3)) + whole[place:])


def test_lines_moved_doubled_or_taken_out_are_found(path, whole):
    first, second, third = whole.splitlines(keepends=True)
    for lines in ([first, third, second], [second, third], [first, third], [first, second, second, third], [third]):
        assert found(path, b"".join(lines))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'","kind"', b'", "kind"'),
        (b'"number":1,', b'"number":1 ,'),
        (b'"number":1,', b'"number":7,"number":1,'),
        (b'"number":1,', b'"number":1.0,'),
        (b'"number":2,', b'"number":2,"more":3,'),
        ("Žofie".encode(), b"\\u017dofie"),
        (b'\n{"body"', b'\r\n{"body"'),
    ],
)
def test_the_same_said_in_other_bytes_is_found(path, whole, old, new):
    """Readers of JSON would see the same values; what they might see otherwise must not hide there."""
    assert old in whole
    assert found(path, whole.replace(old, new, 1))


def test_an_entry_rewritten_with_its_own_digest_breaks_the_next(path, whole):
    lines = whole.splitlines(keepends=True)
    plain = json.loads(lines[1])
    del plain["digest"]
    plain["body"] = {"who": "somebody else"}
    lines[1] = canonical({**plain, "digest": digest_of(plain)}) + b"\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(TraceError, match=r"entry 2 \(line 3\) was altered.*the 2 before it stand"):
        read(path)


def test_a_message_tells_the_entry_and_what_to_do(path, whole):
    path.write_bytes(whole.replace(b"1/3", b"1/9"))
    with pytest.raises(TraceError, match=r"entry 0 .*its digest is .*it claims.*none stands.*ledger verify"):
        read(path)


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_line_cut_by_a_crash_is_told_apart_from_tampering(path, whole, cut):
    *_, last = whole.splitlines(keepends=True)
    kept = whole[: len(whole) - len(last)]
    path.write_bytes(kept + last[: len(last) * cut // 12])
    log = read(path)
    assert len(log.entries) == 2
    assert log.torn
    assert path.read_bytes().startswith(kept)  # reading mends nothing
    with writing(path) as writer:
        assert [entry.body for entry in writer.log.entries] == BODIES[:2]
    assert read(path).torn  # nothing was added, so nothing is cut
    with writing(path) as writer:
        writer.add("next", {})
    log = read(path)
    assert [entry.kind for entry in log.entries] == ["kind 0", "kind 1", "torn", "next"]
    assert log.sound
    assert log.entries[2].body["bytes"] == len(last) * cut // 12
    assert log.entries[2].body["text"].startswith('{"body"')


def test_a_whole_entry_without_its_newline_stands(path, whole):
    for end in (b"", b"\0", b"\0" * 700):  # after a loss of power the rest of a block may be zeros
        path.write_bytes(whole[:-1] + end)
        log = read(path)
        assert [entry.body for entry in log.entries] == BODIES
        assert not log.sound
        with writing(path) as writer:
            writer.add("next", {})
        assert [entry.kind for entry in read(path).entries if entry.kind != "torn"] == [
            "kind 0", "kind 1", "kind 2", "next",
        ]  # fmt: skip
        assert read(path).sound


def test_zeros_after_a_loss_of_power_are_a_torn_line(path, whole):
    path.write_bytes(whole + b"\0" * 300)
    assert read(path).torn == b"\0" * 300
    with writing(path) as writer:
        writer.add("next", {})
    assert read(path).sound


@pytest.mark.parametrize("more", [b"hello", b"{}", b'{"body":{}}', b'{"body":{}} ', b"\n", b"hello\n"])
def test_what_no_crash_could_leave_is_tampering(path, whole, more):
    path.write_bytes(whole + more)
    with pytest.raises(TraceError, match="entry 3"):
        read(path)


def test_a_reader_waits_for_the_line_that_is_being_written(path, whole, monkeypatch):
    path.write_bytes(whole[:-20])
    monkeypatch.setattr(chain.time, "sleep", lambda seconds: path.write_bytes(whole))
    assert len(read(path).entries) == 3


def test_a_full_disk_is_told_and_no_entry_is_half_there(path, whole, monkeypatch):
    path.write_bytes(whole)

    def full(handle, data, write=os.write):
        if len(data) > 150:
            return write(handle, data[:100])
        raise OSError(28, "No space left on device")

    def fill(patch):
        with writing(path) as writer:
            writer.add("next", {})
            patch.setattr(chain.os, "write", full)

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        fill(patch)
    assert read(path).torn
    assert len(read(path).entries) == 3


def test_values_that_json_cannot_hold_are_refused(path):
    with pytest.raises(InputError), writing(path) as writer:
        writer.add("bad", {"rho": float("nan")})
    assert not path.exists()
