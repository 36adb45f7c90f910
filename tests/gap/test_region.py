import numpy as np
import pyarrow as pa
from gap.laws import in_parts, without

from tuckpoint.gap.reference import against
from tuckpoint.gap.region import inside, regions
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.measure.prepare import prepare
from tuckpoint.seed import Seed
from tuckpoint.table.expression import parse
from tuckpoint.table.infer import infer


def points(rows, key):
    random = Seed(key, ("points",)).numpy()
    return pa.table({"x": random.normal(size=rows), "z": random.normal(size=rows)})


def searched(train, reference, key=0):
    schema = infer(train)
    space = prepare(reference, train, None, schema)
    return regions(space.made, space.real, schema, Seed(key)), space, schema


def test_a_hole_between_quantiles_is_found_where_cells_see_nothing():
    train, reference = points(3000, 1), points(3000, 2)
    x, z = train["x"].to_numpy(), train["z"].to_numpy()
    cut = without(train, (abs(x - 0.32) < 0.08) & (z > 0), share=0.0)
    assert against(in_parts(cut, reference)).found == ()
    (found, masks, judged), space, schema = searched(cut, reference)
    assert judged > 3
    held = space.real.columns
    hole = (abs(held["x"] - 0.32) < 0.08) & (held["z"] > 0)
    assert (masks[0] & hole).sum() / (masks[0] | hole).sum() > 0.7
    assert found[0].high < 0.5
    assert found[0].basis == "region"
    same = parse(found[0].where, space.real.fields, schema).mask(held)
    assert np.array_equal(same, masks[0])


def test_with_no_hole_a_false_one_is_rare():
    runs = 100
    false = sum(bool(searched(points(500, 100 + i), points(400, 900 + i))[0][0]) for i in range(runs))
    assert clopper_pearson(false, runs)[0] <= 0.05


def test_a_missing_value_lies_in_no_box():
    table = pa.table({"x": pa.array([1.0, None, 3.0, 2.0, 5.0])})
    space = prepare(table, table, None, infer(table))
    assert inside(space.real, {"x": (0.0, 3.0)}).tolist() == [True, False, True, True, False]
