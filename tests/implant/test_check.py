from dataclasses import replace

import numpy as np
import pytest
from implant.phantom import calm as host
from scipy import ndimage

from tuckpoint.errors import InputError
from tuckpoint.implant import check as module
from tuckpoint.implant import describe
from tuckpoint.implant.appearance import Appearance
from tuckpoint.implant.check import Reals, blocked, check, cut
from tuckpoint.implant.ct import LungNodule
from tuckpoint.implant.describe import Compared, compared
from tuckpoint.implant.detectability import detectability
from tuckpoint.implant.telling import area, told_apart
from tuckpoint.seed import Seed

SOLID = LungNodule(Appearance(size_mm=(6.0, 8.0), kinds={"solid": 1.0}), attached=0.0)


def made(hosts=range(4), *, null=0.0, each=3, adapter=SOLID, seed=1):
    return [
        adapter.implant(host(n), adapter.plan(host(n), Seed(seed).child(n, k), null=null))
        for n in hosts
        for k in range(each)
    ]


PAIRS = made()
NULLS = made(range(6), null=1.0, each=2)


def windows(pairs):
    return [cut(pair, pair.image, finding) for pair in pairs for finding in pair.findings]


def reals(hosts=range(20, 24)):
    pairs = made(hosts, seed=8)
    return Reals(windows(pairs), [pair.host.group for pair in pairs], [pair.host.spacing for pair in pairs])


def broken(pair, image=None, **finding):
    """The pair with another image, or another first finding."""
    kept = (replace(pair.findings[0], **finding), *pair.findings[1:])
    return replace(pair, image=pair.image if image is None else image, findings=kept)


def state(name, pairs, **given):
    found = {one.name: one for one in check(pairs, Seed(0), **given)}
    return next(one for key, one in found.items() if key.startswith(name))


def test_sound_implants_hold():
    found = check([*PAIRS, *NULLS], Seed(0), positives=reals())
    assert {one.name: one.state for one in found if one.state != "holds"} == {"real or implanted": "shown"}
    assert not blocked(found)
    assert 0.2 < next(one for one in found if one.state == "shown").value < 0.8


def test_a_voxel_changed_outside_alpha_is_found():
    image = PAIRS[0].image.copy()
    image[0, 0, 0] += 1
    assert state("untouched", [broken(PAIRS[0], image), *PAIRS[1:]]).state == "fails"


def test_a_mask_cut_from_the_blurred_alpha_is_found():
    small = PAIRS[0].findings[0].alpha >= 0.5
    assert small.sum() < 0.95 * PAIRS[0].findings[0].mask.sum()
    assert state("volume", [broken(PAIRS[0], mask=small)]).state == "fails"


def test_values_beyond_the_limits_are_found():
    image = PAIRS[0].image.copy()
    image[PAIRS[0].mask() > 0] = 4000
    assert state("values", [broken(PAIRS[0], image)]).state == "fails"


def test_a_finding_outside_the_organ_is_found():
    drawn = replace(PAIRS[0].findings[0].drawn, position=(1.0, 1.0, 1.0))
    assert state("inside", [broken(PAIRS[0], drawn=drawn)]).state == "fails"


@pytest.mark.parametrize("sharpness", [0.4, 1.7])
def test_edges_of_another_sharpness_are_found(sharpness):
    look = replace(SOLID.look, sharpness=sharpness)
    assert state("edge", made(adapter=replace(SOLID, look=look), each=2)).state == "fails"


def noisy(pair, factor):
    """The pair with the noise in its findings made larger or smaller, as an implanter that mixes noise would."""
    image = pair.image.astype(float)
    for finding in pair.findings:
        crop = image[finding.window]
        noise = pair.host.image[finding.window] - ndimage.gaussian_filter(
            pair.host.image[finding.window].astype(float), 1
        )
        crop[finding.alpha > 0] += ((factor - 1) * noise)[finding.alpha > 0]
    return broken(pair, np.round(image).astype(np.int16))


@pytest.mark.parametrize("factor", [0.2, 2.0])
def test_noise_that_is_not_the_hosts_is_found(factor):
    assert state("noise", [noisy(pair, factor) for pair in PAIRS]).state == "fails"


def test_a_fingerprint_on_nulls_is_found():
    marked = []
    for pair in NULLS:
        image = pair.image.astype(float)
        where = pair.alpha() > 0.2
        image[where] = ndimage.gaussian_filter(image, 1.0)[where]
        marked.append(replace(pair, image=np.round(image).astype(np.int16)))
    assert state("null", NULLS).state == "holds"
    assert state("null", marked).state == "fails"
    assert state("null", PAIRS).state == "open"


def test_nodules_that_look_unlike_the_real_ones_are_found():
    small = LungNodule(Appearance(size_mm=(3.5, 4.0), kinds={"solid": 1.0}), attached=0.0)
    found = check(made(adapter=small), Seed(0), positives=reals())
    named = {one.name: one for one in found}
    assert named["looks like the real ones in three medians"].state == "fails"
    assert named["real or implanted"].value > 0.9
    assert blocked(found)


