from __future__ import annotations

import re
import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tuckpoint.errors import SchemaError
from tuckpoint.examples import census
from tuckpoint.schema import Column, Domain, Schema
from tuckpoint.seed import Seed
from tuckpoint.table.decode import decode
from tuckpoint.table.encode import encode, spell
from tuckpoint.table.frame import read
from tuckpoint.table.identify import fabricate
from tuckpoint.table.infer import check, infer

ROWS = 200
DRAW = np.random.default_rng(7)


def kind_of(values, name="x"):
    return infer(pa.table({name: values}))[name]


def csv(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode(encoding))
    return read(path).table


def words(rows, count=6):
    known = [
        "the",
        "of",
        "and",
        "to",
        "in",
        "for",
        "on",
        "with",
        "river",
        "house",
        "garden",
        "winter",
        "letter",
        "engine",
        "copper",
    ]
    return [" ".join(DRAW.choice(known, count)) for _ in range(rows)]


def test_the_census_is_understood():
    schema = infer(census(), target="income")
    assert schema.primary_key is None
    assert schema["fnlwgt"].kind == schema["education_num"].kind == "integer"
    assert schema["native_country"].kind == "category"
    assert {column.name for column in schema.columns if column.sensitive} >= {"sex", "race", "marital_status"}
    assert all(column.modelled and column.domain.provenance == "data" for column in schema.columns)
    assert Schema.from_dict(schema.to_dict()) == schema


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("price", DRAW.permutation(100_000)[:ROWS]),
        ("fnlwgt", 10_000 + 7 * np.arange(ROWS)),
        ("year", np.arange(1800, 1800 + ROWS)),
        ("rank", np.arange(1, ROWS + 1)),
        ("value", DRAW.normal(size=ROWS)),
        ("visits", np.arange(ROWS) // 2),
        ("measured_at", 1_600_000_000 + 60 * np.arange(ROWS)),
        ("education_num", np.arange(ROWS) % 16),
        ("number_of_rooms", DRAW.permutation(5000)[:ROWS]),
    ],
)
def test_different_numbers_alone_are_no_key(name, values):
    schema = infer(pa.table({name: values}))
    assert schema.primary_key is None
    assert schema[name].modelled


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("customerId", DRAW.permutation(100_000)[:ROWS]),
        ("id", np.arange(500, 500 + ROWS)),
        ("row", np.arange(ROWS)),
        ("order number", DRAW.permutation(10**6)[:ROWS]),
        ("code", [f"C-{n:05d}" for n in range(ROWS)]),
        ("reference", [f"{n:08x}-0000-4000-8000-000000000000" for n in range(ROWS)]),
    ],
)
def test_keys_are_found(name, values):
    schema = infer(pa.table({"other": [1, 2] * (ROWS // 2), name: values}))
    assert schema.primary_key == name
    assert schema[name].kind == "identifier"


def test_a_column_called_id_is_the_key_before_others():
    assert infer(pa.table({"line": np.arange(ROWS), "id": np.arange(900, 900 + ROWS)})).primary_key == "id"


@pytest.mark.parametrize(
    ("name", "values", "pattern"),
    [
        ("contact", [f"user{n}@mail.net" for n in range(30)], "email"),
        ("x", [f"(212) 736-{5000 + n}" for n in range(30)], "phone:(999) 999-9999"),
        ("x", [f"+49 171 {5_000_000 + n}" for n in range(30)], "phone:+99 999 9999999"),
        ("mobile", [f"0171{5_000_000 + n}" for n in range(30)], "phone:99999999999"),
        ("account", [f"DE8937040044053201{n:04d}" for n in range(30)], "iban:AA99999999999999999999"),
        ("licence plate", [f"B-AB {1000 + n}" for n in range(30)], "plate:A-AA 9999"),
        ("x", [f"10.0.{n}.7" for n in range(30)], "ip"),
        ("x", [f"{100 + n}-22-{3000 + n}" for n in range(30)], "000-99-9999"),
        ("name", [f"{a} {b}" for a in ("Ann", "Bo", "Çelik") for b in ("Smith", "O'Neil", "Zhao")], "name"),
        ("first_name", ["Ann", "Bo", "Ann", "Eve"] * 5, "first_name"),
        ("Surname", ["smith", "o'neil", "zhao"] * 5, "last_name"),
    ],
)
def test_contact_data_are_identifiers_and_personal(name, values, pattern):
    column = kind_of(values, name)
    assert (column.kind, column.pattern, column.personal) == ("identifier", pattern, True)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("country name", ["New Zealand", "South Africa"] * 20),
        ("zip", ["02134", "10001", "94105"] * 20),
        ("version", ["1.2.3.4", "2.0.0.1"] * 20),
        ("interval", ["2019-2020", "2020-2021"] * 20),
        ("plan", ["5 GB", "10 GB"] * 20),
    ],
)
def test_levels_that_look_like_something_else_stay_levels(name, values):
    column = kind_of(values, name)
    assert column.kind == "category" or name == "version"


def test_links_and_uuids_are_identifiers_of_things():
    for values in (
        [f"https://my.site/{n}" for n in range(30)],
        [f"{n:08x}-1111-4222-8333-444455556666" for n in range(30)],
    ):
        column = kind_of(values)
        assert (column.kind, column.personal) == ("identifier", False)


def test_free_text_keeps_only_its_lengths():
    column = kind_of(words(ROWS))
    assert (column.kind, column.pattern, column.domain) == ("text", "words:6-6", None)
    assert kind_of([*words(ROWS), None]).pattern.startswith("words:6-6;missing=0.00")


def test_codes_that_few_rows_share_keep_their_look_and_not_random_words():
    rng = np.random.default_rng(3)
    zips = [f"{z:05d}" for z in rng.integers(501, 2000, 3000)]
    posts = [
        f"{a}W{b} {c}{d}X" for a, b, c, d in zip("SNEW" * 100, *rng.integers(0, 9, (2, 400)), "ABDE" * 100, strict=True)
    ]
    for values, look in ((zips, r"\d{5}"), (posts, r"[A-Z]W\d+ \d[A-Z]X")):
        column = kind_of(values)
        assert column.kind == "identifier"
        assert "not learnt" in column.note
        made = fabricate(column, 200, first_row=0, seed=Seed(1)).to_pylist()
        assert all(re.fullmatch(look, text) for text in made), made[:3]
        assert not set(made) & set(values)


def test_no_identifier_carries_a_real_value():
    table = pa.table(
        {"a": [f"SECRET{n:04d}" for n in range(ROWS)], "b": words(ROWS), "c": [f"u{n}@x.net" for n in range(ROWS)]}
    )
    text = infer(table).to_yaml()
    real = [value for name in table.column_names for value in table[name].to_pylist()]
    assert not [value for value in real if value in text]


@pytest.mark.parametrize(
    ("values", "kind", "note"),
    [
        (["1,234", "56", "7,890,123"], "integer", "#,###"),
        ([" 12 ", "7", "8"], "integer", "spaces"),
        (["12%", "7.5%", "8%"], "decimal", ""),
        (["1", "2", "N/A", "?", "null"], "integer", "3 cells say 'N/A', '?', 'null': taken as missing"),
        (["03/04/2020", "05/06/2020"], "date", "not certain"),
        (["a", "NA", "?"] * 20, "category", ""),
    ],
)
def test_text_that_means_something_else(values, kind, note):
    column = kind_of(values)
    assert column.kind == kind
    assert note in column.note
    assert column.missing == ("N/A" in values)


@pytest.mark.parametrize(
    ("values", "word", "kind", "storage"),
    [
        ([*(f"{i}.5" for i in range(5, 60)), *["<5"] * 9], ["<5"], "decimal", "string"),
        ([*(f"1.{i},00 €" for i in range(100, 200)), *["k.A."] * 9, None], ["k.A.", ""], "integer", "string"),
        ([*(f"2024-01-{i:02d}" for i in range(1, 29)), *["open", "void"] * 6], ["open", "void"], "date", "string"),
        ([*map(str, range(100, 500)), "n.b."], ["n.b.", ""], "integer", "string"),
    ],
)
def test_words_among_numbers_and_moments_are_read_as_missing(values, word, kind, storage):
    column = kind_of(values)
    assert (column.kind, column.storage, column.missing) == (kind, storage, True)
    assert set(column.absent) == set(word)
    assert "taken as missing" in column.note
    assert Schema.from_dict(Schema((column,)).to_dict())["x"] == column


def test_a_column_is_named_by_text():
    told = {"columns": [{"name": 2024, "kind": "integer", "storage": "int64"}]}
    with pytest.raises(SchemaError, match="text for a name, and 2024 is none; put quotes around it"):
        Schema.from_dict(told)
    column = Column("a", "integer", "int64")
    with pytest.raises(SchemaError, match="names stand twice: 'a'"):
        Schema((column, Column("b", "integer", "int64"), column))


def test_a_word_that_is_all_that_is_missing_is_written_again():
    values = [*(f"{i}.5" for i in range(5, 60)), *["<5"] * 9]
    table = pa.table({"x": values})
    schema = infer(table)
    read = encode(table, schema)
    assert np.isnan(read.columns["x"]).sum() == 9
    assert decode(read, schema).column("x").to_pylist() == values


@pytest.mark.parametrize("word", ["NULL", "n/a", "#DIV/0!"])
def test_a_usual_word_for_missing_is_written_again_in_text_files(word):
    table = pa.table({"x": ["1", "2", word, "4"] * 9})
    column = infer(table)["x"]
    assert (column.kind, column.absent) == ("integer", (word,))
    typed = replace(column, storage="int64")
    made = decode(encode(table, Schema((typed,))), Schema((typed,)))
    assert made.column("x").to_pylist() == [1, 2, None, 4] * 9
    assert spell(made, Schema((typed,))).column("x").to_pylist() == ["1", "2", word, "4"] * 9
    assert infer(pa.table({"x": ["1", None, word, "4"] * 9}))["x"].absent == ()  # two ways: an empty cell will do


@pytest.mark.parametrize(
    ("word", "days"),
    [
        ("0000-00-00", [f"2024-01-{day:02d}" for day in range(1, 29)]),
        ("00000000", [f"202401{day:02d}" for day in range(1, 29)]),
        ("00.00.0000", [f"{day:02d}.01.2024" for day in range(1, 29)]),
        ("0000-00-00 00:00:00", [f"2024-01-{day:02d} 10:15:00" for day in range(1, 29)]),
    ],
)
def test_days_that_there_are_not_are_read_as_missing(word, days):
    table = pa.table({"x": [*days, *[word] * 6]})
    schema = infer(table)
    assert schema["x"].kind in ("date", "datetime")
    read = encode(table, schema)
    assert np.isnan(read.columns["x"]).sum() == 6
    assert decode(read, schema).column("x").to_pylist() == [*days, *[word] * 6]


def test_many_values_that_are_all_days_are_days_whatever_their_name():
    days = [f"2024{month:02d}{day:02d}" for month in range(1, 13) for day in range(1, 29)]
    table = pa.table({"BUDAT": days, "row_id": days, "CODE": [str(int(day) + 40) for day in days]})
    schema = infer(table)
    assert [schema[name].kind for name in table.column_names] == ["date", "identifier", "integer"]
    assert kind_of(days[:10] * 3).kind == "integer"  # ten may be days by chance


def test_almost_numbers_are_left_alone_with_a_note():
    column = kind_of([*map(str, range(50)), "twelve"])
    assert column.kind in ("text", "identifier")
    assert "50 of 51 different values are numbers" in column.note
    assert "row 51" in column.note
    assert "twelve" not in column.note


@pytest.mark.parametrize(
    ("levels", "ordered"),
    [
        (["high", "low", "medium"], ("low", "medium", "high")),
        (["65+", "<18", "18-24", "25-64"], ("<18", "18-24", "25-64", "65+")),
        (["March", "Jan", "Feb"], ("Jan", "Feb", "March")),
        (["red", "green", "blue"], None),
    ],
)
def test_known_scales_are_ordered(levels, ordered):
    column = kind_of(levels * 20)
    assert (column.kind, ordered is None or column.domain.levels == ordered) == (
        "ordered" if ordered else "category",
        True,
    )


def test_odd_tables():
    empty = kind_of(pa.array([None, None], pa.float64()))
    assert (empty.kind, empty.pattern, empty.missing, empty.storage) == ("text", "missing", True, "double")
    assert kind_of(pa.nulls(3)).storage == "null"
    assert kind_of(["", "NA", None]).pattern == "missing"
    assert kind_of(["same"] * 30).domain.levels == ("same",)
    assert kind_of([5] * 30).domain == Domain(low=5, high=5)
    one = infer(pa.table({"n": [1], "t": ["red"], "b": [True], "f": [0.5]}))
    assert [column.kind for column in one.columns] == ["integer", "category", "boolean", "decimal"]
    with pytest.raises(SchemaError, match="2 columns and no rows"):
        infer(pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.int64())}))
    with pytest.raises(SchemaError, match=r'"x": 1 value is infinite \(first: row 2\)'):
        kind_of([1.0, np.inf])


