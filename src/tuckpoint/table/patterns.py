"""Recognising what is made anew instead of modelled: keys, contact data, names, masks of codes and free text.

A pattern is a kind with an optional detail after a colon, and the share of missing values where there are some:
`key:100001` (whole numbers from there on), `email`, `uuid`, `ip`, `url`, `name`, `first_name`, `last_name`,
`phone:MASK`, `iban:DE 9999`, `plate:MASK`, `place:MASK` (postcodes, which may repeat), `words:3-12` (free text of so
many words), `missing` (nothing), or a bare mask. In a mask A is a letter, 9 a digit, [abc0-4] one of these, \\A a
letter A itself; the rest stands for itself.
No pattern holds a value of a real row.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PROBE = 16
SHARED = 5  # codes from which on a mask may hold what all of them have
DIGITS, UPPER = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
EMAIL = r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"
UUID = r"^\{?[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}\}?$"
IP = r"^(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$"
URL = r"^https?://\S+$"
IBAN = r"^[A-Z]{2}\d{2} ?(?:[A-Z0-9]{4} ?){2,7}[A-Z0-9]{1,4}$"
MAC = r"^[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}$"
SSN = r"^\d{3}-\d{2}-\d{4}$"
PHONE = r"^(?:\+|00)?[(]?[0-9][0-9 ()./x-]{6,20}[0-9]$"
PLATE = r"^[A-Z0-9ÄÖÜ]{1,4}[ -]?[A-Z0-9]{1,4}[ -]?[A-Z0-9]{0,4}$"

_PERSON = {
    "customer",
    "client",
    "patient",
    "person",
    "user",
    "member",
    "employee",
    "student",
    "owner",
    "subscriber",
} | {
    *("subject", "participant", "respondent", "policyholder", "insured", "citizen", "resident", "borrower"),
}
_ID = {"id", "ids", "key", "uid", "uuid", "guid", "pk", "rowid", "identifier"}
_NUMBER = {
    "number",
    "no",
    "nr",
    "num",
    "ref",
    "reference",
    "account",
    "acct",
    "card",
    "passport",
    "vin",
    "mrn",
    "msisdn",
}
_ENDINGS = ("nummer", "nr", "schlüssel", "numéro")  # Belegnr, Kundennummer
_PLACE = {
    *("zip", "zipcode", "postcode", "postal", "plz", "postleitzahl", "cap", "cep", "cp", "postnummer", "postnr", "psč"),
    *("pocztowy", "postalcode", "codepostal", "codigopostal", "irsz"),
}
_NOT_PEOPLE = {"product", "item", "company", "brand", "city", "file", "street", "country", "model", "column", "event"}
_RANKS = {
    "year",
    "age",
    "rank",
    "day",
    "month",
    "week",
    "hour",
    "minute",
    "time",
    "period",
    "quarter",
    "count",
    "score",
    "position",
    "order",
    "level",
}
_SENSITIVE = {
    *("sex", "gender", "race", "ethnic", "ethnicity", "religion", "religious", "nationality", "disability", "disabled"),
    *("orientation", "political", "politics", "party", "union", "health", "diagnosis", "disease", "hiv", "illness"),
    *("pregnant", "pregnancy", "genetic", "biometric", "conviction", "criminal", "offence", "offense", "marital"),
    *("caste", "immigration", "citizenship", "icd", "medication", "mental", "stroke", "cancer", "diabetes"),
}
_PERSONAL = {
    *(
        "email",
        "mail",
        "phone",
        "telephone",
        "mobile",
        "fax",
        "iban",
        "ssn",
        "passport",
        "plate",
        "surname",
        "forename",
    ),
    *(
        "firstname",
        "lastname",
        "address",
        "street",
        "birth",
        "birthday",
        "birthdate",
        "dob",
        "ip",
        "msisdn",
        "username",
    ),
}
SENSITIVE_PHRASES = ("native country", "birth country", "native language", "heart disease", "skin colour", "skin color")


def words_of(name: str) -> tuple[str, ...]:
    """The lower-case words of a column name: `customerId`, `customer_id` and `Customer ID` give the same."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return tuple(re.findall(r"[^\W_]+", split.lower()))


