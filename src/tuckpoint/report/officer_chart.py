"""Pictures for the officer: an attack on people in the data beside others, and a proven loss beside the claim.

Shape, line and words tell the two sides apart, so that the page can be read in print and without colour: in the data is
a filled disc on a thick line, outside is a ring on a thin dashed one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

from tuckpoint.report.chart import plain
from tuckpoint.report.officer_figures import Span, percent, proven

WIDTH = 300
LEFT, RIGHT = 8, WIDTH - 8
INSIDE_Y, OUTSIDE_Y, AXIS_Y = 26, 43, 57
ENDS = (0.05, 0.1, 0.25, 0.5, 1.0)
FAR = 0.25  # shares from here on are drawn without the way from 0
AROUND = ((0.4, 0.6), (0.25, 0.75), (0.0, 1.0))
Mark = Literal["limit", "guessing"]
LOSSES = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)


def axis(spans: Sequence[Span], marks: Sequence[float], *, guessing: bool) -> tuple[float, float]:
    """The ends of a short axis that holds everything; around a half where an attack chooses one of two."""
    found = [end for span in spans for end in (span.value, span.low, span.high) if end is not None]
    least, most = min((*found, *marks), default=0.0), max((*found, *marks), default=0.0)
    if guessing:
        return next((ends for ends in AROUND if ends[0] <= least and most <= ends[1]), AROUND[-1])
    if least >= FAR:
        return max(math.floor(10 * least - 0.5) / 10, 0.0), min(math.ceil(10 * most + 0.5) / 10, 1.0)
    return 0.0, next((end for end in ENDS if most <= end), 1.0)


def beside(
    inside: Span, outside: Span | None, *, ends: tuple[float, float], marks: Sequence[tuple[float, Mark]], told: str
) -> str:
    """Two spans on one axis; `marks` are upright lines, each a `limit` or `guessing`; `told` says the same in words."""

    def at(share: float) -> float:
        return LEFT + (RIGHT - LEFT) * (min(max(share, ends[0]), ends[1]) - ends[0]) / (ends[1] - ends[0])

    parts = [f'<path class="axis" d="M{LEFT} {AXIS_Y}H{RIGHT}M{LEFT} {AXIS_Y - 3}v6M{RIGHT} {AXIS_Y - 3}v6"/>']
    for place, css in marks:
        x = at(place)
        parts.append(f'<path class="edge {css}" d="M{x:.0f} 14V{AXIS_Y}"/>{_text(x, 10, css, _anchor(x), css=css)}')
    parts.append(_text(LEFT, AXIS_Y + 14, percent(ends[0]), "start", css="quiet"))
    parts.append(_text(RIGHT, AXIS_Y + 14, percent(ends[1]), "end", css="quiet"))
    parts += [] if outside is None else [_span(outside, OUTSIDE_Y, "outside", at)]
    parts.append(_span(inside, INSIDE_Y, "inside", at))
    return _svg("beside", AXIS_Y + 18, told, parts)


def losses(least: float, claimed: float | None, *, told: str) -> str:
    """The proven privacy loss as a bar from 0, and the claimed one as an upright line that it must not pass."""
    top = next((end for end in LOSSES if end >= 1.1 * max(least, claimed or 0.0)), max(least, claimed or 0.0) * 1.1)

    def at(loss: float) -> float:
        return LEFT + (RIGHT - LEFT) * loss / top

    above = claimed is not None and least > claimed
    width = max(at(least) - LEFT, 1.5)
    parts = [
        f'<path class="axis" d="M{LEFT} 56H{RIGHT}M{LEFT} 53v6M{RIGHT} 53v6"/>',
        f'<rect class="{"above" if above else "least"}" x="{LEFT}" y="36" width="{width:.0f}" height="14"/>',
        _text(LEFT, 30, f"proven: at least {proven(least)}", "start"),
        _text(LEFT, 71, "0", "start", css="quiet"),
        _text(RIGHT, 71, f"{top:.3g}", "end", css="quiet"),
    ]
    if claimed is not None:
        x = at(claimed)
        parts.append(f'<path class="claim" d="M{x:.0f} 15V58"/>{_text(x, 11, f"claimed: {claimed:.3g}", _anchor(x))}')
    return _svg("losses", 76, told, parts)


def key() -> str:
    """What the two shapes mean, in words."""
    sides = {"inside": "people who were in the data", "outside": "the same attack on people who were not"}
    shown = "".join(
        f'<span><svg width="34" height="12" viewBox="0 0 34 12" aria-hidden="true"><path class="{css}" d="M2 6H32"/>'
        f'<circle class="{css}" cx="17" cy="6" r="5"/></svg>{words}</span>'
        for css, words in sides.items()
    )
    return f'<p class="legend">{shown}<span>lines are 95% intervals</span></p>'


def _span(span: Span, y: int, css: str, at: Callable[[float], float]) -> str:
    line = ""
    if span.low is not None and span.high is not None:
        low, high = at(span.low), max(at(span.high), at(span.low) + 1)
        stops = f'<path class="stop" d="M{low:.0f} {y - 4}v8M{high:.0f} {y - 4}v8"/>'
        line = f'<path class="{css}" d="M{low:.0f} {y}H{high:.0f}"/>{stops}'
    return f'{line}<circle class="{css}" cx="{at(span.value):.0f}" cy="{y}" r="5"/>'


def _text(x: float, y: float, words: str, anchor: str, *, css: str = "") -> str:
    return f'<text class="{css}" x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{plain(words, 40)}</text>'


def _anchor(x: float) -> str:
    return "start" if x < LEFT + 50 else "end" if x > RIGHT - 50 else "middle"


def _svg(css: str, height: int, told: str, parts: Sequence[str]) -> str:
    title = f"<title>{plain(told, 400)}</title>"
    return f'<svg class="{css}" viewBox="0 0 {WIDTH} {height}" role="img">{title}{"".join(parts)}</svg>'
