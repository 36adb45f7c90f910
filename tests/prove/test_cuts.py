import numpy as np
import pyarrow as pa

from tuckpoint.asked import schema_of
from tuckpoint.prove.cuts import knobs, named
from tuckpoint.table.encode import encode
from tuckpoint.table.expression import parse

RANDOM = np.random.default_rng(0)
TABLE = pa.table(
    {
        "x": RANDOM.normal(0, 1, 400).round(2),
        "two words": RANDOM.integers(0, 3, 400) + 1,
        "place": np.where(np.arange(400) < 3, "rare", np.array(["a b", 'c"d'])[RANDOM.integers(0, 2, 400)]),
        "on": RANDOM.random(400) < 0.5,
        "one": ["same"] * 400,
        "y": RANDOM.normal(0, 1, 400),
    }
)
SCHEMA = schema_of(TABLE, None)
DATA = encode(TABLE, SCHEMA)


def test_every_part_is_what_its_condition_says():
    found = knobs(DATA, SCHEMA, "y")
    assert [(knob.name, len(knob.where)) for knob in found] == [("x", 5), ("two words", 3), ("place", 2), ("on", 2)]
    for knob in found:
        codes = knob.codes(DATA)
        for place, text in enumerate(knob.where):
            assert (parse(text, DATA.fields, SCHEMA).mask(DATA.columns) == (codes == place)).all(), text
    assert (found[2].codes(DATA)[:3] == -1).all()  # rare levels stand in no part


def test_ends_of_a_range_are_conditions_too():
    knob = knobs(DATA, SCHEMA, "y")[0]
    codes = knob.codes(DATA)
    assert np.bincount(codes).min() > 70
    for text, inside in ((knob.below(1), codes <= 1), (knob.above(1), codes >= 2)):
        assert (parse(text, DATA.fields, SCHEMA).mask(DATA.columns) == inside).all()
    assert [one.name for one in named(knobs(DATA, SCHEMA, "y"), ["x"])] == ["x"]
