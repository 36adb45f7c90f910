"""The way of a finding into its host, in volumes and radiographs alike: a place, laying in, telling what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.implant import blend
from tuckpoint.implant.values import Array, Drawn, Finding, Host, Implanted
from tuckpoint.seed import Seed

Taken = list[tuple[tuple[int, ...], float]]  # places (voxels) and radii of the findings before


class Placed(Protocol):
    """A place in voxels, with whatever was measured there as further fields of a dataclass."""

    @property
    def position(self) -> tuple[int, ...]:
        """The voxel."""
        ...


@dataclass(frozen=True, eq=False)
class Laid:
    """A finding ready to be laid in: alpha and mask, and what it adds to the host before alpha, from voxel `corner`.

    `thickness` (mm, before the blur) is of projections alone.
    """

    alpha: Array
    mask: Array
    added: Array
    corner: tuple[int, ...]
    thickness: Array | None = None


def seated(
    host: Host, drawn: Sequence[Mapping[str, Any]], seed: Seed, *, null: float, model: Mapping[str, float],
    find: Callable[[Seed, Mapping[str, Any], Taken], tuple[Placed | None, Mapping[str, Any]]],
) -> tuple[Drawn, ...]:  # fmt: skip
    """Give each finding a place, the host's `model` and a key; `find` gives a place and what else is to be kept.

    Raises InputError where no place is left.
    """
    taken: Taken = []
    found = []
    for number, values in enumerate(drawn):
        own = seed.child("nodule", number)
        radius = 0.5 * values["diameter_mm"]
        place, more = find(own, values, taken)
        if place is None:
            raise InputError(
                f"{host.name}: no free place for finding {number + 1} of {len(drawn)} ({2 * radius:.1f} mm across); "
                "ask for fewer or smaller ones, or give a larger host"
            )
        taken.append((place.position, radius))
        offset = values.get("offset", (0.0,) * len(place.position))[-len(place.position) :]
        position = tuple(float(p + o) for p, o in zip(place.position, offset, strict=True))
        is_null = bool(own.child("null").numpy().random() < null)
        kept = {**values, **more, "place": vars(place) | {"position": list(place.position)}, "host": model}
        found.append(Drawn(str(values["kind"]), position, kept, own.child("fields").integer(), is_null))
    return tuple(found)


def check_null(null: float) -> None:
    """Raise InputError for a share of nulls out of range."""
    if not 0 <= null <= 1:
        raise InputError(f"null is {null}; give a share from 0 to 1")


def implanted(
    host: Host, drawn: tuple[Drawn, ...], make: Callable[[Host, Array, Drawn], Laid],
    tell: Callable[[Host, Drawn, Laid, Array], Finding],
) -> Implanted:  # fmt: skip
    """Lay findings in one by one; `make(host, image, one)` gives what is laid in, `tell` the truth about the change."""
    image = host.image.copy()
    findings = []
    for one in drawn:
        laid = make(host, image, one)
        where = tuple(slice(c, c + n) for c, n in zip(laid.corner, laid.mask.shape, strict=True))
        before = image[where].copy()
        added = laid.alpha * laid.added * (0.0 if one.null else 1.0)
        image[where] = blend.lay(before, added, host.limits)
        findings.append(tell(host, one, laid, image[where].astype(np.float32) - before))
    return Implanted(host, image, tuple(findings))


def inside(
    host: Host, size: tuple[int, ...], corner: tuple[int, ...], pad: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[int, ...]]:
    """The part of a padded crop that lies in the host, and its corner there."""
    cuts, starts = [], []
    for c, n, p, whole in zip(corner, size, pad, host.shape, strict=True):
        low, high = max(c - p, 0), min(c + n + p, whole)
        cuts.append(slice(low - (c - p), high - (c - p)))
        starts.append(low)
    return tuple(cuts), tuple(starts)
