"""From which value on a score passes: every default threshold, with its meaning, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Thresholds of the verdicts; each allows for noise by the score's interval.

    Detection passes up to `detection` beyond noise (AUC, 0.5..1) and never above `detection_worst`. Distances,
    correlation and missing-share errors pass if they are not measurably above the same error of real data, or above it
    by at most `distance_ratio` of it or by a small amount (`distance_slack`, `correlation_slack`, `missing_slack`).
    Utility may lose `utility_loss` of the skill that real data give (AUC above 0.5, or R2) beyond noise, `global_loss`
    on the mean of all columns, and never more than `utility_worst`. Membership passes up to `membership` beyond noise,
    never above `membership_worst`. `rare_loss` is the allowed loss in covered rare levels (share). `min_rows` is the
    fewest rows a side for a classifier or attack to say anything, `min_positives` the fewest holdout rows of a class
    for an AUC.
    """

    detection: float = 0.55
    detection_worst: float = 0.60
    distance_ratio: float = 0.25
    distance_slack: float = 0.005
    correlation_slack: float = 0.02
    missing_slack: float = 0.005
    rare_loss: float = 0.10
    utility_loss: float = 0.05
    global_loss: float = 0.10
    utility_worst: float = 0.25
    membership: float = 0.51
    membership_worst: float = 0.60
    min_rows: int = 50
    min_positives: int = 10


DEFAULT = Limits()
