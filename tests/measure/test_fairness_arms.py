"""One model a table, tested on real people."""

import json

import numpy as np
import pyarrow as pa
import pytest
from fair.laws import law

from tuckpoint.errors import InputError
from tuckpoint.fair.cells import Label, group_cells
from tuckpoint.fair.spec import Spec
from tuckpoint.measure.boost import Boosting
from tuckpoint.measure.fairness import MEASURES
from tuckpoint.measure.fairness_arms import effects, trained
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.infer import infer

SMALL = Boosting(rounds=15, rate=0.2, leaves=7)
PAID = Label("pay", ">50K")
REAL, HELD = law(1500), law(800, key=5)


def relabelled(table, values):
    return table.set_column(5, "pay", pa.array(values))


def test_models_are_trained_on_every_table_and_tested_on_real_people():
    flipped = relabelled(REAL, [{">50K": "<=50K"}.get(value, ">50K") for value in REAL["pay"].to_pylist()])
    known, truth, found = trained(
        REAL, {"same": REAL, "flipped": flipped}, HELD, infer(REAL), PAID, Seed(0), settings=SMALL
    )
    assert known.all()
    assert truth.tolist() == [value == ">50K" for value in HELD["pay"].to_pylist()]
    assert (found["real"] == found["same"]).all()
    assert (found["real"] == truth).mean() > 0.65 > 0.35 > (found["flipped"] == truth).mean()


def test_an_unfair_table_makes_an_unfair_model_and_it_is_seen():
    """Labels that follow sex alone: the model that learns them selects all men and no woman."""
    sexist = relabelled(REAL, [">50K" if sex == "man" else "<=50K" for sex in REAL["sex"].to_pylist()])
    schema = infer(REAL)
    cells = group_cells(Spec("representation", ("sex",)), encode(REAL, schema).fields, schema)
    told = effects(
        REAL, REAL, sexist, HELD, schema=schema, label=PAID, cells=cells, seed=Seed(0), settings=SMALL
    )  # fmt: skip
    real, made, fair = told.arms
    assert (real.name, made.name, fair.name) == ("real", "made", "fair")
    assert {name: made.beside_real[name].value for name in MEASURES} == dict.fromkeys(MEASURES, 0.0)
    assert fair.measures["DP difference"].value == fair.measures["EO difference"].value == 1.0
    assert fair.beside_real["DP difference"].low > 0.3
    assert fair.beside_real["accuracy"].high < 0
    assert {group.name: group.selected for group in fair.groups} == {"man": 1.0, "woman": 0.0}
    assert (told.tested, told.people) == (800, 800)
    assert json.loads(json.dumps(told.to_dict()))["arms"][2]["rows"] == 1500


def test_people_with_several_rows_are_counted():
    many = HELD.append_column("who", pa.array(np.arange(800) // 4))
    schema = infer(REAL.append_column("who", pa.array(np.arange(1500))), person="who")
    cells = group_cells(Spec("representation", ("sex",)), encode(HELD, infer(HELD)).fields, infer(HELD))
    real = REAL.append_column("who", pa.array(np.arange(1500)))
    told = effects(real, real, real, many, schema=schema, label=PAID, cells=cells, seed=Seed(0), settings=SMALL)
    assert (told.tested, told.people) == (800, 200)


@pytest.mark.parametrize(("yes", "no", "positive"), [(1, 0, 1), (True, False, True), (2.5, 1.5, 2.5)])
def test_labels_may_be_numbers_or_truth_values_and_missing(yes, no, positive):
    def turned(table):
        values = [yes if value == ">50K" else no for value in table["pay"].to_pylist()]
        return relabelled(table, [None, *values[1:]])

    known, truth, _ = trained(
        turned(REAL), {"same": turned(REAL)}, turned(HELD), infer(turned(REAL)), Label("pay", positive), Seed(0),
        settings=SMALL,
    )  # fmt: skip
    assert (known.sum(), truth.sum()) == (799, HELD["pay"].to_pylist()[1:].count(">50K"))


def test_a_table_with_one_label_is_refused():
    one = relabelled(REAL, [">50K"] * 1500)
    with pytest.raises(InputError, match="one rows have one value"):
        trained(REAL, {"one": one}, REAL, infer(REAL), PAID, Seed(0), settings=SMALL)
    with pytest.raises(InputError, match="no real row has the value"):
        trained(REAL, {"same": REAL}, REAL, infer(REAL), Label("pay", "yes"), Seed(0), settings=SMALL)
