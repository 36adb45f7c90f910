import datetime as dt
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from gap.laws import column, law, without

from tuckpoint.cli import main
from tuckpoint.errors import InputError
from tuckpoint.gap.find import Settings, find
from tuckpoint.seed import Seed


@pytest.fixture(scope="module")
def tables():
    """Training rows with a planted pair, labelled reference rows, and test rows."""
    train = law(3000, 1)
    cut = without(train, (column(train, "place") == "b") & (column(train, "sex") == "f"))
    return cut, law(2500, 2), law(1500, 3)


@pytest.fixture(scope="module")
def found(tables):
    train, reference, test = tables
    return find(train, target="y", reference=reference, test=test)


def test_one_gap_and_all_that_is_known_of_it(found):
    assert len(found.gaps) == 1
    gap = found.gaps[0]
    assert set(gap.missing.columns) == {"place", "sex"}
    assert gap.support in ("inside", "edge")
    assert gap.harm.judged > 150
    assert gap.reducible.low is not None
    assert gap.provable.rows > 100
    assert gap.provable.detectable > 0
    assert gap.advice
    assert any("fairness" in hint and "sex" in hint for hint in gap.hints)
    assert not any(leak.serious for leak in found.leaks)
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_same_call_finds_the_same(found, tables):
    train, reference, test = tables
    assert find(train, target="y", reference=reference, test=test).to_dict() == found.to_dict()


def test_whole_rows_have_no_gap(tables):
    whole = find(law(3000, 5), target="y", reference=law(2500, 6))
    assert whole.gaps == ()
    assert whole.worth == ()
    assert whole.tested > 100


def test_a_gap_that_costs_nothing_is_not_worth_filling(tables):
    train, reference, _ = tables
    lazy = find(train, target="y", reference=reference, settings=Settings(smallest_effect=0.5))
    assert len(lazy.gaps) == 1
    assert lazy.worth == ()
    assert lazy.gaps[0].advice.startswith("do nothing")


def test_without_a_target_only_counts_are_told(tables):
    gap = find(tables[0], reference=tables[1].drop_columns(["y"])).gaps[0]
    assert gap.harm is None
    assert gap.reducible is None
    assert gap.support in ("inside", "edge")


def test_a_reference_that_holds_the_training_rows_does_not_judge(tables):
    train = tables[0]
    told = find(train, target="y", reference=pa.concat_tables([train, tables[1]]))
    assert any("stand in the reference" in note for note in told.notes)
    assert "cross-fitted" in told.overall["model"]


def test_a_number_is_a_target_too():
    table = law(1500, 1).drop_columns(["y"])
    told = find(table, target="age", reference=law(1200, 2))
    assert "squared error" in told.overall["model"]


@pytest.mark.parametrize(("rows", "beside"), [(1, 1), (10, 800), (800, 10), (60, 60)])
def test_small_tables_have_no_gap_and_no_error(rows, beside):
    assert find(law(rows), target="y", reference=law(beside, 2)).gaps == ()


def test_an_outcome_that_is_always_the_same_is_told():
    table = law(300).set_column(4, "y", [["no"] * 300])
    assert any("one and the same" in note for note in find(table, target="y", reference=law(300, 2)).notes)


def test_dates_truths_and_whole_numbers_make_conditions_that_are_read_back():
    random = Seed(3).numpy()

    def table(rows):
        days = [dt.date(2020, 1, 1) + dt.timedelta(days=int(d)) for d in random.integers(0, 900, rows)]
        truths, flags = random.random(rows) < 0.4, random.integers(0, 2, rows)
        return pa.table({"when": days, "ok": truths, "flag": flags, "dose mg": random.exponential(1, rows)})

    whole, reference = table(2000), table(1500)
    masks = {
        "when": column(whole, "when") >= dt.date(2021, 12, 1),
        "ok": column(whole, "ok"),
        "flag": column(whole, "flag") == 1,
        "dose mg": column(whole, "dose mg") > 1.5,
    }
    for name, mask in masks.items():
        gap = find(without(whole, mask, share=0.1), reference=reference).gaps[0]
        assert gap.missing.columns == (name,)
        assert gap.support in ("inside", "edge"), gap.missing.where  # found among reference rows by its condition


