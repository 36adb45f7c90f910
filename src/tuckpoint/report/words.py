"""Words and numbers as a reader sees them: what each score is called and means, and text made safe to show."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tuckpoint.errors import count as count
from tuckpoint.score import Score

WHOLE = 1000  # characters of a sentence of ours, with names of the data in it: longer ones are cut
LEAST_R2 = -1.0  # whatever is below is as useless, and its size says only how extreme a few values are
MISSING = frozenset({"missing", "(missing)", "null", "(null)"})


@dataclass(frozen=True)
class Meaning:
    """What a score is called, what it measures, what it cannot tell, and whether it is shown in per cent."""

    label: str
    definition: str = ""
    limit: str = ""
    unit: Literal["number", "percent"] = "number"


MEANINGS: dict[str, Meaning] = {
    "one_way_distance": Meaning(
        "Single columns",
        "Total variation between made and real rows, one column at a time: half the summed absolute difference of the "
        "shares of its bins or levels, averaged over columns. 0 is equal, 1 has nothing in common.",
        "Two samples of the same people also differ a little, so it is read against real holdout rows of the same "
        "number. It says nothing about how columns hang together.",
    ),
    "two_way_distance": Meaning(
        "Pairs of columns",
        "The same distance for the cross table of two columns, averaged over pairs.",
        "It sees dependence between two columns at a time, not among three or more.",
    ),
    "detection": Meaning(
        "Telling made from real",
        "A boosted classifier learns to tell made rows from real holdout rows that no model has seen; the area under "
        "its ROC curve on rows it did not learn from. 0.5 is guessing, 1 is certainty. It learns from all rows of a "
        "person or none. Where real training rows are surely told from the holdout too, what goes beyond is judged.",
        "It grows with the number of rows, so it may only be compared at equal n and on the same table. Clearly below "
        "0.5 is no success but a sign of copied rows.",
    ),
    "detection_against_training": Meaning(
        "Telling made from the training rows",
        "The same classifier against the real rows the model learned from. 0.5 is guessing.",
        "It warns of copying where it is clearly below its reference. A little below 0.5 is usual: rows that hold each "
        "value as often as the training rows do fall there without copying anybody. So does the reference, whose "
        "columns are drawn each by itself. Being near 0.5 proves no privacy.",
    ),
    "utility": Meaning(
        "Training on made rows",
        "A model is trained on made rows and tested on real holdout rows, for the target column; the reference is the "
        "same model trained on real rows. The figure is the area under the ROC curve (0.5 is guessing, 1 certainty), "
        "or of a target of numbers R² (0 is as good as the mean, 1 certainty).",
        "It speaks for one target and one kind of model. Above the reference is luck, not benefit.",
    ),
    "global_utility": Meaning(
        "Every column as the target",
        "As for the target, but with each column in turn predicted from the others, averaged over columns. 0 is "
        "guessing, 1 is certainty.",
        "An average can hide one column that is predicted badly.",
    ),
    "correlation_error": Meaning(
        "Correlations",
        "Mean absolute difference between the rank correlations of made and real rows, over pairs of columns that hold "
        "numbers or ordered levels.",
        "It sees rising and falling trends only.",
    ),
    "missing_share_error": Meaning(
        "Missing values",
        "Mean absolute difference between the shares of missing values of made and real columns.",
        "It does not see which values are missing together.",
        "percent",
    ),
    "rule_adherence": Meaning(
        "Rules",
        "Share of made rows that break none of the rules of this table.",
        "It covers the rules that were found or given, and no others.",
        "percent",
    ),
    "rare_level_coverage": Meaning(
        "Rare levels",
        "Share of the rare levels (held by five people or more, but by at most 1% of the real rows) that also occur in "
        "made rows.",
        "Levels held by too few people are pooled on purpose and are not expected to come back.",
        "percent",
    ),
    "unseen_pairs": Meaning(
        "Pairs of levels never seen in real rows",
        "Share of made rows that join two levels, of columns with at most 50 or few numbers, which the training "
        "rows hold but never together, though five or more would if the columns were unrelated: a pregnancy of a man. "
        "The reference is the share of real holdout rows that join such levels, which is how often real rows surprise.",
        "It sees two columns at a time, no ranges of numbers, and no pair so rare that chance may keep it apart.",
        "percent",
    ),
    "exact_copies": Meaning(
        "Exact copies",
        "Share of made rows equal to some real row that the model has seen; the reference is the share of real holdout "
        "rows that equal one, which is how often chance alone repeats a row.",
        "A row can reveal a person without being an exact copy.",
        "percent",
    ),
    "near_copies": Meaning(
        "Near copies",
        "Share of made rows nearer to a real row that the model has seen than 99% of such rows are to one another; the "
        "reference is the same share of real holdout rows.",
        "Nearness depends on the distance chosen; few near copies prove no privacy.",
        "percent",
    ),
    "reissued_identifiers": Meaning(
        "Identifiers written again",
        "Share of the distinct made identifiers of a column that real rows hold too.",
        "It sees identifiers in their own column only, not those inside free text.",
        "percent",
    ),
    "membership": Meaning(
        "Guessing who was in the data",
        "An attacker who holds the made rows guesses whether a person was among the rows the model learned from; the "
        "area under the ROC curve of those guesses. 0.5 is guessing.",
        "It is one attack, not all of them: a failed attack proves no privacy.",
    ),
    "nearest_record_share": Meaning(
        "Nearest-record share",
        "Share of made rows whose nearest real row is one that the model has seen, rather than one held out, with both "
        "sides of equal size; 50% is even.",
        "This number is shown because many ask for it; it proves no privacy, and passing it stops no attack.",
        "percent",
    ),
}

CLAIMS: dict[str, str] = {
    "fidelity": "Made rows look like real rows",
    "utility": "Models learn from made rows what they learn from real ones",
    "copies & membership": "The attacks that were tried find no copies and no members",
    "missing values": "Values are missing as often as in real rows",
    "rules": "Made rows obey the rules",
}


def meaning(name: str) -> Meaning:
    """What is known of the score of that name; an unknown one gets its name in words."""
    return MEANINGS.get(name) or Meaning(in_words(name), "This report knows no definition of this score.")


def in_words(name: str) -> str:
    """A name like `two_way_distance` as a phrase with a capital; a sentence stays as it is."""
    return name.replace("_", " ").capitalize() if re.fullmatch(r"[a-z0-9_]+", name) else name


def visible(value: object, limit: int = 60) -> str:
    """The value as one line of plain text, at most `limit` characters, cut in the middle.

    Characters that could hide or reorder text, or drive a terminal, are shown by their code.
    """
    text = str(value)
    text = text if len(text) <= 2 * limit else f"{text[:limit]}…{text[-limit:]}"
    shown = "".join(_shown(character) for character in text)
    if not shown.strip():
        return f'"{shown[:limit]}"'
    if len(shown) <= limit:
        return shown
    head = (limit - 1) * 2 // 3
    return f"{shown[:head]}…{shown[len(shown) - (limit - 1 - head) :]}"


def _shown(character: str) -> str:
    if character in "\u200c\u200d":  # joiners of Persian, Indic scripts and emoji
        return character
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}:
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character) or f"\\u{ord(character):04x}"
    return character


def measured(rows: Mapping[str, int]) -> str:
    """That other rows are written than were measured, if so; nothing where all were."""
    made = rows.get("made", 0)
    written = rows.get("written", made)
    if written > made:
        return f"The first {made:,} of {count(written, 'made row')} were measured, as many as were learnt from."
    if written < made:
        first = count(written, "written is", "written are")
        return f"{count(made, 'made row')} were measured, as many as were learnt from; the {first} the first of them."
    return ""


@dataclass(frozen=True)
class Figures:
    """A score as text: value, interval in brackets or nothing, reference or nothing."""

    value: str
    interval: str = ""
    reference: str = ""


def subjects(score: Score) -> str:
    """The columns that a score is about, as ` (a × b)`, or nothing for the whole table."""
    return f" ({' × '.join(visible(name, 40) for name in score.subject[:4])})" if score.subject else ""


def figures(score: Score) -> Figures:
    """Value, interval and reference with the same number of decimals; an R² far below 0 is only said to be so."""
    if score.value is None:
        return Figures("not measured")
    percent = meaning(score.name).unit == "percent"
    least = LEAST_R2 if str(score.detail.get("measure", "")).startswith("R2") else -math.inf
    value, reference = max(score.value, least), max(score.reference or 0.0, least)
    largest = max(abs(value), abs(reference)) or abs(score.high or 0.0)
    digits = max(places(largest, percent=percent), places(value, percent=percent) - 1)

    def shown(figure: float) -> str:
        return number(figure, percent=percent, digits=digits) if figure >= least else f"below {number(least, digits=0)}"

    bounded = score.low is not None and score.high is not None and score.value >= least
    return Figures(
        value=shown(score.value),
        interval=f"[{shown(score.low or 0.0)}, {shown(score.high or 0.0)}]" if bounded else "",
        reference="" if score.reference is None else shown(score.reference),
    )


def measurably_worse(score: Score) -> bool:
    """Whether the interval of the difference to the reference lies on its worse side.

    Guessing is no estimate: the interval of the value itself tells how far it lies from there.
    """
    low, high = score.detail.get("difference_low"), score.detail.get("difference_high")
    if score.reference_is == "guessing" and score.reference is not None:
        low = None if score.low is None else score.low - score.reference
        high = None if score.high is None else score.high - score.reference
    if score.better == "lower":
        return isinstance(low, float) and low > 0
    return score.better == "higher" and isinstance(high, float) and high < 0


def places(value: float, *, percent: bool = False) -> int:
    """Decimals that show three significant digits, and that keep 0.99996 apart from 1."""
    scaled = abs(value) * (100 if percent else 1)
    if scaled == 0 or scaled >= 1000:
        return 0
    digits = min(6, max(0, 2 - math.floor(math.log10(scaled))))
    while percent and digits < 6 and scaled < 100 <= round(scaled, digits):
        digits += 1
    return digits


def number(value: float, *, percent: bool = False, digits: int | None = None) -> str:
    """A number with three significant digits (or `digits` decimals), thousands grouped, with a true minus sign."""
    if percent:
        value, percent_sign = value * 100, "%"
        digits = places(value / 100, percent=True) if digits is None else digits
    else:
        percent_sign = ""
        digits = places(value) if digits is None else digits
    if value == 0:
        return "0" + percent_sign
    if abs(value) < 10 ** -(digits + 1) and digits >= 6:
        return scientific(value) + percent_sign
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−") + percent_sign


def scientific(value: float) -> str:
    """A number as m × 10ⁿ."""
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa.rstrip('0').rstrip('.')} × 10{raised}".replace("-", "−")