def test_numbers_too_long_for_floats_are_not_modelled():
    assert kind_of(np.array([2**60, 2**60 + 1, 5])).kind == "identifier"
    assert kind_of([f"{10**17 + n}" for n in range(30)], "card").kind == "identifier"


def test_decimals_are_the_fewest_that_reproduce():
    assert kind_of([0.1, 0.25, 3.0]).decimals == 2
    assert kind_of(pa.array([0.1, 0.2], pa.float32())).decimals == 1
    assert kind_of(pa.array([1.0, None, 3.0])).kind == "integer"
    assert kind_of([1e-9, 2.5e-9, 7e-8]).decimals > 9
    assert kind_of([0.0666666667, 0.25]).decimals == 10
    assert kind_of([*DRAW.normal(size=50), 2.0, 5.0]).decimals == 14  # 15 significant digits of the largest


def test_a_file_in_another_encoding_or_without_header_says_so(tmp_path):
    table = csv(tmp_path, "a,b\n" + "é,1\nu,2\n" * 20, "cp1252")
    assert "read as cp1252" in infer(table)["a"].note
    headless = csv(tmp_path, "0.5,1.25,a\n0.7,2.5,b\n")
    assert "lack a header" in infer(headless).columns[0].note


def test_roles():
    table = pa.table({"who": ["a", "b", "a"], "n": [3, 3, 1], "t": [1, 2, 3]})
    schema = infer(table, person="who", target="n", primary_key="t")
    assert (schema.person, schema.target, schema.primary_key) == ("who", "n", "t")
    assert (schema["who"].kind, schema["who"].personal, schema["t"].kind) == ("identifier", True, "identifier")
    with pytest.raises(SchemaError, match=r'target "nn" is not a column \(did you mean "n"'):
        infer(table, target="nn")
    with pytest.raises(SchemaError, match=r'primary key "n": 1 value stands there again \(first: row 2 = 3\)'):
        infer(table, primary_key="n")
    with pytest.raises(SchemaError, match='target "t" was understood as identifier'):
        infer(table, target="t", primary_key="t")


