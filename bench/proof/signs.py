"""What do rendered signs bring beside real ones? `python -m bench.proof.signs DATA`.

DATA is the folder of photographs of bench.scenes.signs. `tuckpoint prove` is asked at 1 to 16 real physical signs of
each class; its locked rows are the test photographs of the data's own split, of signs that nothing was learnt from.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from bench.scenes.signs_photos import photos
from bench.scenes.signs_render import told
from bench.tables.report import lines
from tuckpoint.prove.plan import Folds, Plan, Source
from tuckpoint.prove.proof import prove
from tuckpoint.prove.ridge import Ridge
from tuckpoint.prove.verdict import Point, Proof
from tuckpoint.report.verdict_page import verdict_page

RESULTS = Path(__file__).resolve().parent / "results"
ITEMS = (1, 2, 3, 4, 6, 8, 12, 16)
PATTERN = r"(.*)_\d+\."  # the physical sign: folder and track


def plan(classes: tuple[str, ...], scenes: int, cache: Path) -> Plan:
    """The plan; the weights are those of the first note on signs, fixed before these photographs were looked at."""
    settings = {
        "spec": told(classes), "knob": "sign.shape.sign", "scenes": scenes, "render": {"antialias": 2},
        "cache": str(cache),
    }  # fmt: skip
    return Plan(
        "class_name", (Source("renders", kind="scene", settings=settings),), metric="macro_recall",
        smallest_effect=0.01, amounts=(100.0,), learner=Ridge(), items=ITEMS, locked='split == "test"',
        folds=Folds(repeats=10), curve=(0.25, 0.5),
    )  # fmt: skip


def row(point: Point) -> list[str]:
    """One operating point of the table."""
    saved, share = point.saved, "-"
    if saved is not None and saved.share is not None and saved.low is not None and saved.high is not None:
        share = f"{'at least ' if saved.beyond else ''}{saved.share:.0%} [{saved.low:.0%}, {saved.high:.0%}]"
    gain = f"{point.gain:+.4f} [{point.low:+.4f}, {point.high:+.4f}]"
    return [str(point.items), f"{point.rows:.0f}", f"{point.real:.3f}", f"{point.mixed:.3f}", gain, point.state, share]


def sheet(proof: Proof, cpu_s: float, scenes: int) -> str:
    """The outcome as markdown."""
    claim = proof.claims[0]
    assert claim.effect is not None
    head = ["real signs of each class", "photographs", "real only", "real + made", "gain", "verdict", "rows saved"]
    text = [
        "# Rendered signs through prove",
        "",
        f"`python -m bench.proof.signs DATA --scenes {scenes}`: macro recall on {proof.real['locked']:,} locked test "
        f"photographs of other physical signs; {proof.plan.folds.repeats} choices of real signs; intervals over "
        f"choices and physical signs, at Holm's levels over the points. {cpu_s:,.0f} CPU-s.",
        "",
        *lines([head, *(row(point) for point in proof.points)]),
        "",
        f"All real signs ({proof.real['trained']:,} photographs): {proof.state}, gain {claim.effect.gain:+.4f} "
        f"[{claim.low:+.4f}, {claim.high:+.4f}]. A class with fewer signs than asked gives all it has.",
        "",
        f"Controls: {'; '.join(f'{c.name} {c.told}' for c in proof.controls)}. Plan {proof.digest}.",
        "",
    ]
    return "\n".join(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--scenes", type=int, default=120, help="rendered scenes a class")
    parser.add_argument("--cache", type=Path, default=Path("signs-cache"), help="where rendered sets stay")
    parser.add_argument("--page", type=Path, help="where to write the verdict as a page")
    given = parser.parse_args()
    start = time.process_time()
    asked = plan(photos(given.data).classes, given.scenes, given.cache)
    proof = prove(asked, given.data, pattern=PATTERN, progress=lambda what, share: print(what, flush=True))
    spent = time.process_time() - start
    found: dict[str, Any] = proof.to_dict()
    found["plan"]["sources"] = [source.name for source in proof.plan.sources]  # the specification is in bench.scenes
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "signs.json").write_text(json.dumps({"cpu_s": spent, **found}, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "signs.md").write_text(sheet(proof, spent, given.scenes), encoding="utf-8")
    if given.page is not None:
        given.page.write_text(verdict_page(proof), encoding="utf-8")
    print(sheet(proof, spent, given.scenes))


if __name__ == "__main__":
    main()
