"""Numbers written as text: which way of writing a column uses, and text to numbers and back.

A picture says how a column writes its numbers: `#` the digits before the point, `,###` after it a mark between
thousands, then the point with `0` for each fixed decimal or `#` for as many as needed; what stands around it is
written around each number. `$#,###.00` writes 1234.5 as `$1,234.50`; `#,###;(#,###)` writes -1234 as `(1,234)`, as
accounts do, `#,###;#,###-` as `1,234-`, `#.00 CR;#.00 DR` what stands after an amount of either side; `#,##,###`
groups as India does; `#?.00` writes .50 without a zero; `+#.00` writes a plus where there is no minus,
`+#.00;-#.00;#.00` none before zero; `#.00e+00` writes 1234.5 as `1.23e+03`. Without a picture integers are plain and
other numbers have as many decimals as needed, at least one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tuckpoint.errors import SchemaError

MISSING = (
    *("", "na", "n/a", "#n/a", "nan", "null", "none", "?"),
    *("#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"),  # of a spreadsheet
)
MAX_DIGITS = 15  # more do not survive float64
MOST_DECIMALS = 300
_CURRENCY = (
    r"(?:[$€£¥₹₽₺₴₪₩₦₫฿₱]|[A-Z]{1,2}\$|Rs\.?|S?Fr\.|[kK]r\.?|Kč|zł|Ft|RM|Rp\.?|EUR|USD|GBP|CHF|JPY|CNY|INR|BRL|CAD|AUD|"
    r"NZD|MXN|ZAR|SEK|NOK|DKK|PLN|CZK|HUF|RON|TRY|RUB|SGD|HKD)"
)
_SPACE = "[ \u00a0\u202f]"
_UNIT = (  # that stands at its number without a space
    r"(?:°[CFK]?|‰|[kmµμn]?(?:g|l|L|m|W|V|A|s|t|Pa|Hz|mol|cal|bar|Wh|J|N)|[cd][ml]|[GM](?:Hz|Wh?|Pa|V)|[kKMGT]i?B|"
    r"hPa|mmHg|bpm|rpm|ppm|dB|min|ha|px|h|CR|[Cc]r)"
)
_TENS = rf"{_SPACE}?[x×*]?{_SPACE}?10[\^*][0-9]{{1,2}}[^\s,]{{0,6}}"
_WORDS = rf"{_SPACE}[^\s\d.,+-][^\s\d,]{{0,9}}(?: [^\s\d,]{{1,9}})?"
_SHAPE = re.compile(
    rf"^({_CURRENCY}{_SPACE}?)?[+-]?[\d.,][\d.,'’ \u00a0\u202f]*?(?:[eE][+-]?\d+)?"
    rf"({_SPACE}?%(?:{_SPACE}p\.a\.)?|{_SPACE}?{_CURRENCY}|{_WORDS}|{_UNIT}|{_TENS}|{_SPACE}?\+|[.,][–—-]{{1,2}})?$"
)
_PICTURE = re.compile(r"^(.*?)#(\??)(?:([,.'’ \u00a0\u202f]|,##,)###)?(?:([.,])(0+|#))?([eE]\+?0+)?([^#]*)$", re.DOTALL)
# How a negative number is written, other than with a minus before its digits, and what is around the rest.
_NEGATIVES = {
    **{"({})": r"^\(([^()]*)\)$", "{} -": r"^(.*[0-9%€$£].*) -$", "{}-": r"^(.*[0-9%€$£].*)-$"},
    **{"− {}": r"^− (.*)$", "−{}": r"^−(.*)$", "- {}": r"^- (.*)$", "-{}": r"^-([^0-9.].*)$"},
}
_MARKS = (
    *(("", "."), (",", "."), ("", ","), (".", ","), ("'", "."), (" ", ","), (" ", ".")),
    *(("\u00a0", ","), ("\u202f", ","), ("’", "."), ("\u00a0", "."), ("\u202f", "."), (",##,", ".")),
)
# What stands after amounts to somebody's credit, and after those owed, which are below zero.
_SIDES = (("CR", "DR"), ("Cr", "Dr"), ("cr", "dr"), ("C", "D"), ("H", "S"), ("+", "-"))


@dataclass(frozen=True)
class Picture:
    """A parsed picture; `places` is the number of fixed decimals, None for as many as needed.

    `negative` is what stands around a negative number instead of a minus sign before its digits, such as `({})`.
    `plus` is "" where positive numbers have no sign, "+" where they and zero have one, "0" where zero has none.
    `pointed` numbers below one begin with the point.
    `power` is how powers of ten are written, such as `e+00`: the letter, a plus where it stands, and at least so many
    digits; empty without them.
    """

    prefix: str = ""
    group: str = ""
    point: str = "."
    places: int | None = None
    suffix: str = ""
    negative: str = ""
    power: str = ""
    plus: str = ""
    pointed: bool = False

    @classmethod
    def parse(cls, text: str) -> Picture:
        """The picture that a text means; raises SchemaError if it has no `#`."""
        if "+#" in text:
            bare_plus = text.replace("+#", "#", 1).partition(";")[0]
            return replace(cls.parse(bare_plus), plus="0" if ";" in text else "+")
        plain, _, below = text.partition(";")
        negative = next((way for way in _NEGATIVES if way.format(plain) == below), "")
        for credit, debit in _SIDES:
            if below and plain.endswith(credit) and below == plain.removesuffix(credit) + debit:
                negative = debit
        found = _PICTURE.match(plain if negative else text)
        if found is None:
            raise SchemaError(f"format {text!r} is no picture of a number; write it like '#.00' or '$#,###.00'")
        prefix, bare_point, group, point, decimals, power, suffix = found.groups()
        places = None if decimals == "#" else len(decimals or "")
        point = point or ("," if group == "." else ".")
        return cls(prefix, group or "", point, places, suffix, negative, power or "", pointed=bool(bare_point))

    def __str__(self) -> str:
        grouped = ("?" if self.pointed else "") + (f"{self.group}###" if self.group else "")
        decimals = f"{self.point}#" if self.places is None else (self.point + "0" * self.places if self.places else "")
        plain = f"{self.prefix}#{grouped}{decimals}{self.power}{self.suffix}"
        if self.debit:
            return f"{plain};{plain.removesuffix(self.suffix)}{self.debit}"
        if self.plus:
            signed, below = plain.replace("#", "+#", 1), plain.replace("#", "-#", 1)
            return f"{signed};{below};{plain}" if self.plus == "0" else signed
        return f"{plain};{self.negative.format(plain)}" if self.negative else plain

    @property
    def debit(self) -> str:
        """What stands in place of the suffix after an amount below zero; empty where nothing does."""
        credit = next((credit for credit, debit in _SIDES if debit == self.negative), None)
        return "" if credit is None else self.suffix.removesuffix(credit) + self.negative

    def pattern(self) -> str:
        """A regular expression of the texts that this picture writes, and of their looser relatives."""
        whole = r"[0-9]+"
        if self.group == ",##,":
            whole = r"(?:0|[1-9][0-9]{0,2}|[1-9][0-9]?(?:,[0-9]{2})*,[0-9]{3})"
        elif self.group:
            whole = rf"(?:0|[1-9][0-9]{{0,2}}(?:{re.escape(self.group)}[0-9]{{3}})*)"
        point = re.escape(self.point)
        digits = rf"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)"
        power = r"(?:[eE][+-]?[0-9]+)?" if not self.group else ""
        before, after = re.escape(self.prefix), re.escape(self.suffix)
        plain = rf"{before}[+-]?{digits}{power}{after}"
        if self.debit:
            return rf"^{before}{digits}{power}(?:{after}|{re.escape(self.debit)})$"
        around = re.escape(self.negative).replace(r"\{\}", f"{before}{digits}{power}{after}")
        return rf"^(?:{plain}|{around})$" if self.negative else rf"^{plain}$"


def is_missing(texts: pa.Array) -> NDArray[np.bool_]:
    """Which texts are a word for a missing value, such as `NA` or `?`."""
    folded = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
    return np.asarray(pc.is_in(folded, value_set=pa.array(MISSING)))


def recognise(texts: pa.Array) -> Picture | None:
    """The picture of distinct texts that are all numbers (trimmed, none missing); None if they are not.

    Zeros in front (`02134`), a plus on every whole number (`+49301234`) or more than 15 digits before the point make a
    code, not a number.
    """
    negative = _negative(texts)
    bare_texts = pc.replace_substring_regex(texts, _NEGATIVES[negative], r"\1") if negative else texts
    if sides := _sides(texts):
        negative = sides[1]
        bare_texts = pc.replace_substring_regex(texts, f"{sides[1]}$", sides[0])
    first = _SHAPE.match(bare_texts[0].as_py()) if len(texts) else None
    if first is None:
        return None
    prefix, suffix = first.group(1) or "", first.group(2) or ""
    some = bare_texts[:64].to_pylist()
    inner = np.unique([text[len(prefix) : len(text) - len(suffix)] for text in some])
    for group, point in _MARKS:
        picture = Picture(prefix=prefix, group=group, point=point, suffix=suffix, negative=negative)
        if not any(map(re.compile(bare(picture).pattern()).match, inner)):
            continue
        if pc.all(pc.match_substring_regex(texts, picture.pattern())).as_py():
            core = _core(texts, picture)
            if len(suffix) == 1 and suffix.isalpha() and not pc.any(pc.match_substring(core, ".")).as_py():
                return None  # 12A and 13A are codes
            if suffix.endswith("+") and not picture.debit:
                return None  # 18+ is a range
            return (
                None
                if _is_code(core)
                else _with_places(core, replace(picture, plus=_plus(core), pointed=_is_pointed(core)))
            )
    return None


def _negative(texts: pa.Array) -> str:
    """How distinct texts write negative numbers, where some do otherwise than with a minus before the digits."""
    if len(texts) < 2:
        return ""
    return next((way for way, some in _NEGATIVES.items() if pc.any(pc.match_substring_regex(texts, some)).as_py()), "")


def _sides(texts: pa.Array) -> tuple[str, str] | None:
    """What stands after the amounts of either side, where each has one and both are there."""
    last = texts[0].as_py()[-1:] if len(texts) else ""
    for sides in _SIDES if last in "RrCDHS+-" else ():
        found = pc.extract_regex(texts, f"[0-9] ?(?P<side>{'|'.join(map(re.escape, sides))})$").field("side")
        if set(found.unique().to_pylist()) == set(sides):
            return sides
    return None


def bare(picture: Picture) -> Picture:
    """The picture without what stands around the number."""
    return Picture(group=picture.group, point=picture.point, places=picture.places)


def needed(picture: Picture, texts: pa.Array, decimals: int) -> str | None:
    """The picture as text, None where numbers without one are written the same."""
    if picture != Picture(places=picture.places):
        return str(picture)
    if decimals == 0:
        return str(picture) if picture.places else None
    if picture.places is not None:
        return None if spell(parse(texts, picture)[0], decimals, None).equals(texts) else str(picture)
    bare_whole = pc.any(pc.match_substring_regex(texts, r"^[+-]?[0-9]+$")).as_py()
    return "#.#" if bare_whole else None


def parse(texts: pa.Array, picture: Picture) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The numbers, NaN where missing or unreadable, and which texts are unreadable."""
    trimmed = pc.utf8_trim_whitespace(texts)
    good = np.asarray(pc.fill_null(pc.match_substring_regex(trimmed, picture.pattern()), False))
    absent = np.asarray(texts.is_null()) | is_missing(texts)
    chosen = pc.if_else(pa.array(good), trimmed, pa.scalar(None, pa.string()))
    values = pc.cast(_core(chosen, picture), pa.float64())
    return np.asarray(pc.fill_null(values, np.nan)), ~good & ~absent


