"""Offsets of zones agree with the standard library, and are written and read back."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuckpoint.errors import SchemaError
from tuckpoint.table.zones import PLACES, offset, offsets_at, offsets_of, written


@given(st.datetimes(dt.datetime(1975, 1, 1), dt.datetime(2036, 12, 30)), st.sampled_from(PLACES))
def test_offsets_at_a_moment(at, place):
    at = at.replace(microsecond=0, tzinfo=dt.UTC)
    expected = at.astimezone(ZoneInfo(place)).utcoffset()
    found = offsets_at(np.array([at.timestamp()]), place)
    assert found.tolist() == [expected.total_seconds()]
    assert offsets_of(written(found)).tolist() == found.tolist()


@pytest.mark.parametrize(
    ("zone", "seconds"), [("+02:00", 7200), ("-0330", -12_600), ("+02", 7200), ("UTC", 0), (None, 0)]
)
def test_fixed_offsets(zone, seconds):
    assert offset(zone) == seconds
    assert offsets_at(np.zeros(2), zone).tolist() == [seconds] * 2


def test_offsets_as_text():
    assert written(np.array([7200, -12_600, 0, 7200])).to_pylist() == ["+02:00", "-03:30", "+00:00", "+02:00"]
    assert offsets_of(pa.array(["+0200", "Z", "-03:30"])).tolist() == [7200, 0, -12_600]


def test_an_unknown_zone_is_named():
    with pytest.raises(SchemaError, match="unknown time zone"):
        offsets_at(np.zeros(1), "Nowhere/At_All")
