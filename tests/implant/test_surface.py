import json

import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.implant import defects
from tuckpoint.implant.surface import SurfaceDefect
from tuckpoint.implant.surface_host import ground
from tuckpoint.implant.values import Host
from tuckpoint.seed import Seed


def host(*, key=1, dtype=np.uint8, channels=0, size=(120, 150), region=None, avoid=None):
    """A brushed plate: stripes along y, noise, brighter to the right."""
    draw = np.random.Generator(np.random.Philox(key=key))
    top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1.0
    stripes = defects.field((size[1],), 1.0, draw)
    light = 0.35 + 0.002 * np.arange(size[1]) + 0.02 * stripes + 0.02 * defects.field(size, 0.7, draw)
    if channels:
        light = light[..., None] * np.array([1.0, 0.8, 0.6])
    values = np.clip(light, 0, 1) * top
    region = np.ones(size, bool) if region is None else region
    return Host("plate", values.astype(dtype), (1.0, 1.0), "px", region, (0.0, float(top)), avoid=avoid)


def made(one, seed=1, settings=None, **more):
    part = SurfaceDefect() if settings is None else settings
    return part.implant(one, part.plan(one, Seed(seed), **more))


@pytest.mark.parametrize("kind", defects.FAMILIES)
def test_nothing_changes_where_alpha_is_zero_and_something_where_it_is_not(kind):
    one = host()
    for seed in range(4):
        pair = made(one, seed, SurfaceDefect(kinds=(kind,)))
        (finding,) = pair.findings
        touched = pair.alpha() > 0
        assert np.array_equal(pair.image[~touched], one.image[~touched])
        assert (pair.image != one.image).any()
        assert finding.kind == kind
        assert finding.mask.any()
        assert (finding.alpha[finding.mask] > 0).all() or not finding.drawn.values["hard"]
        json.dumps(pair.to_dict())


@pytest.mark.parametrize(
    ("dtype", "channels"), [(np.uint8, 0), (np.uint16, 0), (np.uint8, 3), (np.uint16, 3), (np.float32, 0)]
)
def test_depth_and_colour_are_kept(dtype, channels):
    one = host(dtype=dtype, channels=channels)
    pair = made(one, 3, count=2)
    assert pair.image.dtype == dtype
    assert pair.image.shape == one.image.shape
    assert pair.image.max() <= one.limits[1]
    touched = pair.alpha() > 0
    assert np.array_equal(pair.image[~touched], one.image[~touched])


def test_same_seed_same_bytes_and_another_seed_another_image():
    one = host()
    assert made(one, 1, count=3).image.tobytes() == made(one, 1, count=3).image.tobytes()
    assert made(one, 1).image.tobytes() != made(one, 2).image.tobytes()


def test_a_plan_survives_json():
    one, part = host(), SurfaceDefect()
    (drawn,) = part.plan(one, Seed(5))
    again = type(drawn)(drawn.kind, drawn.position, json.loads(json.dumps(dict(drawn.values))), drawn.key)
    assert part.implant(one, (drawn,)).image.tobytes() == part.implant(one, (again,)).image.tobytes()


def test_a_pin_replaces_a_draw_and_moves_no_other():
    one, part = host(), SurfaceDefect(kinds=("hole",))
    (free,), (pinned,) = (part.plan(one, Seed(2), pins=pins) for pins in (None, {"hard": True, "position": (60, 70)}))
    assert pinned.position == (60, 70)
    assert pinned.values["hard"] is True
    same = {name: value for name, value in free.values.items() if name in ("radius_px", "stretch", "share", "look")}
    assert {name: pinned.values[name] for name in same} == same


@pytest.mark.parametrize("radius", [4.0, 9.0, 15.0])
def test_the_mask_holds_the_area_asked_for(radius):
    pins = {"radius_px": radius, "position": (60, 75)}
    for seed in range(3):
        (finding,) = made(host(), seed, SurfaceDefect(kinds=("blob",)), pins=pins).findings
        assert finding.mask.sum() == pytest.approx(np.pi * radius**2, rel=0.05)
        assert finding.size.mask == pytest.approx(finding.size.requested, rel=0.025)


def test_contrast_is_what_was_drawn_and_darkens_or_brightens():
    for look, sign in (("dark", -1), ("bright", 1)):
        pins = {"look": look, "relief": 0.0, "uneven": 0.0, "keep": 1.0, "radius_px": 10.0, "position": (60, 75)}
        pair = made(host(), 1, SurfaceDefect(kinds=("hole",)), pins=pins)
        (finding,) = pair.findings
        core = np.abs(pair.image[58:63, 73:78].astype(float) - pair.host.image[58:63, 73:78]).mean()
        assert core == pytest.approx(abs(finding.drawn.values["contrast"]), abs=1.0)
        assert np.sign(finding.contrast) == sign


def test_the_change_follows_the_brightness_around():
    part = SurfaceDefect(kinds=("hole",), contrast=(0.4, 0.4), noises=(0.01, 0.01), dark=1.0, bright=0.0, clone=0.0)
    left, right = (part.plan(host(), Seed(1), pins={"position": (60, x)})[0].values["contrast"] for x in (20, 130))
    level = ground(host()).level[60, [20, 130], 0]
    assert right / left == pytest.approx(level[1] / level[0], rel=0.05)