def is_sensitive(name: str) -> bool:
    """Whether a header names a special category (GDPR art. 9) or a ground of discrimination (EU Charter art. 21)."""
    words = words_of(name)
    return bool(_SENSITIVE & set(words)) or any(phrase in " ".join(words) for phrase in SENSITIVE_PHRASES)


def is_personal(name: str) -> bool:
    """Whether a header names what identifies or locates one person."""
    words = words_of(name)
    return bool(_PERSONAL & set(words)) or name_kind(name) in ("first_name", "last_name")


def names_an_id(name: str) -> bool:
    """Whether a header ends or starts like a key: `id`, `customer_id`, `order number`, `Belegnr`."""
    words = words_of(name)
    if not words or names_a_place(name):
        return False
    return words[-1] in _ID | _NUMBER or words[-1].endswith(_ENDINGS) or words[0] in _ID


def names_a_place(name: str) -> bool:
    """Whether a header says that its codes are postcodes, which belong to a place and repeat: `zip`, `PLZ`."""
    return bool(_PLACE & {word.rstrip(DIGITS) for word in words_of(name)})


def names_people(name: str) -> bool:
    """Whether a header says that its keys are people's: `patient_id`, `customer number`, `subject`."""
    words = words_of(name)
    return bool(words) and words[0].removesuffix("s") in _PERSON and (len(words) == 1 or names_an_id(name))


def names_a_key(name: str) -> bool:
    """Whether a header ends like a key of another table, `account_id`, and not like a number of something."""
    words = words_of(name)
    return bool(words) and words[-1] in _ID


def names_a_rank(name: str) -> bool:
    """Whether a header names something that counts up without being a key: years, ranks, hours."""
    return bool(_RANKS & set(words_of(name)))


def name_kind(name: str) -> str | None:
    """Which kind of people's names a header announces, if any."""
    words = words_of(name)
    joined = " ".join(words)
    if re.search(r"\b(first ?name|given ?name|forename|fname)\b", joined):
        return "first_name"
    if re.search(r"\b(last ?name|surname|family ?name|lname)\b", joined):
        return "last_name"
    if set(words) & _NOT_PEOPLE:
        return None
    if joined in ("name", "full name", "fullname") or (len(words) == 2 and words[1] == "name" and words[0] in _PERSON):
        return "name"
    return None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """The pattern for a quick look in Python, which writes the classes of letters differently."""
    return re.compile(pattern.replace(r"\p{Lu}", "A-ZÀ-ÖØ-Þ").replace(r"\p{L}", r"A-Za-zÀ-ÖØ-öø-ÿĀ-\uffff"))


def special(name: str, texts: pa.Array) -> str | None:
    """The pattern of contact data, account numbers and names; None for other text.

    `texts` are distinct and trimmed. Some stray values are let through: 95 in 100 decide.
    """
    words = set(words_of(name))

    probe = texts[:PROBE].to_pylist()

    def mostly(pattern: str) -> bool:
        quick = _compiled(pattern)
        if 2 * sum(quick.search(text) is not None for text in probe) < len(probe):
            return False
        return float(pc.mean(pc.cast(pc.match_substring_regex(texts, pattern), pa.float64())).as_py()) >= 0.95

    if mostly(EMAIL):
        return "email"
    if mostly(UUID):
        return "uuid"
    if mostly(URL):
        return "url"
    if mostly(IP):
        return "ip"
    if mostly(IBAN) and (words & {"iban", "account"} or len(texts) > 1):
        return f"iban:{_shape(texts)}"
    if mostly(MAC):
        return _hardware(texts)
    if mostly(SSN):
        return "000-99-9999"
    if mostly(PHONE) and _is_phone(words, texts):
        return f"phone:{_shape(texts)}"
    if (
        words & {"plate", "plates", "licence", "license", "registration", "kennzeichen", "numberplate"}
        and mostly(PLATE)
        and mostly(r"[A-Z].*\d|\d.*[A-Z]")
    ):
        return f"plate:{_plate(texts)}"
    return _people(
        name, texts, mostly(r"^[\p{Lu}][\p{L}'.’-]*(?: [\p{Lu}][\p{L}'.’-]*){1,4}$"), mostly(r"^[\p{L}'.’ -]+$")
    )


