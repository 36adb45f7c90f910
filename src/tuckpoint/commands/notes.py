"""What a fit did to rare values, told in few lines however many columns there are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tuckpoint.errors import count

MOST = 12  # notes that are told one by one
NAMED = 3  # columns named of those with the same note


def brief(notes: Sequence[str]) -> list[str]:
    """The notes as they are if they are few, else one line for all columns of which the same is said."""
    if len(notes) <= MOST:
        return list(notes)
    groups: dict[str, list[tuple[str, str]]] = {}
    for note in notes:
        found = re.fullmatch(r'column "(.*)": (.*)', note, re.DOTALL)
        name, text = found.groups() if found else ("", note)
        same = re.sub(r"^[\d,]+ levels?", "levels", re.sub(r" \([\d,]+ cells?\)$", "", text)) if found else note
        groups.setdefault(same, []).append((name, note))
    return [_line(text, some) for text, some in groups.items()]


def _line(text: str, some: Sequence[tuple[str, str]]) -> str:
    if len(some) == 1:
        return some[0][1]
    names = [f'"{name}"' for name, _ in some]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{count(len(names), 'column')}: {text}: {', '.join(names[:NAMED])}{more}"
