"""Text for a terminal: lines of a given width, tables that fold in a narrow one, ASCII where nothing else is shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

NARROWEST = 40
ASCII = {" × 10": "e", "⁻": "-", "✗": "x", "–": "-", "✓": "+", "−": "-", "×": "x", "…": "..."}


def table(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """Names on the left, figures in columns to their right; in a narrow window the figures stand below the names."""
    sizes = [max(columns_of(row[place]) for row in rows) for place in range(1, len(rows[0]))]
    names = max(columns_of(row[0]) for row in rows)
    room = width - sum(size + 3 for size in sizes) - 2
    lines = []
    for index, row in enumerate(rows):
        cells = "".join(
            "   " + " " * (size - columns_of(cell)) + cell for cell, size in zip(row[1:], sizes, strict=True)
        )
        indent = "" if index == 0 else "  "
        if room < min(names, 24):
            lines += [*wrapped(indent + row[0], width), *wrapped(" ".join(filter(None, row[1:])), width, indent=4)]
            continue
        name = cut(indent + row[0], min(room, names) + 2)
        lines.append((name + " " * (min(room, names) + 2 - columns_of(name)) + cells).rstrip())
    return lines


def columns_of(text: str) -> int:
    """How many columns of a terminal the text fills."""
    return sum(
        0 if unicodedata.combining(c) or c in "\u200c\u200d" else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def cut(text: str, width: int) -> str:
    """The text in at most `width` columns, an ellipsis at its end if it was longer."""
    if columns_of(text) <= width:
        return text
    while columns_of(text) > width - 1:
        text = text[:-1]
    return text + "…"


def wrapped(text: str, width: int, *, indent: int = 0, hang: int = 0) -> list[str]:
    """Lines of at most `width` columns, broken at spaces and inside words that are longer."""
    lines, line, start = [], " " * indent, indent
    if not indent and text.startswith("  "):
        line, start = "  ", 2
    for word in text.split():
        while True:
            gap = "" if columns_of(line) <= start else " "
            if columns_of(line + gap + word) <= width:
                line += gap + word
                break
            if gap:
                lines.append(line)
                start = indent + hang
                line = " " * start
                continue
            fitting = next(n for n in range(len(word), 0, -1) if columns_of(line + word[:n]) <= width)
            lines.append(line + word[:fitting])
            start = indent + hang
            line, word = " " * start, word[fitting:]
    return [*lines, line] if line.strip() else lines


def encodable(text: str, encoding: str, width: int) -> str:
    """The text as `encoding` can show it, in ASCII if need be."""
    """The text with what the encoding cannot show written in ASCII, no line wider than before or than `width`."""
    try:
        text.encode(encoding)
        return text
    except (UnicodeEncodeError, LookupError):
        for mark, plain in ASCII.items():
            text = text.replace(mark, plain)
    text = text.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))
    lines = text.encode("ascii", "backslashreplace").decode().split("\n")
    return "\n".join(
        line if len(line) <= width or "\x1b" in line else cut(line, width - 2)[:-1] + "..." for line in lines
    )
