"""One column given others, held to conditional laws that are known."""

import numpy as np
import pytest
from scipy import stats

from tuckpoint.seed import Seed
from tuckpoint.table import conditional, kernel, stored
from tuckpoint.table.codes import code_column
from tuckpoint.table.conditional import Settings, draw, fit
from tuckpoint.table.engine import Encoded, Field
from tuckpoint.table.formula import find, rests

N = 3000
SETTINGS = Settings(
    trees=4, leaf=60, finest=10, bag=0.6, fine_bag=0.6, loose=1, apart=10, stacked=0.5, reach=0.6, moments=5,
    jitter=0.001, boost=kernel.BoostSettings(), bag_rows=100_000,
)  # fmt: skip
LEVELS = ("a", "b", "c")


def stream(seed=0):
    return np.random.default_rng(seed)


def table(fields, columns):
    return {f.name: code_column(f, columns[f.name], atom_rows=15) for f in fields}


def learnt(columns, name, features, *, target=False, settings=SETTINGS, person=None, left=None):
    rows = len(columns[name].code)
    weight = None if person is None else 1.0 / np.bincount(person)[person]
    return fit(
        name, features, columns, settings,
        fold=(np.arange(rows) % 2).astype(np.uint8), weight=weight, person=person, target=target,
        seed=Seed(3), rests=left,
    )  # fmt: skip


def drawn(fitted, columns, name, given, rows, *, first_row=0, settings=SETTINGS, seed=5):
    codes = {key: columns[key].recode(values) for key, values in given.items()}
    fold = (np.arange(len(columns[name].code)) % 2).astype(np.uint8)
    return draw(
        fitted, columns[name], given, codes, settings,
        rows=rows, first_row=first_row, fold=fold, seed=Seed(seed), used=[],
    )  # fmt: skip


def line(rows=N, *, seed=0):
    x = np.round(stream(seed).uniform(0, 10, rows), 3)
    y = np.round(2 * x + stream(seed + 1).normal(0, 1, rows), 3)
    return table((Field("x", decimals=3), Field("y", decimals=3)), {"x": x, "y": y})


def test_a_number_follows_its_feature_with_the_right_spread():
    columns = line()
    fitted = learnt(columns, "y", ("x",), target=True)
    for at in (1.0, 5.0, 9.0):
        y, _ = drawn(fitted, columns, "y", {"x": np.full(4000, at)}, 4000)
        assert y.mean() == pytest.approx(2 * at, abs=0.3)
        assert y.std() == pytest.approx(1, abs=0.2)


def test_without_features_the_margin_is_drawn():
    columns = line()
    fitted = learnt(columns, "y", ())
    y, code = drawn(fitted, columns, "y", {}, 20_000)
    assert stats.ks_2samp(y, columns["y"].values).statistic < 0.03
    assert code.max() < columns["y"].size


@pytest.mark.parametrize("missing", [False, True])
def test_a_head_draws_the_probabilities_of_the_law(missing):
    x = np.round(stream().uniform(-3, 3, 8000), 3)
    odds = np.stack([np.exp(x), np.ones(8000), np.exp(-x)])
    odds[1] *= 2
    level = (stream(1).random(8000) > (odds / odds.sum(axis=0)).cumsum(axis=0)).sum(axis=0).astype(np.int32)
    level = np.where(missing & (level == 1), -1, level).astype(np.int32)
    columns = table((Field("x", decimals=3), Field("l", levels=LEVELS)), {"x": x, "l": level})
    fitted = learnt(columns, "l", ("x",), target=True)
    assert fitted.head is not None
    for at in (-2.0, 0.0, 2.0):
        made, code = drawn(fitted, columns, "l", {"x": np.full(8000, at)}, 8000)
        truth = np.array([np.exp(at), 2, np.exp(-at)]) / (np.exp(at) + 2 + np.exp(-at))
        share = [np.mean(made == 0), np.mean(made == (-1 if missing else 1)), np.mean(made == 2)]
        assert np.abs(share - truth).max() < 0.06
        assert sum(share) == pytest.approx(1)
        assert np.array_equal(code, columns["l"].code_of[made])


def test_a_head_never_draws_what_no_row_holds():
    level = stream(1).integers(0, 3, 400).astype(np.int32)
    five = Field("l", levels=("a", "b", "c", "never", "either"), nullable=False)
    columns = table((Field("x", decimals=3), five), {"x": np.round(level + stream().normal(size=400), 3), "l": level})
    fitted = learnt(columns, "l", ("x",), target=True)
    made, _ = drawn(fitted, columns, "l", {"x": stream(2).normal(size=100_000)}, 100_000)
    assert set(np.unique(made)) == {0, 1, 2}


def test_many_levels_follow_their_feature():
    rng = stream()
    level = rng.integers(0, 200, 10_000).astype(np.int32)
    x = np.round(level / 20 + rng.normal(0, 0.05, 10_000), 3)
    many = Field("l", levels=tuple(f"l{i}" for i in range(200)))
    columns = table((Field("x", decimals=3), many), {"x": x, "l": level})
    made, _ = drawn(learnt(columns, "l", ("x",)), columns, "l", {"x": x}, 10_000)
    assert np.corrcoef(made, level)[0, 1] > 0.99
    back = learnt(columns, "x", ("l",))
    assert np.corrcoef(drawn(back, columns, "x", {"l": level}, 10_000)[0], x)[0, 1] > 0.98


