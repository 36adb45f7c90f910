import json

from photos.scenes import folder

from tuckpoint.cli import main


def test_a_folder_is_searched_and_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "photos", {"red": 50, "blue": 2})
    folder(tmp_path / "pool", {"red": 45, "blue": 45}, start=500)
    said = ["find", "photos", "--reference", "pool", "-o", "g.html", "-o", "g.json", "--table", "t.csv"]
    assert main(said) == 0
    assert 'label == "blue"' in capsys.readouterr().out
    assert (tmp_path / "g.html").read_text("utf-8").count("data:image/jpeg") >= 6
    assert json.loads((tmp_path / "g.json").read_text("utf-8"))["tuckpoint_gaps"] == 1
    assert len((tmp_path / "t.csv").read_text("utf-8").splitlines()) == 53


def test_options_of_pictures_are_refused_for_a_table(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("a\n1\n")
    assert main(["find", str(tmp_path / "t.csv"), "--side", "split"]) == 2
    assert "no folder" in capsys.readouterr().err
