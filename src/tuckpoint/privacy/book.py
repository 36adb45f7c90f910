"""What the entries of a ledger add up to: accounts, their policies, and what was spent of them.

zCDP adds up over releases, also where each is chosen after the last (Bun and Steinke 2016, arXiv 1605.02065), and the
failure chances delta beside it (approximate zCDP, section 8 there). Over parts that no person is in twice it is the
largest that counts. A policy is a filter: it holds whatever was chosen on the way, since no spend is let through that
would pass it (Rogers, Roth, Ullman, Vadhan 2016, arXiv 1605.08294; Feldman and Zrnic 2021, arXiv 2008.11193).
"""

from __future__ import annotations

import math
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache, partial
from typing import NamedTuple

from tuckpoint.errors import InputError, PrivacyError, did_you_mean
from tuckpoint.privacy.account import epsilon_of, positive, rho_of, round_up

LONGEST = 500  # characters of a name or purpose
_GRAIN = 2**128  # amounts with finer denominators are rounded up to multiples of 1 / 2**128


@dataclass(frozen=True)
class Policy:
    """The most that may be spent on the people of an account: `epsilon` at `delta`, all releases together.

    The default is a last line, not a recommendation. Epsilon 10 is the largest for which a guarantee is commonly held
    to mean something without being the only protection (Ponomareva et al. 2023, arXiv 2303.00654), and what the gate
    lets pass to a named partner. Delta 1e-6 is below 1 / (10 n) up to 100,000 people; set a smaller one for more.
    Raises PrivacyError for values that are no budget.
    """

    epsilon: float = 10.0
    delta: float = 1e-6

    def __post_init__(self) -> None:
        positive("epsilon", self.epsilon)
        if not positive("delta", self.delta) < 1:
            raise PrivacyError(f"delta is {self.delta!r}; it is a chance of failure, below 1 / (number of people)")

    def limit(self, delta: Fraction) -> Fraction:
        """The most rho that may be spent beside outright failures of this total chance."""
        rest = self._rest(delta)
        try:
            return Fraction(rho_of(self.epsilon, rest)) if rest else Fraction(0)
        except PrivacyError:  # what is left cannot be counted
            return Fraction(0)

    def epsilon_spent(self, rho: Fraction, delta: Fraction) -> float | None:
        """The epsilon of a total at the delta of the policy, never too small; None if delta is used up."""
        if not rho:
            return 0.0 if delta <= self.delta else None
        rest = self._rest(delta)
        return _epsilon(round_up(rho), rest) if rest else None

    def epsilon_fitting(self, rho: Fraction, delta: Fraction) -> float:
        """The largest epsilon, in three digits, of one more release of at most this rho at the delta that is left."""
        rest = self._rest(delta)
        if not rest or rho < sys.float_info.min:
            return 0.0
        exact = epsilon_of(float(rho), rest)
        grain = 10.0 ** (math.floor(math.log10(exact)) - 2)
        for steps in (round(exact / grain), math.floor(exact / grain), math.floor(exact / grain) - 1):
            shown = float(f"{steps * grain:.3g}")
            if _fits(shown, rest, rho):
                return shown
        return 0.0

    def _rest(self, delta: Fraction) -> float:
        """The delta that is left to turn rho into epsilon, rounded down; 0 if none can be counted."""
        rest = Fraction(self.delta) - delta
        number = round_down(rest)
        return number if number >= sys.float_info.min else 0.0

    def to_dict(self) -> dict[str, float]:
        """Plain values for JSON."""
        return {"epsilon": self.epsilon, "delta": self.delta}


class Holder(NamedTuple):
    """Who an account is about: a population, and what one person is in it (a column, or `row`)."""

    population: str
    unit: str

    def __str__(self) -> str:
        return f'"{self.population}" per {self.unit}'


@dataclass(frozen=True)
class Spend:
    """A reservation and, once it is closed, what was really spent of it; `rho` and `delta` are what counts now.

    `number` and `digest` are those of its entry. `source` is the SHA-256 of the table, `people` the keyed digest of the
    set of units, `model` the digest of what was fitted. Without `closed` (a time) it counts in full: the run still
    works, or has crashed.
    """

    number: int
    digest: str
    time: str
    holder: Holder
    part: str | None
    rho: Fraction
    delta: Fraction
    mechanism: str
    columns: tuple[str, ...]
    who: str
    purpose: str
    source: str | None
    people: str | None
    model: str | None = None
    closed: str | None = None


@dataclass(frozen=True)
class Draw:
    """Rows drawn from a fitted model: free, since the noise is in the model already."""

    number: int
    time: str
    holder: Holder
    spend: int
    model: str
    rows: int
    who: str
    purpose: str


@dataclass(frozen=True)
class Change:
    """Something about an account that is no spend: opened, policy changed, shared, parts declared."""

    number: int
    time: str
    kind: str
    holders: tuple[Holder, ...]
    text: str
    who: str
    why: str


