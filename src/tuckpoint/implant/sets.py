"""A folder of pairs: what is written of each pair, and the pairs read back in.

out/findings.json      settings, seed, and for each image its files and findings with every drawn value
out/record.json        how it came to be
out/hosts/ images/ masks/ alphas/
out/thicknesses/       of radiographs: mm along the beam, in steps of THICKNESS_MM
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError, TraceError
from tuckpoint.implant import volumes
from tuckpoint.implant.values import Array, Drawn, Finding, Host, Implanted, Size
from tuckpoint.implant.volumes import Stored

VERSION = 1
HELD_BYTES = 400_000_000  # of a loaded set that are held in memory
SHELF_BYTES = 1 << 30
THICKNESS_MM = 0.01  # one step of a stored thickness; 16 bits reach to 655 mm


def host_files(like: Stored) -> tuple[str, str]:
    """Where the untouched host and its region stand in the folder."""
    name = f"{like.name}{volumes.written_suffix(like)}"
    return f"hosts/{name}", f"regions/{name}"


def write_host(place: Path, host: Host, like: Stored) -> None:
    """Write the untouched host and its region, once for all images of it."""
    for file, values in zip(host_files(like), (host.image, host.region.astype(np.uint8)), strict=True):
        (place / file).parent.mkdir(exist_ok=True)
        volumes.write(place / file, values, like)


def write_pair(place: Path, number: int, pair: Implanted, like: Stored, stamp: str) -> dict[str, Any]:
    """Write one pair; what findings.json says of it."""
    suffix = volumes.written_suffix(like)
    arrays = {"images": pair.image, "masks": _small(pair.mask()), "alphas": _alpha(pair, suffix)}
    if pair.projected:
        arrays["thicknesses"] = np.rint(pair.thickness() / THICKNESS_MM).astype(np.uint16)
    files = {folder: f"{folder}/{number:06d}_{like.name}{suffix}" for folder in arrays}
    for folder, values in arrays.items():
        (place / folder).mkdir(exist_ok=True)
        volumes.write(place / files[folder], values, like, stamp=stamp)
    found = []
    for finding in pair.findings:
        crop = {"corner": list(finding.corner), "shape": list(finding.mask.shape)}
        found.append({**finding.to_dict(), "crop": crop})
    limits = [float(v) for v in pair.host.limits]
    return {
        **pair.to_dict(),
        "limits": limits,
        **({"spacing_from": pair.host.geometry["spacing_from"]} if "spacing_from" in pair.host.geometry else {}),
        "findings": found,
        "files": {**files, **dict(zip(("hosts", "regions"), host_files(like), strict=True))},
    }


def _small(mask: Array) -> Array:
    return mask.astype(np.uint8) if mask.max(initial=0) <= 255 else mask


def _alpha(pair: Implanted, suffix: str) -> Array:
    """Alpha as the format holds it: float32, or 8 bits in pictures, rounded up so that no touched pixel says 0."""
    alpha = pair.alpha()
    return np.ceil(alpha * 255).astype(np.uint8) if suffix == ".png" else alpha


def is_set(folder: Path) -> bool:
    """Whether a folder holds a set of implants."""
    try:
        held = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(held, dict) and "tuckpoint_implant" in held


def load(folder: Path) -> list[Implanted]:
    """The pairs of a folder.

    Raises InputError for another folder, TraceError if a host is no longer what it was.
    """
    if not is_set(folder):
        raise InputError(f"{folder} holds no findings.json of `tuckpoint implant`; give the folder that -o named")
    told = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    if told["tuckpoint_implant"] > VERSION:
        raise InputError(f"{folder} was written by a later version of tuckpoint; upgrade it")
    hosts: dict[str, Host] = {}
    shelf = Shelf()
    return [_loaded(folder, entry, hosts, shelf) for entry in told["images"]]


class Shelf:
    """Arrays beyond HELD_BYTES are laid in files without a name and mapped: thousands of pairs need no more memory."""

    def __init__(self) -> None:
        self.held = 0
        self.room: Array = np.zeros(0, np.uint8)

    def laid(self, values: Array) -> Array:
        """The same values, in memory or in a file."""
        self.held += values.nbytes
        if self.held <= HELD_BYTES:
            return values
        size = -(-values.nbytes // 64) * 64
        if self.room.nbytes < size:
            with tempfile.TemporaryFile() as file:
                self.room = np.memmap(file, np.uint8, "w+", shape=max(SHELF_BYTES, size))
        place, self.room = self.room[: values.nbytes], self.room[size:]
        laid = np.asarray(place).view(values.dtype).reshape(values.shape)
        laid[...] = values
        laid.flags.writeable = False
        return laid


def _loaded(folder: Path, entry: Mapping[str, Any], hosts: dict[str, Host], shelf: Shelf) -> Implanted:
    files, spacing = entry["files"], tuple(entry["spacing"])
    if files["hosts"] not in hosts:
        image = volumes.read(folder / files["hosts"]).values
        region = volumes.read(folder / files["regions"]).values > 0
        host = Host(
            entry["host"], shelf.laid(image), spacing, entry["unit"], shelf.laid(region), tuple(entry["limits"]),
            entry["group"],
        )  # fmt: skip
        if host.sha256 != entry["host_sha256"]:
            raise TraceError(f"{folder / files['hosts']} is not the host that was implanted into; it was altered")
        hosts[files["hosts"]] = host
    host = hosts[files["hosts"]]
    image, labels, alpha = (volumes.read(folder / files[kind]).values for kind in ("images", "masks", "alphas"))
    alpha = alpha.astype(np.float32) / (255 if alpha.dtype == np.uint8 else 1)
    thick = None
    if "thicknesses" in files:
        thick = volumes.read(folder / files["thicknesses"]).values * np.float32(THICKNESS_MM)
    found = []
    for number, one in enumerate(entry["findings"], start=1):
        where = tuple(slice(c, c + n) for c, n in zip(one["crop"]["corner"], one["crop"]["shape"], strict=True))
        own = None if thick is None else thick[where].copy()
        found.append(_finding(one, labels[where] == number, alpha[where].copy(), own))
    return Implanted(host, shelf.laid(image), tuple(found))


def _finding(one: Mapping[str, Any], mask: Array, alpha: Array, thickness: Array | None) -> Finding:
    drawn = Drawn(one["kind"], tuple(one["position"]), one["drawn"], one["key"], one["null"])
    return Finding(
        drawn=drawn, corner=tuple(one["crop"]["corner"]), mask=mask, alpha=alpha,
        box=tuple((int(a), int(b)) for a, b in one["box"]), size=Size(**one["size"]), contrast=one["contrast"],
        contrast_to_noise=one["contrast_to_noise"], distances=one["distances"], complexity=one["complexity"],
        difficulty=one["difficulty"], host_model=one["host_model"], thickness=thickness,
    )  # fmt: skip
