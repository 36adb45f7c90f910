"""Private estimates of ranges and levels: what they find, what they cost, what they hide."""

import math
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from tuckpoint.errors import PrivacyError
from tuckpoint.schema import Column, Domain, Schema
from tuckpoint.table import estimate as estimating
from tuckpoint.table.encode import declared, encode
from tuckpoint.table.estimate import (
    check_domains,
    estimate,
    open_account,
    private_schema,
    threshold,
    unknown,
)
from tuckpoint.table.infer import infer

EMPTY = Domain("dp")


def column(name: str, kind: str, storage: str = "int64", **more) -> Column:
    return Column(name, kind, storage, missing=True, **{"domain": EMPTY, **more})


def found(values, col: Column, *, epsilon: float = 20.0, rows: int = 1) -> Domain:
    schema = Schema((col,))
    real = encode(pa.table({col.name: values}), schema, strict=False)
    account = open_account(schema, epsilon, 1e-6)
    return estimate(real, schema, account, rows)[0].columns[0].domain


RNG = np.random.default_rng(5)


@pytest.fixture
def noiseless(monkeypatch):
    """Counts as they are, so that what is found is certain; what it is held against stays."""
    monkeypatch.setattr(estimating, "_noisy", lambda counts, variance: counts)


@pytest.mark.parametrize(
    ("values", "col", "low", "high"),
    [
        (RNG.integers(18, 91, 20_000), column("age", "integer"), (16, 18), (90, 96)),
        (-RNG.integers(18, 91, 20_000), column("debt", "integer"), (-96, -90), (-18, -16)),
        (RNG.integers(-40, 41, 20_000), column("celsius", "integer"), (-48, -40), (40, 48)),
        (np.round(RNG.random(20_000), 3), column("share", "decimal", "double", decimals=3), (0, 0), (0.99, 1.03)),
        (np.full(20_000, 7), column("seven", "integer"), (7, 7), (7, 7)),
        (np.zeros(20_000, int), column("zero", "integer"), (0, 0), (0, 0)),
        (
            (np.datetime64("2015-01-01") + RNG.integers(0, 3650, 20_000)).astype("datetime64[D]"),
            column("day", "date", "date32[day]"),
            (15_350, 16_436),
            (20_088, 21_100),
        ),
    ],
)
@pytest.mark.usefixtures("noiseless")
def test_ranges_hold_the_values_and_little_more(values, col, low, high):
    domain = found(values, col)
    assert domain.provenance == "dp"
    assert low[0] <= domain.low <= low[1]
    assert high[0] <= domain.high <= high[1]


def test_under_noise_few_values_are_lost():
    values = RNG.normal(1000, 100, 20_000).round()
    domains = [found(values, column("x", "integer"), epsilon=5.0) for _ in range(20)]
    assert np.median([np.mean((values < d.low) | (values > d.high)) for d in domains]) < 0.05
    assert 0 <= np.median([d.low for d in domains]) < np.median([d.high for d in domains]) < 2048


@pytest.mark.usefixtures("noiseless")
def test_a_bound_that_is_given_stays():
    values = RNG.integers(18, 91, 20_000)
    domain = found(values, column("age", "integer", domain=Domain("dp", low=0.0)))
    assert domain.low == 0
    assert 90 <= domain.high <= 130
    domain = found(values, column("age", "integer", domain=Domain("dp", high=50.0)))
    assert (domain.low, domain.high) == (16.0, 50.0)


@pytest.mark.parametrize("values", [[], [None, None], [10**15, -(10**15)], [5]])
def test_next_to_nothing_gives_a_range_like_any_and_says_so(values):
    schema = Schema((column("x", "integer"),))
    real = encode(pa.table({"x": pa.array(values, pa.int64())}), schema, strict=False)
    account = open_account(schema, 0.1, 1e-6)
    told, notes = estimate(real, schema, account, 1)
    assert told.columns[0].domain.low <= told.columns[0].domain.high
    assert abs(told.columns[0].domain.high) < 2**51
    assert any("x" in note for note in notes)


