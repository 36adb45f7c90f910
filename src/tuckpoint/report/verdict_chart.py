"""Pictures of a proof: effects with their intervals around zero, and the learning curve of real rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tuckpoint.prove.verdict import Point, Saved
from tuckpoint.report.chart import plain

WIDTH, LEFT, RIGHT = 640, 190, 620
ROW = 30
CURVE_WIDTH, CURVE_HEIGHT = 560, 280


@dataclass(frozen=True)
class Bar:
    """One effect: its name, gain and interval, and a class that tells what it is (`mixed`, `other` or `control`)."""

    name: str
    gain: float
    low: float
    high: float
    css: str = "other"


def forest(bars: Sequence[Bar], margin: float, *, told: str) -> str:
    """Effects below one another; right of the line at zero is better, the band is what does not matter."""
    if not bars:
        return ""
    most = 1.08 * max(margin, *(max(abs(bar.low), abs(bar.high)) for bar in bars))

    def at(gain: float) -> float:
        return (LEFT + RIGHT) / 2 + gain / most * (RIGHT - LEFT) / 2

    bottom = 26 + ROW * len(bars)
    parts = [
        f'<rect class="band" x="{at(-margin):.1f}" y="20" width="{at(margin) - at(-margin):.1f}" '
        f'height="{bottom - 20}"/>',
        f'<path class="zero" d="M{at(0):.1f} 20V{bottom}"/>',
        f'<text class="quiet" x="{at(0) - 8:.0f}" y="13" text-anchor="end">worse</text>',
        f'<text class="quiet" x="{at(0) + 8:.0f}" y="13">better</text>',
    ]
    for place, bar in enumerate(bars):
        y = 40 + ROW * place
        parts.append(
            f'<g class="{bar.css}"><text x="0" y="{y + 4}">{plain(bar.name, 30)}</text>'
            f'<path class="span" d="M{at(bar.low):.1f} {y}H{at(bar.high):.1f}M{at(bar.low):.1f} {y - 5}v10'
            f'M{at(bar.high):.1f} {y - 5}v10"/><circle cx="{at(bar.gain):.1f}" cy="{y}" r="5"/></g>'
        )
    for tick in _ticks(most):
        parts.append(
            f'<text class="quiet" x="{at(tick):.0f}" y="{bottom + 15}" text-anchor="middle">{tick:+.2g}</text>'
        )
    return _svg("forest", WIDTH, bottom + 20, told, parts)


def curve(saved: Saved, *, lower_is_better: bool, title: str) -> str:
    """The metric of real rows alone by their number, and where real + made stands."""
    rows = [n for n, _ in saved.points]
    values = [v for _, v in saved.points] + [saved.value]
    low, high = min(values), max(values)
    room = (high - low) * 0.15 or 0.01
    low, high = low - room, high + room
    first = math.log(min(rows))
    span = math.log(max(rows)) - first or 1.0  # one number of rows stands at the left

    def x(n: float) -> float:
        return 64 + (math.log(n) - first) / span * (CURVE_WIDTH - 100)

    def y(value: float) -> float:
        return 20 + (high - value) / (high - low) * (CURVE_HEIGHT - 70)

    floor = CURVE_HEIGHT - 50
    parts = [f'<path class="axis" d="M64 20V{floor}H{CURVE_WIDTH - 20}"/>']
    for value in (low + room, high - room):
        parts.append(f'<text class="quiet" x="58" y="{y(value) + 4:.0f}" text-anchor="end">{value:.3g}</text>')
    for n in rows:
        parts.append(f'<text class="quiet" x="{x(n):.0f}" y="{floor + 18}" text-anchor="middle">{n:,.0f}</text>')
    parts.append(
        f'<text class="quiet" x="{CURVE_WIDTH - 20}" y="{floor + 38}" text-anchor="end">real rows trained on</text>'
    )
    line = "L".join(f"{x(n):.1f} {y(v):.1f}" for n, v in saved.points)
    parts.append(f'<path class="realline" d="M{line}"/>')
    parts += [f'<circle class="realdot" cx="{x(n):.1f}" cy="{y(v):.1f}" r="4"/>' for n, v in saved.points]
    parts.append(f'<path class="level" d="M64 {y(saved.value):.1f}H{CURVE_WIDTH - 20}"/>')
    parts.append(f'<path class="mark" d="M{x(saved.rows) - 6:.1f} {y(saved.value) - 6:.1f}l12 12m0 -12l-12 12"/>')
    parts.append(f'<text x="70" y="{y(saved.value) - 7:.0f}">real + made</text>')
    told = f"{title} by number of real rows; {'lower' if lower_is_better else 'higher'} is better"
    return _svg("curve", CURVE_WIDTH, CURVE_HEIGHT, told, parts)


def by_items(points: Sequence[Point], *, title: str) -> str:
    """The metric of real rows alone, and of real and made, by the number of real groups of a class."""
    values = [value for point in points for value in (point.real, point.mixed)]
    room = (max(values) - min(values)) * 0.15 or 0.01
    low, high = min(values) - room, max(values) + room
    step = (CURVE_WIDTH - 130) / max(len(points) - 1, 1)
    floor = CURVE_HEIGHT - 50

    def y(value: float) -> float:
        return 20 + (high - value) / (high - low) * (CURVE_HEIGHT - 70)

    parts = [f'<path class="axis" d="M64 20V{floor}H{CURVE_WIDTH - 20}"/>']
    for value in (low + room, high - room):
        parts.append(f'<text class="quiet" x="58" y="{y(value) + 4:.0f}" text-anchor="end">{value:.3g}</text>')
    for place, point in enumerate(points):
        x = 84 + step * place
        parts.append(f'<text class="quiet" x="{x:.0f}" y="{floor + 18}" text-anchor="middle">{point.items}</text>')
    parts.append(
        f'<text class="quiet" x="{CURVE_WIDTH - 20}" y="{floor + 38}" text-anchor="end">real of each class</text>'
    )
    for css, seen in (("realline", [p.real for p in points]), ("madeline", [p.mixed for p in points])):
        line = "L".join(f"{84 + step * place:.1f} {y(value):.1f}" for place, value in enumerate(seen))
        parts.append(f'<path class="{css}" d="M{line}"/>')
        dot = "realdot" if css == "realline" else "madedot"
        parts += [f'<circle class="{dot}" cx="{84 + step * k:.1f}" cy="{y(v):.1f}" r="4"/>' for k, v in enumerate(seen)]
    first = points[0]
    parts.append(f'<text x="94" y="{y(first.mixed) - 8:.0f}">real + made</text>')
    parts.append(f'<text x="94" y="{y(first.real) + 16:.0f}">real only</text>')
    return _svg("curve", CURVE_WIDTH, CURVE_HEIGHT, f"{title} by number of real groups of each class", parts)


def _ticks(most: float) -> list[float]:
    step = 10 ** math.floor(math.log10(most))
    step = next(s for s in (step, step / 2, step / 5) if most / s >= 1.5)
    step *= math.ceil(most / step / 3)
    count = int(most / step)
    return [step * k for k in range(-count, count + 1) if k]


def _svg(css: str, width: int, height: int, told: str, parts: Sequence[str]) -> str:
    title = f"<title>{plain(told, 400)}</title>"
    return f'<svg class="{css}" viewBox="0 0 {width} {height}" role="img">{title}{"".join(parts)}</svg>'
