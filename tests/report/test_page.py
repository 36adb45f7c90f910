from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from report import fabricate, hostile
from report.reader import TAGS, Reader

from tuckpoint.measure.evaluation import Evaluation
from tuckpoint.report import page
from tuckpoint.schema import Column, Schema, Steps
from tuckpoint.score import Score


def made(evaluation: Evaluation | None = None, **changes: object) -> str:
    given = {"schema": fabricate.schema(), "record": fabricate.record(), "title": "people", "repeat": fabricate.REPEAT}
    return page.page(evaluation or fabricate.evaluation(), **{**given, "rules": fabricate.RULES, **changes})  # type: ignore[arg-type]


def hostile_page() -> str:
    return page.page(
        hostile.evaluation(), schema=hostile.schema(), record=hostile.record(), title=hostile.NAMES[3],
        repeat=hostile.NAMES, rules=hostile.NAMES,
    )  # fmt: skip


@pytest.mark.parametrize("html", [made(), hostile_page()], ids=["plain", "hostile"])
def test_the_page_holds_only_harmless_elements(html: str) -> None:
    found = Reader(html)
    assert set(found.tags) <= TAGS | {"br"}
    for tag, name, value in found.attributes:
        assert not name.startswith("on")
        assert name not in {"src", "srcset", "style", "action", "formaction", "xlink:href", "srcdoc"}
        assert name != "href" or re.fullmatch(r"#[a-z]+", value), (tag, name, value)


def test_the_page_loads_nothing() -> None:
    html = made()
    assert "Content-Security-Policy" in html
    assert "default-src 'none'" in html
    assert not re.search(r"https?:|url\(|@import|<script|<link|<img", html)


def test_values_that_look_like_placeholders_stay_as_they_are() -> None:
    assert "$title ${heading} $$ {0} {{7*7}} %s" in Reader(hostile_page()).text


@pytest.mark.parametrize("name", ['"<&' * 300 + "{}", "{}" + "\U0001f389" * 300, "column {}"])
@pytest.mark.parametrize("columns", [200, 500])
def test_wide_tables_stay_under_the_limit_and_say_what_is_left_out(columns: int, name: str) -> None:
    html = page.page(
        hostile.wide(columns, name=name), schema=hostile.schema(), record=hostile.record(), title="wide",
        repeat=hostile.NAMES, rules=[*hostile.NAMES] * 20,
    )  # fmt: skip
    assert len(html.encode()) < page.LIMIT_BYTES
    drawn = html.count("<figure>")
    assert 0 < drawn <= page.PLOTS
    assert f"The {drawn} worst of {columns} are drawn" in html
    assert f"40 of {columns} columns are drawn" in html


def test_a_schema_of_500_columns_stays_under_the_limit() -> None:
    columns = tuple(Column('"' * 70 + str(i), "category", "string", note='"' * 200) for i in range(500))
    html = made(schema=Schema(columns))
    assert len(html.encode()) < page.LIMIT_BYTES
    assert "And 350 more columns" in html


def test_the_verdict_comes_first_in_words_with_reason_and_advice() -> None:
    told = Reader(made()).text
    order = [
        "Synthetic data.",
        "4 of 6 claims hold",
        "Does not hold: Made rows cannot be told from real ones",
        "A classifier picks the made row",
        "What to do",
        "declare the rule behind",
        "0.583 [0.561, 0.605] · real 0.498",
        "allowed: up to 0.55 by its interval",
        "Key numbers",
    ]
    for part in order:
        before, found, told = told.partition(part)
        assert found, f"{part!r} does not stand after {before[-80:]!r}"


def test_pairs_of_levels_that_no_real_row_joins_are_named() -> None:
    pair = {"pair": ["sex", "<male>", "pregnant", "yes"], "made": 1031, "expected": 240.4}
    score = Score(
        "unseen_pairs", 0.01, 0.008, 0.013, 4000, "lower", 0.0, "real", passed=False, detail={"worst": [pair]}
    )
    evaluation = fabricate.evaluation()
    told = Reader(made(replace(evaluation, scores=(*evaluation.scores, score)))).text
    assert "Joined by made rows, never by real ones" in told
    assert re.search(r"sex\s+=\s+<male>\s*,\s+pregnant\s+=\s+yes", told)
    assert "1,031" in told
    assert "240" in told
    empty = replace(score, detail={"worst": []}, passed=True)
    assert "never by real ones" not in made(replace(evaluation, scores=(*evaluation.scores, empty)))


def test_a_score_that_was_not_measured_says_why_beside_one_that_failed() -> None:
    evaluation = fabricate.evaluation()
    scores = tuple(
        replace(score, passed=False) if score.name == "rule_adherence" else score for score in evaluation.scores
    )
    html = made(replace(evaluation, scores=scores))
    verdict = html[html.index('id="verdict"') : html.index('id="numbers"')]
    assert "no level of the real rows is rare enough" in verdict


def test_a_score_that_was_not_measured_says_why() -> None:
    assert "no level of the real rows is rare enough" in Reader(made()).text


