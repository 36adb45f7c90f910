import numpy as np
import pyarrow as pa
import pytest

from tuckpoint.asked import cores, named_shares, resolve
from tuckpoint.errors import InputError, SchemaError
from tuckpoint.schema import Column, Domain, Schema
from tuckpoint.table.frame import read

TABLE = pa.table({"sex": ["F", "M", "F", "M"] * 10, "age": list(range(40))})
SCHEMA = Schema(
    (
        Column("sex", "category", "string", domain=Domain("public", levels=("F", "M"))),
        Column("age", "integer", "int64"),
    )
)


def asked(**more):
    return resolve("make", read(TABLE), TABLE, schema=SCHEMA, engine="independent", **more)


def test_nothing_is_left_open():
    recipe = asked()
    assert recipe.rows == 40
    assert recipe.settings == {"atom_share": 0.003}
    assert recipe.source.rows == 40
    assert recipe.source.path is None
    assert recipe.schema["sex"] == SCHEMA["sex"]
    assert asked(rows=None).rows == 40
    assert asked(rows=0).rows == 0
    assert asked(settings={"atom_share": 1}).settings == {"atom_share": 1.0}
    assert asked(target="sex").schema.target == "sex"


def test_a_recipe_holds_no_value_that_few_people_share():
    """It is kept beside the made rows: of ages 0 to 39, one person each, the four outermost on a side are not told."""
    domain = asked().schema["age"].domain
    assert (domain.low, domain.high) == (4.0, 35.0)
    assert (asked(k=2).schema["age"].domain.low, asked(k=1).schema["age"].domain.low) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"row": 3}, 'did you mean "rows"'),
        ({"target": "sax"}, 'did you mean "sex"'),
        ({"settings": {"atom_shar": 3}}, 'did you mean "atom_share"'),
    ],
)
def test_what_is_not_known_is_named(more, said):
    with pytest.raises(InputError) as caught:
        asked(**more)
    assert said in str(caught.value)


def test_a_schema_must_fit_the_table():
    with pytest.raises(SchemaError, match="sex"):
        resolve("make", read(TABLE.drop_columns("sex")), TABLE, schema=SCHEMA)


def test_shares_get_their_levels():
    assert named_shares({"sex": [0.3, 0.7]}, SCHEMA) == {"sex": {"F": 0.3, "M": 0.7}}
    assert named_shares({"sex": {"M": 1}}, SCHEMA) == {"sex": {"M": 1.0}}
    told = Schema((Column("paid", "boolean", "bool", domain=Domain("data", levels=("false", "true"))),))
    for yes in (True, np.True_, "true", "True"):
        assert named_shares({"paid": {yes: 0.9}}, told) == {"paid": {"true": 0.9}}
    with pytest.raises(InputError, match="3 shares, but it has 2 levels: F, M"):
        named_shares({"sex": [0.2, 0.3, 0.5]}, SCHEMA)
    with pytest.raises(InputError, match="integer, without levels"):
        named_shares({"age": [1.0]}, SCHEMA)
    with pytest.raises(InputError, match=r"name what has a share, as sex=F:0\.5/M:0\.5$"):
        named_shares({"sex": [0.2, 0.3, 0.5]}, SCHEMA)
    with pytest.raises(InputError, match=r"date, without levels; .* day=2024-01-31:0\.5/2024-02-"):
        named_shares({"day": [0.5, 0.5]}, Schema((Column("day", "date", "string"),)))


def test_cores():
    assert cores(3) == 3
    assert cores(None) >= 1
