"""The sections behind the figures: rules, protection, methods, schema, how to repeat, record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from tuckpoint.measure.evaluation import Evaluation
from tuckpoint.report.chart import folded, text
from tuckpoint.report.sheet import Section
from tuckpoint.report.words import count, figures, meaning, number, scientific, subjects
from tuckpoint.schema import MOMENTS, Column, Domain, Kind, Schema, Steps

RULES = 60
NOTES = 60
SCHEMA_ROWS = 150
RECORD_LINES = 120


NO_GUARANTEE = (
    '<div class="card"><h3>No privacy guarantee</h3><p>The engine promises nothing formal about the people behind the '
    "real rows. Copies were counted and attacks were tried, with the results above; an attack that failed proves only "
    "that this one failed. Treat the made rows, the model and this page as personal data until someone who answers for "
    "it decides otherwise. For a guarantee, make them with <code>--private 3 --unit COLUMN</code>, the column that "
    "names people, or <code>--unit row</code> if each row is another.</p></div>"
)
NO_RECORD = (
    '<div class="card"><h3>No privacy guarantee is known</h3><p>No record came with these rows, so nothing is known of '
    "how they were made and protected. Copies were counted and attacks were tried, with the results above; an attack "
    "that failed proves only that this one failed.</p></div>"
)


def _lines(items: Sequence[object], limit: int, *, mono: bool = False) -> str:
    told = [f"<code>{text(item, 240)}</code>" if mono else folded(item) for item in items[:limit]]
    shown = "".join(f"<li>{item}</li>" for item in told)
    left = len(items) - limit
    more = f'<li class="soft">and {left} more in the JSON report</li>' if left > 0 else ""
    return f'<ul class="lines">{shown}{more}</ul>' if items else ""


def rule_list(evaluation: Evaluation, rules: Sequence[str]) -> Section:
    """The rules that made rows were held to, how many rows obey, and which rules some rows break."""
    scores = [score for score in evaluation.scores if score.name == "rule_adherence" and score.value is not None]
    broken = [f"{subjects(score).strip(' ()')}: obeyed by {figures(score).value}" for score in scores if score.subject]
    body = ""
    if broken:
        body += f"<h3>Broken by some rows</h3>{_lines(broken, RULES, mono=True)}"
    if rules:
        body += ("<h3>All rules</h3>" if broken else "") + _lines(rules, RULES, mono=True)
    whole = [f"{figures(score).value} of the made rows break none of them." for score in scores if not score.subject]
    return Section("rules", "Rules", "".join(whole), body or "<p>No rule is known for this table.</p>")


def guarantee(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The differential-privacy guarantee of a record, if it states one whole: epsilon, delta and unit."""
    privacy = record.get("privacy")
    if not isinstance(privacy, Mapping) or not privacy.get("unit"):
        return None
    numbers = [privacy.get(name) for name in ("epsilon", "delta")]
    whole = all(isinstance(n, int | float) and not isinstance(n, bool) and n >= 0 for n in numbers)
    return privacy if whole else None


def protection(evaluation: Evaluation, record: Mapping[str, Any]) -> Section:
    """The guarantee or the lack of one, and what was done to rare values."""
    stated = guarantee(record)
    card = _guarantee_card(stated) if stated else NO_GUARANTEE if record else NO_RECORD
    done = record.get("protections")
    shown = _lines(list(done), NOTES) if isinstance(done, list | tuple) else ""
    body = card + (f"<h3>Done to protect people</h3>{shown}" if shown else "")
    again = record.get("generation")
    if isinstance(again, int) and again > 1:
        body += f"<p>The rows behind this table were themselves synthetic: this is generation {again}.</p>"
    notes = _lines(evaluation.notes, NOTES)
    return Section("protection", "Protection", "", body + (f"<h3>Notes</h3>{notes}" if notes else ""))


