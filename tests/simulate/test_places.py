import numpy as np
import pyarrow as pa
import pytest
from simulate.law import decay, decaying, simulator

from tuckpoint.errors import InputError, ShortSample
from tuckpoint.seed import Seed
from tuckpoint.simulate import places
from tuckpoint.table.encode import encode
from tuckpoint.table.infer import infer

MODEL = simulator(decay)


@pytest.fixture(scope="module")
def train():
    return decaying(200, np.random.Generator(np.random.Philox(1)), low=3)


def stretched(train, where, rows=300):
    schema = infer(train)
    data = encode(train, schema)
    slice_ = places.condition(where, data, schema, MODEL)
    return places.stretched(data, slice_, MODEL, rows=rows, seed=Seed(1)), slice_, data


def test_real_rows_are_stretched_into_a_slice_that_they_never_reached(train):
    made, slice_, _ = stretched(train, 't < 2 and place == "north"')
    assert made.rows == 300
    assert slice_.mask(made.columns).all()
    assert made.columns["t"].min() < 0.3
    # u is 2 t: it moves along, as far as its own range lets it
    low = np.asarray(train["u"]).min()
    np.testing.assert_allclose(made.columns["u"], np.maximum(2 * made.columns["t"], low), atol=2)


def test_without_a_slice_real_rows_are_drawn_again(train):
    made, _, data = stretched(train, None)
    assert set(made.columns["t"]) <= set(data.columns["t"])


def test_a_condition_that_no_declared_value_meets_is_refused(train):
    with pytest.raises(InputError, match=r"none of .* rows drawn over the declared ranges .t 0\.\.10. satisfies it"):
        stretched(train, "t > 11")


def test_a_condition_on_an_output_is_refused(train):
    with pytest.raises(InputError, match="names y, which law gives"):
        stretched(train, "y > 3")


def referred(train, table, where="t < 2", rows=40):
    schema = infer(train)
    data = encode(train, schema)
    slice_ = places.condition(where, data, schema, MODEL)
    return places.referred(data, slice_, MODEL, table, schema, rows=rows, seed=Seed(1))


def test_a_reference_gives_the_inputs_and_real_rows_lend_the_rest(train):
    reference = pa.table({"t": [0.25, 0.5, 1.5, 5.0, 12.0], "u": [0.5, 1.0, 3.0, 10.0, 24.0]})
    made = referred(train, reference)
    assert set(made.columns["t"]) == {0.25, 0.5, 1.5}
    assert set(made.columns["u"]) == {0.5, 1.0, 3.0}
    assert set(made.columns["place"]) == {0, 1}
    assert len(set(referred(train, reference, rows=3).columns["t"])) == 3


def test_a_reference_that_lacks_what_is_needed_is_refused(train):
    with pytest.raises(InputError, match='no column "t"'):
        referred(train, pa.table({"u": [0.5]}))
    with pytest.raises(InputError, match="no row of the reference lies in the slice"):
        referred(train, pa.table({"t": [5.5, 6.5]}))


def test_an_engine_draws_only_where_real_rows_are(train):
    schema = infer(train)
    data = encode(train, schema)
    made = places.conditional(train, schema, data, "t < 4", engine="independent", rows=30, seed=Seed(1))
    assert made.rows == 30
    assert (made.columns["t"] < 4).all()
    with pytest.raises(ShortSample):
        places.conditional(train, schema, data, "t < 2", engine="independent", rows=30, seed=Seed(1))
    with pytest.raises(InputError, match="spends privacy"):
        places.conditional(train, schema, data, None, engine="marginals", rows=30, seed=Seed(1))


def test_rows_come_in_the_types_of_the_real_table_with_identifiers_made_anew(train):
    keyed = train.append_column("id", pa.array([f"id-{i:05d}" for i in range(train.num_rows)]))
    schema = infer(keyed, primary_key="id")
    made = places.as_table(encode(keyed, schema), schema, seed=Seed(1))
    assert made.schema.types == keyed.schema.types
    assert made["place"].equals(keyed["place"])
    assert len(set(made["id"].to_pylist())) == 200
