import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.prove import splits
from tuckpoint.prove.plan import Folds
from tuckpoint.seed import Seed

GROUPS = np.repeat(np.arange(50), 3)


def test_people_stand_on_one_side_of_every_split():
    locked = splits.lock(GROUPS, Folds(), Seed(1))
    assert not set(GROUPS[locked.pool]) & set(GROUPS[locked.test])
    assert len(locked.test) == 45
    assert len(locked.pool) == 105
    inside, outside = splits.resample(GROUPS, Folds(), Seed(2))
    assert not set(GROUPS[inside]) & set(GROUPS[outside])
    assert len(inside) == 120
    held = [set(GROUPS[test]) for train, test in splits.inner(GROUPS, 3, Seed(3)) if not set(train) & set(test)]
    assert sum(map(len, held)) == len(set().union(*held)) == 50


def test_the_latest_rows_are_the_test():
    time = np.arange(150.0)
    locked = splits.lock(np.arange(150), Folds(test=0.2), Seed(1), time=time)
    assert time[locked.pool].max() < time[locked.test].min()
    assert len(locked.test) == 30


def test_rows_before_the_cut_of_people_after_it_are_left_out():
    time, groups = np.arange(100.0), np.append(np.arange(99), 0)
    locked = splits.lock(groups, Folds(test=0.2), Seed(1), time=time)
    assert 0 not in locked.pool
    assert 0 not in locked.test
    assert 99 in locked.test


def test_a_time_at_which_nearly_all_people_still_have_rows_is_refused():
    people, time = np.tile(np.arange(40), 5), np.arange(200.0)
    with pytest.raises(InputError, match="time parts no rows"):
        splits.lock(people, Folds(), Seed(1), time=time)
    people = np.concatenate([people, [50, 51, 52]])
    with pytest.raises(InputError, match="time and groups together leave 3 of 43 groups to learn from"):
        splits.lock(people, Folds(), Seed(1), time=np.append(time, [0.0, 1.0, 2.0]))


def test_a_time_that_parts_nothing_is_refused():
    with pytest.raises(InputError, match="parts no rows"):
        splits.lock(np.arange(50), Folds(), Seed(1), time=np.zeros(50))
    with pytest.raises(InputError, match="collect more"):
        splits.lock(np.arange(5), Folds(), Seed(1))


def test_larger_shares_hold_smaller_ones():
    small, large = (set(splits.some(GROUPS, share, Seed(4))) for share in (0.2, 0.6))
    assert small < large
    assert len(large) == 90


def test_so_many_groups_of_each_class_and_more_of_them_hold_all_of_fewer():
    truth = (GROUPS % 3).astype(float)
    two, five = (splits.few(GROUPS, truth, items, Seed(1)) for items in (2, 5))
    assert set(two) < set(five)
    for value in range(3):
        assert len(set(GROUPS[two][truth[two] == value])) == 2
    assert len(splits.few(GROUPS, truth, 99, Seed(1))) == len(GROUPS)


def test_stratified_folds_hold_out_a_part_of_each_class():
    truth = (GROUPS % 3).astype(float)
    folds = list(splits.stratified(GROUPS, truth, 3, Seed(1)))
    assert len(folds) == 3
    held = np.concatenate([test for _, test in folds])
    assert sorted(held) == list(range(len(GROUPS)))
    for train, test in folds:
        assert not set(GROUPS[train]) & set(GROUPS[test])
        assert set(truth[train]) == set(truth[test]) == {0.0, 1.0, 2.0}
    alone = np.isin(GROUPS, [0, 1, 2])
    assert list(splits.stratified(GROUPS[alone], truth[alone], 3, Seed(1))) == []


def test_a_test_of_ones_own_must_part_the_groups():
    mask = GROUPS >= 40
    locked = splits.own_lock(GROUPS, mask, "year == 2024")
    assert set(locked.test) == set(np.flatnonzero(mask))
    with pytest.raises(InputError, match="1 group has rows on both sides"):
        splits.own_lock(GROUPS, np.arange(150) >= 100, "late")
    with pytest.raises(InputError, match="no rows satisfy it"):
        splits.own_lock(GROUPS, np.zeros(150, bool), "none")
