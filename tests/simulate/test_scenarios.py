from itertools import combinations, product

import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.seed import Seed
from tuckpoint.simulate.operating import domain
from tuckpoint.simulate.scenarios import broken, suite


def uniform(*levels):
    return domain({"factors": {f"f{k}": [f"l{j}" for j in range(n)] for k, n in enumerate(levels)}})


def brute(asked, ways):
    """Valid full rows by enumeration, and the combinations in them."""
    every = np.array(list(product(*(range(one.size) for one in asked.factors))))
    valid = every[~broken(asked, every)]
    return {
        (chosen, tuple(row[list(chosen)].tolist()))
        for chosen in combinations(range(len(asked.factors)), ways)
        for row in valid
    }


@pytest.mark.parametrize(("levels", "ways"), [((3, 3, 3, 3), 2), ((2, 3, 4, 5), 3), ((4, 2, 3), 1), ((2, 2), 2)])
def test_every_combination_is_in_some_row(levels, ways):
    asked = uniform(*levels)
    made = suite(asked, ways, Seed(0))
    held = {(c, tuple(row[list(c)].tolist())) for c in combinations(range(len(levels)), ways) for row in made.rows}
    assert held == brute(asked, ways)
    assert made.covered == made.valid == len(held)
    assert made.bound == int(np.prod(sorted(levels)[-ways:]))
    assert made.bound <= len(made.rows) <= 1.5 * made.bound + 3


FACTORS = {"a": ["0", "1", "2"], "b": ["0", "1"], "c": ["0", "1", "2"], "d": ["0", "1"], "e": [0, 1, 2, 3]}
INVALID = ['a == "2" and b == "1"', 'a == "2" and b == "0" and c == "1"', 'd == "1" and e > 1', 'd == "0" and c == "2"']


@pytest.mark.parametrize("ways", [1, 2, 3])
def test_what_cannot_be_is_found_exactly_and_only_the_rest_is_covered(ways):
    asked = domain({"factors": FACTORS, "invalid": INVALID})
    made = suite(asked, ways, Seed(3))
    feasible = brute(asked, ways)
    total = sum(int(np.prod([asked.factors[f].size for f in c])) for c in combinations(range(5), ways))
    assert not broken(asked, made.rows).any()
    assert {(c, tuple(row[list(c)].tolist())) for c in combinations(range(5), ways) for row in made.rows} == feasible
    assert made.valid == made.covered == len(feasible)
    assert len(made.infeasible) == total - len(feasible)
    assert not {(one.factors, one.levels) for one in made.infeasible} & feasible


def test_what_forbids_a_combination_is_told_also_if_several_do_it_together():
    asked = domain({"factors": FACTORS, "invalid": INVALID})
    why = {(one.factors, one.levels): one.constraints for one in suite(asked, 2, Seed(0)).infeasible}
    assert why[(0, 1), (2, 1)] == (INVALID[0],)
    assert why[(0, 2), (2, 1)] == (INVALID[0], INVALID[1])  # neither b == 0 nor b == 1 is left
    assert why[(2, 4), (2, 2)] == (INVALID[2], INVALID[3])  # c == 2 needs d == 1, which e > 1 forbids


def test_rows_at_hand_are_completed_and_not_repeated():
    asked = domain({"factors": FACTORS, "invalid": INVALID})
    whole = suite(asked, 2, Seed(0))
    half = whole.rows[: len(whole.rows) // 2]
    more = suite(asked, 2, Seed(1), have=half)
    assert 0 < more.before < more.valid
    assert more.covered == more.valid
    assert len(more.rows) < len(whole.rows)
    assert len(suite(asked, 2, Seed(1), have=whole.rows).rows) == 0
    wrong = np.array([[2, 1, 0, 0, 0]])
    assert suite(asked, 2, Seed(1), have=wrong).before == 0  # it breaks a constraint
    unknown = np.array([[0, -1, 0, -1, -1]])
    assert suite(asked, 2, Seed(1), have=unknown).before == 1


def test_the_same_seed_gives_the_same_rows():
    asked = uniform(3, 3, 3, 3, 3)
    first, again, other = (suite(asked, 2, Seed(key)).rows for key in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_cannot_be_covered_is_refused():
    with pytest.raises(InputError, match="give 1 to 2"):
        suite(uniform(2, 2), 3, Seed(0))
    with pytest.raises(InputError, match="leave no row at all"):
        suite(domain({"factors": {"a": ["x", "y"]}, "invalid": ['a == "x"', 'a == "y"']}), 1, Seed(0))
    with pytest.raises(InputError, match="take fewer ways"):
        suite(uniform(*[30] * 20), 3, Seed(0))
