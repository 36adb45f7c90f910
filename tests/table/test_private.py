"""What private engines do alike, asked of one that only counts rows."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from tuckpoint.errors import InputError, PrivacyError
from tuckpoint.privacy.account import Account, gaussian_cost, gaussian_variance
from tuckpoint.table import private
from tuckpoint.table.counting import count_singles
from tuckpoint.table.engine import Context, Encoded, Field

REAL = Encoded(
    (Field("x", ("a", "b"), provenance="public"),), {"x": np.array([0] * 30 + [1] * 10, np.int32)}, np.arange(40) // 4
)


@dataclass(frozen=True)
class Asked:
    """The settings that every private engine has."""

    name: ClassVar[str] = "asked"
    epsilon: float = 1.0
    delta: float = 1e-6
    unit: str = "person"
    rows_per_person: int = 2
    bins: int = 16
    cells: int = 256


@dataclass
class Rows:
    """Counts, and makes no nodes."""

    kept: Encoded
    most: int
    account: Account

    def nodes(self):
        half = self.account.left / 2
        self.singles = count_singles(
            self.kept, self.account, rows_rho=half, columns_rho=half, most=self.most, cells=256
        )
        return ()


def fitted(asked=None, context=None, real=REAL):
    begun = []
    model = private.fit(
        asked or Asked(), real, context or Context(), lambda *told: begun.append(Rows(*told)) or begun[0],
        cells=7, mechanism="counts",
    )  # fmt: skip
    return model, begun[0]


def test_rows_of_people_are_bounded_and_each_is_charged_for_as_many():
    model, begun = fitted()
    assert begun.most == 2
    assert np.bincount(begun.kept.person).tolist() == [2] * 10
    half = begun.account.rho / 2
    assert begun.account.spent["number of rows"] == gaussian_cost(gaussian_variance(half, 2), 2)
    assert model.guarantee.unit == "one person (at most 2 rows of each counted)"
    assert model.guarantee.rows == round(begun.singles.total)
    assert model.guarantee.rho == pytest.approx(float(begun.account.total))
    assert (model.engine, model.cells) == ("asked", begun.singles.cells)


def test_where_each_row_is_another_person_all_rows_stay():
    model, begun = fitted(Asked(unit="row"))
    assert begun.kept is REAL
    assert begun.most == 1
    assert model.guarantee.unit == "one row"


def test_an_account_that_is_open_already_pays():
    account = Account.open(0.5, 1e-7)
    model, begun = fitted(context=Context(account=account))
    assert begun.account is account
    assert model.guarantee.epsilon <= 0.5


def test_without_columns_nothing_is_spent_or_counted():
    model, _ = fitted(real=Encoded((), {}))
    assert (model.guarantee.epsilon, model.guarantee.rows, model.cells) == (0.0, None, 7)


def test_a_domain_from_the_data_is_refused_before_anything_is_begun():
    leaky = Encoded((Field("x", ("a", "b")),), REAL.columns)
    with pytest.raises(PrivacyError, match="'x'"):
        private.fit(Asked(), leaky, Context(), Rows, cells=7, mechanism="counts")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"epsilon": 0.0}, PrivacyError), ({"delta": 1.0}, PrivacyError), ({"unit": "house"}, PrivacyError),
        ({"rows_per_person": 0}, InputError), ({"bins": 65}, InputError), ({"cells": 1.5}, InputError),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_kept_are_refused(wrong, error):
    private.check_settings(Asked())
    with pytest.raises(error):
        private.check_settings(Asked(**wrong))


def test_further_settings_have_ranges_of_their_own():
    private.check_settings(Asked(), bins=(16, 16))
    with pytest.raises(InputError, match="bins is 16; use a whole number in 17"):
        private.check_settings(Asked(), bins=(17, 20))
