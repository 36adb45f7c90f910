"""Everything that tuckpoint raises on purpose.

TuckpointError
 x InputError(ValueError)      the caller's data, argument or recipe is wrong
   + SchemaError               the schema, or the data held against it
   + RecipeError               the recipe file
   + UnknownPart(LookupError)  no part of that kind has that name
   + UnfitScene                a drawn scene cannot be (no free place ...); another draw may
 x ShortSample                 rules or conditions left too few rows; it carries them
 x PrivacyError                a budget is spent, or a step would void a guarantee; never a warning
 x MissingExtra(ImportError)   says which extra to install
 x ToolError                   an outside program failed; carries command and last lines
 x TraceError                  a stamp, ledger or artefact does not match

A message says what happened, what was found, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class TuckpointError(Exception):
    """Root of all errors that tuckpoint raises on purpose."""


class InputError(TuckpointError, ValueError):
    """The caller's data, argument or recipe is wrong."""


class SchemaError(InputError):
    """The schema is wrong, or the data do not fit it."""


class RecipeError(InputError):
    """The recipe file cannot be followed."""


class UnknownPart(InputError, LookupError):
    """No part of that kind has that name."""


class ShortSample(TuckpointError):
    """Rules or conditions left fewer rows than asked; `rows` holds those that were made."""

    def __init__(self, message: str, rows: Any = None) -> None:
        super().__init__(message)
        self.rows = rows


class PrivacyError(TuckpointError):
    """A privacy budget is spent, or a step would void a guarantee."""


class UnfitScene(InputError):
    """A drawn scene cannot be, as where a thing found no free place; another draw may. `why` in a few words."""

    def __init__(self, message: str, *, why: str) -> None:
        super().__init__(message)
        self.why = why


class MissingExtra(TuckpointError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; install it with: pip install 'tuckpoint[{extra}]'")


class ToolError(TuckpointError):
    """An outside program or a worker failed."""


class TraceError(TuckpointError):
    """A stamp, ledger or artefact does not match its content."""


def count(number_of: int, noun: str, plural: str | None = None) -> str:
    """`1 row`, `2 rows`, `48,842 rows`; `plural` where the verb changes too."""
    return f"{number_of:,} {noun if number_of == 1 else plural or noun + 's'}"


def listed(names: Iterable[str], most: int = 12) -> str:
    """`a, b, c`, and of many the first and how many more there are."""
    known = list(names)
    more = f" and {len(known) - most:,} more" if len(known) > most else ""
    return ", ".join(map(str, known[:most])) + more


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean "x"?)` for the closest known name, or an empty string."""
    close = get_close_matches(name, list(known), n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""
