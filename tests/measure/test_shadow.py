from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from measure.tables import SCHEMA, people
from scipy.stats import fisher_exact

from tuckpoint.errors import InputError
from tuckpoint.measure import shadow as module
from tuckpoint.measure.exchange import Hits
from tuckpoint.measure.shadow import (
    Counted,
    Refit,
    affordable,
    choose,
    counted,
    halves,
    least_epsilon,
    shadow,
    surprise,
    targets,
)
from tuckpoint.seed import Seed

REAL = people(200, 1)


def showing(chance_with: float, chance_without: float, row: int) -> Refit:
    """A maker that copies the row, which it holds in memory, with one chance if it was there and another if not."""
    email = REAL["email"][row].as_py()

    def refit(table: pa.Table, seed: Seed) -> pa.Table:
        random = seed.numpy()
        there = email in table["email"].to_pylist()
        made = people(60, seed.integer() % 2**31)
        shown = random.random() < (chance_with if there else chance_without)
        return pa.concat_tables([made, REAL.slice(row, 1)]) if shown else made

    return refit


def test_a_maker_that_copies_its_people_is_found_out() -> None:
    (finding,) = shadow(showing(1.0, 0.0, 7), targets(REAL, [3, 7]), SCHEMA, seed=Seed(0), fits=80)
    assert finding.criterion == "worst case"
    assert finding.score.subject == ("row 8",)
    assert finding.score.value == 1.0
    assert finding.score.reference == 0.0
    assert finding.score.passed is False
    assert finding.p == pytest.approx(2 / math.comb(40, 20))  # two targets
    alpha = module.LEVEL / 2
    bound = (alpha / 2) ** (1 / 20)
    assert finding.epsilon == pytest.approx(math.log(bound / (1 - bound)))


def test_a_maker_that_looks_at_nobody_is_let_pass() -> None:
    (finding,) = shadow(showing(0.5, 0.5, 7), targets(REAL, [3, 7]), SCHEMA, seed=Seed(0), fits=80)
    assert finding.score.passed is True
    assert finding.p is not None
    assert finding.p > 0.05
    assert finding.epsilon == 0.0


def test_a_planted_canary_is_a_target_too() -> None:
    canary = REAL.slice(9, 1)
    whom = targets(REAL.slice(0, 9), [], canary=canary)
    assert whom.names == ("canary",)
    (finding,) = shadow(showing(1.0, 0.0, 9), whom, SCHEMA, seed=Seed(0), fits=40)
    assert finding.score.subject == ("canary",)
    assert finding.p is not None
    assert finding.p < 1e-4


def test_every_fit_holds_half_of_the_targets_and_every_target_stands_in_half_of_the_fits() -> None:
    inside = halves(40, 7, Seed(0))
    assert inside.shape == (40, 7)
    assert (inside[:20].sum(axis=0) == 10).all()
    assert (inside[20:].sum(axis=0) == 10).all()
    assert len({tuple(column) for column in inside.T}) == 7
    assert (inside != halves(40, 7, Seed(1))).any()


def test_refits_get_all_rows_but_the_targets_that_are_away() -> None:
    seen: list[tuple[int, set[str]]] = []
    gone = {REAL["email"][row].as_py() for row in (3, 7)}

    def refit(table: pa.Table, seed: Seed) -> pa.Table:
        emails = set(table["email"].to_pylist())
        seen.append((table.num_rows, gone & emails))
        return people(20, seed.integer() % 2**31)

    shadow(refit, targets(REAL, [3, 7]), SCHEMA, seed=Seed(0), fits=8)
    assert len(seen) == 9  # one to see how long it takes
    assert all(rows == 198 + len(there) for rows, there in seen)
    assert sum(len(there) for _, there in seen[1:]) == 8  # each of the two in half of eight fits


def test_all_rows_of_a_person_go_together() -> None:
    visits = pa.concat_tables([REAL, REAL.slice(7, 1), REAL.slice(7, 1)])
    whom = targets(visits, [7, 201], person="email")
    assert whom.names == ("row 8",)
    assert whom.people[0].num_rows == 3
    assert whom.others.num_rows == 199
    assert whom.table([True]).num_rows == 202
    assert targets(visits, [7, 201]).others.num_rows == 200


def test_the_event_is_the_one_that_tells_most() -> None:
    inside = np.arange(20) % 2 == 0
    distances = np.tile(np.linspace(1, 2, 20)[:, None], (1, 3))
    distances[:, 1] = np.where(inside, 5.0, 1.0)  # with the target the second nearest lies farther away
    event = choose(distances, inside)
    assert (event.neighbour, event.near) == (1, False)
    assert event.seen(distances).tolist() == inside.tolist()


