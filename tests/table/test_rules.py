"""A rule book makes rows that obey: what is computed, patched, or left to rejection, and how it is stored."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuckpoint.errors import InputError, SchemaError, TraceError
from tuckpoint.schema import Column, Schema
from tuckpoint.table.engine import Field
from tuckpoint.table.rule import block
from tuckpoint.table.rules import Rule, RuleBook, user_rule

NAN = np.nan
LEVELS = ("none", "some", "all")


def number(name: str, **more) -> Field:
    return Field(name, **more)


def schema_of(*fields: Field, **kinds: str) -> Schema:
    def kind(field: Field) -> str:
        return kinds.get(field.name, "integer" if field.numeric else "category")

    return Schema(tuple(Column(field.name, kind(field), "string") for field in fields))


def rule_of(text: str, *fields: Field, **kinds: str) -> Rule:
    return user_rule(text, fields, schema_of(*fields, **kinds))


def lookup(x: str, y: str, pairs: dict, **detail) -> Rule:
    table = {"from": list(pairs), "to": list(pairs.values()), "one_to_one": False, "partial": False, **detail}
    return Rule("lookup", (x, y), f"{x} -> {y}", detail=table)


def obeys(book: RuleBook, columns) -> bool:
    return not any(mask.any() for mask in book.violations(columns, every=True).values())


# What a person writes


@pytest.mark.parametrize(
    ("text", "kind", "columns"),
    [
        ("a + b == c", "sum", ("a", "b", "c")),
        ("c == a + b", "sum", ("a", "b", "c")),
        ("c - a == b", "sum", ("a", "b", "c")),
        ('col("a") + `b` == c', "sum", ("a", "b", "c")),
        ("a * b == c", "product", ("a", "b", "c")),
        ("implies(a == 0, b == 0)", "block", ("a", "b")),
        ("implies(missing(a), missing(b) and c == 3 and x == 'none')", "block", ("a", "b", "c", "x")),
        ("implies(a != 0, b == 0)", "block", ("a", "b")),
        ("implies(not missing(a), x == 'none')", "block", ("a", "x")),
        ("a <= b", "user", ("a", "b")),
        ("a + a == c", "user", ("a", "c")),
        ("a * a == a", "user", ("a",)),
        ("implies(a == 0, a == 1)", "user", ("a",)),
        ("implies(a == 0, b == 0 or c == 0)", "user", ("a", "b", "c")),
        ("implies(a > 0, b == 0)", "user", ("a", "b")),
    ],
)
def test_a_written_rule_is_recognised_by_its_shape(text, kind, columns):
    rule = rule_of(text, number("a"), number("b"), number("c"), Field("x", LEVELS))
    assert (rule.kind, rule.columns, rule.origin, rule.enforced) == (kind, columns, "user", True)


def test_a_written_rule_that_cannot_be_read_says_so():
    with pytest.raises(SchemaError, match='no column "aa"'):
        rule_of("aa <= b", number("a"), number("b"))
    with pytest.raises(SchemaError, match="no level 'nine'"):
        rule_of("implies(a == 0, x == 'nine')", number("a"), Field("x", LEVELS))
    with pytest.raises(InputError, match="not understood"):
        rule_of("a <=", number("a"), number("b"))


def test_a_written_rule_on_dates_needs_no_schema_later():
    fields = (number("born"), number("a"))
    rule = rule_of("born >= '1970-01-03' or a > 5", *fields, born="date")
    book = RuleBook.from_dict(json.loads(json.dumps(RuleBook((rule,), fields).to_dict())), fields)
    columns = {"born": np.array([0.0, 2.0, NAN, 0.0]), "a": np.array([0.0, 0.0, 0.0, 6.0])}
    assert book.violations(columns)[rule.text].tolist() == [True, False, False, False]


# Construction


def test_a_sum_computes_its_total_and_a_second_sum_another_column():
    fields = tuple(number(name, decimals=1) for name in "abcd")
    book = RuleBook((rule_of("a + b == d", *fields), rule_of("b + c == d", *fields)), fields)
    assert [item.name for item in book.free] == ["a", "b"]
    made = book.construct({"a": np.array([0.1, 5.0]), "b": np.array([0.2, 1.0])}, 2)
    assert list(made) == ["a", "b", "c", "d"]
    assert made["d"].tolist() == [0.3, 6.0]
    assert made["c"].tolist() == [0.1, 5.0]
    assert book.sources("c") == ("b", "a") or book.sources("c") == ("a", "b")
    assert book.sources("a") == ("a",)
    assert obeys(book, made)
    assert book.violations(made) == {}


DRAWN = {
    "a": [10.0, 19.99, 30.0, 1.0], "b c": [0.2, 0.05, 0.0, NAN], "c": [0.0] * 4,
    "day": [1.0, 2.0, 3.0, 4.0], "done": [0.0] * 4,
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "computed", "made"),
    [
        ("c == a * (1 - `b c`)", "c", [8.0, 18.99, 30.0, NAN]),
        ("round(a * (1 - `b c`), 2) == c", "c", [8.0, 18.99, 30.0, NAN]),
        ("c == a / `b c`", "c", [50.0, 399.8, NAN, NAN]),  # what is divided by nothing is missing
        ("done == day + 30", "done", [31, 32, 33, 34]),
    ],
)
def test_any_written_formula_of_a_column_computes_it(text, computed, made):
    """By rejection alone, hardly a drawn row was kept, and those few stood for all."""
    fields = (*(number(name, decimals=2) for name in ("a", "b c", "c")), number("day"), number("done"))
    schema = schema_of(*fields, day="date", done="date")
    book = RuleBook((user_rule(text, fields, schema),), fields)
    assert computed not in {item.name for item in book.free}
    columns = {name: np.array(values) for name, values in DRAWN.items()}
    out = book.construct(columns, 4)
    np.testing.assert_allclose(out[computed], made)
    assert obeys(book, out)
    assert obeys(RuleBook.from_dict(json.loads(json.dumps(book.to_dict())), fields), out)


@pytest.mark.parametrize(
    "text", ["a == a * 2", "a + `b c` == 3 * c", "a == 3", "a <= 2 * c", "a == done - day or a == 1", "took == 2 * c"]
)
def test_what_is_no_formula_of_a_column_computes_none(text):
    fields = (number("a"), number("b c"), number("c"), number("day"), number("done"), number("took"))
    rule = user_rule(text, fields, schema_of(*fields, day="date", done="date", took="duration"))
    assert (rule.kind, rule.detail.get("computes")) == ("user", None)
    assert len(RuleBook((rule,), fields).free) == 6


def test_a_missing_part_makes_a_missing_total():
    fields = tuple(number(name) for name in "abc")
    book = RuleBook((rule_of("a * b == c", *fields),), fields)
    made = book.construct({"a": np.array([2.0, NAN]), "b": np.array([3.0, 3.0])}, 2)
    assert made["c"][0] == 6
    assert np.isnan(made["c"][1])
    assert obeys(book, made)


def test_a_rule_is_read_backwards_only_where_one_value_is_left():
    """A thousand weights in grams give one in kilograms; what is to be filled must then be drawn."""
    fields = (number("g"), number("kg"), number("day"), number("due"), number("a", decimals=2), number("b"),
              number("c", decimals=2))  # fmt: skip
    book = RuleBook(
        (
            Rule("linear", ("g", "kg"), "kg == 0.001 * g", detail={"factor": 0.001, "offset": 0.0}),
            Rule("linear", ("day", "due"), "due == day + 30", detail={"factor": 1.0, "offset": 30.0}),
            rule_of("a * b == c", *fields),
        ),
        fields,
    )
    told = book.following({"kg": np.array([30.0]), "due": np.array([31.0]), "c": np.array([4.5])})
    assert {name: values.tolist() for name, values in told.items()} == {"kg": [30], "due": [31], "c": [4.5], "day": [1]}
    told = book.following({"c": np.array([4.5, 7.0]), "b": np.array([3.0, 7.0])})
    assert told["a"].tolist() == [1.5, 1.0]
    for factor in (0.0, 0.001):  # what times next to nothing is nothing to the cent may be anything
        assert "b" not in book.following({"c": np.array([4.5, 0.0]), "a": np.array([1.5, factor])})
    assert "a" in book.following({"c": np.array([4.5]), "b": np.array([-3.0])})


def test_a_lookup_reads_levels_numbers_and_missing_values():
    fields = (Field("x", LEVELS), number("years"), Field("y", ("p", "q")))
    rules = (
        lookup("x", "years", {"none": 1.0, "some": 2.0, "all": 3.0, None: None}),
        lookup("years", "y", {1.0: "p", 2.0: "q", 3.0: "q"}),
    )
    book = RuleBook(rules, fields)
    assert [item.name for item in book.free] == ["x"]
    assert book.sources("y") == ("x",)
    codes = np.array([2, 0, -1], np.int32)
    made = book.construct({"x": codes}, 3)
    assert made["years"][:2].tolist() == [3.0, 1.0]
    assert np.isnan(made["years"][2])
    assert made["y"].tolist() == [1, 0, -1]
    assert made["y"].dtype == np.int32
    assert book.column("y", {"x": codes}).tolist() == [1, 0, -1]
    assert obeys(book, made)
    assert book.adherence({**made, "y": np.array([1, 1, -1], np.int32)}) == [
        ("x -> years", 1.0),
        ("years -> y", pytest.approx(2 / 3)),
    ]


def test_what_a_lookup_lacks_is_the_nearest_number_or_a_missing_level():
    rule = lookup("x", "y", {1.0: "p", 5.0: "q"})
    book = RuleBook((rule,), (number("x"), Field("y", ("p", "q"))))
    assert book.construct({"x": np.array([-9.0, 2.0, 4.0, 99.0, NAN])}, 5)["y"].tolist() == [0, 0, 1, 1, -1]
    levels = lookup("x", "y", {"none": "p"})
    for nullable, expected in ((True, [0, -1]), (False, [0, 0])):
        book = RuleBook((levels,), (Field("x", LEVELS), Field("y", ("p", "q"), nullable=nullable)))
        assert book.construct({"x": np.array([0, 1], np.int32)}, 2)["y"].tolist() == expected


def test_circles_are_cut():
    fields = (Field("x", LEVELS), Field("y", LEVELS))
    there, back = (lookup(a, b, dict(zip(LEVELS, LEVELS, strict=True))) for a, b in (("x", "y"), ("y", "x")))
    book = RuleBook((there, back), fields)
    assert [item.name for item in book.free] == ["x"]
    made = book.construct({"x": np.array([0, 1, 2], np.int32)}, 3)
    assert obeys(book, made)


def test_blocks_overwrite_in_the_order_of_their_chain():
    fields = (number("c"), number("b"), number("a"), Field("x", LEVELS))
    rules = (
        block("b", [0.0], {"c": 0.0}),
        block("a", [0.0], {"b": 0.0}),
        block("x", ["none", None], {"a": 0.0}),
    )
    book = RuleBook(rules, fields)
    assert len(book.free) == 4
    drawn = {name: np.array([7.0, 7.0, 7.0]) for name in "abc"} | {"x": np.array([0, 1, -1], np.int32)}
    made = book.construct(drawn, 3)
    assert made["c"].tolist() == made["b"].tolist() == made["a"].tolist() == [0, 7, 0]
    assert book.violations(made) == {}
    assert obeys(book, made)
    assert drawn["a"].tolist() == [7.0, 7.0, 7.0]


def test_a_block_may_ask_for_anything_but_a_value_and_fix_a_missing_one():
    fields = (number("gain"), number("loss"), Field("x", LEVELS))
    rules = (block("gain", [0.0], {"loss": 0.0}, opposite=True), block("x", ["none"], {"gain": None}))
    book = RuleBook(rules, fields)
    columns = {"gain": np.array([5.0, 0.0, NAN, 5.0]), "loss": np.full(4, 3.0), "x": np.array([1, 1, 1, 0], np.int32)}
    made = book.construct(columns, 4)
    assert made["loss"].tolist() == [0, 3, 3, 3]
    assert np.isnan(made["gain"]).tolist() == [False, False, True, True]
    assert rules[0].text == "implies(gain != 0, loss == 0)"
    assert rules[1].text == "implies(x == 'none', missing(gain))"


def test_an_engine_hears_of_blocks_between_columns_that_it_models_and_of_exclusions_both_ways():
    fields = (number("gain"), number("loss"), number("twice"), Field("x", LEVELS))
    rules = (
        block("gain", [0.0], {"loss": 0.0, "twice": 0.0}, opposite=True),
        block("x", ["none"], {"gain": None}),
        block("twice", [0.0], {"loss": 0.0}),
        block("x", ["some"], {"loss": 0.0}, enforced=False),
        Rule("linear", ("gain", "twice"), "twice", detail={"factor": 2.0, "offset": 0.0}),
    )
    told = [rule.text for rule in RuleBook(rules, fields).blocks]
    assert told == [
        "implies(gain != 0, loss == 0)",
        "implies(loss != 0, gain == 0)",
        "implies(x == 'none', missing(gain))",
    ]


def test_a_written_exclusion_is_obeyed_by_construction():
    fields = (number("gain"), number("loss"))
    book = RuleBook((rule_of("implies(gain != 0, loss == 0)", *fields),), fields)
    made = book.construct({"gain": np.array([5.0, 0.0, NAN]), "loss": np.full(3, 3.0)}, 3)
    assert made["loss"].tolist() == [0, 3, 3]
    assert obeys(book, made)


def test_blocks_that_contradict_stay_checked():
    fields = (number("a"), number("b"), number("c"))
    rules = (block("a", [0.0], {"c": 1.0}), block("b", [0.0], {"c": 2.0}))
    book = RuleBook(rules, fields)
    made = book.construct({name: np.array([0.0, 5.0]) for name in "abc"}, 2)
    assert sum(int(mask.sum()) for mask in book.violations(made).values()) == 1
    same = RuleBook((rules[0], block("b", [0.0], {"c": 1.0})), fields)
    assert same.violations(same.construct({name: np.zeros(1) for name in "abc"}, 1)) == {}


def test_what_cannot_be_constructed_is_told_as_a_violation():
    fields = (number("a"), number("b"), Field("x", LEVELS), Field("y", LEVELS))
    order = Rule("order", ("a", "b"), "a == 0 or a <= b", detail={"zero": ["a"]})
    pairs = Rule("combination", ("x", "y"), "pairs", detail={"allowed": [["none", "none"], ["some", None]]})
    written = rule_of("a + 1 < b * 2 or missing(b)", *fields)
    book = RuleBook((order, pairs, written), fields)
    columns = {
        "a": np.array([0.0, 5.0, 5.0, NAN]),
        "b": np.array([-3.0, 4.0, 5.0, 1.0]),
        "x": np.array([0, 1, 0, -1], np.int32),
        "y": np.array([0, -1, 1, -1], np.int32),
    }
    told = book.violations(columns)
    assert told[order.text].tolist() == [False, True, False, False]
    assert told["pairs"].tolist() == [False, False, True, True]
    assert told[written.text].tolist() == [True, False, False, False]


def test_a_computed_column_that_leaves_a_known_domain_is_told():
    fields = (number("a"), number("b"), number("c", low=0, high=10, provenance="public"))
    book = RuleBook((rule_of("a + b == c", *fields),), fields)
    made = book.construct({"a": np.array([5.0, 8.0]), "b": np.array([5.0, 8.0])}, 2)
    assert book.violations(made)["c within its domain"].tolist() == [False, True]


def test_findings_are_told_and_never_enforced():
    fields = (number("a"), number("b"), number("c"))
    soft = Rule("sum", ("a", "b", "c"), "a + b == c", support=0.98, enforced=False)
    book = RuleBook((soft,), fields)
    assert book.findings == (soft,)
    assert book.free == fields
    assert book.adherence({name: np.ones(3) for name in "abc"}) == []


def test_a_rule_that_came_later_acts_by_rejection_only():
    fields = (number("a"), number("b"), number("c"))
    book = RuleBook((), fields).with_rules([rule_of("a + b == c", *fields)])
    assert book.free == fields
    columns = {"a": np.array([1.0, 1.0]), "b": np.array([1.0, 1.0]), "c": np.array([2.0, 3.0])}
    assert book.construct(columns, 2)["c"].tolist() == [2.0, 3.0]
    assert book.violations(columns)["a + b == c"].tolist() == [False, True]
    assert book.adherence(columns) == [("a + b == c", 0.5)]
    again = RuleBook.from_dict(json.loads(json.dumps(book.to_dict())), fields)
    assert again.added == book.added


def test_a_damaged_or_newer_book_is_refused():
    fields = (number("a"), number("b"), number("c"))
    stored = RuleBook((rule_of("a + b == c", *fields),), fields).to_dict()
    with pytest.raises(TraceError, match="version"):
        RuleBook.from_dict({**stored, "version": 99}, fields)
    with pytest.raises(TraceError, match="damaged"):
        RuleBook.from_dict({"version": 1, "rules": [{"kind": "sum"}], "added": []}, fields)
    with pytest.raises(TraceError, match="unknown kind"):
        RuleBook.from_dict({**stored, "rules": [{**stored["rules"][0], "kind": "spell"}]}, fields)
    with pytest.raises(SchemaError, match='no modelled column "c"'):
        RuleBook.from_dict(stored, fields[:2])


def test_no_rows_and_no_rules():
    fields = (number("a"), number("b"), number("c"))
    book = RuleBook((rule_of("a + b == c", *fields), rule_of("a <= b", *fields)), fields)
    none = book.construct({"a": np.zeros(0), "b": np.zeros(0)}, 0)
    assert [len(values) for values in none.values()] == [0, 0, 0]
    assert [share for _, share in book.adherence(none)] == [1.0, 1.0]
    assert RuleBook((), ()).construct({}, 0) == {}
    with pytest.raises(InputError, match="has 2 rows, not 3"):
        book.construct({"a": np.zeros(2), "b": np.zeros(2)}, 3)


NAMES = "abcdef"


@st.composite
def rule_sets(draw):
    """Sums, products, lookups and blocks thrown together, circles and contradictions included."""
    out = []
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["sum", "product", "lookup", "block"]))
        x, y, z = draw(st.permutations(NAMES))[:3]
        if kind in ("sum", "product"):
            out.append(Rule(kind, (x, y, z), f"{x} {'+' if kind == 'sum' else '*'} {y} == {z}"))
        elif kind == "lookup":
            out.append(lookup(x, y, {float(n): float(draw(st.integers(0, 3))) for n in range(4)}))
        else:
            out.append(block(x, [0.0], {y: float(draw(st.integers(0, 2)))}, opposite=draw(st.booleans())))
    return tuple({rule.text: rule for rule in out}.values())


@given(rule_sets(), st.integers(0, 2**32 - 1))
@settings(max_examples=300, deadline=None)
def test_rows_without_a_told_violation_obey_every_rule(rules, seed):
    rng = np.random.default_rng(seed)
    fields = tuple(number(name) for name in NAMES)
    book = RuleBook(rules, fields)
    free = {item.name: rng.integers(0, 4, 40).astype(float) for item in book.free}
    made = book.construct(free, 40)
    assert list(made) == list(NAMES)
    told = book.violations(made)
    bad = np.any(list(told.values()), axis=0) if told else np.zeros(40, bool)
    for mask in book.violations(made, every=True).values():
        assert not (mask & ~bad).any()
    for name in NAMES:
        assert set(book.sources(name)) <= set(free)