@pytest.mark.parametrize(
    ("col", "least", "most"),
    [
        (column("x", "integer", "int8"), -128, 127),
        (column("x", "integer", "uint16"), 0, 65_535),
        (column("x", "date", "date32[day]"), -719_162, 2_932_896),
        (column("x", "datetime", "timestamp[ns]", decimals=3), -9_223_286_400_000, 9_223_286_400_000),
        (column("x", "date", "timestamp[ns]"), -106_751, 106_751),
        (column("x", "duration", "time32[s]"), 0, 86_399),
        (column("x", "duration", "duration[us]"), -719_162 * 86_400, 2_932_896 * 86_400),
        (column("x", "decimal", "decimal128(6, 2)", decimals=2), -999_900, 999_900),
        (column("x", "decimal", "double", decimals=2, domain=Domain("dp", low=1.5)), 150, 2**51 - 1),
        (column("x", "integer", "int64"), 1 - 2**51, 2**51 - 1),
    ],
)
def test_no_range_leaves_what_kind_and_storage_can_hold(monkeypatch, col, least, most):
    monkeypatch.setattr(estimating, "_noisy", lambda counts, variance: np.full(len(counts), 10**6))
    assert estimating._limits(col) == (least, most)
    domain = found(pa.array([], pa.string()) if col.storage != "time32[s]" else pa.array([], pa.time32("s")), col)
    scale = 10 ** (col.decimals or 0)
    assert (round(domain.low * scale), round(domain.high * scale)) == (least, most)


def test_what_lies_beside_the_sure_is_believed_sooner_but_a_new_sign_later():
    def powers(**counts: float):
        noisy = np.zeros(103)
        for power, count in counts.items():
            noisy[51 + int(power[1:]) * (1 if power[0] == "p" else -1)] = count
        return estimating._powers(noisy, 10.0, usual=7)

    assert powers(p3=60) == (4, 7, True)
    assert powers(p3=60, p4=20, p6=40) == (4, 15, True)
    assert powers(p0=60, p1=20) == (0, 0, True)
    assert powers(p0=60, p1=40) == (0, 1, True)
    assert powers(p0=60, m1=40) == (-1, 0, True)
    assert powers(p1=60, p0=20, m1=20) == (0, 1, True)
    assert powers(p9=60) == (256, 511, True)
    assert powers(p3=60, p9=60) == (0, 511, True)  # small numbers beside large ones take no room
    assert powers(m3=60, m9=60) == (-511, 0, True)
    assert powers(p30=30) == (2**29, 2**30 - 1, False)


def test_when_nothing_is_seen_the_usual_is_taken(monkeypatch):
    monkeypatch.setattr(estimating, "_noisy", lambda counts, variance: np.zeros(len(counts)))
    nothing = pa.array([], pa.string())
    assert found(nothing, column("x", "integer")) == Domain("dp", 64.0, 127.0)
    domain = found(nothing, column("x", "date", "date32[day]"))
    assert (domain.low, domain.high) == (2.0**14, 2.0**15 - 1)  # 2014 to 2059
    domain = found(nothing, column("x", "decimal", "double", decimals=2))
    assert domain.high < 164


def test_common_levels_are_told_and_rare_ones_are_other():
    values = ["Berlin"] * 9000 + ["Bonn"] * 4000 + ["Vaduz"] * 3 + [None] * 50
    domain = found(values, column("city", "category", "string"))
    assert domain.levels == ("Berlin", "Bonn", "other")
    assert domain.provenance == "dp"


def test_levels_of_a_scale_come_in_its_order_and_numbers_have_no_word_for_others():
    values = ["high"] * 5000 + ["low"] * 3000 + ["medium"] * 4000
    assert found(values, column("risk", "ordered", "string")).levels == ("low", "medium", "high", "other")
    coded = pa.array([3] * 5000 + [5] * 4000).dictionary_encode()
    domain = found(coded, column("code", "category", "dictionary<values=int64, indices=int32, ordered=0>"))
    assert domain.levels == ("3", "5", "(rare)")


