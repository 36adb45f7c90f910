"""How fast nodules are implanted: `python -m bench.implant.speed`. Processor time and peak memory.

Windows: `--count` nodules, each into a patch of 50 x 50 x 50 mm of its own, everything counted from the array on: lung,
point spread and noise, place, shape, blend, and all that is recorded. Volume: one chest of 512 x 512 x 300 voxels. Both
on one core. Run: `--images` of `tuckpoint implant lung-nodule` from files to files, with nnU-Net beside, by 1 and by 2
workers, wall and processor time of all processes together; and once more by 2, killed halfway and gone on with. All
must give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.files import sha256, write_text
from tuckpoint.implant.ct import LungNodule, ct_host
from tuckpoint.implant.values import Array
from tuckpoint.seed import Seed

RESULTS = Path(__file__).parent / "results"
SPACING = (1.2, 0.7, 0.7)


def patches(count: int) -> list[Array]:
    """Patches of lung with vessels and a wall, each with noise of its own."""
    grid = np.indices((50, 50, 50)) - 25.0
    found = []
    for number in range(count):
        rng = Seed(number, ("speed",)).numpy()
        image = np.full((50, 50, 50), -850.0)
        image[grid[1] > rng.uniform(15, 24)] = 40
        for _ in range(3):
            a, b = rng.uniform(-18, 18, 2)
            image[np.hypot(grid[1] - a, grid[2] - b) < rng.uniform(1, 2)] = 40
        found.append(np.round(image + rng.normal(0, 30, image.shape)).astype(np.int16))
    return found


def windows(count: int) -> float:
    """Processor seconds for `count` nodules, each in a patch of its own."""
    kinds = patches(20)
    adapter = LungNodule()
    begun = time.process_time()
    for number in range(count):
        host = ct_host(str(number), kinds[number % len(kinds)], (1.0, 1.0, 1.0))
        adapter.implant(host, adapter.plan(host, Seed(number)))
    return time.process_time() - begun


def chest() -> Array:
    """(300, 512, 512) int16: two lungs with vessels in a body in a room of air, with noise."""
    shape = (300, 512, 512)
    z, y, x = (((np.arange(n) - n / 2) * s).astype(np.float32) for n, s in zip(shape, SPACING, strict=True))
    image = np.full(shape, -1000, np.int16)
    body = (y[:, None] / 120) ** 2 + (x / 165) ** 2 < 1
    rng = Seed(0, ("chest",)).numpy()
    image[:, body] = 40
    for side in (-1, 1):
        flat = (y[:, None] / 85) ** 2 + ((x - side * 78) / 58) ** 2
        for k in range(shape[0]):
            image[k][(z[k] / 150) ** 2 + flat < 1] = -850
    for _ in range(150):
        a, b = rng.uniform(-60, 60), rng.choice([-1, 1]) * rng.uniform(40, 115)
        image[40:260, np.hypot(y[:, None] - a, x - b) < rng.uniform(1, 2)] = 40
    for k in range(shape[0]):
        image[k] += rng.normal(0, 30, shape[1:]).astype(np.int16)
    return image


def volume(nodules: int = 5) -> dict[str, float]:
    """Wall and processor seconds for nodules in one chest, and the peak of the process in GB."""
    image = chest()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    wall, begun = time.perf_counter(), time.process_time()
    host = ct_host("chest", image, SPACING)
    adapter = LungNodule()
    pair = adapter.implant(host, adapter.plan(host, Seed(1), count=nodules))
    found = {
        "wall_s": time.perf_counter() - wall, "processor_s": time.process_time() - begun,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, "before_gb": before,
    }  # fmt: skip
    assert len(pair.findings) == nodules
    return found


def command(place: Path, out: str, *, images: int, workers: int, until: float | None = None) -> dict[str, float]:
    """Wall and processor seconds of one command with all its processes; it is killed after `until` seconds, if any."""
    words = ["implant", "lung-nodule", "hosts", "-n", str(images), "-o", out, "--format", "nnunet"]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "tuckpoint", *words, "--workers", str(workers)], cwd=place, stdout=subprocess.DEVNULL
    )
    try:
        ended = process.wait(until)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        ended = 0
    if ended:
        raise SystemExit(f"the command ended with {ended}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": time.perf_counter() - begun, "processor_s": spent}


def runs(images: int) -> dict[str, Any]:
    """The same run by one worker, by two, and by two in two goes; raises SystemExit unless the bytes are the same."""
    with tempfile.TemporaryDirectory() as room:
        place = Path(room)
        (place / "hosts").mkdir()
        for number, image in enumerate(patches(40)):
            np.savez_compressed(place / "hosts" / f"p{number}.npz", image=image, spacing=np.ones(3))
        found: dict[str, Any] = {"images": images}
        for name, workers in (("one", 1), ("two", 2)):
            (place / name).mkdir()
            found[f"{name}_workers"] = command(place, f"{name}/out", images=images, workers=workers)
        (place / "stopped").mkdir()
        half = found["two_workers"]["wall_s"] / 2
        command(place, "stopped/out", images=images, workers=2, until=half)
        if not (place / "stopped/out.unfinished").is_dir() or (place / "stopped/out").exists():
            raise SystemExit("what was killed left no unfinished run; ask for more --images")
        found["rest_after_kill"] = command(place, "stopped/out", images=images, workers=2)
        whole = [contents(place / name / "out") for name in ("one", "two", "stopped")]
        if not whole[0] == whole[1] == whole[2]:
            raise SystemExit("the bytes differ")
        return {**found, "files": len(whole[0]), "same_bytes": True}


def contents(folder: Path) -> dict[str, str]:
    """The digest of every file."""
    return {str(path.relative_to(folder)): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="windows (default: 1000)")
    parser.add_argument("--images", type=int, default=400, help="images of a whole run (default: 400)")
    parser.add_argument("--runs", action="store_true", help="whole runs only; other figures stay as they are")
    options = parser.parse_args()
    if options.runs:
        found = json.loads((RESULTS / "speed.json").read_text(encoding="utf-8")) | {"run": runs(options.images)}
    else:
        found = {**measured(options.count), "run": runs(options.images)}
    write_text(RESULTS / "speed.json", json.dumps(found, indent=1) + "\n", overwrite=True)
    print(json.dumps(found, indent=1))


def measured(count: int) -> dict[str, Any]:
    """Windows and a volume on one core."""
    seconds = windows(count)
    return {
        "volume": volume(),
        "windows": {"count": count, "processor_s": seconds, "each_ms": 1000 * seconds / count},
    }


if __name__ == "__main__":
    main()
