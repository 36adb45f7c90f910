"""What every engine promises, whoever wrote it; engines are found by name in the table of parts."""

import json
import subprocess
import sys
from dataclasses import fields as settings_of
from dataclasses import replace

import numpy as np
import pytest

from tuckpoint import parts
from tuckpoint.errors import InputError, ShortSample
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Condition, Context, Encoded, Field, State

ENGINES = parts.names("engine")
ROWS = 400

# Settings under which a small table is learned: leaves that fit in it and, for a private engine, less noise.
QUICK = {"marginals": {"epsilon": 20.0}, "aim": {"epsilon": 20.0}, "trees": {"leaf": 40, "finest": 5, "stacked": 0.4}}

# Every setting of every engine with another value that must change what is drawn (or, for a promise, the guarantee).
MOVED = {
    "marginals": {
        "epsilon": 0.5,
        "delta": 1e-4,
        "unit": "row",
        "rows_per_person": 3,
        "bins": 3,
        "cells": 8,
    },
    "aim": {
        "epsilon": 0.5,
        "delta": 1e-4,
        "unit": "row",
        "rows_per_person": 3,
        "bins": 3,
        "cells": 8,
        "tables": 0.0,
        "model_cells": 1000,
        "target_weight": 0.0,
    },
    "independent": {"atom_share": 0.5},
    "trees": {
        "trees": 2,
        "leaf": 20,
        "finest": 2,
        "bag": 0.9,
        "fine_bag": 0.9,
        "loose": 200,
        "apart": 5,
        "common": True,
        "stacked": 1.0,
        "reach": 0.0,
        "rounds": 3,
        "depth": 2,
        "rate": 0.5,
        "moments": 1,
        "jitter": 0.2,
        "parents": 1,
        "rows": 100,
        "bag_rows": 60,
    },
    "auto": {"share": 0.5, "band": 0.5, "utility_weight": 9.0},
}

# What else has to be set so that a setting shows in a table with a rare level: it is set apart from large leaves.
BESIDE = {("trees", "apart"): {"leaf": 60, "finest": 60}}


def judge(real, made, holdout, target):
    """A judge of candidates that any engine can satisfy: how far the means are off, in deviations."""
    off = [
        abs(np.nanmean(made.columns[f.name]) - np.nanmean(holdout.columns[f.name]))
        / max(np.nanstd(holdout.columns[f.name]), 1e-9)
        for f in real.fields
        if f.numeric and made.rows and np.isfinite(made.columns[f.name]).any()
    ]
    return {
        "detection": 0.5 + min(float(np.mean(off or [0])), 1) / 50,
        "utility": 0.9,
        "utility_reference": 0.95,
        "membership": 0.5,
    }


CONTEXT = Context(threads=1, target="group", judge=judge)


def columns(rows: int, stream: np.random.Generator) -> dict[str, np.ndarray]:
    group = stream.integers(0, 3, rows).astype(np.int32)
    size = np.round(stream.normal(10 + 8 * group, 2), 2)
    return {
        "group": group,
        "size": np.clip(size, 0, 60),
        "reach": np.round(np.clip(3 * np.abs(size - 18) + stream.normal(0, 3, rows), 0, 120), 2),
        "count": np.where(stream.random(rows) < 0.6, 0, stream.integers(1, 9, rows)).astype(np.float64),
        "level": np.where(stream.random(rows) < 0.1, -1, np.minimum(group + stream.integers(0, 3, rows), 4)).astype(
            np.int32
        ),
        "amount": np.where(stream.random(rows) < 0.15, np.nan, stream.integers(-500, 100_000, rows)),
    }


FIELDS = (
    Field("group", levels=("a", "b", "c"), nullable=False, provenance="public"),
    Field("size", decimals=2, nullable=False, low=0.0, high=60.0, provenance="public"),
    Field("reach", decimals=2, nullable=False, low=0.0, high=120.0, provenance="public"),
    Field("count", nullable=False, low=0.0, high=20.0, provenance="expert"),
    Field("level", levels=("none", "low", "mid", "high", "top"), ordered=True, provenance="public"),
    Field("amount", low=-1000.0, high=100_000.0, provenance="public"),
)