def test_a_person_is_in_a_tree_with_all_rows_or_with_none():
    columns = line(1200)
    person = stream().permutation(np.repeat(np.arange(120), 10))
    fitted = learnt(columns, "y", ("x",), person=person)
    forest = fitted.forest
    ends = np.append(forest.member_at[1:], len(forest.members))
    for begin, end in zip(forest.member_at, ends, strict=True):
        inside = np.bincount(person[forest.members[begin:end]], minlength=120)
        assert set(inside) == {0, 10}
        assert 40 < (inside == 10).sum() < 100
    leaves = np.flatnonzero(forest.nodes["feature"] == kernel.LEAF)
    assert len(leaves) >= len(ends)


def test_draws_depend_on_the_row_number_and_the_seed():
    columns = line()
    fitted = learnt(columns, "y", ("x",))
    x = columns["x"].values[:100]
    whole = drawn(fitted, columns, "y", {"x": x}, 100)[0]
    assert np.array_equal(whole[40:], drawn(fitted, columns, "y", {"x": x[40:]}, 60, first_row=40)[0])
    assert not np.array_equal(whole, drawn(fitted, columns, "y", {"x": x}, 100, seed=6)[0])


def test_every_row_in_the_bag_leaves_none_to_judge_leaves_on():
    columns = line(300)
    settings = Settings(**{**vars(SETTINGS), "bag": 1.0})
    y, _ = drawn(learnt(columns, "y", ("x",), settings=settings), columns, "y", {"x": np.ones(50)}, 50)
    assert np.isfinite(y).all()


def test_leaves_are_as_fine_as_a_column_needs_and_fine_ones_come_of_wider_bags():
    rng, names = stream(5), ("x", "follows", "noise", "level")
    x = np.round(rng.uniform(0, 10, N), 3)
    real = {
        "x": x,
        "follows": np.round(np.sin(9 * x) + rng.normal(0, 0.01, N), 3),
        "noise": np.round(rng.normal(size=N), 3),
        "level": rng.integers(0, 3, N).astype(np.int32),
    }
    columns = table([Field(n, decimals=3) if n != "level" else Field(n, levels=LEVELS) for n in names], real)
    settings = Settings(**{**vars(SETTINGS), "fine_bag": 0.9})
    found = {}
    for name in names[1:]:
        forest = learnt(columns, name, ("x",), settings=settings).forest
        leaves = forest.counts[forest.nodes["feature"] == kernel.LEAF]
        found[name] = int(leaves.min()), len(forest.members) / settings.trees / N
    assert found["follows"][0] < 30
    assert found["noise"][0] >= 4 * 60
    assert 60 <= found["level"][0] < 4 * 60  # levels give nobody away
    assert [share for _, share in found.values()] == pytest.approx([0.9, 0.6, 0.6])


@pytest.mark.parametrize("rows", [1, 2, 3, 99, 100, 101])
@pytest.mark.parametrize("target", [False, True])
def test_few_rows_are_learnt(rows, target):
    rng = stream(rows)
    fields = (Field("x", decimals=2), Field("l", levels=LEVELS), Field("z"))
    real = {
        "x": np.where(rng.random(rows) < 0.3, np.nan, np.round(rng.normal(size=rows), 2)),
        "l": rng.integers(-1, 3, rows).astype(np.int32),
        "z": np.full(rows, np.nan),
    }
    columns = table(fields, real)
    for name in real:
        others = tuple(other for other in real if other != name)
        fitted = learnt(columns, name, others, target=target)
        given = {other: real[other][rng.integers(0, rows, 30)] for other in others}
        values, codes = drawn(fitted, columns, name, given, 30)
        seen = real[name]
        low, high = np.nanmin([*seen, 9e9]), np.nanmax([*seen, -9e9])
        known = values[~np.isnan(values)]
        assert ((known >= low) & (known <= high)).all()
        assert (codes < columns[name].size).all()


# A formula ----------------------------------------------------------------------------------------------------------


def product(rows=N):
    rng = stream()
    x, y = np.round(rng.lognormal(1, 0.4, rows), 2), np.round(rng.lognormal(0, 0.3, rows), 2)
    z = np.round(x * y * rng.lognormal(0, 0.004, rows), 2)
    z[:30] = 0  # rows that do not follow
    fields = tuple(Field(name, decimals=2) for name in "xyz")
    return table(fields, {"x": x, "y": y, "z": z})


