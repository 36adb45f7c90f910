import numpy as np
import pytest
from bench.proof import fuel

from tuckpoint.seed import Seed
from tuckpoint.simulate.contract import load


def run(number, *, admitted=True, ratio=1.0):
    guard = {"admitted": admitted, "edge error of mpg": ratio, "edge error of mpg, data only": 1.0}
    errors = {"real only": 4.0, "real light cars": 2.0, "right": 3.0}
    return {"run": number, "data": "law", "errors": errors, "guards": dict.fromkeys(fuel.SIMULATORS, guard)}


def test_refused_rows_count_as_none():
    assert fuel._share([run(0), run(1)])[0] == pytest.approx(0.5)
    assert fuel._share([run(0), run(1, admitted=False)])[0] == pytest.approx(0.25)


def test_the_figures_tell_who_was_admitted():
    told = fuel.told([run(0), run(1, admitted=False, ratio=1.2)])
    assert "right admitted: 1 of 2 = 50.0%" in told
    assert "cubed refused: 1 of 2 = 50.0%" in told
    assert "median 1.10, 1.00 to 1.20" in told


@pytest.mark.parametrize("name", fuel.SIMULATORS)
def test_simulators_keep_the_contract(tmp_path, name):
    file = tmp_path / f"{name}.py"
    file.write_text(fuel.HEAD + fuel.SIMULATORS[name], encoding="utf-8")
    model = load(file)
    middle = {name: float(prior.at(0.5)) for name, prior in model.parameters.items()}
    cars = {"weight": np.array([2000.0, 4000.0]), "displacement": np.array([90.0, 350.0]), "year": np.full(2, 1975.0)}
    light, heavy = model.run(middle, cars, Seed(1))["mpg"]
    assert (light < heavy) == (name == "coasting")


def test_cars_of_the_law_obey_it():
    table = fuel.law(Seed(1))
    weight, size, year, mpg = (np.asarray(table[name], float) for name in ("weight", "displacement", "year", "mpg"))
    work = (1.3 * weight / 1000 + 0.35 * size / 100 + 0.8) * 0.97 ** (year - 1970)
    off = np.log(mpg * work / 100)
    assert abs(off.mean()) < 0.02
    assert 0.08 < off.std() < 0.12
    assert 60 < (weight < fuel.LIGHT).sum() < 100