def table(rows: int = ROWS, *, people: bool = False) -> Encoded:
    person = np.repeat(np.arange(rows), 2)[:rows].astype(np.int64) if people else None
    return Encoded(FIELDS, columns(rows, Seed(3).child("table").numpy()), person)


def rare() -> Encoded:
    """More rows, of which few have the top level and a size like no other's."""
    real = table(4 * ROWS)
    few = np.arange(4 * ROWS) % 20 == 0
    level = np.where(few, 4, np.minimum(real.columns["level"], 3))
    return Encoded(FIELDS, {**real.columns, "level": level, "size": np.where(few, 60.0, real.columns["size"])})


def crowded() -> Encoded:
    """More rows, with sizes that many share, none of them far commoner than those beside it."""
    real = table(4 * ROWS)
    size = 10.0 + Seed(4).child("crowded").numpy().integers(0, 40, 4 * ROWS)
    return Encoded(FIELDS, {**real.columns, "size": size})


def make(name: str, **settings):
    return parts.find("engine", name)(**{**QUICK.get(name, {}), **settings})


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    return make(request.param)


@pytest.fixture(scope="module")
def model(engine):
    return engine.fit(table(), Seed(1), CONTEXT)


def same(one: Encoded, other: Encoded) -> bool:
    return [f.name for f in one.fields] == [f.name for f in other.fields] and all(
        one.columns[f.name].tobytes() == other.columns[f.name].tobytes() for f in one.fields
    )


def check(made: Encoded, rows: int, fields: tuple[Field, ...] = FIELDS) -> None:
    """Names, order, kinds, levels and decimals are those of the fields, and so is the number of rows."""
    assert made.fields == fields
    assert list(made.columns) == [f.name for f in fields]
    for item in fields:
        values = made.columns[item.name]
        assert values.shape == (rows,)
        assert values.flags.c_contiguous
        assert values.dtype == (np.float64 if item.numeric else np.int32)
        if item.numeric:
            known = values[~np.isnan(values)]
            assert np.array_equal(np.round(known, item.decimals), known)
            assert np.isfinite(known).all()
            missing = np.isnan(values)
        else:
            assert values.max(initial=-1) < len(item.levels)
            assert values.min(initial=0) >= -1
            missing = values < 0
        assert item.nullable or not missing.any()


def test_has_a_name_and_says_whether_fits_repeat(engine):
    assert parts.find("engine", engine.name) is type(engine)
    assert isinstance(engine.repeatable, bool)


def test_same_seed_same_bytes_other_seed_others(model):
    first = model.draw(50, Seed(5))
    assert same(first, model.draw(50, Seed(5)))
    assert not same(first, model.draw(50, Seed(6)))
    check(first, 50)


def test_fits_repeat_where_promised(engine, model):
    again = engine.fit(table(), Seed(1), CONTEXT)
    assert same(model.draw(ROWS, Seed(5)), again.draw(ROWS, Seed(5))) == engine.repeatable


def test_follows_the_real_columns(model):
    made, real = model.draw(4000, Seed(5)), table()
    for name, size in (("group", 3), ("level", 6)):
        share = [np.bincount(e.columns[name] + 1, minlength=size + 1) / e.rows for e in (made, real)]
        assert np.abs(share[0] - share[1]).sum() / 2 < 0.12
    assert np.mean(made.columns["count"] == 0) == pytest.approx(np.mean(real.columns["count"] == 0), abs=0.12)
    assert np.isnan(made.columns["amount"]).mean() == pytest.approx(0.15, abs=0.1)
    assert made.columns["size"].mean() == pytest.approx(real.columns["size"].mean(), rel=0.12)
    assert np.nanmedian(made.columns["amount"]) == pytest.approx(np.nanmedian(real.columns["amount"]), rel=0.25)


@pytest.mark.parametrize("rows", [0, 1])
def test_draws_few_rows(model, rows):
    check(model.draw(rows, Seed(2)), rows)


