import numpy as np
import pyarrow as pa
import pytest
from simulate.law import decay, decaying, simulator

from tuckpoint.measure.boost import Boosting
from tuckpoint.seed import Seed
from tuckpoint.simulate import places
from tuckpoint.simulate.calibrate import Calibration
from tuckpoint.simulate.columns import observed
from tuckpoint.simulate.guard import ALLOWED, edge, guard
from tuckpoint.table.encode import encode
from tuckpoint.table.infer import infer

HOW, SMALL = Calibration(draws=5, starts=3), Boosting(rounds=40, rate=0.15, leaves=15, leaf_rows=5)


def rising(parameters, inputs, random):
    """Another structure: it can only rise with t."""
    return {"y": parameters["a"] * np.exp(parameters["b"] * inputs["t"] / 10) + parameters["c"]}


def judged(model, table, where, seed=1, **more):
    schema = infer(table, **more)
    data = encode(table, schema)
    slice_ = places.condition(where, data, schema, model)
    wanted = places.stretched(data, slice_, model, rows=50, seed=Seed(seed))
    real = observed(model, data)
    return guard(model, real, data, slice_, wanted, seed=Seed(seed), how=HOW, learner=SMALL), real, data, slice_, wanted


def test_the_edge_is_the_fifth_of_the_real_rows_nearest_to_the_slice():
    table = decaying(150, np.random.Generator(np.random.Philox(1)), low=2)
    _, real, data, slice_, wanted = judged(simulator(decay), table, "t < 1.5")
    held = edge(real, data, slice_, wanted, Seed(1))
    assert held.sum() == 30
    assert real.inputs["t"][held].max() <= real.inputs["t"][~held].min()
    by_chance = edge(real, data, None, wanted, Seed(1))
    assert by_chance.sum() == 30
    assert real.inputs["t"][by_chance].max() > 9


def test_a_right_simulator_is_admitted_and_a_wrong_one_refused():
    admitted = refused = 0
    for seed in range(4):
        table = decaying(150, np.random.Generator(np.random.Philox(seed)), low=2)
        admitted += judged(simulator(decay), table, "t < 1.5", seed)[0].admitted
        wrong = judged(simulator(rising), table, "t < 1.5", seed)[0]
        refused += not wrong.admitted
    assert admitted == 4
    assert refused == 4
    assert "off by" in wrong.why
    assert wrong.simulator["y"] > 1.1 * wrong.data["y"]


def test_an_excess_within_its_standard_error_is_let_pass_and_three_times_the_allowance_never():
    """A simulator that is off by a constant, a little more in each turn."""
    table = decaying(150, np.random.Generator(np.random.Philox(3)), low=2)
    kept = []
    for off in np.linspace(0.5, 0.85, 6):

        def shifted(parameters, inputs, random, off=off):
            return {"y": decay(parameters, inputs, random)["y"] + np.where(inputs["t"] < 3.5, off, 0.0)}

        found = judged(simulator(shifted), table, "t < 1.5")[0]
        over = found.simulator["y"] - ALLOWED * found.data["y"]
        assert found.admitted == (over <= found.doubt["y"] and found.ratio <= 1.3)
        kept.append(over > 0 and found.admitted)
    assert any(kept)
    assert not found.admitted


def test_rows_of_one_person_count_as_one():
    table = decaying(150, np.random.Generator(np.random.Philox(1)), low=2)
    order = np.argsort(np.asarray(table["t"]))
    twice = table.take(pa.array(np.repeat(order, 2)))
    person = twice.append_column("person", pa.array(np.repeat(np.arange(150), 2)))
    alone = judged(simulator(decay), twice, "t < 1.5")[0]
    together = judged(simulator(decay), person, "t < 1.5", person="person")[0]
    assert together.doubt["y"] > 1.2 * alone.doubt["y"]


def test_people_at_the_edge_are_not_calibrated_on():
    """Each person has a row at the edge: nothing is left."""
    random = np.random.Generator(np.random.Philox(1))
    table = decaying(150, random, low=2)
    order = np.argsort(np.asarray(table["t"]))
    person = np.empty(150, int)
    person[order] = np.arange(150) % 30
    found = judged(simulator(decay), table.append_column("person", pa.array(person)), "t < 1.5", person="person")[0]
    assert found.rest == 0
    assert not found.admitted


def test_too_few_rows_admit_nothing():
    table = decaying(20, np.random.Generator(np.random.Philox(1)))
    found = judged(simulator(decay), table, None)[0]
    assert "25 are needed" in found.why
    assert found.ratio == np.inf


def test_an_output_of_yes_and_no_is_judged_by_its_probability():
    random = np.random.Generator(np.random.Philox(2))
    t = random.uniform(2, 10, 300).round(3)
    table = pa.table({"t": t, "y": (random.random(300) < 1 / (1 + np.exp(5 - t))).astype(int)})

    def coin(parameters, inputs, random):
        chance = 1 / (1 + np.exp(parameters["a"] - inputs["t"]))
        return {"y": (random.random(len(chance)) < chance).astype(float)}

    model = simulator(coin, parameters={"a": (0, 10, "s")})
    schema = infer(table)
    data = encode(table, schema)
    slice_ = places.condition("t < 2", data, schema, model)
    wanted = places.stretched(data, slice_, model, rows=50, seed=Seed(1))
    found = guard(
        model,
        observed(model, data),
        data,
        slice_,
        wanted,
        seed=Seed(1),
        how=Calibration(simulations=800),
        learner=SMALL,
    )
    assert found.admitted
    assert 0 < found.simulator["y"] < 0.4
    assert found.ratio == pytest.approx(found.simulator["y"] / found.data["y"])
