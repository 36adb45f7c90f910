import math
import random
import time

import pytest
import yaml

from tuckpoint import declared
from tuckpoint.errors import InputError, SchemaError


def read(tmp_path, text, name="some.yaml", **more):
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return declared.read(file, do="see docs/some.md", **more)


def test_plain_text_stays_what_somebody_wrote(tmp_path):
    given = "a: no\nb: on\nc: 2024-03-01\nd: 12:30\ne: 01234\nf: 1_000\ng: '7'\n'on': 1\n"
    told = read(tmp_path, given)
    assert told == {
        "a": "no",
        "b": "on",
        "c": "2024-03-01",
        "d": "12:30",
        "e": "01234",
        "f": "1_000",
        "g": "7",
        "on": 1,
    }


def test_the_core_of_yaml_is_read(tmp_path):
    told = read(
        tmp_path, "a: [1, -2, 0, 0x1F, 0o17]\nb: [1.5, -.5, 1e-3, 2., .inf]\nc: [true, False]\nd: [~, null, ]\ne:\n"
    )
    assert told == {"a": [1, -2, 0, 31, 15], "b": [1.5, -0.5, 0.001, 2.0, math.inf], "c": [True, False],
                    "d": [None, None], "e": None}  # fmt: skip
    assert [type(value) for value in told["b"]] == [float] * 5
    assert math.isnan(read(tmp_path, "a: .nan")["a"])


def test_a_mark_before_the_text_is_no_part_of_it(tmp_path):
    assert read(tmp_path, b"\xef\xbb\xbfname: x\r\n") == {"name": "x"}


SPELLED = ["no", "on", "True", "null", "~", "", "1e5", "1.0", "0o17", "0x1f", "01234", "1_000", "12:30", "2024-03-01",
           ".inf", "=", "<<", "*a", "&a", "!a", "- a", "a: b", "a #b", "\ttab",
    " x ", "ä\n\nb", "\x85", "\u2028"]  # fmt: skip


def test_what_is_written_is_read_back_the_same_by_either_version(tmp_path):
    value = {"texts": SPELLED, "numbers": [0, -1, 10**30, 1e-7, 1e22, 0.1, -math.inf], "more": [True, None, [], {}],
             "names": {text: n for n, text in enumerate(SPELLED)}}  # fmt: skip
    text = declared.dump(value)
    assert read(tmp_path, text) == value == yaml.safe_load(text)
    assert list(read(tmp_path, text)) == list(value)


def test_random_text_is_read_back(tmp_path):
    draw = random.Random(5)
    value = {
        str(n): "".join(draw.choices("01-+.eExo_:~nulNULyYtrue \n\"'#&*", k=draw.randint(0, 6))) for n in range(500)
    }
    assert read(tmp_path, declared.dump(value)) == value


def test_values_that_stand_twice_are_written_twice(tmp_path):
    twice = [1, 2]
    text = declared.dump({"a": twice, "b": twice})
    assert "&" not in text
    assert read(tmp_path, text) == {"a": twice, "b": twice}


def test_an_alias_stands_for_its_value(tmp_path):
    assert read(tmp_path, "a: &face {x: 1}\nb: *face\n") == {"a": {"x": 1}, "b": {"x": 1}}


BOMB = "".join(f"a{n}: &a{n} [{', '.join(['x' if n == 0 else f'*a{n - 1}'] * 10)}]\n" for n in range(9))

