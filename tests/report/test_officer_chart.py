from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from tuckpoint.report import officer_chart as chart
from tuckpoint.report.officer_figures import Span


def circles(svg: str) -> dict[str, float]:
    return {css: float(x) for css, x in re.findall(r'<circle class="(\w+)" cx="([\d.]+)"', svg)}


def drawn(inside: Span, outside: Span | None, **given: object) -> str:
    ends = chart.axis([side for side in (inside, outside) if side], [], guessing=False)
    return chart.beside(inside, outside, ends=ends, marks=[], told="said", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([0.01, 0.03], (0.0, 0.05)),
        ([0.01, 0.06], (0.0, 0.1)),
        ([0.2, 0.7], (0.0, 1.0)),
        ([0.38, 0.42], (0.3, 0.5)),
        ([0.97, 1.0], (0.9, 1.0)),
        ([], (0.0, 0.05)),
    ],
)
def test_the_axis_is_short_and_holds_everything(values: list[float], ends: tuple[float, float]) -> None:
    found = chart.axis([Span(value) for value in values], [], guessing=False)
    assert found == pytest.approx(ends)
    assert all(found[0] <= value <= found[1] for value in values)


def test_an_axis_for_guesses_has_the_half_in_its_middle() -> None:
    assert chart.axis([Span(0.53, 0.5, 0.56)], [0.5, 0.55], guessing=True) == (0.4, 0.6)
    assert chart.axis([Span(0.7)], [0.5], guessing=True) == (0.25, 0.75)
    assert chart.axis([Span(1.0)], [0.5], guessing=True) == (0.0, 1.0)


def test_places_are_proportional_and_the_two_sides_differ_by_more_than_colour() -> None:
    svg = drawn(Span(0.04, 0.03, 0.05), Span(0.01, 0.0, 0.02))
    found = circles(svg)
    width = chart.RIGHT - chart.LEFT
    assert found["inside"] == pytest.approx(chart.LEFT + 0.8 * width, abs=1)
    assert found["outside"] == pytest.approx(chart.LEFT + 0.2 * width, abs=1)
    assert 'path class="inside"' in svg
    assert 'path class="outside"' in svg


def test_without_an_interval_only_the_point_is_drawn() -> None:
    svg = drawn(Span(0.04, 0.03, 0.05), Span(0.01))
    assert 'path class="outside"' not in svg
    assert "outside" in circles(svg)


def test_marks_bear_their_words() -> None:
    svg = chart.beside(Span(0.53), None, ends=(0.4, 0.6), marks=[(0.5, "guessing"), (0.55, "limit")], told="x")
    assert re.search(r'<text class="limit" x="221"[^>]*>limit</text>', svg)
    assert re.search(r'<text class="guessing" x="150"[^>]*>guessing</text>', svg)


@pytest.mark.parametrize(("least", "claimed"), [(0.0, 2.4), (3.1, 2.4), (0.0, None), (70.0, None), (0.0, 900.0)])
def test_a_proven_loss_beside_the_claim(least: float, claimed: float | None) -> None:
    svg = chart.losses(least, claimed, told="said")
    ElementTree.fromstring(svg)
    places = [float(x) for x in re.findall(r' x="(-?[\d.]+)"', svg)]
    assert all(0 <= place <= chart.WIDTH for place in places)
    assert ('class="above"' in svg) == (claimed is not None and least > claimed)
    assert ("claimed" in svg) == (claimed is not None)


def test_pictures_say_in_words_what_they_show() -> None:
    assert "<title>said</title>" in drawn(Span(0.1), Span(0.1))
    assert "people who were in the data" in chart.key()
    assert "people who were not" in chart.key()
