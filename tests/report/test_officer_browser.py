"""The officer's page in a real headless browser: nothing runs, nothing overflows a phone, dark is dark, it prints."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from report import hostile
from report.assessments import hostile_given, page_of
from report.browser import FOUND, QUIET, document, framed, needs_browser

from tuckpoint.report.officer import officer_page

pytestmark = needs_browser
RAN = re.compile(r"<html[^>]*data-ran")


def hostile_page() -> str:
    asked = hostile_given()
    return officer_page(asked.pop("audit"), **asked)


def test_hostile_names_and_values_do_not_run_even_without_the_policy(tmp_path: Path) -> None:
    html, policies = re.subn(r"<meta http-equiv=.Content-Security-Policy.*?>", "", hostile_page())
    assert policies == 1
    dom = document(html, tmp_path)
    assert "Singling out" in dom
    assert "onerror=" in dom
    assert not RAN.search(dom)


def test_the_policy_stops_what_escaping_would_miss(tmp_path: Path) -> None:
    html = hostile_page().replace("<main>", "<main>" + "".join(hostile.SCRIPTS[:3]))
    assert not RAN.search(document(html, tmp_path))


@pytest.mark.parametrize("kind", ["private", "leaky", "hostile"])
def test_a_phone_needs_no_sideways_scrolling(tmp_path: Path, kind: str) -> None:
    html = hostile_page() if kind == "hostile" else page_of(kind)
    assert measured(html, tmp_path)[0] <= 390


def test_dark_readers_get_a_dark_page(tmp_path: Path) -> None:
    _, light = measured(page_of("leaky"), tmp_path)
    _, dark = measured(page_of("leaky"), tmp_path, "--blink-settings=preferredColorScheme=0")
    assert light > 240
    assert dark < 40


def test_it_prints_on_few_sheets_of_paper(tmp_path: Path) -> None:
    place, paper = tmp_path / "page.html", tmp_path / "page.pdf"
    place.write_text(page_of("leaky"), encoding="utf-8")
    flags = [f"--user-data-dir={tmp_path / 'profile'}", "--no-pdf-header-footer", f"--print-to-pdf={paper}"]
    subprocess.run([str(FOUND), *QUIET, *flags, place.as_uri()], check=True, capture_output=True, timeout=120)
    sheets = len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))
    assert 6 <= sheets <= 13


def measured(html: str, folder: Path, *flags: str) -> tuple[int, float]:
    """Width in pixels that the page needs in a frame of 390, and the brightness of its background."""
    found = re.search(r"<title>(\d+)\|(.*?)</title>", document(framed(html, 390), folder, *flags))
    assert found is not None
    return int(found[1]), sum(map(int, re.findall(r"\d+", found[2])[:3])) / 3
