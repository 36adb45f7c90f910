import numpy as np
import pytest
from PIL import Image

from tuckpoint import parts
from tuckpoint.errors import InputError
from tuckpoint.scene.scene import Texture
from tuckpoint.scene.texture import baked

KEYED = ("noise", "wood", "bricks", "speckle", "label")
DRAWN = [kind for kind in parts.names("texture") if kind not in ("image", "embedded")]


def code(light):
    return round(255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("kind", DRAWN)
def test_the_same_settings_give_the_same_picture(kind):
    one = baked(Texture(kind)).copy()
    assert one.shape[2] == 3
    assert one.std() > 3
    assert np.array_equal(one, baked(Texture(kind, {"size": one.shape[0]})))


@pytest.mark.parametrize("kind", KEYED)
def test_another_key_gives_another_picture(kind):
    assert not np.array_equal(baked(Texture(kind, {"key": 1})), baked(Texture(kind, {"key": 2})))


@pytest.mark.parametrize("kind", ["noise", "wood", "bricks", "speckle"])
def test_it_repeats_without_a_seam(kind):
    picture = baked(Texture(kind)).astype(float)
    for axis in (0, 1):
        steps = np.abs(np.diff(picture, axis=axis)).mean(axis=(1 - axis, 2))
        seam = np.abs(np.take(picture, 0, axis) - np.take(picture, -1, axis)).mean()
        assert seam <= steps.max() * 1.001


def test_colours_are_those_that_were_asked_for():
    picture = baked(Texture("checker", {"low": [0.0, 0.0, 0.0], "high": [0.5, 0.1, 0.0], "squares": 2, "size": 4}))
    assert picture[0, 0].tolist() == [0, 0, 0]
    assert picture[0, 3].tolist() == [code(0.5), code(0.1), 0]


def test_speckle_covers_the_share_that_was_asked_for():
    settings = {"ground": [0.0, 0.0, 0.0], "grain": [1.0, 1.0, 1.0], "density": 0.3}
    assert (baked(Texture("speckle", settings)) > 128).mean() == pytest.approx(0.3, abs=0.08)


def test_a_picture_of_the_user_stays_as_it_is(tmp_path):
    codes = np.arange(256, dtype=np.uint8).reshape(16, 16)[..., None].repeat(3, -1)
    Image.fromarray(codes).save(tmp_path / "own.png")
    assert np.array_equal(baked(Texture("image", {"path": str(tmp_path / "own.png")})), codes)


@pytest.mark.parametrize(
    ("texture", "said"),
    [
        (Texture("chekcer"), 'did you mean "checker"'),
        (Texture("checker", {"sqares": 2}), "squares"),
        (Texture("checker", {"squares": 3}), "even"),
        (Texture("bricks", {"rows": 3}), "even"),
        (Texture("image", {"path": "no/such.png"}), "missing"),
        (Texture("image"), "missing"),
    ],
)
def test_what_cannot_be_drawn_is_refused(texture, said):
    with pytest.raises(InputError, match=said):
        baked(texture)


def test_a_damaged_picture_is_refused(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"version https://git-lfs")
    with pytest.raises(InputError, match="cannot be read"):
        baked(Texture("image", {"path": str(tmp_path / "bad.png")}))
