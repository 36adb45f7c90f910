"""What a page of gaps shows of pictures: a strip of thumbnails for each gap, and how well each class is known."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuckpoint.photos import picture
from tuckpoint.report.chart import plain, text
from tuckpoint.report.sheet import table

SIDE = 72  # pixels of a thumbnail's longer side
QUALITY = 70
MOST = 60  # thumbnails of one page


def strips(shown: Mapping[str, Sequence[Path]]) -> dict[str, str]:
    """The pictures of each condition as HTML, until the page holds 60; one that cannot be read any more is left out."""
    left, found = MOST, dict[str, str]()
    for where, paths in shown.items():
        cells = [cell for path in paths[:left] if (cell := _cell(path))]
        left -= len(cells)
        if cells:
            found[where] = (
                f'<p class="soft">Reference pictures nearest its middle:</p><div class="row">{"".join(cells)}</div>'
            )
    return found


def _cell(path: Path) -> str:
    pixels = picture.read(path).pixels
    if pixels is None:
        return ""
    imaging = picture.imaging()
    image = imaging.fromarray(pixels)
    image.thumbnail((SIDE, SIDE))
    held = io.BytesIO()
    image.save(held, "JPEG", quality=QUALITY)
    data = base64.b64encode(held.getvalue()).decode()
    name = plain(path.name, 80)
    return f'<div class="cell"><img alt="{name}" title="{name}" src="data:image/jpeg;base64,{data}"></div>'


def classes(entries: Sequence[Mapping[str, Any]]) -> str:
    """Recall of each class with its interval, the least known first."""
    heads = ("class", "training pictures", "judged", "recall [95 %]")
    rows = [
        (
            text(one["label"], 80),
            f"{one['train']:,}",
            f"{one['rows']:,}",
            "not judged" if one["recall"] is None else f"{one['recall']:.2f} [{one['low']:.2f}, {one['high']:.2f}]",
        )
        for one in entries
    ]
    return table(heads, rows, right=heads[1:])
