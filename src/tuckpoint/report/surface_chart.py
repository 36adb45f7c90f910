"""Pictures of a response surface: the loss over one knob with its intervals, and over two as a map."""

from __future__ import annotations

from tuckpoint.prove.surface import Part
from tuckpoint.report.chart import plain

WIDTH, HEIGHT = 330, 196
LEFT, TOP, BOTTOM = 46, 16, 52
SIDE, MARGIN = 54, 120


def main_effect(part: Part, mean: float, limits: tuple[float, float], unit: str) -> str:
    """Mean loss of each part of a knob: made rows with intervals, real rows as diamonds; the line is the mean."""
    low, high = limits
    floor, step = HEIGHT - BOTTOM, (WIDTH - LEFT - 8) / max(len(part.where[0]), 1)

    def y(value: float) -> float:
        return floor - (min(max(value, low), high) - low) / ((high - low) or 1.0) * (floor - TOP)

    shapes = [
        f'<path class="zero" d="M{LEFT} {y(mean):.1f}H{WIDTH - 8}"/>',
        f'<path class="axis" d="M{LEFT} {TOP}V{floor}"/>',
        *(
            f'<text class="quiet" x="{LEFT - 5}" y="{y(v) + 4:.0f}" text-anchor="end">{v:.2g}</text>'
            for v in (low, high)
        ),
    ]
    names = [None if text is None else _short(text, part.names[0]) for text in part.where[0]]
    for cell in part.cells:
        x = LEFT + step * (cell.places[0] + 0.5)
        ends = [mean + cell.low, mean + cell.high]
        css = "mixed" if cell.low > 0 else "other"
        told = f"{plain(cell.where, 60)}: {cell.mean:.3g} {unit}, {cell.rows:,} made rows"
        shapes.append(
            f'<g class="{css}"><title>{told}</title><path class="span" d="M{x:.1f} {y(ends[0]):.1f}V{y(ends[1]):.1f}'
            f'M{x - 5:.1f} {y(ends[0]):.1f}h10M{x - 5:.1f} {y(ends[1]):.1f}h10"/>'
            f'<circle cx="{x:.1f}" cy="{y(cell.mean):.1f}" r="4.5"/></g>'
        )
    for place, name in enumerate(names):
        x = LEFT + step * (place + 0.5)
        if name is not None:
            low_row = 16 + 14 * (place % 2 if len(names) > 3 else 0)
            shapes.append(
                f'<text class="tick" x="{x:.0f}" y="{floor + low_row}" text-anchor="middle">{plain(name, 16)}</text>'
            )
    return _svg("effect", WIDTH, HEIGHT, f"Loss over {part.names[0]}", [*shapes, *_real(part, y, step)])


def _real(part: Part, y: object, step: float) -> list[str]:
    """Real rows beside the made ones, moved to their own mean."""
    assert callable(y)
    shapes = []
    for cell in part.cells:
        if cell.real is not None:
            x, at = LEFT + step * (cell.places[0] + 0.5) + 13, y(cell.mean - cell.effect + cell.real)
            shapes.append(
                f'<path class="realmark" d="M{x:.1f} {at - 5:.1f}l5 5l-5 5l-5-5z"><title>{cell.real_rows:,} real rows: '
                f"{cell.real:+.3g} beside the mean of real rows</title></path>"
            )
    return shapes


def pair_map(part: Part, mean: float, worst: float, unit: str) -> str:
    """Mean loss of the cells of two knobs, the darker the higher; framed where both together matter for certain."""
    first, second = part.where
    names = [[plain(_short(t, part.names[k]), 18) if t else "" for t in part.where[k]] for k in (0, 1)]
    width, height = MARGIN + SIDE * len(second) + 8, 34 + 26 * len(first) + 30
    shapes = []
    for row, name in enumerate(names[0]):
        shapes.append(f'<text x="{MARGIN - 8}" y="{34 + 26 * row + 17}" text-anchor="end">{name}</text>')
    for column, name in enumerate(names[1]):
        shapes.append(
            f'<text class="tick" x="{MARGIN + SIDE * (column + 0.5):.0f}" y="{26 - 13 * (column % 2)}" '
            f'text-anchor="middle">{name}</text>'
        )
    for cell in part.cells:
        x, y = MARGIN + SIDE * cell.places[1], 34 + 26 * cell.places[0]
        share = min(max(cell.mean / worst, 0.0), 1.0) if worst > 0 else 0.0
        frame = ' class="sure"' if cell.low > 0 or cell.high < 0 else ""
        shapes.append(
            f"<g><title>{plain(cell.where, 90)}: {cell.mean:.3g} {unit}, {cell.rows:,} rows; beyond both knobs "
            f'{cell.effect:+.2g} [{cell.low:+.2g}, {cell.high:+.2g}]</title><rect{frame} x="{x + 1}" y="{y + 1}" '
            f'width="{SIDE - 2}" height="24" style="fill:rgba(var(--shade),{0.06 + 0.6 * share:.2f})"/>'
            f'<text class="tick" x="{x + SIDE / 2:.0f}" y="{y + 17}" text-anchor="middle">{cell.mean:.2g}</text></g>'
        )
    told = f"{part.names[0]} (down) by {part.names[1]} (across)"
    shapes.append(f'<text class="quiet" x="0" y="{height - 8}">{plain(told, 60)}; mean {mean:.2g}</text>')
    return _svg("map", max(width, 330), height, told, shapes)


def _short(text: str, name: str) -> str:
    """A condition without its column."""
    for spelt in (f"`{name}`", name):
        text = text.replace(f"{spelt} == ", "").replace(f" <= {spelt} < ", " to ").replace(f"{spelt} < ", "< ")
        text = text.replace(f"{spelt} >= ", "≥ ")
    return text.strip('"')


def _svg(css: str, width: float, height: float, told: str, shapes: list[str]) -> str:
    title = f"<title>{plain(told, 200)}</title>"
    return f'<svg class="{css}" viewBox="0 0 {width} {height}" role="img">{title}{"".join(shapes)}</svg>'