def _hardware(texts: pa.Array) -> str:
    """The mask of hardware addresses that are for local use, and so given to no maker (IEEE 802)."""
    first = str(texts[0].as_py())
    upper = not pc.any(pc.match_substring_regex(texts, "[a-f]")).as_py()
    digit, local = ("[0-9A-F]", "[26AE]") if upper else ("[0-9a-f]", "[26ae]")
    mark = r"\:" if first[2] == ":" else "-"
    return mark.join([digit + local, *[digit * 2] * 5])


def _people(name: str, texts: pa.Array, full: bool, letters: bool) -> str | None:
    kind = name_kind(name)
    if kind == "name":
        return kind if full and len(texts) > 1 else None
    return kind if kind is not None and letters else None


def _is_phone(words: set[str], texts: pa.Array) -> bool:
    if words & {"phone", "telephone", "tel", "mobile", "fax", "cell", "cellphone", "msisdn", "telefon", "whatsapp"}:
        return True
    plus = pc.mean(pc.cast(pc.match_substring_regex(texts, r"^\+[0-9]{1,3}[ 0-9(.-]{7,}"), pa.float64())).as_py()
    north = pc.mean(
        pc.cast(
            pc.match_substring_regex(texts, r"^(?:\+?1[ .-]?)?\(?[2-9][0-9]{2}\)?[ .-][0-9]{3}[ .-][0-9]{4}$"),
            pa.float64(),
        )
    ).as_py()
    return bool(max(plus, north) >= 0.95)


def _shape(texts: pa.Array) -> str:
    """The commonest layout with every digit as 9 and every letter as A."""
    digits = pc.replace_substring_regex(texts, "[0-9]", "9")
    counts = pc.replace_substring_regex(digits, "[A-Z]", "A").value_counts()
    best = np.argmax(counts.field("counts").to_numpy())
    return str(counts.field("values")[int(best)].as_py())


def _plate(texts: pa.Array) -> str:
    return _shape(pc.replace_substring_regex(texts, "[ÄÖÜ]", "A"))


def is_code_like(texts: pa.Array) -> bool:
    """Whether distinct texts look like codes: one word with a digit, or words of one length above 7."""
    digits = pc.match_substring_regex(texts, r"^[^\s]*[0-9][^\s]*$")
    if pc.mean(pc.cast(digits, pa.float64())).as_py() >= 0.9:
        return True
    lengths = pc.min_max(pc.utf8_length(texts))
    one_word = not pc.any(pc.match_substring_regex(texts, r"\s")).as_py()
    return bool(one_word and lengths["min"].as_py() == lengths["max"].as_py() > 7)


def code_of(name: str, texts: pa.Array) -> str:
    """The pattern of distinct codes: of postcodes the whole layout of most of them, of others a mask that none fits."""
    if not names_a_place(name):
        return mask_of(texts)
    length, used = _usual(texts)
    shared = pc.sum(pc.equal(pc.utf8_length(texts), length)).as_py() >= SHARED
    return "place:" + "".join(_written(_class(characters, shared=shared)) for characters in used)


def _usual(texts: pa.Array) -> tuple[int, list[set[str]]]:
    """The commonest length of distinct codes, the longest of those, and the characters at each place of it."""
    found = pc.utf8_length(texts).value_counts()
    lengths, held = found.field("values").to_numpy(), found.field("counts").to_numpy()
    length = int(lengths[held == held.max()].max())
    return length, _used(texts.filter(pc.equal(pc.utf8_length(texts), length)), length)


