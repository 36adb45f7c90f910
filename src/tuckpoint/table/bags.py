"""On how many rows a column's trees may grow before made rows give away who was learnt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuckpoint.table.engines.trees import Trees

FINE_BAGS = (0.9, 0.7)  # shares of rows that trees of fine leaves may grow on, tried in turn
WIDE_BAG = 0.7  # share of rows that all other trees may grow on, tried where the first of those is safe


def widest(usual: Trees, safe: Callable[[Trees], bool | None]) -> Trees:
    """The settings with the widest bags that are `safe`: first those of fine leaves, which gain most, then all others.

    `safe` gives None where no column has fine leaves: then nothing is tried.
    """
    for share in FINE_BAGS:
        if share <= usual.fine_bag:
            continue
        wider = replace(usual, fine_bag=share)
        told = safe(wider)
        if told is None:
            return usual
        if told:
            all_wider = replace(wider, bag=max(usual.bag, WIDE_BAG))
            return all_wider if share == FINE_BAGS[0] and all_wider != wider and safe(all_wider) else wider
    return usual
