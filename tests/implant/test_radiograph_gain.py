import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.files import sha256
from tuckpoint.implant.radiograph_gain import Gain, measured
from tuckpoint.seed import Seed


def wedge(place, thickness, grey):
    lines = ["thickness_mm,grey", *(f"{t},{g}" for t, g in zip(thickness, grey, strict=True))]
    place.write_text("\n".join(lines), encoding="utf-8")
    return place


def test_the_slope_is_found_with_an_interval_that_covers_it(tmp_path):
    steps, covered = np.arange(0, 60, 5.0), 0
    for trial in range(60):
        noise = Seed(trial, ("wedge",)).numpy().normal(0, 20, len(steps))
        found = measured(wedge(tmp_path / "w.csv", steps, 400 + 12.5 * steps + noise))
        covered += found.low < 12.5 < found.high
    assert covered >= 53
    assert found.grey_per_mm == pytest.approx(12.5, rel=0.1)
    assert found.residual == pytest.approx(20, rel=0.5)
    assert found.steps == 12
    assert found.sha256 == sha256(tmp_path / "w.csv")
    assert measured(wedge(tmp_path / "down.csv", steps, 3000 - 8 * steps)).grey_per_mm == pytest.approx(-8)


@pytest.mark.parametrize(
    ("thickness", "grey", "why"),
    [
        ([0, 10, 20], [1, 2, 3], "3 steps of 3 thicknesses"),
        ([0, 0, 10, 10], [1, 1, 2, 2], "4 steps of 2 thicknesses"),
        ([0, 10, 20, 30, 40], [100, 130, 90, 120, 105], "that may be none"),
        ([0, 10, 20, 30, 40, 50, 60], [100, 500, 800, 950, 990, 1000, 1000], "a line explains"),
        ([0, 10, 20, "x"], [1, 2, 3, 4], "column thickness_mm holds what is no number"),
        ([0, 10, 20, 30], [1, 2, 3, "nan"], "no finite number"),
    ],
)
def test_what_is_no_wedge_is_refused(tmp_path, thickness, grey, why):
    with pytest.raises(InputError, match=why):
        measured(wedge(tmp_path / "w.csv", thickness, grey))


def test_other_tables_and_a_gain_of_zero_are_refused(tmp_path):
    (tmp_path / "other.csv").write_text("mm,level\n1,2\n")
    with pytest.raises(InputError, match="no column thickness_mm, grey"):
        measured(tmp_path / "other.csv")
    with pytest.raises(InputError, match="cannot be read"):
        measured(tmp_path / "none.csv")
    for value in (0.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="nothing would be seen"):
            Gain(value)
