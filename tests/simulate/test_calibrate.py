import numpy as np
import pytest
from simulate.law import decay, simulator

from tuckpoint.errors import InputError, MissingExtra
from tuckpoint.seed import Seed
from tuckpoint.simulate.calibrate import Calibration, calibrate, draws_itself, mean, open_parameters
from tuckpoint.simulate.columns import Observed

QUICK = Calibration(draws=20, starts=2)
TRUE = {"a": 4.0, "b": 0.5, "c": 0.7}


def real_rows(law, rows, seed, *, noise=0.2, groups=None):
    random = np.random.Generator(np.random.Philox(seed))
    t = random.uniform(0, 10, rows)
    y = law(TRUE, {"t": t}, random)["y"] + random.normal(0, noise, rows)
    return Observed({"t": t}, {"y": y}, np.arange(rows) if groups is None else groups, np.arange(rows))


def test_least_squares_finds_the_parameters_and_covers_them():
    """90 % intervals of three parameters in 8 trials: 24 chances, of which each may fail one in ten."""
    held = 0
    for trial in range(8):
        found = calibrate(simulator(decay), real_rows(decay, 100, trial), Seed(trial), Calibration(draws=20, starts=2))
        held += sum(low <= TRUE[name] <= high for name in TRUE for _, low, high in [found.interval(name)])
    assert found.method == "least_squares"
    assert [found.interval(name)[0] for name in TRUE] == pytest.approx(list(TRUE.values()), rel=0.25)
    assert held >= 17
    assert found.residuals["y"].std() == pytest.approx(0.2, rel=0.2)


def test_a_second_seed_gives_other_draws_and_the_same_seed_the_same():
    real = real_rows(decay, 60, 1)
    one, two, other = (calibrate(simulator(decay), real, Seed(s), Calibration(draws=5)).draws for s in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != other).all()


def test_parameters_that_trade_off_are_said_to_be_open():
    def product(parameters, inputs, random):
        return {"y": parameters["a"] * parameters["b"] * inputs["t"]}

    model = simulator(product, parameters={"a": (0.5, 8, ""), "b": (0.5, 8, "")})
    random = np.random.Generator(np.random.Philox(3))
    t = random.uniform(0, 10, 80)
    real = Observed({"t": t}, {"y": 6 * t + random.normal(0, 0.3, 80)}, np.arange(80), np.arange(80))
    found = calibrate(model, real, Seed(3), Calibration())
    assert set(open_parameters(model, found)) == {"a", "b"}
    assert np.prod(found.draws, axis=1).std() < 0.1  # their product is settled
    assert (
        open_parameters(simulator(decay), calibrate(simulator(decay), real_rows(decay, 80, 3), Seed(3), Calibration()))
        == {}
    )


def test_a_prior_that_is_too_narrow_is_said():
    model = simulator(decay, parameters={"a": (0, 3, "m"), "b": (0.01, 3, "1/s", "log"), "c": (-2, 2, "m")})
    told = open_parameters(model, calibrate(model, real_rows(decay, 80, 3), Seed(3), QUICK))
    assert "presses against the end of its prior, 3 m; widen" in told["a"]


def test_rows_of_one_group_widen_the_posterior():
    """Ten copies of each row are no more than one row, if they are known to be of one person."""
    few = real_rows(decay, 30, 5)
    many = few.take(np.repeat(np.arange(30), 10))
    alone = Observed(many.inputs, many.outputs, np.arange(300), np.arange(300))
    told = [
        calibrate(simulator(decay), real, Seed(1), Calibration(starts=2)).draws.std(axis=0) for real in (many, alone)
    ]
    assert (told[0] > 2 * told[1]).all()


def test_without_parameters_there_is_one_draw():
    found = calibrate(
        simulator(lambda p, x, r: {"y": 2 * x["t"]}, parameters={}), real_rows(decay, 30, 1), Seed(1), Calibration()
    )
    assert found.draws.shape == (1, 0)
    assert found.at() == {}


def test_the_calibrator_follows_the_simulator_and_the_output():
    def coin(parameters, inputs, random):
        chance = 1 / (1 + np.exp(parameters["a"] - inputs["t"]))
        return {"y": (random.random(len(chance)) < chance).astype(float)}

    model = simulator(coin, parameters={"a": (0, 10, "s")})
    real = real_rows(coin, 200, 2, noise=0)
    assert draws_itself(model, real, Seed(1))
    assert not draws_itself(simulator(decay), real, Seed(1))
    found = calibrate(model, real, Seed(1), Calibration(simulations=1000))
    assert found.method == "abc"
    assert found.random
    assert found.interval("a")[1] < 4 < found.interval("a")[2]
    assert found.draws.std() < 1
    chance = mean(model, found, {"t": np.array([0.0, 10.0])}, Seed(1))["y"]
    assert chance[0] < 0.2 < 0.8 < chance[1]


def test_outputs_beyond_their_range_are_let_be_while_parameters_are_tried_only():
    model = simulator(decay, outputs={"y": (-1, 6, "m")})  # a of 10 and c of 2 give 12
    assert calibrate(model, real_rows(decay, 60, 1), Seed(1), Calibration(draws=5)).interval("a")[0] == pytest.approx(
        4, 0.2
    )


def test_sbi_is_an_extra():
    with pytest.raises(MissingExtra, match=r"tuckpoint\[sbi\]"):
        calibrate(simulator(decay), real_rows(decay, 30, 1), Seed(1), Calibration("sbi"))


def test_settings_out_of_range_are_refused():
    with pytest.raises(InputError, match="draws is 1"):
        Calibration(draws=1)
