"""Membership by a classifier: whom a judge of made and real rows takes for made was in the data."""

from __future__ import annotations

import numpy as np

from tuckpoint.measure import boost
from tuckpoint.measure.boost import Boosting
from tuckpoint.measure.exchange import crowd
from tuckpoint.measure.finding import Finding, Sides
from tuckpoint.measure.guesses import told
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, cut

FOLDS = 2
MOST_MADE = 10_000
SETTINGS = Boosting(rounds=60, rate=0.1, leaves=31, leaf_rows=5)


def classifier(sides: Sides, seed: Seed) -> tuple[Finding, ...]:
    """Scores each person by the log odds of being made rather than real, as told by boosted trees.

    The trees learn made rows against the people of the other fold, members and outsiders alike, and so estimate the
    ratio of the two densities (as the discriminator in DOMIAS, van Breugel et al. 2023; judged at low false-positive
    rates as LiRA, Carlini et al. 2022). It weighs columns by what they tell, where distances weigh all alike. Up to
    10,000 made rows.
    """
    people, _ = crowd(sides)
    return told("classifier", log_odds(people, sides.made, seed, threads=sides.threads), sides, seed)


def log_odds(people: Encoded, made: Encoded, seed: Seed, *, threads: int = 1) -> Array:
    """Log odds (n,) of each person for being made, by a judge who never saw that person."""
    real = boost.features(people)
    fake = boost.features(cut(made, MOST_MADE, seed.child("made").numpy()))
    fold = seed.child("folds").numpy().permutation(people.rows) % FOLDS
    scores = np.empty(people.rows)
    for k in range(FOLDS):
        known = real.take(fold != k)
        inputs = boost.Features(real.names, np.concatenate([known.values, fake.values]), real.categories)
        label = np.repeat([0.0, 1.0], [len(known.values), len(fake.values)])
        child = seed.child("fold", k)
        model = boost.train(inputs, label, classes=2, seed=child, threads=threads, settings=SETTINGS)
        share = np.clip(boost.predict(model, real.take(fold == k), threads=threads), 1e-12, 1 - 1e-12)
        scores[fold == k] = np.log(share) - np.log1p(-share)
    return scores
