"""Domains that nobody wrote down, estimated privately: ranges of numbers and levels of categories, each at a price.

A domain with provenance `dp` and without values asks for it. Together the estimates cost 3 % of rho a column, at most
15 %, in equal parts; each is exact integer noise on counts that one person moves by at most `rows`.

Ranges   Counts of values by sign and power of two, then of 16 equal cells of the range that those show; what no
         count shows above the noise is left out, and such values are clipped.
Levels   Counts of the levels that occur; those at or above a threshold are told (Korolova et al. 2009, WWW;
         Bun, Nissim, Stemmer 2016, ITCS), in place of all others stands the level `other`. With discrete Gaussian
         noise N a person's own levels pass with probability at most max(P[N >= T - rows], rows P[N >= T - 1]) (a
         person brings one level up to `rows` times or up to `rows` levels once; the tail is convex, so nothing
         between is worse), which `threshold` holds below the delta that is charged. P[N >= t] is bounded by the
         continuous tail at t - 1 (Canonne, Kamath, Steinke 2020, proposition 25).
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tuckpoint.errors import PrivacyError
from tuckpoint.privacy import noise
from tuckpoint.privacy.account import Account, gaussian_cost, gaussian_variance
from tuckpoint.schema import NUMERIC, Column, Domain, Schema
from tuckpoint.table.decode import RARE, storage_type
from tuckpoint.table.encode import OTHER
from tuckpoint.table.engine import Encoded
from tuckpoint.table.identify import KINDS
from tuckpoint.table.moments import DAY
from tuckpoint.table.restrict import from_steps, to_steps
from tuckpoint.table.words import in_order

Counts = NDArray[np.int64]

COLUMN, ALL = Fraction(3, 100), Fraction(15, 100)  # of rho: for one estimated column, and at most for all
FAILURE = 0.1  # of delta: for the thresholds of levels, if any are estimated
_BITS = 51  # numbers beyond 2**51 steps of their last decimal are clipped: a grid holds no more
_CELLS = 16  # more see less of thin tails
# Standard deviations: of a power of two alone, beside another, beside zero, of a tail of cells.
_SURE, _LIKELY, _SIGN, _SEEN = 5.0, 1.5, 3.0, 2.5
_STRANGE = 0.1  # standard deviations that a power of two must show more for each power that it is off the usual
_DATES, _NANOSECONDS = (-719_162, 2_932_896), (-106_751, 106_751)  # days: years 1 to 9999, and what 64 bits hold
_SSN = "000-99-9999"  # never issued as it stands
_TRUTHS = {"false", "true"}


def private_schema(schema: Schema) -> Schema:
    """The schema for a private run from one that was read off the rows: what the rows told is taken out.

    Every domain from data becomes an empty `dp` one, which a fit estimates at a price; every column may be missing; no
    notes and no steps; identifiers and texts lose their share of missing values, number of words and characters left
    out. Names, kinds, storage, units, decimals, spellings and lengths of keys stay: whoever runs it vouches that they
    are public.
    """
    return replace(schema, columns=tuple(_blank(column) for column in schema.columns))


def check_domains(schema: Schema) -> None:
    """Raise PrivacyError naming the modelled columns whose domain came from the data, or is not there."""
    modelled = [column for column in schema.columns if column.modelled and not _whole_boolean(column)]
    leaks = [column.name for column in modelled if column.domain is None or column.domain.provenance == "data"]
    if leaks:
        raise PrivacyError(
            f"no privacy can be promised: the domain of {', '.join(map(repr, leaks))} was read off the real rows. In "
            "schema.yaml give each, from law or knowledge and not from this table, its low and high or its levels "
            "with provenance public (anyone may know them) or expert (yours); or write only provenance: dp, and it is "
            "estimated at a price in privacy"
        )
    for column in modelled:
        if column not in unknown(schema) and not _complete(column):
            what = "low and high" if column.kind in NUMERIC else "levels"
            raise PrivacyError(
                f'column "{column.name}" has no {what} in its domain; write them in schema.yaml, or provenance: dp '
                "without them to have them estimated at a price in privacy"
            )


def unknown(schema: Schema) -> tuple[Column, ...]:
    """The modelled columns whose domain asks to be estimated."""
    return tuple(
        column
        for column in schema.columns
        if column.modelled
        and column.domain is not None
        and column.domain.provenance == "dp"
        and not _complete(column)
        and not _whole_boolean(column)
    )


def open_account(schema: Schema, epsilon: float, delta: float) -> Account:
    """The account of a whole private fit: a part of delta is set aside if levels are to be estimated."""
    levels = any(column.kind not in NUMERIC for column in unknown(schema))
    return Account.open(epsilon, delta, failure=FAILURE * delta if levels else 0.0)


def estimate(real: Encoded, schema: Schema, account: Account, rows: int) -> tuple[Schema, tuple[str, ...]]:
    """The schema with every domain filled in, and sentences that tell what was estimated.

    `real` are the bounded rows as read, of which one unit moves at most `rows`.
    """
    columns = unknown(schema)
    if not columns:
        return schema, ()
    each = min(COLUMN * len(columns), ALL) * account.rho / len(columns)
    failure = Fraction(account.failure) / max(sum(column.kind not in NUMERIC for column in columns), 1)
    notes = [f"estimated privately: the domain of {', '.join(column.name for column in columns)}"]
    for column in columns:
        if column.kind in NUMERIC:
            domain, seen = _range(real.columns[column.name], column, account, each, rows)
            if not seen:
                notes.append(f'column "{column.name}": its range was hardly seen under the noise; write low and high')
        else:
            domain = _levels(real, column, account, each, failure, rows)
        schema = schema.with_column(replace(column, domain=domain))
    return schema, tuple(notes)


def threshold(variance: Fraction, rows: int, delta: Fraction) -> int:
    """The noisy count from which on a level may be told: one person's own levels reach it with probability <= delta."""
    if not 0 < delta < Fraction(1, 10):
        raise PrivacyError(f"delta {float(delta)!r} of a threshold is no small probability; raise delta of the fit")
    deviation = math.sqrt(variance) * (1 + 1e-9)
    tail = NormalDist()
    once, often = -tail.inv_cdf(float(delta)), -tail.inv_cdf(float(delta / rows))
    return math.ceil(max(rows + deviation * once, 1 + deviation * often) * (1 + 1e-9)) + 1