def test_people_on_both_sides_make_a_leak(tables):
    train, reference, test = tables
    who = train.append_column("who", pa.array(np.arange(train.num_rows) // 3))
    leaky = test.append_column("who", pa.array(np.arange(test.num_rows) // 3))
    assert any(leak.serious for leak in find(who, target="y", reference=reference, test=leaky, group="who").leaks)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "pass one of --reference"),
        ({"reference": law(50), "target": "z"}, "no column"),
        ({"reference": pa.table({"other": [1, 2]})}, "share no column"),
        ({"reference": law(50), "margins": "m.yaml"}, "pass one of"),
    ],
)
def test_what_cannot_be_done_is_told(more, said):
    with pytest.raises(InputError, match=said):
        find(law(100), **more)


def test_settings_out_of_range_are_refused():
    for wrong in ({"level": 0.5}, {"ways": 4}, {"smallest_effect": 0}):
        with pytest.raises(InputError):
            Settings(**wrong)


def test_the_command_writes_both_reports(tables, tmp_path, capsys):
    names = {"train": tables[0], "reference": tables[1], "test": tables[2]}
    for name, table in names.items():
        pyarrow.csv.write_csv(table, tmp_path / f"{name}.csv")
    command = ["find", str(tmp_path / "train.csv"), "--target", "y", "--reference", str(tmp_path / "reference.csv")]
    out = [f"{tmp_path}/gaps.html", f"{tmp_path}/gaps.json"]
    assert main([*command, "--test", str(tmp_path / "test.csv"), "-o", out[0], "-o", out[1]]) == 0
    # the rows that lack follow the law of all others: a model loses nothing by them
    assert "No gap worth filling" in capsys.readouterr().out
    assert "<script" not in (tmp_path / "gaps.html").read_text("utf-8")
    told = json.loads((tmp_path / "gaps.json").read_text("utf-8"))
    assert told["gaps"][0]["missing"]["lacking"] > 300
    assert told["tuckpoint_gaps"] == 1


def test_the_command_reads_margins_and_domains(tables, tmp_path, capsys):
    pyarrow.csv.write_csv(tables[0], tmp_path / "t.csv")
    (tmp_path / "m.yaml").write_text(
        "tuckpoint_margins: 1\nsource: census 1\ntables:\n"
        "- {columns: [place, sex], rows: [[a, f, .2], [a, m, .2], [b, f, .15], [b, m, .15], [c, f, .1], [c, m, .1], "
        "[d, f, .05], [d, m, .05]]}\n"
    )
    assert (
        main(["find", str(tmp_path / "t.csv"), "--margins", str(tmp_path / "m.yaml"), "-o", f"{tmp_path}/m.html"]) == 0
    )
    assert 'place == "b" and sex == "f"' in capsys.readouterr().out
    assert "census 1" in (tmp_path / "m.html").read_text("utf-8")
    (tmp_path / "d.yaml").write_text("tuckpoint_domain: 1\nfactors: {place: [a, b, z], sex: [f, m]}\nrows: 200\n")
    assert (
        main(["find", str(tmp_path / "t.csv"), "--domain", str(tmp_path / "d.yaml"), "-o", f"{tmp_path}/d.json"]) == 0
    )
    where = [gap["missing"]["where"] for gap in json.loads((tmp_path / "d.json").read_text("utf-8"))["gaps"]]
    assert where == ['place == "z"', 'place == "b" and sex == "f"']
    assert re.search(r"2 gaps", capsys.readouterr().out)


def visits(people, key):
    """Twelve rows of each person, nearly alike; the outcome is the person's own and hangs on nothing."""
    table = law(people, key).drop_columns(["y"])
    y = np.array(["no", "yes"])[Seed(key, ("own",)).numpy().integers(0, 2, people)]
    table = table.append_column("y", pa.array(y)).append_column("who", pa.array([f"{key}-{i}" for i in range(people)]))
    return table.take(pa.array(np.repeat(np.arange(people), 12)))


def test_rows_of_one_person_are_no_independent_witnesses():
    train, reference = visits(150, 1), visits(150, 2)
    assert find(train, reference=reference, settings=Settings(ways=1)).gaps  # rows taken for people
    found = find(train, target="y", reference=reference, group="who")
    assert found.gaps == ()
    assert found.weak == ()
    assert "judged on 150 rows of the reference" in found.overall["model"]
    assert any("Of each who one row is counted" in note for note in found.notes)


def test_a_gap_among_people_is_told_in_rows():
    train, reference = visits(600, 1), visits(600, 2)
    cut = without(train, column(train, "place") == "a", share=0.0)
    gap = find(cut, reference=reference, group="who", settings=Settings(ways=1)).gaps[0].missing
    assert gap.where == 'place == "a"'
    share = (column(reference, "place") == "a").mean()
    assert gap.expected == pytest.approx(share * cut.num_rows)
    assert gap.lacking == pytest.approx(share / (1 - share) * cut.num_rows, rel=0.02)
    assert "0 of" in gap.note
    assert "people" in gap.note


def test_columns_that_are_not_compared_are_told():
    train, reference = law(300, 1), law(300, 2)
    more = train.append_column("extra", pa.array(range(300)))
    found = find(more, target="y", reference=reference.rename_columns(["age", "Pay", "place", "sex", "y"]))
    told = "Not compared, since not every table has them: pay, extra (in arrow); Pay (in arrow)."
    assert told in found.notes
    assert not any("Not compared" in note for note in find(train, target="y", reference=reference).notes)


def test_an_unreadable_value_names_its_table():
    train, test = law(300, 1), law(300, 2)
    test = test.set_column(0, "age", pa.array(["old"] * 300))
    with pytest.raises(InputError, match="300 values are no integer in the test table"):
        find(train, reference=law(300, 3), test=test)
