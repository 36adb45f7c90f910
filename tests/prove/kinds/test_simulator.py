import json

import numpy as np
import pyarrow as pa
import pytest
from simulate.law import PLANT, WRONG, decaying

from tuckpoint.asked import schema_of
from tuckpoint.errors import InputError
from tuckpoint.prove import sources
from tuckpoint.prove.kinds.simulator import Simulator
from tuckpoint.prove.plan import Folds, Plan, Source
from tuckpoint.prove.source import Task
from tuckpoint.prove.study import study
from tuckpoint.seed import Seed
from tuckpoint.table.frame import read

SMALL = {"leaf_rows": 5, "rounds": 40}
QUICK = {"draws": 5, "starts": 3, "learner": SMALL}


@pytest.fixture
def plant(tmp_path):
    file = tmp_path / "plant.py"
    file.write_text(PLANT, encoding="utf-8")
    return file


def task(seed=1, *, where="t < 1.5", target="y", rows=50):
    train = decaying(160, np.random.Generator(np.random.Philox(seed)), low=2)
    return Task(train, schema_of(train, None, target=target), target, rows, where, Seed(seed))


def test_it_makes_rows_that_tell_where_they_come_from(plant):
    made = Simulator(**Simulator.planned(plant), **QUICK).make(task())
    assert made.table.num_rows == len(made.weights) == 50
    assert np.asarray(made.table["t"]).max() < 1.5
    assert {"_parameters", "_distance", "_discrepancy", "_extrapolated"} <= set(made.table.column_names)
    assert made.facts["extrapolated"] == 1
    assert made.facts["a"] == pytest.approx(4, rel=0.3)
    assert made.facts["edge error of y"] < 1.1 * made.facts["edge error of y, data only"]


def test_a_wrong_one_makes_none_and_says_why(plant):
    plant.write_text(WRONG, encoding="utf-8")
    made = Simulator(**Simulator.planned(plant), **QUICK).make(task())
    assert made.table is None
    assert "edge guard refuses plant.py" in made.why
    assert made.facts["edge error of y"] > 1.1 * made.facts["edge error of y, data only"]


def test_the_plan_holds_the_digest_and_a_changed_file_is_refused(plant):
    settings = Simulator.planned(plant)
    one = Source("plant", kind="simulator", settings=settings)
    plant.write_text(PLANT + "\n# changed\n", encoding="utf-8")
    with pytest.raises(InputError, match="not the simulator that was named"):
        Source("plant", kind="simulator", settings=settings)
    other = Source("plant", kind="simulator", settings=Simulator.planned(plant))
    digests = [Plan("y", (source,), metric="rmse", smallest_effect=0.1).digest() for source in (one, other)]
    assert digests[0] != digests[1]


def test_a_proof_takes_its_rows_and_leaves_their_marks_out(plant):
    source = Source("plant", kind="simulator", settings={**Simulator.planned(plant), **QUICK}, where="t < 1.5")
    plan = Plan("y", (source,), metric="rmse", smallest_effect=0.1, slices=("t < 3",), folds=Folds(repeats=4, inner=2))
    work = study(plan, decaying(300, np.random.Generator(np.random.Philox(1)), low=2))
    batch = sources.made(work, source, work.lock.pool, Seed(1), finished={}, most=0.5)
    assert batch.block.inputs.names == ("t", "u", "place")
    assert batch.block.size == round(0.5 * len(work.lock.pool))
    assert len(set(batch.block.weights)) > 10


def test_a_reference_is_held_to_its_digest(plant, tmp_path):
    table = pa.table({"t": [0.25, 0.5, 1.25]})
    file = tmp_path / "fleet.csv"
    file.write_text("t\n0.25\n0.5\n1.25\n", encoding="utf-8")
    given = {**Simulator.planned(plant), **QUICK, "inputs": "reference", "reference": str(file)}
    made = Simulator(**given, reference_sha256=read(file).digest).make(task())
    assert set(np.asarray(made.table["t"])) == set(np.asarray(table["t"]))
    with pytest.raises(InputError, match="its digest is"):
        Simulator(**given, reference_sha256="0" * 64)
    with pytest.raises(InputError, match="give both or neither"):
        Simulator(**{**given, "inputs": "stretched"}, reference_sha256=read(file).digest)


def test_the_target_must_be_an_output(plant):
    with pytest.raises(InputError, match='does not give the target "u"; its outputs are: y'):
        Simulator(**Simulator.planned(plant), **QUICK).make(task(target="u"))


@pytest.mark.parametrize(
    ("columns", "why"), [(["t"], ""), (["t", "place"], ""), (["place"], "takes none of: place"), (["y"], "y is what")]
)
def test_it_serves_gaps_of_its_inputs(plant, columns, why):
    told = Simulator(**Simulator.planned(plant)).serves({"missing": {"columns": columns}, "support": "outside"})
    assert (told == "") == (why == "")
    assert why in told


def test_settings_are_plain(plant):
    assert json.loads(json.dumps(Simulator.planned(plant))) == Simulator.planned(plant)


def test_a_file_of_settings_goes_into_the_plan(plant, tmp_path):
    (tmp_path / "fleet.csv").write_text("t\n0.25\n0.5\n1.25\n", encoding="utf-8")
    file = tmp_path / "source.yaml"
    file.write_text(
        "tuckpoint_simulator: 1\nfile: plant.py\nallowed: 1.3\nlearner: {leaf_rows: 5}\n"
        "inputs: reference\nreference: fleet.csv\n"
    )
    told = Simulator.planned(file)
    assert told["allowed"] == 1.3
    made = Source("plant", kind="simulator", settings=told).maker()
    assert (made.request().allowed, made.request().learner.leaf_rows) == (1.3, 5)
    assert made.table().num_rows == 3
    for wrong, match in (
        ("allowed: 0\nfile: plant.py", "allowed is 0"),
        ("allow: 2\nfile: plant.py", 'unknown entry "allow"'),
        ("allowed: 1.2", "say which simulator"),
        ("file: plant.py\nlearner: {leafs: 3}", 'no setting "leafs"'),
    ):
        file.write_text(f"tuckpoint_simulator: 1\n{wrong}\n")
        with pytest.raises(InputError, match=match):
            Simulator.planned(file)
