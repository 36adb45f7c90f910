from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tuckpoint.schema import Column, Schema
from tuckpoint.seed import Seed
from tuckpoint.table.decode import decode
from tuckpoint.table.encode import encode, spell
from tuckpoint.table.frame import read
from tuckpoint.table.identify import fabricate
from tuckpoint.table.infer import infer

DRAW = np.random.default_rng(11)
MEASURED = [f"{value:.1f}" for value in DRAW.lognormal(2, 1, 200).clip(0.5, 100)]


def understood(tmp_path, values, name="x"):
    """The column that a CSV file of one column is understood as, and its table."""
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([name, *(f'"{value}"' for value in values)]) + "\n", encoding="utf-8")
    table = read(path).table
    return infer(table)[name], table


@pytest.mark.parametrize(
    "limits",
    [
        ["<0.5"] * 3,
        ["<0.5", ">100", "<0.5", "> 100"],
        [f"<{value / 10}" for value in range(1, 13)],
        ["<0.5"] * 30 + [">100"] * 20 + ["≤ 0.1 mg/l", "<=0.2", "hemolysed"],
    ],
)
def test_limits_of_detection_leave_a_column_a_number(tmp_path, limits):
    column, table = understood(tmp_path, [*MEASURED[:7], *limits, *MEASURED[7:]])
    assert (column.kind, column.missing) == ("decimal", True)
    said = len([text for text in limits if text != "hemolysed"])
    assert f"{said} cells are limits ({limits[0]!r}" in column.note
    assert f"first: row 8 = {limits[0]!r}" in column.note
    assert "taken as missing" in column.note
    assert np.isnan(encode(table, infer(table)).columns["x"]).sum() == len(limits)


def test_many_words_among_numbers_are_still_for_a_person_to_look_at(tmp_path):
    column, _ = understood(tmp_path, [*MEASURED, "<0.5", *["late", "old", "lost", "void", "none here", "see note"]])
    assert not column.modelled
    assert "mixed: " in column.note


@pytest.mark.parametrize(
    ("values", "mark"),
    [
        ([f"{a}/{b}" for a, b in zip(DRAW.integers(90, 190, 300), DRAW.integers(50, 110, 300), strict=True)], "/"),
        ([f"{a} / {b}" for a, b in zip(DRAW.integers(90, 190, 300), DRAW.integers(50, 110, 300), strict=True)], "/"),
        ([f"{a}-{a + b}" for a, b in zip(DRAW.integers(10, 90, 300), DRAW.integers(5, 35, 300), strict=True)], "-"),
        ([f"{a}x{b}" for a, b in zip(DRAW.integers(10, 90, 300), DRAW.integers(5, 35, 300), strict=True)], "x"),
    ],
)
def test_two_numbers_in_a_cell_are_told(tmp_path, values, mark):
    column, _ = understood(tmp_path, values)
    assert column.kind == "identifier"
    assert (
        f"2 numbers in a cell, with {mark!r} between: made anew, not learnt; split them into 2 columns" in column.note
    )
    assert "--person" not in column.note


def test_codes_of_one_number_or_few_levels_are_no_two_numbers(tmp_path):
    assert "numbers in a cell" not in understood(tmp_path, [f"A-{at:05d}" for at in range(300)])[0].note
    levels, _ = understood(tmp_path, ["1/2", "1/4", "3/4"] * 100)
    assert (levels.kind, levels.note) == ("category", "")


def test_nanoseconds_are_told_where_they_are_lost(tmp_path):
    stamps = [f"2024-01-{1 + at % 28:02d} 10:00:00.{DRAW.integers(10**9):09d}" for at in range(60)]
    column, _ = understood(tmp_path, stamps)
    assert column.kind == "datetime"
    assert "kept to microseconds" in column.note
    column, _ = understood(tmp_path, [stamp[:-3] + "000" for stamp in stamps])
    assert column.note == ""
    typed = pa.table({"x": pa.array(DRAW.integers(10**18, 2 * 10**18, 60), pa.timestamp("ns"))})
    assert "kept to microseconds" in infer(typed)["x"].note


def test_more_digits_than_a_number_keeps_are_told(tmp_path):
    long = ["0." + "".join(map(str, DRAW.integers(10, size=29))) + "7" for _ in range(60)]
    column, _ = understood(tmp_path, long)
    assert column.kind == "decimal"
    assert "30 digits, of which 15 are kept" in column.note
    assert understood(tmp_path, [str(value) for value in DRAW.random(60)])[0].note == ""


@pytest.mark.parametrize("ending", ["", ".0", ".00", ".25"])
def test_numbers_beyond_what_is_exact_keep_their_text(tmp_path, ending):
    values = [f"{DRAW.integers(10**8, 10**9)}{DRAW.integers(10**9, 10**10)}{ending}" for _ in range(60)]
    column, _ = understood(tmp_path, values)
    assert (column.kind, column.storage) == ("identifier", "string")
    made = fabricate(column, 60, first_row=0, seed=Seed(1)).to_pylist()
    assert {len(text) for text in made} == {len(values[0])}
    assert all(text.endswith(ending) for text in made)


