"""May this release go out? One verdict per circle of readers, from the audit, the record and the guarantee."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.measure.checks import STATES, Check, State, bounds, claim, evidence, power, worst
from tuckpoint.measure.finding import Audit
from tuckpoint.measure.policy import Policy
from tuckpoint.measure.promise import Promise, consistent, enough, unfiltered
from tuckpoint.record import digest_of, tuckpoint_version

Tier = Literal["public", "partner", "internal"]

TIERS: tuple[Tier, ...] = get_args(Tier)
EXIT: Mapping[State, int] = {"pass": 0, "block": 2, "review": 3}
VERSION = 1


@dataclass(frozen=True)
class Verdict:
    """What the gate says for one tier: the state, all checks with the worst first, and what was judged by which rules.

    An approval may stand for `policy.valid_days` from its signature; nothing here reads a clock. `audit` and `record`
    are the digests of what was judged, None where there was none; `version` is that of tuckpoint.
    """

    tier: Tier
    state: State
    checks: tuple[Check, ...]
    policy: Policy
    audit: str | None
    record: str | None
    version: str

    @property
    def reasons(self) -> tuple[Check, ...]:
        """The checks that made the verdict: those of its own state."""
        return tuple(check for check in self.checks if check.state == self.state)

    @property
    def exit(self) -> int:
        """The exit status for scripts: 0 pass, 2 block, 3 review (neither: a person must decide)."""
        return EXIT[self.state]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "tier": self.tier,
            "state": self.state,
            "exit": self.exit,
            "checks": [asdict(check) for check in self.checks],
            "policy": asdict(self.policy),
            "audit": self.audit,
            "record": self.record,
            "version": self.version,
        }


def gate(
    tier: Tier,
    *,
    audit: Audit | None,
    record: Mapping[str, Any] | None,
    guarantee: Mapping[str, Any] | None,
    account: Mapping[str, Any] | None = None,
    policy: Policy | None = None,
    failure: str = "",
) -> Verdict:
    """Whether a release may go to a tier: `public` (anybody), `partner` (one named recipient) or `internal`.

    `record` is what `Record.to_dict` gives, `guarantee` what `Guarantee.to_dict` gives (None: nothing is promised),
    `account` the ledger's total on these people (epsilon, delta, rho), `failure` why there is no audit.

    BLOCK: a leak that the audit found; a proven loss above the claimed epsilon; no holdout; a control that is missing
    or failed; a deciding attack that was not computed; a record that does not match; a similarity filter on a private
    release, which looks at real rows after the noise and so voids the guarantee, and by what it drops tells where real
    rows are (ReconSyn, arXiv 2312.05114). Without a guarantee within the tier's epsilon: public is BLOCK, partner
    REVIEW, internal REVIEW unless the upper bounds of all attacks hold.
    Raises InputError for an unknown tier.
    """
    if tier not in TIERS:
        raise InputError(f'no tier "{tier}"{did_you_mean(str(tier), TIERS)}; there are: {", ".join(TIERS)}')
    policy = Policy() if policy is None else policy
    record = record or None
    promise = Promise(guarantee, record, account, audit)
    checks = [*evidence(audit, failure), consistent(promise)]
    if guarantee is not None:
        checks += [claim(guarantee, audit), unfiltered(record)]
    checks.append(enough(tier, promise, policy))
    if audit is not None and promise.lacks(policy.partner_epsilon, policy):
        checks += [*bounds(audit), power(audit, policy)]
    ordered = tuple(sorted(checks, key=lambda check: STATES.index(check.state)))
    judged = (_digest(None if audit is None else audit.to_dict()), _digest(record))
    return Verdict(tier, worst(ordered), ordered, policy, *judged, tuckpoint_version())


def _digest(value: Mapping[str, Any] | None) -> str | None:
    """The digest of what was judged; None for what is not there, or is nothing that a record could hold."""
    try:
        return None if value is None else digest_of(value)
    except InputError:
        return None


def as_json(verdicts: Sequence[Verdict]) -> str:
    """The text of `gate.json`, which stands beside the data."""
    value = {"tuckpoint_gate": VERSION, "verdicts": [verdict.to_dict() for verdict in verdicts]}
    return json.dumps(value, indent=2, allow_nan=False) + "\n"
