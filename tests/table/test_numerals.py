from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuckpoint.errors import SchemaError
from tuckpoint.table.numerals import Picture, decimals_of, needed, parse, recognise, spell


@pytest.mark.parametrize(
    ("texts", "values", "picture"),
    [
        (["1", "-20"], [1, -20], None),
        (["1.5", "0.25"], [1.5, 0.25], None),
        (["1.5", "2"], [1.5, 2], "#.#"),
        (["1.50", "2.00"], [1.5, 2], "#.00"),
        (["1,234", "12"], [1234, 12], "#,###"),
        (["1'234.5", "12.0"], [1234.5, 12], "#'###.0"),
        (["1 234,50", "12,00"], [1234.5, 12], "# ###,00"),
        (["0,125", "0,250"], [0.125, 0.25], "#,000"),
        (["$1,234.50", "$2.00"], [1234.5, 2], "$#,###.00"),
        (["5 kg", "6.5 kg"], [5, 6.5], "#.# kg"),
        (["1e3", "2"], [1000, 2], None),
        (["3,60e+03", "-5,00e-12"], [3600, -5e-12], "#,00e+00"),
        (["1.234,50-", "3,00"], [-1234.5, 3], "#.###,00;#.###,00-"),
        (["1,234.50-", "3.00"], [-1234.5, 3], "#,###.00;#,###.00-"),
        (["12-", "3"], [-12, 3], "#;#-"),
        (["12,5%-", "3,0%"], [-12.5, 3], "#,0%;#,0%-"),
        (["-$1,234.50", "$3.00"], [-1234.5, 3], "$#,###.00;-$#,###.00"),
        (["$-1,234.50", "$3.00"], [-1234.5, 3], "$#,###.00"),
        (["−1234.50", "3.00"], [-1234.5, 3], "#.00;−#.00"),
        (["−€1.234,50", "€3,00"], [-1234.5, 3], "€#.###,00;−€#.###,00"),
        (["1\u00a0234,50\u00a0€", "3,00\u00a0€"], [1234.5, 3], "#\u00a0###,00\u00a0€"),
        (["1\u202f234,50", "-3,00"], [1234.5, -3], "#\u202f###,00"),
        (["1’234.50", "3.00"], [1234.5, 3], "#’###.00"),
        (["1.5E3", "2.0E10"], [1500, 2e10], "#.0E0"),
        (["1.5e-07", "2e-12", "-1e-05"], [1.5e-7, 2e-12, -1e-5], "#.#e00"),
        (["(1,234)", "12", "0"], [-1234, 12, 0], "#,###;(#,###)"),
        (["$5.00", "($1,200.50)"], [5, -1200.5], "$#,###.00;($#,###.00)"),
        (["R$ 1.234,50", "R$ 2,00"], [1234.5, 2], "R$ #.###,00"),
        (["Rs. 1,234.50", "Rs. 2.00"], [1234.5, 2], "Rs. #,###.00"),
        (["₹ 12,34,567.50", "₹ 2,345.00", "-₹ 1,00,000.00"], [1234567.5, 2345, -1e5], "₹ #,##,###.00;-₹ #,##,###.00"),
        (["1,23,45,678", "12,345", "999"], [12345678, 12345, 999], "#,##,###"),
        (["1 234,50 zł", "2,00 zł"], [1234.5, 2], "# ###,00 zł"),
        (["kr 1 234,50", "kr 2,00"], [1234.5, 2], "kr # ###,00"),
        (["1'234.–", "12.–"], [1234, 12], "#'###.–"),
        (["36.9°C", "40.0°C"], [36.9, 40], "#.0°C"),
        (["36.9 µmol/l", "40.0 µmol/l"], [36.9, 40], "#.0 µmol/l"),
        (["80kg", "7kg"], [80, 7], "#kg"),
        (["1.5g", "0.2g"], [1.5, 0.2], "#.0g"),
        (["1,234.50 CR", "2.00 DR"], [1234.5, -2], "#,###.00 CR;#,###.00 DR"),
        (["1.234,50 S", "2,00 H"], [-1234.5, 2], "#.###,00 H;#.###,00 S"),
        (["EUR 1,234.50Cr", "EUR 2.00Dr"], [1234.5, -2], "EUR #,###.00Cr;EUR #,###.00Dr"),
        (["+16.59", "-3.00"], [16.59, -3], "+#.00"),
        (["+16.59", "+1,234.00"], [16.59, 1234], "+#,###.00"),
        (["+16,59", "-3,00", "+0,00"], [16.59, -3, 0], "+#,00"),
        (["+16.59", "-3.00", "0.00"], [16.59, -3, 0], "+#.00;-#.00;#.00"),
        (["+3", "-2", "0"], [3, -2, 0], "+#;-#;#"),
        (["+3", "2", "0", "-1"], [3, 2, 0, -1], None),
        (["+1.5 %", "-2.0 %"], [1.5, -2], "+#.0 %"),
        (["€ +1.50", "€ -2.00"], [1.5, -2], "€ +#.00"),
        (["+3,60e+03", "-5,00e-12"], [3600, -5e-12], "+#,00e+00"),
    ],
)
def test_numbers_are_read_in_their_way_of_writing(texts, values, picture):
    array = pa.array(texts)
    found = recognise(array)
    read, bad = parse(array, found)
    assert read.tolist() == values
    assert not bad.any()
    decimals = decimals_of(read)
    assert needed(found, array, decimals) == picture
    if texts[:2] not in (["1e3", "2"], ["+3", "2"]):  # of those the way of writing is not one
        assert spell(read, decimals, Picture.parse(picture) if picture else None).to_pylist() == texts


@pytest.mark.parametrize(
    "texts",
    [
        ["02134"],
        ["+49301234", "+1"],
        ["1234567890123456"],
        ["1234567890123456789.50", "1.50"],
        ["1-2"],
        ["a"],
        ["1.2.3"],
        ["12a", "13"],
        ["1,23,4"],
        ["1,23,45,67"],
        ["12g", "13g"],
        ["12 H", "13 H", "14 HS"],
        ["12 CR", "13 CX"],
    ],
)
def test_codes_are_no_numbers(texts):
    assert recognise(pa.array(texts)) is None


@given(
    st.lists(st.integers(-(10**11), 10**11), min_size=1), st.integers(0, 4), st.sampled_from(["", ",", ".", " ", "'"])
)
def test_spelling_is_read_back(units, places, group):
    point = "," if group == "." else "."
    picture = Picture("$", group, point, places, " kg")
    assert Picture.parse(str(picture)) == picture
    values = np.array(units) / 10**places
    texts = spell(values, places, picture)
    read, bad = parse(texts, picture)
    assert not bad.any()
    np.testing.assert_array_equal(read, values)


def test_a_picture_needs_its_digits():
    with pytest.raises(SchemaError, match="no picture"):
        Picture.parse("0.00")
