"""A small network that tells signs apart; it runs in the environment `signs`, which holds torch and no tuckpoint.

    PYTHON signs_cnn.py DATA.npz JOBS.json FOUND.jsonl

DATA has `photos` and `renders` (n, 48, 48, 3) uint8, and `photo_labels` and `render_labels` (n,). A job tells its `id`,
`seed`, the rows of `photos` and of `renders` to learn from, the rows of photos to `test`, and may tell `settings`. Jobs
of one seed that share their renders go on from one network that has seen the renders alone. Each line of FOUND is a job
with `predicted`; jobs found there are not done again.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 32


def _kernels() -> Tensor:
    """Ways to blur (5, 5, 5): not at all, a little, sideways, up and down, much."""
    ways = torch.zeros(5, 5, 5)
    ways[0, 2, 2] = 1
    ways[1, 1:4, 1:4] = 1
    ways[2, 2] = 1
    ways[3, :, 2] = 1
    ways[4] = 1
    return ways / ways.sum((1, 2), keepdim=True)


KERNELS = _kernels()


@dataclass(frozen=True)
class Settings:
    """Steps of 64 pictures: on renders alone, then on both (half and half), or on photographs alone.

    How far pictures are changed while learning: `turn_deg`, `shift` and `stretch` as shares of the side, `light` (how
    much contrast and brightness move), `tint` (each colour's gain), `blur` (share of pictures), `noise`.
    """

    steps: int = 1500
    mixed: int = 500
    alone: int = 900
    rate: float = 3e-3
    turn_deg: float = 8.0
    shift: float = 0.06
    stretch: float = 0.12
    light: float = 0.6
    tint: float = 0.15
    blur: float = 0.4
    noise: float = 0.05
    photos_share: float = 0.5


def network(classes: int) -> nn.Module:
    def layer(before: int, after: int) -> list[nn.Module]:
        return [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]

    return nn.Sequential(
        *layer(3, 32), nn.MaxPool2d(2), *layer(32, 64), nn.MaxPool2d(2), *layer(64, 96), *layer(96, 96),
        nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.4), nn.Linear(96 * 16, classes),
    )  # fmt: skip


def changed(pictures: Tensor, how: Settings, random: torch.Generator) -> Tensor:
    """Pictures (n, 3, 48, 48) from 0 to 1 turned, moved, lit otherwise, blurred, and brought to SIDE."""
    n = len(pictures)

    def draw(spread: float, *shape: int) -> Tensor:
        return (torch.rand(n, *shape, generator=random) * 2 - 1) * spread

    turn, scale = draw(how.turn_deg)[:, None] * np.pi / 180, 1 + draw(how.stretch, 2)
    c, s = torch.cos(turn), torch.sin(turn)
    rows = [torch.cat([c * scale[:, :1], -s * scale[:, 1:]], 1), torch.cat([s * scale[:, :1], c * scale[:, 1:]], 1)]
    affine = torch.cat([torch.stack(rows, 1), draw(2 * how.shift, 2, 1)], 2)
    grid = functional.affine_grid(affine, [n, 3, SIDE, SIDE], align_corners=False)
    found = functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    which = torch.randint(1, len(KERNELS), (n,), generator=random)
    which[torch.rand(n, generator=random) >= how.blur] = 0
    kernel = KERNELS[which][:, None]
    blurred = functional.conv2d(
        found.reshape(1, 3 * n, SIDE, SIDE), kernel.repeat_interleave(3, 0), padding=2, groups=3 * n
    )
    found = blurred.reshape(n, 3, SIDE, SIDE)
    gain = torch.exp(draw(how.light, 1, 1, 1)) * (1 + draw(how.tint, 3, 1, 1))
    found = ((found - 0.5 * draw(how.light, 1, 1, 1)) * gain).clamp(0, 1)
    return found + how.noise * torch.rand(n, 1, 1, 1, generator=random) * torch.randn(found.shape, generator=random)


def plain(pictures: Tensor) -> Tensor:
    """Pictures without a brightness or contrast of their own."""
    mean, spread = pictures.mean((1, 2, 3), keepdim=True), pictures.std((1, 2, 3), keepdim=True)
    return (pictures - mean) / (spread + 0.02)


def learn(model: nn.Module, sources: list[tuple[Tensor, Tensor, int]], steps: int, rate: float, how: Settings,
          random: torch.Generator) -> None:  # fmt: skip
    """Steps on batches that take so many pictures from each source, every class of a source as often."""
    weights = []
    for _, labels, _ in sources:
        count = torch.bincount(labels).float()
        weights.append(1 / count[labels])
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-2)
    planned = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.15)
    model.train()
    for _ in range(steps):
        batch, wanted = [], []
        for (pictures, labels, size), weight in zip(sources, weights, strict=True):
            rows = torch.multinomial(weight, size, replacement=True, generator=random)
            batch.append(pictures[rows].float() / 255)
            wanted.append(labels[rows])
        found = model(plain(changed(torch.cat(batch), how, random)))
        loss = functional.cross_entropy(found, torch.cat(wanted), label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        planned.step()


def predicted(model: nn.Module, pictures: Tensor) -> list[int]:
    """The class of each picture: the mean of three sizes."""
    model.eval()
    total: Any = 0
    with torch.no_grad():
        for scale in (0.92, 1.0, 1.08):
            affine = torch.tensor([[scale, 0.0, 0.0], [0.0, scale, 0.0]]).expand(len(pictures), 2, 3)
            grid = functional.affine_grid(affine, [len(pictures), 3, SIDE, SIDE], align_corners=False)
            seen = functional.grid_sample(pictures.float() / 255, grid, padding_mode="border", align_corners=False)
            total = total + functional.log_softmax(model(plain(seen)), 1)
    return [int(one) for one in total.argmax(1)]


class Bench:
    """The data, and the networks that have seen renders alone."""

    def __init__(self, data: Path) -> None:
        held = np.load(data)
        self.photos, self.renders = (
            torch.from_numpy(held[name]).permute(0, 3, 1, 2).contiguous() for name in ("photos", "renders")
        )
        self.photo_labels, self.render_labels = (
            torch.from_numpy(held[name].astype(np.int64)) for name in ("photo_labels", "render_labels")
        )
        self.classes = int(self.photo_labels.max()) + 1
        self.begun: dict[str, dict[str, Tensor]] = {}

    def run(self, job: dict[str, Any]) -> list[int]:
        """What the network says of the job's test photographs."""
        how = Settings(**job.get("settings", {}))
        torch.manual_seed(job["seed"])
        random = torch.Generator().manual_seed(job["seed"])
        model = network(self.classes)
        photos, renders = torch.tensor(job["photos"], dtype=torch.long), torch.tensor(job["renders"], dtype=torch.long)
        if len(renders):
            key = json.dumps([job["seed"], job["renders"], job.get("settings")])
            if key not in self.begun:
                learn(
                    model, [(self.renders[renders], self.render_labels[renders], 64)], how.steps, how.rate, how, random
                )
                self.begun = {key: {name: value.clone() for name, value in model.state_dict().items()}}
            model.load_state_dict(self.begun[key])
        if len(photos):
            real = (self.photos[photos], self.photo_labels[photos])
            if len(renders):
                share = int(64 * how.photos_share)
                made = (self.renders[renders], self.render_labels[renders], 64 - share)
                learn(model, [(*real, share), made], how.mixed, how.rate / 3, how, random)
            else:
                learn(model, [(*real, 64)], how.alone, how.rate, how, random)
        return predicted(model, self.photos[torch.tensor(job["test"])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("jobs", type=Path)
    parser.add_argument("found", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    bench = Bench(given.data)
    done = set()
    if given.found.exists():
        done = {json.loads(line)["id"] for line in given.found.read_text(encoding="utf-8").splitlines()}
    for job in json.loads(given.jobs.read_text(encoding="utf-8")):
        if job["id"] in done:
            continue
        start = time.process_time()
        told = {"id": job["id"], "predicted": bench.run(job), "cpu_s": time.process_time() - start}
        with given.found.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
