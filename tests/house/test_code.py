import ast

import pytest
from house.source import dotted, imported, modules, name, tree

# Module -> why it may.
CLOCK = {"scale/local.py": "waits for workers", "privacy/chain.py": "a ledger is a log: it tells when"}
SYSTEM_NOISE = {"privacy/noise.py": "privacy noise comes from the operating system, never from a seed"}
PRINTS = {"cli.py": "prints"}
CATCHES_ALL = {
    "cli.py": "tells the user",
    "scale/local.py": "reports a worker's failure with its job",
    "simulate/contract.py": "the user's own code may fail in any way: told with its file and line",
    "measure/audit.py": "an attack that cannot be computed blocks, with its error as the reason",
}
GENERATORS = {"Generator", "Philox", "SeedSequence", "BitGenerator"}


def global_randomness(path, node):
    """Draws from a global or unnamed generator."""
    found = [m for m in imported(node) if m.split(".")[0] in {"random", "uuid"} or m.startswith("numpy.random")]
    if path not in SYSTEM_NOISE:
        found += [m for m in imported(node) if m.split(".")[0] == "secrets"]
    for part in ast.walk(node):
        chain = dotted(part)
        if chain.startswith(("np.random.", "numpy.random.")) and chain.split(".")[2] not in GENERATORS:
            found.append(chain)
        if chain in {"os.urandom", "os.getrandom"} and path not in SYSTEM_NOISE:
            found.append(chain)
    return sorted(set(found))


def runs_foreign_code(node):
    """Ways by which data could become code."""
    banned = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve"}
    found = [m for m in imported(node) if m.split(".")[0] in banned]
    for part in ast.walk(node):
        if not isinstance(part, ast.Call):
            continue
        called = dotted(part.func)
        if called in {"eval", "exec", "compile", "__import__", "yaml.load", "yaml.unsafe_load", "os.system"}:
            found.append(called)
        for word in part.keywords:
            if word.arg in {"allow_pickle", "shell"} and not (
                isinstance(word.value, ast.Constant) and word.value.value is False
            ):
                found.append(f"{called}({word.arg})")
    return sorted(set(found))


def careless(path, node):
    """Prints, catch-alls and hidden clocks."""
    found = []
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and dotted(part.func) == "print" and path not in PRINTS:
            found.append("print")
        if isinstance(part, ast.Call) and path not in CLOCK:
            chain = dotted(part.func)
            if chain in {"time.time", "datetime.now", "datetime.datetime.now", "datetime.utcnow", "date.today"}:
                found.append(chain)
        if isinstance(part, ast.ExceptHandler) and path not in CATCHES_ALL:
            caught = "everything" if part.type is None else dotted(part.type)
            if caught in {"everything", "Exception", "BaseException"}:
                found.append(f"except {caught}")
    return found


@pytest.mark.parametrize("path", modules(), ids=name)
def test_every_draw_takes_a_seed(path):
    assert global_randomness(name(path), tree(path)) == []


@pytest.mark.parametrize("path", modules(), ids=name)
def test_data_never_become_code(path):
    assert runs_foreign_code(tree(path)) == []


def test_one_module_reads_and_writes_yaml():
    assert [name(path) for path in modules() if "yaml" in imported(tree(path))] == ["declared.py"]


@pytest.mark.parametrize("path", modules(), ids=name)
def test_nothing_is_printed_swallowed_or_dated_in_passing(path):
    assert careless(name(path), tree(path)) == []


@pytest.mark.parametrize(
    "text",
    ["import random", "np.random.rand(3)", "np.random.default_rng()", "from numpy.random import rand", "os.urandom(8)"],
)
def test_global_randomness_is_found(text):
    assert global_randomness("table/fit.py", ast.parse(text))


@pytest.mark.parametrize(
    "text",
    ["import pickle", "eval(x)", "np.load(f, allow_pickle=True)", "yaml.load(x)", "subprocess.run(c, shell=True)"],
)
def test_foreign_code_is_found(text):
    assert runs_foreign_code(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    ["print(1)", "time.time()", "try:\n    f()\nexcept Exception:\n    pass", "try:\n    f()\nexcept:\n    pass"],
)
def test_carelessness_is_found(text):
    assert careless("table/fit.py", ast.parse(text))
