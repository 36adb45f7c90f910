"""Synthetic training data: find the gap, make what fills it, prove what it bought."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuckpoint.outcome import Fitted as Fitted
    from tuckpoint.outcome import Made as Made
    from tuckpoint.outcome import Measured as Measured
    from tuckpoint.outcome import load as load
    from tuckpoint.outcome import save as save
    from tuckpoint.recipe import Recipe as Recipe
    from tuckpoint.record import Record as Record
    from tuckpoint.report.pages import pages_of as pages_of
    from tuckpoint.run import complete as complete
    from tuckpoint.run import evaluate as evaluate
    from tuckpoint.run import fit as fit
    from tuckpoint.run import make as make
    from tuckpoint.run import profile as profile
    from tuckpoint.run import repeat as repeat
    from tuckpoint.run import rules_in as rules_in
    from tuckpoint.run import sample as sample
    from tuckpoint.run import with_rules as with_rules
    from tuckpoint.schema import Column as Column
    from tuckpoint.schema import Domain as Domain
    from tuckpoint.schema import Schema as Schema
    from tuckpoint.score import Score as Score
    from tuckpoint.seed import Seed as Seed

# No name here may be that of a module: importing the module would replace it.
_PLACES = {
    "make": "run",
    "profile": "run",
    "fit": "run",
    "sample": "run",
    "complete": "run",
    "evaluate": "run",
    "repeat": "run",
    "load": "outcome",
    "save": "outcome",
    "rules_in": "run",
    "with_rules": "run",
    "pages_of": "report.pages",
    "Made": "outcome",
    "Fitted": "outcome",
    "Measured": "outcome",
    "Recipe": "recipe",
    "Record": "record",
    "Schema": "schema",
    "Column": "schema",
    "Domain": "schema",
    "Score": "score",
    "Seed": "seed",
}
# Verbs of the command line whose names are modules, and what they are called here.
_CALLED = {"measure": "evaluate", "schema": "profile", "rules": "rules_in", "run": "repeat"}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(f"tuckpoint.{_PLACES[name]}"), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("tuckpoint")
    hint = f"; `tuckpoint {name}` is called tuckpoint.{_CALLED[name]} in Python" if name in _CALLED else ""
    raise AttributeError(f"module 'tuckpoint' has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return sorted({*_PLACES, "__version__", *globals()})
