"""The proof itself: lock the test, fit everything anew in each outer resample, compare the arms, try the controls."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tuckpoint.errors import InputError, count
from tuckpoint.prove import arms, sources
from tuckpoint.prove.arms import DUPLICATED, MIXED, PERMUTED, REAL, SMOTE, WEIGHED, Replicate
from tuckpoint.prove.compare import effects
from tuckpoint.prove.controls import ALARM, accused
from tuckpoint.prove.curve import saved
from tuckpoint.prove.effect import (
    Effect,
    detectable,
    holm,
    rows_needed,
    state,
    two_way,
    unharmed,
    wider,
)
from tuckpoint.prove.images import images_of
from tuckpoint.prove.metric import calibration, estimate, losses, measurable
from tuckpoint.prove.plan import Plan, Source
from tuckpoint.prove.points import chosen, points, weights
from tuckpoint.prove.source import Made
from tuckpoint.prove.sources import Batch
from tuckpoint.prove.study import ELSEWHERE, Study, study
from tuckpoint.prove.verdict import Arm, Claim, Control, Proof, decide
from tuckpoint.scale import local
from tuckpoint.scale.shards import Job
from tuckpoint.schema import Schema
from tuckpoint.table.engine import Array, Progress, quiet
from tuckpoint.table.frame import read

KNOWN = 0.5  # share of locked rows that also stand in the pool, above which a copy of them shows nothing


def prove(
    plan: Plan | str | Path,
    real: Any,
    *,
    group: str | None = None,
    time: str | None = None,
    made: Mapping[str, Any] | None = None,
    schema: Schema | None = None,
    listing: str | Path | None = None,
    pattern: str | None = None,
    workers: int = 1,
    progress: Progress = quiet,
) -> Proof:
    """Prove on real rows (any dataframe, a path, or a folder of labelled images) what the plan claims of made rows.

    `group` is the column that names people (all rows of one stay together), `time` one by which the latest rows are the
    test. `made` adds finished tables by name: they can earn no better than "unverifiable". For `listing` and `pattern`
    see `images_of`. Raises InputError for a plan that does not fit the rows.
    """
    plan = plan if isinstance(plan, Plan) else Plan.load(plan)
    digest, images = plan.digest(), isinstance(real, str | Path) and Path(real).is_dir()
    progress(f"plan {digest[:12]} is fixed; locking the test rows", 0.0)
    notes: tuple[str, ...] = ()
    if images:
        frame, group, notes = images_of(
            Path(real), plan.target, listing=listing, group=group, pattern=pattern, workers=workers, progress=progress
        )
    elif listing is not None or pattern is not None:
        raise InputError(f"{real} is no folder of images: a listing or a pattern of paths belongs to one")
    else:
        frame = read(real)
    tables = {name: read(source).table for name, source in (made or {}).items()}
    given = with_files(plan, tables)
    work = study(given, frame.table, group=group, time=time, schema=schema)
    finished = finished_of(work, tables, progress)
    found = resampled(work, finished, workers=workers, progress=progress)
    about = {
        "name": frame.name, "sha256": frame.digest, "rows": len(work.truth), "locked": len(work.lock.test),
        "trained": found[0].trained, "group": group, "time": time, "dropped": work.dropped,
    }  # fmt: skip
    at_items = {
        items: resampled(work, finished, items=items, workers=workers, progress=progress) for items in plan.items
    }
    told = judged(work, found, digest=digest, about=about)
    # Finished tables are no part of what was planned; the digest is that of the plan as it was written.
    return replace(told, plan=plan, points=points(work, found, at_items), notes=(*notes, *told.notes))


def finished_of(work: Study, tables: Mapping[str, pa.Table], progress: Progress = quiet) -> dict[str, Batch]:
    """Rows that are the same for every resample: those of files, and of sources that learn nothing from real rows."""
    done = {name: sources.whole_block(work, Made(table)) for name, table in tables.items()}
    for source in work.plan.sources:
        if not source.file and source.maker().once:
            progress(f"source {source.name}", 0.02)
            done[source.name] = sources.once(work, source)
            if done[source.name].block is None:
                raise InputError(f"source {source.name} made nothing: {done[source.name].why}")
    return done


def with_files(plan: Plan, tables: Mapping[str, pa.Table]) -> Plan:
    """The plan with finished tables as sources beside (or, if they bear its name, in place of) its own."""
    kept = [source for source in plan.sources if source.name not in tables]
    if missing := [source.name for source in kept if source.file]:
        raise InputError(f"source {missing[0]} is a file in the plan; pass it with --made {missing[0]}=FILE")
    if not tables:
        return plan
    return replace(plan, sources=(*kept, *(Source(name, file=True) for name in tables)))


def resampled(
    work: Study, finished: Mapping[str, Batch], *, items: int = 0, workers: int = 1, progress: Progress = quiet
) -> list[Replicate]:
    """All outer resamples, over processes if there are several workers; with so many real groups of each class."""
    limited = f" with {items} of each class" if items else ""
    jobs = [Job(number, number, 1) for number in range(work.plan.folds.repeats)]
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room) / "outer"

        def told(what: str, share: float) -> None:
            progress(f"outer resamples{limited}: {share * len(jobs):.0f} of {len(jobs)}", 0.05 + 0.9 * share)

        entries = local.run(
            jobs, arms.work, folder=folder, plan_digest=work.plan.digest(), workers=workers, progress=told,
            initial=(work, dict(finished), items), suffix=".npz",
        )  # fmt: skip
        return [arms.load(folder / entry.file) for entry in entries]


def judged(work: Study, found: Sequence[Replicate], *, digest: str, about: Mapping[str, Any]) -> Proof:
    """Effects, controls and the verdict of resamples that were done."""
    plan = work.plan
    claims = [_claim(work, found, name, mask) for name, mask in work.claims.items()]
    claimed = _adjusted([claim for claim in claims if claim.name != ELSEWHERE], plan)
    elsewhere = next((claim for claim in claims if claim.name == ELSEWHERE), None)
    controls = _controls(work, found)
    leaks = _leaks(found)
    fewer = _no_more_than_copies(work, found)
    bare = [source.name for source in plan.sources if source.file]
    state_, why = decide(claimed, elsewhere, leaks=leaks, controls=controls, bare=bare, no_more_than_copies=fewer)
    shown = (*claimed, *([] if elsewhere is None else [elsewhere]))
    sought = work.sought
    return Proof(
        state_, why, plan, digest, about, shown, _arms(work, found), tuple(controls), chosen(found),
        saved(work, found, sought), _notes(work, found), weights(work, found),
    )  # fmt: skip


def _claim(work: Study, found: Sequence[Replicate], name: str, mask: Array) -> Claim:
    both, why = effects(work, found, MIXED, mask)
    rows = int(mask[work.lock.test].sum())
    if not both:
        return Claim(name, rows, "no evidence", why=why)
    margin, effect = work.plan.smallest_effect, wider(both)
    low, high = effect.interval()
    return Claim(
        name, rows, state(effect, margin), effect, low, high, unharmed=unharmed(effect, margin),
        detectable=detectable(effect), rows_needed=rows_needed(effect, margin, rows), effects=tuple(both),
    )  # fmt: skip


def _adjusted(claims: list[Claim], plan: Plan) -> list[Claim]:
    """Claims with their intervals at Holm's levels; one that cannot be measured counts as one that failed."""
    levels = holm([1.0 if claim.effect is None else claim.effect.p for claim in claims])
    done = []
    for claim, level in zip(claims, levels, strict=True):
        if claim.effect is None:
            done.append(claim)
            continue
        low, high = claim.effect.interval(level)
        said = state(claim.effect, plan.smallest_effect, level)
        done.append(replace(claim, low=low, high=high, level=level, state=said))
    return done


