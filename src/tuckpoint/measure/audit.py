"""Does a made table give away who was in the real one? All attacks, one decision, and what the audit itself can see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from tuckpoint import parts
from tuckpoint.errors import InputError, count, did_you_mean
from tuckpoint.measure import controls
from tuckpoint.measure.attacks.density import ratio
from tuckpoint.measure.decide import COPIES, adjust, allotted, level_shares, reasons
from tuckpoint.measure.finding import Audit, Control, Exposed, Finding, Power, Sides
from tuckpoint.measure.limits import AUDIT
from tuckpoint.measure.onerun import BOUNDS, LEVEL
from tuckpoint.measure.power import power
from tuckpoint.measure.sides import Stand, stand
from tuckpoint.schema import Schema
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Guarantee, Progress, quiet

DENSITY = "density"  # the attack whose guesses the power counts on, beside copies
CERTIFIED = "proved by who of the real people was held out, at least, with 95 % confidence"


@dataclass(frozen=True)
class AuditSettings:
    """How much an audit looks at. What decides stands in `limits.AuditLimits`.

    `most_people` a side and `most_made` made rows enter comparisons row by row; copies and values are looked for among
    all rows. `control_level` is the chance of an innocent control to fail, far under the audit's own level. Power is
    tried for `power` copied rows, `trials` times each. At most `worst` exposed records are told.
    """

    most_people: int = 10_000
    most_made: int = 20_000
    control_level: float = 0.001
    power: tuple[int, ...] = (5, 10, 20, 50, 100, 200, 500)
    trials: int = 20
    worst: int = 5


SETTINGS = AuditSettings()


def audit(
    train: pa.Table,
    made: pa.Table,
    holdout: pa.Table | None,
    schema: Schema,
    *,
    person: str | None = None,
    claimed: Guarantee | float | None = None,
    seed: Seed,
    attacks: Sequence[str] | None = None,
    threads: int = 1,
    progress: Progress = quiet,
    settings: AuditSettings = SETTINGS,
) -> Audit:
    """Attack made rows, from any maker, with the rows that it saw and real rows that it did not see.

    `person` names the column that tells people apart, if rows do not (default: the schema's). `claimed` is the
    guarantee that the maker gave, or its epsilon. `attacks` are names of the parts table, all by default.

    The decision is block if one p-value of all attacks together is under the level (Holm 1979), if the split proves a
    larger loss than was claimed, if an attack or a control failed, or if there are too few people to say anything.
    Raises InputError for tables that cannot be compared, for no holdout, and for one that overlaps the training rows.
    """
    if holdout is None:
        raise InputError(
            "no holdout: an audit needs real people whom the maker never saw; hold some out before fitting"
        )
    chosen = _chosen(attacks)
    seed = seed.child("audit")
    progress("distances", 0.0)
    stood = stand(
        train, made, holdout, schema, person=person, seed=seed.child("sides"), most_people=settings.most_people,
        most_made=settings.most_made,
    )  # fmt: skip
    promised = Guarantee(float(claimed), 0.0, 0.0, "") if isinstance(claimed, int | float) else claimed
    sides = replace(stood.sides, threads=threads, delta=0.0 if promised is None else promised.delta)
    stood = replace(stood, sides=sides)
    rows = {"train": train.num_rows, "holdout": holdout.num_rows, "made": made.num_rows, "people": sides.people}
    unit = "person" if sides.train.person is not None else "row"
    if sides.people < AUDIT.min_people:
        return _silent(rows, unit, promised, stood.notes)
    failed: list[str] = []
    progress("attacks", 0.3)
    findings = allotted(adjust(_run(chosen, sides, seed.child("attacks"), failed)))
    progress("controls", 0.5)
    trials, seen = _tried(chosen, stood, seed, failed, settings, findings)
    epsilon = _certified(findings, sides, promised)
    why = reasons(findings, epsilon, trials, tuple(dict.fromkeys(failed)))
    progress("done", 1.0)
    return Audit(
        rows, unit, findings, epsilon, trials, seen, _exposed(stood, settings), "block" if why else "pass", why,
        stood.notes,
    )  # fmt: skip


def _chosen(attacks: Sequence[str] | None) -> tuple[str, ...]:
    known = parts.names("attack")
    for name in attacks or ():
        if name not in known:
            raise InputError(f'no attack "{name}"{did_you_mean(name, known)}; there are: {", ".join(known)}')
    if attacks is not None and not attacks:
        raise InputError(f"no attack was asked for; there are: {', '.join(known)}")
    return known if attacks is None else tuple(dict.fromkeys(attacks))


def _run(attacks: Sequence[str], sides: Sides, seed: Seed, failed: list[str]) -> tuple[Finding, ...]:
    """All findings; what an attack raised is told in `failed`, for it blocks: a leak that nobody looked for is none
    that is not there.
    """
    found: list[Finding] = []
    for name in attacks:
        try:
            found += parts.find("attack", name)(sides, seed.child(name))
        except Exception as error:
            failed.append(f"the attack {name} failed to compute ({type(error).__name__}: {error})")
    return tuple(found)


def _tried(
    attacks: Sequence[str],
    stood: Stand,
    seed: Seed,
    failed: list[str],
    settings: AuditSettings,
    findings: tuple[Finding, ...],
) -> tuple[tuple[Control, ...], tuple[Power, ...]]:
    """Both controls with the same attacks, and the power on single rows."""

    def suite(sides: Sides, seed: Seed) -> tuple[Finding, ...]:
        return adjust(_run(attacks, sides, seed.child("attacks"), failed))

    tested = [one.attack for one in findings if one.p is not None]
    shares = dict(zip(tested, level_shares(tested), strict=True))
    copies_level, level = (AUDIT.level * shares.get(name, 0.0) for name in (COPIES, DENSITY))
    return (
        controls.positive(stood, suite, seed.child("leaky"), most_made=settings.most_made),
        controls.negative(stood, suite, seed.child("innocent"), level=settings.control_level),
    ), power(
        stood.sides, stood.near, seed.child("power"), counts=settings.power, trials=settings.trials,
        copies_level=copies_level, level=level,
    )  # fmt: skip


def _certified(findings: Sequence[Finding], sides: Sides, claimed: Guarantee | None) -> Score:
    """The largest loss that an attack proves."""
    bounds = [one for one in findings if one.epsilon is not None]
    reference = None if claimed is None else claimed.epsilon
    told = "" if claimed is None else f"claimed, at delta {claimed.delta:g}"
    if not bounds:
        return Score(
            "epsilon", None, reference=reference, reference_is=told, why="no attack that was run gives a bound"
        )
    best = max(bounds, key=lambda one: one.epsilon or 0.0)
    value = best.epsilon or 0.0
    return Score(
        "epsilon", value, n=2 * sides.people, reference=reference, reference_is=told,
        passed=None if reference is None else value <= reference, why=CERTIFIED,
        detail={"by": best.key, "delta": sides.delta, "level": LEVEL * BOUNDS},
    )  # fmt: skip


def _exposed(stood: Stand, settings: AuditSettings) -> tuple[Exposed, ...]:
    """The members whom the nearest made rows give away most, by row of the training file, and never what they hold.

    What an audit tells is published with the data, so it tells a few rows, and percentiles rounded down.
    """
    near, people = stood.near, stood.sides.people
    score = ratio(near.others[:, 0], near.made[:, 0])
    outside = np.sort(score[people:])
    worst = np.argsort(-score[:people], kind="stable")[: settings.worst]
    place = np.searchsorted(outside, score[worst], side="left") / people
    return tuple(
        Exposed(int(stood.rows[at]), DENSITY, float(np.floor(share * 1000) / 1000))
        for at, share in zip(worst, place, strict=True)
    )


def _silent(rows: dict[str, int], unit: str, claimed: Guarantee | None, notes: tuple[str, ...]) -> Audit:
    why = (
        f"cannot say: {count(rows['people'], 'person', 'people')} in the data and as many outside of it are too few to "
        f"see a leak ({AUDIT.min_people} are needed a side); hold out more"
    )
    score = Score("epsilon", None, reference=None if claimed is None else claimed.epsilon, why=why)
    return Audit(rows, unit, (), score, (), (), (), "block", (why,), notes)