def _levels(real: Encoded, column: Column, account: Account, rho: Fraction, delta: Fraction, rows: int) -> Domain:
    variance = gaussian_variance(rho, rows)
    account.spend(f'levels of "{column.name}"', gaussian_cost(variance, rows), delta)
    least = threshold(variance, rows, delta)
    names = real.field(column.name).levels or ()
    codes = real.columns[column.name]
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    held = np.flatnonzero(counts)  # levels of nobody have no count: which there are is what the threshold hides
    noisy = _noisy(counts[held], variance)
    found = sorted((-int(count), names[at]) for at, count in zip(held, noisy, strict=True) if count >= least)
    levels = [level for _, level in found]
    if column.kind == "ordered":
        levels = in_order(levels) or sorted(levels)
    rest = OTHER if _is_text(column) else RARE  # which other types write as missing
    return Domain("dp", levels=tuple(dict.fromkeys([*levels, rest])))


def _range(
    values: NDArray[np.float64], column: Column, account: Account, rho: Fraction, rows: int
) -> tuple[Domain, bool]:
    """The domain, and whether anything was clearly seen."""
    variance = gaussian_variance(rho / 2, rows)
    account.spend(f'range of "{column.name}"', 2 * gaussian_cost(variance, rows))
    deviation, decimals = math.sqrt(variance), column.decimals or 0
    least, most = _limits(column)
    steps = np.clip(to_steps(values[~np.isnan(values)], decimals), least, most).astype(np.int64)
    power = np.frexp(np.abs(steps).astype(np.float64))[1] * np.sign(steps)
    noisy = _noisy(np.bincount(power + _BITS, minlength=2 * _BITS + 1), variance)
    low, high, seen = _powers(noisy, deviation, usual=_usual(column))
    low, high = min(max(low, least), most), max(min(high, most), least)
    edges = np.unique(np.ceil(np.linspace(low, high + 1, min(_CELLS, high + 1 - low) + 1)).astype(np.int64))
    cell = np.searchsorted(edges, steps[(steps >= low) & (steps <= high)], side="right") - 1
    first, last = _ends(_noisy(np.bincount(cell, minlength=len(edges) - 1), variance), deviation)
    below, above = from_steps(np.array([edges[first], edges[last + 1] - 1]), decimals).tolist()
    given = column.domain or Domain()
    return Domain("dp", below if given.low is None else given.low, above if given.high is None else given.high), seen


def _limits(column: Column) -> tuple[int, int]:
    """The least and the largest step that kind, storage and a bound that is given leave."""
    scale = 10.0 ** (column.decimals or 0)
    storage = storage_type(column.storage)
    low, high = -np.inf, np.inf
    days = _NANOSECONDS if "[ns" in column.storage else _DATES
    if column.kind == "date":
        low, high = days
    elif pa.types.is_time(storage):
        low, high = 0, DAY - 1
    elif column.kind in ("datetime", "duration"):
        low, high = (edge * DAY for edge in days)
    elif pa.types.is_integer(storage):
        kind = np.iinfo(storage.to_pandas_dtype())
        low, high = float(kind.min), float(kind.max)
    elif pa.types.is_decimal(storage):
        high = 10.0 ** (storage.precision - storage.scale) - 1
        low = -high
    if column.domain is not None:
        low = low if column.domain.low is None else max(low, column.domain.low)
        high = high if column.domain.high is None else min(high, column.domain.high)
    reach = 2.0**_BITS - 1
    return int(np.clip(np.ceil(low * scale), -reach, reach)), int(np.clip(np.floor(high * scale), -reach, reach))


