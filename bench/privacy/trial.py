"""One audit of one made table, and what of it the studies keep."""

from __future__ import annotations

import time
from typing import Any

import pyarrow as pa

import tuckpoint
from bench.privacy.splits import Split
from bench.tables.adapters.clock import cpu_seconds
from tuckpoint.measure.audit import audit
from tuckpoint.measure.finding import Audit, Finding
from tuckpoint.measure.limits import AUDIT
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Guarantee


def audited(split: Split, made: pa.Table, seed: Seed, *, claimed: Guarantee | None = None) -> dict[str, Any]:
    """The outcome of an audit with the schema that is found out from the training rows, as on the command line."""
    schema = tuckpoint.profile(split.seen.train)
    cpu, wall = cpu_seconds(), time.perf_counter()
    found = audit(split.seen.train, made, split.holdout, schema, claimed=claimed, seed=seed)
    cost = {"cpu_s": round(cpu_seconds() - cpu, 2), "wall_s": round(time.perf_counter() - wall, 2)}
    return {**kept(found), **cost}


def kept(found: Audit) -> dict[str, Any]:
    """The decision, the finding with the smallest adjusted p-value, each attack's smallest, and the certified loss."""
    judged = sorted((item for item in found.findings if item.adjusted is not None), key=_surprise)
    attacks: dict[str, float] = {}
    for item in judged:
        attacks.setdefault(item.attack, _surprise(item)[0])
    return {
        "decision": found.decision,
        "reasons": list(found.reasons[:2]),
        "first": judged[0].key if judged else None,
        "attack": judged[0].attack if judged else None,
        "p": judged[0].adjusted if judged else None,
        "fired": {name: p for name, p in attacks.items() if p < AUDIT.level},
        "epsilon": found.epsilon.value,
        "failed_controls": [item.name for item in found.controls if not item.worked],
        "people": found.rows["people"],
    }


def _surprise(finding: Finding) -> tuple[float, float]:
    """Holm's correction can give many findings one p-value: then the raw one tells them apart."""
    assert finding.adjusted is not None
    assert finding.p is not None
    return finding.adjusted, finding.p
