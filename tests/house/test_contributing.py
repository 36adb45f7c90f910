"""The engine printed in CONTRIBUTING.md, installed as a package of its own, passes what every engine must pass."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from house.source import ROOT

BLOCK = re.compile(r"<!-- engine: (?P<name>\w+) -->\n```python\n(?P<code>.*?)```", re.DOTALL)


def installed(folder: Path, name: str, code: str) -> dict[str, str]:
    """The environment of a process that finds the code as an installed engine."""
    (folder / f"{name}_engine.py").write_text(code)
    about = folder / f"{name}_engine-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-engine\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[tuckpoint.engine]\n{name} = {name}_engine:{name.title()}\n")
    return {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


def conformance(folder: Path, name: str, code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/conformance", "-k", name]
    return subprocess.run(
        command, cwd=ROOT, env=installed(folder, name, code), capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def printed():
    found = BLOCK.search((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    return found["name"], found["code"]


def test_the_printed_engine_passes_the_conformance_tests(printed, tmp_path):
    done = conformance(tmp_path, *printed)
    assert done.returncode == 0, done.stdout[-3000:]
    passed = int(re.search(r"(\d+) passed", done.stdout)[1])
    assert passed > 15


def test_an_engine_that_forgets_its_seed_does_not_pass(printed, tmp_path):
    name, code = printed
    broken = code.replace("seed.child(item.name)", "Seed(1).child(item.name)")
    assert broken != code
    done = conformance(tmp_path, name, broken)
    assert done.returncode == 1
    assert "test_same_seed_same_bytes_other_seed_others" in done.stdout


def test_the_printed_engine_is_typed(printed, tmp_path):
    (tmp_path / "shuffle.py").write_text(printed[1])
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(tmp_path / "shuffle.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "shuffle.py" not in done.stdout, done.stdout
