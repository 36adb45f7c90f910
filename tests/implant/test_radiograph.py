import json
from dataclasses import replace

import numpy as np
import pytest
from implant.chest import GAIN, MM, film, host

from tuckpoint.errors import InputError
from tuckpoint.implant.appearance import Appearance
from tuckpoint.implant.radiograph import LUNG_HU, RadiographNodule, shadow
from tuckpoint.implant.radiograph_gain import Gain
from tuckpoint.implant.radiograph_host import radiograph_host
from tuckpoint.seed import Seed

BALL = Appearance(size_mm=(10.0, 10.0), kinds={"solid": 1.0}, axis_sd=0.0, lobe_height=(0.0, 0.0), spicules=0.0)
PART = RadiographNodule(Gain(GAIN), BALL)
WHOLE = {"density": 1.0}  # tissue in place of air


def made(one=None, seed=1, part=PART, **more):
    one = host(0) if one is None else one
    return part.implant(one, part.plan(one, Seed(seed), **more))


def change(pair):
    return pair.image.astype(float) - pair.host.image


def flipped(one):
    """The film as MONOCHROME1 stores it."""
    top = int(one.limits[1])
    image = (top - one.image).astype(one.image.dtype)
    return radiograph_host(one.name, image, one.spacing, lung=one.region, bits=top.bit_length())


@pytest.mark.parametrize("spacing", [(MM, MM), (0.6, 1.0)])
def test_all_grey_that_is_added_is_gain_times_volume(spacing):
    one = host(0, spacing=spacing)
    pair = made(one, pins=WHOLE, count=2)
    for finding in pair.findings:
        added = change(pair)[finding.window].sum() * np.prod(spacing)
        assert added == pytest.approx(GAIN * 4 / 3 * np.pi * 5.0**3, rel=0.01)
        assert finding.thickness.sum() * np.prod(spacing) == pytest.approx(4 / 3 * np.pi * 5.0**3, rel=1e-3)


def test_the_middle_of_a_ball_is_gain_times_its_diameter_thick():
    pair = made(pins=WHOLE | {"diameter_mm": 20.0, "sharpness": 0.1})
    (finding,) = pair.findings
    row, column = (round(p) for p in finding.drawn.position)
    assert change(pair)[row - 1 : row + 2, column - 1 : column + 2].mean() == pytest.approx(GAIN * 20.0, rel=0.01)
    rows, columns = (high - low for low, high in finding.box)
    assert rows * MM == pytest.approx(20.0, abs=1.7)
    assert columns * MM == pytest.approx(20.0, abs=1.7)


def test_anisotropic_pixels_keep_a_ball_round():
    (finding,) = made(host(0, spacing=(0.6, 1.0)), pins={"diameter_mm": 18.0}).findings
    rows, columns = (high - low for low, high in finding.box)
    assert rows * 0.6 == pytest.approx(columns * 1.0, abs=1.6)


def test_a_nodule_is_as_blurred_as_asked_and_no_grey_is_lost():
    sharp, soft = (
        shadow(made(pins=WHOLE | {"sharpness": f}).findings[0].drawn.values, (MM, MM)).change for f in (0.5, 2.0)
    )
    assert sharp.sum() == pytest.approx(soft.sum(), rel=0.01)
    steepest = [np.hypot(*np.gradient(one)).max() for one in (sharp, soft)]
    assert steepest[1] < 0.9 * steepest[0]


def test_the_sign_of_the_gain_is_that_of_the_film():
    one = flipped(host(0))
    with pytest.raises(InputError, match=r"by the gain \(12\) tissue is brighter, yet .* darker than the lung"):
        made(one)
    pair = made(one, part=replace(PART, gain=Gain(-GAIN)), pins=WHOLE)
    assert pair.findings[0].contrast < -50
    assert change(pair).sum() == pytest.approx(-change(made(pins=WHOLE)).sum(), rel=0.01)
    with pytest.raises(InputError, match=r"by the gain \(-12\) tissue is darker"):
        made(part=replace(PART, gain=Gain(-GAIN)))


def test_density_is_what_the_lung_lets_it_add():
    (solid,) = made().findings
    assert solid.drawn.values["density"] == pytest.approx((20 - LUNG_HU) / 1040, abs=0.2)
    glass = Appearance(size_mm=(12.0, 12.0), kinds={"ground-glass": 1.0})
    part = Appearance(size_mm=(12.0, 12.0), kinds={"part-solid": 1.0})
    thin, mixed = (made(part=RadiographNodule(Gain(GAIN), look)) for look in (glass, part))
    assert 0.1 < thin.findings[0].drawn.values["density"] < 0.4
    values = mixed.findings[0].drawn.values
    core = values["core"] ** 3
    volume = np.pi / 6 * 12.0**3
    wanted = GAIN * volume * (core * values["density"] + (1 - core) * values["halo_density"])
    assert change(mixed).sum() * MM**2 == pytest.approx(wanted, rel=0.02)


