"""What scores of people tell of who was in the data: ranking, recognition at few false alarms, surest guesses."""

from __future__ import annotations

import numpy as np

from tuckpoint.measure.exchange import crowd
from tuckpoint.measure.finding import CLOSER, Finding, Sides
from tuckpoint.measure.intervals import Z95, auc, clopper_pearson, rate_at
from tuckpoint.measure.limits import AUDIT, AuditLimits
from tuckpoint.measure.nearness import Nearness, embedding, nearness
from tuckpoint.measure.onerun import LEVEL, best_guesses
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

FALSE_ALARMS = 0.01
ADVICE = f"Who was in the data can be told from the made rows; {CLOSER}."


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
    guesses, and the privacy loss that they prove. The p-values are those of a loss beyond a negligible one: of an AUC
    of no more than `limits.membership`, and of more than 100 guesses right no more often than under
    `limits.negligible`; up to 100 guesses are about single people and know no margin. They hold if scores do not know
    who is who and the split was by chance.
    """
    member = np.repeat([True, False], sides.people)
    return (
        _auc(attack, scores, member, subject, limits),
        Finding(attack, "membership", _true_positives(scores, member, subject, limits)),
        _best(attack, scores, member, sides, seed, subject, limits),
    )


def _auc(attack: str, scores: Array, member: Array, subject: tuple[str, ...], limits: AuditLimits) -> Finding:
    from scipy.special import ndtr

    found = auc(scores, member)
    beyond = found.value - limits.membership
    p = float(ndtr(-beyond / found.se)) if found.se > 0 else float(beyond <= 0)
    low, high = max(found.value - Z95 * found.se, 0.0), min(found.value + Z95 * found.se, 1.0)
    passed = high <= limits.membership
    score = Score(
        "membership_auc", found.value, low, high, int(member.sum()), "lower", 0.5, "guessing", subject, passed,
        advice="" if passed else ADVICE, detail={"limit": limits.membership, "interval_of": "value"},
    )  # fmt: skip
    return Finding(attack, "membership", score, p)


def _true_positives(scores: Array, member: Array, subject: tuple[str, ...], limits: AuditLimits) -> Score:
    value, low, high = rate_at(scores[member], scores[~member], FALSE_ALARMS)
    passed = high <= limits.true_positives
    return Score(
        "true_positives", value, low, high, int(member.sum()), "lower", FALSE_ALARMS,
        "share of people not in the data who are taken for members", subject, passed,
        advice="" if passed else ADVICE, detail={"limit": limits.true_positives, "interval_of": "value"},
    )  # fmt: skip


def _best(
    attack: str, scores: Array, member: Array, sides: Sides, seed: Seed, subject: tuple[str, ...], limits: AuditLimits
) -> Finding:
    best = best_guesses(scores, member, delta=sides.delta, seed=seed.child("ties", *subject), free=limits.negligible)
    count = max(best.guesses, 1)
    score = Score(
        "best_guesses", best.right / count, *clopper_pearson(best.right, count), best.guesses, "lower", 0.5, "guessing",
        subject, detail={"right": best.right, "variant": best.variant, "level": LEVEL, "delta": sides.delta},
    )  # fmt: skip
    return Finding(attack, "membership", score, best.p, epsilon=best.epsilon)