def test_the_wall_near_the_light_is_in_shade_in_a_pit():
    """Light comes from the right, where the plate is brighter: the right wall of a pit is the darker one."""
    pins = {"look": "dark", "relief": 0.6, "uneven": 0.0, "keep": 1.0, "hard": False, "radius_px": 10.0,
            "stretch": 1.0, "rough": 0.0, "satellites": 0, "position": (60, 75)}  # fmt: skip
    pair = made(host(), 1, SurfaceDefect(kinds=("hole",)), pins=pins)
    change = pair.image.astype(float) - pair.host.image
    assert change[56:65, 82:85].mean() < change[56:65, 66:69].mean() - 5


def test_noise_inside_is_that_of_the_host():
    pins = {
        "look": "dark",
        "relief": 0.0,
        "uneven": 0.0,
        "keep": 0.3,
        "radius_px": 20.0,
        "position": (60, 75),
        "hard": False,
    }
    one = host(dtype=np.uint16)
    pair = made(one, 4, SurfaceDefect(kinds=("blob",)), pins=pins)
    inner = np.s_[52:69, 67:84]
    spread = [np.std(np.diff(image[inner].astype(float), axis=0)) for image in (one.image, pair.image)]
    assert spread[1] == pytest.approx(spread[0], rel=0.25)


def test_nulls_take_the_same_way_at_no_contrast():
    one, part = host(), SurfaceDefect(kinds=("blob",), clone=0.0)
    pair = made(one, 1, part, null=1.0, pins={"keep": 1.0, "radius_px": 12.0, "position": (60, 75)})
    (finding,) = pair.findings
    assert finding.null
    assert abs(pair.image.astype(float) - one.image).max() <= 1
    assert finding.size.fwhm is None
    assert not pair.mask().any()
    assert made(one, 1, part, null=0.0).mask().any()


def test_chips_stand_at_the_edge_and_their_distance_is_told():
    region = np.zeros((120, 150), bool)
    region[20:100, 30:120] = True
    one = host(region=region)
    for kind in ("chip", "fray"):
        pair = made(one, 2, SurfaceDefect(kinds=(kind,)))
        (finding,) = pair.findings
        assert finding.distances["edge"] <= 1.5
        assert not pair.mask()[~region].any()
        assert np.array_equal(pair.image[~region], one.image[~region])
    (hole,) = made(one, 2, SurfaceDefect(kinds=("hole",)), pins={"radius_px": 3.0, "position": (60, 75)}).findings
    assert hole.distances["edge"] == pytest.approx(37, abs=3)


def test_defects_do_not_touch_each_other_nor_what_is_there():
    avoid = np.zeros((120, 150), bool)
    avoid[:, :75] = True
    pair = made(host(avoid=avoid), 1, SurfaceDefect(kinds=("hole",)), count=4)
    assert not pair.alpha()[:, :75].any()
    assert sum((finding.alpha > 0).sum() for finding in pair.findings) == (pair.alpha() > 0).sum()


def test_lines_run_along_the_grain_if_asked():
    plain = ground(host())
    assert abs(np.sin(plain.grain_rad)) == pytest.approx(1, abs=0.05)
    part = SurfaceDefect(kinds=("scratch",), along_grain=1.0, from_edge=0.0)
    for seed in range(5):
        (drawn,) = part.plan(host(), Seed(seed))
        assert abs(np.sin(drawn.values["heading_rad"])) > 0.98


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"kinds": ()}, "kinds"),
        ({"kinds": ("hole",), "shares": (1.0, 2.0)}, "shares"),
        ({"dark": 0.0, "bright": 0.0, "clone": 0.0}, "dark, bright, clone"),
        ({"hard": 2.0}, "hard"),
        ({"contrast": (0.5, 0.1)}, "contrast"),
        ({"size": 0.0}, "size"),
        ({"kinds": ("hol",)}, 'did you mean "hole"'),
    ],
)
def test_settings_out_of_range_are_refused(settings, why):
    with pytest.raises(InputError, match=why):
        SurfaceDefect(**settings)


def test_hosts_that_show_no_surface_are_refused():
    flat = Host("flat", np.full((40, 40), 7, np.uint8), (1.0, 1.0), "px", np.ones((40, 40), bool), (0.0, 255.0))
    with pytest.raises(InputError, match="all pixels of the surface are 7"):
        made(flat)
    none = host(region=np.zeros((120, 150), bool))
    with pytest.raises(InputError, match="0 of them surface"):
        made(none)
    full = host(avoid=np.ones((120, 150), bool))
    with pytest.raises(InputError, match="no free place"):
        made(full)


def test_a_pin_that_pins_nothing_is_told():
    with pytest.raises(InputError, match='no choice "radius" \\(did you mean "radius_px"'):
        SurfaceDefect(kinds=("hole",)).plan(host(), Seed(1), pins={"radius": 3.0})
