from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuckpoint.table.durations import is_format, parse, spell
from tuckpoint.table.formats import recognise


@pytest.mark.parametrize(
    ("texts", "format_", "seconds"),
    [
        (["PT30M", "PT125M"], "PTnM", [1800, 7500]),
        (["P1DT2H", "P3D", "PT5H"], "P[nD]T[nH]", [93_600, 259_200, 18_000]),
        (["P1DT2H", "PT0H"], "P[nD]TnH", [93_600, 0]),
        (["PT26H30M", "PT1H", "PT5M"], "PT[nH][nM]", [95_400, 3600, 300]),
        (["P0DT0H30M0S", "P2DT3H0M5S"], "PnDTnHnMnS", [1800, 183_605]),
        (["PT1.5S", "PT0S", "PT1M", "-PT30M"], "PT[nM][nS]", [1.5, 0, 60, -1800]),
        (["P2W", "P1W"], "PnW", [1_209_600, 604_800]),
        (["P1D", "P0D"], "PnD", [86_400, 0]),
    ],
)
def test_durations_are_read_and_written_in_their_form(texts, format_, seconds):
    read = recognise(pa.array(texts))
    assert (read.kind, read.format) == ("duration", format_)
    found, bad = parse(pa.array(texts))
    assert found.tolist() == seconds
    assert not bad.any()
    assert spell(found, format_).to_pylist() == texts


@pytest.mark.parametrize("texts", [["P"], ["PT"], ["P1Y"], ["P1DT"], ["PT30M", "later"], ["PT1M2H"], ["P30M"]])
def test_other_text_is_no_duration(texts):
    assert recognise(pa.array(texts)) is None
    assert parse(pa.array(texts))[1].any()


@given(st.integers(-(10**12), 10**12), st.sampled_from(["P[nD]T[nH][nM][nS]", "PT[nH][nM][nS]", "PnDTnHnMnS", "PTnS"]))
def test_what_is_written_is_read_again(micros, format_):
    seconds = np.array([micros / 1e6, np.nan])
    texts = spell(seconds, format_)
    found, bad = parse(texts)
    assert texts[1].as_py() is None
    assert found[0] == pytest.approx(seconds[0], abs=1e-6)
    assert not bad.any()


@pytest.mark.parametrize("format_", ["%H:%M", "PT", "Pn", "n", "PnD%H", "Person"])
def test_what_is_a_format_of_durations(format_):
    assert not is_format(format_)
    assert is_format("P[nD]T[nH][nM][nS]")
