"""The rules of a table together: which columns an engine must model, how the rest follow, which rows break a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

import numpy as np

from tuckpoint.errors import InputError, TraceError
from tuckpoint.schema import Schema
from tuckpoint.table import spans as moments_apart
from tuckpoint.table.engine import Array, Encoded, Field
from tuckpoint.table.mining import mine
from tuckpoint.table.rule import (
    Columns,
    Mask,
    Patch,
    Rule,
    Way,
    absent,
    backwards,
    block,
    broken,
    patches,
    ways,
)
from tuckpoint.table.shapes import user_rule
from tuckpoint.table.spans import Span

__all__ = ["Rule", "RuleBook", "mine", "user_rule"]

VERSION = 2  # 1 knew no spans
# What is settled first wins a column: a person's word, then what leaves least to chance.
PRIORITY = {"linear": 0, "calendar": 1, "lookup": 2, "sum": 3, "product": 4, "rate": 5}


@dataclass(frozen=True)
class _Plan:
    order: tuple[str, ...]  # every column after those that it follows from
    ways: Mapping[str, Way]
    patches: Mapping[str, tuple[Patch, ...]]
    settled: frozenset[int]  # places in `rules` of those that construction cannot break


@dataclass(frozen=True)
class RuleBook:
    """The rules of one table and an acyclic construction that obeys as many of them as possible.

    `rules` shape what is modelled and what is computed; `added` came after the fit and act by rejection only. Rules
    that are not enforced are kept as findings. A column of `spans` is free, but an engine models its distance from
    another.
    """

    rules: tuple[Rule, ...]
    fields: tuple[Field, ...]
    added: tuple[Rule, ...] = ()
    spans: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        self._checks  # noqa: B018 (a rule on a column that is not there must fail here, not at the first draw)

    @cached_property
    def free(self) -> tuple[Field, ...]:
        """The columns that an engine must model, in the order of the table."""
        kept = [item for item in self.fields if item.name not in self._plan.ways]
        return tuple(self._spanned[item.name].field if item.name in self._spanned else item for item in kept)

    @property
    def blocks(self) -> tuple[Rule, ...]:
        """The enforced blocks between columns that an engine models as they are, one for each column that they fix.

        That y is one value wherever x is not another (one of two amounts is 0) holds the other way round as well.
        """
        plain = {item.name for item in self.free} - set(self._spanned)
        found: list[Rule] = []
        for rule in self.rules:
            if rule.kind != "block" or not rule.enforced or rule.columns[0] not in plain:
                continue
            source, when, opposite = rule.columns[0], rule.detail["when"], bool(rule.detail.get("not"))
            for name, value in zip(rule.columns[1:], rule.detail["then"], strict=True):
                if name in plain:
                    found.append(block(source, when, {name: value}, opposite=opposite))
                    if opposite and len(when) == 1:
                        found.append(block(name, [value], {source: when[0]}, opposite=True))
        return tuple(found)

    def spanning(self, real: Encoded, schema: Schema, k: int) -> RuleBook:
        """The same book that models moments by their distance from earlier ones, where an order allows it."""
        plan, kept = self._plan, []
        follows = {name: set(way.sources) for name, way in plan.ways.items()}
        for name, some in plan.patches.items():
            follows.setdefault(name, set()).update(patch.source for patch in some)
        for span in moments_apart.find(self.rules, real, schema, k=k):
            if span.column not in plan.ways and not _reaches(follows, span.after, span.column):
                follows.setdefault(span.column, set()).add(span.after)
                kept.append(span)
        return replace(self, spans=tuple(kept))

    def reduced(self, columns: Columns) -> dict[str, Array]:
        """The free columns (n,) as an engine models them, from all columns of the table."""
        apart = moments_apart.apart(self.spans, columns)
        return {item.name: apart[item.name] for item in self.free}

    def given(self, columns: Columns) -> dict[str, Array]:
        """Of some columns of the table those that an engine can be given, as it models them."""
        whole = [span for span in self.spans if span.column in columns and span.after in columns]
        lone = {span.column for span in self.spans} - {span.column for span in whole}
        free = {item.name for item in self.free} - lone
        apart = moments_apart.apart(whole, columns)
        return {name: values for name, values in apart.items() if name in free}

    def anchored(self, drawn: Columns, given: Columns) -> Columns:
        """Free columns as drawn, but for moments that `given` columns of the table hold or move along."""
        return moments_apart.anchored(self.spans, drawn, given) if self.spans else drawn

    @property
    def findings(self) -> tuple[Rule, ...]:
        """Rules that nearly hold: told, never enforced."""
        return tuple(rule for rule in self.rules if not rule.enforced)

    def construct(self, columns: Columns, rows: int) -> dict[str, Array]:
        """All columns (rows,) in the order of the table, from the free ones; what is given is not changed.

        Blocks overwrite what an engine drew, so a condition on a free column must be checked again afterwards.
        """
        out: dict[str, Array] = {}
        for name in self._plan.order:
            out[name] = self._way_or(name, out, columns)
            for patch in self._plan.patches.get(name, ()):
                where, value = patch.run(out)
                out[name] = np.where(where, value, out[name]).astype(out[name].dtype, copy=False)
        short = [name for name, values in out.items() if len(values) != rows]
        if short:
            raise InputError(f'column "{short[0]}" has {len(out[short[0]])} rows, not {rows}')
        return {item.name: out[item.name] for item in self.fields}

    def emptied(self, name: str, columns: Columns) -> Mask | bool:
        """Where a rule leaves a column missing, as far as all columns (n,) tell; a computed one may be so anywhere."""
        if name in self._plan.ways:
            return True
        found: Mask | bool = False
        for patch in self._plan.patches.get(name, ()):
            where, due = patch.run(columns)
            found = found | (where & absent(np.asarray(due)))
        return found

    def following(self, given: Columns) -> dict[str, Array]:
        """Given columns (n,), and those that rules compute from them alone: of a sum or product, the one not given."""
        out = dict(given)
        rules = [rule for rule in self.rules + self.added if rule.enforced]
        every = [way for rule in rules for way in (*ways(rule, self._by_name), *backwards(rule, self._by_name))]
        while True:
            ready = [way for way in every if way.target not in out and set(way.sources) <= set(out)]
            new = {way.target: values for way in ready if not absent(values := way.run(out)).any()}
            if not new:
                return out
            out.update(new)

    def contradicted(self, given: Columns) -> tuple[str, Mask] | None:
        """A rule that some given columns (n,) break, whatever the others hold, and where; None if they break none."""
        for rule in self.rules + self.added:
            if rule.enforced and set(rule.columns) <= set(given) and (wrong := self._checks[rule.text](given)).any():
                return rule.text, wrong
        return None

    def column(self, name: str, columns: Columns) -> Array:
        """One column (n,) from those in `sources(name)`; blocks are not applied."""
        if name in self._spanned:
            return self._spanned[name].run(self.column(self._spanned[name].after, columns), columns[name])
        way = self._plan.ways.get(name)
        if way is None:
            return columns[name]
        return way.run({source: self.column(source, columns) for source in way.sources})

    def sources(self, name: str) -> tuple[str, ...]:
        """The free columns that a column is computed from; a free column is its own source."""
        if name in self._spanned:
            return (name, *self.sources(self._spanned[name].after))
        way = self._plan.ways.get(name)
        if way is None:
            return (name,)
        return tuple(dict.fromkeys(free for source in way.sources for free in self.sources(source)))

    def violations(self, columns: Columns, *, every: bool = False) -> dict[str, Mask]:
        """For each enforced rule that construction does not settle (or `every` one): rows (n,) bool that break it."""
        settled = frozenset[str]() if every else self._settled_texts
        return {text: check(columns) for text, check in self._checks.items() if text not in settled}

    def adherence(self, columns: Columns) -> list[tuple[str, float]]:
        """Each enforced rule's text and the share of rows that obey it."""
        return [
            (text, 1.0 - float(mask.mean()) if mask.size else 1.0)
            for text, mask in self.violations(columns, every=True).items()
        ]

    def with_rules(self, more: Sequence[Rule]) -> RuleBook:
        """The same book with rules that came after the fit; they act by rejection."""
        return replace(self, added=self.added + tuple(more))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        rules, added = ([rule.to_dict() for rule in some] for some in (self.rules, self.added))
        return {"version": VERSION, "rules": rules, "added": added, "spans": [asdict(span) for span in self.spans]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], fields: Sequence[Field]) -> RuleBook:
        """The book that `to_dict` wrote; raises TraceError if it is damaged or newer than this tuckpoint."""
        if not isinstance(data, Mapping) or data.get("version") not in (1, VERSION):
            raise TraceError(f"rules of version {VERSION} were expected; fit the model again or upgrade tuckpoint")
        try:
            rules, added = ([Rule.from_dict(entry) for entry in data[part]] for part in ("rules", "added"))
            spans = tuple(Span.from_dict(entry) for entry in data.get("spans", ()))
            return cls(tuple(rules), tuple(fields), tuple(added), spans)
        except (KeyError, TypeError) as error:
            raise TraceError(f"the stored rules are damaged: {error}; fit the model again") from None

    def _way_or(self, name: str, made: Columns, given: Columns) -> Array:
        if name in self._spanned:
            return self._spanned[name].run(made[self._spanned[name].after], given[name])
        way = self._plan.ways.get(name)
        return given[name] if way is None else way.run(made)

    @cached_property
    def _spanned(self) -> dict[str, Span]:
        return {span.column: span for span in self.spans}

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {item.name: item for item in self.fields}

    @cached_property
    def _checks(self) -> dict[str, Callable[[Columns], Mask]]:
        rules = [rule for rule in self.rules + self.added if rule.enforced]
        checks = {rule.text: broken(rule, self._by_name) for rule in rules}
        for name in (*self._plan.ways, *self._spanned):
            item = self._by_name[name]
            if item.numeric and item.provenance != "data" and not (item.low is None and item.high is None):
                checks[f"{name} within its domain"] = _outside_domain(item)
        return checks

    @cached_property
    def _settled_texts(self) -> frozenset[str]:
        return frozenset(self.rules[place].text for place in self._plan.settled)

    @cached_property
    def _plan(self) -> _Plan:
        return _planned(self.rules, self._by_name, self.spans)


