"""How fine the leaves and how wide the bags of trees may be before made rows give away who was learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from tuckpoint.seed import Seed
from tuckpoint.table.engine import Context, Encoded, cut, quiet, split

if TYPE_CHECKING:
    from tuckpoint.table.engines.trees import Trees, TreesModel

TRIED_FROM, TRIED_ROWS = 2_000, 50_000  # rows on which leaves and bags are tried
WIDER_FROM = 5_000  # rows from which on halves could show that wider bags do harm
TRIED_TREES = 4  # per column then: each made row comes from one tree, so that a few show as much as many
FINE_BAGS = (0.9, 0.7)  # shares of rows that trees of fine leaves may grow on, tried in turn
WIDE_BAG = 0.7  # share of rows that all other trees may grow on, tried where the first of those is safe
COARSER = (1, 2, 4, 8, 16)  # times as large, the leaves that are tried where the usual ones surely give people away


class Leaks(Protocol):
    """Whether made rows give people away: perhaps, or surely."""

    def __call__(self, *, surely: bool) -> bool:
        """Ask one of the two."""
        ...


@dataclass(frozen=True)
class Trial:
    """What two halves of the rows, each the other's control, show with some settings: `fine`, whether there are fine
    leaves.
    """

    fine: bool
    leaks: Leaks


def safe(
    usual: Trees,
    model: Callable[[Trees, Encoded, Seed], TreesModel],
    real: Encoded,
    seed: Seed,
    context: Context,
    *,
    coarser: bool,
) -> Trees:
    """The settings whose made rows do not give away who was learnt, as far as halves of some rows show; the usual ones
    of tables too small to show anything. `model` is one that has yet to learn.
    """
    memorised = context.memorised
    if memorised is None or real.rows < TRIED_FROM:
        return usual
    halves = split(cut(real, TRIED_ROWS, seed.child("rows").numpy()), 0.5, seed.child("split"))
    if not halves[0].rows or not halves[1].rows:  # all rows are of one person
        return usual
    known: dict[int, TreesModel] = {}

    def tried(settings: Trees) -> Trial:
        shown = f"trying leaves of {settings.leaf} people or more, trees of {settings.fine_bag:.0%} of the rows"
        context.progress(shown, 0.0)
        fewer = replace(settings, trees=min(settings.trees, TRIED_TREES))

        def learnt(k: int) -> TreesModel:
            known[k] = model(fewer, halves[k], seed.child("half", k)).learn(
                replace(context, progress=quiet), known.get(k)
            )
            return known[k]

        first = learnt(0)

        def leaks(*, surely: bool) -> bool:
            models = (first, learnt(1))
            one, two = (models[k].draw(halves[k].rows, seed.child("half", k, "made")) for k in (0, 1))
            return memorised(halves, (one, two), surely=surely)

        return Trial(bool(first.fine), leaks)

    return settled(usual, tried, coarser=coarser, wider=real.rows >= WIDER_FROM)


def settled(usual: Trees, tried: Callable[[Trees], Trial], *, coarser: bool, wider: bool = True) -> Trees:
    """The settings that give away no one as far as the rows tell.

    Where a column has fine leaves, the widest bags that are safe: first those of fine leaves, which gain most, then all
    others (with `wider`). Where none is and even the usual bags surely give people away, coarser leaves: first the fine
    ones, then all (with `coarser`: a leaf that somebody asked for stays).
    """
    for share in FINE_BAGS if wider else ():
        wide = replace(usual, fine_bag=max(share, usual.fine_bag or 0))
        found = tried(wide)
        if not found.fine:
            return _coarse(usual, tried, coarser=coarser) if found.leaks(surely=True) else usual
        if not found.leaks(surely=False):
            all_wide = replace(wide, bag=max(usual.bag or 0, WIDE_BAG))
            safe_too = share == FINE_BAGS[0] and all_wide != wide and not tried(all_wide).leaks(surely=False)
            return all_wide if safe_too else wide
    return _coarse(usual, tried, coarser=coarser) if tried(usual).leaks(surely=True) else usual


def _coarse(usual: Trees, tried: Callable[[Trees], Trial], *, coarser: bool) -> Trees:
    """The finest leaves that do not surely give people away once numbers that many share are moved as well, by halving
    each ladder of coarser ones in turn; where not even the coarsest of all do, leaves are not what gives them away: the
    coarsest of what few people share.
    """
    usual = replace(usual, common=True)
    if not tried(usual).leaks(surely=True):
        return usual
    ladders = [list(steps) for steps in (_loose(usual, coarser=coarser), _every(usual, coarser=coarser))]
    for ladder in ladders:
        low, high = 0, len(ladder)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if tried(ladder[middle]).leaks(surely=True) else (low, middle)
        if low < len(ladder):
            return ladder[low]
    return [usual, *ladders[0]][-1]


def _loose(usual: Trees, *, coarser: bool) -> Iterator[Trees]:
    """Coarser leaves of the columns that few people share, which give people away: levels tell what many are."""
    leaf, finest = usual.leaf or 1, usual.finest or 1
    between = round((leaf * finest) ** 0.5)  # the step on the way to the finest leaves
    for loose in (between, *(times * leaf for times in (COARSER if coarser else (1,)))):
        if loose > max(finest, usual.loose):
            yield replace(usual, loose=loose)


def _every(usual: Trees, *, coarser: bool) -> Iterator[Trees]:
    """Coarser leaves of all columns."""
    for times in COARSER if coarser else (1,):
        size = times * (usual.leaf or 1)
        found = replace(usual, leaf=size, finest=size)
        if found != usual:
            yield found


def told(usual: Trees, settings: Trees) -> tuple[str, ...]:
    """What was settled otherwise than usual, in a sentence."""
    if settings == usual:
        return ()
    least, before = (max(item.finest or 1, item.loose) for item in (settings, usual))
    moved = "numbers that many share are moved as well"
    if least == before and settings.common != usual.common:
        return (f"{moved}: without that made rows gave away who was learnt, as rows held out showed",)
    if least != before:
        whose = "leaves" if settings.finest != usual.finest else "values that few people share come from leaves"
        return (
            f"{whose} of {least} people or more, not {before}, but for few that a split beyond chance sets apart: with "
            "finer ones made rows gave away who was learnt, as rows held out showed"
            + (f"; {moved}" if settings.common != usual.common else ""),
        )
    return (
        f"trees of leaves under {usual.leaf} people on {settings.fine_bag:.0%} of the rows, others on "
        f"{settings.bag:.0%}, not {usual.fine_bag:.0%} and {usual.bag:.0%}: rows held out saw no harm",
    )
