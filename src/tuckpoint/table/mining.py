"""Find the rules that real rows obey, before anything is fitted, so that made rows can obey them too."""

from __future__ import annotations

from tuckpoint.errors import InputError
from tuckpoint.schema import Schema
from tuckpoint.table import dates, dependence, relations
from tuckpoint.table.engine import Encoded
from tuckpoint.table.evidence import MIN_ROWS, view
from tuckpoint.table.rule import Rule


def mine(real: Encoded, *, protected: Encoded | None = None, schema: Schema | None = None) -> tuple[Rule, ...]:
    """The rules of a table: those that hold without exception, and as findings those that nearly do.

    Arithmetic and order are read off `real`, since clipped extremes no longer add up; whatever stores values
    (functions, blocks, combinations) is read off `protected`, the same rows with rare values pooled, so that no rule
    names a value that the model itself may not hold. With a `schema`, only numbers of one kind and unit are put in
    order. The criteria stand in `tuckpoint.table.evidence`. Rules read off real rows void any differential-privacy
    guarantee.
    """
    protected = real if protected is None else protected
    if protected.rows != real.rows or not set(real.columns) >= set(protected.columns):
        raise InputError("the protected table must hold the rows and columns of the real one")
    if real.rows < MIN_ROWS or len(real.fields) < 2:
        return ()
    seen, pooled = view(real), view(protected)
    lines = relations.linear(seen)
    copies = {rule.columns[1] for rule in lines}
    parts = dates.follow(seen, pooled, schema, copies)
    settled = copies | {rule.columns[1] for rule in parts}
    functions = [rule for rule in dependence.lookups(pooled) if rule.columns[1] not in settled]
    doubles = copies | {rule.columns[1] for rule in functions if rule.detail["one_to_one"]}
    sums = relations.totals(seen, doubles)
    products = relations.products(seen, schema, doubles)
    totals = {rule.columns[2] for rule in (*sums, *products)}
    rates = [rule for rule in relations.rates(seen, schema, doubles) if rule.columns[2] not in totals]
    implied = {(part, rule.columns[2]) for rule in sums for part in rule.columns[:2]} | _of_one_moment(parts)
    orders = relations.orders(seen, schema, doubles, implied)
    related = _related([*functions, *parts]) | {frozenset(pair) for pair in _of_one_moment(parts)}
    blocks = dependence.blocks(pooled, doubles, related)
    pairs = dependence.combinations(pooled, doubles, related)
    return (*lines, *parts, *functions, *sums, *products, *rates, *orders, *blocks, *pairs)


def _of_one_moment(parts: list[Rule]) -> set[tuple[str, str]]:
    """Pairs of columns that are parts of the same moment: what holds between them follows from that."""
    pairs = [rule.columns for rule in parts]
    return {(y, z) for x, y in pairs for w, z in pairs if x == w and y != z}


def _related(functions: list[Rule]) -> set[frozenset[str]]:
    """Pairs of columns of which one is, perhaps by detours, a function of the other."""
    follows = {rule.columns for rule in functions if not rule.detail.get("partial")}
    while more := {(a, d) for a, b in follows for c, d in follows if b == c and a != d} - follows:
        follows |= more
    return {frozenset(pair) for pair in follows} | {frozenset(rule.columns) for rule in functions}
