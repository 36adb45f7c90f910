"""The contact sheet of a set: pictures beside their labels, what was seen, and what every number means. One file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.labels import Item
from tuckpoint.write.sets import ImageSet, png

Picture = NDArray[np.uint8]
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """
:root { color-scheme: light dark; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1240px; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
figure { margin: 0 0 1.5rem; } figcaption { margin-bottom: .3rem; }
.row { display: flex; flex-wrap: wrap; gap: 6px; }
.cell { position: relative; flex: 1 1 200px; max-width: 300px; font-size: 12px; }
.cell img, .cell svg { width: 100%; display: block; image-rendering: pixelated; }
.cell svg { position: absolute; top: 0; left: 0; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
"""


def contact(pictures: ImageSet, coverage: Mapping[str, Any], *, limit: int = 24) -> str:
    """The sheet as HTML without scripts or links: the first `limit` pictures, and the statistics of all."""
    about = pictures.about
    shown = [_figure(item, pictures) for item in islice(pictures.items(), limit)]
    vain = "".join(
        f"<p>Drawn anew {count} times: {escape(why)}.</p>" for why, count in coverage["scenes_drawn_in_vain"].items()
    )
    classes = [
        (name, f"{seen['pictures']:,}", f"{seen['things']:,}", f"{seen['pixels']:,}")
        for name, seen in coverage["classes"].items()
    ]
    meanings = [
        (name, one.dtype, one.shape, one.unit, one.frame, one.convention) for name, one in about.meanings.items()
    ]
    title = f"{escape(about.name)}: {about.pictures:,} synthetic pictures"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>"
        f"<p>Rendered by {escape(about.renderer)}, {about.width} x {about.height} pixels. Record "
        f"<code>{about.record.digest()[:16]}</code>.</p>"
        f"<h2>What was seen</h2>{_table(('class', 'pictures', 'things', 'pixels'), classes, numbers=True)}{vain}"
        f"<h2>The first {len(shown)}</h2>{''.join(shown)}"
        f"<h2>What the numbers mean</h2>{_table(('label', 'type', 'shape', 'unit', 'frame', 'convention'), meanings)}"
        "</html>\n"
    )


def _figure(item: Item, pictures: ImageSet) -> str:
    cells = []
    boxes = _boxes(item)
    if item.image is not None:
        cells.append(_cell("picture and boxes" if boxes else "picture", item.image, pictures, boxes))
    for name in ("class", "instance", "part"):
        if name in item.arrays:
            cells.append(_cell(name, _coloured(item.arrays[name]), pictures))
    if "depth" in item.arrays:
        cells.append(_cell("depth, near is bright", _ramp(item.arrays["depth"]), pictures))
    if "normal" in item.arrays:
        cells.append(_cell("normals", np.asarray(127.5 + 127.5 * item.arrays["normal"], np.uint8), pictures))
    if "flow" in item.arrays:
        length = np.linalg.norm(item.arrays["flow"], axis=-1)
        cells.append(_cell("flow, fast is dark", _ramp(np.where(np.isfinite(length), length, np.inf)), pictures))
    caption = escape(str(item.facts.get("caption", "")))
    return (
        f'<figure><figcaption>{escape(item.key)} {caption}</figcaption><div class="row">{"".join(cells)}</div></figure>'
    )


def _boxes(item: Item) -> str:
    drawn = []
    for entry in item.objects:
        if entry.get("box"):
            left, top, right, bottom = entry["box"]
            name = escape(str(entry["class"]))
            drawn.append(
                f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}">'
                f"<title>{name}</title></rect>"
            )
        drawn += [
            f'<circle cx="{point["pixel"][0]:.1f}" cy="{point["pixel"][1]:.1f}" r="1.5" fill="#ff0"/>'
            for point in entry.get("keypoints", [])
            if point["state"] == 2
        ]
    if not drawn:
        return ""
    size = f"0 0 {item.width} {item.height}"
    return f'<svg viewBox="{size}" fill="none" stroke="#0f8" stroke-width="1">{"".join(drawn)}</svg>'


def _cell(name: str, picture: Picture, pictures: ImageSet, over: str = "") -> str:
    data = base64.b64encode(png(np.ascontiguousarray(picture), pictures.about.record)).decode()
    alone = f'<img alt="{escape(name)}" src="data:image/png;base64,{data}">'
    return f'<div class="cell">{alone}{over}{escape(name)}</div>'


def _coloured(ids: NDArray[Any]) -> Picture:
    """A colour per id (h, w, 3), far apart for neighbours; 0 is black."""
    number = np.arange(256)
    turn = number * 0.618034 % 1.0
    table = np.stack([0.5 + 0.45 * np.cos(2 * np.pi * (turn + shift)) for shift in (0.0, 0.33, 0.67)], axis=1)
    table[0] = 0
    return np.asarray(table[ids.astype(np.int64) % 256] * 255, np.uint8)


def _ramp(values: NDArray[Any]) -> Picture:
    """Grey (h, w, 3): the smallest is white, the 95th percentile and infinity are black."""
    known = values[np.isfinite(values)]
    if not known.size:
        return np.zeros((*values.shape, 3), np.uint8)
    low, high = float(known.min()), float(np.quantile(known, 0.95))
    grey = np.clip((high - np.where(np.isfinite(values), values, np.inf)) / max(high - low, 1e-9), 0, 1)
    return np.repeat(np.asarray(255 * grey, np.uint8)[..., None], 3, axis=-1)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, numbers: bool = False) -> str:
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = ""
    for row in rows:
        mark = ' class="n"' if numbers else ""
        body += "<tr>" + "".join(f"<td{mark if n else ''}>{escape(cell)}</td>" for n, cell in enumerate(row)) + "</tr>"
    return f"<table><tr>{top}</tr>{body}</table>"
