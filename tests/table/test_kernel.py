"""The compiled kernel against laws that are known, and against arrays that someone altered."""

import ctypes
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tuckpoint.table import kernel
from tuckpoint.table.codes import code_numbers
from tuckpoint.table.engine import Field
from tuckpoint.table.protect import LEAST_PEOPLE

N = 4000


def stream(*, seed=0):
    return np.random.default_rng(seed)


def grown(codes, categorical, *, target=None, label=None, min_leaf=20.0, weight=None, rows=None):
    outputs = target.shape[1] if target is not None else int(label.max()) + 1
    rows = np.arange(len(codes[0]), dtype=np.int32) if rows is None else rows
    return kernel.grow(
        codes, categorical, target=target, label=label, outputs=outputs, weight=weight, min_leaf=min_leaf, rows=rows
    )


def leaves_of(tree):
    """The members of each leaf, by node."""
    nodes, counts, _, members = tree
    at = np.flatnonzero(nodes["feature"] == kernel.LEAF)
    return {int(i): members[nodes["left"][i] : nodes["left"][i] + counts[i]] for i in at}


def features(rows=N, *, seed=0):
    """An ordinal feature of many values, one of few, and a category."""
    rng = stream(seed=seed)
    return [
        rng.integers(0, 5000, rows).astype(np.uint16),
        rng.integers(1, 4, rows).astype(np.uint16),
        rng.integers(1, 41, rows).astype(np.uint16),
    ]


ORDINAL_AND_CATEGORY = [False, False, True]

# Trees --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weighted", [False, True])
def test_leaves_part_the_bag_and_hold_enough_people(seed, weighted):
    rng = stream(seed=seed)
    codes = features(seed=seed)
    person = rng.integers(0, 500, N)
    weight = 1.0 / np.bincount(person)[person] if weighted else None
    bag = np.flatnonzero(rng.random(500)[person] < 0.6).astype(np.int32)
    target = rng.normal(size=(N, 3)) + codes[0][:, None] / 1000
    tree = grown(codes, ORDINAL_AND_CATEGORY, target=target, weight=weight, min_leaf=15, rows=bag)
    leaves = leaves_of(tree)
    assert len(leaves) > 4
    assert np.array_equal(np.sort(np.concatenate(list(leaves.values()))), bag)
    for members in leaves.values():
        assert len(np.unique(person[members]) if weighted else members) >= 15
    reached = kernel.leaves(codes, tree, bag)
    for node, members in leaves.items():
        assert np.array_equal(np.sort(bag[reached == node]), np.sort(members))