def test_nothing_changes_where_alpha_is_zero_and_noise_stays():
    pair = made(count=3)
    assert np.array_equal(pair.image[pair.alpha() == 0], pair.host.image[pair.alpha() == 0])
    values = [one.drawn.values for one in pair.findings]
    smooth = np.zeros(pair.host.shape)
    for finding, drawn in zip(pair.findings, values, strict=True):
        cast = shadow(drawn, pair.host.spacing)
        crop, _ = cast.at(pair.host, tuple(drawn["place"]["position"]))
        smooth[finding.window] += cast.change[crop]
    assert np.abs(change(pair) - smooth).max() <= 1.0  # rounding alone
    assert abs((change(pair) - smooth)[smooth > 0.5].mean()) < 0.06  # and to neither side


def test_faint_nodules_are_not_lost_in_whole_numbers():
    told, lung = film(0)
    image = (told // 16).astype(np.uint8)
    one = radiograph_host("8 bits", image, (MM, MM), lung=lung)
    part = RadiographNodule(Gain(0.1), BALL)
    total = np.mean([change(made(one, seed, part, pins=WHOLE)).sum() for seed in range(5)])
    assert total * MM**2 == pytest.approx(0.1 * np.pi / 6 * 10**3, rel=0.12)  # of at most one grey level


def test_places_lie_within_the_eroded_lung_and_are_told():
    pair = made(count=4)
    for finding in pair.findings:
        row, column = (round(p) for p in finding.drawn.position)
        assert pair.host.region[finding.window][finding.mask].all()
        y, x = np.nonzero(~pair.host.region)
        nearest = np.hypot(y - row, x - column).min() * MM
        assert finding.distances["wall"] == pytest.approx(nearest, abs=1.5 * MM)
        assert finding.distances["wall"] >= 5.0
        edges = [min(at, n - 1 - at) * MM for at, n in zip((row, column), pair.host.shape, strict=True)]
        assert finding.distances["edge"] == pytest.approx(min(edges), abs=MM)
        assert 0 < finding.complexity < 1
    middles = np.array([one.drawn.position for one in pair.findings])
    far = np.linalg.norm(middles[:, None] - middles[None], axis=-1) * MM
    assert far[~np.eye(4, dtype=bool)].min() >= 13.5


def test_ribs_make_a_place_complex_and_a_nodule_hard_to_see():
    grain = Seed(1).numpy().normal(1500, 9, (90, 90))
    even = radiograph_host("even", np.round(grain).astype(np.uint16), (MM, MM), lung=np.ones((90, 90), bool), bits=12)
    (clear,), (among,) = (made(one).findings for one in (even, host(0)))
    assert clear.complexity < 0.1 < 0.3 < among.complexity
    assert clear.difficulty == "easy"
    assert among.difficulty != "easy"
    assert clear.contrast == pytest.approx(among.contrast, rel=0.1)  # the blur of the even film is assumed


def test_findings_that_are_there_are_kept_off():
    avoid = np.zeros(host(0).shape, bool)
    avoid[:, :120] = True
    one = replace(host(0), avoid=avoid)
    assert all(finding.drawn.position[1] > 120 + 5 / MM for finding in made(one, count=3).findings)
    with pytest.raises(InputError, match="no free place"):
        made(replace(host(0), avoid=np.ones_like(avoid)))


def test_nulls_take_the_same_way_at_no_contrast():
    pair, real = made(null=1.0), made()
    assert np.array_equal(pair.image, pair.host.image)
    assert pair.findings[0].null
    assert np.array_equal(pair.findings[0].alpha, real.findings[0].alpha)
    assert pair.findings[0].size.fwhm is None
    assert not pair.mask().any()
    assert not pair.thickness().any()


def test_same_seed_same_bytes_and_a_plan_survives_json():
    one = host(0)
    (drawn,) = PART.plan(one, Seed(5))
    again = type(drawn)(drawn.kind, drawn.position, json.loads(json.dumps(dict(drawn.values))), drawn.key)
    assert PART.implant(one, (drawn,)).image.tobytes() == PART.implant(one, (again,)).image.tobytes()
    assert made(seed=1).image.tobytes() != made(seed=2).image.tobytes()
    json.dumps(made().to_dict())


def test_a_pin_replaces_a_draw_and_moves_no_other():
    (free,), (pinned,) = (PART.plan(host(0), Seed(2), pins=pins) for pins in (None, {"density": 0.5}))
    assert pinned.values["density"] == 0.5
    assert pinned.position == free.position
    assert pinned.key == free.key
    with pytest.raises(InputError, match='did you mean "density"'):
        PART.plan(host(0), Seed(2), pins={"densty": 1.0})


def test_a_saturated_film_is_refused_where_the_nodule_would_be_cut_off():
    image, lung = film(0)
    bright, part = np.minimum(232 + image // 64, 254), RadiographNodule(Gain(1.5), BALL)
    for grey, share in ((bright, "0%"), (np.full_like(image, 255), "100%")):
        one = radiograph_host("bright", grey.astype(np.uint8), (MM, MM), lung=lung)
        with pytest.raises(
            InputError, match=rf"saturated: a nodule 10\.0 mm .* cut off at 255 .*\({share} of the lung"
        ):
            made(one, part=part)


def test_settings_out_of_range_are_refused():
    with pytest.raises(InputError, match="displaced_hu"):
        RadiographNodule(Gain(1.0), displaced_hu=-500.0)
    with pytest.raises(InputError, match="null is 2"):
        made(null=2.0)
