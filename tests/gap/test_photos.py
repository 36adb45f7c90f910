import numpy as np
import pytest
from photos.scenes import encoded, folder, scene

from tuckpoint.errors import InputError
from tuckpoint.gap import photo_copies, photo_damage
from tuckpoint.gap.linear import trained
from tuckpoint.gap.photo_regions import regions, scan, unlike
from tuckpoint.gap.photos import find_photos
from tuckpoint.photos.album import read_album
from tuckpoint.photos.picture import decoded, shrunk
from tuckpoint.seed import Seed


def test_a_class_that_is_missing_is_told_with_its_pictures(tmp_path):
    train = folder(tmp_path / "train", {"red": 60, "blue": 60, "green": 2})
    pool = folder(tmp_path / "pool", {"red": 50, "blue": 50, "green": 50}, start=1000)
    found = find_photos(train, reference=pool)
    first = found.gaps.gaps[0].missing
    assert first.where == 'label == "green"'
    assert first.rows == 2
    assert {path.parent.name for path in found.shown[first.where]} == {"green"}
    assert found.table.num_rows == 122
    with pytest.raises(InputError, match="cannot be seen"):
        find_photos(train)


@pytest.fixture(scope="module")
def thumbs():
    return np.stack([scene("red", number) for number in range(60)])


def test_copies_are_found_and_other_pictures_are_not(thumbs):
    saved = [shrunk(decoded(encoded(one[:, ::-1], "JPEG", quality=70))[0], 48) for one in thumbs[:10]]
    found = photo_copies.copies(thumbs, np.stack(saved))
    np.testing.assert_array_equal(found.of, np.arange(10))
    assert found.beyond
    other = photo_copies.copies(thumbs, np.stack([scene("red", number) for number in range(100, 130)]))
    assert other.count == 0


def test_a_test_side_that_holds_training_pictures_leaks(tmp_path):
    folder(tmp_path / "train", {"red": 30, "blue": 30})
    folder(tmp_path / "test", {"red": 10, "blue": 10}, start=500)
    (tmp_path / "test" / "red" / "copy.png").write_bytes((tmp_path / "train" / "red" / "3.png").read_bytes())
    train, test = (read_album(tmp_path / side) for side in ("train", "test"))
    found = photo_copies.split_leaks(train, test, None)
    assert [(leak.name, leak.count, leak.serious) for leak in found] == [("duplicates", 1, True)]


def test_exchanged_channels_are_told(tmp_path):
    root = folder(tmp_path, {"red": 30})
    (root / "red" / "5.png").write_bytes(encoded(scene("red", 5)[..., ::-1]))
    held = read_album(root)
    ((row, _),) = photo_damage.exchanged(held)
    assert held.table["path"][row].as_py() == "red/5.png"


def test_a_region_without_training_rows_is_found_and_none_by_chance():
    random = np.random.default_rng(0)
    train, reference = random.normal(size=(600, 4)), random.normal(size=(600, 4))
    assert regions(train, reference, Seed(0), level=0.01)[0] == []
    reference[:60] = [6, 0, 0, 0] + 0.2 * random.normal(size=(60, 4))
    (ball, gap), *_ = regions(train, reference, Seed(0), level=0.01)[0]
    assert ball.holds(reference)[:60].mean() > 0.7
    assert gap.rows < 5


def test_two_regions_are_told_in_turn():
    random = np.random.default_rng(1)
    train, reference = random.normal(size=(500, 3)), random.normal(size=(500, 3))
    for rows, middle in ((slice(0, 60), [7, 0, 0]), (slice(60, 100), [0, -7, 0])):
        reference[rows] = middle + 0.2 * random.normal(size=(rows.stop - rows.start, 3))
    found, _ = regions(train, reference, Seed(0), level=0.015)
    assert [int(ball.holds(reference)[:60].sum() > 50) for ball, _ in found[:2]] == [1, 0]
    assert found[1][0].holds(reference)[60:100].sum() > 35
    assert all(gap.p <= 0.015 for _, gap in found)


def test_balls_are_counted_as_they_are_held_with_rows_that_are_the_same():
    rows = np.random.default_rng(2).integers(0, 3, (200, 2)).astype(float)
    values = np.random.default_rng(3).integers(0, 2, (200, 3))
    looked = scan(rows, Seed(0), least=3)
    inside = looked.counts(values)
    for centre in range(0, 200, 17):
        for size in range(looked.sizes.shape[1]):
            held = looked.ball(centre, size).holds(rows)
            np.testing.assert_array_equal(inside[centre, size], values[held].sum(axis=0))


def test_the_scan_statistic_is_the_ratio_of_likelihoods_and_only_of_fewer():
    k, c, n, total = 2, 40, 300, 600

    def likely(hits, rows):
        return hits * np.log(hits / rows) + (rows - hits) * np.log(1 - hits / rows)

    wanted = likely(k, c) + likely(n - k, total - c) - likely(n, total)
    assert unlike(np.array([k]), np.array([c]), n, total)[0] == pytest.approx(wanted)
    assert unlike(np.array([38]), np.array([c]), n, total)[0] == 0.0
    assert unlike(np.array([0]), np.array([c]), n, total)[0] > wanted


def test_the_linear_learner_is_sure_where_it_can_be_and_not_where_it_cannot():
    random = np.random.default_rng(1)
    truth = random.integers(3, size=300).astype(float)
    apart = random.normal(size=(300, 5))
    apart[np.arange(300), truth.astype(int)] += 6
    told = trained(apart, truth, 3).predict(apart)
    assert (told.argmax(axis=1) == truth).mean() > 0.95
    noise = trained(random.normal(size=(300, 5)), truth, 3).predict(random.normal(size=(300, 5)))
    assert abs(noise.max(axis=1).mean() - 1 / 3) < 0.1