@pytest.mark.parametrize(
    "name", ["plz", "PLZ_Wohnort", "zip", "zip_code", "postal code", "Postleitzahl", "CAP", "zip9", "code_postal"]
)
def test_made_postcodes_have_the_length_of_real_ones(tmp_path, name):
    values = [f"{value:05d}" for value in DRAW.integers(1000, 99_999, 3000)]
    column, table = understood(tmp_path, values, name)
    assert column.kind == "identifier"
    made = fabricate(column, 200_000, first_row=0, seed=Seed(1))
    assert {len(text) for text in made.unique().to_pylist()} == {5}
    assert infer(table).primary_key is None


def test_made_postcodes_with_letters_keep_their_layout(tmp_path):
    letters = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    values = [f"{DRAW.integers(1000, 9999)} {''.join(DRAW.choice(letters, 2))}" for _ in range(2000)]
    column, _ = understood(tmp_path, values, "postcode")
    made = fabricate(column, 2000, first_row=0, seed=Seed(1))
    assert all(len(text) == 7 and text[:4].isdigit() and text[5:].isalpha() for text in made.to_pylist())


def test_limits_are_written_again_where_they_are_the_only_gap(tmp_path):
    column, table = understood(tmp_path, [*MEASURED, *["<0.5"] * 9])
    assert column.absent == ("<0.5",)
    assert "taken as missing, and written again where a made value is missing; to have them learnt" in column.note
    assert spell(table, infer(table)).column("x").to_pylist() == table.column("x").to_pylist()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([f"{a:.5f},{b:.5f}" for a, b in DRAW.random((60, 2)) * 50], "2 numbers in a cell, with ',' between"),
        ([f"{a:.2f}; -{b:.2f}" for a, b in DRAW.random((60, 2)) * 50], "2 numbers in a cell, with ';' between"),
        ([f"{a}x{b}x{c} mm" for a, b, c in DRAW.integers(10, 90, (60, 3))], "3 numbers in a cell, with 'x' between"),
    ],
)
def test_more_numbers_in_a_cell_are_told(tmp_path, values, told):
    assert told in understood(tmp_path, values)[0].note


STAMPS = [f"2024-{1 + at % 12:02d}-{1 + at % 28:02d} {at % 24:02d}:{at % 60:02d}:00" for at in range(100)]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            [*STAMPS, "2024-05-06", "2024-05-07"],
            "100 of 102 different values are moments written like %Y-%m-%d %H:%M:%S",
        ),
        (
            [*STAMPS, "tomorrow at 9", "2024-02-30 10:00:00"],
            "100 of 102 different values are moments written like %Y-%m-%d %H:%M:%S, the rest are not (first: row 101)",
        ),
        ([*(f"{value}.5" for value in range(60)), *(f"{value}.5 H" for value in range(40))], "mixed: 60 of 100"),
    ],
)
def test_a_few_cells_that_are_written_otherwise_are_told(tmp_path, values, told):
    column, _ = understood(tmp_path, values)
    assert not column.modelled
    assert told in column.note


def test_decimal_commas_are_no_two_numbers(tmp_path):
    values = [f"{value},{value % 10} {unit}" for value in range(60) for unit in ("Mio.", "Tsd.")]
    assert "numbers in a cell" not in understood(tmp_path, values)[0].note


def test_codes_that_repeat_are_told(tmp_path):
    column, _ = understood(tmp_path, [f"{DRAW.integers(10, 99)}-{DRAW.choice(list('ABC'))}" for _ in range(200)])
    assert column.kind == "identifier"
    assert "codes that few rows share: made anew, not learnt" in column.note


@pytest.mark.parametrize("layout", ['="{:03d}"', "<{:03d}>", "AB-{:03d}-X"])
def test_codes_that_fill_their_mask_grow_within(tmp_path, layout):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"code": [layout.format(at) for at in range(1000)]}), path)
    column = infer(read(path).table)["code"]
    made = fabricate(column, 20_000, first_row=0, seed=Seed(1)).to_pylist()
    start, end = layout.split("{:03d}")
    assert all(text.startswith(start) and text.endswith(end) for text in made)
    assert len(set(made)) == 20_000
    assert not set(made) & {layout.format(at) for at in range(1000)}


@pytest.mark.parametrize(
    ("values", "value"),
    [
        ([*(f"{value / 10:.1f}" for value in range(200)), *["-999.0"] * 9], "-999.0"),
        ([*(str(at % 5) for at in range(200)), *["98"] * 5, *["99"] * 5], "99"),
        ([*(f"2024-01-{1 + at % 28:02d}" for at in range(200)), *["9999-12-31"] * 9], "9999-12-31"),
        ([*(f"{value},5 kg" for value in range(200)), *["9999,9 kg"] * 9], "9999,9 kg"),
    ],
)
def test_a_value_far_from_all_others_may_be_named_as_missing(tmp_path, values, value):
    column, table = understood(tmp_path, values)
    assert f"{value!r} stands in {values.count(value)} rows, far from the others" in column.note
    assert "name it in `absent`" in column.note
    named = Schema((replace(column, missing=True, absent=(value,), domain=None),))
    encoded = encode(table, named)
    assert np.isnan(encoded.columns["x"]).sum() == values.count(value)
    written = spell(decode(encoded, named), named).column("x").to_pylist()
    assert written == values if column.format or value == "99" else written[-1] == value


