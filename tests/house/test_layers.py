import ast

import pytest
from house.source import imported as imports_of
from house.source import modules, name, tree

# Lowest first; what stands in one row does not know its neighbours.
LAYERS = (
    ("errors",),
    ("declared",),
    ("files", "labels", "seed", "schema", "score", "settings"),
    ("record",),
    ("parts", "recipe", "privacy", "write", "scale", "examples"),
    ("volumes",),
    ("implant", "photos", "scene", "table"),
    ("fair",),
    ("measure",),
    ("asked", "release", "simulate"),
    ("pictures",),
    ("outcome", "prove", "gap"),
    ("run",),
    ("deliver",),
    ("report",),
    ("commands",),
    ("arguments",),
    ("cli",),
    ("__init__", "__main__"),
)
LAYER = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}


def room(path):
    return path.split("/")[0].removesuffix(".py")


def upward(path, node):
    """Imports of our own that do not point down."""
    here = room(path)
    wrong = []
    for module in imports_of(node):
        parts = module.split(".")
        if parts[0] != "tuckpoint":
            continue
        there = parts[1] if len(parts) > 1 and parts[1] in LAYER else "__init__"
        if there != here and LAYER[there] >= LAYER[here]:
            wrong.append(f"{path} imports {there}")
    return wrong


def test_every_module_has_its_layer():
    assert {room(name(path)) for path in modules()} <= set(LAYER)


@pytest.mark.parametrize("path", modules(), ids=name)
def test_imports_point_down(path):
    assert upward(name(path), tree(path)) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("table/fit.py", "from tuckpoint.measure.detect import detection"),
        ("table/fit.py", "def f():\n    from tuckpoint import run"),
        ("privacy/noise.py", "import tuckpoint.scale.local"),
        ("seed.py", "from tuckpoint import schema"),
        ("record.py", "import tuckpoint"),
        ("run.py", "from tuckpoint.report.page import page"),
    ],
)
def test_an_import_that_points_up_or_sideways_is_found(path, text):
    assert upward(path, ast.parse(text))


def test_an_import_that_points_down_is_let_be():
    text = "from tuckpoint.errors import InputError\nfrom tuckpoint import parts\nfrom tuckpoint.table import rules"
    assert upward("table/fit.py", ast.parse(text)) == []


KERNELS = {
    "scene/renderers/kernels.py",
    "scene/renderers/lighting.py",
}  # compiled by Warp, and imported only inside functions


def unsafe_at_import(path):
    """Heavy libraries imported when a module is imported, not inside the functions that need them."""
    if name(path) in KERNELS:
        return []
    heavy = {"lightgbm", "torch", "pandas", "polars", "sklearn", "ray", "faker", "warp", "mujoco", "PIL", "trimesh"}
    heavy |= {"SimpleITK", "pydicom", "highdicom", "nibabel"}
    tops = [part for part in tree(path).body if isinstance(part, ast.Import | ast.ImportFrom)]
    return sorted({module.split(".")[0] for module in imports_of(ast.Module(tops, []))} & heavy)


@pytest.mark.parametrize("path", modules(), ids=name)
def test_heavy_libraries_are_imported_where_they_are_used(path):
    assert unsafe_at_import(path) == []


@pytest.mark.parametrize("path", modules(), ids=name)
def test_kernels_are_imported_inside_functions(path):
    tops = [part for part in tree(path).body if isinstance(part, ast.Import | ast.ImportFrom)]
    taken = {f"{module.replace('.', '/').removeprefix('tuckpoint/')}.py" for module in imports_of(ast.Module(tops, []))}
    assert name(path) in KERNELS or not taken & KERNELS