def test_the_event_is_chosen_on_the_first_half_and_counted_on_the_second() -> None:
    inside = np.tile([True, False], 20)
    distances = np.where(inside, 0.0, 1.0)[:, None]
    distances[20:] = 1 - distances[20:]  # what was learnt is wrong afterwards
    counts = counted(distances, inside)
    assert counts.hits == Hits(0, 10, 10, 10)


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
@pytest.mark.parametrize("sure", ["present", "absent"])
def test_the_least_loss_is_never_more_than_the_true_one(epsilon: float, sure: str) -> None:
    random = np.random.default_rng(int(10 * epsilon))
    base = 0.1
    chances = (base * math.exp(epsilon), base) if sure == "present" else (1 - base, 1 - base * math.exp(epsilon))
    over = 0
    for _ in range(2000):
        hits = Hits(int(random.binomial(60, chances[0])), 60, int(random.binomial(60, chances[1])), 60)
        over += least_epsilon(Counted(hits, sure), delta=0.0, alpha=0.05) > epsilon  # type: ignore[arg-type]
    assert over / 2000 <= 0.05 + 6 * math.sqrt(0.05 * 0.95 / 2000)


def test_the_least_loss_is_a_closed_form_where_the_event_is_certain() -> None:
    counts = Counted(Hits(25, 25, 0, 25), "present")
    low = 0.025 ** (1 / 25)
    assert least_epsilon(counts, delta=0.0, alpha=0.05) == pytest.approx(math.log(low / (1 - low)))
    assert least_epsilon(counts, delta=0.1, alpha=0.05) == pytest.approx(math.log((low - 0.1) / (1 - low)))
    assert least_epsilon(counts, delta=1.0, alpha=0.05) == 0.0
    assert least_epsilon(Counted(Hits(0, 25, 0, 25), "present"), delta=0.0, alpha=0.05) == 0.0


def test_surprise_is_fishers_and_falls_with_what_is_allowed() -> None:
    counts = Counted(Hits(20, 25, 4, 25), "present")
    assert surprise(counts, allowed=0.0, delta=0.0) == pytest.approx(
        fisher_exact([[20, 5], [4, 21]], alternative="greater")[1]
    )
    found = [surprise(counts, allowed=allowed, delta=0.0) for allowed in (0.1, 0.5, 1.0, 3.0)]
    assert found == sorted(found)
    assert found[-1] == 1.0
    at = surprise(counts, allowed=0.5, delta=0.0)
    assert least_epsilon(counts, delta=0.0, alpha=at) == pytest.approx(0.5, abs=0.01)


def test_what_a_claim_allows_is_no_finding() -> None:
    def p(allowed: float) -> float:
        whom = targets(REAL, [7])
        (finding,) = shadow(showing(0.6, 0.25, 7), whom, SCHEMA, seed=Seed(2), fits=160, allowed=allowed)
        assert finding.p is not None
        return finding.p

    assert p(0.0) < 0.01
    assert p(math.log(0.6 / 0.25)) > 0.05


def test_few_seconds_buy_many_fits_and_a_slow_fit_none() -> None:
    assert affordable(0.01) == 200
    assert affordable(1.0) == 120
    assert affordable(4.9) == 40
    assert affordable(5.1) == 0


def test_a_slow_generator_is_left_out_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOWEST_S", 0.0)
    (finding,) = shadow(showing(1.0, 0.0, 7), targets(REAL, [7]), SCHEMA, seed=Seed(0))
    assert finding.score.value is None
    assert "over 0 s" in finding.score.why
    assert finding.p is None
    assert finding.epsilon is None


def test_nobody_exposed_says_why() -> None:
    (finding,) = shadow(showing(1.0, 0.0, 7), targets(REAL, []), SCHEMA, seed=Seed(0))
    assert "no record stands out" in finding.score.why


def test_progress_is_told() -> None:
    told: list[str] = []
    tell: Callable[[str, float], None] = lambda what, share: told.append(what)  # noqa: E731
    shadow(showing(1.0, 0.0, 7), targets(REAL, [7]), SCHEMA, seed=Seed(0), fits=8, progress=tell)
    assert told == [f"shadow model {number} of 8" for number in range(1, 9)]


@pytest.mark.parametrize("fits", [4, 10])
def test_fits_that_cannot_be_halved_are_refused(fits: int) -> None:
    with pytest.raises(InputError, match="multiple of four"):
        shadow(showing(1.0, 0.0, 7), targets(REAL, [7]), SCHEMA, seed=Seed(0), fits=fits)


def test_rows_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match="row 201 is no row of the training table, which has 200"):
        targets(REAL, [200])
