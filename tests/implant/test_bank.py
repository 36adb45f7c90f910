import numpy as np
import pytest
from implant.phantom import host, patch

from tuckpoint.errors import InputError
from tuckpoint.implant.bank import NoduleBank, carve
from tuckpoint.implant.ct import LungNodule
from tuckpoint.seed import Seed

CUBE = (1.0, 1.0, 1.0)


def real(on=7, diameter=8.0):
    """A nodule of known size, as if it were real, with its mask."""
    pins = {"diameter_mm": diameter, "kind": "solid", "attached": False, "value_hu": 60.0}
    pair = LungNodule().implant(host(on), LungNodule().plan(host(on), Seed(1), pins=pins))
    return carve(f"real {on}", pair.image, pair.mask() > 0, CUBE, group=f"patient {on}")


BANK = NoduleBank([real()])


def made(on=0, seed=1, adapter=BANK, **settings):
    return adapter.implant(host(on), adapter.plan(host(on), Seed(seed), **settings))


def test_a_carved_nodule_is_as_large_and_as_dense_as_the_real_one():
    pair = made(pins={"zoom": 1.0, "attached": False})
    finding = pair.findings[0]
    assert finding.size.mask == pytest.approx(8.0, rel=0.02)
    assert finding.size.fwhm == pytest.approx(8.0, rel=0.12)
    assert pair.image[finding.window][finding.mask].mean() == pytest.approx(-100, abs=140)


def test_zoom_makes_it_larger():
    assert made(pins={"zoom": 1.25}).findings[0].size.mask == pytest.approx(10.0, rel=0.02)


def test_only_what_alpha_touches_changes_and_the_host_keeps_its_noise():
    pair = made()
    assert (pair.image[pair.alpha() == 0] == patch(0)[pair.alpha() == 0]).all()
    rim = (pair.alpha() > 0.3) & ~(pair.mask() > 0)
    assert (pair.image.astype(int) - patch(0))[rim].min() > -60


def test_turns_are_drawn_and_the_same_seed_gives_the_same():
    assert (made(seed=3).image == made(seed=3).image).all()
    assert made(seed=3).findings[0].drawn.values["turn"] != made(seed=4).findings[0].drawn.values["turn"]


def test_flat_voxels_are_turned_about_their_axis_alone():
    flat = host(0, shape=(18, 54, 54), spacing=(2.5, 0.8, 0.8))
    turn = np.array(BANK.plan(flat, Seed(2))[0].values["turn"])
    assert np.allclose(np.abs(turn[0]), [1, 0, 0])
    pair = BANK.implant(flat, BANK.plan(flat, Seed(2), pins={"zoom": 1.0}))
    assert pair.findings[0].size.mask == pytest.approx(8.0, rel=0.05)


def test_a_patient_of_the_bank_is_no_host():
    with pytest.raises(InputError, match="patient 7 is in the bank"):
        made(on=7)
    assert made(on=7, adapter=NoduleBank([real()], own_hosts=True)).findings


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: NoduleBank([]), "empty"),
        (lambda: NoduleBank([real()], zoom=(2.0, 1.0)), "zoom"),
        (lambda: made(pins={"zom": 1}), 'did you mean "zoom"'),
        (lambda: carve("a", patch(0), np.zeros((44, 44, 44), bool), CUBE), "mask is empty"),
        (lambda: carve("a", patch(0), np.zeros((4, 4, 4), bool), CUBE), "give its own mask"),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
