"""Pictures of what is missing: density ratios with their intervals, and learning curves of slices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tuckpoint.report.chart import plain

WIDTH, LEFT, RIGHT = 720, 330, 700
ROW = 28
FLOOR = 1 / 64  # ratios below are drawn here


@dataclass(frozen=True)
class Ratio:
    """One density ratio (1: as many rows as there should be) with its interval."""

    name: str
    value: float
    low: float
    high: float
    strong: bool = True


def ratios(found: Sequence[Ratio]) -> str:
    """Density ratios below one another on a log axis; the line at the right is 1, nothing missing."""
    if not found:
        return ""
    most = max(1.0, *(min(one.high, 4.0) for one in found)) * 1.1

    def at(ratio: float) -> float:
        share = math.log(max(min(ratio, most), FLOOR) / FLOOR) / math.log(most / FLOOR)
        return LEFT + share * (RIGHT - LEFT)

    bottom = 26 + ROW * len(found)
    parts = [f'<path class="zero" d="M{at(1):.1f} 20V{bottom}"/>']
    parts.append(f'<text class="quiet" x="{at(1):.0f}" y="13" text-anchor="end">as it should be</text>')
    for place, one in enumerate(found):
        y = 40 + ROW * place
        parts.append(
            f'<g class="{"mixed" if one.strong else "other"}"><text x="0" y="{y + 4}">{plain(one.name, 52)}</text>'
            f'<path class="span" d="M{at(one.low):.1f} {y}H{at(one.high):.1f}M{at(one.low):.1f} {y - 5}v10'
            f'M{at(one.high):.1f} {y - 5}v10"/><circle cx="{at(one.value):.1f}" cy="{y}" r="5"/></g>'
        )
    for tick, said in ((1 / 64, "≤ 1/64"), (1 / 16, "1/16"), (1 / 4, "1/4"), (1 / 2, "1/2"), (1.0, "1")):
        parts.append(f'<text class="quiet" x="{at(tick):.0f}" y="{bottom + 15}" text-anchor="middle">{said}</text>')
    told = "Training rows in each gap for each row that should be there, with 95 % intervals"
    return (
        f'<svg class="forest" viewBox="0 0 {WIDTH} {bottom + 20}" role="img"><title>{plain(told, 400)}</title>'
        f"{''.join(parts)}</svg>"
    )
