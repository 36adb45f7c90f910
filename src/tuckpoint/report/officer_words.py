"""Words for an officer: tiers, states, attacks and their sources, questions of regulators, what no page covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuckpoint.measure.checks import State
from tuckpoint.measure.finding import Finding
from tuckpoint.measure.gate import Tier, Verdict
from tuckpoint.measure.limits import AUDIT
from tuckpoint.report.words import in_words, visible

TIER: Mapping[Tier, tuple[str, str]] = {
    "public": ("Publication", "Anybody may have the rows, for good."),
    "partner": ("A named partner", "One recipient, under contract."),
    "internal": ("Internal use", "People of this house only."),
}
STATE: Mapping[State, str] = {"pass": "Pass", "review": "Review", "block": "Block"}
GLYPH: Mapping[State, str] = {"pass": "holds", "review": "review", "block": "fails"}
UNKNOWN = "This page knows no description of this attack."


@dataclass(frozen=True)
class Attack:
    """What a score of an attack is called, what the attacker does, and where the attack comes from."""

    label: str
    does: str
    source: str


SCORES: Mapping[str, Attack] = {
    "singling_out": Attack(
        "Descriptions that fit one person only",
        "The attacker reads a description off the made rows, by one attribute or by several, and counts whom it fits "
        "alone. The figure is the share of people who are singled out so.",
        "Notion: Cohen and Nissim 2020. Attack with control group: Giomi et al. 2023 (arXiv 2211.10459).",
    ),
    "linkability": Attack(
        "Two lists joined through the made rows",
        "The attacker holds two lists of the same people with no attribute in common, and joins two entries if the "
        "same made row is nearest to both. The figure is the share of people joined rightly.",
        "Giomi et al. 2023 (arXiv 2211.10459).",
    ),
    "attribute_inference": Attack(
        "Guessing a secret",
        "The attacker knows everything about a person but one attribute and guesses it from the made rows. Only what "
        "is guessed better of people in the data than of others is a leak; the rest is knowledge of the population.",
        "Yeom et al. 2018, section 4; Giomi et al. 2023 (arXiv 2211.10459).",
    ),
    "membership_auc": Attack(
        "Telling one who was in the data from one who was not",
        "Given one person of either kind, the attacker says which was in the data. 50% is guessing.",
        "Area under the ROC curve, with the interval of DeLong et al. 1988.",
    ),
    "true_positives": Attack(
        "Members recognised at 1% false alarms",
        "The attacker only speaks when nearly sure: one in a hundred outsiders is taken for a member. The figure is "
        "the share of members recognised under that condition.",
        "Carlini et al. 2022 (arXiv 2112.03570), section IV.",
    ),
    "best_guesses": Attack(
        "Right among the surest guesses",
        "The attacker guesses only about those of whom it is surest. 50% is guessing. How many guesses are right "
        "proves a least privacy loss, since each person was in or out of the data by chance.",
        "Steinke, Nasr and Jagielski 2023 (arXiv 2305.08846).",
    ),
    "oddest_people": Attack(
        "The 5% most unusual people recognised",
        "Membership again, only among people who resemble nobody else.",
        "Stadler, Oprisanu and Troncoso 2022 (arXiv 2011.07018).",
    ),
    "worst_off": Attack(
        "The 1% most exposed recognised",
        "Membership again, only for the people about whom the attacker is surest.",
        "Carlini et al. 2022 (arXiv 2112.03570): averages hide the few who are surely found.",
    ),
    "worst_group": Attack(
        "The worst-off small group recognised",
        "Membership again, in the small group that comes off worst.",
        "Carlini et al. 2022 (arXiv 2112.03570).",
    ),
    "exact_copies": Attack(
        "People whose row was repeated",
        "Of the people who alone hold their row, how many find it in the made rows word for word. Rows that several "
        "people share prove nothing and are left out.",
        "Exact test of Fisher 1935.",
    ),
    "rare_copies": Attack(
        "The same, unusual rows counting more",
        "A repeated row counts the more, the less likely it is to come up by accident.",
        "Monte Carlo test of Besag and Clifford 1991 on weighted hits.",
    ),
    "near_copies": Attack(
        "People whose row was nearly repeated",
        "Of all people, how many have a made row ten times nearer than any other person.",
        "Monte Carlo test of Besag and Clifford 1991 on weighted hits.",
    ),
    "unique_values": Attack(
        "Values of one person alone, written again",
        "Of the people who alone hold some value of a column, how many find it in the made rows.",
        "Exact test of Fisher 1935, column by column.",
    ),
    "canaries": Attack(
        "Invented people found again",
        "Invented people were put among the real ones by the toss of a coin before the fit, and taken out of the "
        "output. The attacker says of each whether it was put in. 50% is guessing.",
        "Steinke, Nasr and Jagielski 2023 (arXiv 2305.08846).",
    ),
    "shadow": Attack(
        "One exposed person told by many fits",
        "The engine is fitted many times with and without one exposed person. The figure is how often the attacker "
        "says rightly that this person was there; outside: how often wrongly.",
        "Stadler, Oprisanu and Troncoso 2022 (arXiv 2011.07018).",
    ),
}
BY: Mapping[str, str] = {
    "distance": "who lies nearest to a made row (Hilprecht et al. 2019)",
    "density": "who has made rows nearer than other people (after DOMIAS, van Breugel et al. 2023)",
    "classifier": "whom a learned judge takes for made",
    "aligned": "who lies nearest after numbers are shifted or rescaled",
    "canaries_nearest": "by the nearest made row",
    "canaries_values": "by values and pairs of values that are too common",
    "inference_nearest": "as in the most similar made row",
    "inference_boosted": "by a model learned on made rows",
}

QUESTIONS: Mapping[str, tuple[str, str]] = {
    "singling out": (
        "Singling out",
        "Can somebody pick out one person of the data by what the made rows tell?",
    ),
    "linkability": (
        "Linkability",
        "Can somebody join two records of one person, or of one group, through the made rows?",
    ),
    "inference": (
        "Inference",
        "Can somebody guess a person's secret better because that person was in the data?",
    ),
}
COVERED_NOT = (
    "This page and its JSON: they tell figures of real people, rounded but without noise. Keep them inside.",
    "The names of columns, files and levels, and the number of columns: they are as in the real table.",
    "Attacks that nobody has thought of: what failed here proves only that this failed.",
    "What is true of a whole group and so of each of its members: knowledge of a population is what made rows are for.",
    "Other releases about the same people, unless they stand in the ledger.",
    "Where the rows, the model and the keys are kept, and who can reach them.",
    "Whether the purpose, the legal basis and the contract are right: that is for those who sign.",
)
NOT_FORMAL = (
    "The fitted model: an engine without a guarantee holds real values. Treat the model as the real table itself.",
    "Any person whom the attacks were not run on: without a formal guarantee only those who were tested are known.",
)
NOT_BEYOND = (
    "The guarantee speaks for one unit at a time. What several people share, as in a family, is protected less.",
    "Choices that somebody made after looking at the real rows: domains, settings, which release to keep.",
)
SOURCES = (
    "Singling out, linkability, inference: Article 29 Working Party, Opinion 05/2014 on anonymisation techniques.",
    "For each person, by all means reasonably likely to be used, with documented tests: EDPB Opinion 28/2024.",
    "Identifiable for whom: EDPS v SRB, C-413/23 P (4 September 2025). So the recipient stands on this page.",
    "Unit, neighbouring tables, epsilon, delta: NIST SP 800-226 (2025).",
    "Differential privacy and an audit together; distances between rows decide nothing: Pilgram et al. 2025.",
)


def label(finding: Finding) -> str:
    """What a finding is called; a score that is not known bears its own name in words."""
    known = SCORES.get(finding.score.name)
    return known.label if known else in_words(visible(finding.score.name))


def by(finding: Finding) -> str:
    """By which attack, and on what, in plain text; empty if the label says it all."""
    how = BY.get(finding.attack, "")
    if not how and finding.score.name not in SCORES:
        how = visible(finding.attack)
    shown = [visible(name, 40) for name in finding.score.subject[:3]]
    subject = (" = " if finding.score.name == "worst_group" else " × ").join(shown)
    return "; ".join(filter(None, (subject, how)))


def outcome(finding: Finding) -> tuple[str, str]:
    """What came of a finding, as a state of the glyph and in words."""
    if finding.score.value is None:
        return "open", "Not measured"
    if finding.adjusted is not None and finding.adjusted < AUDIT.level:
        return "fails", "Leak"
    if finding.score.passed is None:
        return ("open", "Shown, decides nothing") if finding.adjusted is None else ("holds", "No leak")
    return ("holds", "Within its limit") if finding.score.passed else ("review", "Might be above its limit")


def headline(verdicts: Sequence[Verdict]) -> tuple[str, State | None]:
    """The decision in one short sentence, and the state of its glyph."""
    states = {verdict.tier: verdict.state for verdict in verdicts}
    if not states:
        return "The gate was not run", None
    if states.get("public") == "pass":
        return "Passes for publication", "pass"
    if states.get("partner") == "pass":
        return "Passes for a named partner" + (", not for publication" if "public" in states else ""), "pass"
    if states.get("internal") == "pass":
        return "Passes for internal use" + (" only" if len(states) > 1 else ""), "pass"
    if "review" in states.values():
        return "Not decided: a person must review", "review"
    return "Blocked: do not hand these rows out", "block"
