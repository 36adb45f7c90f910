"""How fine the leaves and how wide the bags of trees may be before made rows give away who was learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tuckpoint.table.engines.trees import Trees

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


def settled(usual: Trees, tried: Callable[[Trees], Trial], *, coarser: bool) -> Trees:
    """The settings that give away no one as far as the rows tell.

    Where a column has fine leaves, the widest bags that are safe: first those of fine leaves, which gain most, then all
    others. Where none is and even the usual bags surely give people away, coarser leaves: first the fine ones, then all
    (with `coarser`: a leaf that somebody asked for stays).
    """
    for share in FINE_BAGS:
        wider = replace(usual, fine_bag=max(share, usual.fine_bag))
        found = tried(wider)
        if not found.fine:
            return _coarse(usual, tried, coarser=coarser) if found.leaks(surely=True) else usual
        if not found.leaks(surely=False):
            all_wider = replace(wider, bag=max(usual.bag, WIDE_BAG))
            wide = share == FINE_BAGS[0] and all_wider != wider and not tried(all_wider).leaks(surely=False)
            return all_wider if wide else wider
    return _coarse(usual, tried, coarser=coarser) if tried(usual).leaks(surely=True) else usual


def _coarse(usual: Trees, tried: Callable[[Trees], Trial], *, coarser: bool) -> Trees:
    """The finest of coarser leaves that do not surely give people away, by halving the ladder; or the coarsest."""
    ladder = list(_coarser(usual, coarser=coarser))
    low, high = 0, len(ladder) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if tried(ladder[middle]).leaks(surely=True) else (low, middle)
    return ladder[low] if ladder else usual


def _coarser(usual: Trees, *, coarser: bool) -> Iterator[Trees]:
    leaf, finest = usual.leaf or 1, usual.finest or 1
    between = round((leaf * finest) ** 0.5)  # the step on the way to the finest leaves
    if finest < between < leaf:
        yield replace(usual, finest=between)
    for times in COARSER if coarser else (1,):
        found = replace(usual, leaf=times * leaf, finest=times * leaf)
        if found != usual:
            yield found


def told(usual: Trees, settings: Trees) -> tuple[str, ...]:
    """What was settled otherwise than usual, in a sentence."""
    if settings == usual:
        return ()
    if settings.finest != usual.finest:
        return (
            f"leaves of {settings.finest} people or more, not {usual.finest}: with finer ones made rows gave away who "
            "was learnt, as rows held out showed",
        )
    return (
        f"trees of leaves under {usual.leaf} people on {settings.fine_bag:.0%} of the rows, others on "
        f"{settings.bag:.0%}, not {usual.fine_bag:.0%} and {usual.bag:.0%}: rows held out saw no harm",
    )
