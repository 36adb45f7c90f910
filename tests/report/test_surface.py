import numpy as np
import pytest

from tuckpoint.measure.boost import Boosting
from tuckpoint.prove.cuts import Knob
from tuckpoint.prove.explore import Explored
from tuckpoint.prove.plan import Plan, Source
from tuckpoint.prove.surface import Losses, surface
from tuckpoint.report.surface import lines, surface_page
from tuckpoint.seed import Seed

KNOBS = (
    Knob("flow <b>", ("`flow <b>` < 1", "1 <= `flow <b>` < 2", "`flow <b>` >= 2"), (1.0, 2.0)),
    Knob("place", ('place == "a"', 'place == "b"'), values=(0.0, 1.0)),
)


def explored(excess, *, real=400, kind="simulator"):
    random = np.random.default_rng(0)

    def rows(count):
        codes = {knob.name: random.integers(0, len(knob.where), count) for knob in KNOBS}
        loss = 3 + random.normal(0, 1, count) + excess * ((codes["flow <b>"] == 0) & (codes["place"] == 1))
        return Losses(loss, np.arange(count), codes)

    found = surface(KNOBS, rows(1000), rows(real) if real else None, Seed(0))
    plan = Plan("t", (Source("plant", kind="engine"),), metric="rmse", learner=Boosting())
    if kind == "simulator":
        object.__setattr__(plan.sources[0], "kind", "simulator")
    about = {"name": "real.csv", "sha256": "0" * 64, "rows": 900, "trained": 400, "left": real, "locked": 300}
    return Explored(found, plan, "plant", "loss", "absolute error", about, {"edge error of t": 1.5})


def test_a_confirmed_corner_is_told_with_its_interval_and_what_real_rows_say():
    found = explored(4.0)
    told = "\n".join(lines(found))
    assert found.exit == 0
    assert told.startswith("A weak corner: where `")
    assert "confirm it" in told
    assert "learnt its truth" not in told
    page = surface_page(found)
    assert "A weak corner" in page
    assert "Where <code>" in page
    assert "flow &lt;b&gt;" in page
    assert "<b>`" not in page.replace("<figcaption><b>", "")
    assert page.count('class="effect"') == 2
    assert page.count('class="map"') == 1
    assert "correlate at" in page


def test_without_evidence_the_page_says_so_and_a_learnt_truth_is_doubted():
    found = explored(0.0, real=0, kind="engine")
    told = "\n".join(lines(found))
    assert found.exit == 3
    assert told.startswith("No weak corner confirmed")
    assert "plant learnt its truth from the same real rows" in told
    assert "No weak corner confirmed" in surface_page(found)


@pytest.mark.parametrize("excess", [0.0, 4.0])
def test_the_page_stands_alone(excess):
    page = surface_page(explored(excess))
    assert "<script" not in page
    assert "://" not in page
