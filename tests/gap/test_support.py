import numpy as np
import pyarrow as pa

from tuckpoint.gap.support import ground, support
from tuckpoint.measure.prepare import prepare
from tuckpoint.seed import Seed
from tuckpoint.table.infer import infer


def rows(count, key, *, x=(0, 1), level="ab"):
    random = Seed(key).numpy()
    return pa.table(
        {
            "x": random.uniform(*x, count),
            "z": random.normal(size=count),
            "k": np.array(list(level))[random.integers(0, len(level), count)],
        }
    )


def lies(train, gap):
    space = prepare(gap, train, None, infer(train))
    return support(space.real, ground(space.made, Seed(0)), Seed(1))


def test_rows_of_the_same_law_lie_inside():
    where, share = lies(rows(1000, 1), rows(400, 2))
    assert where == "inside"
    assert share < 0.08


def test_rows_beyond_the_range_or_of_an_unseen_level_lie_outside():
    assert lies(rows(1000, 1), rows(200, 2, x=(1.3, 1.6))) == ("outside", 1.0)
    assert lies(rows(1000, 1), rows(200, 2, level="c")) == ("outside", 1.0)


def test_a_hole_within_is_bridged_only_if_it_is_narrow():
    hole = rows(2000, 1)
    x = hole["x"].to_numpy()
    assert lies(hole.filter(pa.array(abs(x - 0.5) > 0.02)), rows(200, 2, x=(0.49, 0.51)))[0] == "inside"


def test_few_training_rows_say_nothing():
    space = prepare(rows(30, 1), rows(30, 1), None, infer(rows(30, 1)))
    assert ground(space.made, Seed(0)) is None


def test_a_gap_without_rows_is_unknown():
    train = rows(500, 1)
    space = prepare(train, train, None, infer(train))
    assert support(space.real.take(np.zeros(500, bool)), ground(space.made, Seed(0)), Seed(0))[0] == "unknown"
