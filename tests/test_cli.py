import io

import pytest

from tuckpoint import cli
from tuckpoint.errors import InputError, ShortSample


def raising(error):
    def verb(options):
        raise error

    return verb


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (InputError("column is gone"), 2, "tuckpoint: column is gone\n"),
        (ShortSample("too few"), 2, "tuckpoint: too few\n"),
        (PermissionError(13, "Permission denied", "x.csv"), 2, "x.csv"),
        (MemoryError(), 2, "out of memory"),
        (KeyboardInterrupt(), 130, "stopped"),
        (KeyboardInterrupt("stopped with 1 of 2 shards"), 130, "1 of 2 shards"),
        (ZeroDivisionError("ours"), 1, "this is a bug in tuckpoint: ZeroDivisionError: ours"),
    ],
)
def test_each_end_has_its_status_and_one_message(monkeypatch, capsys, error, status, said):
    monkeypatch.setitem(cli._VERBS, "engines", raising(error))
    assert cli.main(["engines"]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err
    cli.main(["engines", "--traceback"])
    assert "Traceback" in capsys.readouterr().err


def test_overwrite_is_refused_where_nothing_is_written(tmp_path, capsys):
    (tmp_path / "people.csv").write_text("a,b\n1,2\n3,4\n")
    for verb, name in (("schema", "people.csv"), ("run", "recipe.yaml")):
        assert cli.main([verb, str(tmp_path / name), "--overwrite"]) == 2
        assert "there is no -o" in capsys.readouterr().err
    assert cli.main(["schema", str(tmp_path / "people.csv")]) == 0


class Terminal(io.StringIO):
    def isatty(self):
        return True


def options(progress):
    return type("Options", (), {"progress": progress})


def test_progress_is_one_line_in_a_terminal(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    show = cli._progress(options(False))
    show("fitting", 0.25)
    show("fitting", 0.5)
    assert stream.getvalue().count("\r") == 2
    assert "\n" not in stream.getvalue()
    assert "fitting · 50%" in stream.getvalue()


@pytest.mark.parametrize(("asked", "told"), [(False, ""), (True, "fitting\nsampling\n")])
def test_progress_elsewhere_is_told_only_if_asked_for(monkeypatch, asked, told):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    show = cli._progress(options(asked))
    for what in ("fitting", "fitting", "sampling"):
        show(what, 0.5)
    assert stream.getvalue() == told


def test_engines_are_listed_with_their_settings(capsys):
    assert cli.main(["engines"]) == 0
    out = capsys.readouterr().out
    assert "marginals: " in out
    assert "--set epsilon=" in out
