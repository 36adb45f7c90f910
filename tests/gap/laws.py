"""Tables of a known law, with gaps planted by hand."""

import numpy as np
import pyarrow as pa

from tuckpoint.gap.columns import parts
from tuckpoint.measure.prepare import prepare
from tuckpoint.seed import Seed
from tuckpoint.table.infer import infer


def law(rows, key=1):
    """Two numbers, one of them with missing values, two categories, and a yes or no that hangs on three of them."""
    random = Seed(key, ("law",)).numpy()
    age = random.integers(18, 90, rows)
    pay = random.lognormal(3, 0.7, rows).round(1)
    place = np.array(list("abcd"))[random.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1])]
    sex = np.array(["f", "m"])[random.integers(0, 2, rows)]
    odds = 0.05 * (age - 50) + 1.5 * (place == "a") * (sex == "f") + 0.02 * pay
    y = np.where(random.random(rows) < 1 / (1 + np.exp(-odds)), "yes", "no")
    gone = random.random(rows) < 0.1
    return pa.table({"age": age, "pay": pa.array(pay, mask=gone), "place": place, "sex": sex, "y": y})


def without(table, mask, share=0.05, key=1):
    """The table with only a share of the rows where the mask holds."""
    kept = ~mask | (Seed(key, ("cut",)).numpy().random(table.num_rows) < share)
    return table.filter(pa.array(kept))


def column(table, name):
    return np.array(table[name].to_pylist())


def in_parts(train, reference):
    schema = infer(train)
    space = prepare(reference, train, None, schema)
    return parts(space.made, space.real, schema)
