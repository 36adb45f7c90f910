from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from measure.tables import SCHEMA, people

from tuckpoint.errors import InputError
from tuckpoint.measure.prepare import plain
from tuckpoint.measure.sides import Stand, stand
from tuckpoint.schema import Column, Schema
from tuckpoint.seed import Seed

TRAIN, HOLDOUT, MADE = people(400, 1), people(300, 2), people(500, 3)


def stood(
    train: pa.Table = TRAIN,
    made: pa.Table = MADE,
    holdout: pa.Table = HOLDOUT,
    schema: Schema = SCHEMA,
    **given: Any,
) -> Stand:
    asked: dict[str, Any] = {"person": None, "seed": Seed(0), "most_people": 1000, "most_made": 1000, **given}
    return stand(train, made, holdout, schema, **asked)


def with_ids(table: pa.Table, ids: list[Any]) -> pa.Table:
    return table.append_column("who", pa.array(ids))


WHO = Schema((*SCHEMA.columns, Column("who", "identifier", "string")), target="rich")


def test_sides_are_equally_large_and_rows_point_into_the_training_table() -> None:
    found = stood()
    sides = found.sides
    assert (sides.train.rows, sides.holdout.rows, sides.made.rows) == (400, 300, 500)
    assert sides.members.rows == sides.outsiders.rows == sides.people == 300
    assert len(set(found.rows)) == 300
    pay = np.asarray(TRAIN["pay"])[found.rows]
    assert np.array_equal(sides.members.columns["pay"], pay)
    assert found.near.made.shape == (600, 5)
    assert sides.near is found.near


def test_sides_are_capped_and_drawn_by_the_seed() -> None:
    assert stood(most_people=50).sides.people == 50
    assert np.array_equal(stood(most_people=50).rows, stood(most_people=50).rows)
    assert not np.array_equal(stood(most_people=50).rows, stood(most_people=50, seed=Seed(1)).rows)


def test_levels_of_either_side_are_known_and_only_made_ones_are_unseen() -> None:
    def town(table: pa.Table, name: str) -> pa.Table:
        return table.set_column(3, "town", pa.array([name, *table["town"].to_pylist()[1:]]))

    sides = stood(town(TRAIN, "Inside"), town(MADE, "Nowhere"), town(HOLDOUT, "Outside")).sides
    levels = sides.train.field("town").levels
    assert levels is not None
    assert {"Inside", "Outside"} < set(levels)
    assert "Nowhere" not in levels
    assert sides.made.columns["town"][0] == len(levels) - 1
    assert sides.holdout.columns["town"].max() < len(levels) - 1


