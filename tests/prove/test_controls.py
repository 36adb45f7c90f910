from dataclasses import replace

import numpy as np
import pyarrow as pa
from prove.laws import law, plan

from tuckpoint.prove import controls, sources
from tuckpoint.prove.controls import accused, look, nearer, plant
from tuckpoint.prove.study import study
from tuckpoint.seed import Seed


def seen(work, table):
    inputs, truth, rows, _ = work.made(table)
    block = sources.Block(inputs, truth, np.ones(len(truth)), rows)
    cut = round(0.8 * len(work.lock.pool))
    train, out = work.lock.pool[:cut], work.lock.pool[cut:]
    return block, train, out


def test_other_rows_of_the_same_law_are_not_accused():
    work = study(plan(), law())
    for key in range(20, 30):
        assert accused([look(work, *seen(work, law(key=key)))]) == ""


def test_copies_of_locked_rows_are():
    table = law()
    work = study(plan(), table)
    block, train, out = seen(work, law(key=3))
    assert "equal a locked row" in accused([look(work, plant(work, block, Seed(1)), train, out)])
    assert (plant(work, block, Seed(1)).truth != block.truth).any()


def test_locked_rows_with_moved_numbers_are():
    table = law()
    work = study(plan(), table)
    locked = table.take(work.lock.test)
    moved = locked.set_column(0, "x", [locked["x"].to_numpy() + 0.013]).set_column(
        1, "z", [locked["z"].to_numpy() - 0.017]
    )
    assert accused([look(work, *seen(work, moved))]) != ""


def test_locked_rows_with_moved_numbers_at_the_end_of_a_long_file_are(monkeypatch):
    work = study(plan(), law())
    close = work.data.take(work.lock.test).columns["x"] + 0.013
    moved = law().take(work.lock.test).set_column(0, "x", [close])
    file = pa.concat_tables([law(2 * len(close), 9), moved])
    monkeypatch.setattr(controls, "MOST", len(close))
    assert accused([look(work, *seen(work, file))]) != ""


def test_honest_rows_of_a_gap_that_locked_rows_fill_are_not_accused_and_copies_there_are():
    """Places above 2 are hardly in the pool, but many of them are locked; made rows lie there alone."""

    def there(rows, key, above):
        table, random = law(rows, key), Seed(key, ("there",)).numpy()
        x = np.where(np.arange(rows) < above, random.uniform(2, 2.5, rows), random.uniform(-4, 2, rows))
        return table.set_column(table.column_names.index("x"), "x", [x])

    pool, test = there(200, 1, 6), there(150, 2, 100)
    side = pa.array(["pool"] * 200 + ["test"] * 150)
    work = study(replace(plan(), locked='side == "test"'), pa.concat_tables([pool, test]).append_column("side", side))
    made = there(150, 3, 150).append_column("side", pa.array(["pool"] * 150))
    assert accused([look(work, *seen(work, made))]) == ""
    moved = test.set_column(0, "x", [test["x"].to_numpy() + 0.002]).append_column("side", pa.array(["pool"] * 150))
    assert accused([look(work, *seen(work, moved))]) != ""


def test_exchangeable_distances_are_seldom_accused():
    found = []
    for key in range(300):
        random = Seed(key, ("nearer",)).numpy()
        found.append(nearer(random.random(60), random.random(28)))
    assert np.mean(np.array(found) < 0.05) <= 0.08
    assert nearer(np.linspace(0, 0.1, 60), np.linspace(0.5, 1, 28)) < controls.ALARM
