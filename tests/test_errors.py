import pytest

from tuckpoint.errors import count, listed


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


def test_of_many_names_the_first_are_told():
    assert listed(["a", "b"]) == "a, b"
    assert listed(f"c{i}" for i in range(1014)).endswith("c10, c11 and 1,002 more")
