"""What stands where in words: relations between things, and a caption, both from the scene and not from the picture."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tuckpoint.labels import Meaning
from tuckpoint.scene.annotator import Annotator, Label, View
from tuckpoint.scene.annotators.masks import labelled

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def _relations(view: View) -> Label:
    by_name = {thing.name: number for number, thing in enumerate(view.scene.things, 1)}
    found: list[dict[str, Any]] = [
        {"subject": by_name[thing.name], "relation": thing.relation, "object": by_name.get(thing.parent)}
        for thing in view.scene.things
        if thing.parent is not None and thing.relation is not None
    ]
    touching = [
        {"subject": by_name[pair.one], "relation": "touches", "object": by_name[pair.other]}
        for pair in view.scene.contacts
        if pair.frame == view.frame
    ]
    return Label(facts={"relations": found + touching})


def plural(noun: str) -> str:
    """The plural of an English noun, by the regular rules."""
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    return noun[:-1] + "ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else noun + "s"


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
    return f"{_NUMBERS[number] if number < len(_NUMBERS) else number} {plural(noun)}"


def _caption(view: View) -> Label:
    seen = [n for n in labelled(view) if (view.buffers.instance == n).any()]
    counts = Counter(str(view.scene.things[n - 1].class_name) for n in seen)
    told = [_count(counts[name], name) for name in view.scene.classes if counts[name]]
    text = (
        "nothing that has a label"
        if not told
        else told[0]
        if len(told) == 1
        else f"{', '.join(told[:-1])} and {told[-1]}"
    )
    return Label(facts={"caption": text})


RELATIONS = Annotator(
    "relations",
    _relations,
    {
        "relations": Meaning(
            "json", "r", "instance ids", "none", "subject is on, in or beside object; with physics, what touches"
        )
    },
)
CAPTION = Annotator(
    "caption", _caption, {"caption": Meaning("text", "1", "English", "none", "how many of each class are seen")}
)
