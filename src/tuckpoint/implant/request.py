"""What one run was asked, in plain values: they become an order, and a recipe that can be repeated."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tuckpoint import declared, parts, recipe, settings
from tuckpoint.errors import InputError, RecipeError, TraceError, count
from tuckpoint.files import sha256
from tuckpoint.implant import formats, hosts, making, reading
from tuckpoint.implant.appearance import SHARES, Appearance
from tuckpoint.implant.bank import NoduleBank
from tuckpoint.implant.calibrate import Calibrated, calibrate
from tuckpoint.implant.describe import medians
from tuckpoint.implant.hosts import HostFile
from tuckpoint.implant.making import Asked, Order
from tuckpoint.record import Input, Record, tuckpoint_version
from tuckpoint.scale.local import Progress
from tuckpoint.seed import Seed

VERB = "implant"
# Beside the folder, under its whole name: paths may tell who somebody is, and folders are handed on.
BESIDE = ".recipe.yaml"
WHAT = {"lung-nodule": "volumes", "surface-defect": "photographs", "radiograph-nodule": "radiographs"}
_PLACES = ("hosts", "lungs", "bank", "calibrate", "wedge")


@dataclass(frozen=True)
class Request:
    """What is asked: `what` (a part of kind "implant"), where hosts are, and how many findings (none: one an image).

    Folders and files are as they were named, seen from where the command ran. `kinds` and `size` are those of the
    adapter where they are empty. `formats` are written besides.
    """

    what: str
    hosts: str
    count: int | None = None
    each: int = 1
    null: float = 0.0
    seed: int = 0
    kinds: tuple[str, ...] = ()
    size: tuple[float, ...] = ()
    attached: float = 0.45
    bank: str | None = None
    calibrate: str | None = None
    lungs: str | None = None
    gain: float | None = None
    wedge: str | None = None
    spacing: tuple[float, ...] = ()
    burned_in: bool = False
    formats: tuple[str, ...] = ()
    tuckpoint: str = field(default_factory=tuckpoint_version)

    def seen_from(self, home: Path) -> Request:
        """The same with every place as it is named, or below `home`; raises RecipeError if one is at neither."""
        named = {name: told for name in _PLACES if (told := getattr(self, name)) is not None}
        found: dict[str, Any] = {name: str(_found(Path(told), home)) for name, told in named.items()}
        return replace(self, **found)

    def to_yaml(self) -> str:
        """The recipe that `request_of` reads."""
        return recipe.dumped(VERB, settings.plain(self))


def request_of(path: Path) -> Request:
    """The request that a recipe holds; raises RecipeError for one that was altered, or is of another verb."""
    told = recipe.ordered(path, VERB)
    with declared.within(path, RecipeError):
        if lacking := [name for name in settings.plain(Request("", "")) if name not in told]:
            raise InputError(f"{', '.join(lacking)} not given; a recipe holds every entry, as the run wrote it")
        found: Request = settings.build(Request, told)
    return found


def again(request: Request, old: Path, *, workers: int, progress: Progress | None = None) -> str:
    """Implant once more beside a folder and compare all files; raises TraceError that names what differs."""
    with tempfile.TemporaryDirectory(prefix=".again-", dir=old.resolve().parent) as room:
        new = Path(room) / old.name
        making.make(order_of(request), new, also=request.formats, workers=workers, progress=progress)
        files = sorted(path.relative_to(new) for path in new.rglob("*") if path.is_file())
        other = [file for file in files if not (old / file).is_file() or sha256(old / file) != sha256(new / file)]
        if other:
            same = (old / "record.json").is_file() and _inputs(old) == _inputs(new)
            why = "another version of tuckpoint?" if same else "hosts or masks are not what they were"
            raise TraceError(f"{len(other)} of {len(files)} files are not as in {old}, the first {other[0]}: {why}")
    return f"the same bytes again: {count(len(files), 'file')}"


def order_of(request: Request) -> Order:
    """All that decides what is implanted; raises InputError for what cannot be, and as readers do."""
    part = parts.find("implant", request.what)
    formats.check_formats(request.formats, what=WHAT[request.what])
    inputs: tuple[Input, ...] = ()
    place, spacing = Path(request.hosts), request.spacing or None
    lungs = None if request.lungs is None else Path(request.lungs)
    if request.what == "radiograph-nodule":
        adapter, inputs = _film_adapter(request)
        files = hosts.films(place, lungs=lungs, spacing=spacing, burned_in=request.burned_in)
        told = adapter.settings()
    elif request.what == "surface-defect":
        files = hosts.photos(place)
        adapter = part(kinds=request.kinds) if request.kinds else part()
        told = asdict(adapter)
    else:
        files = hosts.scans(place, lungs=lungs, spacing=spacing, burned_in=request.burned_in)
        adapter, told = _nodules(request, files)
    if request.burned_in:
        told = {**told, "burned_in": True}
    count = len(files) * request.each if request.count is None else request.count
    asked = Asked(count, request.each, request.null, None, request.seed)
    return Order(request.what, adapter, files, asked, told, getattr(adapter, "unvalidated", ""), inputs)


def _found(place: Path, home: Path) -> Path:
    for one in (place, home / place):
        if one.exists():
            return one
    raise RecipeError(f"no {place} here, which the recipe starts from; bring it back where it was")


def _inputs(folder: Path) -> tuple[Input, ...]:
    return Record.load(folder / "record.json").inputs


def _film_adapter(request: Request) -> tuple[Any, tuple[Input, ...]]:
    """The adapter of radiographs with its gain, and the fingerprint of the wedge if there is one."""
    from tuckpoint.implant import radiograph_gain

    if (request.gain is None) == (request.wedge is None):
        raise InputError(
            f"{'no gain' if request.gain is None else 'two gains'}: give the grey levels that one mm of tissue adds "
            "(--gain), or a step wedge on a film of this device and processing (--wedge); no film tells it"
        )
    if request.wedge is not None:
        gain = radiograph_gain.measured(Path(request.wedge))
    else:
        gain = radiograph_gain.Gain(request.gain or 0.0)
    adapter = parts.find("implant", request.what)(gain)
    wedge = () if gain.sha256 is None else (Input("step wedge", gain.sha256, gain.steps),)
    return replace(adapter, look=_look(request, adapter.look)), wedge


def _look(request: Request, look: Appearance) -> Appearance:
    """An appearance with the kinds and sizes that were asked for."""
    if request.kinds:
        look = replace(look, kinds={kind: SHARES.get(kind, 1.0) for kind in request.kinds})
    return replace(look, size_mm=request.size) if request.size else look


def _nodules(request: Request, files: Sequence[HostFile]) -> tuple[Any, dict[str, Any]]:
    """The adapter of CT that is asked for, and its settings as plain values."""
    if request.bank is not None:
        return _bank(request, Path(request.bank))
    adapter = parts.find("implant", request.what)(_look(request, Appearance()), request.attached)
    if request.calibrate is None:
        return adapter, asdict(adapter)
    found = _calibrated(request, Path(request.calibrate), adapter, files)
    told = {name: vars(getattr(found, name)) for name in ("wanted", "before", "after")}
    return found.adapter, {**asdict(found.adapter), "calibration": told}


def _bank(request: Request, place: Path) -> tuple[NoduleBank, dict[str, Any]]:
    for name in ("kinds", "size", "calibrate"):
        if getattr(request, name):
            raise InputError(f"--{name} goes with parametric nodules; those of a bank are as they are: leave one out")
    reals = reading.bank(place, spacing=request.spacing or None)
    adapter = NoduleBank(reals, attached=request.attached)
    items = [
        {"name": real.name, "group": real.group, "diameter_mm": real.diameter_mm, "sha256": real.sha256}
        for real in reals
    ]
    return adapter, {"bank": items, "zoom": list(adapter.zoom), "attached": adapter.attached}


def _calibrated(request: Request, place: Path, adapter: Any, files: Sequence[HostFile]) -> Calibrated:
    reals = reading.reals(place, spacing=request.spacing or None)
    wanted = medians(zip(reals.windows, reals.spacings, strict=True))
    return calibrate(adapter, [one.read()[0] for one in files[:20]], wanted, Seed(request.seed).child("calibrate"))
