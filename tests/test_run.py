"""What the functions of the package say to a wrong argument: what was found, and what to give."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import tuckpoint
from tuckpoint import run
from tuckpoint.errors import InputError
from tuckpoint.outcome import Made
from tuckpoint.record import Maker, Record
from tuckpoint.schema import Column, Domain, Schema
from tuckpoint.write import parquet

ENGINE = "independent"


def people(seed, rows=80):
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "age": random.integers(18, 90, rows),
            "sex": random.choice(["F", "M"], rows),
            "height": np.round(random.normal(170, 9, rows), 1),
        }
    )


TABLE, HELD = people(0), people(1)


@pytest.fixture(scope="module")
def fitted():
    return tuckpoint.fit(TABLE, engine=ENGINE)


FIT = [
    ({"rules": 5}, "fit: rules is 5; give text"),
    ({"rules": None}, "fit: rules is None; give a list of text"),
    ({"rules": ["nope > 3"]}, 'no column "nope"'),
    ({"engine": "tree"}, 'no engine "tree" (did you mean "trees"?); there are: trees'),
    ({"engine": ""}, 'no engine ""; there are: trees'),
    ({"engine": ["trees"]}, "fit: engine is ['trees']; give text or none"),
    ({"settings": "leaf=3"}, "fit: settings is 'leaf=3'; give a mapping or none"),
    ({"settings": {1: 2}}, "fit: settings has the entry 1; its names are text"),
    ({"target": "hieght"}, 'target "hieght" is not a column (did you mean "height"?); there are: age, sex, height'),
    ({"target": 5}, "fit: target is 5; give text or none"),
    ({"person": ["age"]}, "fit: person is ['age']; give text or none"),
    ({"primary_key": "Age"}, 'primary_key "Age" is not a column (did you mean "age"?)'),
    ({"schema": {"columns": []}}, "fit: schema is {'columns': []}; give a Schema or a path or none"),
    ({"schema": TABLE}, "fit: schema is a Table; give a Schema or a path or none"),
    ({"k": 0}, "k = 0: at least one person holds every value"),
    ({"k": 2.5}, "fit: k is 2.5; give a whole number"),
    ({"mine_rules": "yes"}, "fit: mine_rules is 'yes'; give true or false"),
    ({"seed": -1}, "seed -1 is not a whole number in 0.."),
    ({"seed": "7"}, "fit: seed is '7'; give a whole number"),
    ({"workers": 0}, "workers is 0; give a whole number from 1, or none for all cores"),
    ({"workers": True}, "fit: workers is True; give a whole number or none"),
    ({"progress": 5}, "fit: progress is 5; give a function"),
    ({"private": "1"}, "fit: private is '1'; give a number or none"),
    ({"population": 5}, "fit: population is 5; give text or none"),
    ({"unit": 5}, "fit: unit is 5; give text or none"),
    ({"ledger": 5}, "fit: ledger is 5; give a path or none"),
    ({"taget": "sex"}, 'fit does not know taget'),
]  # fmt: skip
MAKE = [
    ({"rows": 2.5}, "make: rows is 2.5; give a whole number or none"),
    ({"rows": -3}, "rows is -3; give a whole number from 0"),
    ({"row": 3}, 'make does not know row (did you mean "rows"?)'),
    ({"holdout": "0.2"}, "make: holdout is '0.2'; give a number"),
    ({"holdout": 1.5}, "holdout is 1.5; give a share from 0 to 0.9"),
    ({"format": "xlsx"}, "make: format is 'xlsx'; give one of parquet, csv"),
    ({"audit": 1}, "make: audit is 1; give true or false"),
    ({"context": 5}, "make: context is 5; give a mapping or a path or none"),
    ({"context": {"purpos": "x"}}, 'context: unknown entry "purpos" (did you mean "purpose"?)'),
    ({"fair": 5}, "make: fair is 5; give a Spec or a mapping or a path or none"),
]
SAMPLE = [
    ({"rows": 2.5}, "sample: rows is 2.5; give a whole number"),
    ({"rows": "10"}, "sample: rows is '10'; give a whole number"),
    ({"rows": True}, "sample: rows is True; give a whole number"),
    ({"rows": -1}, "-1 rows were asked for; ask for 0 or more"),
    ({"seed": 2.5}, "sample: seed is 2.5; give a whole number"),
    ({"where": ["age > 20"]}, "sample: where is ['age > 20']; give text or none"),
    ({"where": "aeg > 20"}, 'no column "aeg" (did you mean "age"?)'),
    ({"rules": {"age": 3}}, "sample: rules is {'age': 3}; give a list of text"),
    ({"rebalance": "sex"}, "sample: rebalance is 'sex'; give a mapping or none"),
    ({"rebalance": {"sex": "ab"}}, "rebalance, 'sex', is 'ab'; give a number"),
    ({"rebalance": {"sex": {"X": 0.5}}}, 'column "sex" has no level "X"'),
    ({"rebalance": {"sex": {"F": 2, "M": 0.5}}}, 'rebalance of "sex": the shares add up to 2.5; give shares that add'),
    ({"model": 5}, "sample: model is 5; give a Fitted or a path"),
    ({"model": "none/"}, "no saved model none"),
]
OTHERS = {
    "profile": (lambda f: tuckpoint.profile(TABLE, target=5), "profile: target is 5; give text or none"),
    "rules_in": (lambda f: tuckpoint.rules_in(TABLE, schema=5), "rules_in: schema is 5; give a Schema or a path"),
    "complete": (lambda f: tuckpoint.complete(5, TABLE), "complete: model is 5; give a Fitted or a path"),
    "evaluate": (
        lambda f: tuckpoint.evaluate(TABLE, HELD, holdout=people(2), target="sxe"),
        'target "sxe" is not a column (did you mean "sex"?)',
    ),
    "evaluate, a wrong holdout": (
        lambda f: tuckpoint.evaluate(TABLE, HELD, holdout=TABLE), "the holdout arrow holds the real rows",
    ),
    "evaluate, no holdout": (
        lambda f: tuckpoint.evaluate(TABLE, HELD, holdout=None), "holdout is None; pass real rows that the maker never",
    ),
    "audit, no holdout": (
        lambda f: run.audit(TABLE, HELD, holdout=None), "holdout is None; pass real rows that the maker never saw",
    ),
    "with_rules": (lambda f: tuckpoint.with_rules("model", ["age > 3"]), "fitted is 'model'; give a Fitted"),
    "repeat": (lambda f: tuckpoint.repeat(5), "repeat: recipe is 5; give a Recipe or a path"),
    "load": (lambda f: tuckpoint.load(5), "load: folder is 5; give a path"),
    "save": (lambda f: tuckpoint.save(f, 5), "save: folder is 5; give a path"),
    "pages_of": (lambda f: tuckpoint.pages_of(f), "result is a Fitted; give a Made or a Measured or an Audited"),
    "audit": (lambda f: run.audit(TABLE, HELD, holdout=people(2), person="sxe"), 'person "sxe" is not a column'),
    "audit, canaries": (
        lambda f: run.audit(TABLE, holdout=HELD, model=f, canaries=-1), "canaries is -1; give a whole number from 0",
    ),
    "a table": (lambda f: tuckpoint.fit([1, 2]), "pass a pandas, Polars or Arrow table, or a path"),
    "Schema.load": (lambda f: Schema.load(5), "5 is no path; write one with: tuckpoint schema FILE"),
    "Recipe.load": (lambda f: tuckpoint.Recipe.load(5), "5 is no path; `tuckpoint make`"),
    "Schema": (lambda f: Schema(("age",)), "of the type Column, and 'age' is none"),
    "Column": (lambda f: Column(5, "integer", "int64"), "text for a name, and 5 is none"),
    "Domain": (lambda f: Domain(levels="abc"), "levels is the text 'abc'; give a list of levels"),
    "Seed": (lambda f: tuckpoint.Seed(-1), "seed -1 is not a whole number in 0.."),
}  # fmt: skip


def named(cases):
    return [pytest.param(*case, id=str(case[0])[:40]) for case in cases]


@pytest.mark.parametrize(("given", "said"), named(FIT))
def test_fit(given, said):
    with pytest.raises(InputError, match=re.escape(said)):
        tuckpoint.fit(TABLE, **{"engine": ENGINE, **given})


@pytest.mark.parametrize(("given", "said"), named(MAKE))
def test_make(given, said):
    with pytest.raises(InputError, match=re.escape(said)):
        tuckpoint.make(TABLE, **{"engine": ENGINE, **given})


@pytest.mark.parametrize(("given", "said"), named(SAMPLE))
def test_sample(fitted, given, said):
    with pytest.raises(InputError, match=re.escape(said)):
        tuckpoint.sample(**{"model": fitted, "rows": 5, **given})


@pytest.mark.parametrize("name", OTHERS)
def test_others(fitted, name):
    wrong, said = OTHERS[name]
    with pytest.raises(InputError, match=re.escape(said)):
        wrong(fitted)


def test_save_of_a_twin_is_held_to_its_types_too():
    with pytest.raises(InputError, match="save: overwrite is 'yes'; give true or false"):
        Made.save(None, Path("x"), overwrite="yes")


def test_what_says_the_same_is_taken(fitted):
    plain = tuckpoint.sample(fitted, 6, seed=3, rules=["age >= 18"], rebalance={"sex": [0.5, 0.5]})
    other = tuckpoint.sample(
        fitted, np.int64(6), seed=np.uint8(3), rules="age >= 18", rebalance={"sex": np.array([0.5, 0.5])}
    )
    assert other.equals(plain)
    with pytest.raises(TypeError, match="sample: missing a required argument: 'rows'"):
        tuckpoint.sample(fitted)


def test_advice_is_for_whoever_made_the_rows():
    def advice(made):
        found = tuckpoint.evaluate(TABLE, made, holdout=HELD).evaluation
        return found.score("exact_copies").remedy

    assert "Do not pass these rows on; whoever made them" in advice(TABLE)  # copies, of unknown origin
    record = Record("people", Maker(ENGINE, "0" * 64), "1" * 64, seed=0, rows=80)
    marked = TABLE.replace_schema_metadata({parquet.KEY: record.sealed()})
    assert "Make them with `--private`" in advice(marked)


@pytest.mark.parametrize("rows", [20, 64, 200])
def test_how_many_rows_were_measured_is_known(rows):
    made = tuckpoint.make(TABLE, engine=ENGINE, rows=rows)
    assert made.data.num_rows == rows
    assert dict(made.evaluation.rows) == {"real": 64, "made": 64, "holdout": 16, "written": rows}


def test_what_rules_threw_away_is_told():
    told = tuckpoint.make(TABLE, engine=ENGINE, rules=["age < 60 or sex == 'F'"]).evaluation.notes
    assert any("% of the drawn rows broke the rule `age < 60 or sex == 'F'`" in note for note in told), told
    plain = tuckpoint.make(TABLE, engine=ENGINE, rules=["height < 400"]).evaluation.notes
    assert not any("drawn rows" in note for note in plain)
