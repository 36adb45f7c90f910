"""A measured number that never travels bare: value, interval, sample size, reference and direction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Better = Literal["lower", "higher", "reference", "none"]


@dataclass(frozen=True)
class Score:
    """One measured number with what is needed to read it.

    `low` and `high` bound a 95 % interval (None where no interval passed its coverage test); `reference` is the
    value that real data reach under the same conditions and `reference_is` says what it was computed on.
    `better` is the direction of improvement; "reference" means the closer to the reference the better, "none" that the
    number is shown but decides nothing. `passed` is None for a score that carries no verdict.
    A score that could not be computed has `value` None and says `why`. `allowed` tells what would pass, in words;
    `advice` what is wrong and what to look at, `remedy` what whoever made the rows can do about it.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    better: Better = "lower"
    reference: float | None = None
    reference_is: str = ""
    subject: tuple[str, ...] = ()
    passed: bool | None = None
    why: str = ""
    advice: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    allowed: str = ""
    remedy: str = ""

    def __post_init__(self) -> None:
        if self.value is None and not self.why:
            raise ValueError(f"score {self.name!r} has no value and does not say why")
        for name in ("value", "low", "high", "reference"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise ValueError(f"score {self.name!r}: {name} is {number}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"subject": list(self.subject), "detail": dict(self.detail)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Score:
        """The score that `to_dict` wrote."""
        return cls(**{**data, "subject": tuple(data.get("subject", ()))})
