"""Which part of the variety of rendered signs helps: `python -m bench.scenes.signs_ablation DATA --cache FOLDER`.

Each row holds some knobs of the specification and learns from as many scenes. It is tested on the validation part of
the training photographs (see `signs`), never on the test photographs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from bench.scenes.signs import RESULTS, answers, resampled, scores, shown
from bench.scenes.signs_hog import features, sums
from bench.scenes.signs_photos import held_back, photos
from bench.scenes.signs_render import crops
from bench.tables.report import lines

HELD: dict[str, dict[str, Any]] = {
    "all of it": {},
    "no lens: exposure, blur, noise, tint, fog, JPEG": {
        "camera.lens.exposure_ev": 0.0,
        "camera.lens.blur_px": 0.0,
        "camera.lens.read_noise": 0.0,
        "camera.lens.shot_noise": 0.0,
        "camera.lens.white_balance": [1.0, 1.0, 1.0],
        "camera.lens.fog_per_m": 0.0,
        "camera.lens.jpeg": None,
    },
    "nothing but sky behind, and nothing near": {
        f"{name}.present": False for name in ("front", "bricks", "foliage", "other", "below", "board", "branch")
    },
    "signs as new": {f"sign.shape.{name}": 0.0 for name in ("fading", "dirt", "scratches")},
    "seen from the front": {
        "camera.azimuth_deg": -90.0,
        "camera.elevation_deg": 0.0,
        "camera.roll_deg": 0.0,
        "sign.place.yaw_deg": 0.0,
        "sign.place.tilt_deg": 0.0,
    },
    "one sun and sky": {
        "sun.irradiance": 3.0,
        "sun.elevation_deg": 35.0,
        "sun.azimuth_deg": -120.0,
        "sky.strength": 1.0,
    },
    "cut out exactly, in full detail": {},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--renders", type=int, default=40, help="rendered scenes a class")
    parser.add_argument("--seeds", type=int, default=6, help="choices of real signs")
    parser.add_argument("--cache", type=Path, default=Path("signs-cache"), help="where rendered sets stay")
    given = parser.parse_args()
    held = photos(given.data)
    tested = held_back(held)
    labels, draws = held.labels[tested], resampled(held, tested, 1000)
    rows, told = [["held", "renders alone: macro recall", "with one real sign a class"]], {}
    for number, (what, pins) in enumerate(HELD.items()):
        close = what.startswith("cut out")
        folder = given.cache / f"held-{0 if close else number}"
        images, classes = crops(held.classes, given.renders, folder, pins=pins, close=close)
        made = sums(features(images), classes, len(held.classes))
        pool = ~held.testing & ~tested
        right = [answers(held, pool, tested, made, each, given.seeds) for each in (0, 1)]
        told[what] = [scores(one, labels, draws)["macro_recall"] for one in right]
        rows.append([what, *(shown(one) for one in told[what])])
        print(rows[-1], flush=True)
    (RESULTS / "signs-ablation.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    text = [
        "# Which variety helps",
        "",
        f"`python -m bench.scenes.signs_ablation DATA --renders {given.renders} --seeds {given.seeds}`: macro recall "
        f"on {int(tested.sum())} validation photographs; 95 % intervals as in signs.md.",
        "",
        *lines(rows),
        "",
    ]
    (RESULTS / "signs-ablation.md").write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()