def test_a_leaf_larger_than_the_bag_is_the_whole_bag():
    target = stream().normal(size=(N, 1))
    for size in (N, N // 2 + 1, 1e9):
        assert len(grown(features(), ORDINAL_AND_CATEGORY, target=target, min_leaf=size)[0]) == 1
    alone = grown([code[:1] for code in features()], ORDINAL_AND_CATEGORY, target=target[:1])
    assert len(alone[0]) == 1
    assert alone[1].tolist() == [1]


def test_a_planted_ordinal_split_is_found():
    codes = features()
    target = np.where(codes[0] > 1234, 1.0, 0.0)[:, None] + 0.01 * stream(seed=1).normal(size=(N, 1))
    nodes, *_ = grown(codes, ORDINAL_AND_CATEGORY, target=target, min_leaf=500)
    below, above = codes[0][codes[0] <= 1234].max(), codes[0][codes[0] > 1234].min()
    assert nodes["feature"][0] == 0
    assert below - 32 <= nodes["split"][0] < above + 32  # a bin of 5,000 codes is 32 wide


def test_a_planted_set_of_levels_is_found():
    codes = features()
    wanted = np.isin(codes[2], [3, 8, 21, 33, 40])
    nodes, _, sets, _ = grown(codes, ORDINAL_AND_CATEGORY, target=wanted[:, None] * 1.0, min_leaf=100)
    assert nodes["feature"][0] == 2 | 0x8000
    left = [level for level in range(1, 41) if sets[nodes["split"][0]][level >> 5] >> (level & 31) & 1]
    assert set(left) in ({3, 8, 21, 33, 40}, set(range(1, 41)) - {3, 8, 21, 33, 40})


@pytest.mark.parametrize("levels", [255, 256])
def test_as_many_levels_as_a_code_can_tell_are_told_apart(levels):
    code = (np.arange(N) % levels).astype(np.uint16)
    wanted = (code % 7 == 3) * 1.0
    nodes, _, sets, _ = grown([code], [True], target=wanted[:, None], min_leaf=100)
    side = np.array([sets[nodes["split"][0]][c >> 5] >> (c & 31) & 1 for c in range(levels)])
    assert len(np.unique(side[np.arange(levels) % 7 == 3])) == 1
    assert side[3] != side[0]


def test_a_split_is_found_in_the_output_that_shows_it():
    codes, rng = features(), stream(seed=2)
    target = rng.normal(size=(N, 5)) * 0.1
    target[:, 3] += codes[1] == 2
    nodes, *_ = grown(codes, ORDINAL_AND_CATEGORY, target=target, min_leaf=200)
    assert nodes["feature"][0] == 1
    spread = np.where(codes[1] == 2, 3.0, 0.2) * rng.normal(size=N)  # the same mean, another spread
    ranks = np.argsort(np.argsort(spread)) / N
    moments = np.cos(np.pi * ranks[:, None] * np.arange(1, 5))
    nodes, *_ = grown(codes, ORDINAL_AND_CATEGORY, target=np.ascontiguousarray(moments), min_leaf=200)
    assert nodes["feature"][0] == 1


def rare(share, *, seed=0):
    """A category whose last level is rare and all of one class, and the class, of which the others say nothing."""
    rng = stream(seed=seed)
    level = np.where(rng.random(N) < share, 4, rng.integers(1, 4, N)).astype(np.uint16)
    return level, np.where(level == 4, 1, rng.integers(0, 2, N)).astype(np.int32)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["level", "number"])
@pytest.mark.parametrize("told", ["label", "target"])
def test_a_rare_level_is_set_apart_where_that_is_beyond_chance(weighted, kind, told):
    level, label = rare(0.015)
    target = np.ascontiguousarray(np.eye(2)[label])
    settings = {
        "target": target if told == "target" else None, "label": label if told == "label" else None, "outputs": 2,
        "weight": np.full(N, 0.5) if weighted else None, "min_leaf": 400.0, "rows": np.arange(N, dtype=np.int32),
    }  # fmt: skip
    inside = int((level == 4).sum())
    assert inside < 100
    for apart, least in (
        ([True], 10),
        ([False], 10),
        ([True], 400),
        ([True], 0.51 * inside if weighted else inside + 1),
    ):
        tree = kernel.grow([level], [kind == "level"], apart=apart, least=least, **settings)
        smallest = min(len(rows) for rows in leaves_of(tree).values())
        assert (smallest == inside) == (apart == [True] and least == 10)


def test_noise_sets_nobody_apart():
    settings = {"target": None, "weight": None, "min_leaf": 400, "rows": np.arange(N, dtype=np.int32)}
    apart = 0
    for seed in range(100):
        rng = stream(seed=seed)
        codes = [rng.geometric(p, N).clip(max=40).astype(np.uint16) for p in (0.1, 0.3, 0.6, 0.02)]
        label = rng.integers(0, 3, N).astype(np.int32)
        tree = kernel.grow(
            codes, [True, True, False, False], label=label, outputs=3, apart=[True] * 4, least=5, **settings
        )
        apart += min(len(rows) for rows in leaves_of(tree).values()) < 400
    assert apart <= 2


