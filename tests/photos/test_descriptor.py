import numpy as np
import pyarrow as pa
from photos.drawn import image

from tuckpoint.photos.descriptor import DESCRIPTOR, SIDE, described, descriptors_of, is_look, with_descriptors


def pictures(count=6):
    random = np.random.default_rng(3)
    return np.stack([image("ring", random) for _ in range(count)])


def test_brightness_and_contrast_are_taken_out():
    seen = pictures(1)
    light = np.sqrt(seen / 255.0)
    darker = np.rint(255 * (0.6 * light + 0.1) ** 2).astype(np.uint8)
    near = np.linalg.norm(described(seen) - described(darker))
    far = np.linalg.norm(described(seen) - described(seen[:, ::-1]))
    assert near < 0.2 * far


def test_equal_images_stand_at_the_same_place_and_others_do_not():
    seen = pictures()
    table = with_descriptors(pa.table({"label": ["ring"] * 7}), np.concatenate([seen, seen[:1]]))
    looks = np.stack([table[name].to_numpy() for name in table.column_names if is_look(name)], 1)
    assert (looks[0] == looks[6]).all()
    assert (looks[0] != looks[1]).all()
    assert (descriptors_of(table)[:6] == described(seen)).all()
    assert table[DESCRIPTOR].type.list_size == described(seen).shape[1]


def test_none_are_none_and_many_are_as_few():
    assert described(np.zeros((0, SIDE, SIDE, 3), np.uint8)).shape[0] == 0
    seen = np.repeat(pictures(3), 90, axis=0)
    assert (described(seen)[[0, 90, 269]] == described(seen[[0, 90, 269]])).all()
