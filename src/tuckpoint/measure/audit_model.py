"""Does a generator give away whom it was fitted to? Its files, canaries, and shadow models of the most exposed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from tuckpoint import parts
from tuckpoint import settings as parts_settings
from tuckpoint.errors import InputError, ShortSample, count
from tuckpoint.measure.audit import SETTINGS, AuditSettings, audit
from tuckpoint.measure.canaries import bound, plant, plenty
from tuckpoint.measure.decide import adjust, allotted, reasons
from tuckpoint.measure.evaluate import judge
from tuckpoint.measure.finding import Audit, Control, Finding
from tuckpoint.measure.limits import AUDIT
from tuckpoint.measure.memory import memorised
from tuckpoint.measure.onerun import BOUNDS
from tuckpoint.measure.shadow import shadow, targets
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Context, Progress, quiet
from tuckpoint.table.fit import TableModel, fit
from tuckpoint.table.sample import sample

MANY = 10  # times as many rows as were fitted, for canaries: a model can be asked as often as one likes
MOST_DRAWN = 20_000
CERTIFIED = "proved by planted canaries or by fits without a record, at least, with 95 % confidence"
FAILED = "the attack "  # how a reason begins that tells of an attack which could not be computed


@dataclass(frozen=True)
class ModelSettings:
    """How much an audit of a generator looks at, beside what `audit` does with each file.

    `files` of as many rows as were fitted are drawn and audited. `canaries` (32 to 1,000, 0 for none) are planted in a
    refit; None means one for twenty rows. `shadows` is the number of shadow fits, a multiple of four, 0 for none; None
    means as many as two minutes hold, and none where one fit takes over five seconds. They concern the `exposed` most
    exposed records of the first file.
    """

    files: int = 2
    canaries: int | None = None
    shadows: int | None = None
    exposed: int = 3
    audit: AuditSettings = field(default=SETTINGS)

    def __post_init__(self) -> None:
        if self.files < 1:
            raise InputError(f"files is {self.files}; audit one file or more")
        if self.exposed < 0:
            raise InputError(f"exposed is {self.exposed}; give 0 or more")
        for name in ("canaries", "shadows"):
            if (getattr(self, name) or 0) < 0:
                raise InputError(
                    f"{name} is {getattr(self, name)}; give a whole number from 0, or none to let it choose"
                )


MODEL_SETTINGS = ModelSettings()


@dataclass(frozen=True)
class _Trial:
    """The generator on trial: the model, what it is refitted with, and the loss that it may show."""

    model: TableModel
    train: pa.Table
    k: int
    mine_rules: bool
    context: Context
    allowed: float
    delta: float

    def refit(self, table: pa.Table, seed: Seed) -> TableModel:
        """The same engine with the same settings and rules, on other rows."""
        engine = parts_settings.build(parts.find("engine", self.model.engine_name), dict(self.model.settings))
        asked = [rule.text for rule in self.model.book.rules if rule.origin == "user"]
        fitted = fit(
            table, self.model.schema, engine=engine, seed=seed, rules=asked, mine_rules=self.mine_rules, k=self.k,
            context=self.context,
        )  # fmt: skip
        return replace(fitted, book=fitted.book.with_rules(self.model.book.added))


def audit_model(
    model: TableModel,
    train: pa.Table,
    holdout: pa.Table | None,
    *,
    seed: Seed,
    k: int = 5,
    mine_rules: bool = True,
    threads: int = 1,
    progress: Progress = quiet,
    settings: ModelSettings = MODEL_SETTINGS,
) -> Audit:
    """Audit a fitted generator, and not one file of it, with the rows that it was fitted to and real rows held out.

    Three parts, one decision. Files: as many rows as were fitted are drawn several times, and each draw is audited as a
    file. Canaries: the engine is fitted again, with its settings, to the training rows and people who do not exist,
    each planted by a coin. Shadows: where a fit is cheap, it is fitted again and again with and without the records
    that the first file exposed most, and one canary. Findings of canaries and shadows have p-values for the privacy
    loss being larger than claimed, or, where nothing was claimed, than the logarithm of the limit `worst_ratio`: no
    generator but a constant one shows no loss at all to whoever draws from it without end.

    `k` and `mine_rules` are those of the fit, which a model does not hold. Whatever is fitted here on real rows is
    thrown away: of a private engine each such model would be another release, and the scores leave the audit without
    noise, so keep the audit inside. What cannot be tried says why. Raises InputError as `audit` does.
    """
    promised = model.guarantee
    context = Context(threads=threads, target=model.schema.target, judge=judge, memorised=memorised)
    trial = _Trial(
        model, train, k, mine_rules, context,
        allowed=math.log(AUDIT.worst_ratio) if promised is None else promised.epsilon,
        delta=0.0 if promised is None else promised.delta,
    )  # fmt: skip
    files = []
    for number in range(settings.files):
        made = sample(model, train.num_rows, seed.child("file", number))
        files.append(
            audit(
                train, made, holdout, model.schema, claimed=promised, seed=seed.child("audit", number), threads=threads,
                progress=_within(progress, 0.4 * number / settings.files, 0.4 * (number + 1) / settings.files),
                settings=settings.audit if number == 0 else replace(settings.audit, power=()),
            )
        )  # fmt: skip
        if not files[0].findings:
            return files[0]
    drawn = "1 file of {} rows was" if settings.files == 1 else f"{settings.files} files of {{}} rows were"
    told = [f"{drawn.format(f'{train.num_rows:,}')} drawn and audited."]
    progress("canaries", 0.4)
    more, canary = _canaries(trial, settings, seed.child("canaries"), told)
    worst = [one.row for one in files[0].worst[: settings.exposed]]
    more += _shadows(trial, settings, worst, canary, seed.child("shadows"), told, _within(progress, 0.5, 1.0))
    progress("done", 1.0)
    return merge(files, more, told)


def _canaries(
    trial: _Trial, settings: ModelSettings, seed: Seed, told: list[str]
) -> tuple[list[Finding], pa.Table | None]:
    """Findings of planted canaries, and one that was not planted, for shadows."""
    count = plenty(trial.train.num_rows) if settings.canaries is None else settings.canaries
    if not count:
        told.append("Canaries were left out: none were asked for.")
        return [], None
    try:
        planted = plant(trial.train, trial.model.schema, count, seed.child("plant"), book=trial.model.book, k=trial.k)
        refitted = trial.refit(planted.table, seed.child("fit"))
        rows = min(MANY * trial.train.num_rows, max(MOST_DRAWN, trial.train.num_rows))
        made, without = (sample(one, rows, seed.child("draw")) for one in (refitted, trial.model))
    except (InputError, ShortSample) as error:
        told.append(f"Canaries were left out: {error}.")
        return [Finding("canaries", "worst case", Score("canaries", None, why=str(error)))], None
    found = bound(
        made, planted, seed=seed.child("guess"), without=without, allowed=trial.allowed, delta=trial.delta,
    )  # fmt: skip
    told.append(
        f"Canaries: the engine was fitted again to the training rows and {int(planted.coins.sum())} of {count} people "
        f"who do not exist, and {rows:,} rows were drawn; that model and its rows were thrown away."
    )
    return list(found), planted.canaries.filter(pa.array(~planted.coins)).slice(0, 1)


def _shadows(
    trial: _Trial,
    settings: ModelSettings,
    worst: Sequence[int],
    canary: pa.Table | None,
    seed: Seed,
    told: list[str],
    progress: Progress,
) -> list[Finding]:
    if settings.shadows == 0:
        told.append("Shadow models were left out: none were asked for.")
        return []
    promised = trial.model.guarantee
    by_row = promised is not None and promised.unit.startswith("one row")
    whom = targets(trial.train, worst, person=None if by_row else trial.model.schema.person, canary=canary)

    def refit(table: pa.Table, seed: Seed) -> pa.Table:
        return sample(trial.refit(table, seed.child("fit")), trial.train.num_rows, seed.child("draw"))

    found = shadow(
        refit, whom, trial.model.schema, seed=seed, fits=settings.shadows, allowed=trial.allowed, delta=trial.delta,
        progress=progress,
    )  # fmt: skip
    score = found[0].score
    if score.value is None:
        told.append(f"Shadow models were left out: {score.why}.")
    else:
        told.append(
            f"Shadow models: {count(score.detail['fits'], 'fit')}, half with and half without each of "
            f"{len(whom.names)} records; those models and their rows were thrown away."
        )
    return list(found)


def merge(files: Sequence[Audit], more: Sequence[Finding], told: Sequence[str]) -> Audit:
    """One audit of all findings; the decision is taken anew over all of them by the rule of `audit`.

    The level of bounds on epsilon is shared among those of one file, of canaries and of shadows: further files have
    p-values, but prove no loss.
    """
    first, *others = files
    findings = list(allotted(first.findings, BOUNDS - sum(one.epsilon is not None for one in more)))
    epsilon = _proved(first.epsilon, findings, more)
    for number, other in enumerate(others, start=2):
        findings += [
            replace(one, score=replace(one.score, subject=(*one.score.subject, f"file {number}")), epsilon=None)
            for one in other.findings
        ]
    adjusted = adjust([*findings, *more])
    controls = _controls(files)
    failed = tuple(dict.fromkeys(reason for one in files for reason in one.reasons if reason.startswith(FAILED)))
    why = reasons(adjusted, epsilon, controls, failed)
    return replace(
        first, findings=adjusted, epsilon=epsilon, controls=controls, decision="block" if why else "pass", reasons=why,
        notes=(*first.notes, *told),
    )  # fmt: skip


def _proved(told: Score, own: Sequence[Finding], more: Sequence[Finding]) -> Score:
    """The largest loss that the findings prove, told as that of the file was."""
    bounds = [one for one in (*own, *more) if one.epsilon is not None]
    if not bounds:
        return told
    best = max(bounds, key=lambda one: one.epsilon or 0.0)
    value, (why, n) = best.epsilon or 0.0, (CERTIFIED, best.score.n) if best in more else (told.why, told.n)
    return replace(
        told, value=value, n=n, why=why, passed=None if told.reference is None else value <= told.reference,
        detail={**told.detail, "by": best.key},
    )  # fmt: skip


def _controls(files: Sequence[Audit]) -> tuple[Control, ...]:
    """Each control as it came out first, or where it failed."""
    return tuple(
        next((one.controls[at] for one in files if not one.controls[at].worked), control)
        for at, control in enumerate(files[0].controls)
    )


def _within(progress: Progress, low: float, high: float) -> Callable[[str, float], None]:
    return lambda what, share: progress(what, low + (high - low) * share)