def test_one_row_a_person_enters_and_all_rows_stay() -> None:
    found = stood(
        with_ids(TRAIN, [f"t{i // 4}" for i in range(400)]),
        MADE,
        with_ids(HOLDOUT, [f"h{i // 2}" for i in range(300)]),
        WHO,
        person="who",
    )
    assert found.sides.people == 100
    assert len({row // 4 for row in found.rows}) == 100
    person = found.sides.train.person
    assert person is not None
    assert len(set(person)) == 100
    assert found.sides.train.rows == 400
    assert "who" not in found.sides.kinds
    assert found.sides.members.person is None


def test_the_person_of_the_schema_is_taken_and_is_no_attribute() -> None:
    numbered = Schema((*SCHEMA.columns, Column("who", "integer", "int64")), person="who")
    found = stood(with_ids(TRAIN, list(range(400))), MADE, with_ids(HOLDOUT, list(range(400, 700))), numbered)
    assert found.sides.people == 300
    assert "who" not in found.sides.kinds
    assert "who" not in found.sides.texts


def test_people_on_both_sides_are_refused() -> None:
    ids = [f"p{i}" for i in range(700)]
    with pytest.raises(InputError, match="25 people stand in both"):
        stood(with_ids(TRAIN, ids[:400]), MADE, with_ids(HOLDOUT, ids[375:675]), WHO, person="who")


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_people_without_an_id_are_refused(missing: Any) -> None:
    ids = [missing, *map(float, range(399))]
    with pytest.raises(InputError, match=r"1 row of the training table without an id \(first: row 1\)"):
        stood(with_ids(TRAIN, ids), MADE, with_ids(HOLDOUT, [1000.0 + i for i in range(300)]), WHO, person="who")


def test_an_unknown_person_column_is_refused() -> None:
    with pytest.raises(InputError, match=r'no column "whom".*did you mean "who"'):
        stood(schema=WHO, person="whom")
    with pytest.raises(InputError, match='the training table has no column "who"'):
        stood(schema=WHO, person="who")


def test_a_holdout_that_repeats_training_rows_is_refused() -> None:
    overlapping = pa.concat_tables([HOLDOUT.slice(0, 260), TRAIN.slice(0, 40)])
    with pytest.raises(InputError, match=r"40 of the 40 rows .* overlaps the training rows"):
        stood(holdout=overlapping)
    with pytest.raises(InputError, match="overlaps"):
        stood(TRAIN, MADE, TRAIN)


def test_rows_that_are_common_by_nature_are_no_overlap() -> None:
    # Coarse rows stand twice on one side and across alike.
    coarse = [table.select(["age", "town", "rich"]) for table in (TRAIN, MADE, HOLDOUT)]
    schema = Schema(tuple(SCHEMA[name] for name in ("age", "town", "rich")))
    assert stood(*coarse, schema).sides.people == 300
    doubled = pa.concat_tables([TRAIN, TRAIN])  # on one side only, as after oversampling
    assert stood(train=doubled).sides.people == 300


def test_a_few_shared_rows_are_not_proof_enough() -> None:
    assert stood(holdout=pa.concat_tables([HOLDOUT, TRAIN.slice(0, 5)])).sides.people == 305


def test_any_vendors_types_come_into_the_space() -> None:
    as_text = pa.table({name: pc.cast(MADE[name], pa.string()) for name in MADE.column_names})
    wider = as_text.append_column("score", pa.array(["x"] * 500)).drop_columns(["email"])
    found = stood(made=wider)
    assert np.array_equal(found.sides.made.columns["pay"], stood().sides.made.columns["pay"])
    assert found.notes == ("The made table has a column that the real one lacks, not measured: score.",)


def test_holdout_and_training_may_differ_in_width_of_type_only() -> None:
    wide = HOLDOUT.set_column(0, "age", HOLDOUT["age"].cast(pa.float64()))
    assert stood(holdout=wide).sides.people == 300
    coded = HOLDOUT.set_column(3, "town", HOLDOUT["town"].dictionary_encode())
    assert stood(holdout=coded).sides.people == 300
    text = HOLDOUT.set_column(0, "age", HOLDOUT["age"].cast(pa.string()))
    with pytest.raises(InputError, match='column "age" is int64 in the training table and string in the holdout'):
        stood(holdout=text)


def test_columns_and_rows_that_are_not_there_are_told() -> None:
    with pytest.raises(InputError, match='the made table has no column "pay"'):
        stood(made=MADE.drop_columns(["pay"]))
    with pytest.raises(InputError, match='the holdout table has 0 columns "pay"'):
        stood(holdout=HOLDOUT.drop_columns(["pay"]))
    with pytest.raises(InputError, match="the made table has no rows"):
        stood(made=MADE.slice(0, 0))
    with pytest.raises(InputError, match="the holdout table has no rows"):
        stood(holdout=HOLDOUT.slice(0, 0))


def test_identifiers_and_text_are_coded_and_running_numbers_left_out() -> None:
    numbered = Schema(
        (*SCHEMA.columns, Column("id", "identifier", "int64", pattern="key"), Column("n", "identifier", "int64"))
    )

    def count(table: pa.Table) -> pa.Table:
        numbers = pa.array(range(table.num_rows))
        return table.append_column("id", numbers).append_column("n", numbers)

    texts = stood(count(TRAIN), count(MADE), count(HOLDOUT), numbered).sides.texts
    assert set(texts) == {"email"}
    train, holdout, made = texts["email"]
    assert (len(train), len(holdout), len(made)) == (400, 300, 500)
    assert len(np.unique(np.concatenate([train, holdout, made]))) == 1200


def test_degenerate_tables_stand() -> None:
    def table(rows: int, value: Any, kind: pa.DataType) -> pa.Table:
        return pa.table({"x": pa.array([value] * rows, kind), "c": pa.array(["a"] * rows)})

    for value, kind in ((1.0, pa.float64()), (None, pa.float64()), (None, pa.null())):
        train, holdout, made = (table(rows, value, kind) for rows in (60, 60, 1))
        schema = replace(plain(train), columns=(Column("x", "decimal", "double"), Column("c", "category", "string")))
        found = stood(train, made, holdout, schema)
        assert found.sides.people == 60
        assert np.isfinite(found.near.made).all()
