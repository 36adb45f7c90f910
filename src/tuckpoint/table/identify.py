"""New keys, contact data, names, codes and free text that belong to nobody.

Nothing here sees a real value; what a column looks like is in its pattern (see `table.patterns`). Numbers of rows are
scattered by a fixed permutation of the space of each pattern, so that shards never meet. What is reserved, and why:

email   `NAME.NUMBER@example.org`: example.org is reserved for documentation (RFC 2606, section 3).
url     `https://example.com/...`: the same.
uuid    version 8, free for private use (RFC 9562, section 5.8); the versions in common use are 1, 4 and 7.
ip      240.0.0.0/4, reserved for a future that has not come (RFC 1112, section 4; IANA).
iban    check digits 00: those of a valid IBAN lie in 02..98 (ISO 13616, ISO 7064 MOD 97-10).
phone   +999, a country code that ITU-T E.164 keeps unassigned; in the layout of North America an area code N9X, which
        the numbering plan holds back for its expansion, with 555-01XX, reserved for fiction, as long as those last;
        elsewhere 000 in front, since 00 there calls abroad and no subscriber's number begins with it (ITU-T E.164).
plate   letters I and Q only, I first: I is left out of plates in the United Kingdom, France, Italy and Spain, and no
        German district begins with II or IQ.
mac     for local use, given to no maker (IEEE 802).
ssn     area number 000, never issued (United States Social Security Administration).
codes   at one place of the mask only characters that no real code had there when the schema was inferred.
place   of postcodes any that fit the layout: they may be in use and may repeat, for they are no person's.
names   first and last names drawn from Faker's lists, weighted as there; a full name may by chance be someone's.
text    common English words from Faker's list in random order.
"""

from __future__ import annotations

import re
from functools import cache
from math import prod

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tuckpoint.errors import InputError, SchemaError
from tuckpoint.schema import Column
from tuckpoint.seed import Seed
from tuckpoint.table.decode import storage_type
from tuckpoint.table.patterns import DIGITS, UPPER
from tuckpoint.table.quantities import largest_key

Places = tuple[str, ...]  # the characters allowed at each place of a mask
Numbers = NDArray[np.int64]
LIMIT = 2**62
KINDS = (
    "key",
    "uuid",
    "email",
    "phone",
    "iban",
    "plate",
    "place",
    "ip",
    "url",
    "name",
    "first_name",
    "last_name",
    "words",
    "missing",
)
_IBAN = "AA99 9999 9999 9999 9999 99"
_PHONE = "999-999-9999"
_PLATE = "AA-999-AA"


def fabricate(column: Column, rows: int, *, first_row: int, seed: Seed) -> pa.Array:
    """New values of an identifier or text column in its storage type, (rows,).

    Rows `first_row` and on of one endless column: keys, codes and contact data never repeat, whichever shards draw
    them, as long as the shards' seeds have one root. Names, postcodes and text may repeat. The share of missing values
    is the pattern's. Raises SchemaError for a pattern or storage that cannot hold them, InputError for more rows than
    exist.
    """
    kind, detail, missing = parts_of(column)
    numbers = np.arange(first_row, first_row + rows, dtype=np.int64)
    key = Seed(seed.root).child("identify", column.name)  # one permutation for all shards
    draw = seed.child("identify", column.name, first_row)
    if kind == "missing":
        return pa.nulls(rows, storage_type(column.storage))
    storage = _made_type(column)
    if rows == 0:
        return pa.nulls(0, storage)
    made = _keys(numbers, detail, column) if kind == "key" else _texts(kind, detail, numbers, key, draw)
    if missing > 0:
        gone = draw.child("missing").numpy().random(rows) < missing
        made = pc.if_else(pa.array(gone), pa.scalar(None, made.type), made)
    try:
        if pa.types.is_dictionary(storage):
            return made.cast(storage.value_type).dictionary_encode().cast(storage)
        return made.cast(storage)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SchemaError(
            f'column "{column.name}": made values do not fit storage {column.storage} ({error}); use int64 or string'
        ) from None


