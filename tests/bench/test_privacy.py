"""The privacy bench: planted leaks are what they say, the innocent take nothing, and its counts are counted right."""

import json
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from bench.privacy import catalogue, environments, leaky, outcomes, splits
from bench.privacy.adapters import anonymeter
from bench.privacy.report import beside, caught, grouped, share
from bench.privacy.splits import Seen

from tuckpoint.seed import Seed
from tuckpoint.table.engine import Guarantee

ROWS = 400


def table(rows: int, seed: int) -> pa.Table:
    """A nearly unique integer, a heaped decimal, a two-valued number and a class; the last row is a stranger to all."""
    random = np.random.default_rng(seed)
    heap = np.where(random.random(rows) < 0.5, 0.0, np.round(random.exponential(10, rows), 1))
    columns = {
        "weight": random.integers(0, 10**9, rows),
        "heap": heap,
        "flag": random.integers(0, 2, rows),
        "job": random.choice(["clerk", "smith", "cook"], rows, p=[0.6, 0.3, 0.1]),
    }
    found = pa.table(columns)
    odd = pa.table({"weight": [10**11], "heap": [5_000.0], "flag": [1], "job": ["hermit"]}, schema=found.schema)
    return pa.concat_tables([found.slice(0, rows - 1), odd]).combine_chunks()


@pytest.fixture(scope="module")
def seen() -> Seen:
    whole = table(3 * ROWS, 1)
    return splits.split(whole, splits.public(whole), Seed(3)).seen


def rows_of(found: pa.Table) -> list[str]:
    return [json.dumps(row) for row in found.to_pylist()]


def copied(made: pa.Table, seen: Seen) -> int:
    return sum(row in set(rows_of(seen.train)) for row in rows_of(made))


def test_a_split_deals_each_person_to_one_part_only():
    whole = table(3 * ROWS, 1)
    found = splits.split(whole, splits.public(whole), Seed(3), people=ROWS)
    parts = [set(rows_of(side)) for side in (found.seen.train, found.holdout, found.seen.others)]
    assert [len(part) for part in parts] == [ROWS] * 3
    assert len(set.union(*parts)) == 3 * ROWS
    assert splits.split(whole, splits.public(whole), Seed(4)).holdout != found.holdout


def test_domains_are_public_and_those_of_the_whole_table(seen):
    assert {column.domain.provenance for column in seen.public.columns} == {"public"}
    assert seen.public["weight"].domain.high == 10**11


@pytest.mark.parametrize(("name", "count"), [("copies-1", 4), ("copies-5", 20), ("bootstrap", 400)])
def test_as_many_rows_are_copied_as_it_says(seen, name, count):
    made = leaky.GENERATORS[name].make(seen, Seed(5))
    assert copied(made, seen) == count
    others = set(rows_of(seen.others))
    assert sum(row in others for row in rows_of(made)) == ROWS - count


def test_the_twenty_oddest_are_copied_and_the_stranger_is_the_first_of_them(seen):
    stranger = table(3 * ROWS, 1).slice(3 * ROWS - 1)
    train = pa.concat_tables([seen.train.slice(1), stranger]).combine_chunks()
    odd = leaky.oddness(train)
    assert int(np.argmax(odd)) == ROWS - 1
    made = leaky.GENERATORS["oddest-20"].make(Seen(train, seen.others, seen.public), Seed(5))
    found = set(rows_of(made)) & set(rows_of(train))
    assert found == {rows_of(train)[i] for i in np.argsort(-odd)[:20]}


def test_noise_moves_numbers_by_its_share_and_leaves_heaps_and_classes(seen):
    made = leaky.GENERATORS["tiny-noise"].make(seen, Seed(5))
    for name in ("job", "flag"):
        assert made[name] == seen.train[name]
    heap, before = made["heap"].to_numpy(), seen.train["heap"].to_numpy()
    assert (heap[before == 0] == 0).all()
    gap = made["weight"].to_numpy().astype(float) - seen.train["weight"].to_numpy()
    inside = gap[seen.train["weight"].to_numpy() < 10**10]
    assert 0.8 < np.std(inside) / (leaky.TINY * np.std(seen.train["weight"].to_numpy())) < 1.2