def test_notes_and_advice_are_whole_and_long_notes_are_folded() -> None:
    words = " ".join(f"word{i}" for i in range(90))  # some 600 characters
    evaluation = fabricate.evaluation()
    failing = replace(evaluation.scores[0], passed=False, why=words, advice=f"{words} and then this")
    evaluation = replace(evaluation, scores=(failing, *evaluation.scores[1:]))
    schema = Schema((Column("age", "integer", "int64", note=words), Column("town", "text", "string", note=words[:200])))
    html = made(evaluation, schema=schema)
    reader = Reader(html)
    assert reader.text.count("word88 word89") >= 2
    assert "word89 and then this" in reader.text
    assert words[:200] in reader.text
    assert html.count("<details>") == 1
    head = re.search(r"<summary><bdi>(.*?) …</bdi></summary><bdi>… (.*?)</bdi>", html)
    assert head is not None
    assert f"{head[1]} {head[2]}" == words


def test_what_holds_but_is_measurably_worse_says_so() -> None:
    detail = {"difference": 0.02, "difference_low": 0.01, "difference_high": 0.03}
    for better, low, high, worse in (("lower", 0.01, 0.03, 1), ("lower", -0.01, 0.03, 0), ("higher", -0.03, -0.01, 1)):
        told = {**detail, "difference_low": low, "difference_high": high}
        score = Score("correlation_error", 0.04, 0.03, 0.05, 900, better, 0.02, passed=True, detail=told)
        evaluation = replace(fabricate.evaluation(), scores=(score,), claims={})
        assert made(evaluation).count(page.WORSE) == worse
        assert page.WORSE not in made(replace(evaluation, scores=(replace(score, passed=False),)))


def test_an_attack_that_surely_beats_guessing_and_passes_says_so() -> None:
    for low, worse in ((0.51, 1), (0.49, 0)):
        score = Score("membership", 0.53, low, 0.55, 900, "lower", 0.5, "guessing", passed=True)
        assert made(replace(fabricate.evaluation(), scores=(score,), claims={})).count(page.WORSE) == worse


def test_the_way_to_a_guarantee_names_whose_it_is() -> None:
    told = Reader(made()).text
    assert "--private 3 --unit COLUMN" in told


def test_rows_of_one_person_are_said_not_to_hang_together() -> None:
    assert page.ALONE not in made()
    people = Schema((Column("id", "identifier", "string"), Column("age", "integer", "int64")), person="id")
    assert page.ALONE in Reader(made(schema=people)).text


def test_steps_of_a_column_stand_in_the_schema_in_words() -> None:
    columns = (
        Column("arrived", "datetime", "timestamp[s]", steps=Steps(step=900)),
        Column("left", "datetime", "timestamp[s]", steps=Steps(step=60, heap=3600, share=0.96)),
        Column("week", "date", "date32[day]", steps=Steps(step=7)),
        Column("paid", "decimal", "double", steps=Steps(step=0.25)),
        Column("seen", "datetime", "timestamp[s]", steps=Steps(opens=28_800, closes=61_200)),
    )
    text = Reader(made(schema=Schema(columns))).text
    for words in (
        "of 15 minutes",
        "of 1 minute, 96.0% in steps of 1 hour",
        "of 7 days",
        "steps of 0.25",
        "between 08:00 and 17:00",
    ):
        assert words in text


def test_the_worst_column_is_drawn_first() -> None:
    names = re.findall(r"<figcaption><h3><bdi>(.*?)</bdi>", made())
    views = {view.name: view.distance - (view.reference or 0) for view in fabricate.evaluation().columns}
    assert len(names) == 15
    assert names == sorted(names, key=lambda name: -views[name])


def test_an_unknown_score_and_a_table_without_columns_are_shown_all_the_same() -> None:
    bare = Evaluation({"real": 1, "made": 0}, None, (Score("brand_new", 0.25),), (), ())
    told = Reader(made(bare, repeat=(), rules=())).text
    assert "Nothing was judged" in told
    assert "Brand new" in told
    assert "This report knows no definition" in told


def test_the_banner_claims_no_more_than_the_record_does() -> None:
    private = {"epsilon": 1.0, "delta": 1e-6, "unit": "person"}
    assert "no privacy guarantee" in Reader(made()).text
    assert "budget of ε = 1 (" in Reader(made(record={**fabricate.record(), "privacy": private})).text
    unknown = Reader(made(record={})).text
    assert "No record came with them" in unknown
    assert "drawn from a model" not in unknown


def test_two_calls_give_the_same_bytes() -> None:
    assert made() == made()


def test_the_same_as_json() -> None:
    text = page.as_json(
        fabricate.evaluation(),
        schema=fabricate.schema(),
        record=fabricate.record(),
        title="people",
        rules=fabricate.RULES,
    )
    value = json.loads(text)
    assert value["synthetic"] is True
    assert value["headline"] == "4 of 6 claims hold"
    assert value["verdicts"][0]["state"] == "fails"
    assert value["rules"] == list(fabricate.RULES)
    scores = {score["name"]: score for score in value["evaluation"]["scores"]}
    assert scores["detection"]["value"] == 0.583
    assert scores["rare_level_coverage"]["value"] is None


def test_json_holds_any_text_and_no_values_read_off_the_real_rows() -> None:
    hostile_text = page.as_json(hostile.evaluation(), schema=hostile.schema(), record=hostile.record(), title="\ud800")
    assert json.loads(hostile_text)["title"] == "\ud800"
    text = page.as_json(
        replace(fabricate.evaluation(), columns=()),
        schema=fabricate.schema(),
        record=fabricate.record(),
        title="people",
    )
    columns = {column["name"]: column for column in json.loads(text)["schema"]["columns"]}
    assert "domain" not in columns["education"]
    assert columns["age"]["domain"]["high"] == 120
