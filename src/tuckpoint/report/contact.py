"""The contact sheet of a set: pictures beside their labels, what was seen, and what every number means. One file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import count
from tuckpoint.labels import Item
from tuckpoint.report.chart import plain, text
from tuckpoint.report.sheet import Head, Section, sheet, table
from tuckpoint.write.sets import ImageSet, png

Picture = NDArray[np.uint8]
BANNER = (
    "<strong>Synthetic pictures.</strong> Each was rendered from a drawn scene, and its labels are the scene's own."
)


def contact(pictures: ImageSet, coverage: Mapping[str, Any], *, limit: int = 24) -> str:
    """The sheet as HTML without scripts or links: the first `limit` pictures, and the statistics of all."""
    about = pictures.about
    shown = [_figure(item, pictures) for item in islice(pictures.items(), limit)]
    vain = "".join(
        f"<p>Scenes drawn in vain: {n:,}, {text(why, 200)}.</p>" for why, n in coverage["scenes_drawn_in_vain"].items()
    )
    classes = [
        (text(name), f"{seen['pictures']:,}", f"{seen['things']:,}", f"{seen['pixels']:,}")
        for name, seen in coverage["classes"].items()
    ]
    meanings = [
        tuple(text(cell, 400) for cell in (name, one.dtype, one.shape, one.unit, one.frame, one.convention))
        for name, one in about.meanings.items()
    ]
    heads = ("class", "pictures", "things", "pixels")
    head = Head(
        title=f"{about.name}: synthetic pictures",
        description="Pictures beside their labels, what was seen, and what every number means.",
        banner=BANNER,
        heading=text(about.name),
        about=f"Rendered by {text(about.renderer)}, {about.width} x {about.height} pixels, record "
        f"<code>{about.record.digest()[:16]}</code>.",
        state="shown",
        headline=f"{count(about.pictures, 'picture')} with {count(len(about.meanings), 'label')}",
        outcome="",
    )
    sections = [
        Section("seen", "What was seen", "Counted on rendered pixels.", table(heads, classes, right=heads[1:]) + vain),
        *_quotas(coverage.get("quotas", ())),
        Section("pictures", f"The first {len(shown)}", "", "".join(shown)),
        Section(
            "meanings",
            "What the numbers mean",
            "",
            table(("label", "type", "shape", "unit", "frame", "convention"), meanings),
        ),
    ]
    return sheet(head, sections, legend="", styles=("style.css", "contact.css"))


def _quotas(quotas: Sequence[Sequence[Mapping[str, Any]]]) -> list[Section]:
    """What each cell of each quota came to."""
    heads = ("cell", "pictures", "things", "pixels")
    tables = []
    for cells in quotas:
        rows = []
        for cell in cells:
            name = ", ".join(f"{knob} {value}" for knob, value in cell["knobs"].items())
            sums = [sum(seen[kind] for seen in cell["classes"].values()) for kind in ("things", "pixels")]
            rows.append((text(name, 200), f"{cell['pictures']:,}", *(f"{number:,}" for number in sums)))
        tables.append(table(heads, rows, right=heads[1:]))
    if not tables:
        return []
    return [Section("quotas", "Quotas", "Each cell, counted on rendered pixels.", "".join(tables))]


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
    caption = text(item.facts.get("caption", ""), 400)
    return (
        f'<figure><figcaption>{plain(item.key)} {caption}</figcaption><div class="row">{"".join(cells)}</div></figure>'
    )


def _boxes(item: Item) -> str:
    drawn = []
    for entry in item.objects:
        if entry.get("box"):
            left, top, right, bottom = entry["box"]
            name = plain(entry["class"])
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
    alone = f'<img alt="{plain(name)}" src="data:image/png;base64,{data}">'
    return f'<div class="cell">{alone}{over}{plain(name)}</div>'


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