@pytest.mark.parametrize("rows", [1, 2])
def test_learns_few_rows(engine, rows):
    check(engine.fit(table().take(np.arange(rows)), Seed(1), CONTEXT).draw(20, Seed(2)), 20)


def test_learns_one_column(engine):
    for item in FIELDS:
        learned = engine.fit(table().select((item.name,)), Seed(1), CONTEXT)
        check(learned.draw(20, Seed(2)), 20, (item,))


def test_learns_one_value_and_nothing_but_missing(engine):
    fields = (
        *FIELDS[:1],
        Field("five", nullable=True, low=5.0, high=5.0, provenance="public"),
        Field("only", levels=("x",), nullable=False, provenance="public"),
        Field("lost", nullable=True, low=0.0, high=9.0, provenance="public"),
        Field("gone", levels=("x", "y"), provenance="public"),
        Field("void", levels=(), provenance="public"),
    )
    real = Encoded(
        fields,
        {
            "group": table().columns["group"],
            "five": np.full(ROWS, 5.0),
            "only": np.zeros(ROWS, np.int32),
            "lost": np.full(ROWS, np.nan),
            "gone": np.full(ROWS, -1, np.int32),
            "void": np.full(ROWS, -1, np.int32),
        },
    )
    made = engine.fit(real, Seed(1), CONTEXT).draw(200, Seed(2))
    check(made, 200, fields)
    # A private engine adds noise, so a few rows may differ from what all real rows are.
    few = 0 if engine.repeatable else 20
    assert np.sum(made.columns["five"] != 5) <= few
    assert (made.columns["only"] == 0).all()
    assert np.sum(~np.isnan(made.columns["lost"])) <= few
    assert np.sum(made.columns["gone"] >= 0) <= few
    assert (made.columns["void"] == -1).all()


def test_the_callers_data_stay_untouched(engine):
    real = table(people=True)
    before = {name: values.copy() for name, values in real.columns.items()}
    for values in real.columns.values():
        values.flags.writeable = False
    model = engine.fit(real, Seed(1), CONTEXT)
    given = {"group": np.zeros(10, np.int32)}
    if model.refuse(None, ("group",)) is None:
        made = model.draw(10, Seed(1), given=given)
        made.columns["group"][:] = 2
    assert (given["group"] == 0).all()
    assert all(np.array_equal(real.columns[n], values, equal_nan=True) for n, values in before.items())


def several(**masks) -> Condition:
    def mask(columns):
        return np.logical_and.reduce([part(columns[name]) for name, part in masks.items()])

    return Condition(" and ".join(masks), tuple(masks), mask, masks)


CONDITIONS = {
    "equality": several(group=lambda v: v == 1),
    "set of levels": several(level=lambda v: np.isin(v, [0, 3])),
    "range": several(size=lambda v: (v > 17.5) & (v <= 21.25)),
    "one number": several(count=lambda v: v == 4),
    "missing": several(amount=np.isnan),
    "not missing, large": several(amount=lambda v: v >= 90_000),
    "both": several(group=lambda v: v == 2, size=lambda v: v < 25, level=lambda v: v >= 0),
    "two columns": Condition("count < size", ("count", "size"), lambda c: c["count"] < c["size"]),
}


@pytest.mark.parametrize("which", CONDITIONS)
def test_conditions_are_honoured_or_refused_up_front(model, which):
    condition = CONDITIONS[which]
    refused = model.refuse(condition, ())
    if refused is not None:
        assert refused.strip()
        with pytest.raises(InputError):
            model.draw(30, Seed(4), condition=condition)
        return
    made = model.draw(30, Seed(4), condition=condition)
    check(made, 30)
    assert condition.mask(made.columns).all()
    assert same(made, model.draw(30, Seed(4), condition=condition))


def test_what_no_row_can_satisfy_is_a_short_sample(model):
    never = several(group=lambda v: v == 7)
    if model.refuse(never, ()) is None:
        with pytest.raises((ShortSample, InputError)):
            model.draw(5, Seed(1), condition=never)