def parts_of(column: Column) -> tuple[str, str, float]:
    """Kind, detail and share of missing values of a column's pattern; text without one is 3 to 12 words long."""
    pattern, _, share = (column.pattern or ("words:3-12" if column.kind == "text" else "key")).rpartition(";missing=")
    if not pattern:
        pattern, share = share, "0"
    kind, _, detail = pattern.partition(":")
    try:
        missing = float(share)
    except ValueError:
        raise SchemaError(f'column "{column.name}": missing={share} is no share in 0..1') from None
    return (kind, detail, missing) if kind in KINDS else ("mask", pattern, missing)


def parse_mask(mask: str) -> Places:
    """The characters allowed at each place: A a letter, 9 a digit, [..] one of these, \\x the x itself."""
    places = []
    for found in re.finditer(r"\\(.)|\[((?:\\.|[^\]\\])+)\]|(.)", mask, re.DOTALL):
        escaped, among, plain = found.groups()
        if among is not None:
            places.append(_among(among))
        elif escaped is not None:
            places.append(escaped)
        else:
            places.append({"A": UPPER, "9": DIGITS}.get(plain, plain))
    if not places:
        raise SchemaError("an empty mask makes nothing; write one such as AA-9999")
    return tuple(places)


def _among(text: str) -> str:
    allowed = ""
    for found in re.finditer(r"\\(.)|(.)-(.)|(.)", text, re.DOTALL):
        escaped, low, high, plain = found.groups()
        allowed += "".join(map(chr, range(ord(low), ord(high) + 1))) if low is not None else escaped or plain
    return "".join(dict.fromkeys(allowed))


def _made_type(column: Column) -> pa.DataType:
    """The storage type; the indices of a dictionary are wide enough for as many values as rows."""
    kind = storage_type(column.storage)
    return pa.dictionary(pa.int32(), kind.value_type, kind.ordered) if pa.types.is_dictionary(kind) else kind


def _keys(numbers: Numbers, detail: str, column: Column) -> pa.Array:
    if not re.fullmatch(r"[0-9]*", detail):
        raise SchemaError(f'column "{column.name}": key:{detail} is no first key; write one such as key:1001')
    first, largest = int(detail or 1), largest_key(column.storage)
    last = first + int(numbers.max(initial=0))
    if last > largest:
        raise InputError(
            f'column "{column.name}": key {last} does not fit {column.storage}, which counts up to {largest}; take '
            f"fewer rows, a lower first key (pattern key:1), or a wider storage such as int64 or string"
        )
    keys = pa.array(numbers.astype(np.uint64) + np.uint64(first))
    return keys.cast(pa.decimal128(20, 0)) if "decimal" in column.storage else keys


def _texts(kind: str, detail: str, numbers: Numbers, key: Seed, draw: Seed) -> pa.Array:
    if kind == "words":
        return _sentences(detail, len(numbers), draw)
    if kind in ("name", "first_name", "last_name"):
        return _names(kind, len(numbers), draw)
    if kind == "email":
        names = pc.utf8_lower(pc.replace_substring(_names("name", len(numbers), draw), " ", "."))
        return _joined(names, ".", _written(parse_mask("999999"), numbers, key), "@example.org")
    if kind == "url":
        return _joined("https://example.com/", _written(parse_mask("[a-z0-9]" * 8), numbers, key))
    if kind == "uuid":
        hexes = "[0-9a-f]"
        mask = f"{hexes * 8}-{hexes * 4}-8{hexes * 3}-[89ab]{hexes * 3}-{hexes * 12}"
        made = _written(parse_mask(mask), numbers, key, draw)
        return pc.utf8_upper(made) if detail == "upper" else made
    if kind == "ip":
        return _ips(numbers, key)
    if kind == "place":
        characters = parse_mask(detail or "99999")
        generator = draw.child("place").numpy()
        return _spelled(characters, [generator.integers(len(one), size=len(numbers)) for one in characters])
    if kind == "phone":
        return _phones(detail or _PHONE, numbers, key)
    places = {"iban": _iban, "plate": _plate}.get(kind, parse_mask)(detail)
    return _written(places, numbers, key, draw)


