"""The thresholds of the gate, each with its reason: what the house that answers for the data may change."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import cast

from tuckpoint import declared, settings
from tuckpoint.errors import InputError


@dataclass(frozen=True)
class Policy:
    """Thresholds of the gate; frozen, written into every verdict, and loaded from YAML where a house has its own.

    `public_epsilon` (3): largest total privacy loss of data that anybody may have. A belief of 50 % that someone is in
    the data then rises to 95 % at most (73 % with 1). Ponomareva et al. 2023 (arXiv 2303.00654, section 5) call
    epsilon up to 1 strong and up to 10 reasonable if something else speaks for it; 3 lies between, for what can never
    be called back.
    `partner_epsilon` (10): the same for one named recipient under contract: the upper end of that second range. More
    counts as no guarantee.
    `delta_people` (10): delta may be at most 1 / (this x number of people). A delta near 1 / (number of people) permits
    publishing whole records of a few people (Dwork and Roth 2014, section 2.3).
    `power` (0.8): share of trials in which the audit must have found some tried number of copied rows, or its silence
    says little; the customary least power of a study (Cohen 1988).
    `valid_days` (365): how long an approval may stand. Attacks get better: the ICO's guidance on anonymisation (2025)
    asks for regular review.
    `public_needs_ledger` (false): whether publication needs the total from a ledger, which counts earlier releases
    about the same people. Without a ledger only this release is counted, and the verdict says so.

    Upper bounds of attacks stand with the attacks, in `measure/limits.py`. Raises InputError for impossible values.
    """

    public_epsilon: float = 3.0
    partner_epsilon: float = 10.0
    delta_people: float = 10.0
    power: float = 0.8
    valid_days: int = 365
    public_needs_ledger: bool = False

    def __post_init__(self) -> None:
        for name in ("public_epsilon", "partner_epsilon", "delta_people", "valid_days"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"policy: {name} is {value!r}; give a number above 0")
        if not 0 <= self.power <= 1:
            raise InputError(f"policy: power is {self.power!r}; give a share from 0 to 1")
        if self.public_epsilon > self.partner_epsilon:
            raise InputError(
                f"policy: public_epsilon {self.public_epsilon:g} is above partner_epsilon {self.partner_epsilon:g}: "
                "what everybody may have a partner may have too; lower the first or raise the second"
            )

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """Read a policy: a YAML mapping of some of the thresholds; the others keep their defaults.

        Raises InputError for a file that is missing or no YAML, and for entries that are unknown or of a wrong type.
        """
        known = ", ".join(item.name for item in fields(cls))
        data = declared.read(path, do=f"a policy is a mapping of thresholds: {known}")
        with declared.within(path):
            return cast(Policy, settings.build(cls, data))
