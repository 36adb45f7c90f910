from dataclasses import replace

import numpy as np
import pytest
from implant.chest import GAIN, MM, host
from scipy import ndimage

from tuckpoint.implant.appearance import Appearance
from tuckpoint.implant.check import Reals, blocked, check, cut
from tuckpoint.implant.radiograph import RadiographNodule
from tuckpoint.implant.radiograph_check import blur, grey_off, volume_off
from tuckpoint.implant.radiograph_gain import Gain
from tuckpoint.seed import Seed

LOOK = Appearance(size_mm=(8.0, 12.0), kinds={"solid": 0.7, "part-solid": 0.3}, spicules=0.0)


def made(hosts=range(3), *, null=0.0, each=1, look=LOOK, seed=1):
    part = RadiographNodule(Gain(GAIN), look)
    return [part.implant(host(n), part.plan(host(n), Seed(seed).child(n), count=each, null=null)) for n in hosts]


PAIRS = made(each=4)


def state(name, pairs):
    return next(one for one in check(pairs, Seed(0)) if one.name.startswith(name))


def other(pair, image=None, **finding):
    kept = (replace(pair.findings[0], **finding), *pair.findings[1:])
    return replace(pair, image=pair.image if image is None else image, findings=kept)


def test_sound_implants_hold_and_stay_unvalidated():
    found = {one.name: one.state for one in check([*PAIRS, *made(null=1.0, each=4)], Seed(0))}
    assert {name for name, state in found.items() if state not in ("holds", "shown")} == {
        "looks like the real ones in three medians", "validated on real radiographs",
    }  # fmt: skip
    assert state("validated", PAIRS).found.startswith("UNVALIDATED")
    assert not blocked(check(PAIRS, Seed(0)))


@pytest.mark.parametrize("gain", [0.8, 1.25])
def test_another_gain_than_told_is_found(gain):
    images = [pair.host.image + np.round(gain * (pair.image.astype(float) - pair.host.image)) for pair in PAIRS]
    wrong = [replace(pair, image=image.astype(np.uint16)) for pair, image in zip(PAIRS, images, strict=True)]
    assert state("grey", PAIRS).state == "holds"
    assert state("grey", wrong).state == "fails"


def test_another_volume_than_asked_is_found():
    thin = PAIRS[0].findings[0].thickness * 0.9
    assert state("volume", PAIRS).state == "holds"
    assert state("volume", [other(PAIRS[0], thickness=thin)]).state == "fails"


@pytest.mark.parametrize(("sharpness", "holds"), [(0.5, False), (1.0, True), (1.6, False)])
def test_another_blur_than_the_films_is_found(sharpness, holds):
    look = replace(LOOK, kinds={"solid": 1.0}, sharpness=sharpness)
    pairs = made(look=look)
    assert state("edge", pairs).state == ("holds" if holds else "fails")
    assert blur(pairs[0], pairs[0].findings[0]) == pytest.approx(sharpness, rel=0.12)


def test_what_is_cut_off_is_found():
    image = PAIRS[0].image.copy()
    np.minimum(image, PAIRS[0].host.image + 40, out=image)
    assert state("grey", [other(PAIRS[0], image)]).state == "fails"
    loud = PAIRS[0].image.copy()
    loud[PAIRS[0].mask() > 0] = 4096
    assert state("values", [other(PAIRS[0], loud)]).state == "fails"


def test_a_pixel_changed_outside_alpha_and_a_finding_outside_the_lung_are_found():
    image = PAIRS[0].image.copy()
    image[0, 0] += 1
    assert state("untouched", [other(PAIRS[0], image)]).state == "fails"
    drawn = replace(PAIRS[0].findings[0].drawn, position=(2.0, 2.0))
    assert state("inside", [other(PAIRS[0], drawn=drawn)]).state == "fails"


def test_noise_that_was_smoothed_away_is_found():
    wrong = []
    for pair in PAIRS:
        smooth = np.round(ndimage.gaussian_filter(pair.image.astype(float), 1.0)).astype(np.uint16)
        wrong.append(replace(pair, image=np.where(pair.alpha() > 0, smooth, pair.image)))
    assert state("noise", PAIRS).state == "holds"
    assert state("noise", wrong).state == "fails"


def test_neighbours_do_not_count_for_each_other():
    part = RadiographNodule(Gain(GAIN), replace(LOOK, kinds={"solid": 1.0}))
    pair = part.implant(host(0), part.plan(host(0), Seed(4), count=2))
    near = replace(pair.findings[0], thickness=None)
    wide = [slice(max(s.start - 40, 0), s.stop + 40) for s in near.window]  # a crop that shows the other one too
    whole = replace(pair.findings[0], corner=tuple(s.start for s in wide), mask=pair.mask()[tuple(wide)] == 1,
                    alpha=pair.alpha()[tuple(wide)], thickness=pair.thickness()[tuple(wide)])  # fmt: skip
    found = replace(pair, findings=(whole, pair.findings[1]))
    assert volume_off(found, whole) < 0.01
    assert grey_off(found, whole)[0] < 0.02


def test_real_or_implanted_is_shown_with_real_nodules():
    real = made(each=4, seed=7)
    windows = [cut(pair, pair.image, one) for pair in real for one in pair.findings]
    groups = [f"another {pair.host.group}" for pair in real for _ in pair.findings]
    reals = Reals(windows, groups, [(MM, MM)] * len(windows))
    found = {one.name: one for one in check(PAIRS, Seed(0), positives=reals)}
    assert 0.1 < found["real or implanted"].value < 0.9
    assert windows[0].shape == (40, 40)


def test_noise_below_one_grey_level_is_not_judged():
    model = {**PAIRS[0].findings[0].host_model, "noise": 0.6}
    quiet = [replace(pair, findings=tuple(replace(one, host_model=model) for one in pair.findings)) for pair in PAIRS]
    assert state("noise", quiet).state == "open"
