"""Two learners of windows, trained from nothing on one core: a small network over nine slices (2.5-D), and trees."""

from __future__ import annotations

from typing import Any

import numpy as np

from tuckpoint.implant.telling import features
from tuckpoint.implant.values import Array

STEPS, BATCH, RATE = 500, 64, 2e-3
WIDTHS = (24, 48, 64)


def network() -> Any:
    """(n, 9, 16, 16) -> (n, 1): three convolutions, mean and maximum over places, one weight each."""
    from torch import nn

    class Ends(nn.Module):  # type: ignore[misc, unused-ignore]
        def forward(self, x: Any) -> Any:
            import torch

            return torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)

    layers: list[Any] = []
    before = 9
    for number, width in enumerate(WIDTHS):
        layers += [nn.Conv2d(before, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if number < len(WIDTHS) - 1 else []
        before = width
    return nn.Sequential(*layers, Ends(), nn.Dropout(0.2), nn.Linear(2 * WIDTHS[-1], 1))


def turned(windows: Array, rng: np.random.Generator) -> Array:
    """Windows mirrored and turned by quarters, the nine slices alike."""
    if rng.random() < 0.5:
        windows = windows[:, :, ::-1]
    if rng.random() < 0.5:
        windows = windows[:, :, :, ::-1]
    if rng.random() < 0.5:
        windows = windows.transpose(0, 1, 3, 2)
    return np.ascontiguousarray(windows)


def trained(positive: Array, negative: Array, seed: int, *, steps: int = STEPS) -> Any:
    """The network after `steps` batches, half positives and half negatives."""
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.Generator(np.random.Philox(key=seed))
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=RATE, total_steps=steps)
    loss = torch.nn.BCEWithLogitsLoss()
    truth = torch.cat([torch.ones(BATCH // 2, 1), torch.zeros(BATCH // 2, 1)])
    for _ in range(steps):
        picked = [side[rng.integers(0, len(side), BATCH // 2)] for side in (positive, negative)]
        batch = torch.from_numpy(turned(np.concatenate(picked), rng))
        optimizer.zero_grad()
        loss(model(batch), truth).backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def scored(model: Any, windows: Array) -> Array:
    """(n,) logits, the mean over a window and its mirror images."""
    import torch

    with torch.no_grad():
        found = [
            model(torch.from_numpy(np.ascontiguousarray(view)))[:, 0].numpy()
            for view in (windows, windows[:, :, ::-1], windows[:, :, :, ::-1])
        ]
    return np.asarray(np.mean(found, axis=0))


def trees(positive: Array, negative: Array, test: Array, seed: int) -> Array:
    """(n,) scores of boosted trees on features of the three middle slices: what is there without a network."""
    import lightgbm

    told = [np.stack([_described(window) for window in side]) for side in (positive, negative, test)]
    truth = np.r_[np.ones(len(positive)), np.zeros(len(negative))]
    parameters = {
        "objective": "binary", "num_leaves": 15, "learning_rate": 0.06, "min_data_in_leaf": 10, "verbosity": -1,
        "num_threads": 1, "deterministic": True, "seed": seed, "feature_fraction": 0.6, "is_unbalance": True,
    }  # fmt: skip
    model = lightgbm.train(parameters, lightgbm.Dataset(np.concatenate(told[:2]), truth), num_boost_round=150)
    return np.asarray(model.predict(told[2]))


def _described(window: Array) -> Array:
    return np.asarray(np.mean([features(window[k]) for k in (1, 4, 7)], axis=0))
