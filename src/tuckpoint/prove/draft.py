"""From gaps to a plan of a proof: what to do about each gap, by where information comes from, and how to prove it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tuckpoint import parts
from tuckpoint.errors import InputError, RecipeError, count, did_you_mean
from tuckpoint.measure.boost import Boosting
from tuckpoint.prove.metric import LEAST
from tuckpoint.prove.plan import Folds, Metric, Plan, Source
from tuckpoint.prove.ridge import Ridge
from tuckpoint.prove.source import Foretelling, Foretold

Do = Literal["make", "reweight", "collect", "nothing"]
VERSION = 1  # of gaps.json
NEEDED = math.ceil(LEAST / Folds().test)  # rows of a gap, so that enough of them are locked for a claim
BASELINES = 30  # rows of a gap from which on weights, copies and SMOTE are worth trying before anything else
MOST = 6  # gaps of one plan: Holm's procedure shares 5 % among their claims
AROUND = (0.3, 1.0, 3.0)  # weights that are tried, times the weight of the rows that lack
DRAWN = 16.0  # made rows per row that lacks: drawn outcomes of few rows add noise (bench.proof.slices)
AMOUNTS = (0.05, 1.0)  # least and most made rows per real row
ALL_RENDERS = 100.0  # of pictures: they are there, and their weight alone counts
STOP = "one proof; if it helps, keep them; if not, stop, and collect real rows rather than make more"


@dataclass(frozen=True)
class Offer:
    """One source that may be used: its kind with its settings, and the engine if it is one."""

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def knows(self) -> bool:
        """Whether it brings something from outside the training rows."""
        return self.kind not in ("engine", "smote")

    def source(self, name: str, where: str | None) -> Source:
        """The same as a plan names it."""
        if self.kind == "engine":
            return Source(name, engine=self.name, where=where)
        return Source(name, kind=self.kind, settings=self.settings, where=where)

    def refuses(self, gap: Mapping[str, Any]) -> str:
        """Why it brings nothing for a gap; empty if it does."""
        return self.source(self.name, None).maker().serves(gap)

    def foretells(self, gap: Mapping[str, Any]) -> Foretold | None:
        """What it would bring to a gap; None if it cannot say."""
        maker = self.source(self.name, None).maker()
        return maker.foretells(gap) if isinstance(maker, Foretelling) else None


@dataclass(frozen=True)
class Decision:
    """What to do about one gap: `rows` to make or to collect, from which sources, and why.

    `weight` is what made rows should weigh beside all real ones (as much as the rows that lack), `locked` the rows of
    the gap that the proof will lock, `detectable` the gain that these would show in four of five trials. With the
    metric, the smallest effect and the stop rule it is fixed before anything is made.
    """

    where: str
    do: Do
    rows: int
    why: str
    sources: tuple[str, ...] = ()
    weight: float | None = None
    metric: str = ""
    smallest_effect: float | None = None
    locked: int | None = None
    detectable: float | None = None
    stop: str = ""

    def lines(self) -> list[str]:
        """In words: what, why, and for made rows how they are judged."""
        told = [f"{self.do} {count(self.rows, 'row')}: {self.where}", f"  {self.why}"]
        if self.do in ("make", "reweight"):
            seen = "" if self.detectable is None else f", which show {self.detectable:.2g} in four of five trials"
            told += [
                f"  from {', '.join(self.sources)}; weight {self.weight:.3g} of the real rows",
                f"  {self.metric} better by {self.smallest_effect:g}, on about {self.locked} locked rows{seen}",
                f"  stop rule: {self.stop}",
            ]
        return told


@dataclass(frozen=True)
class Draft:
    """What is to be done, gap by gap, and the plan; None where nothing is to be made."""

    decisions: tuple[Decision, ...]
    plan: Plan | None

    def to_yaml(self) -> str:
        """The plan as YAML, the decisions before it as comments."""
        told = [f"# {line}" for one in self.decisions for line in one.lines()]
        return "\n".join([*told, "" if self.plan is None else self.plan.to_yaml()])


def offer(text: str) -> Offer:
    """The source that `--source` names: an engine, `smote`, or KIND: FILE.

    Raises InputError for a kind or engine that there is not, a file that is none of its kind, or a private engine.
    """
    kind, colon, file = (part.strip() for part in text.partition(":"))
    kinds = parts.names("source")
    if not colon:
        if kind in kinds and kind != "engine" and kind != "smote":
            raise InputError(f'--source {kind}: say from which file, such as --source "{kind}: FILE"')
        if kind not in kinds and kind not in parts.names("engine"):
            known = [*parts.names("engine"), *(name for name in kinds if name != "engine")]
            raise InputError(
                f'--source "{text}": no such source{did_you_mean(kind, known)}; there are: {", ".join(known)}'
            )
        found = Offer(kind, kind if kind in kinds else "engine")
    else:
        if kind not in kinds:
            raise InputError(f'--source "{text}": no kind of source "{kind}"{did_you_mean(kind, kinds)}')
        found = Offer(kind, kind, parts.find("source", kind).planned(Path(file)))
    found.source(found.name, None)
    return found


def draft(
    gaps: Mapping[str, Any],
    sources: Sequence[str] = ("trees",),
    *,
    metric: Metric | None = None,
    smallest_effect: float | None = None,
    seed: int = 0,
) -> Draft:
    """What to do about each gap of a gaps.json, by where information can come from.

    Nothing, where more rows would not mend it. Else a source that knows something from outside (published rates, a
    simulator, a scene), if it speaks of the gap; else an engine, if neighbours surround it; else the baselines, if rows
    of it exist; else collect real rows. Raises InputError for gaps that were found without a target, an unknown or
    private engine, or a metric whose smallest effect is not said.
    """
    target, offers = _checked(gaps), _named([offer(text) for text in sources])
    pictures = gaps["about"].get("of") == "pictures"
    if pictures:  # tables know nothing of what a picture shows
        offers = tuple(one for one in offers if parts.find("source", one.kind).once)
    kind, effect = _judged(gaps, metric, smallest_effect)
    decisions = [_decided(gap, offers, gaps, kind, effect) for gap in gaps["gaps"]]
    chosen = [one for one in decisions if one.do in ("make", "reweight")]
    for one in chosen[MOST:]:
        why = f"one plan claims {MOST} gaps at most; fill those first"
        decisions[decisions.index(one)] = Decision(one.where, "nothing", one.rows, why)
    chosen = chosen[:MOST]
    if not chosen:
        return Draft(tuple(decisions), None)
    if effect is None:
        raise InputError(f"say the smallest gain of {kind} that matters: --smallest-effect NUMBER, in its own units")
    weight, slices = sum(one.weight or 0.0 for one in chosen), tuple(one.where for one in chosen)
    amount = round(min(max(DRAWN * weight, AMOUNTS[0]), AMOUNTS[1]), 4)
    plan = Plan(
        target, _sources(chosen, offers), metric=kind, smallest_effect=effect, slices=slices,
        amounts=(ALL_RENDERS if pictures else amount,), learner=Ridge() if pictures else Boosting(),
        weights=tuple(sorted({round(min(max(weight * times, 1e-3), 1.0), 4) for times in AROUND})), seed=seed,
    )  # fmt: skip
    return Draft(tuple(decisions), plan)


def _checked(gaps: Mapping[str, Any]) -> str:
    """The target of the gaps."""
    if gaps.get("tuckpoint_gaps") != VERSION:
        raise RecipeError(
            f"not the gaps.json of this version: tuckpoint_gaps is {gaps.get('tuckpoint_gaps')!r}, not {VERSION}"
        )
    target = gaps["about"].get("target")
    if not target:
        raise InputError("these gaps were found without a target; run `tuckpoint find` again with --target COLUMN")
    serious = [leak["told"] for leak in gaps.get("leaks", ()) if leak.get("serious")]
    if serious:
        raise InputError(f"mend the rows first, then find again: {serious[0]}")
    return str(target)


def _named(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """The offers, those of one name numbered."""
    names = [one.name for one in offers]
    return tuple(
        Offer(f"{one.name}-{names[:k].count(one.name) + 1}", one.kind, one.settings)
        if names.count(one.name) > 1 and one.kind != "engine"
        else one
        for k, one in enumerate(offers)
        if one.kind != "engine" or one.name not in names[:k]
    )


def _judged(gaps: Mapping[str, Any], metric: Metric | None, effect: float | None) -> tuple[Metric, float | None]:
    """The metric, and the smallest effect that matters if it is known."""
    classes = "log loss" in str(gaps.get("overall", {}).get("model", "log loss"))
    kind: Metric = metric or ("log_loss" if classes else "rmse")
    if effect is None and kind == "log_loss":
        effect = float(gaps["about"]["settings"]["smallest_effect"])
    return kind, effect


def _decided(
    gap: Mapping[str, Any], offers: Sequence[Offer], gaps: Mapping[str, Any], metric: str, effect: float | None
) -> Decision:
    """What one gap asks for."""
    missing, rows = gap["missing"], int(gap["missing"]["lacking"])
    about = gap.get("reducible") or {}
    state, where, have = about.get("state", "not known"), str(missing["where"]), int(missing["rows"])
    if state == "not reducible":
        told = about.get("why") or "its learning curve is flat"
        return Decision(where, "nothing", 0, f"more rows would not mend it: {told}")
    if (gap.get("harm") or {}).get("state") == "not shown" and state != "reducible":
        return Decision(where, "nothing", 0, "rows are missing, but the model was not shown to do worse there")
    if state != "reducible" and (told := _settled(gap, offers, gaps)):
        return Decision(where, "nothing", 0, told)
    do, names, why = _where_from(gap, offers, have, state)
    if do == "collect":
        return Decision(where, do, *_collected(about, rows, why))
    if have < NEEDED:
        why = f"{why}; but {have} rows are too few to prove it on, {NEEDED} are needed: collect those first"
        return Decision(where, "collect", NEEDED - have, why, names)
    weight = rows / max(int(gaps["about"]["rows"]), 1)
    return Decision(where, do, rows, why, names, weight, metric, effect, *_locked(gap, have), STOP)


def _settled(gap: Mapping[str, Any], offers: Sequence[Offer], gaps: Mapping[str, Any]) -> str:
    """Why a gap that refits say little of needs nothing: both they and a source that knows foretell too little."""
    smallest = float(gaps["about"]["settings"]["smallest_effect"])
    gain = (gap.get("reducible") or {}).get("gain")
    if gain is not None and gain >= smallest:
        return ""
    for found in filter(None, (one.foretells(gap) for one in offers)):
        if found.gain < smallest:
            return f"{found.told}, less than the {smallest:g} that matters"
    return ""


def _where_from(
    gap: Mapping[str, Any], offers: Sequence[Offer], have: int, state: str
) -> tuple[Do, tuple[str, ...], str]:
    """Where information can come from: what to do, from which offers, and why."""
    refusals = {one.name: one.refuses(gap) for one in offers}
    serving = [one for one in offers if not refusals[one.name]]
    if knowing := tuple(one.name for one in serving if one.knows):
        told = f"{' and '.join(knowing)} know{'s' if len(knowing) == 1 else ''} what the training rows do not ({state})"
        found = [one.foretells(gap) for one in serving]
        return "make", knowing, "; ".join([told, *(one.told for one in found if one)])
    engines = tuple(one.name for one in serving if one.kind == "engine")
    if engines and gap.get("support") in ("inside", "edge"):
        more = tuple(one.name for one in serving if one.kind == "smote")
        why = f"neighbours surround it, and more rows may mend it ({state}); prove it against collecting"
        return "make", (*engines, *more), why
    outside = gap.get("support") == "outside"
    if have >= BASELINES and not outside:
        why = f"{have} rows of it are all that is known: weights, copies and SMOTE first, which the proof tries all"
        return "reweight", ("smote",), why
    if outside:
        why = "it lies outside the support of the training rows: a table engine knows nothing there, only real rows do"
        return "collect", (), why
    if not have:
        return "collect", (), "there is no row of it that a table engine could learn from"
    told = "; ".join(f"{name}: {reason}" for name, reason in refusals.items() if reason)
    return "collect", (), f"{have} rows of it, and no source knows more{f' ({told})' if told else ''}"


def _collected(about: Mapping[str, Any], lacking: int, why: str) -> tuple[int, str]:
    """How many real rows to collect: as many as the learning curve asks for, if one was fitted."""
    needed = about.get("needed")
    if needed is None:
        return lacking, why
    return int(needed), f"{why}; so many would bring the smallest effect, by its learning curve"


def _locked(gap: Mapping[str, Any], have: int) -> tuple[int, float | None]:
    """Rows of a gap that a proof locks, and the change of the loss that they show in four of five trials."""
    locked, about = round(Folds().test * have), gap.get("provable") or {}
    seen, effective = about.get("detectable"), about.get("effective")
    return locked, None if not seen or not effective else float(seen) * (float(effective) / max(locked, 1)) ** 0.5


def _sources(chosen: Sequence[Decision], offers: Sequence[Offer]) -> tuple[Source, ...]:
    """The sources of the plan. One that can make rows of several gaps at once is asked for all of them, since the
    proof takes one source at a time.
    """
    found: list[Source] = []
    known = {one.name: one for one in (*offers, *([] if any(o.name == "smote" for o in offers) else [offer("smote")]))}
    for name, one in known.items():
        asked = [decision.where for decision in chosen if name in decision.sources]
        if not asked:
            continue
        if one.kind == "scene":
            found.append(one.source(name, None))
        elif one.kind == "simulator" and len(asked) > 1:
            found += [one.source(f"{name}-{number}", where) for number, where in enumerate(asked, 1)]
        else:
            found.append(
                one.source(name, asked[0] if len(asked) == 1 else " or ".join(f"({where})" for where in asked))
            )
    return tuple(found)
