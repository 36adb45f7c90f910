from __future__ import annotations

import math
from typing import Any

import pytest
from measure.audits import GUARANTEE, record
from report.assessments import ACCOUNT, public_schema
from report.reader import Reader

from tuckpoint.report.officer_promise import belief, loss, promise, risen


def told(guarantee: dict[str, Any] | None = GUARANTEE, **given: Any) -> str:
    base = {"account": None, "record": record(guarantee), "schema": public_schema()}
    return Reader(promise(guarantee, **{**base, **given}).body).prose


@pytest.mark.parametrize(
    ("epsilon", "said"), [(0.1, "52%"), (1, "73%"), (3, "95%"), (10, "99.995%"), (50, "over 99.9999%")]
)
def test_the_odds_of_an_even_belief(epsilon: float, said: str) -> None:
    assert risen(0.5, epsilon) == pytest.approx(math.exp(epsilon) / (1 + math.exp(epsilon)))
    assert belief(risen(0.5, epsilon)) == said


def test_a_belief_is_never_told_as_certain_nor_moved_without_a_loss() -> None:
    assert all("100" not in belief(risen(prior, loss_)) for prior in (0.01, 0.5, 0.999) for loss_ in (5, 15, 40, 700))
    assert risen(0.01, 0) == pytest.approx(0.01)
    assert belief(0.01) == "1%"
    assert belief(risen(0.01, 1)) == "2.7%"


def test_the_card_is_the_list_that_a_regulator_asks_for() -> None:
    card = told(account=ACCOUNT)
    for part in (
        "Unit: whose presence is hidden one person (at most 1 row of each counted)",
        "Neighbour relation add or remove one unit",
        "ε (privacy loss) of this release 2.4",
        "ε in total for these people 2.9",
        "δ (chance that it fails) 1 × 10⁻⁹",
        "ρ (zCDP) of this release 0.0731",
        "ρ (zCDP) in total 0.105",
        "Rows counted, with noise about 39,000",
        "discrete Gaussian counts",
        "never from the seed",
        "tuckpoint 0.1.0, engine marginals",
        "pair tables 0.04 55%",
    ):
        assert part in card


def test_the_total_is_the_ledgers_and_without_one_it_is_not_known() -> None:
    assert "earlier releases are not counted" in told()
    assert "2.9 (at δ = 1 × 10⁻⁶)" in told(account={**ACCOUNT, "delta": 1e-6})
    assert "not known: the ledger states none" in told(account={"epsilon": None})


def test_words_follow_the_total_not_the_single_release() -> None:
    assert "at most 95% sure" in told(account=ACCOUNT)
    assert "at most 92% sure" in told()
    weak = told({**GUARANTEE, "epsilon": 8.0})
    assert "at most 99.96% sure" in weak
    assert "weak promise by itself" in weak
    assert "weak promise" not in told()
    assert "The chance that this fails is about 1 × 10⁻⁹." in told()


def test_mu_only_where_it_is_stated_and_noise_only_where_it_is_known() -> None:
    assert "μ" not in told()
    assert "μ (Gaussian privacy) 0.382" in told({**GUARANTEE, "mu": 0.382})
    assert "Noise not stated" in told({**GUARANTEE, "mechanism": "something"})


def test_a_guarantee_of_odd_values_is_told_as_not_stated() -> None:
    odd = told({"epsilon": "much", "delta": None, "unit": "", "spent": {"a": "b"}})
    assert "ε (privacy loss) of this release not stated" in odd
    assert "Unit: whose presence is hidden not stated" in odd
    assert "In plain words" not in odd


def test_without_a_guarantee_the_page_says_so_and_claims_nothing() -> None:
    none = told(None)
    assert "No formal guarantee" in none
    assert "Differentially private" not in none
    assert "Without a guarantee this decides nothing" in none


def test_each_column_stands_with_the_origin_of_its_domain() -> None:
    origins = told()
    assert "Public: law or common knowledge age, gain" in origins
    assert "Made anew and not modelled: identifiers, names, free text id (1 column)" in origins
    few = told(named=2)
    assert "and 8 more in the JSON (10 columns)" in few
    assert "Where the domains" not in told(schema=None)


@pytest.mark.parametrize(("value", "said"), [(2.4, "2.4"), (10.0, "10"), (0.0731, "0.0731"), (100.0, "100"), (0, "0")])
def test_losses_end_where_they_end(value: float, said: str) -> None:
    assert loss(value) == said