def test_given_columns_are_kept_exactly(model):
    real = table()
    for names in (("group",), ("size", "level"), ("amount",), tuple(f.name for f in FIELDS)):
        given = {name: real.columns[name][:40] for name in names}
        if model.refuse(None, names) is not None:
            continue
        made = model.draw(40, Seed(8), given=given)
        check(made, 40)
        assert all(made.columns[name].tobytes() == values.tobytes() for name, values in given.items())
    if model.refuse(several(level=lambda v: v == 1), ("group",)) is None:
        made = model.draw(
            40, Seed(8), given={"group": real.columns["group"][:40]}, condition=several(level=lambda v: v == 1)
        )
        assert np.array_equal(made.columns["group"], real.columns["group"][:40])
        assert (made.columns["level"] == 1).all()


def test_unknown_columns_are_refused(model):
    assert model.refuse(several(nowhere=lambda v: v == 1), ())
    assert model.refuse(None, ("nowhere",))


FRESH = """
import json, sys
import numpy as np
from tuckpoint import parts
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Field, State
values = json.loads(open(sys.argv[2] + ".json").read())
arrays = dict(np.load(sys.argv[2] + ".npz", allow_pickle=False))
fields = tuple(Field(**{**f, "levels": None if f["levels"] is None else tuple(f["levels"])}) for f in values["fields"])
model = parts.find("engine", sys.argv[1]).load(State(values["values"], arrays), fields)
made = model.draw(60, Seed(5))
sys.stdout.buffer.write(b"".join(made.columns[f.name].tobytes() for f in fields))
"""


def test_a_saved_model_draws_the_same_in_a_new_process(engine, model, tmp_path):
    state = model.state()
    assert all(values.dtype.kind in "iufb" for values in state.arrays.values())
    stem = str(tmp_path / "model")
    (tmp_path / "model.json").write_text(
        json.dumps({"values": dict(state.values), "fields": [vars(f) for f in FIELDS]})
    )
    np.savez(stem + ".npz", **state.arrays)
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", FRESH, engine.name, stem], capture_output=True, check=False
    )
    assert told.returncode == 0, told.stderr.decode()
    here = model.draw(60, Seed(5))
    assert told.stdout == b"".join(here.columns[f.name].tobytes() for f in FIELDS)
    back = type(engine).load(State(dict(state.values), dict(state.arrays)), FIELDS)
    assert back.guarantee == model.guarantee


@pytest.mark.parametrize("name", ENGINES)
def test_every_setting_has_a_test_that_moves_it(name):
    assert set(MOVED.get(name, ())) == {item.name for item in settings_of(parts.find("engine", name))}


@pytest.mark.parametrize(("name", "setting"), [(name, s) for name in ENGINES for s in MOVED.get(name, ())])
def test_each_setting_moves_the_result(name, setting):
    """A setting that no result depends on is dead; a private engine, moved by its noise anyway, is held to more."""
    beside = BESIDE.get((name, setting), {})
    shown = {("trees", "apart"): rare, ("trees", "common"): crowded}.get((name, setting))
    real = table(people=True) if shown is None else shown()
    before, after = make(name, **beside), make(name, **beside, **{setting: MOVED[name][setting]})
    assert getattr(before, setting) != MOVED[name][setting]
    one, other = (e.fit(real, Seed(1), CONTEXT) for e in (before, after))
    if before.repeatable:
        # A setting may change the choice that a fit made and tells of, and not the rows of this small table.
        assert not same(one.draw(ROWS, Seed(5)), other.draw(ROWS, Seed(5))) or one.notes != other.notes
    else:
        assert footprint(one) != footprint(other)


def footprint(model) -> tuple:
    """What of a private model does not depend on the noise: its promise and the sizes of its tables."""
    promise = model.guarantee
    spent = None if promise is None else (round(promise.rho, 6), promise.delta, promise.unit)
    return spent, sorted((name.split(".")[-1], values.shape) for name, values in model.state().arrays.items())


def test_settings_are_frozen_and_checked(engine):
    for item in settings_of(engine):
        with pytest.raises(AttributeError):
            setattr(engine, item.name, getattr(engine, item.name))
        assert replace(engine) == engine
