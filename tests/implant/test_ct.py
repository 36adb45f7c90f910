import json
from dataclasses import replace

import numpy as np
import pytest
from implant.phantom import host, patch

from tuckpoint.errors import InputError
from tuckpoint.implant.appearance import KINDS, Appearance
from tuckpoint.implant.ct import LungNodule, ct_host
from tuckpoint.implant.values import Drawn
from tuckpoint.seed import Seed

SMALL = LungNodule(Appearance(size_mm=(4.0, 6.0)))


def made(adapter=SMALL, seed=1, on=0, **settings):
    return adapter.implant(host(on), adapter.plan(host(on), Seed(seed), **settings))


def test_the_same_seed_gives_the_same_image_and_another_seed_another():
    one, same, other = made(), made(), made(seed=2)
    assert (one.image == same.image).all()
    assert (one.image != other.image).any()


def test_the_plan_is_plain_and_doing_it_again_gives_the_same_image():
    one = made(count=2)
    told = json.loads(json.dumps([vars(finding.drawn) for finding in one.findings]))
    again = tuple(Drawn(**(entry | {"position": tuple(entry["position"])})) for entry in told)
    assert (SMALL.implant(host(0), again).image == one.image).all()


def test_the_host_is_untouched_and_equal_outside_alpha():
    before = patch(0).copy()
    one = made(count=2)
    assert (host(0).image == before).all()
    untouched = one.alpha() == 0
    assert (one.image[untouched] == before[untouched]).all()
    assert (one.image != before).sum() > 50


def test_a_pin_moves_its_choice_and_no_other():
    free, pinned = (SMALL.plan(host(0), Seed(5), pins=pins)[0].values for pins in (None, {"texture_hu": 11.0}))
    assert pinned["texture_hu"] == 11.0
    assert {k: v for k, v in free.items() if k != "texture_hu"} == {
        k: v for k, v in pinned.items() if k != "texture_hu"
    }


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_asked_for_and_is_as_dense_as_it_is_called(kind):
    one = made(pins={"kind": kind, "attached": False, "diameter_mm": 7.0})
    finding = one.findings[0]
    assert finding.kind == kind
    middle = one.image[finding.window][finding.alpha > 0.95]
    low, high = {"calcified": (60, 900), "ground-glass": (-800, -350), "part-solid": (-750, 150)}.get(kind, (-150, 200))
    assert low < np.median(middle) < high


def test_everything_is_kept():
    finding = made(pins={"attached": False, "kind": "solid"}).findings[0]
    assert finding.size.mask == pytest.approx(finding.size.requested, rel=0.02)
    assert finding.size.fwhm == pytest.approx(finding.size.requested, rel=0.15)
    assert finding.distances["vessel"] >= 0.9 * finding.size.requested / 2
    assert finding.contrast_to_noise == pytest.approx(finding.contrast / finding.host_model["noise_hu"])
    assert finding.box == tuple(
        (int(a) + c, int(b) + 1 + c)
        for a, b, c in zip(
            np.argwhere(finding.mask).min(0), np.argwhere(finding.mask).max(0), finding.corner, strict=True
        )
    )
    json.dumps(finding.to_dict(), allow_nan=False)


def test_attached_ones_touch_and_free_ones_do_not():
    def gap(attached):
        values = SMALL.plan(host(0), Seed(4), pins={"attached": attached})[0].values
        assert not values["place"]["fallback"]
        return min(values["place"]["vessel_mm"], values["place"]["wall_mm"]) / (values["diameter_mm"] / 2)

    assert gap(True) <= 1.3
    assert gap(False) >= 0.9


def test_nulls_come_in_their_share_change_nothing_and_are_no_truth():
    one = made(count=3, null=1.0)
    assert all(finding.null and finding.contrast == 0 for finding in one.findings)
    assert (one.image == one.host.image).all()
    assert one.mask().max() == 0
    assert one.alpha().max() > 0.5
    assert not any(finding.null for finding in made(count=3, null=0.0).findings)


def test_findings_stay_apart_and_off_what_is_there():
    avoid = np.zeros(host(0).shape, bool)
    avoid[20:26, 20:26, 20:26] = True
    busy = replace(host(0), avoid=avoid)
    one = SMALL.implant(busy, SMALL.plan(busy, Seed(1), count=3))
    assert not (one.alpha()[avoid] > 0.5).any()
    assert sum(finding.mask.sum() for finding in one.findings) == (one.mask() > 0).sum()


def test_a_host_that_is_full_says_so():
    with pytest.raises(InputError, match="no free place for finding"):
        made(count=60)


def test_flat_voxels_keep_sizes_in_millimetres():
    flat = host(0, shape=(18, 54, 54), spacing=(2.5, 0.8, 0.8))
    one = SMALL.implant(flat, SMALL.plan(flat, Seed(2), pins={"diameter_mm": 8.0, "kind": "solid"}))
    (z0, z1), (y0, y1), _ = one.findings[0].box
    assert (z1 - z0) * 2.5 == pytest.approx(8, abs=3.6)
    assert (y1 - y0) * 0.8 == pytest.approx(8, abs=3)
    assert one.findings[0].size.mask == pytest.approx(8, rel=0.02)


def test_settings_move_the_draw():
    plain = Appearance()
    moved = {
        "size_mm": (9.0, 9.1), "axis_sd": 0.5, "lobes": (9, 9), "lobe_height": (0.6, 0.7), "spicules": 8.0,
        "solid_hu": (90.0, 1.0), "texture_hu": (80.0, 81.0), "texture_mm": (4.0, 4.1), "size_factor": 1.2,
        "sharpness": 1.3, "added_hu": 50.0, "kinds": {"calcified": 1.0}, "part_hu": (200.0, 1.0), "core": (0.9, 0.95),
        "halo_hu": (-300.0, -290.0), "glass_hu": (-300.0, -290.0), "calcified_hu": (900.0, 901.0),
    }  # fmt: skip
    of = {"part_hu": "part-solid", "core": "part-solid", "glass_hu": "ground-glass", "calcified_hu": "calcified"}
    for name, value in moved.items():
        kinds = {of.get(name, "solid"): 1.0}
        one = LungNodule(replace(plain, kinds=kinds)).plan(host(0), Seed(1))[0].values
        other = LungNodule(replace(plain, **({"kinds": kinds} | {name: value}))).plan(host(0), Seed(1))[0].values
        assert {k: v for k, v in one.items() if k != "place"} != {k: v for k, v in other.items() if k != "place"}, name


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Appearance(kinds={"sold": 1.0}), 'did you mean "solid"'),
        (lambda: Appearance(kinds={"solid": 0.0}), "no kind"),
        (lambda: Appearance(size_mm=(8.0, 4.0)), "size_mm"),
        (lambda: Appearance(sharpness=9.0), "sharpness"),
        (lambda: LungNodule(attached=2.0), "attached"),
        (lambda: made(null=1.5), "null"),
        (lambda: made(pins={"diametr_mm": 3}), "did you mean"),
        (lambda: ct_host("a", patch(0), (1.0, 1.0, 1.0), lung=np.zeros((44, 44, 44))), "mask is empty"),
        (lambda: ct_host("a", patch(0), (1.0, 0.0, 1.0)), "spacing"),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