def spell(values: NDArray[np.float64], decimals: int, picture: Picture | None) -> pa.Array:
    """Each number as text, null for NaN."""
    missing = np.isnan(values)
    if picture is not None and picture.power:
        texts = _with_powers(np.where(missing, 0, values), picture)
    elif decimals == 0 and (picture is None or not picture.places):
        texts = pc.cast(pa.array(np.rint(np.where(missing, 0, values)).astype(np.int64)), pa.string())
    else:
        texts = _with_decimals(np.where(missing, 0, values), decimals, picture)
    if picture is not None:
        texts = pc.replace_substring_regex(texts, r"^(-?)0\.", r"\1.") if picture.pointed else texts
        if picture.point != ".":
            texts = pc.replace_substring(texts, ".", picture.point)
        while picture.group and (grouped := _grouped(texts, picture)) is not None:
            texts = grouped
        if picture.plus:
            free = r"^-" if picture.plus == "+" else r"^(?:-|[0.,]+(?:[eE]|$))"
            plain = pc.match_substring_regex(texts, free)
            texts = pc.if_else(plain, texts, pc.binary_join_element_wise("+", texts, ""))
        negative = pc.starts_with(texts, "-") if picture.negative else None
        texts = pc.utf8_ltrim(texts, "-") if picture.negative else texts
        owed = pc.binary_join_element_wise(picture.prefix, texts, picture.debit, "") if picture.debit else None
        if picture.prefix or picture.suffix:
            texts = pc.binary_join_element_wise(picture.prefix, texts, picture.suffix, "")
        if owed is not None:
            texts = pc.if_else(negative, owed, texts)
        elif negative is not None:
            around = picture.negative.split("{}")
            texts = pc.if_else(negative, pc.binary_join_element_wise(around[0], texts, around[1], ""), texts)
    return pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), texts) if missing.any() else texts


