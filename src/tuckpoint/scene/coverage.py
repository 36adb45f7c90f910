"""What a set of pictures shows: counted on rendered pixels, and not on what was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tuckpoint.labels import Item
from tuckpoint.scene.spec import Spec


def coverage(items: Iterable[Item], spec: Spec) -> dict[str, Any]:
    """Pictures; per class those that show it, things seen and their pixels; the same per cell of each quota; and what
    was drawn in vain.

    An item's facts are those that `pictures` writes: `seen`, `cells` and `refused_before`.
    """
    whole = _Count()
    per_cell = [[_Count() for _ in quota.cells] for quota in spec.balanced]
    refused: Counter[str] = Counter()
    for item in items:
        refused.update(item.facts.get("refused_before", {}))
        whole.add(item)
        for counts, chosen in zip(per_cell, item.facts.get("cells", ()), strict=True):
            counts[chosen].add(item)
    told = {**whole.told(spec.classes), "scenes_drawn_in_vain": dict(refused)}
    if spec.balanced:
        told["quotas"] = [
            [{"knobs": cell, **count.told(spec.classes)} for cell, count in zip(quota.cells, counts, strict=True)]
            for quota, counts in zip(spec.balanced, per_cell, strict=True)
        ]
    return told


class _Count:
    """Pictures, and per class what they show."""

    def __init__(self) -> None:
        self.pictures = 0
        self.shown, self.things, self.pixels = Counter[str](), Counter[str](), Counter[str]()

    def add(self, item: Item) -> None:
        self.pictures += 1
        seen = [(entry["class"], size) for entry, size in zip(item.objects, item.facts["seen"], strict=True) if size]
        self.shown.update({name for name, _ in seen})
        for name, size in seen:
            self.things[name] += 1
            self.pixels[name] += size

    def told(self, classes: Iterable[str]) -> dict[str, Any]:
        per = {
            name: {"pictures": self.shown[name], "things": self.things[name], "pixels": self.pixels[name]}
            for name in classes
        }
        return {"pictures": self.pictures, "classes": per}