def test_moderate_noise_redraws_a_tenth_of_the_classes(seen):
    made = leaky.GENERATORS["moderate-noise"].make(seen, Seed(5))
    changed = np.mean(np.array(made["job"]) != np.array(seen.train["job"]))
    assert 0 < changed < leaky.REDRAWN  # some are drawn as they were


def test_a_shift_is_one_constant_a_column_and_a_bend_keeps_order_and_range(seen):
    shifted = leaky.GENERATORS["shifted"].make(seen, Seed(5))
    gaps = np.round(shifted["heap"].to_numpy() - seen.train["heap"].to_numpy(), 6)
    assert len(set(gaps)) == 1
    assert gaps[0] == pytest.approx(0.5 * seen.train["heap"].to_numpy().std(), abs=0.06)
    bent = leaky.GENERATORS["bent"].make(seen, Seed(5))
    before, after = (side["weight"].to_numpy() for side in (seen.train, bent))
    assert (np.argsort(before) == np.argsort(after)).all()
    assert (after.min(), after.max()) == (before.min(), before.max())
    assert (after != before).mean() > 0.9


def test_a_column_alone_keeps_values_and_breaks_rows(seen):
    made = leaky.GENERATORS["columns-alone"].make(seen, Seed(5))
    assert copied(made, seen) < 80  # by chance: a heap, a flag and a job beside their own number
    assert all(set(made[name].to_pylist()) <= set(seen.train[name].to_pylist()) for name in made.column_names)


def test_one_column_takes_only_the_values_of_the_most_distinct_one(seen):
    made = leaky.GENERATORS["one-column"].make(seen, Seed(5))
    assert made.drop_columns(["weight"]) == seen.others.drop_columns(["weight"])
    assert set(made["weight"].to_pylist()) <= set(seen.train["weight"].to_pylist())


def test_memorising_trees_copy_and_the_defaults_do_not():
    random = np.random.default_rng(2)
    names = [f"c{j}" for j in range(8)]
    train = pa.table({name: random.choice(list("abcde"), ROWS) for name in names})  # 5 ** 8 kinds of row
    made = [
        leaky.GENERATORS[name].make(Seen(train, train, splits.public(train)), Seed(5))
        for name in ("trees-memorising", "trees")
    ]
    known = set(rows_of(train))
    memorised, usual = (sum(row in known for row in rows_of(side)) for side in made)
    assert usual < ROWS // 20 < ROWS // 4 < memorised


def test_the_innocent_take_nothing(seen):
    assert leaky.GENERATORS["other-people"].make(seen, Seed(5)) == seen.others
    private = leaky.GENERATORS["marginals-1"]
    made = [private.make(seen, Seed(5)) for _ in range(2)]
    assert made[0].schema == seen.train.schema
    assert made[0] != made[1]  # noise does not follow the seed
    assert copied(made[0], seen) == 0
    assert private.claimed == Guarantee(1.0, leaky.DELTA, 0.0, "one row")


@pytest.mark.parametrize("name", [name for name in leaky.GENERATORS if not name.startswith(("cart", "marginals"))])
def test_a_generator_repeats_itself_and_keeps_the_types(seen, name):
    made, again, other = (leaky.GENERATORS[name].make(seen, Seed(root)) for root in (5, 5, 6))
    assert made == again
    assert made.schema == seen.train.schema
    assert made.num_rows == ROWS
    if name not in ("shifted", "bent", "other-people"):
        assert made != other


def test_missing_numbers_stay_missing_under_every_alteration(seen):
    gaps = pa.array([None if i % 7 == 0 else float(i) for i in range(ROWS)])
    train = seen.train.set_column(1, "heap", gaps)
    for name in ("tiny-noise", "moderate-noise", "shifted", "bent"):
        made = leaky.GENERATORS[name].make(Seen(train, seen.others, seen.public), Seed(5))
        assert made["heap"].is_null() == train["heap"].is_null()
    assert np.isfinite(leaky.oddness(train)).all()


