"""A blinded sheet for an expert's own test: two windows side by side, one real and one implanted; which is implanted?

The pictures and the empty answer sheet go to the reader, the key stays apart until all answers stand. The share of
right answers has an exact binomial interval: it holds 0.5 if the reader cannot tell (two-alternative forced choice).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from tuckpoint.errors import InputError, MissingExtra
from tuckpoint.files import check_new, replacing_folder, write_text
from tuckpoint.implant.check import cut, half_window
from tuckpoint.implant.values import Array, Finding, Host, Implanted
from tuckpoint.record import canonical, digest_of
from tuckpoint.seed import Seed

PAIRS = 40
CHOICES = ("left", "right")
LUNG_WINDOW = (-1350.0, 150.0)  # HU
LEAST = 5
GAP, ZOOM = 8, 6  # pixels between the two, and how much each is enlarged
WIDEST = 1600  # pixels of a picture
HEADS = ("pair", "implanted", "sure_1_to_5", "why")
SHEET = "answers.csv"


@dataclass(frozen=True)
class Answered:
    """How often the reader was right, with the exact 95 % interval (Clopper, Pearson 1934) and the p of 0.5."""

    right: int
    n: int
    share: float
    low: float
    high: float
    p: float

    @property
    def told_apart(self) -> bool:
        """Whether the interval leaves out 0.5 on the upper side."""
        return self.low > 0.5

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "told_apart": self.told_apart}


def windows(pairs: Sequence[Implanted]) -> list[Array]:
    """What of the findings a reader is shown: of photographs wide windows, of others those that lie wholly inside.

    A border that is repeated would tell at a glance which is implanted, where real findings come as crops. Where fewer
    than LEAST are whole, all are taken.
    """
    made = [(pair, one) for pair in pairs for one in pair.findings if not one.null]
    wide = pairs[0].host.unit == "px"
    whole = made if wide else [one for one in made if _inside(*one)]
    chosen = whole if len(whole) >= LEAST else made
    return [cut(pair, pair.image, one, wide=wide) for pair, one in chosen]


def _inside(pair: Implanted, finding: Finding) -> bool:
    half = half_window(pair.host.spacing, pair.host.unit)
    sides = zip(finding.drawn.position, half, pair.host.shape, strict=True)
    return all(round(p) - h >= 0 and round(p) + h <= n for p, h, n in sides)


def sheet(
    implanted: Sequence[Array], real: Sequence[Array], out: Path, key: Path, seed: Seed, *,
    grey: tuple[float, float] | None, pairs: int = PAIRS, overwrite: bool = False,
) -> int:  # fmt: skip
    """Write the pictures, instructions and an empty answer sheet to `out`, and the key to `key`; how many pairs.

    Windows are (z, y, x) or (row, column); of volumes the three middle slices are shown. `grey` are the values shown
    black and white; None: what each window spans. Raises InputError for too few windows, or a key that would lie beside
    the pictures.
    """
    count = min(len(implanted), len(real), pairs)
    if count < LEAST:
        raise InputError(f"{len(implanted)} implanted and {len(real)} real windows; a sheet needs five pairs or more")
    if out.resolve() in key.resolve().parents:
        raise InputError(f"the key {key} would lie in the reader's folder {out}; keep it elsewhere")
    check_new(key, overwrite=overwrite)
    rng = seed.numpy()
    made, truth = (rng.permutation(len(side))[:count] for side in (implanted, real))
    side = rng.integers(0, 2, count)
    with replacing_folder(out, overwrite=overwrite, ours=is_sheet) as place:
        names = []
        for number in range(count):
            views = [_view(implanted[made[number]], grey), _view(real[truth[number]], grey)]
            name = f"pair_{number + 1:03d}"
            _save(place / f"{name}.png", views if side[number] == 0 else views[::-1])
            names.append(name)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([HEADS, *([name, "", "", ""] for name in names)])
        (place / SHEET).write_text(text.getvalue(), encoding="utf-8")
        (place / "README.txt").write_text(_README, encoding="utf-8")
    answers = {name: CHOICES[int(s)] for name, s in zip(names, side, strict=True)}
    told = {"tuckpoint_key": 1, "implanted": answers, "digest": digest_of(answers)}
    write_text(key, canonical(told).decode() + "\n", overwrite=overwrite)
    return count


def score(answers: Path, key: Path) -> Answered:
    """Hold a filled sheet against its key; raises InputError for answers that are missing or not understood."""
    truth = _key(key)
    try:
        rows = list(csv.DictReader(answers.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{answers} cannot be read: {error}") from None
    given = {str(row.get("pair")): str(row.get("implanted") or "").strip().lower() for row in rows}
    missing = sorted(set(truth) - {name for name, answer in given.items() if answer})
    if missing:
        raise InputError(f"{answers}: {len(missing)} pairs without an answer (first: {missing[0]}); a guess counts too")
    wrong = sorted(name for name in truth if given[name] not in CHOICES)
    if wrong:
        raise InputError(f'{answers}: {wrong[0]} says "{given[wrong[0]]}"; answer left or right')
    return answered(sum(given[name] == side for name, side in truth.items()), len(truth))


def answered(right: int, n: int) -> Answered:
    """The share of right answers with its exact interval."""
    test = stats.binomtest(right, n, 0.5)
    interval = test.proportion_ci(0.95, method="exact")
    return Answered(right, n, right / n, float(interval.low), float(interval.high), float(test.pvalue))


def shown(host: Host) -> tuple[float, float]:
    """The values shown black and white: the lung window of CT, what a radiograph's lung spans, what a surface spans."""
    if host.unit == "px":  # parts are often dark, and cameras seldom use all of their 16 bits
        low, high = np.quantile(host.image[host.region], [0.005, 0.995])
        room = 0.25 * max(high - low, 0.02 * host.limits[1])  # for what is darker or brighter than the part
        return max(float(low - room), host.limits[0]), min(float(high + room), host.limits[1])
    if len(host.spacing) == 3:
        return LUNG_WINDOW
    low, high = np.quantile(host.image[host.region], [0.01, 0.99])
    return float(low - 0.2 * (high - low)), float(high + 0.2 * (high - low) + 1)