def test_labels_are_their_one_hot():
    codes = features()
    label = ((codes[1] == 2) + 2 * (codes[2] > 20)).astype(np.int32)
    one = grown(codes, ORDINAL_AND_CATEGORY, label=label, min_leaf=50)
    other = grown(codes, ORDINAL_AND_CATEGORY, target=np.eye(4)[label], min_leaf=50)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert {tuple(np.unique(label[members])) for members in leaves_of(one).values()} <= {(0,), (1,), (2,), (3,)}


def test_huge_weights_still_part_the_bag():
    codes, weight = features(), np.full(N, 1e12)
    weight[::7] = 1e-12
    tree = grown(codes, ORDINAL_AND_CATEGORY, target=stream().normal(size=(N, 1)), weight=weight, min_leaf=10)
    assert np.array_equal(np.sort(np.concatenate(list(leaves_of(tree).values()))), np.arange(N))


# Boosting -----------------------------------------------------------------------------------------------------------

SETTINGS = kernel.BoostSettings(rounds=200, patience=20, depth=4, rate=0.1, min_child=5)


def boosted(bins, target, *, loss, start, watch_share=0.3, **changes):
    order = stream(seed=9).permutation(len(target))
    cut = int(watch_share * len(target))
    return kernel.boost(
        bins, [int(b.max()) + 1 for b in bins], target, train=order[cut:], watch=order[:cut], loss=loss,
        start=np.asarray(start), settings=replace(SETTINGS, **changes), key=5,
    )  # fmt: skip


def boosting_bins(rows=6000):
    rng = stream(seed=3)
    return [rng.integers(0, 100, rows).astype(np.uint8) for _ in range(3)]


def test_boosting_recovers_a_function():
    bins = boosting_bins()
    truth = np.sin(bins[0] / 15) + (bins[1] > 60) * (bins[0] > 30)
    model, score = boosted(bins, truth + 0.2 * stream(seed=4).normal(size=len(truth)), loss=kernel.SQUARED, start=[0.0])
    fresh = boosting_bins(2000)
    shown = np.sin(fresh[0] / 15) + (fresh[1] > 60) * (fresh[0] > 30)
    assert np.var(kernel.predict(model, fresh, 2000)[0] - shown) < 0.02 * np.var(shown)
    assert np.var(score[0] - truth) < 0.02 * np.var(truth)


def test_a_level_that_nothing_splits_is_harmless():
    flat = [np.zeros(500, np.uint8), np.zeros(500, np.uint8)]
    target = stream().normal(size=500)
    model, score = boosted(flat, target, loss=kernel.SQUARED, start=[target.mean()])
    assert np.ptp(score) < 1e-6
    assert np.ptp(kernel.predict(model, flat, 500)) < 1e-6


def test_the_watched_loss_falls_and_late_rounds_are_taken_back():
    bins, rng = boosting_bins(1500), stream(seed=5)
    target = (bins[0] > 50) + rng.normal(size=1500)
    order = stream(seed=9).permutation(1500)[:450]
    _, score = boosted(bins, target, loss=kernel.SQUARED, start=[target.mean()], rounds=400, patience=400)
    assert np.mean((score[0] - target)[order] ** 2) < 0.97 * np.var(target[order])
    noise = rng.normal(size=1500)
    model, score = boosted(bins, noise, loss=kernel.SQUARED, start=[0.0], rounds=60, patience=60)
    assert model.rounds < 60
    assert np.mean((score[0] - noise)[order] ** 2) <= np.mean(noise[order] ** 2) + 1e-6


@pytest.mark.parametrize("loss", [kernel.SQUARED, kernel.LOGISTIC, kernel.SOFTMAX])
def test_predictions_are_the_scores_of_the_fit(loss):
    bins = boosting_bins(1700)  # more than three blocks of 512, and a rest
    label = (bins[0] > 50).astype(float) + (bins[1] > 70) * (loss == kernel.SOFTMAX)
    start = np.zeros(3 if loss == kernel.SOFTMAX else 1)
    model, score = boosted(bins, label, loss=loss, start=start, patience=3)
    assert model.rounds > 0
    assert np.allclose(kernel.predict(model, bins, 1700), score, atol=2e-4)