WRONG = {
    "nothing": ("", "holds nothing, and no mapping of entries; see docs/some.md"),
    "a comment": ("# a\n", "holds nothing"),
    "a list": ("- a\n", "holds a list"),
    "a table": ("a,b,c\n1,2,3\n", 'holds the text "a,b,c 1,2,3"'),
    "a number": ("7", "holds the value 7"),
    "a number as a name": ("7: a", "entries have text for a name, and 7 is none"),
    "an open quote": ("a:\n  b: 'x\n\nc: 1\n", "line 5, column 1: .*quoted scalar begun in line 2; put quotes"),
    "open": ("a:\n  b: [1,\n", "line 3, column 1: no YAML: .*found .<stream end>., while parsing a flow node; put"),
    "a tab": ("a:\n\tb: 1\n", r"line 2, column 1: no YAML: found character '\\t'.*indent by spaces"),
    "a colon": ("a: b: c\n", "line 1, column 5: no YAML: mapping values are not allowed here; put quotes"),
    "twice": ("a: 1\nb: 2\na: 3\n", 'line 3, column 1: "a" stands here and in line 1; keep one of them'),
    "twice within": ("a:\n  - {b: 1,\n     b: 2}\n", 'line 3, column 6: "b" stands here and in line 2'),
    "two documents": ("a: 1\n---\nb: 2\n", "line 2, column 1: .*but found another document"),
    "a bomb": (BOMB, "line 6, column .*: over 1,000,000 values, aliases written out"),
    "a loop": ("a: &a\n  b: *a\n", "line 2, column 6: an alias within what it stands for"),
    "a loop of lists": ("a: &a [*a]\n", "line 1, column 8: an alias within what it stands for"),
    "no anchor": ("a: *b\n", "line 1, column 4: found undefined alias"),
    "a nest": ("a: " + "[" * 100, "line 1, column .*: lists and mappings within each other, 64 deep"),
    "a type": ("a: !!python/name:os.system x\n", "line 1, column 4: the tag !!python/name:os.system"),
    "bytes": ("a: !!binary aGk=\n", "line 1, column 4: the tag !!binary; leave it out"),
    "a tag": ("a: !own 1\n", "line 1, column 4: the tag !own; leave it out"),
    "a merge": ("a: &a {b: 1}\nc: {!!merge '<<': *a}\n", "line 2, column 5: the tag !!merge"),
    "no number": ("a: !!int abc\n", "line 1, column 4: no number"),
    "a list as a name": ("a: {[1]: 2}\n", "line 1, column 5: found unhashable key"),
    "many digits": (f"a: {'9' * 5000}\n", "line 1, column 4: no number: Exceeds the limit"),
    "another encoding": (b"a: 1\nb: \xe9\n", "line 2: no UTF-8 text .byte 0xe9.; save it as UTF-8"),
    "two bytes a letter": ("a: 1".encode("utf-16"), "line 1: no UTF-8 text"),
    "a control character": ("a: 1\nb: x\x00\n", r"line 2: character U\+0000 is not allowed in YAML"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_by_file_and_line(tmp_path, case):
    text, told = WRONG[case]
    began = time.process_time()
    with pytest.raises(InputError, match=rf"some\.yaml.*{told}") as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(tmp_path))
    assert time.process_time() - began < 2


def test_a_file_that_is_none_or_too_large_says_so(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"no file .*no\.yaml; see docs/some.md"):
        declared.read(tmp_path / "no.yaml", do="see docs/some.md")
    with pytest.raises(InputError, match="is a folder; see"):
        declared.read(tmp_path, do="see docs/some.md")
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InputError, match=r"cannot read .*: Not a directory"):
        declared.read(file / "no.yaml", do="see docs/some.md")
    monkeypatch.setattr(declared, "BYTES", 2**20)
    with pytest.raises(InputError, match="is larger than 1 MiB"):
        declared.read("/dev/zero", do="see docs/some.md")
    with pytest.raises(SchemaError):
        read(tmp_path, "[", wrong=SchemaError)


def test_the_first_line_says_what_the_file_is_and_of_which_version(tmp_path):
    def load(text):
        read(tmp_path, text)
        return declared.load(tmp_path / "some.yaml", "rates", ("rates", "level"), guide="docs/prove.md")

    assert load("tuckpoint_rates: 1\nlevel: no\n") == {"tuckpoint_rates": 1, "level": "no"}
    for text, told in (
        ("level: 1", "must begin with tuckpoint_rates: 1; see docs/prove.md"),
        ("tuckpoint_rates: 2", "tuckpoint_rates 2 is newer than this tuckpoint .knows 1.; upgrade"),
        ("tuckpoint_rates: true", "tuckpoint_rates is True; write tuckpoint_rates: 1"),
        ("tuckpoint_rates: 0", "tuckpoint_rates is 0; write"),
        ("tuckpoint_rates: 1\nlevle: a", 'unknown entry "levle" .did you mean "level"'),
    ):
        with pytest.raises(InputError, match=rf"some\.yaml.*{told}"):
            load(text)


def test_what_is_wrong_with_entries_names_the_file():
    with pytest.raises(SchemaError, match=r"^a\.yaml: no$"), declared.within("a.yaml", SchemaError):
        raise InputError("no")