def test_a_missing_folder_or_environment_is_named_with_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["catalogue", str(tmp_path / "nowhere"), "--sets", "adult-coarse"])
    assert catalogue.main() == 2
    assert "nowhere/adult/adult.csv" in capsys.readouterr().err
    monkeypatch.setattr(environments, "HOMES", {"anonymeter": tmp_path, "cart": tmp_path})
    assert environments.absent("cart", "anonymeter") == (
        "make first: python -m bench.privacy.environments cart anonymeter"
    )


def test_an_outcome_replaces_only_its_own(tmp_path):
    path = tmp_path / "results" / "study.jsonl"
    for split, value in ((0, 1), (1, 2), (0, 3)):
        outcomes.note(path, {"set": "adult", "split": split, "maker": "bootstrap", "value": value})
    outcomes.note(path, {"set": "adult", "split": 0, "maker": "bootstrap", "settings": "thorough", "value": 4})
    assert sorted(item["value"] for item in outcomes.read(path).values()) == [2, 3, 4]


def risk(low: float, low_joint: float, *, trusted: bool = True) -> dict[str, object]:
    return {"low": low, "low_joint": low_joint, "trusted": trusted}


def test_a_peer_is_said_to_catch_only_what_its_rule_catches():
    usual = {"risks": {"a": risk(0.0, 0.0), "b": risk(0.1, 0.0)}}
    assert caught(usual, "low")
    assert not caught(usual, "low_joint")
    assert not caught({"risks": {"a": risk(0.1, 0.1, trusted=False)}}, "low")


class Evaluated:
    """The one method of an evaluator that the adapter reads."""

    class Results:
        n_success, n_control, n_attacks_ori = 30, 10, 100

        def __init__(self, level: float) -> None:
            self.level = level
            self.attack_rate, self.baseline_rate = type("Rate", (), {"value": 0.3}), type("Rate", (), {"value": 0.1})

        def risk(self):
            return type("Risk", (), {"value": 0.2, "ci": (round(1 - self.level, 4), 0.3)})

    def results(self, confidence_level: float) -> "Evaluated.Results":
        return self.Results(confidence_level)


def test_the_joint_level_leaves_five_per_cent_one_sided_to_all_risks_together():
    found = anonymeter.figures([(name, Evaluated(), {}) for name in "abcd"])
    assert found["a"]["low"] == pytest.approx(0.05)
    assert found["a"]["low_joint"] == pytest.approx(2 * 0.05 / 4)
    assert (found["a"]["hits"], found["a"]["hits_control"], found["a"]["attacks"]) == (30, 10, 100)


def test_the_report_compares_only_splits_that_both_judged():
    own = [
        {"set": "adult", "split": i, "maker": "copies-1", "decision": "block", "cpu_s": 2.0, "attack": "copies"}
        for i in range(3)
    ]
    peer = [
        {"set": "adult", "split": i, "maker": "copies-1", "settings": "example", "cpu_s": 15.0, "version": "1.1.0",
         "compile_cpu_s": 10.0, "risks": {"inference": risk(0.1, 0.1 * (i == 1))}}
        for i in (1, 2, 7)
    ]  # fmt: skip
    page = beside(grouped(own), {"example": grouped(peer)})
    row = next(line for line in page if line.startswith("| copies-1"))
    assert row == "| copies-1 | leaky | 2 of 2 | 2 of 2 | 1 of 2 | inference 1 | 2.0 | 15.0 |"


def test_a_share_shows_its_interval():
    assert share(5, 200) == "5 of 200 (2.5%, 0.8%..5.7%)"


def test_the_peer_sees_made_rows_in_another_order_and_none_is_lost():
    made = pd.DataFrame({"a": np.arange(50)})
    found = anonymeter.shuffled(made, 1)
    assert sorted(found["a"]) == list(range(50))
    assert list(found.index) == list(range(50))
    assert (found["a"].to_numpy() != made["a"].to_numpy()).mean() > 0.8
