import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.prove.cuts import Knob
from tuckpoint.prove.surface import Losses, surface
from tuckpoint.seed import Seed

KNOBS = (
    Knob("x", ("x < 1", "1 <= x < 2", "2 <= x < 3", "x >= 3"), (1.0, 2.0, 3.0)),
    Knob("place", ('place == "a"', 'place == "b"', 'place == "c"'), values=(0.0, 1.0, 2.0)),
    Knob("z", ("z == 0", "z == 1"), values=(0.0, 1.0)),
)


def rows(count, key, loss, *, clusters=None):
    """Losses of a law of the codes of x, place and z; with clusters, a shift that the rows of each share."""
    random = np.random.default_rng(key)
    codes = {knob.name: random.integers(0, len(knob.where), count) for knob in KNOBS}
    own = np.arange(count) if clusters is None else random.integers(0, clusters, count)
    noise = random.normal(0, 1, count) + (0 if clusters is None else random.normal(0, 1, clusters)[own])
    return Losses(loss(**codes) + noise, own, codes)


def flat(x, place, z):
    return np.full(len(x), 3.0)


def test_main_effects_pairs_and_the_corner_of_a_stated_law():
    made = rows(3000, 0, lambda x, place, z: 3 + 1.0 * (x >= 2) + 2.0 * ((place == 1) & (z == 1)))
    real = rows(400, 1, lambda x, place, z: 3 + 1.0 * (x >= 2) + 2.0 * ((place == 1) & (z == 1)))
    found = surface(KNOBS, made, real, Seed(0))
    mains, pairs = {part.names[0]: part for part in found.mains}, {part.names: part for part in found.pairs}
    for cell, truth in zip(mains["x"].cells, (-0.5, -0.5, 0.5, 0.5), strict=True):
        assert cell.low < truth < cell.high
        assert cell.high - cell.low < 0.6
    variance = 0.25 + 4 / 6 * 5 / 6 + 1
    assert mains["x"].share == pytest.approx(0.25 / variance, abs=0.03)
    assert pairs["place", "z"].share == pytest.approx(4 * (2 / 9 * 1 / 4) / variance, abs=0.03)
    assert pairs["x", "z"].share < 0.01
    cell = next(one for one in pairs["place", "z"].cells if one.where == 'place == "b" and z == 1')
    assert cell.low < 2 / 3 < cell.high  # 2 less both main effects
    assert cell.low > 0
    assert {'place == "b"', "z == 1"} <= set(found.corner.where.split(" and "))
    assert found.corner.confirmed
    assert found.corner.low < found.corner.mean - found.corner.rest < found.corner.high
    assert found.corner.real[1] > 1
    assert found.agreement > 0.6


def test_no_corner_is_confirmed_where_there_is_none_and_all_intervals_hold_together():
    confirmed, missed = 0, 0
    for key in range(120):
        found = surface(KNOBS, rows(300, key, flat, clusters=40), None, Seed(key))
        cells = [cell for part in (*found.mains, *found.pairs) for cell in part.cells]
        confirmed += found.corner is not None and found.corner.confirmed
        missed += any(not cell.low <= 0 <= cell.high for cell in cells)
    assert confirmed <= 9  # 2.5 % of 120 are three
    assert missed <= 13  # 5 % are six


def test_what_rows_of_one_cluster_share_widens_the_intervals():
    alone = rows(600, 0, flat, clusters=20)
    by_cluster = Losses(alone.loss, alone.clusters, {**alone.knobs, "z": alone.clusters % 2})
    by_row = Losses(alone.loss, np.arange(600), by_cluster.knobs)

    def width(made):
        part = next(part for part in surface(KNOBS, made, None, Seed(0)).mains if part.names == ("z",))
        return part.cells[0].high - part.cells[0].low

    assert width(by_cluster) > 2 * width(by_row)


def test_the_half_that_chose_the_corner_flatters_it():
    gaps = []
    for key in range(20):
        corner = surface(KNOBS, rows(800, 100 + key, flat), None, Seed(key)).corner
        gaps.append(corner.sought - corner.excess)
    assert np.mean(gaps) > 0.1


def test_too_few_rows_or_clusters_are_refused():
    for made in (rows(100, 0, flat), rows(600, 0, flat, clusters=10)):
        with pytest.raises(InputError, match="tell no surface"):
            surface(KNOBS, made, None, Seed(0))
