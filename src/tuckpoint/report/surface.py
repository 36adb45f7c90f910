"""Where a model fails, as one HTML file and as lines of a terminal; computes nothing."""

from __future__ import annotations

from tuckpoint.errors import count
from tuckpoint.prove.explore import Explored
from tuckpoint.prove.surface import CORNER_SHARE, DEPTH, Corner, Part
from tuckpoint.report.chart import plain, prose, text
from tuckpoint.report.sheet import Head, Section, facts, sheet, table
from tuckpoint.report.surface_chart import main_effect, pair_map
from tuckpoint.report.verdict_chart import Bar, forest

MAINS, PAIRS = 12, 3


def headline(found: Explored) -> str:
    """The outcome in few words."""
    return "A weak corner" if found.exit == 0 else "No weak corner confirmed"


def sentence(found: Explored) -> str:
    """The outcome in a sentence."""
    corner, unit = found.surface.corner, found.unit
    if corner is None:
        return f"no condition with enough rows was found; the mean {unit} is {found.surface.mean:.3g}"
    told = (
        f"where `{corner.where}` the {unit} is {corner.mean:.3g}, elsewhere {corner.rest:.3g}: {corner.excess:+.3g} "
        f"[{corner.low:+.3g}, {corner.high:+.3g}] on the half of the made rows that did not choose the condition"
    )
    return told if corner.confirmed else f"{told}; that is no evidence of a weak corner"


def on_real(corner: Corner | None, unit: str, rows: int) -> str:
    """What real rows say of the corner."""
    if corner is None:
        return ""
    if corner.real is None and not rows:
        return "real images have no knobs, so nothing here was held against them"
    if corner.real is None:
        return (
            "too few real rows lie there to say whether it holds for them: collect some, or it stays the source's word"
        )
    rows, excess, low, high = corner.real
    state = "confirm it" if low > 0 else "contradict it" if high < 0 else "neither confirm nor contradict it"
    return f"{rows:,} real rows that the model did not learn {state}: {unit} {excess:+.3g} [{low:+.3g}, {high:+.3g}]"


def lines(found: Explored) -> list[str]:
    """The outcome for a terminal."""
    surface = found.surface
    told = [f"{headline(found)}: {sentence(found)}"]
    if beside := on_real(surface.corner, found.unit, surface.real_rows):
        told.append(f"  {beside}")
    told.append(
        f"  judged on {count(surface.rows, 'row')} of {found.source}, whose truth is that of {found.source}; the "
        f"model learnt {found.real['trained']:,} real rows"
    )
    for part in surface.mains[:5]:
        worst = max(part.cells, key=lambda cell: cell.effect, default=None)
        if worst is not None:
            told.append(
                f"  {part.names[0]}: {part.share:.1%} of the variance of the loss; worst `{worst.where}` "
                f"{worst.effect:+.3g} [{worst.low:+.3g}, {worst.high:+.3g}]"
            )
    told.append(f"  {_agreement(found)}")
    if note := _learnt(found):
        told.append(f"  {note}")
    return [*told, f"  plan {found.plan.digest()}"]


def _agreement(found: Explored) -> str:
    surface = found.surface
    if not surface.real_rows:
        return f"mean {found.unit} of made rows {surface.mean:.3g}; real ones have no knobs to compare"
    if surface.agreement is None:
        return f"{surface.compared} cells hold enough real rows to compare main effects; more are needed"
    return (
        f"main effects of made and of real rows correlate at {surface.agreement:.2f} over {surface.compared} cells; "
        f"mean {found.unit} {surface.mean:.3g} and {surface.real_mean:.3g}"
    )


def _learnt(found: Explored) -> str:
    """A warning for a source whose truth was itself learnt."""
    kind = next(one.kind for one in found.plan.sources if one.name == found.source)
    if kind in ("simulator", "scene"):
        return ""
    return f"{found.source} learnt its truth from the same real rows: where it errs, the model seems to"


def surface_page(found: Explored) -> str:
    """The page: the corner, main effects, pairs, and how it was done."""
    surface, real = found.surface, found.real
    head = Head(
        title=f"{headline(found)}: {real['name']}",
        description="Where a model of real rows fails, over the knobs of a source",
        banner=(
            f"A model that learnt {real['trained']:,} real rows, judged on {surface.rows:,} made ones. The "
            f"{real['locked']:,} locked rows of the plan were not read. Internal: figures of real rows."
        ),
        heading=f"Where does a model of {text(found.plan.target)} fail?",
        about=f"{text(real['name'])} &middot; source {text(found.source)} &middot; {found.unit}",
        state="fails" if found.exit == 0 else "open",
        headline=headline(found),
        outcome=f'<p class="outcome">{_outcome(found)}.</p>',
    )
    sections = (
        Section("corner", "Worst corner", "Sought on half of the made rows, measured on the other.", _corner(found)),
        Section("knobs", "One knob at a time", _knobs_lead(found), _knobs(found)),
        Section(
            "pairs", "Two together", "The pairs that explain most beyond each of their knobs; framed cells do so for "
            "certain.", _pairs(found),
        ),
        Section("method", "How it was done", "", _method(found)),
    )  # fmt: skip
    legend = "Filled dots lie above the mean for certain; diamonds are real rows that the model did not learn."
    return sheet(head, sections, legend=legend, styles=("style.css", "verdict.css", "surface.css"))