def test_a_repeating_identifier_of_people_is_the_person_and_another_is_asked_for():
    visits = {"patient_id": [f"P{i // 4:04d}" for i in range(400)], "hb": np.arange(400) % 90 / 10}
    schema = infer(pa.table(visits))
    assert schema.person == "patient_id"
    assert schema["patient_id"].personal
    assert "each made row has its own" in schema["patient_id"].note
    claims = {"policy_no": visits["patient_id"], "customer_id": [f"C{i:04d}" for i in range(400)]}
    schema = infer(pa.table(claims))
    assert schema.person is None  # no customer stands twice
    assert "--person policy_no" in schema["policy_no"].note
    assert infer(pa.table(claims), person="policy_no").person == "policy_no"


def test_check_names_column_count_row_value_and_cure():
    table = pa.table({"age": [30, 412, 500], "c": ["a", "b", "zz"]})
    age = Column("age", "integer", "int64", domain=Domain("public", 0, 120))
    with pytest.raises(
        SchemaError, match=r'column "age": 2 values outside 0..120 \(first: row 2 = 412\); widen the domain'
    ):
        check(table, Schema((age,)))
    levels = Column("c", "category", "string", domain=Domain("expert", levels=("a", "b")))
    with pytest.raises(SchemaError, match=r"1 value outside the 2 levels of its domain \(first: row 3 = 'zz'\)"):
        check(table, Schema((levels,)))
    with pytest.raises(SchemaError, match='column "ages" of the schema is not in the table'):
        check(table, Schema((Column("ages", "integer", "int64"),)))
    with pytest.raises(SchemaError, match="storage 'int65' is no Arrow type"):
        check(table, Schema((Column("age", "integer", "int65"),)))
    with pytest.raises(SchemaError, match="1 value is missing"):
        check(pa.table({"k": [1, None]}), Schema((Column("k", "identifier", "int64"),), primary_key="k"))
    check(table, infer(table))
    check(pa.table({"age": [1], "c": ["unseen"], "extra": [0]}), infer(table))


def test_wide_and_long_tables_are_quick():
    generator = Seed(3).numpy()
    wide = pa.table({f"c{n}": [str(v) for v in generator.integers(0, 99, 40)] for n in range(500)})
    start = time.process_time()
    assert len(infer(wide).columns) == 500
    numbers = {f"n{n}": generator.normal(size=50_000).round(2).astype(str) for n in range(5)}
    levels = {f"l{n}": generator.choice(["a", "bb", "ccc"], 50_000) for n in range(10)}
    infer(pa.table({**numbers, **levels}))
    assert time.process_time() - start < 4