def _usual(column: Column) -> int:
    """The power of two of steps that is expected where nothing is seen: of our days, our seconds, or hundreds."""
    size = {"date": 15, "datetime": 31}.get(column.kind, 7)
    return min(size + round((column.decimals or 0) * math.log2(10)), _BITS)


def _powers(noisy: Counts, deviation: float, *, usual: int) -> tuple[int, int, bool]:
    """The least and the largest step of the signed powers of two that hold rows, and whether any surely does.

    If none does, it is the likeliest, the nearer the better to what is `usual`.
    """
    sure = np.flatnonzero(noisy > _SURE * deviation)
    seen = len(sure) > 0
    strange = np.abs(np.arange(len(noisy)) - (usual + _BITS))
    likeliest = int(np.argmax(noisy - _STRANGE * deviation * strange))
    first, last = (int(sure[0]), int(sure[-1])) if seen else (likeliest, likeliest)
    # Beside what is sure less is enough, but more for a sign that nothing has shown.
    while first > 0 and noisy[first - 1] > deviation * (_SIGN if first == _BITS else _LIKELY):
        first -= 1
    while last < 2 * _BITS and noisy[last + 1] > deviation * (_SIGN if last == _BITS else _LIKELY):
        last += 1
    low, high = _span(first - _BITS)[0], _span(last - _BITS)[1]
    # Small numbers beside large ones take no room: few rows among them must not be clipped away.
    if 0 < low <= high // 4:
        low = 0
    if 0 > high >= -(-low // 4):
        high = 0
    return low, high, seen


def _span(power: int) -> tuple[int, int]:
    """The steps of one signed power of two, both ends included."""
    low, high = (1 << abs(power)) >> 1, (1 << abs(power)) - 1
    return (low, high) if power >= 0 else (-high, -low)


def _ends(noisy: Counts, deviation: float) -> tuple[int, int]:
    """The first and last cell from which on the tails hold more than noise."""
    size = len(noisy)
    limit = _SEEN * deviation * np.sqrt(np.arange(1, size + 1))
    up, down = np.cumsum(noisy) > limit, np.cumsum(noisy[::-1]) > limit
    if not up.any() or not down.any():
        return 0, size - 1
    first, last = int(np.argmax(up)), size - 1 - int(np.argmax(down))
    return (first, last) if first <= last else (0, size - 1)


def _noisy(counts: Counts, variance: Fraction) -> Counts:
    return counts + noise.discrete_gaussian(variance, len(counts))


def _complete(column: Column) -> bool:
    domain = column.domain
    if domain is None:
        return False
    if column.kind in NUMERIC:
        return domain.low is not None and domain.high is not None
    return domain.levels is not None


def _whole_boolean(column: Column) -> bool:
    """Truth values are known by the kind alone."""
    named = None if column.domain is None else column.domain.levels
    return column.kind == "boolean" and (named is None or set(named) == _TRUTHS)


def _is_text(column: Column) -> bool:
    kind = storage_type(column.storage)
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner))


def _blank(column: Column) -> Column:
    if not column.modelled:
        return replace(column, pattern=_public_pattern(column), missing=True, note="")
    domain = column.domain
    if _whole_boolean(column):
        domain = Domain("public", levels=("false", "true"))
    elif domain is None or domain.provenance == "data":
        domain = Domain("dp")
    return replace(column, domain=domain, steps=None, missing=True, note="")


def _public_pattern(column: Column) -> str | None:
    """The pattern without what one row could change: the share missing, words counted, characters left out.

    A code whose places are all free again is one digit longer, so that it still meets no real one.
    """
    pattern = (column.pattern or "").partition(";missing=")[0]
    kind = pattern.partition(":")[0]
    if kind == "words":
        return None
    if not pattern or kind in KINDS or pattern == _SSN:
        return pattern or None
    return re.sub(r"\[((?:\\.|[^\]\\])+)\]|\\(.)|[0-9]", _any_of_its_kind, pattern) + "9"


def _any_of_its_kind(found: re.Match[str]) -> str:
    """A place of a mask with all characters of the kinds it allows."""
    among, escaped = found.groups()
    if among is None:
        return "9" if escaped is None or escaped.isdigit() else found[0]
    kinds = [short for short, has in (("0-9", "[0-9]"), ("A-Z", "[A-Z]"), ("a-z", "[a-z]")) if re.search(has, among)]
    return {("0-9",): "9", ("A-Z",): "A", (): found[0]}.get(tuple(kinds), f"[{''.join(kinds)}]")
