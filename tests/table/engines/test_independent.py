import numpy as np
import pytest
from scipy import stats

from tuckpoint.errors import InputError, ShortSample, TraceError
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Condition, Context, Encoded, Field, State
from tuckpoint.table.engines.independent import Independent, IndependentModel

STREAM = np.random.default_rng(11)
N = 4000
REAL = Encoded(
    (
        Field("x", decimals=3),
        Field("y", decimals=3),
        Field("zeros", decimals=1),
        Field("few"),
        Field("level", levels=("a", "b", "c")),
    ),
    {
        "x": (x := np.round(STREAM.normal(0, 5, N), 3)),
        "y": np.round(x + STREAM.normal(0, 0.1, N), 3),
        "zeros": np.where(STREAM.random(N) < 0.7, 0.0, np.round(STREAM.gamma(2, 50, N), 1)),
        "few": np.where(STREAM.random(N) < 0.25, np.nan, STREAM.integers(0, 4, N).astype(float)),
        "level": STREAM.choice(np.array([-1, 0, 1, 2], np.int32), N, p=[0.1, 0.5, 0.3, 0.1]),
    },
)
MODEL = Independent().fit(REAL, Seed(1), Context())


def only(name, mask) -> Condition:
    return Condition("test", (name,), lambda c: mask(c[name]), {name: mask})


def test_margins_follow_the_real_columns():
    made = MODEL.draw(N, Seed(2))
    for name in ("x", "zeros"):
        assert stats.ks_2samp(made.columns[name], REAL.columns[name]).pvalue > 1e-4
    for name, size in (("level", 4), ("few", 5)):
        codes = [np.nan_to_num(e.columns[name], nan=-1).astype(int) + 1 for e in (made, REAL)]
        table = np.array([np.bincount(code, minlength=size) for code in codes])
        assert stats.chi2_contingency(table).pvalue > 1e-4


def test_columns_are_independent():
    made = MODEL.draw(N, Seed(2))
    assert np.corrcoef(REAL.columns["x"], REAL.columns["y"])[0, 1] > 0.99
    assert abs(np.corrcoef(made.columns["x"], made.columns["y"])[0, 1]) < 0.08


def test_heaped_numbers_stay_exact_and_others_are_not_copied():
    made = MODEL.draw(N, Seed(2)).columns
    assert np.mean(made["zeros"] == 0) == pytest.approx(0.7, abs=0.03)
    assert np.isin(made["x"], REAL.columns["x"]).mean() < 0.6
    assert set(np.unique(made["few"][~np.isnan(made["few"])])) == {0, 1, 2, 3}
    assert made["x"].min() >= REAL.columns["x"].min()
    assert made["x"].max() <= REAL.columns["x"].max()


def test_a_number_of_one_persons_many_rows_is_not_drawn_again():
    rng = np.random.default_rng(5)
    bill = np.round(rng.lognormal(5, 1, 1200), 2)
    person = np.repeat(np.arange(400), 3)
    bill[:60] = 1234.56  # sixty rows of one person
    person[:60] = 0
    few = np.where(bill > 500, 1234.56, rng.integers(0, 9, 1200) * 10.0)
    fields = (Field("bill", decimals=2), Field("few", decimals=2))
    hoarded = (few == 1234.56) & (np.arange(1200) >= 60)
    few[hoarded] = 40.0
    for whose, kept in ((person, False), (None, True)):
        real = Encoded(fields, {"bill": bill, "few": few}, whose)
        made = Independent().fit(real, Seed(1), Context()).draw(2000, Seed(2)).columns
        assert bool(np.mean(made["bill"] == 1234.56) > 0.02) is kept
        assert bool((made["few"] == 1234.56).any()) is kept


def test_conditions_draw_from_the_conditional_law():
    free = MODEL.draw(60_000, Seed(3)).columns["zeros"]
    mask = lambda v: (v < 30) | (v == 81.5)  # noqa: E731
    made = MODEL.draw(6000, Seed(4), condition=only("zeros", mask)).columns["zeros"]
    assert mask(made).all()
    kept = free[mask(free)]
    assert np.mean(made == 0) == pytest.approx(np.mean(kept == 0), abs=0.02)
    assert stats.ks_2samp(made, kept).pvalue > 1e-4


def test_a_rare_condition_needs_no_rejection():
    one = float(np.median(REAL.columns["x"]))
    assert (MODEL.draw(500, Seed(5), condition=only("x", lambda v: v == one)).columns["x"] == one).all()
    with pytest.raises(ShortSample, match='column "x"'):
        MODEL.draw(5, Seed(5), condition=only("x", lambda v: v > 1e6))


def test_given_rows_must_fit():
    with pytest.raises(InputError, match="3 values for 5 rows"):
        MODEL.draw(5, Seed(5), given={"x": np.zeros(3)})


def test_an_atom_is_what_many_rows_hold():
    zeros = REAL.select(("zeros",))
    loose = Independent(atom_share=1.0).fit(zeros, Seed(1), Context())
    tight = Independent(atom_share=0.0).fit(zeros, Seed(1), Context())
    assert len(loose.singles[0].values) < len(MODEL.singles[2].values) < len(tight.singles[0].values)


def test_huge_numbers_are_copied_where_five_people_hold_them():
    real = Encoded((Field("x", decimals=2),), {"x": np.repeat(np.arange(200) * 1e18, 5)})
    made = Independent().fit(real, Seed(1), Context()).draw(50, Seed(1))
    assert np.isin(made.columns["x"], real.columns["x"]).all()
    alone = Encoded((Field("x", decimals=2),), {"x": np.arange(200) * 1e18})
    values = Independent().fit(alone, Seed(1), Context()).draw(50, Seed(1)).columns["x"]
    assert ((values >= 0) & (values <= 199e18)).all()
    assert len(np.unique(values)) > 20


def test_what_cannot_be_learned_or_loaded_is_refused():
    with pytest.raises(InputError, match="no rows"):
        Independent().fit(REAL.take(np.arange(0)), Seed(1), Context())
    with pytest.raises(InputError, match="atom_share"):
        Independent(atom_share=1.5)
    state = MODEL.state()
    for wrong in (
        State({}, state.arrays),
        State(state.values, {}),
        State(state.values, {**state.arrays, "0.share": np.ones(3)}),
    ):
        with pytest.raises(TraceError):
            IndependentModel.from_state(wrong, REAL.fields)


def test_a_table_without_columns():
    empty = Encoded((), {})
    assert Independent().fit(empty, Seed(1), Context()).draw(0, Seed(1)).rows == 0
