"""The example worlds: each can be drawn, shows what it says, and is another one with another seed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tuckpoint.errors import UnfitScene
from tuckpoint.scene.plan import plan
from tuckpoint.scene.renderers.raycast import Raycast
from tuckpoint.scene.spec import load
from tuckpoint.scene.stage import staged
from tuckpoint.seed import Seed

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.yaml"))
PINS = {"field": {"crop.place.rows.each": 3, "soil.shape.cells": 40}}  # quicker, and as true


def scene(path, root):
    spec = load(path)
    small = replace(spec, image={"width": 96, "height": 64})
    for attempt in range(spec.tries):
        try:
            return plan(small, Seed(root), 0, pins=PINS.get(path.stem), attempt=attempt)
        except UnfitScene:
            continue
    raise AssertionError("no scene of this seed can be")


def test_the_worlds_of_the_guide_are_there():
    assert {path.stem for path in EXAMPLES} == {"shelf", "table", "field", "street", "part", "signs"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_world_shows_labelled_things_and_varies(path):
    one, other = (scene(path, root) for root in (1, 2))
    assert one.digest != other.digest
    seen = Raycast(device="cpu").render(staged(one), 0)
    labelled = [n for n, thing in enumerate(one.things, 1) if thing.class_name is not None]
    assert np.isin(seen.instance, labelled).sum() > 30
    assert np.isfinite(seen.radiance).all()
    assert seen.radiance.std() > 0.02 * seen.radiance.mean()


def test_half_of_the_fields_have_an_obstacle():
    path = next(path for path in EXAMPLES if path.stem == "field")
    spec = replace(load(path), image={"width": 96, "height": 64})
    few = {"crop.place.rows.each": 0, "weed.count": 0, "stone.count": 0, "soil.shape.cells": 20}
    there = [any(thing.name == "obstacle" for thing in plan(spec, Seed(0), k, pins=few).things) for k in range(10)]
    assert sum(there) == 5