def test_intervals_of_medians_hold_what_is_alike_and_leave_out_what_is_not(monkeypatch):
    rng = Seed(4).numpy()

    def drawn(n, factor=1.0):
        return np.exp(rng.normal(0, 0.25, (n, 3))) * [5 * factor, 0.3, 800], [str(k) for k in range(n)]

    def told(n, factor):
        names = {one.name: one for one in compared(drawn(80, factor), drawn(n), Seed(0))}
        return names["fwhm_mm"]

    monkeypatch.setattr(describe, "REPLICATES", 100)
    far = [told(12, 1.6) for _ in range(10)]
    assert all(one.off > 0.15 for one in far)
    assert np.mean([one.low > 0 for one in far]) > 0.8
    same = [told(12, 1.0) for _ in range(40)]
    assert np.mean([one.low <= 0 <= one.high for one in same]) >= 0.85  # 95 % of large samples
    assert np.mean([abs(one.off) > 0.15 and not one.low <= 0 <= one.high for one in same]) <= 0.1


def test_a_difference_that_few_real_ones_explain_is_left_open(monkeypatch):
    few = reals()
    for low, state_of_it in ((-0.1, "open"), (0.05, "fails")):
        told = Compared("fwhm_mm", 6.0, 5.0, 0.2, low, 0.6)
        monkeypatch.setattr(module, "compared", lambda *_, told=told: (told,))
        found = module.descriptors(PAIRS, few, Seed(0))
        assert found.state == state_of_it
        assert "95 % interval" in found.found


def test_without_real_ones_it_says_what_was_not_checked():
    assert state("looks", PAIRS).state == "open"
    assert state("real", PAIRS).found.startswith("not measured")


def test_a_patient_on_both_sides_is_found():
    assert state("no patient", PAIRS, positives=reals(range(3, 7))).state == "fails"
    carved = replace(PAIRS[0].findings[0].drawn, values={"source_group": "patient 21"})
    assert state("no patient", [broken(PAIRS[0], drawn=carved)], positives=reals()).state == "fails"
    own = replace(PAIRS[0].findings[0].drawn, values={"source_group": PAIRS[0].host.group})
    assert state("no patient", [broken(PAIRS[0], drawn=own)]).state == "fails"


def test_patients_that_cannot_be_compared_are_not_said_to_be_apart():
    named = [replace(pair, host=replace(pair.host, name="series-0123")) for pair in PAIRS]
    assert state("no patient", named, positives=reals()).state == "open"
    assert state("no patient", named).state == "holds"


def test_nothing_to_check_is_told():
    with pytest.raises(InputError, match="nothing was implanted"):
        check([replace(PAIRS[0], findings=())], Seed(0))


def test_areas_of_known_scores():
    truth = np.array([1.0, 1, 0, 0])
    assert area(np.array([3.0, 2, 1, 0]), truth) == 1
    assert area(np.array([1.0, 1, 1, 1]), truth) == 0.5
    assert area(np.array([3.0, 0, 1, 2]), truth) == 0.5
    assert area(np.array([3.0, 0, 1, 2]), truth, np.array([1, 0, 1, 1])) == 1


def test_windows_of_one_kind_are_not_told_apart_and_a_group_is_on_one_side():
    rng = Seed(1).numpy()
    noise = [rng.normal(0, 1, (12, 12)) for _ in range(80)]
    groups = [str(k // 2) for k in range(80)]
    sides = (groups[:40], groups[40:])
    areas = [told_apart(noise[k : 40 + k], noise[40 + k :] + noise[:k], sides, Seed(2)).auc for k in range(0, 40, 8)]
    assert abs(np.mean(areas) - 0.5) < 0.1
    loud = [window * 1.5 for window in noise[40:]]
    assert told_apart(noise[:40], loud, sides, Seed(2)).low > 0.9


def test_few_windows_or_one_patient_are_refused():
    window = np.zeros((5, 5))
    with pytest.raises(InputError, match="give 10"):
        told_apart([window] * 3, [window] * 30, (["a"] * 3, ["b"] * 30), Seed(0))
    with pytest.raises(InputError, match="one patient"):
        told_apart([window] * 20, [window] * 20, (["a"] * 20, ["a"] * 20), Seed(0))


def test_detectability_rises_with_contrast():
    pairs = [
        SOLID.implant(host(n), SOLID.plan(host(n), Seed(3).child(n, k), pins={"value_hu": hu, "diameter_mm": 5.0}))
        for n in range(4)
        for k in range(3)
        for hu in (-790.0, -300.0)
    ]
    found = detectability(pairs, Seed(0))
    assert found.monotone
    assert found.contrast[0].sensitivity < found.contrast[-1].sensitivity == 1
    assert found.contrast[0].low < 3 < 10 < found.contrast[-1].high
    assert detectability(pairs[:2], Seed(0)).why
