"""What scores of people tell of who was in the data: ranking, recognition at few false alarms, surest guesses."""

from __future__ import annotations

import numpy as np

from tuckpoint.measure.exchange import crowd
from tuckpoint.measure.finding import Finding, Sides
from tuckpoint.measure.intervals import Z95, auc, average_ranks, clopper_pearson, rate_at
from tuckpoint.measure.limits import AUDIT, AuditLimits
from tuckpoint.measure.nearness import Nearness, embedding, nearness
from tuckpoint.measure.onerun import LEVEL, best_guesses
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

FALSE_ALARMS = 0.01
ADVICE = "Who was in the data can be told from the made rows; use bagging, larger leaves or `--private`."


def near(sides: Sides, seed: Seed) -> Nearness:
    """How near members and outsiders lie to made rows and to one another: what the sides carry, else measured now."""
    if sides.near is not None:
        return sides.near
    people, _ = crowd(sides)
    return nearness(people, sides.made, embedding(people, seed.child("space")))


def told(
    attack: str, scores: Array, sides: Sides, seed: Seed, *, subject: tuple[str, ...] = (), limits: AuditLimits = AUDIT
) -> tuple[Finding, ...]:
    """Three findings from the `scores` (2n,) of members, then outsiders: the higher, the likelier a member.

    `membership_auc`: how often a member is ranked over an outsider (DeLong's interval). `true_positives`: share of
    members over the score that 1 % of outsiders reach. `best_guesses`: the share of right ones among the surest
    guesses, and the privacy loss that they prove. The first p-value is that of Mann and Whitney with their variance for
    ties, the last exact; all that they ask is that the scores do not know who is who and that the split was by chance.
    """
    member = np.repeat([True, False], sides.people)
    return (
        Finding(attack, "membership", _auc(scores, member, subject, limits), rank_p(scores, member)),
        Finding(attack, "membership", _true_positives(scores, member, subject, limits)),
        _best(attack, scores, member, sides, seed, subject),
    )


def rank_p(scores: Array, member: Array) -> float:
    """One-sided p-value of "members do not rank higher" (Mann and Whitney 1947): normal, variance with ties."""
    from scipy.special import ndtr

    n, members = len(scores), int(member.sum())
    others = n - members
    ranks = average_ranks(scores)
    variance = members * others / n * float(np.var(ranks)) * n / (n - 1)
    if variance == 0:
        return 1.0
    gap = float(ranks[member].sum()) - members * (n + 1) / 2
    return float(ndtr(-(gap - 0.5 * np.sign(gap)) / np.sqrt(variance)))


def _auc(scores: Array, member: Array, subject: tuple[str, ...], limits: AuditLimits) -> Score:
    found = auc(scores, member)
    low, high = max(found.value - Z95 * found.se, 0.0), min(found.value + Z95 * found.se, 1.0)
    passed = high <= limits.membership
    return Score(
        "membership_auc", found.value, low, high, int(member.sum()), "lower", 0.5, "guessing", subject, passed,
        advice="" if passed else ADVICE, detail={"limit": limits.membership, "interval_of": "value"},
    )  # fmt: skip


def _true_positives(scores: Array, member: Array, subject: tuple[str, ...], limits: AuditLimits) -> Score:
    value, low, high = rate_at(scores[member], scores[~member], FALSE_ALARMS)
    passed = high <= limits.true_positives
    return Score(
        "true_positives", value, low, high, int(member.sum()), "lower", FALSE_ALARMS,
        "share of people not in the data who are taken for members", subject, passed,
        advice="" if passed else ADVICE, detail={"limit": limits.true_positives, "interval_of": "value"},
    )  # fmt: skip


def _best(attack: str, scores: Array, member: Array, sides: Sides, seed: Seed, subject: tuple[str, ...]) -> Finding:
    best = best_guesses(scores, member, delta=sides.delta, seed=seed.child("ties", *subject))
    count = max(best.guesses, 1)
    score = Score(
        "best_guesses", best.right / count, *clopper_pearson(best.right, count), best.guesses, "lower", 0.5, "guessing",
        subject, detail={"right": best.right, "variant": best.variant, "level": LEVEL, "delta": sides.delta},
    )  # fmt: skip
    return Finding(attack, "membership", score, best.p, epsilon=best.epsilon)