def is_sheet(folder: Path) -> bool:
    """Whether a folder is a reader's sheet."""
    return (folder / SHEET).is_file() and (folder / "README.txt").is_file()


def _key(path: Path) -> dict[str, str]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        truth = dict(held["implanted"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path} is no key of a reader's sheet") from None
    if held.get("digest") != digest_of(truth):
        raise InputError(f"{path} was altered after the sheet was made; its digest does not match")
    return truth


def _view(window: Array, grey: tuple[float, float] | None) -> Array:
    """(h, w) uint8: the picture, or the three middle slices of a volume below one another."""
    if grey is None:
        low, high = (float(q) for q in np.quantile(window, [0.005, 0.995]))
        low, high = low - 0.1 * (high - low), high + 0.1 * (high - low) + 1
    else:
        low, high = grey
    planes = [window]
    if window.ndim == 3:
        z, y, x = (n // 2 for n in window.shape)
        planes = [window[z], window[:, y], window[:, :, x]]
    wide = max(plane.shape[1] for plane in planes)
    shown = []
    for plane in planes:
        values = np.clip((plane.astype(np.float32) - low) / (high - low), 0, 1) * 255
        shown.append(np.pad(np.asarray(values, np.uint8), ((0, 1), (0, wide - plane.shape[1]))))
    return np.concatenate(shown)


def _save(path: Path, views: list[Array]) -> None:
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtra("Pillow", "scenes") from None
    tall = max(view.shape[0] for view in views)
    left, right = (np.pad(view, ((0, tall - view.shape[0]), (0, 0))) for view in views)
    both = np.concatenate([left, np.zeros((tall, GAP), np.uint8), right], axis=1)
    picture = Image.fromarray(both)
    zoom = max(1, min(ZOOM, WIDEST // both.shape[1]))
    picture.resize((both.shape[1] * zoom, both.shape[0] * zoom), Image.Resampling.BILINEAR).save(path)


_README = """In each picture one finding is real and one was implanted by a program.
Write into answers.csv, for every pair, on which side the implanted one stands: left or right. Guess if you cannot tell.
How sure you are (1 to 5) and why are welcome and optional. The key is kept by whoever gave you this folder.
"""