def test_a_column_that_follows_a_formula_follows_it_between_the_real_rows():
    columns = product()
    (formula,) = find(columns, "xyz", stream())
    before = tuple(sorted(formula.parents))
    plain = learnt(columns, formula.column, before)
    tied = learnt(columns, formula.column, before, left=rests(formula, columns))
    rows = 4000
    given = {name: columns[name].values[stream(9).integers(30, N, rows)] for name in before}  # pairs that are new
    off = []
    for fitted in (plain, tied):
        made, code = drawn(fitted, columns, formula.column, given, rows)
        values = given | {formula.column: made}
        with np.errstate(divide="ignore"):
            off.append(np.median(np.abs(np.log(values["z"] / (values["x"] * values["y"])))))
    np.testing.assert_array_equal(code, columns[formula.column].recode(made))
    assert (np.round(made, 2) == made).all()
    assert columns[formula.column].values.min() <= made.min()
    assert made.max() <= columns[formula.column].values.max()
    assert off[1] < 0.01 < off[0]


def test_rows_of_a_formula_do_not_depend_on_how_they_are_cut_into_blocks():
    columns = product()
    (formula,) = find(columns, "xyz", stream())
    tied = learnt(columns, formula.column, tuple(formula.parents), left=rests(formula, columns))
    given = {name: columns[name].values[:500] for name in formula.parents}
    whole, _ = drawn(tied, columns, formula.column, given, 500)
    tail = {name: values[300:] for name, values in given.items()}
    part, _ = drawn(tied, columns, formula.column, tail, 200, first_row=300)
    np.testing.assert_array_equal(whole[300:], part)


# As it is stored ----------------------------------------------------------------------------------------------------


def small():
    """Real rows, and a learnt column of each kind."""
    rng = stream()
    fields = (Field("x", decimals=3), Field("l", levels=LEVELS), Field("y", decimals=3))
    level = rng.integers(0, 3, 800).astype(np.int32)
    x = np.round(level + rng.normal(size=800), 3)
    real = Encoded(fields, {"x": x, "l": level, "y": np.round(x**2 + rng.normal(size=800), 3)})
    columns = table(fields, real.columns)
    return real, {
        "x": learnt(columns, "x", ()),
        "l": learnt(columns, "l", ("x",), target=True),
        "y": learnt(columns, "y", ("x", "l"), target=True),
    }


def test_a_stored_column_comes_back_the_same():
    real, columns = small()
    for at, (name, fitted) in enumerate(columns.items()):
        values, arrays = stored.told(fitted)
        back = stored.heard(values, arrays, real.field(name), real.fields[:at], real)
        again, others = stored.told(back)
        assert again == values
        assert all(np.array_equal(others[key], arrays[key]) for key in arrays)


def test_what_does_not_fit_a_stored_column_is_refused():
    real, columns = small()

    def refuses(name, *, values=None, arrays=None, without=(), at=2, rows=800):
        fewer = real.take(np.arange(rows))
        told, held = stored.told(columns[name])
        held = {key: array for key, array in {**held, **(arrays or {})}.items() if key not in without}
        with pytest.raises((KeyError, TypeError, ValueError)):
            stored.heard({**told, **(values or {})}, held, real.field(name), real.fields[:at], fewer)

    refuses("y", at=1)  # reads a column that is not drawn yet
    refuses("y", rows=700)
    refuses("y", values={"features": ["x"]})
    refuses("y", values={"mean": 1})
    refuses("y", values={"mean": "2"})
    refuses("y", values={"low": None})
    refuses("y", without=("out_of_fold",))
    refuses("y", without=("forest.nodes",))
    refuses("y", arrays={"out_of_fold": np.zeros(800)})
    refuses("y", arrays={"mean.0.sizes": np.zeros(2, np.int64)})
    refuses("y", arrays={"mean.0.maps": np.zeros(3, np.uint8)})
    refuses("y", arrays={"mean.0.start": np.zeros(2, np.float32)})
    refuses("l", arrays={"head.0.start": np.zeros(2, np.float32)})
    refuses("l", values={"head": 0})
    refuses("l", without=("head.0.value",))
    refuses("x", values={"mean": 2})


def test_real_rows_that_do_not_fit_are_refused():
    real, _ = small()
    for name, values in (
        ("x", real.columns["x"][:-1]),
        ("y", real.columns["y"].astype(np.float32)),
        ("l", real.columns["l"] + 1),
        ("l", real.columns["l"] - 2),
    ):
        with pytest.raises(ValueError, match="real rows"):
            stored.check_real(Encoded(real.fields, {**real.columns, name: values}))
    with pytest.raises(ValueError, match="people"):
        stored.check_real(Encoded(real.fields, real.columns, np.zeros(5, np.int64)))
    stored.check_real(real)


def test_a_leaf_size_is_chosen_on_rows_from_the_whole_table(monkeypatch):
    monkeypatch.setattr(conditional, "HELD_ROWS", 1500)
    rows = 12_000
    x, late = stream().uniform(0, 10, rows), np.arange(rows) >= rows // 2  # things hang together from the middle on
    y = np.where(late, np.sin(8 * x) + stream(1).normal(0, 0.02, rows), stream(2).normal(0, 1, rows))
    columns = table((Field("x", decimals=3), Field("y", decimals=3)), {"x": np.round(x, 3), "y": np.round(y, 3)})
    counts = learnt(columns, "y", ("x",)).forest.counts
    assert np.median(counts[counts > 0]) < 30
