"""The parts printed in CONTRIBUTING.md, installed as packages of their own, pass what every such part must pass."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from house.source import ROOT

BLOCK = re.compile(r"<!-- (?P<kind>\w+): (?P<name>\w+) -->\n```python\n(?P<code>.*?)```", re.DOTALL)


def installed(folder: Path, kind: str, name: str, code: str) -> dict[str, str]:
    """The environment of a process that finds the code as an installed part."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}_part.py").write_text(code)
    about = folder / f"{name}_part-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-part\nVersion: 1.0\n")
    attribute = name.title() if kind == "engine" else name
    (about / "entry_points.txt").write_text(f"[tuckpoint.{kind}]\n{name} = {name}_part:{attribute}\n")
    return {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


def conformance(
    folder: Path, name: str, code: str, kind: str = "engine", *, only: str = ""
) -> subprocess.CompletedProcess[str]:
    """The conformance tests of the kind, for this part; of a broken one `only` those that must see it."""
    chosen = f"{name} and {only}" if only else name
    suite = f"tests/conformance/test_{kind}s.py"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", suite, "-k", chosen]
    return subprocess.run(
        command, cwd=ROOT, env=installed(folder, kind, name, code), capture_output=True, text=True, check=False
    )


def blocks():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return {found["kind"]: (found["name"], found["code"]) for found in BLOCK.finditer(text)}


@pytest.fixture(scope="module")
def printed():
    return blocks()["engine"]


def test_the_printed_attack_passes_the_conformance_tests(tmp_path):
    name, code = blocks()["attack"]
    done = conformance(tmp_path, name, code, "attack")
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 7


def test_the_printed_annotator_passes_the_conformance_tests(tmp_path):
    name, code = blocks()["annotator"]
    done = conformance(tmp_path, name, code, "annotator")
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 2
    unnamed = code.replace('{"nearest_m": float', '{"nearest": float')
    assert unnamed != code
    assert conformance(tmp_path / "again", name, unnamed, "annotator").returncode == 1


def test_an_attack_that_sees_a_leak_where_there_is_none_does_not_pass(tmp_path):
    name, code = blocks()["attack"]
    broken = code.replace(
        "return told(",
        "from numpy import arange\n    bias = 9.0 * (arange(2 * sides.people) < sides.people)\n    return told(",
    ).replace(".made[:, 1],", ".made[:, 1] + bias,")
    assert broken != code
    done = conformance(tmp_path, name, broken, "attack", only="other_real_people")
    assert done.returncode == 1
    assert "test_other_real_people_are_no_leak" in done.stdout


def test_the_printed_engine_passes_the_conformance_tests(printed, tmp_path):
    done = conformance(tmp_path, *printed)
    assert done.returncode == 0, done.stdout[-3000:]
    passed = int(re.search(r"(\d+) passed", done.stdout)[1])
    assert passed > 15


def test_an_engine_that_forgets_its_seed_does_not_pass(printed, tmp_path):
    name, code = printed
    broken = code.replace("seed.child(item.name)", "Seed(1).child(item.name)")
    assert broken != code
    done = conformance(tmp_path, name, broken, only="same_seed")
    assert done.returncode == 1
    assert "test_same_seed_same_bytes_other_seed_others" in done.stdout


def test_the_printed_parts_are_typed(tmp_path):
    files = []
    for name, code in blocks().values():
        files.append(tmp_path / f"{name}.py")
        files[-1].write_text(code)
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not any(file.name in done.stdout for file in files), done.stdout
