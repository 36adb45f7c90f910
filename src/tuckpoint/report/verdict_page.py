"""The verdict of a proof as one HTML file and as lines of a terminal; computes nothing."""

from __future__ import annotations

from tuckpoint.errors import count
from tuckpoint.prove.arms import DUPLICATED, FORCED, MIXED, PERMUTED
from tuckpoint.prove.controls import ALARM
from tuckpoint.prove.effect import Effect
from tuckpoint.prove.metric import SIGN
from tuckpoint.prove.verdict import Arm, Proof, metric_title, sentences, signed
from tuckpoint.report.chart import glyph, plain, prose, text
from tuckpoint.report.sheet import Head, Section, facts, sheet, table
from tuckpoint.report.verdict_chart import Bar, by_items, curve, forest
from tuckpoint.report.words import number

WORD = {
    "helps": "Helps", "no evidence": "No evidence", "equivalent": "Equivalent", "hurts": "Hurts",
    "unverifiable": "Unverifiable provenance", "blocked": "Blocked",
}  # fmt: skip
GLYPH = {"helps": "holds", "hurts": "fails", "blocked": "fails"}
IS = {
    MIXED: "real rows and made ones; source, amount and weight chosen by inner folds, none being a candidate",
    FORCED: "the same, made rows even where inner folds chose none",
    "real only": "what every gain is measured against",
    "reweight": "baseline: real rows, each class of equal weight",
    "oversample": "baseline: real rows, rarer classes drawn again",
    "made only": "made rows alone",
    "more real": "ceiling: all real rows that are not locked",
    PERMUTED: "control: made rows with their outcomes dealt out anew",
    DUPLICATED: "control: real rows written twice, as many as made ones",
}


def lines(proof: Proof) -> list[str]:
    """The outcome for a terminal, the verdict first."""
    told = [f"{WORD[proof.state]}: {proof.why}", "", *(f"  {one}" for one in sentences(proof))]
    told += [f"  control {c.name}: {'as it must be' if c.passed else 'FAILED'} ({c.told})" for c in proof.controls]
    told += [f"  {note}" for note in proof.notes]
    return [*told, f"  plan {proof.digest}"]


def verdict_page(proof: Proof) -> str:
    """The page: verdict, claims, arms, rows saved, controls, and what was planned."""
    real = proof.real
    head = Head(
        title=f"{WORD[proof.state]}: {real['name']}",
        description="What made rows bring to a model, judged on locked real rows",
        banner=(
            f"Judged on {real['locked']:,} of {real['rows']:,} real rows that were locked away before anything was "
            "learnt. Internal: figures of real rows."
        ),
        heading=f"Do made rows help to predict {text(proof.plan.target)}?",
        about=(
            f"{text(real['name'])} &middot; plan <code>{proof.digest[:16]}</code> &middot; {metric_title(proof.plan)}"
        ),
        state=GLYPH.get(proof.state, "open"),
        headline=WORD[proof.state],
        outcome=f'<p class="outcome">{prose(proof.why[:1].upper() + proof.why[1:])}.</p>',
    )
    sections = (
        Section("claims", "Claims", "The gain on locked rows, with the wider of the two intervals.", _claims(proof)),
        Section("arms", "Ways to train", _arms_lead(proof), _arms(proof)),
        Section("weights", "How much made data is best", _weights_lead(proof), _weights(proof)),
        Section("saved", "Real rows saved", _saved_lead(proof), _saved(proof)),
        Section("points", "By number of real ones", _points_lead(proof), _points(proof)),
        Section(
            "controls", "Controls", "Each must come out as it does here, else no verdict counts.", _controls(proof)
        ),
        Section("plan", "The plan", "Fixed before anything was made; its digest covers every entry.", _plan(proof)),
        Section("method", "How it was done", "", _method(proof)),
    )
    legend = "Gains above zero are better, whichever way the metric points."
    return sheet(head, sections, legend=legend, styles=("style.css", "verdict.css"))


def _claims(proof: Proof) -> str:
    bars = [Bar(c.name, c.effect.gain, c.low, c.high, "mixed") for c in proof.claims if c.effect is not None]
    told = "; ".join(sentences(proof))
    listed = "".join(f"<li>{prose(one)}.</li>" for one in sentences(proof))
    rows = []
    for claim in proof.claims:
        spans = [_span(effect, claim.level) for effect in claim.effects]
        seen = f"{claim.detectable:.2g}" if claim.effects else ""
        harmless = "yes" if claim.unharmed else "no"
        rows.append(
            (text(claim.name), claim.state, f"{claim.rows:,}", *spans, *[""] * (2 - len(spans)), seen, harmless)
        )
    heads = ("where", "verdict", "locked rows", "two-way", "corrected resampled t", "detectable", "harm ruled out")
    return (
        forest(bars, proof.plan.smallest_effect, told=told)
        + f'<ul class="lines">{listed}</ul>'
        + table(heads, rows, right=("locked rows", "detectable"))
    )


def _span(effect: Effect, level: float) -> str:
    low, high = effect.interval(level)
    return f"{signed(effect.gain)} [{signed(low)}, {signed(high)}]"


def _arms_lead(proof: Proof) -> str:
    return (
        f"Mean over {proof.plan.folds.repeats} outer resamples of {proof.real['trained']:,} real rows each; "
        f"{metric_title(proof.plan)} on the locked rows of the claim."
    )


