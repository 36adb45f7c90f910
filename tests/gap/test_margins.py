import numpy as np
import pytest
from gap.laws import column, law, without

from tuckpoint.errors import InputError
from tuckpoint.gap.margins import Share, Table, beside, load, published, raked, short
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.infer import infer

PLACES = [["a", 0.4], ["b", 0.3], ["c", 0.2], ["d", 0.1]]
TRUE = {
    "shares": [{"where": "age >= 54", "share": 0.5}],
    "tables": [{"columns": ["place"], "rows": PLACES}, {"columns": ["sex"], "rows": [["f", 0.5], ["m", 0.5]]}],
}


def searched(table, data=TRUE):
    schema = infer(table)
    return short(published(data, encode(table, schema), schema))


def test_a_cut_pair_is_found_by_raked_margins_and_says_what_it_assumes():
    table = law(4000)
    found, tested = searched(without(table, (column(table, "place") == "b") & (column(table, "sex") == "f")))
    assert found[0].where == 'place == "b" and sex == "f"'
    assert "no interaction" in found[0].note
    assert tested == 1 + 4 + 2 + 8


def test_a_level_that_no_row_holds_is_short():
    data = {"tables": [{"columns": ["sex"], "rows": [["f", 0.45], ["m", 0.45], ["x", 0.1]]}]}
    assert searched(law(2000), data)[0][0].where == 'sex == "x"'


def test_with_true_margins_a_false_gap_is_rare():
    runs = 100
    false = sum(bool(searched(law(500, 100 + i))[0]) for i in range(runs))
    assert clopper_pearson(false, runs)[0] <= 0.05


def test_a_published_error_counts():
    rows = np.arange(1000) < 70
    sure, unsure = (Share("x == 1", ("x",), 0.1, error, rows) for error in (0.0, 0.02))
    assert short([sure])[0]
    assert not short([unsure])[0]


@pytest.mark.parametrize("error", [0.0, 0.004])
def test_intervals_cover_the_true_ratio(error):
    random, runs, covered = Seed(4).numpy(), 1500, 0
    for _ in range(runs):
        low, high = beside(random.binomial(2000, 0.02), 2000, 0.05 + error * random.normal(), error)
        covered += low <= 0.4 <= high
    assert covered / runs >= 0.945


def test_raking_gives_the_known_joint_and_refuses_contradictions():
    levels = {"x": ["0", "1"], "y": ["0", "1"]}
    first, second = Table(("x",), {("0",): 0.3, ("1",): 0.7}), Table(("y",), {("0",): 0.6, ("1",): 0.4})
    np.testing.assert_allclose(raked([first, second], levels), [[0.18, 0.12], [0.42, 0.28]])
    with pytest.raises(InputError, match="contradict"):
        raked([first, Table(("x",), {("0",): 0.5, ("1",): 0.5})], levels)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"tables": [{"columns": ["sex"], "rows": [["f", 0.5]]}]}, "sum to 0.500"),
        ({"tables": [{"columns": ["sx"], "rows": []}]}, "did you mean"),
        ({"tables": [{"columns": ["age"], "rows": []}]}, "holds numbers"),
        ({"shares": [{"where": "age > 3", "share": 3}]}, "between 0 and 1"),
        ({}, "no share"),
    ],
)
def test_what_cannot_be_read_is_told(data, said):
    with pytest.raises(InputError, match=said):
        searched(law(300), data)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "m.yaml").write_text("shares: []")
    with pytest.raises(InputError, match="tuckpoint_margins"):
        load(tmp_path / "m.yaml")
