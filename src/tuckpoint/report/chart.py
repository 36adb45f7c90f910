"""Small pictures as inline SVG: grey bars are real rows, coloured lines are made rows, so shape tells them apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from tuckpoint.measure.evaluation import ColumnView, PairView
from tuckpoint.report.words import MISSING, WHOLE, number, visible
from tuckpoint.schema import CATEGORICAL

FEW_ROWS = 5  # a level of the real rows held by fewer is not named on the page
LEVELS = 7  # levels drawn of one category column
SHADES = 6
FOLD = 240  # characters of a note that are always in sight
WIDTH = 256
HEIGHT = 148
LABEL_WIDTH = 114  # 14 letters of a wide font, and a gap
TIPS = 20  # heat maps of more columns draw no single cells

RANGE = re.compile(r"^(up to|over) | to |^\(")  # labels that name no single value

Bar = tuple[str, float, float]  # label, real share, made share


def text(value: object, limit: int = 60) -> str:
    """Any value of the data as safe HTML text, isolated from the writing direction around it."""
    return f"<bdi>{plain(value, limit)}</bdi>"


def plain(value: object, limit: int = 60) -> str:
    """Any value of the data as safe text for an attribute or an SVG text."""
    return escape(visible(value, limit))


def prose(value: object) -> str:
    """A sentence as safe HTML text, whole; what stands between backticks is set as code."""
    return re.sub(r"`([^`]{1,60})`", r"<code>\1</code>", text(value, WHOLE))


def folded(value: object) -> str:
    """A note as safe HTML text, whole: its first words, and what is more than a few lines behind them."""
    words = visible(value, WHOLE)
    at = words.rfind(" ", 0, FOLD) if len(words) > FOLD * 3 // 2 else -1
    if at <= 0:
        return text(value, WHOLE)
    head, rest = escape(words[:at]), escape(words[at + 1 :])
    return f"<details><summary><bdi>{head} …</bdi></summary><bdi>… {rest}</bdi></details>"


def column(view: ColumnView, *, real_rows: int) -> str:
    """Real beside made for one column: bins as standing bars, levels as lying bars."""
    bars = _bars(view, real_rows)
    if view.kind in CATEGORICAL and len(bars) <= 60:
        body, more, height = _lying(bars, ordered=view.kind == "ordered")
    else:
        body, more, height = _standing(bars), "", HEIGHT
    told = "; ".join(_tip(*bar) for bar in bars[:12])
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {height}" role="img"><title>{plain(view.name)}, real and made</title>'
        f"<desc>{told}{more}</desc>{body}</svg>"
    )


def _bars(view: ColumnView, real_rows: int) -> list[Bar]:
    """The bins, with levels that few real rows hold pooled out of sight, and single numbers of such left unnamed."""
    bars = list(zip(view.labels, view.real, view.made, strict=True))
    if view.kind not in CATEGORICAL:
        return [
            ("(few rows)" if 0 < round(real * real_rows) < FEW_ROWS and not RANGE.search(label) else label, real, made)
            for label, real, made in bars
        ]
    few = [bar for bar in bars if 0 < round(bar[1] * real_rows) < FEW_ROWS and bar[0] not in MISSING]
    pooled = [("(rare)", sum(bar[1] for bar in few), sum(bar[2] for bar in few))] if few else []
    return [bar for bar in bars if bar not in few] + pooled


def _percent(share: float) -> str:
    return "<0.1%" if 0 < share < 0.0005 else f"{100 * share:.1f}%"


def _lying(bars: list[Bar], *, ordered: bool) -> tuple[str, str, int]:
    """One line a level, largest first unless ordered; with the words for what is left out, and the height."""
    largest = sorted(bars, key=lambda bar: -max(bar[1], bar[2]))
    room = LEVELS if len(bars) <= LEVELS else LEVELS - 1
    drawn = largest[:room]
    if ordered:
        drawn = [bar for bar in bars if bar in drawn]
    top = max((max(real, made) for _, real, made in drawn), default=0.0) or 1.0
    width = WIDTH - LABEL_WIDTH - 46
    parts = []
    for index, (label, real, made) in enumerate(drawn):
        y = 4 + index * 20
        x_made = LABEL_WIDTH + width * made / top
        parts.append(
            f"<g><title>{_tip(label, real, made)}</title>"
            f'<rect class="hit" y="{y}" width="{WIDTH}" height="20"/>'
            f'<text x="{LABEL_WIDTH - 8}" y="{y + 14}" text-anchor="end">{plain(label, 14)}</text>'
            f'<rect class="real" x="{LABEL_WIDTH}" y="{y + 4}" width="{width * real / top:.1f}" height="12"/>'
            f'<path class="made" d="M{x_made:.1f} {y + 1}v18"/>'
            f'<text class="quiet" x="{LABEL_WIDTH + width * max(real, made) / top + 7:.1f}" y="{y + 14}">'
            f"{escape(_percent(made))}</text></g>"
        )
    left = len(bars) - len(drawn)
    more = f"and {left} more level{'s' if left > 1 else ''}" if left else ""
    if more:
        parts.append(f'<text class="quiet" x="{LABEL_WIDTH}" y="{4 + len(drawn) * 20 + 14}">{more}</text>')
    return "".join(parts), f"; {more}" if more else "", 8 + 20 * (len(drawn) + bool(more))


def _standing(bars: list[Bar]) -> str:
    """Bins side by side; the missing ones stand apart on the right."""
    bins = [bar for bar in bars if bar[0].lower() not in MISSING]
    gone = [bar for bar in bars if bar[0].lower() in MISSING]
    if not bars:
        return f'<text class="quiet" x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">no rows</text>'
    top = max(max(real, made) for _, real, made in bars) or 1.0
    base, height = HEIGHT - 24, HEIGHT - 44
    step = WIDTH / (len(bins) + (1.6 if gone else 0.0))
    places = [(index * step, bar) for index, bar in enumerate(bins)] + [(WIDTH - step, bar) for bar in gone]
    grey, line, hits = [], [], []
    for x, (label, real, made) in places:
        tall, y = height * real / top, base - height * made / top
        grey.append(f"M{x + 1:.1f} {base}v{-tall:.1f}h{step - 2:.1f}v{tall:.1f}z")
        line.append(f"M{x:.1f} {y:.1f}h{step:.1f}")
        hits.append(
            f"<g><title>{_tip(label, real, made)}</title>"
            f'<rect class="hit" x="{x:.1f}" width="{step:.1f}" height="{base}"/></g>'
        )
    return (
        f'<path class="axis" d="M0 {base}h{WIDTH}M0 {base - height}h{WIDTH}"/>'
        f'<text class="quiet" x="0" y="{base - height - 6}">{escape(_percent(top))}</text>'
        f'<path class="real" d="{"".join(grey)}"/><path class="made" d="{"".join(line)}"/>{_ends(bins, gone, step)}'
        + "".join(hits)
    )


def _ends(bins: list[Bar], gone: list[Bar], step: float) -> str:
    """The first and last bin by name, and the word `missing` under its bar."""
    parts = []
    y = HEIGHT - 8
    if bins:
        parts.append(f'<text x="0" y="{y}">{plain(bins[0][0], 20)}</text>')
    if gone:
        parts.append(f'<text x="{WIDTH}" y="{y}" text-anchor="end">missing</text>')
    if len(bins) > 1:
        x = len(bins) * step - (24 if gone else 0)
        parts.append(f'<text x="{x:.1f}" y="{y}" text-anchor="end">{plain(bins[-1][0], 20)}</text>')
    return "".join(parts)


def _tip(label: str, real: float, made: float) -> str:
    return f"{plain(label, 40)}: real {escape(_percent(real))}, made {escape(_percent(made))}"


def heat(pairs: Iterable[PairView], names: Sequence[str]) -> str:
    """Distances of all pairs of these columns: made below the diagonal, real holdout above it."""
    known = {frozenset((pair.first, pair.second)): pair for pair in pairs}
    top = _top(known.values())
    side = max(14, min(30, 560 // max(1, len(names))))
    margin = 14 + max((len(visible(name, 16)) for name in names), default=0) * 6.5  # room for the names
    end = margin + side * len(names)
    places = [(row, col) for row in range(len(names)) for col in range(len(names)) if row != col]
    cells = [(row, col, known.get(frozenset((names[row], names[col])))) for row, col in places]
    body = _cells(cells, top, side) if len(names) <= TIPS else _cell_paths(cells, top, side)
    return (
        f'<svg class="heat" viewBox="0 0 {end + 4} {end + 4}" width="{end + 4}" role="img">'
        "<title>Distance of each pair of columns</title><desc>Below the diagonal made against real rows, above it real "
        f"holdout against real rows. A perfect twin mirrors itself.</desc>"
        f'{_heat_labels(names, side, margin)}<g transform="translate({margin} {margin})">{body}'
        f'<path class="diagonal" d="M0 0L{end - margin} {end - margin}"/></g></svg>'
    )


def _top(pairs: Iterable[PairView]) -> float:
    return max((max(pair.distance, pair.reference or 0.0) for pair in pairs), default=0.0) or 1.0


def _heat_labels(names: Sequence[str], side: int, margin: float) -> str:
    parts = []
    for index, name in enumerate(names):
        middle = margin + index * side + side / 2 + 4
        parts.append(f'<text x="{margin - 8}" y="{middle:.1f}" text-anchor="end">{plain(name, 16)}</text>')
        parts.append(f'<text transform="translate({middle:.1f} {margin - 8}) rotate(-90)">{plain(name, 16)}</text>')
    return "".join(parts)


def _shade(row: int, col: int, pair: PairView | None, top: float) -> str:
    distance = None if pair is None else pair.distance if row > col else pair.reference
    return "none" if distance is None else f"h{min(SHADES - 1, int(SHADES * distance / top))}"


def _cells(cells: Sequence[tuple[int, int, PairView | None]], top: float, side: int) -> str:
    """One square a cell, which tells its figures under the pointer."""
    parts = []
    for row, col, pair in cells:
        place = f'x="{col * side + 1}" y="{row * side + 1}" width="{side - 2}" height="{side - 2}"'
        parts.append(f'<rect class="{_shade(row, col, pair, top)}" {place}>{_cell_tip(row, col, pair)}</rect>')
    return "".join(parts)


def _cell_tip(row: int, col: int, pair: PairView | None) -> str:
    if pair is None:
        return "<title>not measured</title>"
    distance, whose = (pair.distance, "made") if row > col else (pair.reference, "holdout")
    told = "not measured" if distance is None else f"{whose} {number(distance)}"
    return f"<title>{plain(pair.first, 24)} × {plain(pair.second, 24)}: {told}</title>"


def _cell_paths(cells: Sequence[tuple[int, int, PairView | None]], top: float, side: int) -> str:
    """One path a shade, for maps whose single cells would make the page heavy."""
    paths: dict[str, list[str]] = {}
    for row, col, pair in cells:
        square = f"M{col * side + 1} {row * side + 1}h{side - 1}v{side - 1}h{1 - side}z"
        paths.setdefault(_shade(row, col, pair, top), []).append(square)
    return "".join(f'<path class="{shade}" d="{"".join(squares)}"/>' for shade, squares in sorted(paths.items()))


def scale(pairs: Sequence[PairView]) -> str:
    """The shades of the heat map with their ends in numbers."""
    swatches = "".join(f'<rect class="h{shade}" x="{shade * 24}" width="23" height="12"/>' for shade in range(SHADES))
    return (
        f'<span class="scale">0 <svg width="{SHADES * 24}" height="12" aria-hidden="true">{swatches}</svg> '
        f"{number(_top(pairs))}</span>"
    )


def glyph(state: str) -> str:
    """A tick, a cross, a call or a dash in a ring; words stand beside it."""
    marks = {"holds": "M7 12.5l3.4 3.4L17 9", "fails": "M8 8l8 8M16 8l-8 8", "review": "M12 6.5v7M12 17v.2"}
    mark = marks.get(state, "M7.5 12h9")
    return (
        f'<svg class="glyph {state}" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="11"/>'
        f'<path d="{mark}"/></svg>'
    )