def test_logistic_probabilities_are_those_of_the_law():
    bins, rng = boosting_bins(20_000), stream(seed=6)
    truth = 1 / (1 + np.exp(-(bins[0] / 25 - 2 + (bins[1] > 50))))
    _, score = boosted(bins, (rng.random(20_000) < truth) * 1.0, loss=kernel.LOGISTIC, start=[0.0])
    made = 1 / (1 + np.exp(-score[0]))
    assert np.mean(np.abs(made - truth)) < 0.03
    for low in np.arange(0.1, 0.9, 0.1):
        inside = (made >= low) & (made < low + 0.1)
        assert np.mean(made[inside]) == pytest.approx(np.mean(truth[inside]), abs=0.02)


def test_softmax_probabilities_are_those_of_the_law():
    bins, rng = boosting_bins(20_000), stream(seed=7)
    scores = np.stack([bins[0] / 40, np.full(20_000, 1.0), (bins[1] > 50) * 1.5])
    truth = np.exp(scores) / np.exp(scores).sum(axis=0)
    label = (rng.random(20_000)[None] > truth.cumsum(axis=0)).sum(axis=0)
    _, score = boosted(bins, label.astype(float), loss=kernel.SOFTMAX, start=np.log(np.bincount(label) / 20_000))
    made = np.exp(score) / np.exp(score).sum(axis=0)
    assert np.abs(made - truth).mean() < 0.03


def test_another_key_bags_other_rows():
    bins = boosting_bins(1000)
    target = bins[0] * 1.0
    rows = np.arange(1000)
    made = [
        kernel.boost(
            bins, [100] * 3, target, train=rows, watch=rows[:0], loss=kernel.SQUARED, start=np.zeros(1),
            settings=replace(SETTINGS, rounds=5), key=key,
        )[1]
        for key in (1, 1, 2)
    ]  # fmt: skip
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


# Drawing ------------------------------------------------------------------------------------------------------------