def _guarantee_card(privacy: Mapping[str, Any]) -> str:
    delta = privacy["delta"]
    facts = [
        ("ε (epsilon)", f"{privacy['epsilon']:.6g}"),
        ("δ (delta)", "0" if delta == 0 else scientific(delta)),
        ("Unit of privacy", text(privacy["unit"], 120)),
        ("Neighbouring tables", text(privacy.get("neighbours") or "not stated", 120)),
    ]
    rho = privacy.get("rho")
    if isinstance(rho, int | float):
        facts.append(("ρ (zCDP)", number(rho)))
    if privacy.get("mechanism"):
        facts.append(("Mechanism", text(privacy["mechanism"], 240)))
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    return (
        f'<div class="card"><h3>Differentially private</h3><dl>{listed}</dl>'
        "<p>Whether one unit was in the real rows or not changes the odds of any outcome of the fit by a factor of at "
        "most e<sup>ε</sup>, except with probability about δ. It holds for the model and all rows drawn from it; every "
        "further fit to the same people adds to the budget.</p>"
        "<p><strong>It does not cover this page</strong>, whose figures compare with real rows and carry no noise.</p>"
        "</div>"
    )


def method(evaluation: Evaluation) -> Section:
    """What each measure is and where it ends."""
    parts = []
    for name in dict.fromkeys(score.name for score in evaluation.scores):
        known = meaning(name)
        parts.append(
            f"<div><dt>{text(known.label)}</dt><dd>{escape(known.definition)} "
            f'<span class="soft">{escape(known.limit)}</span></dd></div>'
        )
    rows = evaluation.rows
    lead = (
        f"Real rows split off before anything was fitted, seen by no model: {rows.get('holdout', 0):,}. "
        "References compare real with real at the same sizes, since even two halves of one table differ. "
        "Brackets are 95% intervals; a measure without them has none that passed its test. The interval of a distance "
        "or error is that of its difference to the reference: a reference outside the brackets is more than chance."
    )
    return Section("method", "Method", lead, f'<dl class="method">{"".join(parts)}</dl>' if parts else "")


def without_values(schema: Schema) -> Schema:
    """The schema without the levels and ranges that were read off the real rows."""
    known = [
        replace(column, domain=None) if column.domain and column.domain.provenance == "data" else column
        for column in schema.columns
    ]
    return replace(schema, columns=tuple(known))


def understood(schema: Schema) -> Section:
    """The schema as a table; values that were read off the real rows are counted, not shown."""
    rows = "".join(_schema_row(column, schema) for column in schema.columns[:SCHEMA_ROWS])
    left = len(schema.columns) - SCHEMA_ROWS
    more = f'<p class="soft">And {left} more columns in the JSON report.</p>' if left > 0 else ""
    head = (
        '<thead><tr><th scope="col">Column</th><th scope="col">Kind</th><th scope="col">Domain</th>'
        '<th scope="col">Known from</th><th scope="col">Remarks</th></tr></thead>'
    )
    lead = "What was understood of each column. If something is wrong, correct the schema file and make the twin anew."
    return Section("schema", "Schema", lead, f'<table class="stack">{head}<tbody>{rows}</tbody></table>{more}')


def _schema_row(column: Column, schema: Schema) -> str:
    roles = [
        word
        for word, yes in (
            ("target", schema.target == column.name),
            ("primary key", schema.primary_key == column.name),
            ("names the person", schema.person == column.name),
            ("may be missing", column.missing),
            ("personal", column.personal),
            ("sensitive", column.sensitive),
        )
        if yes
    ]
    if column.pattern:
        roles.append(f"pattern {text(column.pattern, 40)}")
    if not column.modelled:
        roles.append("made anew, not modelled")
    if column.steps is not None:
        roles.append(_steps(column.steps, column.kind))
    if column.note:
        roles.append(folded(column.note))
    unit = f" ({text(column.unit, 24)})" if column.unit else ""
    source = column.domain.provenance if column.domain else ""
    cells = [
        ("Kind", column.kind + unit),
        ("Domain", _domain(column.domain)),
        ("Known from", {"data": "the data", "dp": "a private estimate"}.get(source, source)),
        ("Remarks", ", ".join(roles)),
    ]
    return (
        f'<tr><th scope="row">{text(column.name, 48)}</th>'
        + "".join(
            f'<td class="{"empty" if not value else "" if label == "Remarks" else "word-whole"}" data-is="{label}">'
            f"{value}</td>"
            for label, value in cells
        )
        + "</tr>"
    )