def _outcome(found: Explored) -> str:
    """The sentence, its condition set as code however long it is."""
    told, corner = _upper(sentence(found)), found.surface.corner
    if corner is None:
        return prose(told)
    first, _, rest = told.partition(f"`{corner.where}`")
    return f"{plain(first)}<code>{plain(corner.where, 300)}</code>{plain(rest, 400)}"


def _corner(found: Explored) -> str:
    corner = found.surface.corner
    if corner is None:
        return ""
    bars = [Bar("made rows, other half", -corner.excess, -corner.high, -corner.low, "mixed")]
    if corner.real is not None:
        rows, excess, low, high = corner.real
        bars.append(Bar(f"{rows:,} real rows", -excess, -high, -low))
    picture = forest(bars, 0.0, told=sentence(found))
    rows_of = [
        (
            "made rows that chose it", "", f"{corner.sought:+.3g}", "flattered: chosen to be high",
        ),
        (
            "made rows that did not", f"{corner.rows:,} ({corner.share:.1%})",
            f"{corner.excess:+.3g} [{corner.low:+.3g}, {corner.high:+.3g}]",
            f"{corner.mean:.3g} there, {corner.rest:.3g} elsewhere",
        ),
    ]  # fmt: skip
    if corner.real is not None:
        rows, excess, low, high = corner.real
        rows_of.append(("real rows, not learnt", f"{rows:,}", f"{excess:+.3g} [{low:+.3g}, {high:+.3g}]", ""))
    beside = on_real(corner, found.unit, found.surface.real_rows)
    heads = ("judged on", "rows there", f"{found.unit} beyond elsewhere", "")
    return (
        f'<p class="corner"><code>{plain(corner.where, 300)}</code></p>{picture}'
        f"{table(heads, rows_of, right=heads[1:3])}<p>{prose(_upper(beside))}.</p>"
        f'<p class="soft">{_use(found)}</p>'
    )


def _use(found: Explored) -> str:
    if found.surface.real_rows:
        return "The condition is one that <code>--where</code>, and a slice of a plan, take as it stands."
    return "Hold these knobs by <code>--pin</code> of <code>tuckpoint render</code>, or in a suite, and look at them."


def _knobs_lead(found: Explored) -> str:
    return (
        f"Mean {found.unit} of made rows in each part of a knob, with intervals that all hold together at 95 %, in the "
        "order of the variance that they explain. Lower is better."
    )


def _knobs(found: Explored) -> str:
    surface = found.surface
    shown = [part for part in surface.mains if part.cells][:MAINS]
    ends = [
        surface.mean + end
        for part in shown
        for cell in part.cells
        for end in (cell.low, cell.high, *([] if cell.real is None else [cell.real]))
    ]
    if not ends:
        return ""
    limits = (max(0.0, min(ends)), max(ends))
    figures = "".join(
        f"<figure><figcaption><b>{plain(part.names[0])}</b> <span class=soft>{part.share:.1%} of the variance</span>"
        f"</figcaption>{main_effect(part, surface.mean, limits, found.unit)}</figure>"
        for part in shown
    )
    rest = len([part for part in surface.mains if part.cells]) - len(shown)
    more = f'<p class="soft">and {rest} more, which explain less</p>' if rest > 0 else ""
    return f'<div class="effects">{figures}</div>{more}<p>{prose(_upper(_agreement(found)))}.</p>'


def _pairs(found: Explored) -> str:
    shown: list[Part] = [part for part in found.surface.pairs if part.share > 0][:PAIRS]
    worst = max((cell.mean for part in shown for cell in part.cells), default=0.0)
    figures = "".join(
        f"<figure><figcaption><b>{plain(part.names[0])}</b> and <b>{plain(part.names[1])}</b> "
        f"<span class=soft>{part.share:.1%} of the variance beyond each</span></figcaption>"
        f"{pair_map(part, found.surface.mean, worst, found.unit)}</figure>"
        for part in shown
    )
    return f'<div class="maps">{figures}</div>' if figures else ""


def _method(found: Explored) -> str:
    surface, real = found.surface, found.real
    figures = "; ".join(f"{plain(name, 80)} {value:.3g}" for name, value in found.facts.items())
    entries = [
        ("model", f"the plan's learner, trained once on {real['trained']:,} real rows; another fit has another "
         "surface"),
        ("made rows", f"{surface.rows:,} of source {text(found.source)}, which saw the same real rows and no others; "
         f"the truth of a made row is what the source says. {_learnt(found)}"),
        ("errors", f"by {surface.clusters:,} clusters (of a simulator: draws of its parameters)"),
        ("intervals", f"Bonferroni over {surface.cells:,} cells of one and two knobs, Student's t"),
        ("corner", f"up to {DEPTH} conditions by beam search among parts with {CORNER_SHARE:.0%} of the rows or more, "
         "on half of the clusters; its 95 % interval is that of the other half, which is used once"),
        ("real rows", f"{surface.real_rows:,} that the model did not learn; locked rows were left alone"),
        ("the source", figures),
        ("plan", f"<code>{found.plan.digest()[:16]}</code>; real rows SHA-256 <code>{real['sha256'][:16]}</code>"),
    ]  # fmt: skip
    return f'<dl class="method">{facts(entry for entry in entries if entry[1])}</dl>'


def _upper(told: str) -> str:
    return told[:1].upper() + told[1:]
