"""Steps: what nearly all values are multiples of is found, shown, corrected, and kept by made rows."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tuckpoint.errors import SchemaError
from tuckpoint.schema import Schema, Steps
from tuckpoint.seed import Seed
from tuckpoint.table import fit as fitting
from tuckpoint.table import steps
from tuckpoint.table.complete import complete
from tuckpoint.table.engine import Context, Field
from tuckpoint.table.engines.independent import Independent
from tuckpoint.table.engines.trees import Trees
from tuckpoint.table.estimate import private_schema
from tuckpoint.table.infer import infer
from tuckpoint.table.sample import sample

ROWS = 1200
DAY = 86_400


def visits() -> pa.Table:
    """Two years of arrivals at whole minutes, triage at five of them, in steps of amounts; one row in 25 is exact."""
    rng = np.random.default_rng(5)
    arrived = rng.integers(0, 730 * 1440, ROWS) * 60
    waited = rng.integers(1, 200, ROWS) * 60
    paid = np.round(rng.lognormal(8, 0.7, ROWS) / 50) * 50
    exact = rng.random(ROWS) < 0.04
    return pa.table(
        {
            "arrived": pa.array(arrived, pa.timestamp("s")),
            "seen": pa.array([str(np.datetime64(int(t), "s")).replace("T", " ") for t in arrived + waited]),
            "began": pa.array(rng.integers(0, 96 * 300, ROWS) * 900_000_000, pa.timestamp("us")),
            "paid": np.where(exact, paid + rng.integers(1, 50, ROWS), paid),
            "dose": rng.integers(1, 4000, ROWS) * 0.25,
            "weight": rng.normal(70, 12, ROWS).round(1),
            "ward": rng.choice(["north", "south"], ROWS),
        }
    )


@pytest.fixture(scope="module")
def real():
    return visits()


@pytest.fixture(scope="module")
def model(real, tmp_path_factory):
    fitted = fitting.fit(real, infer(real), engine=Trees(trees=2), seed=Seed(1), context=Context())
    folder = tmp_path_factory.mktemp("steps") / "model"
    fitting.save(fitted, folder)
    return fitting.load(folder)


def off(table: pa.Table, name: str, step: float) -> float:
    """The share of values that are no multiple of the step."""
    column = table.column(name)
    if pa.types.is_string(column.type):
        column = pc.strptime(column, "%Y-%m-%d %H:%M:%S", "s")
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
        step *= 1e6
    values = column.to_numpy().astype(float)
    return float(np.mean(values % step != 0))


def test_steps_are_found_told_and_read_again(real, tmp_path):
    schema = infer(real)
    assert schema["arrived"].steps == Steps(step=60)
    assert schema["seen"].steps == Steps(step=60)
    assert schema["began"].steps == Steps(step=900)
    assert schema["dose"].steps == Steps(step=0.25)
    assert schema["paid"].steps.heap == 50
    assert schema["paid"].steps.share == pytest.approx(0.96, abs=0.01)
    assert schema["weight"].steps is None
    schema.dump(tmp_path / "schema.yaml")
    assert Schema.load(tmp_path / "schema.yaml") == schema
    assert all(column.steps is None for column in private_schema(schema).columns)


@pytest.mark.parametrize(
    ("values", "decimals", "kind", "found"),
    [
        (np.arange(400) * 7 + 3, 0, "date", Steps(step=7, origin=3)),  # every Sunday
        (np.arange(10) * 3600, 0, "duration", Steps(step=3600)),
        (np.arange(10) * 7, 0, "integer", None),  # ten numbers may all be multiples of seven
        (np.arange(4) * 100, 0, "integer", None),
        (np.arange(300), 0, "integer", None),
        (np.full(300, 500.0), 0, "integer", None),
        (np.arange(100) * 12, 0, "integer", Steps(step=12)),
        (
            np.append(np.arange(1, 600) * 300, np.arange(1, 20) * 60),
            0,
            "duration",
            Steps(step=60),
        ),  # short ones are exact
        (np.arange(300) * 1e-5, 5, "decimal", None),
        (np.append(np.arange(300) * 0.5, np.nan), 1, "decimal", Steps(step=0.5)),
        (np.array([np.nan] * 9), 0, "integer", None),
    ],
)
def test_a_step_is_what_chance_would_not_give(values, decimals, kind, found):
    values = np.asarray(values, float)
    assert steps.find(values, decimals, kind) == found


def test_nearly_all_is_a_heap_with_its_share():
    rng = np.random.default_rng(1)
    exact = rng.random(4000) < 0.06
    minutes = rng.integers(0, 288, 4000) * 5 + np.where(exact, rng.integers(1, 5, 4000), 0)
    found = steps.find(minutes * 60.0, 0, "duration")
    assert (found.step, found.heap) == (60, 300)
    assert found.share == pytest.approx(0.94, abs=0.01)
    assert steps.find(rng.integers(0, 10**6, 4000).astype(float), 0, "integer") is None
    half = np.where(rng.random(4000) < 0.5, 100, 1) * rng.integers(1, 900, 4000)
    assert steps.find(half.astype(float), 0, "integer") is None


def test_made_rows_keep_the_steps_and_as_few_leave_them(real, model):
    made = sample(model, 3000, Seed(2))
    for name, step in (("arrived", 60), ("seen", 60), ("began", 900), ("dose", 0.25)):
        assert off(made, name, step) == 0, name
    assert off(made, "paid", 50) == pytest.approx(off(real, "paid", 50), abs=0.012)
    assert off(made, "weight", 1) > 0.7
    again = sample(model, 3000, Seed(2))
    assert again.equals(made)


def test_the_engine_alone_leaves_them(model):
    """Without the steps the test above fails: the engine moves values by seconds."""
    drawn = model.engine.draw(500, Seed(2)).columns
    assert np.mean(drawn["arrived"] % 60 != 0) > 0.5


def test_any_engine_keeps_them(real):
    fitted = fitting.fit(real, infer(real), engine=Independent(), seed=Seed(1), context=Context())
    made = sample(fitted, 1000, Seed(2))
    assert off(made, "began", 900) == off(made, "dose", 0.25) == 0
    made = sample(fitted, 300, Seed(3), where="3000 < paid < 3049")
    assert off(made, "paid", 50) == 1  # what lies between two heaps can be asked for


def test_conditions_and_given_cells_hold(real, model):
    made = sample(model, 300, Seed(3), where="paid >= 3000 and paid < 5000 and dose > 100.1")
    assert off(made, "paid", 50) < 0.2
    assert off(made, "dose", 0.25) == 0
    partial = pa.table({"paid": [3017.0, None], "dose": [None, 7.25]})
    whole = complete(model, partial, Seed(4))
    assert whole["paid"][0].as_py() == 3017
    assert whole["dose"][1].as_py() == 7.25
    assert off(whole, "arrived", 60) == 0


def test_a_person_corrects_the_steps(real):
    schema = infer(real)
    corrected = Schema.from_dict(
        {
            "columns": [
                {**entry, "steps": {"step": 3600}} if entry["name"] == "began" else entry
                for entry in schema.to_dict()["columns"]
            ]
        }
    )
    fitted = fitting.fit(real, corrected, engine=Independent(), seed=Seed(1), context=Context())
    assert off(sample(fitted, 200, Seed(2)), "began", 3600) == 0


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"steps": {"step": 0}}, "above 0"),
        ({"steps": {"step": "a minute"}}, "write a number"),
        ({"steps": {"heap": 5}}, "write both"),
        ({"steps": {"heap": 5, "share": 1.5}}, "at most 1"),
        ({"steps": 60}, "mapping"),
        ({"steps": {"stride": 60}}, "stride"),
        ({"kind": "category", "steps": {"step": 1}}, "has no steps"),
    ],
)
def test_wrong_steps_say_why(wrong, why):
    entry = {"name": "age", "kind": "integer", "storage": "int64", **wrong}
    with pytest.raises(SchemaError, match=why):
        Schema.from_dict({"columns": [entry]})


def test_values_stay_inside_their_range():
    field = Field("time", decimals=0, low=90.0, high=86_399.0, steps=Steps(step=60))
    values = np.array([91.0, 86_399.0, 149.0, np.nan])
    out = steps.placed([field], {"time": values}, Seed(1))["time"]
    assert out[:3].tolist() == [120, 86_340, 120]
    assert np.isnan(out[3])
    narrow = Field("time", decimals=0, low=61.0, high=100.0, steps=Steps(step=60))
    assert steps.placed([narrow], {"time": np.array([70.0])}, Seed(1))["time"].tolist() == [70]


def office(shift: int) -> np.ndarray:
    """Moments of two years, each in nine hours of its day."""
    rng = np.random.default_rng(8)
    return rng.integers(0, 730, 900) * DAY + shift + rng.integers(0, 9 * 60, 900) * 60.0


@pytest.mark.parametrize(("shift", "hours"), [(8 * 3600, (8, 17)), (20 * 3600, (20, 29))])
def test_hours_of_the_day_are_found_and_kept(shift, hours):
    real = pa.table({"at": pa.array(office(shift).astype(np.int64), pa.timestamp("s"))})
    schema = infer(real)
    found = schema["at"].steps
    assert (found.opens / 3600, found.closes / 3600, found.step) == (*hours, 60)
    fitted = fitting.fit(real, schema, engine=Independent(), seed=Seed(1), context=Context())
    made = sample(fitted, 2000, Seed(2))
    made = made["at"].cast(pa.int64()).to_numpy()
    real = office(shift)
    assert ((made - shift) % DAY < 9 * 3600).all()
    assert (made % 60 == 0).all()
    assert np.abs(np.quantile(made, [0.1, 0.5, 0.9]) - np.quantile(real, [0.1, 0.5, 0.9])).max() < 40 * DAY
    spread = np.bincount((made - shift).astype(int) % DAY // 3600, minlength=9)[:9] / len(made)
    assert spread.min() > 0.07  # an even day stays even: no heap where it opens or closes


def test_hours_need_evidence_and_are_not_those_of_a_distance():
    everywhen = np.random.default_rng(1).integers(0, 730 * DAY, 900).astype(float)
    assert steps.find(everywhen, 0, "datetime") is None
    assert steps.find(np.append(office(8 * 3600)[:800], everywhen[:40]), 0, "datetime").opens is None
    assert steps.find(office(8 * 3600)[:20], 0, "datetime").opens is None
    assert steps.find(office(8 * 3600), 0, "duration").opens is None
    with pytest.raises(SchemaError, match="closes later"):
        Steps(opens=61_200, closes=28_800)
