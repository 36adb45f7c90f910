import numpy as np

from tuckpoint.photos.crop import MARGIN, OFF, crop


def test_a_crop_holds_the_thing_with_its_margin():
    picture = np.zeros((96, 96, 3), np.uint8)
    picture[30:60, 40:70] = 255
    shares = [crop(picture, (40, 30, 70, 60), 48, np.random.default_rng(k)).mean() / 255 for k in range(40)]
    least, most = (1 + 2 * (MARGIN + OFF)) ** -2, min(1.0, (1 + 2 * (MARGIN - OFF)) ** -2)
    assert least - 0.03 < min(shares) < max(shares) < most + 0.03
    assert len(set(np.round(shares, 3))) > 20
