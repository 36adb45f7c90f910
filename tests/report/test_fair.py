import re
from dataclasses import replace

import pytest

from tuckpoint.fair.spec import Spec
from tuckpoint.fair.told import Cell, Told
from tuckpoint.measure.fairness import MEASURES, Group, Measure
from tuckpoint.measure.fairness_arms import Arm, Effects
from tuckpoint.report.fair import fair_page, lines

SPEC = Spec("label parity", ("race", "sex"), "pay", ">50K", given=("school",))
CELLS = (
    Cell("a / man", "", 600, 0.3, 0.4, 0.3001, 0.3001, down=60, donors=450, positive_donors=180),
    Cell("b / woman", "", 400, 0.3, 0.15, 0.2999, 0.2999, up=61, donors=-1, positive_donors=0),
)
TOLD = Told(
    SPEC, 1000, CELLS, 121, 0.0001, (0.25, 0.0002), (0.31, 0.08), "in order", ("code",), ("Simpson: a warning",), 7
)
FIGURES = {name: Measure(name, 0.1 + k / 50, k / 50, 0.3) for k, name in enumerate(MEASURES)}
GAPS = {**FIGURES, "EO difference": Measure("EO difference", None, why="too few people")}
PEOPLE = (Group("a / man", 90, 0.81, 0.22, 0.6, None),)
EFFECTS = Effects((Arm("real", 500, FIGURES, {}, PEOPLE), Arm("made", 1000, FIGURES, GAPS, PEOPLE),
                   Arm("fair", 1000, FIGURES, GAPS, PEOPLE)), 300, 120)  # fmt: skip
ABOUT = {"model": "model", "real": "train.csv", "holdout": "held.csv", "rows": "rows.parquet"}


def shown(told=TOLD, effects=EFFECTS, about=ABOUT):
    return re.sub(r"<[^>]+>", " ", fair_page(told, effects, about).partition("</style>")[2])


def test_the_page_tells_everything():
    page = shown()
    wanted = [
        "Kept", "121 of 1,000 labels (12.1%) were changed", "60 became negative", "61 became positive", "fewer than 5",
        "Simpson: a warning", "0.2500", "within school", "0.0800", "measured below and promised nowhere",
        "300 real rows of 120 people", "0.100 [0.000, 0.300]", "too few people", "0.810", "tolerance: 0.005",
        "Kamiran", "code", "7 rows, left as they are", "held.csv",
    ]  # fmt: skip
    assert [word for word in wanted if word not in page] == []


def test_lower_differences_lie_on_the_better_side():
    gap = Measure("DP difference", -0.2, -0.3, -0.1)
    better = replace(EFFECTS.arms[2], beside_real={**GAPS, "DP difference": gap})
    page = fair_page(TOLD, Effects((EFFECTS.arms[0], better), 300, 300), ABOUT)
    right = re.search(r'DP difference, fair</text>.*?<circle cx="([\d.]+)"', page)
    assert float(right[1]) > 405


def test_representation_has_no_labels_and_a_page_needs_no_effects():
    spec = Spec("representation", ("sex",))
    cell = Cell("man", "", 500, 0.5, 0.7, 0.5, None, donors=450)
    page = shown(Told(spec, 1000, (cell,), 0, 0.0), None)
    assert "No label was changed" in page
    assert "share of real rows" in page
    assert "Measured, not promised" not in page
    assert "labels changed" not in "\n".join(lines(Told(spec, 1000, (cell,), 0, 0.0), None))


@pytest.mark.parametrize("effects", [EFFECTS, None])
def test_the_terminal_tells_what_was_kept_changed_and_measured(effects):
    told = "\n".join(lines(TOLD, effects))
    assert "121 of 1,000 labels changed" in told
    assert "b / woman: 400 rows" in told
    assert "fewer than 5 real rows" in told
    assert ("measured, not promised, on 300 real rows" in told) == (effects is not None)


def test_names_are_no_markup():
    hostile = "<script>alert(1)</script>"
    spec = Spec("label parity", (hostile,), hostile + "1", hostile, given=(hostile + "2",))
    cells = (replace(CELLS[0], group=hostile, stratum=hostile),)
    bad = replace(TOLD, spec=spec, cells=cells, follows=(hostile,), warnings=(hostile,), order=hostile)
    arms = tuple(replace(arm, groups=(replace(PEOPLE[0], name=hostile),)) for arm in EFFECTS.arms)
    assert "<script" not in fair_page(bad, replace(EFFECTS, arms=arms), dict.fromkeys(ABOUT, hostile))
