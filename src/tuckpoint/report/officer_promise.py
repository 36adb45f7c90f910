"""What is promised, in words and figures: the card of the guarantee, the odds, where domains came from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tuckpoint.measure.checks import figure
from tuckpoint.report.chart import text
from tuckpoint.report.officer_figures import people, percent
from tuckpoint.report.sheet import Section, facts, table
from tuckpoint.report.words import count, number, scientific
from tuckpoint.schema import Schema

WEAK = 0.95  # beliefs that may rise beyond this are called weakly protected
WEAKLY = "That is a weak promise by itself: in practice the rows stand on what the attacks below could not do."
PRIORS = (0.01, 0.1, 0.5)
ORIGINS = {
    "public": "Public: law or common knowledge",
    "expert": "Stated by somebody who knows the field, not read off these rows",
    "dp": "A private estimate, paid for out of the budget",
    "data": "Read off the real rows",
    "": "No domain is stated",
    "anew": "Made anew and not modelled: identifiers, names, free text",
}
NOISE = "Whole numbers, exact discrete Gaussian and Laplace laws, drawn by the operating system, never from the seed"
NONE = (
    '<div class="card"><h3>No formal guarantee</h3><p>Nothing limits what an attack could learn that was not tried. '
    "What speaks for these rows are the attacks below and nothing else: they show what was tried, on these people, "
    "with what is known today. Hold the fitted model as closely as the real table, for it keeps real values.</p></div>"
)


def promise(
    guarantee: Mapping[str, Any] | None,
    *,
    account: Mapping[str, Any] | None,
    record: Mapping[str, Any],
    schema: Schema | None,
    named: int = 120,
) -> Section:
    """The guarantee with everything it stands on, or that there is none; `named` columns of each origin are named."""
    lead = "What holds whatever anybody tries, now or later, and whatever they know already."
    body = NONE
    if guarantee is not None:
        body = _card(guarantee, account=account, record=record) + _odds(guarantee, account) + _spent(guarantee)
    origins = _origins(schema, private=guarantee is not None, named=named)
    return Section("guarantee", "Formal guarantee", lead, body + origins)


def _card(guarantee: Mapping[str, Any], *, account: Mapping[str, Any] | None, record: Mapping[str, Any]) -> str:
    known = [
        ("Unit: whose presence is hidden", text(guarantee.get("unit") or "not stated", 120)),
        ("Neighbour relation", text(guarantee.get("neighbours") or "not stated", 120)),
        ("ε (privacy loss) of this release", _figure(guarantee, "epsilon")),
        ("ε in total for these people", _total(account, guarantee)),
        ("δ (chance that it fails)", _small(guarantee, "delta")),
        ("ρ (zCDP) of this release", _figure(guarantee, "rho")),
    ]
    if account is not None and figure(account, "rho") is not None:
        known.append(("ρ (zCDP) in total", _figure(account, "rho")))
    if figure(guarantee, "mu") is not None:
        known.append(("μ (Gaussian privacy)", _figure(guarantee, "mu")))
    rows = figure(guarantee, "rows")
    if rows:
        known.append(("Rows counted, with noise", people(rows, private=True)))
    mechanism = str(guarantee.get("mechanism") or "not stated")
    known.append(("Mechanism", text(mechanism, 240)))
    known.append(("Noise", NOISE if "discrete" in mechanism.lower() else "not stated"))
    maker = record.get("maker")
    if isinstance(maker, Mapping):
        code = f"tuckpoint {maker.get('version', '?')}, engine {maker.get('engine', '?')}"
        known.append(("Code", text(code, 120)))
    return f'<div class="card"><h3>Differentially private</h3><dl>{facts(known)}</dl></div>'


def _spent(guarantee: Mapping[str, Any]) -> str:
    spent = guarantee.get("spent")
    known = {str(what): figure(spent, what) or 0.0 for what in spent} if isinstance(spent, Mapping) else {}
    total = sum(known.values())
    if not total:
        return ""
    rows = [(text(what, 80), loss(rho), percent(rho / total)) for what, rho in list(known.items())[:20]]
    steps = table(("Step", "ρ", "Share"), rows, right=("ρ", "Share"), css="pairs")
    return f"<h3>What the budget went into</h3>{steps}"


def _figure(values: Mapping[str, Any], name: str) -> str:
    value = figure(values, name)
    return "not stated" if value is None else loss(value)


def loss(value: float) -> str:
    """A privacy loss in three digits, without zeros at its end."""
    shown = number(value)
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _small(values: Mapping[str, Any], name: str) -> str:
    value = figure(values, name)
    return "not stated" if value is None else "0" if value == 0 else scientific(value)


def _total(account: Mapping[str, Any] | None, guarantee: Mapping[str, Any]) -> str:
    if account is None:
        return "not known: no ledger was given, so earlier releases are not counted"
    total = figure(account, "epsilon")
    if total is None:
        return "not known: the ledger states none"
    delta = figure(account, "delta")
    same = delta is None or delta == figure(guarantee, "delta")
    return loss(total) + ("" if same or delta is None else f" (at δ = {scientific(delta)})")


def risen(prior: float, epsilon: float) -> float:
    """What a belief can rise to at most: odds are multiplied by at most e^epsilon (Wasserman and Zhou 2010)."""
    return prior / (prior + (1 - prior) * math.exp(-epsilon))


def _odds(guarantee: Mapping[str, Any], account: Mapping[str, Any] | None) -> str:
    own = figure(guarantee, "epsilon")
    if own is None:
        return ""
    total = max(own, figure(account or {}, "epsilon") or own)
    delta = figure(guarantee, "delta") or 0.0
    failing = "" if delta == 0 else f" The chance that this fails is about {scientific(delta)}."
    half = belief(risen(0.5, total))
    weak = "" if risen(0.5, total) <= WEAK else f" {WEAKLY}"
    heads = ("Belief", "At most, after this release", "At most, after all releases")
    rows = [(f"{belief(prior)} before", belief(risen(prior, own)), belief(risen(prior, total))) for prior in PRIORS]
    return (
        "<h3>In plain words</h3><p>Suppose somebody thinks it as likely as not that a certain person is in the data: "
        "50%. Whatever they do with all that was released, they can become at most "
        f"<strong>{half}</strong> sure.{failing}{weak}</p>{table(heads, rows, right=heads[1:], css='pairs')}"
    )


def belief(share: float) -> str:
    """A belief in per cent: a decimal below 10, as many nines as it has above 99, and never certainty."""
    if share < 0.99:
        return f"{100 * share:.1f}%" if round(100 * share, 1) < 10 and share != 0.01 else f"{100 * share:.0f}%"
    if share > 1 - 1e-6:
        return "over 99.9999%"
    digits = math.floor(-math.log10(1 - share))
    return f"{math.floor(share * 10 ** (digits + 1)) / 10 ** (digits - 1):.{digits - 1}f}%"


def _origins(schema: Schema | None, *, private: bool, named: int) -> str:
    """Where the domain of each column is known from."""
    if schema is None or not schema.columns:
        return ""
    found: dict[str, list[str]] = {origin: [] for origin in ORIGINS}
    for column in schema.columns:
        origin = "anew" if not column.modelled else column.domain.provenance if column.domain else ""
        found[origin].append(column.name)
    rows = [(ORIGINS[origin], _names(names, named)) for origin, names in found.items() if names]
    void = ""
    if private and found["data"]:
        came = count(len(found["data"]), "domain")
        void = f'<p class="word fails">{came} came from the real rows: that voids the guarantee.</p>'
    told = "" if private else " Without a guarantee this decides nothing; it stands here so that nothing is left out."
    return (
        f"<h3>Where the domains of the columns came from</h3>{void}<p>A guarantee holds only if ranges and levels were "
        f"known without looking at these people.{told}</p>{table(('Known from', 'Columns'), rows)}"
    )


def _names(names: Sequence[str], limit: int) -> str:
    shown = ", ".join(text(name, 40) for name in names[:limit])
    more = f" and {len(names) - limit} more in the JSON" if len(names) > limit else ""
    return f'{shown}{more} <span class="soft">({count(len(names), "column")})</span>'
