import ast

import pytest
from house.source import modules, name, tree

MODULE_LINES, FUNCTION_LINES = 400, 60
# What is longer, and why the reader sees it at once.
LONGER = {
    "arguments.py:parser": "one line per verb",
}


def long_functions(path, node):
    return [
        f"{path}:{part.name} has {part.end_lineno - part.lineno + 1} lines"
        for part in ast.walk(node)
        if isinstance(part, ast.FunctionDef)
        and part.end_lineno - part.lineno + 1 > FUNCTION_LINES
        and f"{path}:{part.name}" not in LONGER
    ]


@pytest.mark.parametrize("path", modules(), ids=name)
def test_modules_and_functions_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES
    assert long_functions(name(path), tree(path)) == []


def test_a_long_function_is_found():
    long = ast.parse("def f():\n" + "    x = 1\n" * FUNCTION_LINES)
    assert long_functions("a.py", long) == ["a.py:f has 61 lines"]


def test_no_module_hides_behind_an_empty_name():
    banned = {"utils", "helpers", "common", "base", "core", "manager", "util", "misc"}
    assert not [name(path) for path in modules() if path.stem in banned]


def test_shelves_are_never_three_deep():
    assert max(name(path).count("/") for path in modules()) <= 2
