"""Find for pictures: `python -m bench.proof.photos SIGNS TILES --planted 90 --null 200 --copies 200 --time 10000`.

SIGNS holds manifest.csv (path, class_name, track), TILES a folder a class. A planted trial parts the pictures of one
set by chance into training and reference, takes 95 % of a class, of a range of an attribute, of the tenth of
pictures around one of them (in descriptors), or of a tenth that k-means makes of the pictures' coarse colours (no ball
in what is searched) out of the training half, and asks whether the first gap told is that one (Jaccard overlap
of 0.5 or more over the reference) and whether it is among the first five. A null trial takes nothing out: any gap is a
false one. Copies are pictures saved again, resized, made brighter, with noise, or mirrored; false alarms are pictures
turned upside down, and pictures of another physical sign. Trials are kept in a file, and a stopped bench goes on.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tuckpoint.gap import photo_copies, photo_damage
from tuckpoint.gap.assess import mask_of
from tuckpoint.gap.find import Asked, Settings
from tuckpoint.gap.photo_regions import COLUMN
from tuckpoint.gap.photo_sides import Folder, Sides, frame, placed, tables
from tuckpoint.gap.photos import find_photos, lacking
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.measure.prepare import prepare
from tuckpoint.photos.album import Photos, read_album
from tuckpoint.photos.descriptor import described
from tuckpoint.photos.picture import Array, decoded, shrunk
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed

RESULTS = Path(__file__).parent / "results"
KEPT = 0.05  # of the pictures of a planted gap
TENTH = 0.1  # of the pictures around one, in a planted region
KINDS = ("class", "attribute", "region")  # by turns; a cluster is planted as often as each
CLUSTERS, COARSE = 10, 6  # clusters, and colours along each side that they are made of
ATTRIBUTES = ("brightness", "contrast", "saturation", "noise", "sharpness", "aspect")
FEWEST = 30  # reference pictures of a planted gap

Change = Callable[[Array, np.random.Generator], Array]


def jpeg(pixels: Array, quality: int) -> Array:
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "JPEG", quality=quality)
    return decoded(held.getvalue())[0]


def resized(pixels: Array, share: float) -> Array:
    height, width = pixels.shape[:2]
    size = (max(8, round(width * share)), max(8, round(height * share)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def brighter(pixels: Array, by: float) -> Array:
    return np.clip(pixels * by, 0, 255).astype(np.uint8)


CHANGES: Mapping[str, Change] = {
    "saved again at quality 50": lambda a, _: jpeg(a, 50),
    "saved again at quality 20": lambda a, _: jpeg(a, 20),
    "half as large": lambda a, _: resized(a, 0.5),
    "twice as large": lambda a, _: resized(a, 2.0),
    "0.7 as bright": lambda a, _: brighter(a, 0.7),
    "1.3 as bright": lambda a, _: brighter(a, 1.3),
    "mirrored": lambda a, _: a[:, ::-1],
    "noise of 8 grey levels": lambda a, r: np.clip(a + r.normal(0, 8, a.shape), 0, 255).astype(np.uint8),
    "mirrored, 0.8 as bright, 0.6 as large, quality 60": lambda a, _: jpeg(resized(brighter(a[:, ::-1], 0.8), 0.6), 60),
    "3 % cut off each side": lambda a, _: a[
        len(a) * 3 // 100 + 1 : -(len(a) * 3 // 100) - 1, a.shape[1] * 3 // 100 + 1 : -(a.shape[1] * 3 // 100) - 1
    ],
}


def planted(kind: str, photos: Photos, seen: Array, random: np.random.Generator) -> tuple[str, Array]:
    """What is taken out, in words, and which pictures (n,) it is."""
    if kind == "class":
        labels, counts = np.unique(photos.labels.astype(str), return_counts=True)
        chosen = str(random.choice(labels[counts >= 2.4 * FEWEST]))
        return chosen, np.asarray(photos.labels == chosen)
    if kind == "attribute":
        names = [n for n in ATTRIBUTES if len(np.unique(photos.measured[n].drop_null().to_numpy())) > 50]
        name = str(random.choice(names))
        values = np.array(photos.measured[name].to_pylist(), dtype=float)
        low = bool(random.integers(2))
        cut = float(np.nanquantile(values, 0.125 if low else 0.875))
        return f"{name} {'<' if low else '>'} {cut:.4g}", values < cut if low else values > cut
    if kind == "cluster":
        return "a cluster of colours", clustered(photos, random)
    middle = seen[int(random.integers(len(seen)))]
    apart = ((seen - middle) ** 2).sum(axis=1)
    return "around a picture", apart <= np.quantile(apart, TENTH)


def clustered(photos: Photos, random: np.random.Generator) -> Array:
    """One of ten clusters (n,) of coarse colours that holds enough pictures."""
    from scipy.cluster.vq import kmeans2

    n, side = len(photos.thumbs), photos.thumbs.shape[1]
    by = side // COARSE
    coarse = photos.thumbs.reshape(n, COARSE, by, COARSE, by, 3).mean(axis=(2, 4)).reshape(n, -1)
    _, of = kmeans2(coarse, CLUSTERS, minit="++", seed=int(random.integers(2**31)))
    counts = np.bincount(of, minlength=CLUSTERS)
    return np.asarray(of == random.choice(np.flatnonzero(counts >= 2.4 * FEWEST)))


def trial(photos: Photos, seen: Array, kind: str, number: int) -> dict[str, Any]:
    """One search in halves of a set, with something taken out of the training half (or nothing: kind "null")."""
    random = Seed(number).child("bench", "photos", kind).numpy()
    told, inside = ("", np.zeros(len(seen), bool)) if kind == "null" else planted(kind, photos, seen, random)
    order = random.permutation(len(seen))
    train, reference = order[: len(order) // 2], order[len(order) // 2 :]
    train = train[~inside[train] | (random.random(len(train)) < KEPT)]
    start = time.perf_counter()
    parts = {"train": train, "reference": reference}
    held = {name: photos.take(rows) for name, rows in parts.items()}
    sides = placed(held, {}, {name: seen[rows] for name, rows in parts.items()}, Seed(number).child("axes"))
    found = searched(sides, number)
    hits = [overlap(mask, inside[reference]) for mask in found]
    first = bool(hits) and hits[0] >= 0.5
    return {
        "kind": kind, "number": number, "planted": told, "reference_rows": int(inside[reference].sum()),
        "gaps": len(found), "first": first, "five": any(hit >= 0.5 for hit in hits[:5]),
        "best": max(hits, default=0.0), "seconds": time.perf_counter() - start,
    }  # fmt: skip


def overlap(one: Array, other: Array) -> float:
    """Jaccard overlap of masks."""
    return float((one & other).sum() / max(int((one | other).sum()), 1))


def searched(sides: Sides, number: int) -> list[Array]:
    """The reference pictures of each gap, in the order told."""
    schema, counted = tables(sides, Folder("."))
    frames = {name: frame(sides.photos[name], table) for name, table in counted.items()}
    settings = Settings(ways=2, seed=number)
    gaps, balls, _, _ = lacking(
        Asked(frames["train"], frames["reference"], None, None, None, schema, None, settings), sides, counted
    )
    shared = Schema(tuple(c for c in schema.columns if c.modelled and c.name in counted["reference"].column_names))
    space = prepare(counted["reference"], counted["train"], None, shared)
    masks = [mask_of(gap.where, space.real, shared) for gap in gaps if gap.columns != (COLUMN,)]
    return masks + [ball.holds(sides.places["reference"]) for ball in balls]


def copied(photos: Photos, groups: Array | None, count: int) -> dict[str, Any]:
    """The share of changed pictures that are found among the pictures they were made of, and false alarms."""
    random = Seed(0).child("bench", "copies").numpy()
    chosen = np.sort(random.permutation(len(photos.files))[:count])
    found: dict[str, Any] = {"pictures": len(chosen), "changes": {}}
    for name, change in CHANGES.items():
        made = []
        for row in chosen:
            changed = np.ascontiguousarray(change(decoded(photos.files[row].read_bytes())[0], random))
            made.append(shrunk(changed, photos.thumbs.shape[1]))
        near = photo_copies.copies(photos.thumbs, np.stack(made))
        found["changes"][name] = int((near.of >= 0).sum())
    keys = np.arange(len(photos.files)) if groups is None else groups
    near = photo_copies.copies(photos.thumbs, photos.thumbs, groups=(keys, keys))
    found |= {"all": len(keys), "of_another_group": near.count, "upside_down": near.by_chance}
    clean = len(photo_damage.exchanged(photos))
    swapped = photos.thumbs.copy()
    swapped[chosen] = swapped[chosen][..., ::-1]
    told = {row for row, _ in photo_damage.exchanged(Photos(**{**vars(photos), "thumbs": swapped}))}
    return found | {"exchanged_clean": clean, "exchanged_found": len(told & {int(row) for row in chosen})}


def timed(photos: Photos, count: int) -> dict[str, Any]:
    """Seconds for so many JPEG files of 256 x 256 in two folders, half and half; reading, leaks, gaps, refits."""
    random = Seed(0).child("bench", "time").numpy()
    with tempfile.TemporaryDirectory() as room:
        for number in range(count):
            row = int(random.integers(len(photos.files)))
            place = Path(room) / ("train" if number % 2 else "pool") / str(photos.labels[row])
            place.mkdir(parents=True, exist_ok=True)
            large = np.asarray(Image.fromarray(photos.thumbs[row]).resize((256, 256), Image.Resampling.BICUBIC))
            Image.fromarray(brighter(large, random.uniform(0.6, 1.4))).save(place / f"{number}.jpg", quality=85)
        start = time.perf_counter()
        found = find_photos(Path(room) / "train", reference=Path(room) / "pool")
        return {"pictures": count, "seconds": time.perf_counter() - start, "gaps": len(found.gaps.gaps)}


def run(sets: Mapping[str, Photos], options: argparse.Namespace) -> None:
    """All trials that are not in the file yet."""
    place = options.results / "photos.jsonl"
    place.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in place.read_text().splitlines()] if place.exists() else []
    known = {(one["set"], one["kind"], one.get("number", 0)) for one in done}

    def keep(name: str, kind: str, number: int, work: Callable[[], dict[str, Any]]) -> None:
        if (name, kind, number) in known:
            return
        with place.open("a") as file:
            file.write(json.dumps({"set": name, "kind": kind, "number": number} | work()) + "\n")

    for name, photos in sets.items():
        groups = None
        if "track" in photos.table.column_names:
            pairs = zip(photos.labels, photos.table["track"].to_pylist(), strict=True)
            groups = np.array([f"{label}/{track}" for label, track in pairs])
        keep(name, "copies", 0, lambda p=photos, g=groups: copied(p, g, options.copies))  # type: ignore[misc]
        seen = described(photos.thumbs)
        bare = Photos(**{**vars(photos), "table": photos.table.select(["path", "label"])})
        jobs = [("null", number) for number in range(options.null)]
        jobs += [(KINDS[number % 3], number) for number in range(options.planted)]
        jobs += [("cluster", number) for number in range(options.planted // 3)]
        for kind, number in jobs:
            keep(name, kind, number, lambda p=bare, s=seen, k=kind, n=number: trial(p, s, k, n))  # type: ignore[misc]
    if options.time:
        first = next(iter(sets.values()))
        keep("made", "time", options.time, lambda: timed(first, options.time))
    every = [json.loads(line) for line in place.read_text().splitlines()]
    (options.results / "photos.md").write_text(report(every))


def share(count: int, of: int) -> str:
    low, high = clopper_pearson(count, of)
    return f"{count} of {of} = {count / of:.1%} [{low:.1%}, {high:.1%}]"


def report(every: Sequence[Mapping[str, Any]]) -> str:
    """The figures as a page of text."""
    lines = ["# Find for pictures", "", "Written by `python -m bench.proof.photos`; intervals are exact, 95 %.", ""]
    lines += ["| set | what | figure |", "|---|---|---|"]
    by = defaultdict(list)
    for one in every:
        by[one["set"], one["kind"]].append(one)
    for (name, kind), held in sorted(by.items()):
        n = len(held)
        if kind == "null":
            lines.append(
                f"| {name} | any gap where nothing is missing | {share(sum(o['gaps'] > 0 for o in held), n)} |"
            )
        elif kind in (*KINDS, "cluster"):
            large = [o for o in held if o["reference_rows"] >= FEWEST]
            for what in ("first", "five"):
                said = "first" if what == "first" else "among the first five"
                figure = share(sum(o[what] for o in large), len(large)) if large else "none large enough"
                lines.append(f"| {name} | planted {kind}: told {said} | {figure} |")
        elif kind == "copies":
            one = held[0]
            for change, found in one["changes"].items():
                lines.append(f"| {name} | copy found: {change} | {share(found, one['pictures'])} |")
            lines.append(f"| {name} | false: turned upside down | {share(one['upside_down'], one['all'])} |")
            lines.append(
                f"| {name} | said to be a copy of another group | {share(one['of_another_group'], one['all'])} |"
            )
            lines.append(
                f"| {name} | red and blue exchanged, told | {share(one['exchanged_found'], one['pictures'])} |"
            )
            lines.append(
                f"| {name} | channels exchanged, told of clean | {share(one['exchanged_clean'], one['all'])} |"
            )
        elif kind == "time":
            for one in held:
                lines.append(f"| {name} | {one['pictures']:,} pictures of 256 x 256 | {one['seconds']:.0f} s |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("signs", type=Path)
    parser.add_argument("tiles", type=Path)
    for name in ("planted", "null", "copies", "time"):
        parser.add_argument(f"--{name}", type=int, default=0)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    for folder in (options.signs, options.tiles):
        if not folder.is_dir():
            raise SystemExit(f"no folder {folder}: this bench needs both sets of pictures")
    sets = {"signs": read_album(options.signs, label="class_name"), "tiles": read_album(options.tiles)}
    run(sets, options)


if __name__ == "__main__":
    main()
