"""Sets of labelled pictures: a specification in, a folder of shards out, the same bytes with any number of workers.

OUT/shards/part-000000.tar   pictures, labels and scenes (see `write.sets`)
OUT/set.json                 what is in the set, and what every number means
OUT/coverage.json            what was seen, counted on rendered pixels
OUT/assets.json              what was taken from others: files, digests, sources, licences
OUT/recipe.yaml              what was asked: `tuckpoint run` repeats it
OUT/record.json              how the pictures came to be
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from tuckpoint import declared, parts, recipe, settings
from tuckpoint.asked import cores
from tuckpoint.errors import InputError, RecipeError, TraceError, UnfitScene, count
from tuckpoint.files import no_parent, replacing_folder, sha256, write_text
from tuckpoint.labels import Item
from tuckpoint.record import Maker, Record, canonical, digest_of, tuckpoint_version
from tuckpoint.scale import local, shards
from tuckpoint.scale.local import Progress
from tuckpoint.scene import annotate, film
from tuckpoint.scene import spec as specs
from tuckpoint.scene.annotator import View
from tuckpoint.scene.assets import Asset, check_clean, check_same, ledger
from tuckpoint.scene.buffers import Renderer
from tuckpoint.scene.coverage import coverage
from tuckpoint.scene.plain import plain, read
from tuckpoint.scene.plan import cells_of, plan
from tuckpoint.scene.scene import Scene
from tuckpoint.scene.spec import Spec
from tuckpoint.scene.stage import staged
from tuckpoint.seed import Seed
from tuckpoint.write import sets

VERB = "render"
SCENES_PER_SHARD = 32


@dataclass(frozen=True)
class Order:
    """Everything that decides the bytes of a set of pictures.

    `spec` is the whole specification, `scenes` how many (pairs, with `twin`), `settings` those of the renderer,
    `labels` the annotators, `shaded` whether there are pictures at all, `pins` values by knob path, `suite` further
    pins of each scene in turn, `twin` the one knob in which the two scenes of a pair differ and `values` its two values
    (none: false and true), `assets` the outside files that scenes use.
    """

    spec: Mapping[str, Any]
    scenes: int
    seed: int = 0
    renderer: str = "raycast"
    settings: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = annotate.DEFAULT
    shaded: bool = True
    pins: Mapping[str, Any] = field(default_factory=dict)
    twin: str | None = None
    values: tuple[Any, ...] = ()
    assets: tuple[Asset, ...] = ()
    suite: tuple[Mapping[str, Any], ...] = ()
    tuckpoint: str = field(default_factory=tuckpoint_version)

    def __post_init__(self) -> None:
        Seed(self.seed)
        if self.scenes < 1:
            raise InputError(f"{self.scenes} scenes: ask for 1 or more")
        if self.values and (self.twin is None or len(self.values) != 2):
            raise InputError(f"a pair of twins has two values for one knob, not {len(self.values)}")
        if twice := sorted({*self.pins, self.twin} & {name for row in self.suite for name in row}, key=str):
            raise InputError(f"the knob {twice[0]} is held by the suite and by a pin or twin; drop one of them")

    def digest(self) -> str:
        """The hex SHA-256 of all of it."""
        return digest_of(plain(self))

    def to_yaml(self) -> str:
        """The order as a recipe that `tuckpoint run` repeats."""
        return recipe.dumped(VERB, plain(self))


def order_of(path: Path) -> Order:
    """The order that a recipe of pictures holds; raises RecipeError for one that was altered, or of another verb."""
    told = recipe.ordered(path, VERB)
    with declared.within(path, RecipeError):
        return read(Order, told, "recipe")


def render(
    spec: Spec | Mapping[str, Any] | str | Path,
    output: str | Path,
    scenes: int,
    *,
    seed: int = 0,
    renderer: str = "raycast",
    settings: Mapping[str, Any] | None = None,
    labels: Sequence[str] = annotate.DEFAULT,
    shaded: bool = True,
    pins: Mapping[str, Any] | None = None,
    twin: str | None = None,
    values: Sequence[Any] = (),
    suite: Sequence[Mapping[str, Any]] = (),
    release_clean: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> sets.ImageSet:
    """Render so many scenes of a specification into a new folder; pairs of twins if `twin` names a knob.

    `suite` holds pins of each scene, by turns if there are more scenes than rows.

    The same arguments give the same labels bit for bit, whatever `workers` is (None: all cores). A stopped run goes on
    where it was when it is called again. Raises InputError for a specification, knob or label that cannot be, for a
    folder in use, and, with `release_clean`, for a file that may not be given away.
    """
    if isinstance(spec, str | Path):
        drawn = specs.load(Path(spec))
    else:
        drawn = spec if isinstance(spec, Spec) else Spec.from_dict(spec)
    order = Order(
        spec=drawn.to_dict(), scenes=scenes, seed=seed, renderer=renderer, settings=dict(settings or {}),
        labels=tuple(labels), shaded=shaded, pins=dict(pins or {}), twin=twin, values=tuple(values),
        assets=ledger(drawn.to_dict()), suite=tuple(dict(row) for row in suite),
    )  # fmt: skip
    if release_clean:
        check_clean(order.assets)
    return fill(order, Path(output), workers=workers, progress=progress)


def fill(order: Order, output: Path, *, workers: int | None = None, progress: Progress | None = None) -> sets.ImageSet:
    """Render what an order says into a folder, or go on there; see `render`."""
    check_same(order.assets)
    _, spec, _ = _crew(canonical(plain(order)))
    for name in order.labels:
        parts.find("annotator", name)
    for number in range(max(1, min(len(order.suite), order.scenes))):
        _first(order, spec, number)  # a mistake is told before work starts
    if (output / sets.ABOUT).exists():
        raise InputError(f"{output} holds a finished set; choose a new folder")
    if output.exists() and any(output.iterdir()) and not (output / sets.SHARDS).is_dir():
        raise InputError(f"{output} holds other files; choose a new folder")
    if not output.parent.is_dir():
        raise InputError(no_parent(output))
    output.mkdir(exist_ok=True)
    record = _record(order, spec)
    entries = local.run(
        shards.plan(order.scenes, rows_per_shard=SCENES_PER_SHARD),
        draw_shard,
        folder=output / sets.SHARDS,
        plan_digest=order.digest(),
        workers=cores(workers),
        progress=None if progress is None else local.paced(progress, record.rows, "pictures"),
        initial={"order": plain(order), "record": record.to_dict()},
        suffix=".tar",
    )
    write_text(output / "recipe.yaml", order.to_yaml(), overwrite=True)
    write_text(output / "record.json", record.sealed().decode() + "\n", overwrite=True)
    about = _about(order, spec, record, tuple(entry.file for entry in entries))
    seen = json.dumps(coverage(sets.ImageSet(output, about).items(), spec), indent=1) + "\n"
    write_text(output / "coverage.json", seen, overwrite=True)
    used = {"assets": [{**plain(one), "clean": one.clean} for one in order.assets]}
    write_text(output / "assets.json", json.dumps(used, indent=1) + "\n", overwrite=True)
    sets.write_about(output, about)
    return sets.open_set(output)


def taken(pictures: sets.ImageSet) -> tuple[Asset, ...]:
    """The outside files that a finished set was made with: its assets.json; raises TraceError if it is not whole."""
    try:
        told = json.loads((pictures.folder / "assets.json").read_bytes())["assets"]
        return tuple(Asset(**{key: one[key] for key in ("file", "digest", "source", "licence")}) for one in told)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TraceError(f"{pictures.folder / 'assets.json'} is missing or damaged: {error!r}") from None


def covered(pictures: sets.ImageSet) -> dict[str, Any]:
    """What was seen in a finished set, counted on rendered pixels: its coverage.json."""
    told: dict[str, Any] = json.loads((pictures.folder / "coverage.json").read_bytes())
    return told


def write(
    pictures: str | Path, formats: Sequence[str], *, overwrite: bool = False, release_clean: bool = False
) -> list[Path]:
    """Write a finished set in other formats, each into SET/FORMAT; their folders.

    Raises InputError, with `release_clean`, if the set was made with a file that may not be given away.
    """
    found = replace(sets.open_set(Path(pictures)), build=lambda told: staged(Scene.from_dict(told)))
    if release_clean:
        check_clean(taken(found))
    writers = {name: parts.find("writer", name) for name in formats}
    made = []
    for name, writer in writers.items():
        folder = found.folder / name
        with replacing_folder(folder, overwrite=overwrite, ours=lambda old: (old / "record.json").is_file()) as place:
            writer(found, place)
        made.append(folder)
    return made


def repeat(order: Order, old: Path, *, workers: int | None = None, progress: Progress | None = None) -> str:
    """Render an order again beside its folder and compare labels; raises TraceError that names what differs."""
    with tempfile.TemporaryDirectory(prefix=".again-", dir=old.resolve().parent) as room:
        again = replace(order, tuckpoint=tuckpoint_version())
        new = fill(again, Path(room) / "set", workers=workers, progress=progress)
        names = [f"{sets.SHARDS}/{name}" for name in new.about.shards]
        other = [
            name for name in names if not (old / name).is_file() or sha256(old / name) != sha256(new.folder / name)
        ]
    if other:
        told = ", ".join(other)
        raise TraceError(f"not the same as in {old}: {told}; another version of tuckpoint or of the renderer?")
    return f"the same bytes again: {count(len(names), 'shard')}"


def draw_shard(asked: Mapping[str, Any], job: shards.Job, place: Path) -> int:
    """Render one shard; runs in a worker, which keeps its renderer between shards."""
    order, spec, renderer = _crew(canonical(asked["order"]))
    numbers = range(job.first_row, job.first_row + job.rows)
    items = (item for number in numbers for item in _items(order, spec, renderer, number))
    sets.write_shard(place, items, Record.from_dict(asked["record"]))
    return job.rows


@lru_cache(maxsize=2)
def _crew(told: bytes) -> tuple[Order, Spec, Renderer]:
    order = read(Order, json.loads(told), "order")
    return order, Spec.from_dict(order.spec), settings.build(parts.find("renderer", order.renderer), order.settings)


def _drawn(order: Order, spec: Spec, number: int, attempt: int = 0) -> tuple[Scene, ...]:
    """The scene of a number, or its two twins."""
    seed = Seed(order.seed)
    pins = {**order.pins, **(order.suite[number % len(order.suite)] if order.suite else {})}
    if order.twin is None:
        return (plan(spec, seed, number, pins=pins, attempt=attempt),)
    pairs = zip(order.values or (False, True), "ab", strict=True)
    return tuple(
        plan(spec, seed, number, pins={**pins, order.twin: value}, attempt=attempt, twin=f"{number:08d}{half}")
        for value, half in pairs
    )


def _first(order: Order, spec: Spec, number: int = 0) -> tuple[Scene, ...]:
    """The first scene of a number that can be; raises UnfitScene if there is none."""
    for attempt in range(spec.tries):
        try:
            return _drawn(order, spec, number, attempt)
        except UnfitScene as error:
            last = error
    raise last


def _items(order: Order, spec: Spec, renderer: Renderer, number: int) -> list[tuple[Item, bytes | None]]:
    """The pictures of one scene, drawn anew until it shows what it must.

    Raises InputError with the reasons if no try does.
    """
    refused: Counter[str] = Counter()
    for attempt in range(spec.tries):
        try:
            drawn = _drawn(order, spec, number, attempt)
        except UnfitScene as error:
            refused[error.why] += 1
            continue
        cells = cells_of(spec, Seed(order.seed), number)
        found = [_shot(order, renderer, scene, cells) for scene in drawn]
        why = next((why for shot in found if (why := _lacking(spec, shot))), None)
        if why is None:
            (first, scene), *rest = [pair for shot in found for pair in shot]
            return [(replace(first, facts={**first.facts, "refused_before": dict(refused)}), scene), *rest]
        refused[why] += 1
    told = ", ".join(f"{why} ({count} times)" for why, count in refused.items())
    raise InputError(f"scene {number}: no try of {spec.tries} was fit: {told}; change the specification, or `require`")


def _shot(order: Order, renderer: Renderer, scene: Scene, cells: tuple[int, ...]) -> list[tuple[Item, bytes | None]]:
    stage = staged(scene)
    made: list[tuple[Item, bytes | None]] = []
    for frame in range(scene.frames):
        buffers = renderer.render(stage, frame, shaded=order.shaded)
        image = None
        if buffers.radiance is not None:
            image = film.develop(buffers.radiance, buffers.depth, scene.camera)
        key = scene.twin or f"{scene.index:08d}"
        key = key if scene.frames == 1 else f"{key}-{frame:04d}"
        item = annotate.annotate(order.labels, View(stage, buffers, frame), key=key, image=image)
        counts = [int((buffers.instance == entry["instance"]).sum()) for entry in item.objects]
        facts = {**item.facts, "scene": scene.digest, "frame": frame, "seen": counts, "knobs": dict(scene.knobs)}
        if cells:
            facts["cells"] = list(cells)
        if scene.twin is not None:
            facts["twin"] = {"of": scene.twin[:-1], "half": scene.twin[-1], "knob": order.twin}
        made.append((replace(item, facts=facts), canonical(scene.to_dict()) if frame == 0 else None))
    return made


def _lacking(spec: Spec, shot: list[tuple[Item, bytes | None]]) -> str | None:
    """Why a scene does not show what it must; judged on its first frame."""
    least, things = int(spec.require.get("pixels", 1)), int(spec.require.get("things", 1))
    seen = sum(count >= least for count in shot[0][0].facts["seen"])
    return None if seen >= things else f"fewer than {things} labelled things with {least} pixels"


def _record(order: Order, spec: Spec) -> Record:
    maker = Maker(order.renderer, spec.digest)
    each = spec.frames * (1 if order.twin is None else 2)
    name = spec.name.replace("/", "-").replace("\\", "-")
    return Record(dataset=name, maker=maker, recipe=order.digest(), seed=order.seed, rows=order.scenes * each)


def _about(order: Order, spec: Spec, record: Record, names: tuple[str, ...]) -> sets.SetMeta:
    return sets.SetMeta(
        name=spec.name,
        width=spec.image["width"],
        height=spec.image["height"],
        pictures=record.rows,
        classes=spec.classes,
        meanings=annotate.meanings(order.labels),
        renderer=order.renderer,
        record=record,
        shards=names,
    )
