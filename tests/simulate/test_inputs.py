import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from simulate.law import simulator

from tuckpoint.asked import schema_of
from tuckpoint.errors import InputError
from tuckpoint.simulate import inputs
from tuckpoint.table.encode import encode

MODEL = simulator(lambda p, x, r: {"y": x["a"]}, inputs={"a": (-5, 5, "m"), "b": (0.1, 100, "s")}, parameters={})


def declared(tmp_path, text):
    (tmp_path / "inputs.yaml").write_text(text)
    return inputs.declared(MODEL, tmp_path / "inputs.yaml")


def test_declared_marginals_are_cut_to_the_declared_range_and_go_together(tmp_path):
    found = declared(
        tmp_path,
        "tuckpoint_inputs: 1\ninputs: {a: {normal: [4, 1]}, b: {weibull: [2, 7]}}\ncorrelations: [[a, b, -0.7]]\n",
    )
    at = np.random.default_rng(0).standard_normal((20_000, 2))
    told = found.at(at)
    cut = stats.truncnorm(-9, 1, 4, 1)
    assert told["a"].max() <= 5
    assert stats.kstest(told["a"], cut.cdf).pvalue > 0.001
    assert stats.kstest(told["b"], stats.weibull_min(2, scale=7).cdf).pvalue > 0.001
    assert stats.spearmanr(told["a"], told["b"])[0] == pytest.approx(6 / np.pi * np.arcsin(-0.35), abs=0.02)


def test_the_far_tail_is_not_lost_to_rounding(tmp_path):
    found = declared(tmp_path, "tuckpoint_inputs: 1\ninputs: {a: {normal: [0, 0.4]}, b: {log_uniform: [1, 2]}}\n")
    far = found.at(np.array([[9.0, 0.0], [-9.0, 0.0]]))["a"]
    assert far.tolist() == pytest.approx([3.6, -3.6], rel=1e-6)


def test_real_rows_give_their_marginals_and_how_they_go_together():
    random = np.random.default_rng(1)
    a = random.normal(0, 1, 3000)
    b = np.exp(0.8 * a + 0.6 * random.normal(0, 1, 3000)) + 0.2
    real = pa.table({"a": np.append(a, 70.0), "b": np.append(b, 1.0)})
    found = inputs.fitted(MODEL, encode(real, schema_of(real, None)))
    told = found.at(random.standard_normal((20_000, 2)))
    assert "3,000 real rows" in found.told  # the one outside what is declared is left out
    assert stats.ks_2samp(told["a"], a).pvalue > 0.001
    assert stats.ks_2samp(told["b"], b).pvalue > 0.001
    assert stats.spearmanr(told["a"], told["b"])[0] == pytest.approx(stats.spearmanr(a, b)[0], abs=0.03)
    with pytest.raises(InputError, match="20 are needed"):
        inputs.fitted(MODEL, encode(real[:19], schema_of(real[:19], None)))
    lacking = real.rename_columns(["a", "c"])
    with pytest.raises(InputError, match='input "b" of law is no column'):
        inputs.fitted(MODEL, encode(lacking, schema_of(lacking, None)))


def test_few_values_stay_those_values():
    real = pa.table({"a": [1.0, 2.0] * 20, "b": np.linspace(1, 9, 40)})
    found = inputs.fitted(MODEL, encode(real, schema_of(real, None)))
    assert set(found.at(np.random.default_rng(0).standard_normal((200, 2)))["a"]) == {1.0, 2.0}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("inputs: {}", "must begin with tuckpoint_inputs: 1"),
        ("tuckpoint_inputs: 1\nmore: 2", 'unknown entry "more"'),
        ("tuckpoint_inputs: 1\ninputs: {a: {normal: [0, 1]}}", "declare each of them"),
        ("tuckpoint_inputs: 1\ninputs: {a: {normal: [0, 0]}, b: {uniform: [1, 2]}}", "spreads lie above 0"),
        ("tuckpoint_inputs: 1\ninputs: {a: {norml: [0, 1]}, b: {uniform: [1, 2]}}", "known are uniform"),
        ("tuckpoint_inputs: 1\ninputs: {a: 3, b: {uniform: [1, 2]}}", "say one distribution"),
        ("tuckpoint_inputs: 1\ninputs: {a: {uniform: [7, 9]}, b: {uniform: [1, 2]}}", "holds nothing within -5..5"),
        (
            "tuckpoint_inputs: 1\ninputs: {a: {normal: [0, 1]}, b: {uniform: [1, 2]}}\ncorrelations: [[a, b, 2]]",
            "between -1 and 1",
        ),
    ],
)
def test_a_file_that_cannot_be_is_refused(tmp_path, text, told):
    with pytest.raises(InputError, match=told):
        declared(tmp_path, text)