def _controls(work: Study, found: Sequence[Replicate]) -> list[Control]:
    """Permuted labels must not help, same against same must show nothing, and planted locked rows must be caught."""
    controls, mask = [], work.sought
    shuffled, _ = effects(work, found, PERMUTED, mask)
    if shuffled:
        low, high = wider(shuffled).interval(ALARM)
        controls.append(
            Control("permuted labels", low <= 0, f"gain {wider(shuffled).gain:+.3g} [{low:+.3g}, {high:+.3g}]")
        )
    same = _same_against_same(work, found, mask)
    if same is not None:
        low, high = same.interval(ALARM)
        controls.append(
            Control("same against same", low <= 0 <= high, f"gain {same.gain:+.3g} [{low:+.3g}, {high:+.3g}]")
        )
    known = np.isin(*_keys(work)).mean()
    for name in sorted({name for one in found for name in one.planted}):
        caught = accused([one.planted[name] for one in found if name in one.planted])
        if not caught and known > KNOWN:
            told = f"{known:.0%} of the locked rows stand in the training rows too, so that copies of them tell nothing"
            controls.append(Control(f"planted copies, {name}", True, told))
        else:
            controls.append(Control(f"planted copies, {name}", bool(caught), caught or "copies were not noticed"))
    return controls


def _keys(work: Study) -> tuple[Array, Array]:
    from tuckpoint.measure.attacks.copies import keys

    test, pool = keys([work.data.take(work.lock.test), work.data.take(work.lock.pool)])
    return test, pool


