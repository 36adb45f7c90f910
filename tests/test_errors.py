import pytest

from tuckpoint.errors import count


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ("0 rows", (0, "row")),
        ("1 row", (1, "row")),
        ("48,842 rows", (48_842, "row")),
        ("1 person names", (1, "person names", "people name")),
        ("2 people name", (2, "person names", "people name")),
    ],
)
def test_what_is_counted_agrees_with_its_number(told, asked):
    assert count(*asked) == told
