"""From hosts to a folder of pairs, over all processes it is given; the same bytes for any number, and after a stop.

A run has two steps, each in shards: images are implanted, then written in further formats. What is over all images is
written at the end, and the folder appears when all is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from tuckpoint.errors import InputError, TraceError, count
from tuckpoint.files import check_folder, put_folder
from tuckpoint.implant import formats, hosts, sets, unfinished
from tuckpoint.implant.hosts import HostFile
from tuckpoint.implant.unfinished import Running, Step, Told
from tuckpoint.implant.values import Adapter, Host, Implanted
from tuckpoint.implant.volumes import Stored
from tuckpoint.record import Input, Maker, Record, canonical, digest_of, tuckpoint_version
from tuckpoint.scale.local import Progress
from tuckpoint.scale.shards import Job
from tuckpoint.seed import Seed
from tuckpoint.volumes.formats import FORMATS

TRIES = 32  # hosts tried for one image
_Read = tuple[str, Host, Stored]  # the digest of its files first


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
            raise InputError(f"{count(self.count, 'finding')}, {self.each} an image: give whole numbers from 1")
        if not 0 <= self.null <= 1:
            raise InputError(f"null is {self.null}; give a share from 0 to 1")

    @property
    def images(self) -> int:
        """How many images that makes; the last may hold fewer findings."""
        return -(-self.count // self.each)


@dataclass(frozen=True)
class Order:
    """Everything that decides what a run implants: an adapter and its settings as plain values, hosts, what is asked.

    What is `unvalidated` says so in all that is written. `inputs` are fingerprints of what else went in.
    """

    name: str
    adapter: Adapter
    hosts: tuple[HostFile, ...]
    asked: Asked
    settings: Mapping[str, Any]
    unvalidated: str = ""
    inputs: tuple[Input, ...] = ()

    def recipe(self) -> str:
        """The digest of what was asked, without hosts."""
        asked = {**vars(self.asked), "pins": dict(self.asked.pins or {})}
        return digest_of({"implant": self.name, "settings": dict(self.settings), "asked": asked})

    def digest(self) -> str:
        """The digest of all that decides the bytes but what hosts hold: shards tell what they read."""
        told = [dict(one.told()) for one in self.hosts]
        inputs = [vars(one) for one in self.inputs]
        return digest_of({"recipe": self.recipe(), "hosts": told, "inputs": inputs, "tuckpoint": tuckpoint_version()})

    def image(self, row: int) -> int:
        """The number of the image in a row of the shards: all images of a host follow each other, so it is read once.

        Hosts are taken in turn, so image 0 and image len(hosts) are of one host.
        """
        most, longer = divmod(self.asked.images, len(self.hosts))  # the first `longer` hosts have one image more
        if row < longer * (most + 1):
            host, turn = divmod(row, most + 1)
        else:
            host, turn = divmod(row - longer, most)
        return host + turn * len(self.hosts)


@dataclass(frozen=True)
class Made:
    """What a run made: images, findings by kind without nulls, nulls, findings that stand beside the rule of their
    place, and, of films, hosts in all and those whose blur is assumed.
    """

    record: Record
    images: int
    kinds: Mapping[str, int]
    nulls: int
    fallback: int
    hosts: int
    assumed: int


def make(
    order: Order, out: Path, *, also: Sequence[str] = (), workers: int = 1, overwrite: bool = False,
    progress: Progress | None = None,
) -> Made:  # fmt: skip
    """Implant into hosts, taken in turn, and write the folder whole or not at all, `also` in these formats.

    A host without a free place is passed over for another, drawn by chance. What was finished before an interrupt or an
    error stays in OUT.unfinished, and the same call goes on with it; what it read must be the same still, else it is
    done again. Raises InputError if no host has a place, and as readers do, TraceError as `unfinished.opened` does.
    """
    if not out.name:
        raise InputError(f"{out} has no name to write a folder under; name a new folder")
    check_folder(out, overwrite=overwrite, ours=sets.is_set)
    images = order.asked.images
    with unfinished.opened(out, order.digest(), overwrite=overwrite) as room:
        size = hosts.mean_bytes(order.hosts)
        per_shard = unfinished.images_per_shard(room, images, host_bytes=size, workers=workers)
        running = Running(images, per_shard, workers, progress)
        laid = Step(room / "images")
        unfinished.run(
            laid, implant_shard, running, digest=order.digest(), initial={"order": order}, noun="images",
            current=lambda name: hosts.fingerprint(order.hosts[int(name)]),
        )  # fmt: skip
        made = _close(order, laid, out.name)
        for name, folder in _written(order, laid, made, tuple(dict.fromkeys(also)), Step(room / "formats"), running):
            folder.rename(laid.made / name)
        unfinished.synced_whole(laid.made)
        put_folder(laid.made, out, overwrite=overwrite, ours=sets.is_set)
    return made


def _written(
    order: Order, laid: Step, made: Made, names: tuple[str, ...], step: Step, running: Running
) -> Iterator[tuple[str, Path]]:
    """The images in each of these formats, whole: its name and folder."""
    if not names:
        return
    kinds, record = tuple(sorted(made.kinds)), made.record
    unfinished.run(
        step, format_shard, running, digest=digest_of({"record": record.digest(), "formats": names, "kinds": kinds}),
        initial={"order": order, "laid": laid, "record": record, "formats": names, "kinds": kinds},
        noun=f"images as {', '.join(names)}",
    )  # fmt: skip
    for name in names:
        FORMATS[name].close(step.made / name, record, kinds, Told(step.told, made.images, name))
        unfinished.synced_whole(step.made / name)
        yield name, step.made / name


def _close(order: Order, laid: Step, dataset: str) -> Made:
    """Write findings.json, entry by entry, and record.json.

    Raises TraceError if a host changed while the run worked.
    """
    asked = order.asked
    kinds: Counter[str] = Counter()
    found, shas, assumed = Counter[str](), dict[str, str](), set[str]()
    told = {"adapter": order.name, "asked": {**vars(asked), "pins": dict(asked.pins or {})}}
    with (laid.made / "findings.json").open("wb") as file:
        file.write(canonical(told)[:-1] + b',"images":[')
        for number, one in enumerate(Told(laid.told, asked.images)):
            entry = one["entry"]
            file.write(b"," * bool(number) + canonical(entry))
            if shas.setdefault(entry["host"], entry["host_sha256"]) != entry["host_sha256"]:
                raise TraceError(
                    f"host {entry['host']} was read as two images: it changed while the run worked, or two files bear "
                    "its name; run the same again, or rename one"
                )
            for finding in entry["findings"]:
                kinds[finding["kind"]] += not finding["null"]
                found["nulls"] += finding["null"]
                found["fallback"] += bool(finding["drawn"].get("place", {}).get("fallback"))
            if entry["findings"][0]["host_model"].get("psf_assumed"):
                assumed.add(entry["host"])
        record = Record(
            dataset=dataset, maker=Maker(f"implant {order.name}"), recipe=order.recipe(), seed=asked.seed,
            rows=asked.images, inputs=(Input("hosts", digest_of(shas), len(shas)), *order.inputs),
            evidence={"unvalidated": order.unvalidated} if order.unvalidated else {},
        )  # fmt: skip
        rest = {
            "record": record.digest(), "settings": dict(order.settings), "synthetic": True,
            "tuckpoint_implant": sets.VERSION, **({"unvalidated": order.unvalidated} if order.unvalidated else {}),
        }  # fmt: skip
        file.write(b"]," + canonical(rest)[1:] + b"\n")
    record.dump(laid.made / "record.json", overwrite=True)
    return Made(record, asked.images, +kinds, found["nulls"], found["fallback"], len(shas), len(assumed))


def implant_shard(given: Mapping[str, Any], job: Job, place: Path) -> int:
    """Implant into the hosts of one shard; runs in a worker."""
    order, step = given["order"], given["step"]
    fresh = place.parent / "fresh"
    for folder in ("made", "told"):
        (fresh / folder).mkdir(parents=True)
    stamp = f"SYNTHETIC{' UNVALIDATED' if order.unvalidated else ''} tuckpoint recipe {order.recipe()[:32]}"
    read = lru_cache(maxsize=2)(partial(_read, order.hosts))
    uses: set[str] = set()
    inputs: dict[str, str] = {}
    for row in range(job.first_row, job.first_row + job.rows):
        number = order.image(row)
        index, tried, pair, like = _pair(order, number, read)
        inputs |= {str(one): digest for one, digest in tried.items()}
        files = {f"made/{name}" for name in sets.host_files(like)}
        if not all((fresh / file).exists() or (step.folder / file).exists() for file in files):
            sets.write_host(fresh / "made", pair.host, like)
        uses |= files
        entry = sets.write_pair(fresh / "made", number, pair, like, stamp)
        unfinished.write_told(fresh / "told", number, {"host": index, "entry": entry})
    uses = {file for file in uses if not (fresh / file).exists()}
    unfinished.commit(step, place, fresh, uses=uses, inputs=inputs)
    return job.rows


def _read(files: Sequence[HostFile], index: int) -> _Read:
    """A host with the digest of its files, as they are before it is read."""
    digest = hosts.fingerprint(files[index])
    return digest, *files[index].read()


def _pair(order: Order, number: int, read: Callable[[int], _Read]) -> tuple[int, dict[int, str], Implanted, Stored]:
    """The host of an image, the digests of all that were tried, and the pair."""
    asked, many = order.asked, len(order.hosts)
    count = min(asked.each, asked.count - number * asked.each)
    seed = Seed(asked.seed).child("implant", number)
    tried: dict[int, str] = {}
    for attempt in range(TRIES):
        own = seed.child("again", attempt) if attempt else seed
        index = int(own.child("host").numpy().integers(many)) if attempt else number % many
        tried[index], host, like = read(index)
        try:
            drawn = order.adapter.plan(host, own, count=count, null=asked.null, pins=asked.pins)
        except InputError as error:
            if "no free place" not in str(error):
                raise
            why = str(error)
            continue
        return index, tried, order.adapter.implant(host, drawn), like
    raise InputError(
        f"image {number + 1} of {asked.images} cannot be made, after {TRIES} tries over the hosts; the last said: {why}"
    )


def format_shard(given: Mapping[str, Any], job: Job, place: Path) -> int:
    """Write the images of one shard in all formats; runs in a worker."""
    order, step, laid, kinds = given["order"], given["step"], given["laid"], given["kinds"]
    fresh = place.parent / "fresh"
    names = given["formats"]
    headers = lru_cache(maxsize=1)(lambda index: order.hosts[index].headers())
    for name in names:
        for folder in ("made", "told"):
            (fresh / folder / name).mkdir(parents=True)
    for row in range(job.first_row, job.first_row + job.rows):
        number = order.image(row)
        told = unfinished.read_told(laid.told, number)
        case = formats.case_of(laid.made, told["entry"], headers(told["host"]) if "dicom" in names else ())
        for name in names:
            item = FORMATS[name].write(case, fresh / "made" / name, given["record"], kinds)
            unfinished.write_told(fresh / "told", number, item, name)
    unfinished.commit(step, place, fresh, inputs={})
    return job.rows
