"""Privacy noise comes from the operating system, from one module, and no seed comes near it."""

import ast

import pytest
from house.source import PACKAGE, imported, modules, name, tree

NOISE = "tuckpoint.privacy.noise"
FLOATS = {"normal", "standard_normal", "laplace", "gumbel", "exponential", "standard_exponential"}
PATHS = {name(path): path for path in modules()}


def draws_noise(node):
    return any(module.startswith(NOISE) for module in imported(node))


def counts_privacy(node):
    return draws_noise(node) or any(module.startswith("tuckpoint.privacy.account") for module in imported(node))


def seeded(node):
    """Uses of a seed, beyond naming it in a signature, and draws from floating-point laws."""
    found = [part.id for part in ast.walk(node) if isinstance(part, ast.Name) and part.id in {"seed", "rng", "stream"}]
    for part in ast.walk(node):
        called = part.func if isinstance(part, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr in FLOATS | {"numpy"}:
            found.append(called.attr)
    return found


def test_the_noise_takes_no_seed():
    for path in (PACKAGE / "privacy").glob("*.py"):
        assert not any("seed" in module.split(".")[-1].lower() for module in imported(tree(path))), path
    noise = tree(PACKAGE / "privacy" / "noise.py")
    assert seeded(noise) == []
    assert not any(isinstance(part, ast.Name) and part.id == "Seed" for part in ast.walk(noise))


@pytest.mark.parametrize("path", [path for path in PATHS if draws_noise(tree(PATHS[path]))])
def test_who_draws_noise_uses_no_seed_for_it(path):
    assert seeded(tree(PATHS[path])) == []


def test_all_that_counts_privacy_gets_its_noise_there():
    """An account without noise of that module in sight would be for noise from elsewhere."""
    lonely = {path for path in PATHS if counts_privacy(tree(PATHS[path])) and not draws_noise(tree(PATHS[path]))}
    assert {path for path in lonely if path.startswith("table/")} <= {
        "table/engine.py",
        "table/fit.py",
        "table/private.py",
    }
    assert any(path.startswith("table/engines/") for path in PATHS if draws_noise(tree(PATHS[path])))


@pytest.mark.parametrize(
    "text",
    ["def f(seed):\n    return seed.numpy()", "stream.normal(size=3)", "rng", "seed.child('x').numpy().laplace(0, 1)"],
)
def test_seeded_noise_is_found(text):
    assert seeded(ast.parse(text))
