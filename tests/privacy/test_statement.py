import csv
import io
import json
from fractions import Fraction

import pytest

from tuckpoint.privacy.account import rho_of
from tuckpoint.privacy.book import Policy
from tuckpoint.privacy.ledger import Ledger
from tuckpoint.record import digest_of

ONE = Fraction(rho_of(1, 1e-6))
MODEL = "c" * 64


@pytest.fixture
def ledger(tmp_path):
    """Two populations, one of them shared and split, with releases that are closed, open and drawn from."""
    ledger = Ledger.at(tmp_path / "ledger.jsonl")
    ledger.partition("patients", "patient_id", "region", ["north", "south"], why="place of birth", who="Bo")
    said = {"unit": "patient_id", "rho": ONE, "mechanism": "marginals", "who": "Ada"}
    made = ledger.reserve(
        population="patients", part="north", columns=["age", "sex"], purpose="=SUM(A1)", people=["7"], **said
    )
    ledger.spend(made, rho=ONE / 3, model=MODEL)
    ledger.drawn(MODEL, 5000, purpose="a course", who="Cy")
    ledger.reserve(population="staff", source="a" * 64, delta=1e-9, **said)
    ledger.reserve(population="visits", **{**said, "unit": "row"})
    ledger.share(["patients", "staff"], "patient_id", why="staff are treated too", who="Bo")
    return ledger


def test_json_tells_everything_exactly_and_can_be_checked_again(ledger):
    told = json.loads(ledger.to_json())
    shared, visits = told["accounts"]
    assert shared["populations"] == ["patients", "staff"]
    assert visits["unit"] == "row"
    assert Fraction(shared["rho_exact"]) == ONE / 3 + ONE == sum(Fraction(s["rho_exact"]) for s in shared["spends"])
    assert Fraction(shared["rho"]) >= Fraction(shared["rho_exact"])
    assert Fraction(shared["failure_exact"]) == Fraction(1e-9)
    assert shared["policy"] == {"epsilon": 10.0, "delta": 1e-6}
    assert [s["state"] for s in shared["spends"]] == ["spent", "reserved"]
    assert shared["draws"][0]["rows"] == 5000
    assert shared["parts"] == {"patients": {"region": ["north", "south"]}}
    assert [c["kind"] for c in shared["changes"]] == ["open", "partition", "open", "share"]
    assert told["head"] == ledger.head() == told["entries"][-1]["digest"]
    for before, entry in zip(told["entries"], told["entries"][1:], strict=False):
        assert entry["previous"] == before["digest"]
        assert digest_of({name: value for name, value in entry.items() if name != "digest"}) == entry["digest"]


def test_the_key_of_the_digests_of_people_stays_in_the_ledger(ledger):
    key = json.loads(ledger.path.read_text("utf-8").splitlines()[0])["body"]["key"]
    assert len(key) == 64
    assert key not in ledger.to_json()
    assert key not in ledger.to_csv()


def test_csv_has_a_line_for_each_release_draw_and_change(ledger):
    rows = list(csv.DictReader(io.StringIO(ledger.to_csv())))
    assert [row["entry"] for row in rows] == ["1", "2", "3", "5", "6", "7", "10", "8", "9"]
    release, draw = rows[2], rows[3]
    assert (release["what"], release["state"], release["who"]) == ("release", "spent", "Ada")
    assert (release["part"], release["columns"], release["model_sha256"]) == ("north", "age, sex", MODEL)
    assert float(release["rho"]) == pytest.approx(float(ONE / 3), rel=1e-12)
    assert (draw["state"], draw["rho"], draw["rows"], draw["who"]) == ("free", "0", "5000", "Cy")
    assert rows[-3]["what"].startswith('share: "patients" and "staff" have people in common')


def test_a_spreadsheet_computes_nothing(ledger):
    assert "'=SUM(A1)" in ledger.to_csv()
    assert ",=SUM" not in ledger.to_csv()
    assert '"purpose": "=SUM(A1)"' in ledger.to_json()


def test_the_total_of_a_gate_and_the_parts_of_a_sum(ledger):
    account = ledger.account("staff", "patient_id")
    total = account.total()
    assert total["epsilon"] == Policy().epsilon_spent(account.rho, account.delta)
    assert total["delta"] == 1e-6
    assert total["failure"] >= 1e-9
    assert total["epsilon"] < sum(account.alone.values())
    assert account.to_dict()["epsilon_left"] == account.epsilon_left > 8
    assert not account.over


def test_a_used_up_delta_is_told_as_no_epsilon(tmp_path):
    ledger = Ledger.at(tmp_path / "l")
    for name in ("a", "b"):
        ledger.reserve(population=name, unit="row", rho=ONE, delta=6e-7, mechanism="m")
    ledger.share(["a", "b"], "row", why="w")
    (account,) = ledger.accounts()
    assert account.epsilon is None
    assert account.over
    assert json.loads(ledger.to_json())["accounts"][0]["epsilon"] is None
