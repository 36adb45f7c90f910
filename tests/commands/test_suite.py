import pyarrow.csv as pc
import pytest

from tuckpoint.cli import main
from tuckpoint.write.table import read_stamp

DOMAIN = """tuckpoint_domain: 1
factors: {weather: [clear, rain, fog], light: [day, night], speed: [0, 30, 60, 130]}
invalid: ['weather == "fog" and speed >= 60']
rows: 20
"""


@pytest.fixture(autouse=True)
def room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd.yaml").write_text(DOMAIN)
    return tmp_path


def test_a_suite_is_written_stamped_and_complete(capsys):
    assert main(["suite", "odd.yaml", "-t", "2", "-o", "suite.csv"]) == 0
    told = capsys.readouterr().out
    assert "20 valid combinations of 2; 1 cannot be" in told
    assert 'weather == "fog" and 60 <= speed < 130: forbidden by `weather == "fog" and speed >= 60`' in told
    assert "20 of 20 are covered; no suite can do with fewer than 8" in told
    rows = pc.read_csv("suite.csv").to_pylist()
    assert len({(row["weather"], row["light"]) for row in rows}) == 6
    assert {row["speed"] for row in rows if row["weather"] == "fog"} == {15, 45}
    stamp = read_stamp("suite.csv")
    assert stamp["rows"] == len(rows)
    assert stamp["evidence"]["coverage"] == {"ways": 2, "valid": 20, "covered": 20, "bound": 8}


def test_only_what_a_table_lacks_is_written(room, capsys):
    main(["suite", "odd.yaml", "-o", "suite.csv"])
    text = (room / "suite.csv").read_text("utf-8").splitlines()
    (room / "have.csv").write_text("\n".join([*text[:5], "fog,day,100"]) + "\n")
    capsys.readouterr()
    assert main(["suite", "odd.yaml", "--rows", "have.csv", "-o", "more.csv"]) == 0
    told = capsys.readouterr().out
    assert "1 of its rows break a constraint" in told
    assert "20 of 20 are covered" in told
    assert pc.read_csv("more.csv").num_rows < len(text) - 1
    assert main(["suite", "odd.yaml", "--rows", "suite.csv", "-o", "none.csv"]) == 0
    assert "nothing is missing" in capsys.readouterr().out
    assert not (room / "none.csv").exists()


def test_more_ways_than_factors_end_with_2(capsys):
    assert main(["suite", "odd.yaml", "-t", "4", "-o", "suite.csv"]) == 2
    assert "give 1 to 3" in capsys.readouterr().err