def _same_against_same(work: Study, found: Sequence[Replicate], mask: Array) -> Effect | None:
    """Real only in one resample against real only in the next: pairs of equal worth, so no effect may be seen."""
    inside = mask[work.lock.test]
    truth = work.truth[work.lock.test[inside]]
    if measurable(work.plan.metric, truth, rate=work.plan.false_positive_rate):
        return None
    told = [
        estimate(work.plan.metric, one.test[REAL][inside], truth, rate=work.plan.false_positive_rate) for one in found
    ]
    pairs = [second.minus(first) for first, second in zip(told[::2], told[1::2], strict=False)]
    influence = np.mean([pair.influence for pair in pairs], axis=0)
    clusters = work.groups[work.lock.test[inside]]
    gains = np.array([pair.value for pair in pairs])
    testing = two_way(np.zeros(2), influence, clusters, left_out=0, trained=1).testing
    # All resamples tell how far one lies from another: a pair differs by twice their variance.
    training = 2 * float(np.var([one.value for one in told], ddof=1)) / len(pairs)
    return Effect(float(gains.mean()), (training + testing) ** 0.5, len(told) - 1, "two-way", training, testing)


def _leaks(found: Sequence[Replicate]) -> list[str]:
    names = sorted({name for one in found for name in one.copies})
    told = {name: accused([one.copies[name] for one in found if name in one.copies]) for name in names}
    return [f"source {name}: {why}" for name, why in told.items() if why]


def _no_more_than_copies(work: Study, found: Sequence[Replicate]) -> bool:
    """Whether real rows written twice help too, and made rows are not shown to be better than that."""
    twice, _ = effects(work, found, DUPLICATED, work.sought)
    if not twice or wider(twice).interval()[0] <= 0:
        return False
    more, _ = effects(work, found, MIXED, work.sought, beside=DUPLICATED)
    return wider(more).interval()[0] <= 0


def _arms(work: Study, found: Sequence[Replicate]) -> tuple[Arm, ...]:
    """Every arm on the locked rows of the claim, in the order in which they were trained."""
    plan, inside = work.plan, work.sought[work.lock.test]
    truth = work.truth[work.lock.test[inside]]
    if measurable(plan.metric, truth, rate=plan.false_positive_rate):
        return ()
    names = list(dict.fromkeys(name for one in found for name in one.test))
    names = [name for name in names if not name.startswith((f"{REAL} x", WEIGHED))]
    told = []
    for name in names:
        parts = [one.test[name][inside] for one in found if name in one.test]
        value = float(
            np.mean([estimate(plan.metric, part, truth, rate=plan.false_positive_rate).value for part in parts])
        )
        both = [] if name == REAL else effects(work, found, name, work.sought)[0]
        low, high = wider(both).interval() if both else (None, None)
        loss = None if not work.outcome.classes else float(np.mean([losses(part, truth).mean() for part in parts]))
        trust = None if work.outcome.classes > 2 else float(np.mean([calibration(part, truth) for part in parts]))
        told.append(Arm(name, value, wider(both).gain if both else None, low, high, loss, trust))
    return tuple(told)


def _notes(work: Study, found: Sequence[Replicate]) -> tuple[str, ...]:
    notes = [f"The verdict is for {found[0].trained:,} real training rows; the more of them, the less made rows bring."]
    if work.dropped:
        notes.append(f"{work.dropped:,} rows without a known {work.outcome.name} were left out.")
    if work.outcome.classes and not work.pictures and SMOTE not in found[0].test:
        notes.append("SMOTE was not tried: install it with: pip install 'tuckpoint[prove]'.")
    once = {source.name for source in work.plan.sources if not source.file and source.maker().once}
    for source in work.plan.sources:
        fits = sum((Counter(one.fits.get(source.name, {})) for one in found), Counter())
        for why in sorted(set(fits) - {""}):
            notes.append(f"Source {source.name} made no rows in {fits[why]} of {fits.total()} fits: {why}.")
        facts = [one.facts[source.name] for one in found if one.facts.get(source.name)]
        for name in {name: None for one in facts for name in one}:
            values = [one[name] for one in facts if name in one]
            told = f"{np.mean(values):.4g}" + ("" if source.name in once else f" (mean of {count(len(values), 'fit')})")
            notes.append(f"Source {source.name}: {name} {told}.")
    return tuple(notes)
