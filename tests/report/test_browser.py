"""The page in a real headless browser: nothing from the data runs, nothing overflows a phone, dark is dark."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from report import fabricate, hostile
from report.browser import document, framed, needs_browser

from tuckpoint.measure.evaluation import ColumnView
from tuckpoint.report import chart, page

pytestmark = needs_browser
RAN = re.compile(r"<html[^>]*data-ran")


def hostile_page(repeat: tuple[str, ...] = hostile.NAMES) -> str:
    return page.page(
        hostile.evaluation(), schema=hostile.schema(), record=hostile.record(), title=hostile.NAMES[3], repeat=repeat,
        rules=hostile.NAMES,
    )  # fmt: skip


def test_hostile_names_and_values_do_not_run_even_without_the_policy(tmp_path: Path) -> None:
    html, policies = re.subn(r"<meta http-equiv=.Content-Security-Policy.*?>", "", hostile_page())
    assert policies == 1
    dom = document(html, tmp_path)
    assert "Key numbers" in dom
    assert "onerror=" in dom  # the payloads are there, as text
    assert not RAN.search(dom)


def test_the_same_payloads_do_run_where_nothing_escapes_them(tmp_path: Path) -> None:
    dom = document(f"<!doctype html><html><body>{hostile.SCRIPTS[1]}</body></html>", tmp_path)
    assert RAN.search(dom)


def test_the_policy_of_the_page_stops_what_escaping_would_miss(tmp_path: Path) -> None:
    html = hostile_page().replace("<main>", "<main>" + "".join(hostile.SCRIPTS[:3]))
    assert not RAN.search(document(html, tmp_path))


@pytest.mark.parametrize("kind", ["plain", "hostile"])
def test_a_phone_needs_no_sideways_scrolling(tmp_path: Path, kind: str) -> None:
    html = hostile_page() if kind == "hostile" else page_of_fabricated()
    width, _ = measured(html, tmp_path)
    assert width <= 390


def test_the_phone_test_can_fail(tmp_path: Path) -> None:
    html = page_of_fabricated().replace("<main>", '<main><div style="width:700px">wide</div>')
    assert measured(html, tmp_path)[0] > 390


def test_names_of_levels_are_not_cut(tmp_path: Path) -> None:
    levels = ("Married-civ-spouse", "Amer-Indian-Eskimo", "Exec-managerial")
    view = ColumnView("kind", "category", levels, (0.5, 0.3, 0.2), (0.5, 0.3, 0.2), 0.0, 0.0)
    css = (files("tuckpoint.report") / "style.css").read_text("utf-8")
    drawn = f"<style>{css}</style><div style='width:260px'>{chart.column(view, real_rows=1000)}</div>"
    script = (
        "<script>onload = () => document.title = Math.min(...[...document.querySelectorAll('text[text-anchor=end]')]"
        ".map(t => t.getBBox().x))</script>"
    )
    found = re.search(r"<title>(-?[\d.]+)</title>", document(f"<!doctype html>{drawn}{script}", tmp_path))
    assert found is not None
    assert float(found[1]) >= 0


def test_dark_readers_get_a_dark_page(tmp_path: Path) -> None:
    _, light = measured(page_of_fabricated(), tmp_path)
    _, dark = measured(page_of_fabricated(), tmp_path, "--blink-settings=preferredColorScheme=0")
    assert brightness(light) > 240
    assert brightness(dark) < 40


def page_of_fabricated() -> str:
    return page.page(
        fabricate.evaluation(),
        schema=fabricate.schema(),
        record=fabricate.record(),
        title="people",
        rules=fabricate.RULES,
    )


def measured(html: str, folder: Path, *flags: str) -> tuple[int, str]:
    """Width in pixels that the page needs in a frame of 390, and its background."""
    found = re.search(r"<title>(\d+)\|(.*?)</title>", document(framed(html, 390), folder, *flags))
    assert found is not None
    return int(found[1]), found[2]


def brightness(colour: str) -> float:
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3
