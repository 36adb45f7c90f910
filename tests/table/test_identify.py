from __future__ import annotations

import ipaddress
import re
import time
import uuid

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuckpoint.errors import InputError, SchemaError
from tuckpoint.schema import Column
from tuckpoint.seed import Seed
from tuckpoint.table.identify import fabricate
from tuckpoint.table.infer import infer

SEED = Seed(5)


def made(pattern, rows=1000, first_row=0, seed=SEED, storage="string", kind="identifier"):
    missing = ";missing" in pattern
    column = Column("x", kind, storage, missing, pattern=pattern)
    return fabricate(column, rows, first_row=first_row, seed=seed).to_pylist()


UNIQUE = {
    "key": r"\d+",
    "key:5001": r"\d{4}",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "email": r"[a-z']+\.[a-z']+\.\d{6}@example\.org",
    "phone": r"[2-9]9\d-555-01\d\d",
    "phone:+9 (999) 999-9999": r"\+1 \([2-9]9\d\) 555-01\d\d",
    "phone:+99 999 9999999": r"\+99 9\d\d \d{7}",
    "phone:99999 999999": r"000\d\d \d{6}",
    "iban:AA99 9999 9999 9999 9999 99": r"XX00( \d{4}){4} \d\d",
    "iban:DE99999999999999999999": r"DE00\d{18}",
    "plate:AA-AA 9999": r"I[IQ]-[IQ][IQ] \d{4}",
    "ip": r"2[45]\d(\.\d+){3}",
    "url": r"https://example\.com/[a-z0-9]{8}",
    "AA-9999": r"[A-Z]{2}-\d{4}",
    r"C\A\9[x-z]-[1-4]999": r"CA9[xyz]-[1-4]\d{3}",
    "Ä-9999": r"Ä-\d{4}",
    "000-99-9999": r"000-\d\d-\d{4}",
}


@pytest.mark.parametrize("pattern", UNIQUE)
def test_patterns_are_kept_and_shards_never_meet(pattern):
    shards = ((0, 700), (700, 1), (701, 1299))
    values = [value for first, rows in shards for value in made(pattern, rows, first, SEED.child("shard", first))]
    assert len(set(values)) == 2000
    assert [value for value in values if not re.fullmatch(UNIQUE[pattern], value)] == []


@pytest.mark.parametrize("pattern", [*UNIQUE, "name", "first_name", "last_name", "words:2-5"])
def test_same_seed_same_values(pattern):
    assert made(pattern) == made(pattern)
    if not pattern.startswith("key"):
        assert made(pattern) != made(pattern, seed=Seed(6))
    assert made(pattern, 0) == []
    assert len(made(pattern, 1)) == 1


def test_a_mask_that_is_too_small_grows():
    values = made("A9", 3000)
    assert len(set(values)) == 3000
    assert len(set(made("A9", 100) + made("A9", 2900, 100))) == 3000
    phones = made("phone", 5000) + made("phone", 20_000, 5000)
    assert len(set(phones)) == 25_000
    assert all(phone[1] == "9" for phone in phones)


def sources():
    generator = np.random.default_rng(1)
    take = generator.permutation
    hexes = [uuid.UUID(bytes=generator.bytes(16), version=4) for _ in range(3000)]
    return {
        "id": take(np.arange(1, 3001)),
        "customer_id": [f"CUST-{n:05d}" for n in take(3000)],
        "code": [f"X{n:04d}" for n in take(10_000)],
        "vin": ["".join(row) for row in generator.choice(list("ABCDEFGHJKLMN0123456789"), (3000, 9))],
        "ref": [f"2024/{n}" for n in take(3000)],
        "email": [f"a.b.{n:06d}@example.com" for n in take(3000)],
        "phone": [f"212-555-{n:04d}" for n in take(3000)],
        "mobile": [f"+1 {200 + n // 100} 555 01{n % 100:02d}" for n in take(3000)],
        "session": [str(value) for value in hexes],
        "ssn": [f"{100 + n % 800:03d}-{n % 97:02d}-{n:04d}" for n in take(3000)],
        "licence_plate": [f"AB{n % 100:02d} QI{chr(65 + n % 26)}" + f"{n:03d}" for n in take(1000)],
        "iban": [f"GB{n % 90 + 2:02d}WEST{n:014d}" for n in take(3000)],
        "ip": [f"10.0.{n // 250}.{n % 250}" for n in take(3000)],
    }


@pytest.mark.parametrize("name", sources())
def test_no_made_identifier_is_a_real_one(name):
    values = sources()[name]
    schema = infer(pa.table({name: values}))
    assert schema[name].kind == "identifier"
    column = fabricate(schema[name], 12_000, first_row=0, seed=SEED)
    assert len(column.unique()) == 12_000
    assert str(column.type) == schema[name].storage
    assert not set(column.to_pylist()) & set(pa.array(values).to_pylist())


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.from_regex(r"[A-C]{1,2}[0-9]{2,4}", fullmatch=True), min_size=25, max_size=200), st.integers(0, 10**6)
)
def test_no_mask_of_codes_makes_one_of_them(codes, first_row):
    schema = infer(pa.table({"code": sorted(codes)}))
    values = fabricate(schema["code"], 500, first_row=first_row, seed=SEED).to_pylist()
    assert not set(values) & codes
    assert len(set(values)) == 500


