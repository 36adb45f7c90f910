"""Set size, sharpness and density of parametric nodules by three medians of real ones, before any detail is added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.implant.ct import LungNodule
from tuckpoint.implant.describe import Described, halves, medians, window_at
from tuckpoint.implant.values import Array, Host
from tuckpoint.seed import Seed

Cut = tuple[Array, tuple[float, ...]]
ROUNDS, NODULES = 8, 120
WITHIN = 0.15  # a median may be this far from the real one
CLOSE = 0.04  # calibration stops here


@dataclass(frozen=True)
class Calibrated:
    """The adapter with its new settings, and the medians asked for, before and after."""

    adapter: LungNodule
    wanted: Described
    before: Described
    after: Described

    @property
    def off(self) -> dict[str, float]:
        """How far each median is from what was asked for, as a share of it."""
        return apart(self.after, self.wanted)


def apart(found: Described, wanted: Described) -> dict[str, float]:
    """The difference of each median as a share of the wanted one."""
    return {name: abs(getattr(found, name) / getattr(wanted, name) - 1) for name in vars(wanted)}


def calibrate(adapter: LungNodule, hosts: Sequence[Host], wanted: Described, seed: Seed) -> Calibrated:
    """Move size_factor, sharpness and added_hu until the medians of made nodules meet the wanted ones.

    Each round makes NODULES nodules in the hosts with the same draws, so that the medians move with the settings alone.
    Raises InputError if a median stays more than WITHIN off.
    """
    if not hosts:
        raise InputError("calibration needs healthy hosts to try nodules in; give one or more")
    before = made(adapter, hosts, seed)
    found, best, best_off = before, adapter, max(apart(before, wanted).values())
    best_found = before
    for _ in range(ROUNDS):
        if best_off <= CLOSE:
            break
        look = adapter.look
        size = look.size_factor * float(np.clip(wanted.fwhm_mm / found.fwhm_mm, 0.7, 1.4))
        sharp = look.sharpness * float(np.clip(found.slope_per_mm / wanted.slope_per_mm, 0.7, 1.4)) ** 1.5
        added = look.added_hu + float(np.clip(wanted.contrast_hu - found.contrast_hu, -200, 200))
        adapter = replace(
            adapter,
            look=replace(
                look,
                size_factor=float(np.clip(size, 0.3, 3)),
                sharpness=float(np.clip(sharp, 0.3, 2.5)),
                added_hu=added,
            ),
        )
        found = made(adapter, hosts, seed)
        off = max(apart(found, wanted).values())
        if off < best_off:
            best, best_off, best_found = adapter, off, found
    if best_off > WITHIN:
        name, off = max(apart(best_found, wanted).items(), key=lambda item: item[1])
        raise InputError(
            f"calibration ends with {name} {off:.0%} off: wanted {getattr(wanted, name):.3g}, reached "
            f"{getattr(best_found, name):.3g}; give hosts of the same scanner as the real nodules, or other kinds"
        )
    return Calibrated(best, wanted, before, best_found)


def made(adapter: LungNodule, hosts: Sequence[Host], seed: Seed) -> Described:
    """The medians of nodules that the adapter makes in these hosts."""
    return medians(windows(adapter, hosts, seed, count=NODULES))


def windows(adapter: LungNodule, hosts: Sequence[Host], seed: Seed, *, count: int) -> list[Cut]:
    """Windows of WINDOW_MM around implanted nodules, with their spacing; hosts in turn, but for those without a place.

    Raises InputError if no host has a place.
    """
    found: list[Cut] = []
    why = ""
    for number in range(count):
        host = hosts[number % len(hosts)]
        try:
            drawn = adapter.plan(host, seed.child("calibrate", number))
        except InputError as error:
            why = str(error)
            continue
        image = adapter.implant(host, drawn).image
        found.append((window_at(image, drawn[0].position, halves(host.spacing)), host.spacing))
    if not found:
        raise InputError(f"no host has a place for a nodule; the last said: {why}")
    return found


def real_medians(images: Sequence[Array], masks: Sequence[Array], spacing: tuple[float, ...]) -> Described:
    """The three medians of real nodules, each in the middle of a window around its mask's centre."""
    middles = [tuple(float(v) for v in np.argwhere(mask).mean(axis=0)) for mask in masks]
    half = halves(spacing)
    return medians((window_at(i, m, half), spacing) for i, m in zip(images, middles, strict=True))