def _arms(proof: Proof) -> str:
    bars = [
        Bar(arm.name, arm.gain, arm.low, arm.high, _css(arm))
        for arm in proof.arms
        if arm.gain is not None and arm.low is not None and arm.high is not None
    ]
    numeric = proof.plan.metric == "rmse"
    heads = (
        "training rows",
        "what",
        metric_title(proof.plan),
        "gain",
        "log loss",
        "mean error" if numeric else "predicted / true rate",
    )
    rows = [
        (
            plain(arm.name), IS.get(arm.name, ""), number(arm.value),
            "" if arm.gain is None else f"{signed(arm.gain)} [{signed(arm.low or 0.0)}, {signed(arm.high or 0.0)}]",
            "" if arm.log_loss is None else number(arm.log_loss),
            "" if arm.calibration is None else number(arm.calibration),
        )
        for arm in proof.arms
    ]  # fmt: skip
    picture = forest(bars, proof.plan.smallest_effect, told="Gain of each way to train beside real rows only")
    return picture + table(heads, rows, right=heads[2:])


def _css(arm: Arm) -> str:
    return "mixed" if arm.name == MIXED else "control" if arm.name in (PERMUTED, DUPLICATED) else "other"


def _weights_lead(proof: Proof) -> str:
    return "What all made rows together weigh beside all real ones, had every resample taken that weight; 0 is none."


def _weights(proof: Proof) -> str:
    bars = [Bar(f"weight {one.weight:g}", one.gain, one.low, one.high) for one in proof.weights]
    heads = ("weight", metric_title(proof.plan), "gain")
    rows = [
        (f"{one.weight:g}", number(one.value), f"{signed(one.gain)} [{signed(one.low)}, {signed(one.high)}]")
        for one in proof.weights
    ]
    return forest(bars, proof.plan.smallest_effect, told="Gain by weight of the made rows") + table(
        heads, rows, right=heads
    )


def _points_lead(proof: Proof) -> str:
    return (
        "What made rows bring depends on how many real ones there are. The same proof with no more than so many real "
        "groups (people, things) of each class, chosen anew in each resample; intervals at Holm's levels."
    )


def _points(proof: Proof) -> str:
    if not proof.points:
        return ""
    heads = ("real of each class", "real rows", "real only", "real + made", "gain", "verdict", "real rows saved")
    rows = []
    for point in proof.points:
        saved, share = point.saved, ""
        if saved is not None and saved.share is not None and saved.low is not None and saved.high is not None:
            share = f"{'at least ' if saved.beyond else ''}{saved.share:.0%} [{saved.low:.0%}, {saved.high:.0%}]"
        gain = f"{signed(point.gain)} [{signed(point.low)}, {signed(point.high)}]"
        rows.append(
            (str(point.items), f"{point.rows:,.0f}", number(point.real), number(point.mixed), gain, point.state, share)
        )
    bars = [Bar(f"{p.items} of each class", p.gain, p.low, p.high, "mixed") for p in proof.points]
    picture = forest(bars, proof.plan.smallest_effect, told="Gain by number of real groups of each class")
    return picture + by_items(proof.points, title=metric_title(proof.plan)) + table(heads, rows, right=heads[:4])


def _saved_lead(proof: Proof) -> str:
    saved = proof.saved
    if saved is None or saved.share is None or saved.low is None or saved.high is None:
        return ""
    least = "at least " if saved.beyond else ""
    return (
        f"At {saved.rows:,.0f} real rows the made ones stand for {least}{saved.share:.0%} "
        f"[{saved.low:.0%}, {saved.high:.0%}] of the real rows that would do as well. Below 0 % they cost rows. "
        "With more real rows the share falls, as a rule."
    )


def _saved(proof: Proof) -> str:
    if proof.saved is None:
        return ""
    return curve(proof.saved, lower_is_better=SIGN[proof.plan.metric] < 0, title=metric_title(proof.plan))


def _controls(proof: Proof) -> str:
    return "".join(
        f'<div class="card"><h3>{glyph("holds" if c.passed else "fails")} {plain(c.name)}</h3>'
        f"<p>{prose(c.told)}</p></div>"
        for c in proof.controls
    )


def _plan(proof: Proof) -> str:
    chosen = "; ".join(f"{plain(what)}: {count} times" for what, count in proof.chosen.items())
    entries = [("digest", f"<code>{proof.digest}</code>"), ("chosen by inner folds", chosen)]
    told = "\n".join(plain(line, 200) for line in proof.plan.to_yaml().splitlines())
    return f'<dl class="method">{facts(entries)}</dl><pre>{told}</pre>'


def _method(proof: Proof) -> str:
    folds, real = proof.plan.folds, proof.real
    notes = "".join(f"<li>{prose(note)}</li>" for note in proof.notes)
    entries = [
        ("locked test", f"{count(real['locked'], 'row')}, {'the latest' if real['time'] else 'by chance'}"
         f"{', whole groups of ' + text(real['group']) if real['group'] else ''}; read for this verdict alone"),
        ("fitted anew", f"engine, source, amount, weight and learner in each of {folds.repeats} resamples, on "
         f"{folds.train:.0%} of the other rows; {folds.inner} inner folds choose, and take the least weight within one "
         "standard error of the best"),
        ("two-way interval", "variance over resamples, times 1/r + left out/trained since they overlap, plus variance "
         "over test rows or groups"),
        ("corrected resampled t", "the same correction on rows left out of training (Nadeau, Bengio 2003); the wider "
         "of the two decides"),
        ("several slices", "Holm's levels; harm elsewhere is ruled out, and equivalence claimed, by TOST at "
         f"{proof.plan.smallest_effect:g}"),
        ("controls", f"judged at {ALARM:g}, so that they hardly ever stop a fair proof"),
        ("made by", f"tuckpoint {proof.tuckpoint}, real rows SHA-256 <code>{real['sha256'][:16]}</code>"),
    ]  # fmt: skip
    return f'<dl class="method">{facts(entries)}</dl><ul class="lines">{notes}</ul>'
