"""Do rendered signs train? `python -m bench.scenes.signs DATA` learns from them and is tested on real photographs.

DATA is a folder of photographs of signs with `manifest.csv` (path, split, class_id, class_name, track: the physical
sign). Signs of its classes are drawn from their geometry, rendered before a street's background, and cut out by their
labelled boxes. With 0, 1, 2, 4 and 8 real physical signs a class, with and without renders, the same learner is tested
on the photographs of other physical signs. With `--validate` it is tested on a part of the training photographs
instead, where every setting was chosen.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.scenes.signs_photos import Photos, chosen, held_back, photos
from bench.scenes.signs_render import crops, moved
from bench.tables.report import lines
from tuckpoint.photos.descriptor import described
from tuckpoint.prove.ridge import Sums, solved, sums
from tuckpoint.seed import Seed

RESULTS = Path(__file__).resolve().parent / "results"
EACH = (0, 1, 2, 4, 8)
PENALTY, WEIGHT, SHIFTED = 0.1, 1.0, 4  # chosen on the validation part
Right = NDArray[np.bool_]
Floats = NDArray[np.float32]


def copies(held: Photos) -> Floats:
    """Features (1 + SHIFTED, n, d) of the photographs and of their moved copies."""
    every = [held.images, *(moved(held.images, Seed(0).child("moved", k)) for k in range(SHIFTED))]
    return np.stack([described(images) for images in every])


def answers(
    held: Photos, seen: Floats, pool: NDArray[np.bool_], tested: NDArray[np.bool_], made: Sums, each: int, seeds: int
) -> dict[str, Right]:
    """Whether each tested photograph was told rightly (seeds, n), by arm, with so many real signs a class."""
    found: dict[str, list[Right]] = {"real": [], "both": []}
    for number in range(seeds if each else 1):
        rows = chosen(held, pool, each, Seed(number))
        totals = {"both": made.times(WEIGHT)}
        if rows.size:
            learnt = np.concatenate(list(seen[:, rows]))
            totals["real"] = sums(
                learnt, np.tile(held.labels[rows], len(seen)), np.ones(len(learnt)), len(held.classes)
            )
            totals["both"] = totals["both"] + totals["real"]
        for arm, total in totals.items():
            found[arm].append((seen[0, tested] @ solved(total, PENALTY)).argmax(1) == held.labels[tested])
    return {arm: np.stack(right) for arm, right in found.items() if right}


def recalls(right: Right, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """The recall of each class (..., c) of answers (..., n)."""
    return np.stack([right[..., labels == label].mean(-1) for label in np.unique(labels)], -1)


def resampled(held: Photos, tested: NDArray[np.bool_], draws: int) -> list[NDArray[np.int64]]:
    """Rows of the tested photographs, physical signs drawn anew within each class, so many times."""
    labels, signs = held.labels[tested], held.signs[tested]
    by_class = [[np.flatnonzero(signs == one) for one in np.unique(signs[labels == c])] for c in np.unique(labels)]
    found = []
    for draw in range(draws):
        random = Seed(7).child("bootstrap", draw).numpy()
        rows = [one[k] for one in by_class for k in random.integers(0, len(one), len(one))]
        found.append(np.concatenate(rows))
    return found


def scores(right: Right, labels: NDArray[np.int64], draws: list[NDArray[np.int64]]) -> dict[str, list[float]]:
    """Accuracy and macro recall: the mean over seeds, and 95 % of draws of both seeds and physical signs."""
    told = {"accuracy": [float(right.mean())], "macro_recall": [float(recalls(right, labels).mean())]}
    again: dict[str, list[float]] = {name: [] for name in told}
    for number, rows in enumerate(draws):
        seeds = Seed(8).child("seeds", number).numpy().integers(0, len(right), len(right))
        drawn = right[seeds][:, rows]
        again["accuracy"].append(float(drawn.mean()))
        again["macro_recall"].append(float(recalls(drawn, labels[rows]).mean()))
    return {name: [*value, *np.quantile(again[name], [0.025, 0.975]).tolist()] for name, value in told.items()}


def gain(both: Right, real: Right, labels: NDArray[np.int64], draws: list[NDArray[np.int64]]) -> list[float]:
    """How much macro recall the renders add, with the same real signs; mean and 95 % as in `scores`."""
    again = []
    for number, rows in enumerate(draws):
        seeds = Seed(8).child("seeds", number).numpy().integers(0, len(both), len(both))
        one, other = (recalls(right[seeds][:, rows], labels[rows]).mean() for right in (both, real))
        again.append(float(one - other))
    mean = float(recalls(both, labels).mean() - recalls(real, labels).mean())
    return [mean, *np.quantile(again, [0.025, 0.975]).tolist()]


def measured(held: Photos, made: Sums, seeds: int, *, validate: bool) -> dict[str, Any]:
    """All scores, by number of real signs and arm, and the recall of each class."""
    tested = held_back(held) if validate else held.testing
    pool = ~held.testing & ~held_back(held) if validate else ~held.testing
    labels, draws = held.labels[tested], resampled(held, tested, 1000)
    found: dict[str, Any] = {"photographs": int(tested.sum()), "signs": len(np.unique(held.signs[tested]))}
    seen = copies(held)
    for each in (*EACH, 999):
        right = answers(held, seen, pool, tested, made, each, seeds if each < 999 else 1)
        told: dict[str, Any] = {arm: scores(one, labels, draws) for arm, one in right.items()}
        if each:
            told["gain"] = gain(right["both"], right["real"], labels, draws)
        told["recalls"] = {arm: recalls(one, labels).mean(0).tolist() for arm, one in right.items()}
        found["all" if each == 999 else str(each)] = told
    return found


def shown(value: list[float]) -> str:
    mean, low, high = value
    return f"{mean:.3f} [{low:.3f}, {high:.3f}]"


def page(held: Photos, found: dict[str, Any], asked: dict[str, Any]) -> str:
    head = ["macro recall, real", "with renders", "gain", "accuracy, real", "with renders"]
    rows = [["real signs a class", *head]]
    keys = [*(str(each) for each in EACH), "all"]
    for key in keys:
        told = found[key]
        real = told.get("real")
        rows.append(
            [key, shown(real["macro_recall"]) if real else "-", shown(told["both"]["macro_recall"]),
             shown(told["gain"]) if real else "-", shown(real["accuracy"]) if real else "-",
             shown(told["both"]["accuracy"])]
        )  # fmt: skip
    by_class = [["class", "renders alone", "one real sign", "one real sign and renders", "all real"]]
    for number, name in enumerate(held.classes):
        cells = [found["0"]["recalls"]["both"], found["1"]["recalls"]["real"], found["1"]["recalls"]["both"],
                 found["all"]["recalls"]["real"]]  # fmt: skip
        by_class.append([name, *(f"{one[number]:.2f}" for one in cells)])
    text = [
        "# Rendered signs, tested on photographs",
        "",
        f"`python -m bench.scenes.signs DATA --renders {asked['renders']} --seeds {asked['seeds']}`"
        f"{' with `--validate`' if asked['validate'] else ''}: {len(held.classes)} classes, {found['photographs']} "
        f"{'validation' if asked['validate'] else 'test'} photographs of {found['signs']} physical signs, none of "
        f"which was learnt from; {asked['renders']} rendered scenes a class, each cut twice; {asked['seeds']} choices "
        "of the real signs (four photographs each). 95 % intervals from 1,000 draws of test signs within each class "
        "and of choices; the rendered scenes are one set.",
        "",
        *lines(rows),
        "",
        "A class with fewer real signs than asked gives all it has. Recall by class:",
        "",
        *lines(by_class),
        "",
    ]
    return "\n".join(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--renders", type=int, default=120, help="rendered scenes a class")
    parser.add_argument("--seeds", type=int, default=12, help="choices of real signs")
    parser.add_argument("--cache", type=Path, default=Path("signs-cache"), help="where rendered sets stay")
    parser.add_argument("--validate", action="store_true", help="test on a part of the training photographs")
    given = parser.parse_args()
    start = time.process_time()
    held = photos(given.data)
    images, labels = crops(held.classes, given.renders, given.cache)
    made = sums(described(images), labels, np.ones(len(labels)), len(held.classes))
    found = measured(held, made, given.seeds, validate=given.validate)
    asked = {"renders": given.renders, "seeds": given.seeds, "validate": given.validate}
    told = {**asked, "classes": held.classes, "cpu_s": time.process_time() - start, **found}
    name = "signs-validation" if given.validate else "signs"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    (RESULTS / f"{name}.md").write_text(page(held, found, asked), encoding="utf-8")
    print(page(held, found, asked))


if __name__ == "__main__":
    main()
