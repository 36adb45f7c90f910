"""The gaps of a table as one HTML file and as lines of a terminal; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tuckpoint.errors import count
from tuckpoint.gap.finding import Expected, Gap, Gaps, Missing
from tuckpoint.measure.intervals import Z95
from tuckpoint.report import gaps_photos
from tuckpoint.report.chart import plain, prose, text
from tuckpoint.report.gaps_chart import Ratio, ratios
from tuckpoint.report.sheet import Head, Section, facts, sheet, table
from tuckpoint.report.words import number

DRAWN = 20
TOLD = 5  # gaps named in a terminal
EXPECTED, SEEN = 3, 0.0005  # levels of the target named at each gap, and the least mean probability of one
BASIS = {
    "sample": "a reference sample",
    "margins": "published margins",
    "domain": "a declared operating domain",
}
SUPPORT = {"inside": "interpolation", "edge": "at the edge", "outside": "extrapolation", "unknown": ""}


def headline(found: Gaps) -> str:
    """The outcome in a few words."""
    if any(leak.serious for leak in found.leaks):
        return "Leak in the split"
    if not found.gaps:
        return "No gap found" if found.tested else "Too few rows to tell"
    if not found.worth:
        return "No gap worth filling"
    count = len(found.worth)
    return f"{count} gap{'s' if count > 1 else ''}"


def lines(found: Gaps) -> list[str]:
    """The outcome for a terminal, the clearest gap first."""
    told = [f"{headline(found)} ({count(found.tested, 'cell')} tested)"]
    for gap in found.gaps[:TOLD]:
        told += ["", f"  {gap.missing.where}", f"    {counted(gap.missing)}"]
        told += [f"    {one}" for one in (*about(gap, _predicted(found)), *gap.hints, gap.advice) if one]
    if len(found.gaps) > TOLD:
        told += ["", f"  and {len(found.gaps) - TOLD} more in the report"]
    told += [
        f"  weak: {weak.where}: loss {number(weak.loss)}, pooled {number(weak.pooled)}" for weak in found.weak[:TOLD]
    ]
    bias = f"predicted less true{_of(_predicted(found))}"
    told += [
        f"  off: {off.where}: {bias} {off.bias:+.3g} [{off.low:+.3g}, {off.high:+.3g}]" for off in found.off[:TOLD]
    ]
    told += [f"  {'LEAK' if leak.serious else 'look'}: {leak.told}" for leak in found.leaks]
    return [*told, *(f"  {note}" for note in found.notes)]


def counted(missing: Missing) -> str:
    """Rows there and rows that should be there."""
    wanted = "are declared" if missing.basis == "domain" else "would be expected"
    return (
        f"{count(missing.rows, 'row')} where {missing.expected:,.0f} {wanted} "
        f"(ratio {number(missing.ratio)} [{number(missing.low)}, {number(missing.high)}]); {missing.lacking:,} lacking"
    )


def about(gap: Gap, predicted: str = "") -> list[str]:
    """What is known of a gap beyond its counts, in sentences; `predicted` is what a bias is of."""
    told = []
    if gap.harm is not None and gap.harm.excess is not None:
        harm = gap.harm
        told.append(
            f"{harm.state}: loss {number(harm.loss or 0.0)} there, {harm.excess:+.3g} "
            f"[{harm.low:+.3g}, {harm.high:+.3g}] beside the rest; "
            f"predicted less true{_of(predicted)} {harm.bias or 0.0:+.3g} ({count(harm.judged, 'row')} judged)"
        )
    elif gap.harm is not None:
        told.append(f"harm not known: {count(gap.harm.judged, 'row')} there to judge by")
    if gap.support != "unknown":
        told.append(
            f"{SUPPORT[gap.support]}: {gap.outside or 0.0:.0%} of its rows lie outside the support of the training rows"
        )
    if gap.reducible is not None:
        told.append(f"{gap.reducible.state}: {gap.reducible.why}" if gap.reducible.why else gap.reducible.state)
    if gap.expected is not None:
        told.append(expects(gap.expected))
    if gap.provable is not None:
        told.append(
            gap.provable.why
            or f"{gap.provable.rows:,} test rows there: only a change of the loss by "
            f"{number(gap.provable.detectable or 0.0)} or more can be proved"
        )
    return told


def expects(found: Expected) -> str:
    """What the model expects of the target there: of the likeliest levels, or the mean of a number."""
    seen = [level for level, mean in found.means.items() if mean >= SEEN or not level]
    by_mean = sorted(seen, key=lambda level: -found.means[level])[:EXPECTED]
    told = (f"{level} {number(found.means[level])} ± {number(Z95 * found.errors[level])}".strip() for level in by_mean)
    return f"the model expects there, on {count(found.rows, 'row')}: {', '.join(told)}"


def gaps_page(found: Gaps, shown: Mapping[str, Sequence[Path]] | None = None) -> str:
    """The page: gaps, what each costs and whether it can be mended, weak slices, the split, how it was done.

    `shown` are pictures that show a gap, by its condition.
    """
    kind, what = found.about["reference"], found.about.get("of", "rows")
    strips = gaps_photos.strips(shown or {})
    serious = any(leak.serious for leak in found.leaks)
    head = Head(
        title=f"{headline(found)}: {found.about['name']}",
        description="What real data lack",
        banner=f"Computed from real {what}: share it as you would share them.",
        heading=f"What does {text(found.about['name'])} lack?",
        about=f"{found.about['rows']:,} {what} beside {BASIS[kind['kind']]}, {text(kind['name'])}",
        state="fails" if serious else "open" if found.worth else "holds",
        headline=headline(found),
        outcome=f'<p class="outcome">{_outcome(found)}</p>',
    )
    sections = (
        Section("leaks", f"Your {what}", "Checked before anything is counted.", _leaks(found)),
        Section("gaps", "What is missing", _gaps_lead(found), _gaps(found)),
        Section("each", "Gap by gap", "", _each(found, strips)),
        Section("weak", "Where the model is weak", _weak_lead(found), _weak(found)),
        Section("off", "Where its predictions are off", _off_lead(found), _off(found)),
        Section(
            "classes",
            "How well each class is known",
            "The least known first; each picture by a model that did not learn it.",
            gaps_photos.classes(found.overall.get("classes", ())),
        ),
        Section("method", "How it was done", "", _method(found)),
    )
    return sheet(head, sections, legend="", styles=("style.css", "verdict.css", *(["contact.css"] if strips else [])))


def _outcome(found: Gaps) -> str:
    if not found.tested:
        return (
            "No cell holds enough rows of both tables to be tested: more rows are needed before anything can be said."
        )
    if not found.gaps:
        return (
            f"None of {found.tested:,} cells holds fewer rows than chance allows. This does not say that more rows "
            "would not help; only that none are missing in one place."
            + (" The model's predictions are off in places, though: see below." if found.off else "")
        )
    if not found.worth:
        return "Rows are missing, but more of them would not make the model better there. Do nothing."
    first = found.worth[0].missing
    return f"The clearest: {prose(first.where)}. {counted(first)}."


def _gaps_lead(found: Gaps) -> str:
    if not found.gaps:
        return ""
    if found.about["reference"]["kind"] == "sample":
        return "The clearest first. Each was sought as if those above it were already filled."
    return "The clearest first. They overlap: the same rows may be lacking in several."


def _gaps(found: Gaps) -> str:
    drawn = [
        Ratio(g.missing.where, g.missing.ratio, g.missing.low, g.missing.high, g in found.worth)
        for g in found.gaps[:DRAWN]
    ]
    heads = ("where", "rows", "expected", "lacking", "wanted share", "ratio [95 %]", "z", "beyond its columns")
    rows = [
        (
            f"<code>{text(g.missing.where, 200)}</code>", f"{g.missing.rows:,}", f"{g.missing.expected:,.0f}",
            f"{g.missing.lacking:,}", f"{g.missing.share:.2%}",
            f"{number(g.missing.ratio)} [{number(g.missing.low)}, {number(g.missing.high)}]", f"{g.missing.z:.1f}",
            "" if g.missing.beyond is None else number(g.missing.beyond),
        )
        for g in found.gaps
    ]  # fmt: skip
    return ratios(drawn) + table(heads, rows, right=heads[1:])


def _each(found: Gaps, strips: Mapping[str, str]) -> str:
    items = []
    for gap in found.gaps:
        told = [*about(gap, _predicted(found)), *gap.hints, gap.missing.note]
        told += [f"Nearly the same rows: {'; '.join(gap.missing.also)}"] if gap.missing.also else []
        body = "".join(f"<li>{prose(one)}</li>" for one in told if one)
        advice = f"<p><strong>What to do:</strong> {prose(gap.advice)}</p>" if gap.advice else ""
        strip = strips.get(gap.missing.where, "")
        if body or advice or strip:
            items.append(
                f'<div class="card"><h3><code>{text(gap.missing.where, 200)}</code></h3>'
                f'<ul class="lines">{body}</ul>{strip}{advice}</div>'
            )
    return "".join(items)


def _weak_lead(found: Gaps) -> str:
    return (
        "Loss on rows that the model did not learn from, drawn towards the mean where a slice is small. A weak slice "
        "that is not missing is hard, not rare: more rows of it need not help."
        if found.weak
        else ""
    )


def _weak(found: Gaps) -> str:
    bias = f"predicted less true{plain(_of(_predicted(found)), 120)}"
    heads = ("where", "rows", "loss", "pooled loss [95 %]", bias, "its z", "missing too")
    rows = [
        (
            f"<code>{text(w.where, 200)}</code>", f"{w.rows:,}", number(w.loss),
            f"{number(w.pooled)} [{number(w.low)}, {number(w.high)}]", f"{w.bias:+.3g}", f"{w.bias_z:+.1f}",
            "yes" if w.missing else "no",
        )
        for w in found.weak
    ]  # fmt: skip
    return table(heads, rows, right=heads[1:6])


def _predicted(found: Gaps) -> str:
    return str(found.about.get("predicted", ""))


def _of(predicted: str) -> str:
    return f" of {predicted}" if predicted else ""


def _off_lead(found: Gaps) -> str:
    return (
        "What the model predicts there is not what came, more so than over all rows: it hangs there on something that "
        "the model does not see, or on another law than where it learnt. More rows mend only the second."
        if found.off
        else ""
    )


def _off(found: Gaps) -> str:
    bias = f"predicted less true{plain(_of(_predicted(found)), 120)} [95 %]"
    heads = ("where", "rows", bias, "costs in loss")
    rows = [
        (
            f"<code>{text(o.where, 200)}</code>", f"{o.rows:,}", f"{o.bias:+.3g} [{o.low:+.3g}, {o.high:+.3g}]",
            number(o.cost),
        )
        for o in found.off
    ]  # fmt: skip
    return table(heads, rows, right=heads[1:])


def _leaks(found: Gaps) -> str:
    looked = "signs of damage, contradictions" + (
        ", twins and near-twins on both sides" if found.about["test"] is not None else ""
    )
    return (
        "".join(f"<p>{'<strong>Leak.</strong> ' if leak.serious else ''}{prose(leak.told)}</p>" for leak in found.leaks)
        or f"<p>Looked for {looked}: nothing found.</p>"
    )


def _method(found: Gaps) -> str:
    entries = [(text(name), prose(str(value))) for name, value in found.overall.items() if isinstance(value, str)]
    notes = "".join(f"<li>{prose(note)}</li>" for note in found.notes)
    return f'<dl class="method">{facts(entries)}</dl>' + (f'<ul class="lines">{notes}</ul>' if notes else "")
