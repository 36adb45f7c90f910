import numpy as np
from simulate.law import simulator

from tuckpoint.seed import Seed
from tuckpoint.simulate.calibrate import Calibration
from tuckpoint.simulate.columns import Observed
from tuckpoint.simulate.smc import abc, adjusted, real_summary


def noisy(parameters, inputs, random):
    return {"y": parameters["m"] + random.normal(0, 1, len(inputs["t"]))}


MODEL = simulator(noisy, parameters={"m": (-5, 5, "m")})


def real_rows(seed, rows=100):
    random = np.random.Generator(np.random.Philox(seed))
    return Observed(
        {"t": random.uniform(0, 10, rows)}, {"y": random.normal(1, 1, rows)}, np.arange(rows), np.arange(rows)
    )


def test_abc_finds_the_posterior_that_is_known():
    """The mean of 100 normals of sd 1 under a flat prior: the posterior is normal with sd 0.1 about their mean."""
    real = real_rows(1)
    values = MODEL.parameters["m"].at(
        abc(MODEL, real, Seed(1), how=Calibration(draws=200, simulations=1200), random=True)[1:, 0]
    )
    assert abs(values.mean() - real.outputs["y"].mean()) < 0.06
    assert 0.07 < values.std() < 0.16


def test_a_simulator_that_does_not_draw_gets_the_noise_of_the_real_summaries():
    def sure(parameters, inputs, random):
        return {"y": np.full(len(inputs["t"]), parameters["m"])}

    model = simulator(sure, parameters={"m": (-5, 5, "m")})
    real = real_rows(2)
    values = model.parameters["m"].at(
        abc(model, real, Seed(1), how=Calibration(draws=200, simulations=1200), random=False)[1:, 0]
    )
    assert abs(values.mean() - real.outputs["y"].mean()) < 0.1
    assert 0.04 < values.std() < 0.3


def test_one_seed_one_posterior():
    how = Calibration(draws=20, simulations=600)
    one, two, other = (abc(MODEL, real_rows(1, 30), Seed(s), how=how, random=True) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


def test_adjustment_takes_out_what_summaries_explain():
    random = np.random.Generator(np.random.Philox(1))
    off = random.normal(size=(300, 2))
    at = 0.5 + off @ np.array([[0.1], [-0.05]])
    np.testing.assert_allclose(adjusted(at, off, np.full(300, 1 / 300)), 0.5, atol=1e-6)


def test_summaries_are_means_in_bins_and_the_spread():
    real = Observed({"t": np.arange(8.0)}, {"y": np.repeat([1.0, 2.0, 3.0, 4.0], 2)}, np.arange(8), np.arange(8))
    np.testing.assert_allclose(real_summary(real, random=True), [2.5, 1, 2, 3, 4, np.std([1, 2, 3, 4])])
    np.testing.assert_allclose(real_summary(real, random=False), [2.5, 1, 2, 3, 4])