def _planned(rules: Sequence[Rule], fields: Mapping[str, Field], spans: Sequence[Span]) -> _Plan:
    """Give each column at most one way, then let blocks patch free ones, without ever closing a circle."""
    chosen: dict[str, Way] = {}
    patched: dict[str, tuple[Patch, ...]] = {}
    follows: dict[str, set[str]] = {name: set() for name in fields}
    settled: set[int] = set()
    enforced = [(place, rule) for place, rule in enumerate(rules) if rule.enforced]
    for place, rule in sorted(enforced, key=lambda entry: (entry[1].origin != "user", PRIORITY.get(entry[1].kind, 9))):
        for way in ways(rule, fields):
            if way.target not in chosen and not any(_reaches(follows, name, way.target) for name in way.sources):
                chosen[way.target] = way
                follows[way.target] |= set(way.sources)
                if rule.kind != "user":  # a written formula may round otherwise than its column: it stays checked
                    settled.add(place)
                break
    for place, rule in enforced:
        if place in settled:
            continue
        kept = []
        for patch in patches(rule, fields):
            if patch.target not in chosen and not _reaches(follows, patch.source, patch.target):
                kept.append(patch)
                follows[patch.target].add(patch.source)
        for patch in kept:
            patched[patch.target] = (*patched.get(patch.target, ()), patch)
        if kept and len(kept) == len(patches(rule, fields)):
            settled.add(place)
    # Where two rules give one column different values, the later may undo the earlier: those stay checked.
    fixed = {name: {patch.fixed for patch in some} for name, some in patched.items() if len(some) > 1}
    crowded = {name for name, values in fixed.items() if len(values) > 1 or "" in values}
    fixing = ("block", "calendar", "lookup")
    settled -= {place for place, rule in enforced if rule.kind in fixing and crowded & set(rule.columns[1:])}
    for span in spans:
        follows[span.column].add(span.after)
    return _Plan(_sorted(follows), chosen, patched, frozenset(settled))


def _reaches(follows: Mapping[str, set[str]], name: str, target: str) -> bool:
    """Whether `name` is, or follows from, `target`."""
    seen, waiting = {name}, [name]
    while waiting:
        waiting.extend(new := follows.get(waiting.pop(), set()) - seen)
        seen |= new
    return target in seen


def _sorted(follows: Mapping[str, set[str]]) -> tuple[str, ...]:
    graph: TopologicalSorter[str] = TopologicalSorter()
    for name, sources in follows.items():
        graph.add(name, *sorted(sources))  # sets of names have another order in each process
    return tuple(graph.static_order())


def _outside_domain(item: Field) -> Callable[[Columns], Mask]:
    low = -np.inf if item.low is None else item.low
    high = np.inf if item.high is None else item.high
    return lambda columns: (columns[item.name] < low) | (columns[item.name] > high)
