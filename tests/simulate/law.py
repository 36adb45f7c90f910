"""Small simulators and the real rows of stated laws."""

import numpy as np
import pyarrow as pa

from tuckpoint.simulate.contract import Simulator, from_entries

PLANT = """
INPUTS = {"t": (0, 10, "s")}
OUTPUTS = {"y": (-5, 15, "m")}
PARAMETERS = {"a": (0, 10, "m"), "b": (0.01, 3, "1/s", "log"), "c": (-2, 2, "m")}


def simulate(parameters, inputs, random):
    import math

    return {"y": [parameters["a"] * math.exp(-parameters["b"] * t) + parameters["c"] for t in inputs["t"]]}
"""
WRONG = PLANT.replace("math.exp(-parameters", "math.exp(parameters").replace('"b": (0.01, 3', '"b": (0.01, 0.1')


def simulator(call, *, inputs=None, outputs=None, parameters=None, title="law") -> Simulator:
    entries = {
        "inputs": inputs or {"t": (0, 10, "s")},
        "outputs": outputs or {"y": "m"},
        "parameters": {"a": (0, 10, "m"), "b": (0.01, 3, "1/s", "log"), "c": (-2, 2, "m")}
        if parameters is None
        else parameters,
    }
    return from_entries(title, "python", entries, digest="", call=call)


def decay(parameters, inputs, random):
    return {"y": parameters["a"] * np.exp(-parameters["b"] * inputs["t"]) + parameters["c"]}


def decaying(rows, random, *, low=0.0, high=10.0) -> pa.Table:
    """y = 4 exp(-t / 2) + 0.7, sd 0.2; u goes with t; places are words."""
    t = random.uniform(low, high, rows).round(3)
    y = 4 * np.exp(-0.5 * t) + 0.7 + random.normal(0, 0.2, rows)
    u = (2 * t + random.normal(0, 0.5, rows)).round(2)
    return pa.table(
        {"t": t, "u": u, "place": np.array(["north", "south"])[random.integers(0, 2, rows)], "y": y.round(3)}
    )