@dataclass
class Book:
    """All accounts, as the entries so far make them; `key` is for digests of people."""

    key: bytes = b""
    policies: dict[Holder, Policy] = field(default_factory=dict)  # by the first holder of each account
    first: dict[Holder, Holder] = field(default_factory=dict)  # holder -> first holder of its account
    parts: dict[Holder, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    spends: dict[int, Spend] = field(default_factory=dict)
    draws: list[Draw] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def holders(self, holder: Holder) -> tuple[Holder, ...]:
        """All that share the account of this one, in the order in which they were opened."""
        return tuple(other for other, first in self.first.items() if first == self.first[holder])

    def policy(self, holder: Holder) -> Policy:
        """What may be spent on an account."""
        return self.policies[self.first[holder]]

    def partition(self, holder: Holder, part: str) -> str:
        """The name of the partition that a part belongs to; raises PrivacyError if none was declared."""
        for name, parts in self.parts[holder].items():
            if part in parts:
                return name
        known = [part for parts in self.parts[holder].values() for part in parts]
        there = f"declared are: {', '.join(known)}" if known else "none was declared"
        raise PrivacyError(
            f'population {holder} has no part "{part}"{did_you_mean(part, known)}; {there}. Parts count once only if '
            "they were declared disjoint before anything is spent on them: tuckpoint ledger partition"
        )

    def check(self, holder: Holder) -> None:
        """Raise InputError if there is no such account."""
        if holder in self.first:
            return
        units = [other.unit for other in self.first if other.population == holder.population]
        if units:
            raise InputError(f'population "{holder.population}" is accounted per {", ".join(units)}; use --unit')
        known = [other.population for other in self.first]
        raise InputError(
            f'no account of population "{holder.population}"{did_you_mean(holder.population, known)}; '
            "open one: tuckpoint ledger policy"
        )

    def of(self, holder: Holder) -> list[Spend]:
        """Everything spent on an account."""
        first = self.first[holder]
        return [spend for spend in self.spends.values() if self.first[spend.holder] == first]

    def total(self, spends: Iterable[Spend]) -> tuple[Fraction, Fraction]:
        """What spends on one account come to, in rho and delta: sums, and of disjoint parts the largest."""
        spends = list(spends)
        return self._added(spends, lambda spend: spend.rho), self._added(spends, lambda spend: spend.delta)

    def _added(self, spends: Sequence[Spend], amount: Callable[[Spend], Fraction]) -> Fraction:
        whole = Fraction(0)
        split: dict[tuple[Holder, str], dict[str, Fraction]] = defaultdict(partial(defaultdict, Fraction))
        for spend in spends:
            if spend.part is None:
                whole += amount(spend)
            else:
                split[spend.holder, self.partition(spend.holder, spend.part)][spend.part] += amount(spend)
        return whole + sum((max(parts.values()) for parts in split.values()), Fraction(0))

    def left(self, holder: Holder, part: str | None = None) -> Fraction:
        """The rho that may still be spent on an account, or on a part."""
        spends = self.of(holder)
        rho, delta = self.total(spends)
        limit = self.policy(holder).limit(delta)
        if rho > limit:
            return Fraction(0)
        if part is not None:
            others = set(self.parts[holder][self.partition(holder, part)]) - {part}
            rho, _ = self.total(spend for spend in spends if spend.holder != holder or spend.part not in others)
        return limit - rho


def exact(name: str, value: float | Fraction) -> Fraction:
    """An amount without rounding, or rounded up if its denominator is beyond 2**128.

    Raises PrivacyError for NaN, infinite, negative and subnormal amounts, which would vanish in sums.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        raise PrivacyError(f"{name} is {value!r}; an amount is a number")
    if value == 0:
        return Fraction(0)
    try:
        positive(name, value)
    except OverflowError:
        raise PrivacyError(f"{name} is beyond all numbers; an amount is finite") from None
    number = Fraction(value)
    return number if number.denominator <= _GRAIN else Fraction(math.ceil(number * _GRAIN), _GRAIN)


def round_down(value: Fraction) -> float:
    """The largest float that is not above the value."""
    number = float(value)
    return number if Fraction(number) <= value else math.nextafter(number, -math.inf)


def text(what: str, value: str, *, empty: bool = False) -> str:
    """A name or purpose as it is kept; raises InputError if it is empty, too long or could not be shown on a line."""
    value = value.strip()
    if not value and not empty:
        raise InputError(f"{what} is empty; say it")
    odd = [mark for mark in value if unicodedata.category(mark) in {"Cc", "Cs", "Zl", "Zp"}]
    if odd or len(value) > LONGEST:
        raise InputError(f"{what} {value[:40]!r}: give one line of at most {LONGEST} characters")
    return value


def alike(name: str) -> str:
    """What names that a reader would take for one another have in common."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


@lru_cache(maxsize=1024)
def _epsilon(rho: float, delta: float) -> float:
    return epsilon_of(rho, delta)


def _fits(epsilon: float, delta: float, rho: Fraction) -> bool:
    try:
        return Fraction(rho_of(epsilon, delta)) <= rho
    except PrivacyError:
        return False