def _joined(*pieces: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*pieces, "")


def _written(places: Places, numbers: Numbers, key: Seed, draw: Seed | None = None) -> pa.Array:
    """One text per number, all different; a mask that is too small for them grows by digits after its last digit."""
    last = max((at for at, place in enumerate(places) if len(place) > 1 and set(place) <= set(DIGITS)), default=-1)
    grown = last + 1 or len(places)
    while prod(map(len, places)) <= int(numbers.max(initial=0)):
        places = (*places[:grown], DIGITS, *places[grown:])
    sizes = [len(place) for place in places]
    first, space = len(places), 1  # places from `first` on are numbered by the permutation, those before are drawn
    while first > 0 and space * sizes[first - 1] <= LIMIT:
        first -= 1
        space *= sizes[first]
    scattered = _scattered(numbers, space, key)
    columns = []
    for at in reversed(range(first, len(places))):
        scattered, digit = np.divmod(scattered, sizes[at])
        columns.append(digit)
    columns.reverse()
    generator = (draw or key).child("rest").numpy()
    loose = [generator.integers(sizes[at], size=len(numbers)) for at in range(first)]
    return _spelled(places, [*loose, *columns])


def _scattered(numbers: Numbers, space: int, key: Seed) -> Numbers:
    """A permutation of 0..space-1, applied to the numbers: a Feistel network of four rounds, walked into the space.

    Luby and Rackoff (1988); cycle walking as in Black and Rogaway (2002). It hides the order of rows and no secret.
    """
    half = np.uint64(max(1, (space.bit_length() + 1) // 2))
    keys = key.child("permutation").numpy().integers(2**63, size=4, dtype=np.uint64)
    values = numbers.astype(np.uint64)
    walking = np.arange(len(values))
    while len(walking):
        values[walking] = _feistel(values[walking], half, keys)
        walking = walking[values[walking] >= space]
    return values.astype(np.int64)


def _feistel(values: NDArray[np.uint64], half: np.uint64, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mask = (np.uint64(1) << half) - np.uint64(1)
    left, right = values >> half, values & mask
    for key in keys:
        mixed = (right ^ key) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        left, right = right, left ^ ((mixed ^ (mixed >> np.uint64(32))) & mask)
    return (left << half) | right


def _spelled(places: Places, digits: list[Numbers]) -> pa.Array:
    """Texts of one length from the chosen character of each place."""
    if all(character.isascii() for place in places for character in place):
        letters = [np.frombuffer(place.encode(), np.uint8) for place in places]
        grid = np.stack([letter[digit] for letter, digit in zip(letters, digits, strict=True)], axis=1)  # (n, places)
        offsets = np.arange(0, grid.size + 1, len(places), dtype=np.int64)
        buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(grid.tobytes())]
        return pa.Array.from_buffers(pa.large_string(), len(grid), buffers).cast(pa.string())
    pieces = [pa.array(list(place)).take(pa.array(digit)) for place, digit in zip(places, digits, strict=True)]
    return _joined(*pieces)


def _iban(layout: str) -> Places:
    """The layout with its own country, else XX (user-assigned in ISO 3166-1), and the check digits 00."""
    characters = [{"A": UPPER, "9": DIGITS}.get(character, character) for character in layout or _IBAN]
    country = [place if len(place) == 1 else "X" for place in characters[:2]]
    return (*country, "0", "0", *characters[4:])


def _plate(layout: str) -> Places:
    """The layout with I, then I or Q, for its letters; one without letters gets an I in front."""
    places = []
    for character in layout or _PLATE:
        letters = "IQ" if "I" in places else "I"
        places.append(letters if character == "A" else DIGITS if character == "9" else character)
    return tuple(places) if "I" in places else ("I", *places)


def _phones(layout: str, numbers: Numbers, key: Seed) -> pa.Array:
    """The layout's digits, from the left: reserved ones, then free ones."""
    held = [at for at, character in enumerate(layout) if character == "9"]
    if layout.startswith("+"):
        north = len(held) == 11 and re.match(r"^\+9[ .-]?\(?999\)?[ .-]999[ .-]9999$", layout) is not None
    else:
        north = re.match(r"^\(?999\)?[ .-]?999[ .-]?9999$", layout) is not None
    digits = [DIGITS] * len(held)
    if north:
        start = len(held) - 10
        digits[:start] = ["1"] * start
        area = ["2345678", "9", DIGITS]
        fiction = [*digits[:start], *area, "5", "5", "5", "0", "1", DIGITS, DIGITS]
        if int(numbers.max(initial=0)) < prod(map(len, fiction)):
            digits = fiction
        else:
            digits = [*digits[:start], *area, "23456789", "012346789", *([DIGITS] * 5)]  # no exchange 555 again
    else:
        reserved = "999" if layout.startswith("+") else "000"
        digits[:3] = list(reserved)
    places = list(layout)
    for at, allowed in zip(held, digits, strict=False):
        places[at] = allowed
    return _written(tuple(places), numbers, key)


def _ips(numbers: Numbers, key: Seed) -> pa.Array:
    if int(numbers.max(initial=0)) >= 2**28 - 1:
        raise InputError("240.0.0.0/4 holds 268,435,455 addresses; take fewer rows, or make the column text")
    scattered = _scattered(numbers, 2**28 - 1, key)  # without 255.255.255.255, which is in use
    octets = [(240 + (scattered >> 24)), (scattered >> 16) & 255, (scattered >> 8) & 255, scattered & 255]
    cells = [pc.cast(pa.array(octet), pa.string()) for octet in octets]
    return pc.binary_join_element_wise(*cells, ".")


@cache
def _name_lists() -> dict[str, tuple[pa.Array, NDArray[np.float64]]]:
    """Names and their cumulated weights, by kind."""
    from faker.providers.person.en_US import Provider

    lists = {}
    for kind, found in (("first_name", Provider.first_names), ("last_name", Provider.last_names)):
        weights = np.cumsum(np.fromiter(found.values(), float, len(found)))
        lists[kind] = (pa.array(list(found)), weights / weights[-1])
    return lists


def _names(kind: str, rows: int, draw: Seed) -> pa.Array:
    wanted = ("first_name", "last_name") if kind == "name" else (kind,)
    drawn = []
    for name in wanted:
        names, cumulated = _name_lists()[name]
        places = np.searchsorted(cumulated, draw.child(name).numpy().random(rows), side="right")
        drawn.append(names.take(pa.array(np.minimum(places, len(names) - 1))))
    return drawn[0] if len(drawn) == 1 else pc.binary_join_element_wise(*drawn, " ")


@cache
def _vocabulary() -> pa.Array:
    from faker.providers.lorem.en_US import Provider

    return pa.array(sorted({word.lower() for word in Provider.word_list}))


def _sentences(detail: str, rows: int, draw: Seed) -> pa.Array:
    bounds = re.fullmatch(r"(\d+)-(\d+)", detail or "3-12")
    if bounds is None or int(bounds[1]) > int(bounds[2]):
        raise SchemaError(f"words:{detail} is no range of lengths; write it like words:3-12")
    generator = draw.child("words").numpy()
    lengths = generator.integers(int(bounds[1]), int(bounds[2]) + 1, size=rows)
    known = _vocabulary()
    words = known.take(pa.array(generator.integers(len(known), size=int(lengths.sum()))))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), words), " ")