@pytest.mark.parametrize("rows", [1, 3, 10])
@pytest.mark.parametrize("delta", [Fraction(1, 10**4), Fraction(1, 10**11)])
def test_the_threshold_holds_its_delta_for_every_way_to_bring_new_levels(rows, delta):
    variance = Fraction(25) * rows**2
    least = threshold(variance, rows, delta)
    support = np.arange(-4000, 4001)
    chance = np.exp(-(support.astype(float) ** 2) / (2 * float(variance)))
    chance /= chance.sum()

    def passes(count: int) -> float:
        return float(chance[support >= least - count].sum())

    worst = max(passes(rows - levels + 1) + (levels - 1) * passes(1) for levels in range(1, rows + 1))
    assert worst <= float(delta)
    # and it hides no more than it must
    assert threshold(variance, rows, delta * 4) <= least
    assert least < rows + 1.15 * math.sqrt(variance) * stats.norm.isf(float(delta / rows)) + 4


def test_a_threshold_that_promises_nothing_is_refused():
    with pytest.raises(PrivacyError, match="threshold"):
        threshold(Fraction(4), 1, Fraction(1, 2))


def test_estimates_are_priced_and_the_rest_is_left():
    columns = [column(f"x{i}", "integer") for i in range(8)] + [column("c", "category", "string")]
    for kept, share in ((columns[:1], 0.03), (columns[:3], 0.09), (columns, 0.15)):
        schema = Schema(tuple(kept))
        real = encode(pa.table({c.name: RNG.integers(0, 5, 3000) for c in kept}), schema, strict=False)
        account = open_account(schema, 1.0, 1e-6)
        told, _ = estimate(real, schema, account, 1)
        assert account.total <= account.rho * Fraction(share)
        assert account.total > account.rho * Fraction(share) * Fraction(99, 100)
        assert len(account.entries) == len(kept)
        assert all(c.name in entry for c, entry in zip(kept, account.entries, strict=True))
        assert float(account.total_failure) == pytest.approx(1e-7 if kept is columns else 0.0)
        assert not unknown(told)


def test_what_is_declared_costs_nothing():
    schema = Schema((column("x", "integer", domain=Domain("public", 0, 9)), column("b", "boolean", "bool")))
    real = encode(pa.table({"x": [1], "b": [True]}), schema, strict=False)
    account = open_account(schema, 1.0, 1e-6)
    assert estimate(real, schema, account, 1) == (schema, ())
    assert account.total == account.failure == 0


@pytest.mark.parametrize("rows", [1, 4])
def test_one_person_moves_each_count_by_no_more_than_was_charged(monkeypatch, rows):
    """All counts of two neighbours, and what the noise on them is for."""
    seen: list[tuple[np.ndarray, float]] = []

    def recorded(counts, variance):
        seen.append((np.asarray(counts), float(variance)))
        return np.full(len(counts), 10**6)

    monkeypatch.setattr(estimating, "_noisy", recorded)
    schema = Schema((column("x", "integer"), column("c", "category", "string")))
    big = pa.table({"x": [*range(50), *[49] * rows], "c": ["a", "b"] * 25 + ["a"] * rows})
    for table in (big, big.slice(0, 50)):
        real = encode(table, schema, strict=False)
        account = open_account(schema, 1.0, 1e-6)
        estimate(real, schema, account, rows)
    half = len(seen) // 2
    assert half == 3
    for (one, variance), (other, same) in zip(seen[:half], seen[half:], strict=True):
        assert variance == same
        moved = np.abs(one - other).sum()
        assert moved == rows
        share = Fraction(3, 100) * account.rho / (2 if one is not seen[2][0] and len(one) != 2 else 1)
        assert rows**2 / (2 * variance) <= share


def test_a_level_of_one_person_is_never_told():
    told = set()
    for _ in range(150):
        told |= set(found(["a"] * 300 + ["mine"] * 5, column("c", "category", "string"), epsilon=5.0, rows=5).levels)
    assert told == {"a", "other"}