def decimals_of(values: NDArray[np.float64]) -> int:
    """The fewest decimals that reproduce the finite values; where none do, as many as leave 15 significant digits."""
    if len(values) == 0:
        return 0
    largest = float(np.abs(values).max())
    most = int(np.clip(15 - np.ceil(np.log10(largest)), 0, MOST_DECIMALS)) if largest > 0 else 0
    probe = values[:: max(1, len(values) // 1000)]
    for decimals in range(most + 1):
        scale = 10.0**decimals
        if np.array_equal(np.rint(probe * scale) / scale, probe) and np.array_equal(
            np.rint(values * scale) / scale, values
        ):
            return decimals
    return most


def _core(texts: pa.Array, picture: Picture) -> pa.Array:
    """Text that Arrow reads as a number."""
    start, stop = len(picture.prefix), -len(picture.suffix) or None
    around = _NEGATIVES.get(picture.negative)
    negative = pc.match_substring_regex(texts, around) if around else None
    negative = pc.ends_with(texts, picture.debit) if picture.debit else negative
    texts = pc.replace_substring_regex(texts, around, r"\1") if around else texts
    core = pc.utf8_slice_codeunits(texts, start, stop) if start or stop else texts
    if picture.group:
        core = pc.replace_substring(core, picture.group[0], "")
    core = pc.replace_substring(core, picture.point, ".") if picture.point != "." else core
    return core if negative is None else pc.if_else(negative, pc.binary_join_element_wise("-", core, ""), core)


def _is_code(core: pa.Array) -> bool:
    def some(pattern: str) -> bool:
        return bool(pc.any(pc.match_substring_regex(core, pattern)).as_py())

    long = rf"^[+-]?[0-9]{{{MAX_DIGITS + 1},}}(?:\.|$)"
    dialled = some(r"^\+[0-9]+$") and not some(r"^-|[.eE]|^0$")
    return some(r"^[+-]?0[0-9]") or some(long) or dialled


def _is_pointed(core: pa.Array) -> bool:
    """Whether numbers below one begin with the point."""
    with_zero = pc.any(pc.match_substring_regex(core, r"^[+-]?0\.")).as_py()
    return not with_zero and bool(pc.any(pc.match_substring_regex(core, r"^[+-]?\.")).as_py())


def _plus(core: pa.Array) -> str:
    """Whether all positive numbers have a plus, and zero too."""

    def are(pattern: str) -> NDArray[np.bool_]:
        return np.asarray(pc.match_substring_regex(core, pattern))

    signed, below, zero = are(r"^\+"), are("^-"), are(r"^[+-]?[0.]+(?:[eE]|$)")
    if not signed[~zero].any() or not (signed | below | zero).all():
        return ""
    return "+" if (signed | below)[zero].all() else "0"


def _with_places(core: pa.Array, picture: Picture) -> Picture:
    """The picture with its number of decimals."""
    powers = np.asarray(pc.match_substring_regex(core, "[eE]"))
    if powers.any() and not powers.all():
        return replace(picture, places=None)  # only very small or large numbers have one: any way of writing will do
    fraction = pc.utf8_length(pc.replace_substring_regex(core, r"^[^.eE]*\.?|[eE].*$", ""))
    bounds = pc.min_max(fraction)
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    power = _power_of(core) if powers.any() else ""
    return replace(picture, places=high if low == high and high <= 6 else None, power=power)


def _power_of(core: pa.Array) -> str:
    """How the powers of ten are written that all of these texts have."""
    digits = pc.min(pc.utf8_length(pc.replace_substring_regex(core, r"^.*[eE][+-]?", ""))).as_py()
    signed = pc.any(pc.match_substring_regex(core, r"[eE]\+")).as_py()
    letter = "E" if "E" in str(core[0].as_py()) else "e"
    return f"{letter}{'+' if signed else ''}{'0' * int(digits)}"


def _with_powers(values: NDArray[np.float64], picture: Picture) -> pa.Array:
    """Each number as digits before the point, decimals, and a power of ten; -1.50e+03."""
    if picture.places is None:
        texts = np.array([np.format_float_scientific(value, trim="-") for value in values], str)
    else:
        texts = np.char.mod(f"%.{picture.places}e", values)
    mantissa, power = np.char.partition(texts, "e")[:, 0], np.char.partition(texts, "e")[:, 2].astype(np.int64)
    plus = np.where(power < 0, "-", "+" if "+" in picture.power else "")
    digits = np.char.zfill(np.abs(power).astype(str), picture.power.count("0"))
    parts = (mantissa, np.full(len(texts), picture.power[0]), plus, digits)
    return pc.binary_join_element_wise(*(pa.array(part.tolist(), pa.string()) for part in parts), "")


def _with_decimals(values: NDArray[np.float64], decimals: int, picture: Picture | None) -> pa.Array:
    places = picture.places if picture is not None and picture.places is not None else None
    shown = decimals if places is None else places
    largest = np.abs(values).max(initial=0.0) * 10.0**shown
    if shown > 6 or largest >= 2.0**53:
        texts = pc.cast(pa.array(np.round(values, decimals)), pa.string())
    else:
        scaled = np.rint(values * 10.0**shown).astype(np.int64)
        halves = np.stack([scaled, scaled >> 63], axis=1)  # (n, 2): low and high half of a 128-bit integer
        kind = pa.decimal128(19, shown)
        texts = pc.cast(pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(halves.tobytes())]), pa.string())
        if places is None:
            texts = pc.replace_substring_regex(texts, r"(\.[0-9]*?)0+$", r"\1")
            texts = pc.replace_substring_regex(texts, r"\.$", "")
    if picture is None:
        whole = pc.match_substring_regex(texts, r"^-?[0-9]+$")
        texts = pc.if_else(whole, pc.binary_join_element_wise(texts, ".0", ""), texts)
    return texts


def _grouped(texts: pa.Array, picture: Picture) -> pa.Array | None:
    """The texts with one more mark between thousands where one is lacking; None when all have theirs."""
    point, group = re.escape(picture.point), re.escape(picture.group[0])
    many = 2 if picture.group == ",##," else 3
    marked = rf"{group}[0-9]{{3}}(?:{point}[0-9]*)?"
    lacking = (
        rf"^(-?[0-9]+)([0-9]{{3}})((?:{point}[0-9]*)?)$",
        rf"^(-?[0-9]+)([0-9]{{{many}}})((?:{group}[0-9]{{{many}}})*{marked})$",
    )
    for way in lacking:
        if pc.any(pc.match_substring_regex(texts, way)).as_py():
            return pc.replace_substring_regex(texts, way, rf"\1{picture.group[0]}\2\3")
    return None
