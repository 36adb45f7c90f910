from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from measure.audits import GUARANTEE, audit
from report import assessments, hostile
from report.assessments import KINDS, given, json_of, page_of, verdicts
from report.reader import TAGS, Reader

from tuckpoint.report.officer import officer_json, officer_page
from tuckpoint.report.sheet import LIMIT_BYTES

ORDER = [
    "Internal page.",
    "Privacy assessment of people",
    "Passes for publication",
    "Publication: Pass",
    "A named partner: Pass",
    "Internal use: Pass",
    "Decision",
    "Who, and for whom",
    "Who is in the source Adults of the 1994 census",
    "Unit one person (at most 1 row of each counted)",
    "Who receives them Two universities",
    "What the recipient may know already Public registers",
    "Formal guarantee",
    "Differentially private",
    "Neighbour relation add or remove one unit",
    "In plain words",
    "Where the domains of the columns came from",
    "Singling out",
    "Linkability",
    "Inference",
    "Copying and membership",
    "Proven against claimed",
    "Can the audit be trusted?",
    "20 copied rows would have been found in 20 of 20 trials.",
    "Worst cases and minorities",
    "Spent so far",
    "What is not covered",
    "Expiry and sign-off",
    "31 December 2027",
    "Signatures",
    "Method and sources",
    "How to repeat",
]


def hostile_page(*, columns: int = 0, **changes: Any) -> str:
    asked = {**assessments.hostile_given(columns=columns), **changes}
    return officer_page(asked.pop("audit"), **asked)


def test_the_decision_comes_first_and_the_rest_in_the_order_of_an_officers_questions() -> None:
    told = Reader(page_of("private")).text
    told = told[: told.index("Decision")] + told[told.index("Decision Why the gate") :]  # without the list of contents
    for part in ORDER:
        before, found, told = told.partition(part)
        assert found, f"{part!r} does not stand after {before[-80:]!r}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_three_words_are_headings_whatever_was_found(kind: str) -> None:
    titles = re.findall(r"<h2>(.*?)</h2>", page_of(kind))
    assert {"Singling out", "Linkability", "Inference"} <= set(titles)


@pytest.mark.parametrize(
    ("kind", "headline", "told"),
    [
        ("private", "Passes for publication", "A formal guarantee limits what any attack can ever learn: ε = 2.4"),
        ("internal", "Passes for internal use only", "No formal guarantee limits what an attack could learn"),
        ("leaky", "Blocked: do not hand these rows out", "At least one attack found people of the data"),
        ("invalid", "Blocked: do not hand these rows out", "The audit did not pass its own trials"),
        ("unaudited", "Blocked: do not hand these rows out", "These rows were not attacked"),
        ("foreign", "Passes for internal use only", "engine not known"),
        ("empty", "The gate was not run", "These rows were not attacked"),
    ],
)
def test_the_first_screen_tells_the_decision(kind: str, headline: str, told: str) -> None:
    head = Reader(page_of(kind)).text.partition("Decision")[0]
    assert headline in head
    assert told in head
    assert "Internal page." in head


def test_a_leak_is_told_in_plain_words_on_the_first_screen() -> None:
    head = Reader(page_of("leaky")).text.partition("Decision")[0]
    assert "Values of one person alone, written again (weight): 55% in the data, 0.5% outside of it" in head


@pytest.mark.parametrize("html", [*map(page_of, KINDS), hostile_page()], ids=[*KINDS, "hostile"])
def test_the_page_holds_only_harmless_elements_and_loads_nothing(html: str) -> None:
    found = Reader(html)
    assert set(found.tags) <= TAGS | {"br"}
    for tag, name, value in found.attributes:
        assert not name.startswith("on")
        assert name not in {"src", "srcset", "style", "action", "formaction", "xlink:href", "srcdoc"}
        assert name != "href" or re.fullmatch(r"#[a-z]+", value), (tag, name, value)
    assert "default-src 'none'" in html
    assert not re.search(r"https?:|url\(|@import|<script|<link|<img", html)


@pytest.mark.parametrize("kind", KINDS)
def test_every_link_leads_to_a_section_of_the_page(kind: str) -> None:
    html = page_of(kind)
    places = set(re.findall(r'<section id="([a-z]+)"', html))
    assert set(re.findall(r'href="#([a-z]+)"', html)) <= places


def test_values_that_look_like_placeholders_stay_as_they_are() -> None:
    assert "$title ${heading} $$ {0} {{7*7}} %s" in Reader(hostile_page()).text


@pytest.mark.parametrize("name", ['"<&' * 300, "\U0001f389" * 300, "plain"])
def test_500_columns_and_as_many_findings_stay_under_the_limit(name: str) -> None:
    names = tuple(f"{name} {i}" for i in range(500))
    asked = assessments.hostile_given(names, columns=500)
    html = officer_page(asked.pop("audit"), **asked)
    assert len(html.encode()) < LIMIT_BYTES
    assert "more in the JSON" in html


def test_a_private_release_tells_no_exact_number_of_people() -> None:
    for text in (page_of("private"), json_of("private")):
        for exact in ("39,073", "39073", "9,769", "9769", "38,912"):
            assert exact not in text
    assert "39,073" in page_of("internal")


def test_what_only_people_know_is_left_as_a_blank() -> None:
    assert page_of("private").count("to be filled in") == 1  # the controls
    assert page_of("internal").count("to be filled in") == 7


def test_a_domain_read_off_the_data_voids_the_guarantee_in_words() -> None:
    data = given("internal")["schema"]
    told = Reader(page_of("private", schema=data)).text
    assert "14 domains came from the real rows: that voids the guarantee." in told
    assert "voids the guarantee" not in Reader(page_of("internal")).text.partition("Formal guarantee")[2][:2000]


def test_a_false_claim_is_called_false() -> None:
    found = audit(claimed=2.4)
    found = replace(found, epsilon=replace(found.epsilon, value=3.17))
    html = page_of("private", audit=found, verdicts=verdicts(found, GUARANTEE))
    told = Reader(html).text
    assert "At least ε = 3.1 is proven, more than the claimed 2.4. The claim is false." in told
    assert "treat it as an incident" in told


def test_two_calls_give_the_same_bytes() -> None:
    assert page_of("private") == page_of("private")


def test_the_same_as_json() -> None:
    value = json.loads(json_of("private"))
    assert value["internal"] is True
    assert value["headline"] == "Passes for publication"
    assert [verdict["state"] for verdict in value["verdicts"]] == ["pass"] * 3
    assert value["audit"]["rows"]["train"] == 39_000
    assert value["context"]["recipient"] == "Two universities named in the contract"
    assert len(value["ledger"]) == 2
    assert any("population" in line for line in value["not_covered"])
    assert "domain" not in str(json.loads(json_of("internal"))["schema"]["columns"][-2])


def test_json_without_anything_and_of_any_text() -> None:
    assert json.loads(json_of("empty"))["audit"] is None
    asked = assessments.hostile_given()
    assert json.loads(officer_json(asked.pop("audit"), **asked))["title"] == hostile.NAMES[3]
