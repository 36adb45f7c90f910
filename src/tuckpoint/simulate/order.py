"""What one run of `tuckpoint simulate` was asked, as a recipe beside its rows that `tuckpoint run` repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tuckpoint import declared, recipe, settings
from tuckpoint.errors import RecipeError
from tuckpoint.measure.boost import Boosting
from tuckpoint.record import digest_of, tuckpoint_version
from tuckpoint.scene.plain import plain, read
from tuckpoint.schema import Schema
from tuckpoint.simulate.calibrate import Calibration
from tuckpoint.simulate.rows import Request

VERB = "simulate"


@dataclass(frozen=True)
class Named:
    """A file as it was named, relative to the folder the command ran in, and the digest of what it holds.

    Of a simulator the digest is that of all its files, of a table that of its rows. The path is no part of the recipe's
    own digest, since it may tell who the user is.
    """

    path: str
    sha256: str

    def found(self, home: Path) -> Path:
        """Where it lies now: as it was named, or seen from the folder of the recipe. Raises RecipeError if nowhere."""
        for place in (Path(self.path), home / self.path):
            if place.exists():
                return place
        raise RecipeError(f"no {self.path} here, which the recipe starts from; bring it back where it was")


@dataclass(frozen=True)
class Order:
    """Everything that decides the bytes of simulated rows: simulator, real rows, reference, what columns mean, how many
    rows where, how they are made (`Request` as plain values), the seed root.
    """

    simulator: Named
    real: Named
    reference: Named | None
    schema: Mapping[str, Any]
    rows: int
    where: str | None
    request: Mapping[str, Any]
    seed: int = 0
    tuckpoint: str = field(default_factory=tuckpoint_version)

    @property
    def asked(self) -> Request:
        """How rows are made; raises InputError for settings that there are not."""
        given = dict(self.request)
        parts = {"calibration": Calibration, "learner": Boosting}
        held = {name: settings.build(kind, given.pop(name, {})) for name, kind in parts.items()}
        plainly: Request = settings.build(Request, given)
        return Request(held["calibration"], plainly.inputs, plainly.engine, plainly.allowed, held["learner"])

    def means(self) -> Schema:
        """What the columns mean."""
        return Schema.from_dict(self.schema)

    def digest(self) -> str:
        """The hex SHA-256 of the order without paths."""
        told = plain(self)
        for name in ("simulator", "real", "reference"):
            if told[name] is not None:
                del told[name]["path"]
        return digest_of(told)

    def to_yaml(self) -> str:
        """The order as a recipe."""
        return recipe.dumped(VERB, plain(self))


def requested(request: Request) -> dict[str, Any]:
    """A request as the plain values of an order."""
    told: dict[str, Any] = plain(asdict(request))
    return told


def order_of(path: Path) -> Order:
    """The order that a recipe of simulated rows holds; raises RecipeError for one altered, or of another verb."""
    told = recipe.ordered(path, VERB)
    with declared.within(path, RecipeError):
        order = read(Order, told, "recipe")
        assert order.asked
    return order