def test_reserved_values_cannot_belong_to_anyone():
    for value in made("iban:GB99AAAA99999999999999"):
        digits = "".join(str(int(character, 36)) for character in value[4:] + value[:4])
        assert int(digits) % 97 != 1 or value[2:4] == "00"
        assert value[2:4] == "00"
    assert all(ipaddress.ip_address(value).is_reserved for value in made("ip"))
    assert all(uuid.UUID(value).version == 8 for value in made("uuid"))


def test_names_are_names_and_text_has_its_lengths():
    names = made("name", 5000)
    assert all(re.fullmatch(r"[^\W\d_]+ [^\W\d_' -]+.*", name) for name in names)
    assert len(set(names)) > 2000
    lengths = [len(text.split()) for text in made("words:3-5", 3000, kind="text")]
    assert (min(lengths), max(lengths)) == (3, 5)
    assert 800 < lengths.count(4) < 1200


@pytest.mark.parametrize(
    "kind", [pa.duration("us"), pa.bool_(), pa.dictionary(pa.int8(), pa.string()), pa.time64("us")]
)
def test_a_column_without_any_value_keeps_its_type(kind):
    real = pa.table({"gone": pa.nulls(30, kind), "x": list(range(30))})
    assert fabricate(infer(real)["gone"], 3, first_row=0, seed=SEED).equals(pa.nulls(3, kind))


def test_missing_values_come_in_their_share():
    assert 0.25 < np.mean([value is None for value in made("email;missing=0.3", 4000)]) < 0.35
    assert made("missing", 3, storage="double") == [None] * 3


def test_storage_types_are_kept():
    coded = "dictionary<values=string, indices=int32, ordered=0>"
    column = Column("x", "identifier", coded, pattern="AA-99")
    assert str(fabricate(column, 3, first_row=0, seed=SEED).type) == coded
    assert made("key:11", 3, storage="int16") == [11, 12, 13]
    assert made("key:11", 2, first_row=1, storage="double") == [12.0, 13.0]


def test_what_cannot_be_made_says_why():
    with pytest.raises(InputError, match="key 128 does not fit int8"):
        made("key:100", 29, storage="int8")
    with pytest.raises(SchemaError, match="do not fit storage int64"):
        made("AA-99", storage="int64")
    with pytest.raises(SchemaError, match="no first key"):
        made("key:x")
    with pytest.raises(SchemaError, match="no range of lengths"):
        made("words:9-3")
    with pytest.raises(SchemaError, match="no share"):
        made("email;missing=lots")


def test_fabricating_is_quick():
    start = time.process_time()
    for pattern in ("email", "name", "words:3-12", "uuid"):
        made_ = fabricate(Column("x", "identifier", "string", pattern=pattern), 100_000, first_row=0, seed=SEED)
        assert len(made_) == 100_000
    assert time.process_time() - start < 4


@pytest.mark.parametrize(
    ("storage", "largest"),
    [
        ("int8", 127),
        ("uint16", 2**16 - 1),
        ("int64", 2**63 - 1),
        ("uint64", 2**64 - 1),
        ("string", 2**64 - 1),
        ("float", 2**24),
        ("double", 2**53),
        ("decimal128(5, 0)", 99_999),
        ("decimal128(7, 2)", 99_999),
        ("decimal128(38, 0)", 2**64 - 1),
        ("dictionary<values=int16, indices=int8, ordered=0>", 2**15 - 1),
    ],
)
def test_keys_stay_within_their_storage(storage, largest):
    start = largest - 9
    whole = made(f"key:{start}", rows=10, storage=storage)
    assert [int(key) for key in whole] == list(range(start, largest + 1))
    with pytest.raises(InputError, match=f"key {largest + 1} does not fit .* counts up to {largest}; take fewer rows"):
        made(f"key:{start}", rows=10, first_row=1, storage=storage)
    with pytest.raises(InputError, match="does not fit"):
        made(f"key:{10**30}", rows=1, storage=storage)


@pytest.mark.parametrize("values", [[f"AB{n:05d}" for n in range(100)], [str(n) for n in range(100)]])
def test_keys_that_came_as_categories_are_as_many_as_rows(values):
    column = infer(pa.table({"x_id": pa.array(values).cast(pa.dictionary(pa.int8(), pa.string()))}))["x_id"]
    keys = fabricate(column, 1000, first_row=0, seed=SEED)
    assert len(keys.unique()) == 1000
    assert pa.types.is_dictionary(keys.type)
    assert keys.type == fabricate(column, 0, first_row=0, seed=SEED).type