def forest(*, trees=3, rows=600, seed=0):
    codes = features(rows, seed=seed)
    target = (codes[0] / 5000 + (codes[2] > 20))[:, None]
    bags = [np.sort(stream(seed=k).permutation(rows)[: rows // 2]).astype(np.int32) for k in range(trees)]
    grown_trees = [grown(codes, ORDINAL_AND_CATEGORY, target=target, min_leaf=40, rows=bag) for bag in bags]
    return codes, grown_trees, kernel.join(grown_trees)


def test_members_are_uniform_in_their_leaves():
    codes, trees, joined = forest()
    one = [np.repeat(code[:1], 60_000) for code in codes]  # one row, drawn 60,000 times
    drawn = kernel.members(joined, one, 60_000, 0, 77)
    shares = np.zeros(600)
    for tree in trees:
        leaf = leaves_of(tree)[int(kernel.leaves(codes, tree, np.zeros(1, np.int32))[0])]
        shares[leaf] += 1 / len(leaf) / len(trees)
    seen = np.bincount(drawn, minlength=600)
    assert seen[shares == 0].sum() == 0
    inside = shares > 0
    assert stats.chisquare(seen[inside], 60_000 * shares[inside]).pvalue > 1e-4


def test_members_depend_on_the_row_number_and_not_on_the_block():
    codes, _, joined = forest()
    whole = kernel.members(joined, codes, 600, 100, 5)
    for at, size in ((0, 1), (0, 599), (17, 300), (599, 1)):
        part = [code[at : at + size].copy() for code in codes]
        assert np.array_equal(kernel.members(joined, part, size, 100 + at, 5), whole[at : at + size])
    assert not np.array_equal(kernel.members(joined, codes, 600, 100, 6), whole)
    assert len(kernel.members(joined, [code[:0] for code in codes], 0, 0, 5)) == 0


def test_members_given_before_are_avoided_if_that_can_be():
    codes, _, joined = forest()
    first = kernel.members(joined, codes, 600, 0, 1)
    second = kernel.members(joined, codes, 600, 0, 1, (first,))
    assert np.mean(first == second) < 0.01
    lonely = kernel.join([grown(codes, ORDINAL_AND_CATEGORY, target=np.ones((600, 1)), rows=np.array([7], np.int32))])
    assert (kernel.members(lonely, codes, 600, 0, 1, (np.full(600, 7, np.int32),)) == 7).all()


def column(values, *, decimals=3, atom_rows=20):
    return code_numbers(Field("x", decimals=decimals), np.asarray(values, float), atom_rows=atom_rows)


def drawn_numbers(made, member, *, width=1.5, snap=None, shift=None, first_row=0, bounds=None):
    low, high = bounds or (np.nanmin(made.values), np.nanmax(made.values))
    view = kernel.Numbers(
        *(a.ctypes.data for a in (made.values, made.code, made.place, made.ties, made.pool, made.pool_code)),
        len(made.pool), int(made.snap if snap is None else snap), width, 10.0**made.field.decimals, 1.0, low, high,
    )  # fmt: skip
    more = {}
    if shift is not None:
        rows = len(made.values)
        more = {
            "here": np.full((2, len(member)), shift, np.float32),
            "out_of_fold": np.zeros(rows, np.float32),
            "fold": np.zeros(rows, np.uint8),
        }
    return kernel.numbers(view, member, first_row, 11, **more)


def everyone(rows, times=10):
    return np.tile(np.arange(rows, dtype=np.int32), times)


def test_moved_numbers_keep_their_margin_and_their_range():
    real = np.round(stream(seed=8).gamma(1.5, 100, 3000), 3)
    made = column(real)
    for width in (1.5, 30.0, 2999.0):
        values, _ = drawn_numbers(made, everyone(3000), width=width)
        assert stats.ks_2samp(values, real).statistic < 0.02
        assert real.min() <= values.min()
        assert values.max() <= real.max()
        assert np.array_equal(np.round(values, 3), values)
    assert np.isin(drawn_numbers(made, everyone(3000))[0], real).mean() < 0.05


def test_a_member_is_moved_by_no_more_than_the_jitter():
    real = np.sort(np.round(stream(seed=8).normal(0, 1, 3000), 6))
    made = column(real, decimals=6)
    values, _ = drawn_numbers(made, everyone(3000, 3), width=4.0)
    away = np.abs(np.searchsorted(real, values) - everyone(3000, 3))
    assert away.max() <= 6 + LEAST_PEOPLE // 2  # a number of one person is told by the block around it
    assert away.max() >= 4


def test_a_prediction_moves_members_in_normal_scores():
    real = np.round(stream(seed=8).normal(0, 1, 20_000), 6)
    made = column(real, decimals=6)
    for shift in (-1.0, 0.5, 2.0):
        values, _ = drawn_numbers(made, everyone(20_000, 1), shift=shift)
        middle = np.abs(real) < 1
        assert np.mean((values - real)[middle]) == pytest.approx(shift, abs=0.05)
    far, _ = drawn_numbers(made, everyone(20_000, 1), shift=1e6)
    assert np.isfinite(far).all()
    assert far.min() >= np.sort(real)[-4]


def test_atoms_and_missing_stay_exactly():
    rng = stream(seed=8)
    real = np.where(rng.random(2000) < 0.4, 0.0, np.round(rng.gamma(2, 10, 2000), 3))
    real[rng.random(2000) < 0.1] = np.nan
    made = column(real)
    values, codes = drawn_numbers(made, everyone(2000), width=50)
    again = np.tile(real, 10)
    assert np.array_equal(np.isnan(values), np.isnan(again))
    assert ((values == 0) >= (again == 0)).all()
    assert np.array_equal(codes[np.isnan(values)], np.zeros(np.isnan(values).sum(), np.uint16))
    assert np.array_equal(made.recode(values)[again == 0], codes[again == 0])
    assert np.abs(np.mean(values == 0) - np.mean(again == 0)) < 0.002


def test_snapped_numbers_are_values_of_the_pool():
    real = stream(seed=8).choice([1.5, 2.0, 7.25, 100.0], 400, p=[0.4, 0.3, 0.2, 0.1])
    made = column(real, decimals=2, atom_rows=1000)
    assert made.snap
    values, codes = drawn_numbers(made, everyone(400), width=3.0)
    assert set(values) == {1.5, 2.0, 7.25, 100.0}
    assert np.array_equal(made.recode(values), codes)
    between, _ = drawn_numbers(made, everyone(400), width=3.0, snap=0)
    assert len(set(between)) > 10


@pytest.mark.parametrize("real", [[5.0], [5.0, 7.0], [np.nan], [np.nan, 3.0], [1.0, 1.0, 2.0]])
def test_columns_of_one_or_two_values_are_drawn(real):
    made = column(real)
    values, codes = drawn_numbers(made, everyone(len(real), 50), width=40, bounds=(0.0, 10.0))
    known = values[~np.isnan(values)]
    assert np.isnan(values).sum() == 50 * np.isnan(real).sum()
    assert ((known >= np.nanmin([*real, 9])) & (known <= np.nanmax([*real, 0]))).all()
    assert (codes < made.size).all()


def test_codes_of_steps_span_the_range():
    given = np.array([-9, 0.0, 0.5, 1.0, 9], np.float32)
    assert kernel.steps(given, 0.0, 1.0, 4000).tolist() == [1, 1, 2001, 4001, 4001]
    assert kernel.steps(given, 3.0, 3.0, 4000).max() <= 4001


@pytest.mark.parametrize("outputs", [1, 2, 5])
def test_levels_follow_their_probabilities(outputs):
    score = np.linspace(-1, 2, outputs, dtype=np.float32)
    rows = 40_000
    drawn = kernel.levels(np.repeat(score[:, None], rows, axis=1), 0, 3)
    share = np.exp(score.astype(float)) / np.exp(score.astype(float)).sum()
    if outputs == 1:
        share = np.array([1 - 1 / (1 + np.exp(-float(score[0]))), 1 / (1 + np.exp(-float(score[0])))])
    assert stats.chisquare(np.bincount(drawn, minlength=len(share)), rows * share).pvalue > 1e-4


def test_levels_of_extreme_scores():
    score = np.array([[1e4, -1e4, 0], [-1e4, 1e4, -1e4], [0, 0, -1e4]], np.float32)
    assert kernel.levels(score, 0, 3).tolist() == [0, 1, 0]
    assert kernel.levels(np.array([[1e4, -1e4]], np.float32), 0, 3).tolist() == [1, 0]


def test_bins_beyond_the_map_are_its_last():
    mapping = np.array([3, 1, 2], np.uint8)
    assert kernel.bins(np.array([0, 1, 2, 3, 65535], np.uint16), mapping).tolist() == [3, 1, 2, 2, 2]


# Tampering ----------------------------------------------------------------------------------------------------------


def is_let_through(check, model):
    try:
        check(model)
    except ValueError:
        return False
    return True


def check_small(joined):
    kernel.check_forest(joined, categorical=ORDINAL_AND_CATEGORY, rows=600)


def altered(array, rng):
    """A copy with one number changed, cut short, made longer, or of another type."""
    flat = array.copy()
    how = rng.integers(0, 8)
    if how == 0 and len(flat):
        return flat[:-1]
    if how == 1 and len(flat):
        return np.concatenate([flat, flat[-1:]])
    if how == 2:
        return flat[::-1]
    if how == 3 and flat.dtype.names is None:
        return flat.astype(np.float64 if flat.dtype.kind == "i" else np.int64)
    raw = flat.view(np.uint8).reshape(-1)
    if len(raw):
        raw[rng.integers(0, len(raw))] ^= np.uint8(1 << rng.integers(0, 8))
    return flat


def test_altered_forests_are_refused_or_harmless():
    codes, _, joined = forest()
    check_small(joined)
    rng, refused = stream(seed=12), 0
    for _ in range(1500):
        name = rng.choice(["nodes", "counts", "sets", "members", "node_at", "set_at", "member_at"])
        other = replace(joined, **{name: altered(getattr(joined, name), rng)})
        if is_let_through(check_small, other):
            drawn = kernel.members(other, codes, 600, 0, int(rng.integers(0, 2**60)))
            assert ((drawn >= 0) & (drawn < 600)).all()
        else:
            refused += 1
    assert refused > 300


def test_each_way_out_of_a_forest_is_closed():
    _, _, joined = forest()
    inner = int(np.flatnonzero(joined.nodes["feature"] != kernel.LEAF)[0])
    leaf = int(np.flatnonzero(joined.nodes["feature"] == kernel.LEAF)[0])

    def node(at, **values):
        nodes = joined.nodes.copy()
        for name, value in values.items():
            nodes[name][at] = value
        return replace(joined, nodes=nodes)

    ways = [
        node(inner, left=inner),
        node(inner, left=10**6),
        node(inner, left=-1),
        node(inner, feature=3),
        node(inner, feature=0x8000),  # a number read as a category would look for a bit beyond its set
        node(inner, feature=0x8002, split=60_000),
        node(leaf, left=-1),
        node(leaf, left=10**6),
        replace(joined, counts=np.zeros_like(joined.counts)),
        replace(joined, members=joined.members + 600),
        replace(joined, members=joined.members - 600),
        replace(joined, members=joined.members.astype(np.int64)),
        replace(joined, sets=joined.sets[: joined.set_at[-1]]),  # without the one to spare
        replace(joined, node_at=joined.node_at[:0], set_at=joined.set_at[:0], member_at=joined.member_at[:0]),
    ]
    for way in ways:
        assert not is_let_through(check_small, way)
    with pytest.raises(ValueError, match="outside"):
        kernel.check_forest(joined, categorical=[False, False, False], rows=600)
    with pytest.raises(ValueError, match="outside"):
        kernel.check_forest(joined, categorical=ORDINAL_AND_CATEGORY, rows=500)


def test_altered_boosted_models_are_refused_or_harmless():
    bins = boosting_bins(1000)
    label = ((bins[0] > 50) * 1.0 + (bins[1] > 50)).astype(float)
    model, _ = boosted(bins, label, loss=kernel.SOFTMAX, start=np.zeros(3), rounds=5)
    kernel.check_boosted(model, features=3)
    rng, refused = stream(seed=13), 0
    for _ in range(1500):
        name = rng.choice(["feature", "split", "value", "start"])
        other = replace(model, **{name: altered(getattr(model, name), rng)})
        if is_let_through(lambda some: kernel.check_boosted(some, features=3), other):
            kernel.predict(other, bins, 1000)
        else:
            refused += 1
    assert refused > 300
    for wrong in (replace(model, feature=model.feature * 0 + 3), replace(model, feature=model.feature * 0 - 1)):
        with pytest.raises(ValueError, match="feature"):
            kernel.check_boosted(wrong, features=3)


def test_the_view_of_a_column_has_the_layout_of_the_kernel():
    assert ctypes.sizeof(kernel.Numbers) == 6 * 8 + 2 * 4 + 5 * 8
    assert kernel.NODE.itemsize == 8
