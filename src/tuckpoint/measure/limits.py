"""From which value on a score passes: every default threshold, with its meaning and source, in one place."""

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
    never above `membership_worst`. `rare_loss` is the allowed loss in covered rare levels (share),
    `unseen_slack` how many more made rows than real ones may join levels that training rows never join (share), and
    `unseen_pair` how many may join any two of them.
    `min_rows` is the fewest rows a side for a classifier or attack to say anything, `min_positives` the fewest holdout
    rows of a class for an AUC.
    """

    detection: float = 0.55
    detection_worst: float = 0.60
    distance_ratio: float = 0.25
    distance_slack: float = 0.005
    correlation_slack: float = 0.02
    missing_slack: float = 0.005
    rare_loss: float = 0.10
    unseen_slack: float = 0.01
    unseen_pair: float = 0.005
    utility_loss: float = 0.05
    global_loss: float = 0.10
    utility_worst: float = 0.25
    membership: float = 0.51
    membership_worst: float = 0.60
    min_rows: int = 50
    min_positives: int = 10


DEFAULT = Limits()


def figure(value: float, *, percent: bool = False) -> str:
    """A limit as a reader sees it."""
    return f"{100 * value:.3g}%" if percent else f"{value:.3g}"


@dataclass(frozen=True)
class AuditLimits:
    """Thresholds of the audit and of the gate behind it. The upper 95 % bound of a score is held against them.

    `level` is the chance that an innocent file is blocked: all p-values of the audit together, by Holm. The usual 5 %.
    `true_positives` (share, 2 %): members recognised while 1 % of outsiders are taken for members. Attacks are judged
    where they seldom err, since an average hides the few who are certain to be found (Carlini et al. 2022, section IV);
    twice the false-positive rate is as much as epsilon = 0.7 would allow.
    `membership` (AUC, 0.55): a member is ranked over an outsider in at most 55 of 100 pairs, where guessing gives 50;
    as much as epsilon = 0.2 would allow at most.
    `negligible` (epsilon, 0.2): the loss that an attacker who ranks people may show without a block. Among people
    enough, any release is told from none, also one under a sound guarantee, for each figure bears a trace of those it
    was taken from. An AUC surely over 0.55, or surest guesses that are surely right more often than in 55 of 100 cases,
    are more than a trace. Copied rows and published values know no such margin.
    `copies_share` (0.5): the part of the level that is set apart for copied rows, the gravest leak and the one that
    hides best among other rows; all other attacks share the rest (Holm 1979, with weights).
    `inference` (share, 5 points): how much better a secret is guessed for people in the data than for people who are
    not; the excess over the control group is the risk, the rest is knowledge of the population (Giomi et al. 2023).
    `singling_out` (share, 5 %) and `linkability` (share, 5 %): attacks that succeed beyond the control group; OWASP
    AISVS C12.1.4 asks for re-identification of at most 0.05, health data practice has used 0.09 (El Emam 2020).
    `worst_ratio` (2): how many times the risk of the worst-off group may exceed the overall one; EDPB Opinion 28/2024
    asks for insignificant likelihood for each person, not on average. A convention: no source gives a number.
    `min_people` (50 a side): with fewer the most complete leak could be missed, so the audit cannot say.
    """

    level: float = 0.05
    true_positives: float = 0.02
    membership: float = 0.55
    negligible: float = 0.2
    copies_share: float = 0.5
    inference: float = 0.05
    singling_out: float = 0.05
    linkability: float = 0.05
    worst_ratio: float = 2.0
    min_people: int = 50


AUDIT = AuditLimits()