def test_a_private_schema_says_nothing_that_rows_told():
    real = pa.table(
        {
            "id": [f"P-{i:04d}" for i in range(300)],
            "key": range(1000, 1300),
            "remark": [" ".join(["word"] * (3 + i % 9)) + f" {i} {i * 7}" for i in range(300)],
            "age": [20 + i % 50 for i in range(300)],
            "city": [["Bonn", "Ulm", "NA"][i % 3] for i in range(300)],
            "well": [i % 2 == 0 for i in range(300)],
            "gone": pa.array([None, 5.5] * 150),
        }
    )
    schema = private_schema(infer(real))
    plain = schema.to_yaml()
    assert "data" not in plain
    assert "note" not in plain
    assert all(c.missing for c in schema.columns)
    assert schema["age"].domain == schema["city"].domain == Domain("dp")
    assert schema["well"].domain == Domain("public", levels=("false", "true"))
    assert schema["id"].pattern == "P-99999"
    check_domains(schema)
    assert [c.name for c in unknown(schema)] == ["age", "city", "gone"]


@pytest.mark.parametrize(
    ("pattern", "kind", "public"),
    [
        ("key:10001", "identifier", "key:10001"),
        ("email;missing=0.07", "identifier", "email"),
        ("words:4-31;missing=0.3", "text", None),
        ("000-99-9999", "identifier", "000-99-9999"),
        ("A-[13579]9\\A[b-f]", "identifier", "A-99\\A[a-z]9"),
        ("X7", "identifier", "X99"),
        ("phone:+999 99", "identifier", "phone:+999 99"),
        (None, "identifier", None),
    ],
)
def test_patterns_lose_what_one_row_could_change(pattern, kind, public):
    schema = Schema((Column("x", kind, "string", pattern=pattern),))
    assert private_schema(schema)["x"].pattern == public


def test_domains_from_data_are_refused_and_the_ways_out_told():
    schema = Schema((column("x", "integer", domain=Domain("data", 0, 9)), column("y", "integer", domain=None)))
    with pytest.raises(PrivacyError, match=r"'x', 'y'.*public.*expert.*provenance: dp"):
        check_domains(schema)
    for half in (Domain("public", low=0), Domain("expert")):
        with pytest.raises(PrivacyError, match='"x" has no low and high'):
            check_domains(Schema((column("x", "integer", domain=half),)))
    with pytest.raises(PrivacyError, match='"c" has no levels'):
        check_domains(Schema((column("c", "category", "string", domain=Domain("public")),)))
    with pytest.raises(PrivacyError, match="'b'"):
        check_domains(Schema((column("b", "boolean", "bool", domain=Domain(levels=("true",))),)))
    check_domains(Schema((column("b", "boolean", "bool", domain=Domain(levels=("false", "true"))),)))


def test_values_are_fitted_to_what_was_declared():
    schema = Schema(
        (
            column("x", "decimal", "double", decimals=1, domain=Domain("public", 0.05, 9.99)),
            Column("sure", "integer", "int64", domain=Domain("public", 3, 5)),
            column("c", "category", "string", domain=Domain("public", levels=("a", "other"))),
            column("d", "category", "string", domain=Domain("public", levels=("a",))),
            Column("e", "category", "string", domain=Domain("public", levels=("z", "a"))),
            column("b", "boolean", "string"),
        )
    )
    table = pa.table(
        {
            "x": ["0.04", "4.44", "99", "what", None],
            "sure": ["7", None, "4", "inf", "-1e99"],
            "c": ["a", "b", None, "other", "c"],
            "d": ["a", "b", None, "other", "c"],
            "e": ["a", "b", None, "z", "c"],
            "b": ["true", "false", "perhaps", None, "1"],
        }
    )
    made = declared(encode(table, schema, strict=False), schema)
    assert np.array_equal(made.columns["x"], [0.1, 4.4, 9.9, np.nan, np.nan], equal_nan=True)
    assert made.columns["sure"].tolist() == [5, 3, 4, 3, 3]
    assert made.columns["c"].tolist() == [0, 1, -1, 1, 1]
    assert made.columns["d"].tolist() == [0, -1, -1, -1, -1]
    assert made.columns["e"].tolist() == [1, 0, 0, 0, 0]
    assert made.columns["b"].tolist() == [1, 0, -1, -1, 1]
    empty = declared(encode(table.slice(0, 0), schema, strict=False), schema)
    assert made.fields == empty.fields
    assert [f.provenance for f in made.fields] == ["public"] * 6