def mask_of(texts: pa.Array) -> str:
    """A mask that keeps the layout of distinct codes and that none of them fits.

    It follows the longest codes that five or more have the length of, and holds what all of those share and nothing
    that fewer do. At one place it allows only characters that no real code has there; where every place is full it has
    digits more, after the last run of digits.
    """
    lengths = pc.utf8_length(texts)
    found = lengths.value_counts()
    known, held = found.field("values").to_numpy(), found.field("counts").to_numpy()
    length = int(known[held >= SHARED].max()) if (held >= SHARED).any() else _usual(texts)[0]
    used = _used(texts.filter(pc.equal(lengths, length)), length)
    places = [_class(characters, shared=held[known == length][0] >= SHARED) for characters in used]
    last_run = _last_digits(used)
    for at in last_run:
        places[at] = DIGITS
    longer = _used(pc.utf8_slice_codeunits(texts.filter(pc.greater_equal(lengths, length)), 0, length), length)
    for at in [*last_run, *(at for at in range(length) if len(places[at]) > 1)]:
        free = "".join(c for c in places[at] if c not in longer[at])
        if free:
            return "".join(_written(free if here == at else place) for here, place in enumerate(places))
    grown = last_run[-1] + 1 if last_run else length
    more = next(digits for digits in range(1, len(known) + 2) if length + digits not in known)
    return "".join(map(_written, places[:grown])) + "9" * more + "".join(map(_written, places[grown:]))


def _used(texts: pa.Array, length: int) -> list[set[str]]:
    """The characters at each place of texts of one length."""
    grid = np.array(texts.to_pylist(), dtype=f"<U{length}").view("<U1").reshape(len(texts), length)
    return [set(np.unique(grid[:, at]).tolist()) for at in range(length)]


def _class(used: set[str], *, shared: bool) -> str:
    """All characters of the kinds that stand at one place; itself where it is always the same and so `shared`."""
    kinds = (DIGITS, UPPER, UPPER.lower())
    if len(used) == 1:
        only = next(iter(used))
        return (
            only if shared or not only.isalnum() else next((k for k in kinds if only in k), kinds[only.islower() + 1])
        )
    if used <= set(DIGITS + "abcdef") and used & set("abcdef") and used & set(kinds[0]):
        return DIGITS + "abcdef"
    known = "".join(kind for kind in kinds if used & set(kind))
    return known + "".join(sorted(used - set(known)))


def _last_digits(used: list[set[str]]) -> list[int]:
    """The places of the last run that holds only digits, and not the same ones in all codes."""
    run: list[int] = []
    for at in reversed(range(len(used))):
        if used[at] <= set(DIGITS):
            run.insert(0, at)
        elif any(len(used[one]) > 1 for one in run):
            break
        else:
            run = []
    return run if any(len(used[one]) > 1 for one in run) else []


def _written(place: str) -> str:
    if place == DIGITS:
        return "9"
    if place == UPPER:
        return "A"
    if len(place) == 1:
        return f"\\{place}" if place in "A9[]\\;:" else place
    ranges = ""
    for characters, short in ((DIGITS, "0-9"), (UPPER, "A-Z"), (UPPER.lower(), "a-z")):
        if characters in place:
            ranges, place = ranges + short, place.replace(characters, "")
    return "[" + ranges + "".join(f"\\{c}" if c in "-]\\;:[" else c for c in place) + "]"


def words_pattern(texts: pa.Array) -> str:
    """`words:LOW-HIGH`: how many words most of the texts have (5th to 95th percentile)."""
    counts = np.asarray(pc.add(pc.count_substring_regex(pc.utf8_trim_whitespace(texts), r"\s+"), 1))
    low, high = np.quantile(counts, [0.05, 0.95], method="nearest").astype(int)
    return f"words:{max(1, low)}-{max(1, high)}"