def test_numbers_named_as_missing_are_missing_in_typed_columns():
    column = Column("x", "integer", "int64", missing=True, absent=("-999", "-998"))
    values = encode(pa.table({"x": [1, -999, 2, -998, None]}), Schema((column,))).columns["x"]
    assert np.isnan(values).tolist() == [False, True, False, True, True]


def test_a_few_large_values_and_many_zeros_are_no_words_for_missing():
    amounts = np.round(DRAW.lognormal(7, 1.5, 500), 2)
    assert infer(pa.table({"x": amounts}))["x"].note == ""
    assert infer(pa.table({"x": np.where(DRAW.random(500) < 0.5, 0, amounts)}))["x"].note == ""
    assert infer(pa.table({"x": np.append(amounts, [1e9] * 4)}))["x"].note == ""


@pytest.mark.parametrize(("mark", "digits"), [(":", "0123456789abcdef"), ("-", "0123456789ABCDEF")])
def test_made_hardware_addresses_are_of_those_that_nobody_is_given(tmp_path, mark, digits):
    pairs = [["".join(DRAW.choice(list(digits), 2)) for _ in range(6)] for _ in range(400)]
    column, _ = understood(tmp_path, [mark.join(row) for row in pairs])
    made = fabricate(column, 2000, first_row=0, seed=Seed(1)).to_pylist()
    assert len(set(made)) == 2000
    for text in made:
        assert [len(pair) for pair in text.split(mark)] == [2] * 6
        assert text[1] in "26ae26AE"
        assert set(text) <= {*digits, mark}


@pytest.mark.parametrize(
    ("values", "secret"),
    [
        ([*(f"A-{at:04d}" for at in range(0, 1000, 7)), "HIV-POSITIVE-1987"], "HIV-POSITIVE-1987"),
        ([*(str(at) for at in range(100, 400)), "Miller"], "Miller"),
        ([*(f"K{at:05d}" for at in range(0, 900, 7)), *(f"K{at}12345678" for at in range(4))], "12345678"),
        (["AX-1987-Q", "BX-1987-Q"] * 30, "1987"),
    ],
)
def test_no_mask_holds_what_few_codes_hold(tmp_path, values, secret):
    column, table = understood(tmp_path, values, "customer_id")
    if column.kind != "identifier":
        column = infer(table, person="customer_id")["customer_id"]
    assert column.kind == "identifier"
    assert secret not in column.pattern.replace("\\", "")
    made = fabricate(column, 500, first_row=0, seed=Seed(1)).to_pylist()
    assert not set(made) & set(values)
    assert not any(secret in text for text in made)


MONTHS = [(year, month) for year in range(1990, 2024) for month in range(1, 13)]
NAMES = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)


@pytest.mark.parametrize(
    ("layout", "format_"),
    [
        ("{y}-{m:02d}", "%Y-%m"),
        ("{m:02d}/{y}", "%m/%Y"),
        ("{m}.{y}", "%-m.%Y"),
        ("{n} {y}", "%{" + "|".join(NAMES) + "} %Y"),
    ],
)
def test_months_are_dates_where_they_are_too_many_for_levels(tmp_path, layout, format_):
    values = [layout.format(y=year, m=month, n=NAMES[month - 1]) for year, month in MONTHS]
    column, table = understood(tmp_path, values)
    assert (column.kind, column.format) == ("date", format_)
    assert column.steps.month_day == 1
    assert spell(decode(encode(table, infer(table)), infer(table)), infer(table)).column("x").to_pylist() == values
    assert understood(tmp_path, values[:40] * 9)[0].kind in ("category", "ordered")
    assert understood(tmp_path, [*values, layout.format(y=2024, m=13, n="Nemo")])[0].kind not in ("date", "datetime")


def test_numbers_in_groups_are_codes_and_no_free_text(tmp_path):
    groups = ["{} {:02d} {:02d} {:02d} {:03d} {:03d} {:02d}".format(*row) for row in DRAW.integers(1, 90, (200, 7))]
    column, _ = understood(tmp_path, groups)
    assert column.kind == "identifier"
    made = fabricate(column, 50, first_row=0, seed=Seed(1)).to_pylist()
    assert all(text.replace(" ", "").isdigit() and len(text.split()) == 7 for text in made)


def test_an_identifier_by_its_name_is_no_code_that_few_rows_share(tmp_path):
    values = [f"1.2.840.{DRAW.integers(100, 999)}.{DRAW.integers(10, 99)}" for _ in range(200)]
    column, _ = understood(tmp_path, [*values, *values[:40]], "series_uid")
    assert column.kind == "identifier"
    assert "few rows share" not in column.note