def _steps(steps: Steps, kind: Kind) -> str:
    """What the values of a column are multiples of, in words; 900 seconds are 15 minutes."""

    def told(step: float) -> str:
        if kind == "date":
            return count(int(step), "day")
        if kind not in MOMENTS:
            return f"{step:,g}"
        size, unit = next(
            (s, u) for s, u in ((86_400, "day"), (3600, "hour"), (60, "minute"), (0, "second")) if step >= s
        )
        return f"{step / (size or 1):g} {unit}{'' if step == size or step == 1 else 's'}"

    parts = [] if steps.step is None else [f"in steps of {told(steps.step)}"]
    if steps.heap is not None and steps.share is not None:
        parts.append(f"{number(steps.share, percent=True)} in steps of {told(steps.heap)}")
    if steps.opens is not None and steps.closes is not None:
        ends = (f"{int(end) // 3600 % 24:02}:{int(end) // 60 % 60:02}" for end in (steps.opens, steps.closes))
        parts.append(f"between {' and '.join(ends)}")
    return ", ".join(parts)


def _domain(domain: Domain | None) -> str:
    if domain is None:
        return ""
    if domain.levels is not None:
        counted = count(len(domain.levels), "level")
        if domain.provenance == "data":
            return counted
        named = ", ".join(text(level, 24) for level in domain.levels[:6])
        return f"{counted}: {named}{' …' if len(domain.levels) > 6 else ''}"
    if domain.low is None and domain.high is None:
        return ""
    if domain.provenance == "data":
        return "a range"
    ends = ["open" if end is None else number(end) for end in (domain.low, domain.high)]
    return f"{ends[0]} to {ends[1]}"


def repetition(record: Mapping[str, Any], repeat: Sequence[str]) -> Section:
    """The commands, digest and seed that make the same bytes again."""
    maker = record.get("maker")
    maker = maker if isinstance(maker, Mapping) else {}
    facts = [
        ("Recipe digest", record.get("recipe")),
        ("Seed", record.get("seed")),
        ("Engine", maker.get("engine")),
        ("tuckpoint", maker.get("version")),
    ]
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td><code>{text(value, 80)}</code></td></tr>'
        for name, value in facts
        if value is not None and not isinstance(value, Mapping)
    )
    commands = "\n".join(text(command, 400) for command in repeat[:20])
    lead = "The same seed, recipe, inputs and version give the same bytes."
    body = (f"<pre><code>{commands}</code></pre>" if commands else "<p>No command was recorded.</p>") + (
        f"<table><tbody>{rows}</tbody></table>" if rows else ""
    )
    return Section("repeat", "How to repeat", lead, body)


def provenance(record: Mapping[str, Any]) -> Section:
    """The record, entry by entry."""
    entries = list(_flat(record)) if record else []
    rows = "".join(
        f'<tr><th scope="row">{text(key, 80)}</th><td><code>{text(value, 160)}</code></td></tr>'
        for key, value in entries[:RECORD_LINES]
    )
    left = len(entries) - RECORD_LINES
    more = f'<p class="soft">And {left} more entries in the JSON report.</p>' if left > 0 else ""
    lead = "What is stamped into the files that were written with this page."
    return Section("record", "Record", lead, f"<table><tbody>{rows}</tbody></table>{more}" if rows else "")


def _flat(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Leaves of nested mappings and lists with dotted paths, in order."""
    if isinstance(value, Mapping) and value:
        for key, content in value.items():
            yield from _flat(content, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and value:
        for index, content in enumerate(value):
            yield from _flat(content, f"{path}[{index}]")
    elif value is None or isinstance(value, Mapping | list | tuple):
        yield path, "none"
    else:
        yield path, ("yes" if value else "no") if isinstance(value, bool) else value
