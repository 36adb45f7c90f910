import pytest

from tuckpoint import examples
from tuckpoint.errors import InputError


def test_the_census_is_small_real_and_attributed():
    people = examples.census()
    assert (people.num_rows, people.num_columns) == (5000, 15)
    assert set(people["income"].to_pylist()) == {"<=50K", ">50K"}
    assert people["occupation"].null_count > 0
    assert "?" not in set(people["workclass"].to_pylist())
    place = examples.path("census")
    assert place.stat().st_size < 150_000
    assert "CC BY 4.0" in place.with_name("census.md").read_text(encoding="utf-8")


def test_another_name_is_refused():
    with pytest.raises(InputError, match='did you mean "census"'):
        examples.path("sensus")
