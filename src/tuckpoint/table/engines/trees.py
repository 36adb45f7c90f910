"""The default engine: column after column, bagged trees whose leaves keep real members, moved by boosting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from threading import Lock
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, TraceError, did_you_mean
from tuckpoint.seed import Seed
from tuckpoint.table import bags, conditional, kernel, satisfy, stored
from tuckpoint.table.arrange import Arrangement, arrange
from tuckpoint.table.blocks import Blocks
from tuckpoint.table.boosting import FOLDS
from tuckpoint.table.codes import code_column
from tuckpoint.table.conditional import Conditional, Settings
from tuckpoint.table.engine import Array, Condition, Context, Encoded, Field, Guarantee, State, cut
from tuckpoint.table.formula import Rests, rests
from tuckpoint.table.protect import LEAST_PEOPLE
from tuckpoint.table.rule import Rule

BLOCK = 16_384  # rows drawn at a time, so that a block's codes stay in the cache
ATOM_SHARE = 0.003
JOINT = 2  # columns of a condition that may come from one real row together
MOST_TRIED, LEAST_TRIED = 20, 200_000  # rows drawn per row asked, and in all, before a condition takes real rows
LEAVES, BAGS = (50, 5), (0.4, 0.5)  # `leaf` and `finest`, `bag` and `fine_bag` if not said
FEW_BAGS = (0.6, 0.7)  # of tables too small to try what is safe
FEW_LEAVES = (50, 100)  # there: a tenth of the rows between these, and a fifth of that
FEWEST = 10  # where that would leave one leaf: a fifth of the rows, and no fewer than these


@dataclass(frozen=True)
class Trees:
    """Settings of the tree engine.

    trees: trees per column (1 or more); leaf: least people in a leaf, unless finer leaves foretell held-out rows
    better, or coarser ones as well; finest: least people in those; bag: share of rows each tree grows on (0..1];
    fine_bag: the same for a column whose leaves are finer than `leaf`; apart: least people in a leaf that a split
    beyond chance sets apart, such as those of a rare level; these five, if not said, as usual for so many rows
    (`usual`), bags wider where that is safe; loose: the same as leaf, of numbers that few people share;
    stacked: share of a column's trees that also see its boosted prediction (0..1); reach: how far a drawn member is
    moved towards the prediction for its new row (0 not at all, 1 wholly); rounds, depth, rate: boosting rounds at
    most, depth of its trees and learning rate; moments: cosine moments of the rank that a split must tell apart
    (1 = the mean alone); jitter: half width of the rank jitter as a share of the pool; common: whether numbers that
    many share are moved as well, but for those far commoner than their neighbours; parents: features per column
    at most; rows: real rows learnt from at most; bag_rows: rows a single tree grows on at most.
    """

    name: ClassVar[str] = "trees"
    repeatable: ClassVar[bool] = True
    private: ClassVar[bool] = False

    trees: int = 12
    leaf: int | None = None
    finest: int | None = None
    bag: float | None = None
    fine_bag: float | None = None
    loose: int = 1
    apart: int | None = None
    stacked: float = 1.0
    reach: float = 0.6
    rounds: int = 80
    depth: int = 5
    rate: float = 0.1
    moments: int = 5
    jitter: float = 0.001
    common: bool = False
    parents: int = 40
    rows: int = 300_000
    bag_rows: int = 100_000

    def __post_init__(self) -> None:
        for name, low, high in (
            *(("trees", 1, 1000), ("bag", 1e-6, 1), ("fine_bag", 1e-6, 1), ("stacked", 0, 1), ("reach", 0, 1)),
            *((name, 1, 10**9) for name in ("leaf", "finest", "loose", "apart")),
            *(("rounds", 1, 10_000), ("depth", 1, 8), ("rate", 1e-6, 1), ("moments", 1, 64), ("jitter", 0, 1)),
            *(("parents", 1, 32_000), ("rows", 1, 2**31 - 1), ("bag_rows", 1, 2**31 - 1)),
        ):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputError(f"trees: {name} = {value} is outside {low}..{high}")

    def fit(self, real: Encoded, seed: Seed, context: Context) -> TreesModel:
        """Learn each column given the ones before it, columns side by side on `context.threads` threads."""
        if real.fields and not real.rows:
            raise InputError("trees: the table has no rows to learn from")
        learnt = _numbered(cut(real, self.rows, seed.child("rows").numpy()))
        target = context.target if context.target in real.columns else None
        fold = _folds(learnt, seed.child("fold"))
        found = arrange(learnt, target, fold, self.parents, seed)
        found = replace(found, blocks=context.blocks)
        asked = self.usual(learnt.rows)

        def unlearnt(settings: Trees, half: Encoded, own: Seed) -> TreesModel:
            # The target is not named: its own head costs most and memorises least.
            return TreesModel(settings, half, found, None, own, (), {})

        settings = bags.safe(asked, unlearnt, learnt, seed.child("safe"), context, coarser=self.leaf is None)
        notes: tuple[str, ...] = (
            "the saved model holds the protected values of the rows it learnt: keep it as safe as the data",
        )
        if learnt.rows < real.rows:
            notes += (f"learnt from {learnt.rows} of {real.rows} rows, chosen by chance (setting `rows`)",)
        notes += bags.told(asked, settings)
        return TreesModel(settings, learnt, found, target, seed, notes, {}).learn(context)

    def usual(self, rows: int) -> Trees:
        """The same with leaves and bags, where they were not said, as usual for so many rows.

        Of few rows a small part teaches nothing, and nothing that is tried on halves of them would show whom it harms.
        """
        (leaf, finest), (bag, fine_bag) = LEAVES, BAGS
        if rows < bags.TRIED_FROM:
            leaf, (bag, fine_bag) = min(max(rows // 10, FEW_LEAVES[0]), FEW_LEAVES[1]), FEW_BAGS
            if rows < conditional.LEAST_ROWS:
                leaf = max(rows // 5, FEWEST)
            finest = max(leaf // 5, LEAST_PEOPLE)
        leaf, bag = self.leaf or leaf, self.bag or bag
        finest, fine_bag = self.finest or min(finest, leaf), self.fine_bag or max(fine_bag, bag)
        apart = self.apart or max(LEAST_PEOPLE, self.finest or self.leaf or 0)  # no finer than somebody asked for
        return replace(self, leaf=leaf, finest=finest, bag=bag, fine_bag=fine_bag, apart=apart)

    @classmethod
    def load(cls, state: State, fields: tuple[Field, ...]) -> TreesModel:
        """The model that told this state."""
        return TreesModel.from_state(state, fields)

    def column_settings(self) -> Settings:
        """What the learning of one column needs to know."""
        boost = kernel.BoostSettings(rounds=self.rounds, depth=self.depth, rate=self.rate)
        said = self.usual(bags.TRIED_FROM)
        return Settings(
            self.trees, said.leaf or 0, said.finest or 0, said.bag or 0, said.fine_bag or 0, self.loose,
            said.apart or 0, self.stacked, self.reach, self.moments, self.jitter, boost, self.bag_rows,
        )  # fmt: skip


def _numbered(real: Encoded) -> Encoded:
    """The same rows with their people numbered from 0 without gaps."""
    return real if real.person is None else replace(real, person=np.unique(real.person, return_inverse=True)[1])


def _folds(real: Encoded, seed: Seed) -> NDArray[np.uint8]:
    """The fold (n,) of each row; a person is wholly in one, unless so few hold the rows that one would starve."""
    if real.person is not None:
        fold = (seed.child("people").numpy().permutation(int(real.person.max(initial=-1)) + 1) % FOLDS)[real.person]
        if np.bincount(fold, minlength=FOLDS).min() * 4 >= real.rows:
            return fold.astype(np.uint8)
    return (seed.numpy().permutation(real.rows) % FOLDS).astype(np.uint8)


class TreesModel:
    """A fitted tree engine: the learnt columns, and the protected real rows whose values the leaves point to."""

    guarantee: Guarantee | None = None

    def __init__(
        self,
        settings: Trees,
        real: Encoded,
        found: Arrangement,
        target: str | None,
        seed: Seed,
        notes: tuple[str, ...],
        columns: Mapping[str, Conditional],
    ) -> None:
        self.fields = real.fields
        self.notes = notes
        self.settings = settings
        self.sequence = found.sequence
        self._real = real
        self._found = found
        self._target = target
        self._seed = seed
        self._columns = dict(columns)
        self._weight = None if real.person is None else (1.0 / np.maximum(np.bincount(real.person), 1))[real.person]
        atom_rows = max(LEAST_PEOPLE, int(ATOM_SHARE * real.rows))
        self._coded = {
            f.name: code_column(
                f, real.columns[f.name], atom_rows=atom_rows, person=real.person, common=settings.common
            )
            for f in real.fields
        }
        self._formulas = {formula.column: formula for formula in found.formulas}
        self._fold = _folds(real, seed.child("fold"))
        self._blocks = Blocks(found.blocks, real.fields)
        # Columns learnt anew for a set of given columns; filled under the lock, so that threads may draw side by side.
        self._learnt: dict[tuple[str, frozenset[str]], Conditional] = {}
        self._lock = Lock()

    @property
    def fine(self) -> tuple[str, ...]:
        """The columns whose leaves are finer than usual."""
        return tuple(name for name, column in self._columns.items() if column.fine)

    def learn(self, context: Context, known: TreesModel | None = None) -> TreesModel:
        """The same model with every column learnt; `known` was learnt from the same rows with other leaves and bags."""
        done = 0

        def learn(name: str) -> Conditional:
            nonlocal done
            before = self.sequence[: self.sequence.index(name)]
            column = self._fit(name, before, None if known is None else known._columns[name])
            done += 1
            context.progress("learning columns", done / len(self.sequence))
            return column

        with ThreadPoolExecutor(max(1, context.threads)) as pool:
            # The last columns have the most features and take longest: begin with them.
            learnt = dict(zip(reversed(self.sequence), pool.map(learn, reversed(self.sequence)), strict=True))
        return TreesModel(self.settings, self._real, self._found, self._target, self._seed, self.notes, learnt)

    def _fit(self, name: str, before: Sequence[str], known: Conditional | None = None) -> Conditional:
        return conditional.fit(
            name,
            self._parents(name, before),
            self._coded,
            self.settings.column_settings(),
            fold=self._fold,
            weight=self._weight,
            person=self._real.person,
            target=name == self._target,
            rests=self._rests(name, before),
            free=self._blocks.free(name, before, self._real.columns),
            known=known,
            seed=self._seed.child("column", name),
        )

    def _rests(self, name: str, before: Sequence[str]) -> Rests | None:
        """What its formula leaves of a column, if it has one and all of its parents come before."""
        formula = self._formulas.get(name)
        if formula is None or not set(formula.needs) <= set(before):
            return None
        return rests(formula, self._coded)

    def _parents(self, name: str, before: Sequence[str]) -> tuple[str, ...]:
        """The features of a column: those before it that tell most about it, in the order of the sequence."""
        if len(before) <= self.settings.parents:
            return tuple(before)
        position = {f.name: i for i, f in enumerate(self.fields)}
        told = self._found.information[position[name]]
        best = sorted(before, key=lambda other: (-told[position[other]], position[other]))[: self.settings.parents]
        return tuple(other for other in before if other in set(best))

    def refuse(self, condition: Condition | None, given: tuple[str, ...]) -> str | None:
        """Trees honour any condition, and any given columns, but not both at once."""
        known = [item.name for item in self.fields]
        for name in (*(condition.names if condition else ()), *given):
            if name not in known:
                return f'the model has no column "{name}"{did_you_mean(name, known)}'
        if condition is not None and given:
            return "the trees engine honours given columns or a condition, not both in one draw; draw twice"
        return None

    def draw(
        self,
        rows: int,
        seed: Seed,
        *,
        condition: Condition | None = None,
        given: Mapping[str, Array] | None = None,
    ) -> Encoded:
        """Draw rows block by block; columns under a condition, or given, come first and the rest follow from them."""
        reason = self.refuse(condition, tuple(given or ()))
        if reason:
            raise InputError(reason)
        fixed = {name: np.asarray(values) for name, values in (given or {}).items()}
        for name, values in fixed.items():
            if len(values) != rows:
                raise InputError(f'given column "{name}" has {len(values)} values for {rows} rows; give one a row')
        if condition is None:
            return self._drawn(rows, fixed, seed)
        return self._under(condition, rows, seed)

    def _drawn(self, rows: int, fixed: Mapping[str, Array], seed: Seed) -> Encoded:
        plan = self._plan(frozenset(fixed))
        parts = [
            self._block({k: v[at : at + BLOCK] for k, v in fixed.items()}, plan, min(BLOCK, rows - at), at, seed)
            for at in range(0, max(rows, 1), BLOCK)
        ]
        columns = {f.name: np.concatenate([part[f.name] for part in parts]) for f in self.fields}
        return Encoded(self.fields, columns)

    def _under(self, condition: Condition, rows: int, seed: Seed) -> Encoded:
        """Rows under a condition: those of unconditioned draws that satisfy it, where enough of them are expected to or
        it names many columns.

        Otherwise, or where too few such rows come, its columns are taken from real rows that satisfy it, and the rest
        follow; of many columns together that would copy people, so it comes last.
        """
        holds = satisfy.holding(condition, self._real)
        kept: list[Encoded] = []
        have = tried = 0
        most = MOST_TRIED * rows + LEAST_TRIED
        often = rows * self._real.rows <= most * len(holds)  # enough rows are expected to satisfy it
        while (often or len(condition.names) > JOINT) and have < rows and tried < most:
            ask = max(min(int(1.1 * (rows - have) * self._real.rows / len(holds)), LEAST_TRIED, most - tried), BLOCK)
            drawn = self._drawn(ask, {}, seed.child("try", len(kept)))
            kept.append(drawn.take(np.flatnonzero(condition.mask(drawn.columns))))
            have, tried = have + kept[-1].rows, tried + ask
        if have < rows or not kept:
            stream, settings = seed.child("condition"), self.settings.column_settings()
            fixed = satisfy.satisfying(condition, holds, rows - have, self._coded, settings, stream)
            kept.append(self._drawn(rows - have, fixed, seed))
        joined = {f.name: np.concatenate([part.columns[f.name] for part in kept]) for f in self.fields}
        if len(kept) == 1:
            return Encoded(self.fields, {name: values[:rows] for name, values in joined.items()})
        mixed = seed.child("mix").numpy().permutation(max(have, rows))[:rows]
        return Encoded(self.fields, {name: values[mixed] for name, values in joined.items()})

    def _plan(self, fixed: frozenset[str]) -> list[tuple[str, Conditional]]:
        """The learnt columns to draw, in order, when these columns are fixed: refitted where their features change."""
        plan, before = [], [name for name in self.sequence if name in fixed]
        for position, name in enumerate(self.sequence):
            if name in fixed:
                continue
            usual = frozenset(before) == frozenset(self.sequence[:position])
            plan.append((name, self._columns[name] if usual else self._learn_again(name, tuple(before))))
            before.append(name)
        return plan

    def _learn_again(self, name: str, before: tuple[str, ...]) -> Conditional:
        key = (name, frozenset(before))
        with self._lock:
            if key not in self._learnt:
                self._learnt[key] = self._fit(name, before)
            return self._learnt[key]

    def _block(
        self, fixed: Mapping[str, Array], plan: Sequence[tuple[str, Conditional]], rows: int, first_row: int, seed: Seed
    ) -> dict[str, Array]:
        values: dict[str, Array] = dict(fixed)
        codes = {name: self._coded[name].recode(column) for name, column in fixed.items()}
        settings = self.settings.column_settings()
        used: list[NDArray[np.int32]] = []
        for name, fitted in plan:
            values[name], codes[name] = conditional.draw(
                fitted, self._coded[name], values, codes, settings,
                rows=rows, first_row=first_row, fold=self._fold, seed=seed.child(name), used=used,
            )  # fmt: skip
            if (held := self._blocks.held(name, values)) is not values[name]:
                values[name], codes[name] = held, self._coded[name].recode(held)
        return values

    def state(self) -> State:
        """Settings and order as JSON; the real columns, the forests and the boosted models as arrays."""
        arrays: dict[str, Array] = {"information": self._found.information}
        for position, item in enumerate(self.fields):
            arrays[f"real.{position}"] = self._real.columns[item.name]
        if self._real.person is not None:
            arrays["person"] = self._real.person
        kept = []
        for position, name in enumerate(self.sequence):
            entry, more = stored.told(self._columns[name])
            kept.append(entry)
            arrays.update({f"column.{position}.{key}": value for key, value in more.items()})
        seed = {"root": self._seed.root, "path": list(self._seed.path)}
        values = {
            "settings": asdict(self.settings), "sequence": list(self.sequence), "target": self._target,
            "seed": seed, "columns": kept, "notes": list(self.notes),
            "formulas": [asdict(formula) for formula in self._found.formulas],
            "blocks": [rule.to_dict() for rule in self._found.blocks],
        }  # fmt: skip
        return State(values, arrays)

    @classmethod
    def from_state(cls, state: State, fields: tuple[Field, ...]) -> Self:
        """The model that told this state; raises TraceError if it cannot be one."""
        try:
            values, arrays = state.values, state.arrays
            real = Encoded(
                fields, {f.name: arrays[f"real.{i}"] for i, f in enumerate(fields)}, person=arrays.get("person")
            )
            stored.check_real(real)
            if sorted(values["sequence"]) != sorted(real.columns):
                raise ValueError("the sequence is not one of these columns")
            columns: dict[str, Conditional] = {}
            for position, (name, entry) in enumerate(zip(values["sequence"], values["columns"], strict=True)):
                prefix = f"column.{position}."
                more = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
                before = [real.field(earlier) for earlier in columns]
                columns[name] = stored.heard(entry, more, real.field(name), before, real)
            seed = Seed(values["seed"]["root"], tuple(values["seed"]["path"]))
            formulas = stored.formulas(values["formulas"], real.fields)
            blocks = tuple(Rule.from_dict(entry) for entry in values.get("blocks", ()))
            found = Arrangement(tuple(values["sequence"]), arrays["information"], formulas, blocks)
            model = cls(Trees(**values["settings"]), real, found, values["target"], seed, tuple(values["notes"]), {})
            for name, entry in zip(columns, values["columns"], strict=True):
                own = model._rests(name, columns[name].features) if entry["follows"] else None
                model._columns[name] = replace(columns[name], rests=own)
            return model
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise TraceError(f"this is not a saved trees model: {error!r}; fit it again") from None
