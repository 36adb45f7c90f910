"""A folder of pairs: hosts in, images with findings, masks, alphas and all that is known about them out; and back in.

out/findings.json      settings, seed, and for each image its files and findings with every drawn value
out/record.json        how it came to be
out/hosts/ images/ masks/ alphas/
out/thicknesses/       of radiographs: mm along the beam, in steps of THICKNESS_MM
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError, TraceError
from tuckpoint.files import replacing_folder
from tuckpoint.implant import volumes
from tuckpoint.implant.values import Adapter, Array, Drawn, Finding, Host, Implanted, Size
from tuckpoint.implant.volumes import Stored
from tuckpoint.record import Input, Maker, Record, canonical, digest_of
from tuckpoint.seed import Seed

VERSION = 1
FOLDERS = ("hosts", "regions", "images", "masks", "alphas")
HELD_BYTES = 400_000_000  # of a loaded set that are held in memory
SHELF_BYTES = 1 << 30
KEPT_BYTES = 100_000_000  # of hosts that may be kept for their next turn
THICKNESS_MM = 0.01  # one step of a stored thickness; 16 bits reach to 655 mm
TRIES = 4  # hosts tried for each image that is asked for
Progress = Callable[[str, float], None]
HostOf = Callable[[Path], tuple[Host, Stored]]


@dataclass(frozen=True)
class Asked:
    """What is asked of a run: `count` findings, `each` of them in one image, the share of nulls, pins, a seed."""

    count: int
    each: int = 1
    null: float = 0.0
    pins: Mapping[str, Any] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1 or self.each < 1:
            raise InputError(f"{self.count} findings, {self.each} an image: give whole numbers from 1")
        if not 0 <= self.null <= 1:
            raise InputError(f"null is {self.null}; give a share from 0 to 1")


def make(
    files: Sequence[Path], host_of: HostOf, adapter: Adapter, out: Path, asked: Asked, *, name: str,
    settings: Mapping[str, Any], unvalidated: str = "", inputs: tuple[Input, ...] = (), overwrite: bool = False,
    progress: Progress | None = None, also: Callable[[Path], object] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Implant into hosts, taken in turn, and write the folder whole or not at all; gives what findings.json says.

    What is `unvalidated` says so in all that is written. `inputs` are fingerprints of what else went in. A host without
    a free place is passed over for the next. `also` writes more into the folder before it appears. Raises InputError if
    hosts give fewer than asked.
    """
    recipe = digest_of(
        {"implant": name, "settings": dict(settings), "asked": {**vars(asked), "pins": asked.pins or {}}}
    )
    stamp = f"SYNTHETIC{' UNVALIDATED' if unvalidated else ''} tuckpoint recipe {recipe[:32]}"
    images = -(-asked.count // asked.each)
    entries: list[dict[str, Any]] = []
    hosts: dict[str, str] = {}
    with replacing_folder(out, overwrite=overwrite, ours=is_set) as place:
        for folder in FOLDERS:
            (place / folder).mkdir()
        for pair, like, host_file in _pairs(files, host_of, adapter, asked, images, place):
            entries.append(_entry(place, len(entries), pair, like, host_file, stamp))
            hosts[pair.host.name] = pair.host.sha256
            if progress is not None:
                progress("implanting", len(entries) / images)
        record = Record(
            dataset=out.name, maker=Maker(f"implant {name}"), recipe=recipe, seed=asked.seed, rows=len(entries),
            inputs=(Input("hosts", digest_of(hosts), len(hosts)), *inputs),
            evidence={"unvalidated": unvalidated} if unvalidated else {},
        )  # fmt: skip
        told = {
            "tuckpoint_implant": VERSION, "synthetic": True, **({"unvalidated": unvalidated} if unvalidated else {}),
            "adapter": name, "settings": dict(settings),
            "asked": {**vars(asked), "pins": dict(asked.pins or {})}, "record": record.digest(), "images": entries,
        }  # fmt: skip
        (place / "findings.json").write_bytes(canonical(told) + b"\n")
        record.dump(place / "record.json")
        if also is not None:
            also(place)
    return told


def _pairs(
    files: Sequence[Path], host_of: HostOf, adapter: Adapter, asked: Asked, images: int, place: Path
) -> Iterator[tuple[Implanted, Stored, str]]:
    """Pairs, until there are as many as asked for; a host that is used again is kept once."""
    made, why = 0, ""
    held: dict[Path, tuple[Host, Stored]] = {}
    for number in range(TRIES * images):
        if made == images:
            return
        path = files[number % len(files)]
        if path not in held:
            if sum(host.image.nbytes for host, _ in held.values()) > KEPT_BYTES:
                held.clear()
            held[path] = host_of(path)
        host, like = held[path]
        count = min(asked.each, asked.count - made * asked.each)
        try:
            drawn = adapter.plan(
                host, Seed(asked.seed).child("implant", number), count=count, null=asked.null, pins=asked.pins
            )
        except InputError as error:
            if "no free place" not in str(error):
                raise
            why = str(error)
            continue
        file = f"{like.name}{volumes.written_suffix(like)}"
        if not (place / "hosts" / file).exists():
            volumes.write(place / "hosts" / file, host.image, like)
            volumes.write(place / "regions" / file, host.region.astype(np.uint8), like)
        made += 1
        yield adapter.implant(host, drawn), like, file
    if made < images:
        raise InputError(f"{made} of {images} images could be made; the last host said: {why}")


def _entry(place: Path, number: int, pair: Implanted, like: Stored, host: str, stamp: str) -> dict[str, Any]:
    """Write one pair; what findings.json says of it."""
    suffix = volumes.written_suffix(like)
    stem = f"{number:06d}_{like.name}"
    arrays = {"images": pair.image, "masks": _small(pair.mask()), "alphas": _alpha(pair, suffix)}
    if pair.projected:
        arrays["thicknesses"] = np.rint(pair.thickness() / THICKNESS_MM).astype(np.uint16)
        (place / "thicknesses").mkdir(exist_ok=True)
    files = {folder: f"{folder}/{stem}{suffix}" for folder in arrays}
    for folder, values in arrays.items():
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
        "files": {**files, "hosts": f"hosts/{host}", "regions": f"regions/{host}"},
    }


def _small(mask: Array) -> Array:
    return mask.astype(np.uint8) if mask.max(initial=0) <= 255 else mask


def _alpha(pair: Implanted, suffix: str) -> Array:
    """Alpha as the format holds it: float32, or 8 bits in pictures, rounded up so that no touched pixel says 0."""
    alpha = pair.alpha()
    return np.ceil(alpha * 255).astype(np.uint8) if suffix == ".png" else alpha


def is_set(folder: Path) -> bool:
    """Whether a folder was written by `make`."""
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
