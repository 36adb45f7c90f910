from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from report import hostile

from tuckpoint.measure.evaluation import ColumnView, PairView
from tuckpoint.report import chart


def view(kind: str = "category", **changes: object) -> ColumnView:
    base = ColumnView("colour", kind, ("red", "green", "blue"), (0.5, 0.3, 0.2), (0.25, 0.5, 0.25), 0.25, 0.02)
    return replace(base, **changes)  # type: ignore[arg-type]


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def test_lying_bars_are_as_long_as_their_shares() -> None:
    bars = parsed(chart.column(view(), real_rows=1000)).findall(".//rect[@class='real']")
    widths = [float(bar.get("width", "0")) for bar in bars]
    # The largest of real and made orders the levels: red 0.5 and green 0.5, then blue.
    assert widths[0] / widths[1] == pytest.approx(0.5 / 0.3, rel=0.01)
    assert widths[2] / widths[0] == pytest.approx(0.2 / 0.5, rel=0.01)


def test_made_ticks_stand_at_made_shares() -> None:
    ticks = parsed(chart.column(view(), real_rows=1000)).findall(".//path[@class='made']")
    places = [float(tick.get("d", "M0 0").split()[0][1:]) - chart.LABEL_WIDTH for tick in ticks]
    assert places[1] / places[0] == pytest.approx(2.0, rel=0.01)  # green 0.5 beside red 0.25


def test_standing_bars_are_as_tall_as_their_shares() -> None:
    svg = parsed(chart.column(view("decimal"), real_rows=1000))
    path = svg.find("./path[@class='real']")
    assert path is not None
    heights = [float(piece.split("v")[2].split("z")[0]) for piece in path.get("d", "").split("M")[1:]]
    assert heights[0] / heights[2] == pytest.approx(2.5, rel=0.01)


def test_missing_stands_apart_and_is_named() -> None:
    svg = chart.column(view("decimal", labels=("1 to 2", "2 to 3", "missing")), real_rows=1000)
    assert ">missing</text>" in svg
    assert ">2 to 3</text>" in svg


def test_levels_that_few_people_hold_are_not_named() -> None:
    rare = view(labels=("red", "green", "secret"), real=(0.5, 0.498, 0.002), made=(0.5, 0.5, 0.0))
    assert "secret" not in chart.column(rare, real_rows=1000)
    assert "(rare)" in chart.column(rare, real_rows=1000)
    assert "secret" in chart.column(rare, real_rows=10_000)


def test_single_numbers_that_few_people_hold_are_not_named() -> None:
    children = view("integer", labels=("0", "2 to 4", "17"), real=(0.996, 0.002, 0.002), made=(1.0, 0.0, 0.0))
    svg = chart.column(children, real_rows=1000)
    assert ">17<" not in svg
    assert "17:" not in svg
    assert "2 to 4:" in svg


def test_levels_beyond_the_room_are_counted() -> None:
    many = tuple(f"level {i}" for i in range(12))
    shares = (1 / 12,) * 12
    assert "and 6 more levels" in chart.column(view(labels=many, real=shares, made=shares), real_rows=1000)


def test_ordered_levels_keep_their_order() -> None:
    svg = chart.column(view("ordered", labels=("low", "mid", "high"), real=(0.1, 0.2, 0.7)), real_rows=1000)
    assert svg.index(">low<") < svg.index(">mid<") < svg.index(">high<")


@pytest.mark.parametrize("kind", ["category", "decimal", "ordered"])
@pytest.mark.parametrize("shares", [(), (0.0,), (0.0, 0.0), (1.0,)])
def test_empty_and_one_valued_columns_are_drawn(kind: str, shares: tuple[float, ...]) -> None:
    labels = tuple("ab"[: len(shares)])
    assert (
        parsed(chart.column(view(kind, labels=labels, real=shares, made=shares), real_rows=0)).find("title") is not None
    )


def test_pictures_tell_their_content_in_words() -> None:
    svg = parsed(chart.column(view(), real_rows=1000))
    assert svg.get("role") == "img"
    assert svg.findtext("title") == "colour, real and made"
    assert "red: real 50.0%, made 25.0%" in (svg.findtext("desc") or "")


def test_heat_shows_made_below_and_holdout_above_the_diagonal() -> None:
    svg = parsed(chart.heat([PairView("a", "b", 0.6, 0.0)], ("a", "b")))
    cells = {cell.findtext("title"): cell for cell in svg.findall(".//rect")}
    made, held = cells["a × b: made 0.600"], cells["a × b: holdout 0"]
    assert (made.get("class"), held.get("class")) == ("h5", "h0")
    assert float(made.get("y", "0")) > float(made.get("x", "0"))  # below the diagonal
    assert float(held.get("y", "0")) < float(held.get("x", "0"))


def test_heat_says_which_pairs_were_not_measured() -> None:
    svg = chart.heat([PairView("a", "b", 0.6, None)], ("a", "b", "c"))
    assert svg.count('class="none"') == 5


def test_wide_heat_is_light() -> None:
    names = tuple(f"column {i}" for i in range(40))
    pairs = [PairView(a, b, 0.1, 0.1) for a in names for b in names if a < b]
    assert len(chart.heat(pairs, names)) < 60_000


def test_hostile_names_leave_well_formed_pictures() -> None:
    for one in hostile.evaluation().columns:
        parsed(chart.column(one, real_rows=10_000))
    parsed(chart.heat(hostile.evaluation().pairs, hostile.NAMES))
