"""What implanted defects teach about real ones: `python -m bench.implant.tiles --data FOLDER` (magnetic tile set).

Trained on defect-free tiles and what is put on them, tested on real defects of other parts. Arms differ by what is put
on: implants of tuckpoint (`surface-defect`), the same with contrast nought (a control that must stay near a half),
CutPaste and a Poisson clone. Negatives, detector and test are the same for all.

A part is a run of photographs whose numbers are at most 100 apart: the same part was photographed again and again, and
every photograph has a number of its own. Parts are dealt out by a hash: a third of those with defects, and half of
those without, are for development and training, the rest is the test. `--development` tests on the development
defects instead, with a quarter of the training parts held back as negatives; all choices were made there.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.implant.windows import SIDE, features, trained
from tuckpoint.files import write_text
from tuckpoint.implant.poisson import clone
from tuckpoint.implant.surface import SurfaceDefect
from tuckpoint.implant.surface_host import surface_region
from tuckpoint.implant.values import Host
from tuckpoint.seed import Seed

Array = NDArray[Any]
WINDOW = 2 * SIDE  # px of the photograph; seen at half scale
DEFECTS = ("MT_Blowhole", "MT_Crack", "MT_Break", "MT_Fray")
GAP = 100
POSITIVES, NEGATIVES, TESTED = 800, 1000, 2  # TESTED windows from each defect-free test tile
IMPLANTS = SurfaceDefect(
    kinds=("crack", "hole", "blob", "stain", "chip", "scratch", "fray"),
    shares=(0.3, 0.15, 0.1, 0.05, 0.15, 0.1, 0.15),
)
RESULTS = Path(__file__).parent / "results"
Put = Callable[[Array, Seed], tuple[Array, Array]]


@dataclass(frozen=True, eq=False)
class Tile:
    """A photograph, its class, the number of its part, and the mask of its defect."""

    name: str
    kind: str
    part: int
    image: Array
    mask: Array | None


def tiles(folder: Path) -> tuple[list[Tile], list[Tile]]:
    """The tiles for development and training, and those of the test."""
    rows = list(csv.DictReader((folder / "index.csv").open(encoding="utf-8")))
    rows.sort(key=lambda row: _number(row["id"]))
    parts: list[list[dict[str, str]]] = []
    for row in rows:
        if not parts or _number(row["id"]) - _number(parts[-1][-1]["id"]) > GAP:
            parts.append([])
        parts[-1].append(row)
    parts.sort(key=lambda part: hashlib.sha256(part[0]["id"].encode()).hexdigest())
    sides: tuple[list[Tile], list[Tile]] = ([], [])
    seen: Counter[tuple[str, ...]] = Counter()
    for number, part in enumerate(parts):
        kinds = tuple(sorted({row["class"] for row in part} & set(DEFECTS)))
        if not kinds:
            kinds = ("MT_Free",) if any(row["class"] == "MT_Free" for row in part) else ("MT_Uneven",)
        seen[kinds] += 1
        side = sides[seen[kinds] % (2 if kinds == ("MT_Free",) else 3) != 1]
        side += [_tile(folder, row, number) for row in part if row["class"] != "MT_Uneven"]
    return sides


def _number(name: str) -> int:
    return int(name.split("_num_")[1])


def _tile(folder: Path, row: dict[str, str], part: int) -> Tile:
    from PIL import Image

    place = folder / row["class"] / row["id"]
    image = np.asarray(Image.open(place.with_suffix(".jpg")).convert("L"))
    mask = None
    if row["class"] != "MT_Free":
        mask = np.asarray(Image.open(place.with_suffix(".png")).convert("L")) > 127
    return Tile(row["id"], row["class"], part, image, mask)


def window(image: Array, row: int, column: int) -> Array:
    """The window (48, 48) around a pixel, at half scale; it stays within the photograph."""
    wide = np.pad(image, [(0, max(WINDOW - size, 0)) for size in image.shape], mode="reflect")
    top, left = (int(np.clip(at - SIDE, 0, size - WINDOW)) for at, size in zip((row, column), wide.shape, strict=True))
    seen = wide[top : top + WINDOW, left : left + WINDOW].astype(float)
    return np.asarray(seen.reshape(SIDE, 2, SIDE, 2).mean((1, 3)).round().astype(np.uint8))


def centre(mask: Array) -> tuple[int, int]:
    """Where a defect is looked at: the pixel of its largest piece nearest to the middle of that piece.

    If the whole window lies inside the defect, nothing in it tells that there is one: then the nearest pixel of its
    rim.
    """
    from scipy.ndimage import binary_erosion, label

    pieces, _ = label(mask, np.ones((3, 3)))
    place = np.argwhere(pieces == np.bincount(pieces.ravel())[1:].argmax() + 1)
    middle = place.mean(axis=0)
    row, column = place[((place - middle) ** 2).sum(1).argmin()]
    around = mask[max(row - SIDE, 0) : row + SIDE, max(column - SIDE, 0) : column + SIDE]
    if around.all():
        rim = np.argwhere(mask & ~binary_erosion(mask, border_value=1))
        row, column = rim[((rim - (row, column)) ** 2).sum(1).argmin()]
    return int(row), int(column)


def implanted(settings: SurfaceDefect, *, null: bool = False) -> Put:
    """Defects of tuckpoint, one a photograph."""

    def put(image: Array, seed: Seed) -> tuple[Array, Array]:
        host = Host("tile", image, (1.0, 1.0), "px", surface_region(image), (0.0, 255.0))
        pair = settings.implant(host, settings.plan(host, seed, null=1.0 if null else 0.0))
        where = np.zeros(image.shape, bool)
        where[pair.findings[0].window] = pair.findings[0].mask
        return pair.image, where

    return put


def cutpaste(image: Array, seed: Seed) -> tuple[Array, Array]:
    """A patch or a scar of the same tile laid in elsewhere, its brightness jittered (Li et al. 2021)."""
    from scipy.ndimage import rotate

    random = seed.numpy()
    area = image.size * random.uniform(0.02, 0.15)
    ratio = float(np.exp(random.uniform(np.log(0.3), np.log(3.3))))
    height, width = int(np.sqrt(area * ratio)), int(np.sqrt(area / ratio))
    scar = bool(random.random() < 0.5)
    if scar:
        height, width = int(random.integers(4, 33)), int(random.integers(4, 33))
    height, width = (min(max(s, 3), size - 1) for s, size in zip((height, width), image.shape, strict=True))
    top, left = (int(random.integers(0, size - s)) for s, size in zip((height, width), image.shape, strict=True))
    patch = image[top : top + height, left : left + width].astype(float) * random.uniform(0.8, 1.2)
    inside = np.ones(patch.shape, bool)
    if scar:
        angle = float(random.uniform(-45, 45))
        patch = rotate(patch, angle, reshape=True, order=1, mode="nearest")
        inside = rotate(inside.astype(float), angle, reshape=True, order=0) > 0.5
    patch, inside = (one[: image.shape[0] - 1, : image.shape[1] - 1] for one in (patch, inside))
    made, where = image.astype(float), np.zeros(image.shape, bool)
    top, left = (int(random.integers(0, size - s)) for s, size in zip(patch.shape, image.shape, strict=True))
    there = np.s_[top : top + patch.shape[0], left : left + patch.shape[1]]
    made[there] = np.where(inside, patch, made[there])
    where[there] = inside
    return np.clip(np.rint(made), 0, 255).astype(np.uint8), where


def cloner(donors: Sequence[Array]) -> Put:
    """A patch of another tile, resized and cloned in with mixed gradients, as in NSA (Schlueter et al. 2022)."""

    def put(image: Array, seed: Seed) -> tuple[Array, Array]:
        from scipy.ndimage import zoom

        random = seed.numpy()
        donor = donors[int(random.integers(len(donors)))].astype(float)
        sides = [int(np.clip(random.gamma(2, 0.1) * size, 6, 0.4 * size)) for size in image.shape]
        sides = [min(side, other - 1) for side, other in zip(sides, donor.shape, strict=True)]
        top, left = (int(random.integers(0, size - side)) for side, size in zip(sides, donor.shape, strict=True))
        patch = zoom(donor[top : top + sides[0], left : left + sides[1]], random.uniform(0.7, 1.3), order=1)
        patch = patch[: image.shape[0] - 2, : image.shape[1] - 2]
        row, column = (int(random.integers(1, size - s)) for s, size in zip(patch.shape, image.shape, strict=True))
        there = np.s_[row - 1 : row + patch.shape[0] + 1, column - 1 : column + patch.shape[1] + 1]
        host = image[there].astype(float)
        patch = patch[: host.shape[0] - 2, : host.shape[1] - 2]
        inside = np.zeros(host.shape, bool)
        inside[1:-1, 1:-1] = True
        laid = clone(host, np.pad(patch, 1, mode="edge"), inside, gradients="mixed")
        made = image.astype(float)
        made[there] = laid
        changed = np.abs(made - image) > 8  # the label of NSA: where brightness changed
        where = changed if changed.any() else np.abs(made - image) == np.abs(made - image).max()
        return np.clip(np.rint(made), 0, 255).astype(np.uint8), where

    return put


def taught(free: Sequence[Array], put: Put, seed: Seed) -> tuple[Array, Array]:
    """Windows around what was put on defect-free tiles, and the same windows before, (n, 48, 48) each."""
    made, before = [], []
    for number in range(POSITIVES):
        image = free[number % len(free)]
        changed, where = put(image, seed.child("put", number))
        random = seed.child("window", number).numpy()
        place = np.argwhere(where)
        row, column = place[random.integers(len(place))] + random.integers(-SIDE // 3, SIDE // 3 + 1, 2)
        made.append(window(changed, row, column))
        before.append(window(image, row, column))
    return np.array(made), np.array(before)


def untouched(free: Sequence[Array], count: int, seed: Seed) -> Array:
    """Windows of defect-free tiles at places by chance, (count, 48, 48)."""
    random = seed.numpy()
    return np.array(
        [
            window(image, *(int(random.integers(size)) for size in image.shape))
            for image in (free[number % len(free)] for number in range(count))
        ]
    )


def area(positives: Array, negatives: Array) -> float:
    """The area under the ROC curve."""
    apart = positives[:, None] - negatives[None]
    return float((apart > 0).mean() + 0.5 * (apart == 0).mean())


def spread(
    scores: Array, parts: Array, against: Array, others: Array, seed: Seed, *, rounds: int = 1000
) -> tuple[float, ...]:
    """The 95 % interval of the area, bootstrapped over the parts of both sides."""
    random = seed.numpy()
    mine, theirs = ([np.flatnonzero(p == one) for one in np.unique(p)] for p in (parts, others))
    found = []
    for _ in range(rounds):
        one = np.concatenate([mine[n] for n in random.integers(0, len(mine), len(mine))])
        other = np.concatenate([theirs[n] for n in random.integers(0, len(theirs), len(theirs))])
        found.append(area(scores[one], against[other]))
    return tuple(float(v) for v in np.percentile(found, [2.5, 97.5]))


def run(folder: Path, seeds: Sequence[int], arms: Sequence[str], *, development: bool) -> Iterator[dict[str, Any]]:
    """One row per seed and arm, with areas by class."""
    mine, others = tiles(folder)
    free = [tile for tile in mine if tile.kind == "MT_Free"]
    if development:
        numbers = sorted({tile.part for tile in free})
        held = set(numbers[::4])
        others = [tile for tile in mine if tile.kind != "MT_Free"] + [tile for tile in free if tile.part in held]
        free = [tile for tile in free if tile.part not in held]
    real = [tile for tile in others if tile.mask is not None]
    healthy = [tile for tile in others if tile.mask is None for _ in range(TESTED)]
    seen = features(np.array([window(tile.image, *centre(tile.mask)) for tile in real if tile.mask is not None]))
    clean = features(untouched([tile.image for tile in healthy], len(healthy), Seed(0).child("test")))
    kinds, parts = np.array([tile.kind for tile in real]), np.array([tile.part for tile in real])
    around = np.array([tile.part for tile in healthy])
    images = [tile.image for tile in free]
    ways: dict[str, Put] = {
        "tuckpoint": implanted(IMPLANTS),
        "tuckpoint, null": implanted(IMPLANTS, null=True),
        "CutPaste": cutpaste,
        "Poisson clone": cloner(images),
    }
    for number in seeds:
        seed = Seed(number)
        plain = features(untouched(images, NEGATIVES, seed.child("negatives")))
        for arm in arms:
            made, before = taught(images, ways[arm], seed.child("taught"))
            model = trained(features(made), np.concatenate([plain, features(before[::2])]), number)
            scores, low = (np.asarray(model.predict(x, raw_score=True)) for x in (seen, clean))
            row: dict[str, Any] = {"arm": arm, "seed": number, "trained": len(images), "healthy": len(clean)}
            for kind in ("all", *DEFECTS):
                of = np.ones(len(kinds), bool) if kind == "all" else kinds == kind
                found = spread(scores[of], parts[of], low, around, seed.child("bootstrap", kind))
                row[kind] = {"auc": area(scores[of], low), "low": found[0], "high": found[1], "n": int(of.sum()),
                             "parts": len(np.unique(parts[of]))}  # fmt: skip
            yield row


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as Markdown: mean over seeds, and the interval over parts of the first seed."""
    kinds = ("all", *DEFECTS)
    sizes = [rows[0][kind] for kind in kinds]
    heads = [
        f"{k.removeprefix('MT_').lower()} ({s['n']} of {s['parts']} parts)" for k, s in zip(kinds, sizes, strict=True)
    ]
    lines = ["| put on defect-free tiles | " + " | ".join(heads) + " | seeds, all |", "|---" * (len(kinds) + 2) + "|"]
    for arm in dict.fromkeys(row["arm"] for row in rows):
        own = [row for row in rows if row["arm"] == arm]
        cells = []
        for kind in kinds:
            mean, first = float(np.mean([row[kind]["auc"] for row in own])), own[0][kind]
            cells.append(f"{mean:.3f} [{first['low']:.3f}, {first['high']:.3f}]")
        every = ", ".join(f"{row['all']['auc']:.3f}" for row in own)
        lines.append(f"| {arm} | " + " | ".join(cells) + f" | {every} |")
    return "\n".join(lines)


def main() -> None:
    """Run, write rows as JSON lines, print the table."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--data", type=Path, required=True, help="the folder of the magnetic tile set")
    asked.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    asked.add_argument("--arms", nargs="+", default=["tuckpoint", "tuckpoint, null", "CutPaste", "Poisson clone"])
    asked.add_argument("--development", action="store_true")
    asked.add_argument("-o", "--output", type=Path, default=RESULTS / "tiles.jsonl")
    options = asked.parse_args()
    rows = []
    for row in run(options.data, options.seeds, options.arms, development=options.development):
        rows.append(row)
        write_text(options.output, "".join(json.dumps(one) + "\n" for one in rows), overwrite=True)
        print(row["seed"], row["arm"], {kind: round(row[kind]["auc"], 3) for kind in ("all", *DEFECTS)}, flush=True)
    print(table(rows))


if __name__ == "__main__":
    main()
