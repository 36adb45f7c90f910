import subprocess
import sys

import pytest

from tuckpoint import parts

HEAVY = ("torch", "lightgbm", "scipy", "pandas", "polars", "pyarrow", "numpy", "faker", "ray", "sklearn")


def after(code):
    """What a fresh interpreter says of sys.modules after running the code."""
    told = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(told.stdout.split())


def test_import_loads_nothing_heavy():
    assert not after("import tuckpoint") & set(HEAVY)


def test_the_help_loads_nothing_heavy():
    code = """
from tuckpoint.cli import main
sys.stdout = sys.stderr
try:
    main(["--help"])
except SystemExit:
    sys.stdout = sys.__stdout__
"""
    assert not after(code) & set(HEAVY)


def test_import_takes_under_300_ms():
    timed = "import time; start = time.process_time(); import tuckpoint; print(time.process_time() - start)"
    seconds = [
        float(subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    assert min(seconds) < 0.3


def test_public_names_are_there():
    import tuckpoint

    for name in tuckpoint._PLACES:
        assert getattr(tuckpoint, name).__name__ == name
    assert set(tuckpoint._PLACES) <= set(dir(tuckpoint))
    assert tuckpoint.__version__
    with pytest.raises(AttributeError, match="no attribute 'mak'"):
        tuckpoint.mak  # noqa: B018


def test_a_verb_of_another_name_in_python_is_told():
    """Once something has imported the module `tuckpoint.measure`, Python finds that; until then we can help."""
    code = """
import tuckpoint
assert set(tuckpoint._CALLED.values()) <= set(tuckpoint._PLACES)
try:
    tuckpoint.measure(1, 2, holdout=3)
except AttributeError as error:
    assert str(error).endswith("`tuckpoint measure` is called tuckpoint.evaluate in Python"), error
else:
    raise AssertionError
"""
    after(code)


def test_public_names_outlive_the_import_of_every_module():
    code = """
import importlib, pkgutil, tuckpoint
for module in pkgutil.walk_packages(tuckpoint.__path__, "tuckpoint."):
    importlib.import_module(module.name)
assert all(callable(getattr(tuckpoint, name)) for name in tuckpoint._PLACES)
"""
    assert "tuckpoint.run" in after(code)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in parts.PARTS for name in parts.PARTS[kind]])
def test_every_part_in_the_table_can_be_found(kind, name):
    found = parts.find(kind, name)
    assert getattr(found, "name", getattr(found, "__name__", None)) == name
