"""Names of months and days of the week in European languages: which of them a column of text uses, and how."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Words = tuple[str, ...]
Ways = Mapping[str, Words]  # of each language
MOST_WORDS = 60  # in a column of dates, whatever stands around them
_BREAKS = r"[^\p{L}.]+"
_FIRST = r"^(?P<a>[\p{L}-]+\.?)"
# Of each language the ways of writing the months, the long one first, and the days from Monday.
_MONTHS: Ways = {
    "en": (
        "January February March April May June July August September October November December",
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
        "Jan Feb Mar Apr May June July Aug Sept Oct Nov Dec",
    ),
    "de": (
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jan Feb Mrz Apr Mai Jun Jul Aug Sep Okt Nov Dez",
        "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
        "Jan Feb März Apr Mai Juni Juli Aug Sept Okt Nov Dez",
        "Januar Februar Maerz April Mai Juni Juli August September Oktober November Dezember",
        "Jänner Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jänner Feber März April Mai Juni Juli August September Oktober November Dezember",
        "Jän Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    ),
    "fr": (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv févr mars avr mai juin juil août sept oct nov déc",
        "jan fév mar avr mai jun jul aoû sep oct nov déc",
        "jan fév mars avr mai juin juil août sept oct nov déc",
    ),
    "es": (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sep oct nov dic",
        "ene feb mar abr may jun jul ago sept oct nov dic",
        "enero febrero marzo abril mayo junio julio agosto setiembre octubre noviembre diciembre",
    ),
    "it": (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
    ),
    "pt": (
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan fev mar abr mai jun jul ago set out nov dez",
    ),
    "nl": (
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
        "jan feb maa apr mei jun jul aug sep okt nov dec",
    ),
    "sv": (
        "januari februari mars april maj juni juli augusti september oktober november december",
        "jan feb mar apr maj jun jul aug sep okt nov dec",
    ),
    "da": (
        "januar februar marts april maj juni juli august september oktober november december",
        "jan feb mar apr maj jun jul aug sep okt nov dec",
    ),
    "nb": (
        "januar februar mars april mai juni juli august september oktober november desember",
        "jan feb mar apr mai jun jul aug sep okt nov des",
    ),
    "pl": (
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
        "sty lut mar kwi maj cze lip sie wrz paź lis gru",
        "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień",
    ),
}
_DAYS: Ways = {
    "en": ("Monday Tuesday Wednesday Thursday Friday Saturday Sunday", "Mon Tue Wed Thu Fri Sat Sun"),
    "de": ("Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag", "Mo Di Mi Do Fr Sa So"),
    "fr": ("lundi mardi mercredi jeudi vendredi samedi dimanche", "lun mar mer jeu ven sam dim"),
    "es": ("lunes martes miércoles jueves viernes sábado domingo", "lun mar mié jue vie sáb dom"),
    "it": ("lunedì martedì mercoledì giovedì venerdì sabato domenica", "lun mar mer gio ven sab dom"),
    "pt": ("segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",),
    "nl": ("maandag dinsdag woensdag donderdag vrijdag zaterdag zondag", "ma di wo do vr za zo"),
    "sv": ("måndag tisdag onsdag torsdag fredag lördag söndag", "mån tis ons tors fre lör sön"),
    "da": ("mandag tirsdag onsdag torsdag fredag lørdag søndag", "man tir ons tor fre lør søn"),
    "nb": ("mandag tirsdag onsdag torsdag fredag lørdag søndag", "man tir ons tor fre lør søn"),
    "pl": ("poniedziałek wtorek środa czwartek piątek sobota niedziela", "pon wt śr czw pt sob nd"),
}


@dataclass(frozen=True)
class Names:
    """The directives that write the months and the days of the week of a column; empty where it has none."""

    months: str = ""
    days: str = ""


def names_in(texts: pa.Array) -> Names | None:
    """How distinct texts name their months, and the days that they begin with; None where they name neither."""
    sample = _words(texts[:: max(1, len(texts) // 20)][:20])
    known = _known_months() | _known_days()
    if not len(sample) or not all(any(_fold(word) in known for word in words) for words in sample.to_pylist()):
        return None
    days, rest = _leading(texts)
    months = _named_months(rest)
    if days and months == "" and _named_months(texts):
        days, months = "", _named_months(texts)  # `mar 12, 2024` is no Tuesday
    return None if months is None or not (days or months) else Names(months, days)


def _leading(texts: pa.Array) -> tuple[str, pa.Array]:
    """The directive of the days that all texts begin with, empty where they do not, and the rest of the texts."""
    if _fold(_first_words(texts[:1])[0]) not in _known_days():
        return "", texts
    words = _first_words(texts)
    language = _language(words, _DAYS)
    if not set(map(_fold, words)) <= _words_of(_DAYS[language]):
        return "", texts
    return _as_seen(words, _DAYS, language) or "", pc.replace_substring_regex(texts, _FIRST, "")


def _named_months(texts: pa.Array) -> str | None:
    """The directive of the months in texts, empty where there are none; None where they cannot be told."""
    words = _distinct(texts)
    if not any(_fold(word) in _known_months() for word in words):
        return ""
    return _as_seen(words, _MONTHS, _language(words, _MONTHS)) if len(words) <= MOST_WORDS else None


def _first_words(texts: pa.Array) -> Words:
    return tuple(pc.fill_null(pc.extract_regex(texts, _FIRST).field("a"), "").unique().to_pylist())


def _language(words: Words, known: Ways) -> str:
    """The language that knows most of the words, the first of those that know as many."""
    return max(known, key=lambda language: sum(_fold(word) in _words_of(known[language]) for word in words))


def listed(directive: str) -> Words:
    """The words of a directive such as `%{Jan|Feb|...}`."""
    return tuple(directive[2:-1].split("|"))


def places(texts: pa.Array, words: Words) -> NDArray[np.int64]:
    """Which of the words each text (n,) is, from 0; -1 for none. Capitals, accents and points make no difference."""
    folded = {_fold(word): at for at, word in enumerate(words)}
    encoded = texts.dictionary_encode()
    found = np.array([folded.get(_fold(word), -1) for word in encoded.dictionary.to_pylist()], np.int64)
    return found.take(np.asarray(encoded.indices)) if len(texts) else np.empty(0, np.int64)


def _words(texts: pa.Array) -> pa.Array:
    return pc.split_pattern_regex(texts, _BREAKS)


def _distinct(texts: pa.Array) -> Words:
    """The words of all texts, each once, without a point in front."""
    words = pc.list_flatten(_words(texts)).unique().to_pylist()
    return tuple(dict.fromkeys(word.lstrip(".") for word in words if word.strip(".")))


@cache
def _fold(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character)).strip(".")


@cache
def _words_of(ways: Words) -> frozenset[str]:
    return frozenset(map(_fold, " ".join(ways).split()))


@cache
def _known_months() -> frozenset[str]:
    return frozenset().union(*map(_words_of, _MONTHS.values()))


@cache
def _known_days() -> frozenset[str]:
    return frozenset().union(*map(_words_of, _DAYS.values()))


def _as_seen(words: Words, known_ways: Ways, language: str) -> str | None:
    """The directive that writes names as these words do, the rest in their manner; None where two are one name's."""
    lists = [way.split() for way in known_ways[language]]
    seen = {_fold(word): word for word in words if _fold(word) in _words_of(known_ways[language])}
    way = max(lists, key=lambda names: len({_fold(word) for word in names} & set(seen)))
    held: dict[int, str] = {}
    for folded, word in seen.items():
        at = next(names.index(name) for names in [way, *lists] for name in names if _fold(name) == folded)
        if at in held:
            return None
        held[at] = word
    if language == "en" and way in lists[:2] and all(word in (way[at], way[at].upper()) for at, word in held.items()):
        return ("%A", "%a")[lists.index(way)] if len(way) == 7 else ("%B", "%b")[lists.index(way)]
    manner = _manner(held, way, lists[0])
    return "%{" + "|".join(held.get(at, manner(at)) for at in range(len(way))) + "}"


def _manner(held: dict[int, str], way: Sequence[str], long: Sequence[str]) -> Callable[[int], str]:
    """Names that were not seen, in capitals or not, with accents and points or not, as those that were."""
    words = list(held.values())
    bare = any(word.rstrip(".").isascii() and not way[at].isascii() for at, word in held.items())
    pointed = any(word.endswith(".") for word in words)
    case = next((c for c in (str.upper, str.lower, str.capitalize) if all(c(word) == word for word in words)), str)

    def name(at: int) -> str:
        word = _fold(way[at]) if bare else way[at]
        return case(word) + ("." if pointed and way[at] != long[at] else "")

    return name
