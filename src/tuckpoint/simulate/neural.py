"""Calibration by neural posterior estimation, by sbi (an extra)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tuckpoint.errors import MissingExtra
from tuckpoint.seed import Seed
from tuckpoint.simulate.columns import Observed
from tuckpoint.simulate.contract import Simulator
from tuckpoint.simulate.smc import real_summary, summaries
from tuckpoint.table.engine import Array

if TYPE_CHECKING:
    from tuckpoint.simulate.calibrate import Calibration


class _Quiet:
    """A tracker of sbi that keeps nothing: its own leaves a folder of logs where the command was called."""

    log_dir = None

    def _nothing(self, *told: object, **more: object) -> None:
        """Keep nothing."""

    log_metric = log_metrics = log_params = add_figure = flush = _nothing


def npe(simulator: Simulator, real: Observed, seed: Seed, *, how: Calibration, random: bool) -> Array:
    """Shares (1 + draws, p) of the priors from a network that learnt them from simulated summaries, those of ABC.

    The first row is the draw nearest to the median of all. Raises MissingExtra without sbi.
    """
    try:
        import torch
        from sbi.inference import NPE
        from sbi.utils import BoxUniform
    except ImportError:
        raise MissingExtra("sbi", "sbi") from None
    told = summaries(simulator, real, seed, random=random)
    at = seed.child("prior").numpy().random((how.simulations, len(simulator.parameters)))
    seen = np.array([told(theta, place) for place, theta in enumerate(at)])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed.child("network").integer() % 2**31)
        prior = BoxUniform(torch.zeros(at.shape[1]), torch.ones(at.shape[1]))
        network = NPE(prior=prior, tracker=_Quiet(), logging_level="ERROR", show_progress_bars=False)
        network.append_simulations(torch.tensor(at, dtype=torch.float32), torch.tensor(seen, dtype=torch.float32))
        network.train()
        aim = torch.tensor(real_summary(real, random=random), dtype=torch.float32)
        drawn = network.build_posterior().sample((how.draws,), x=aim, show_progress_bars=False)
    shares = np.clip(drawn.numpy().astype(np.float64), 0, 1)
    middle = np.abs(shares - np.median(shares, axis=0)).sum(axis=1).argmin()
    return np.concatenate([shares[middle : middle + 1], shares])
