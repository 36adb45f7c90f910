import re
import subprocess

import pytest
from house.source import ROOT

MACHINE = re.compile(r"(^|[^A-Za-z0-9_.])/(" + "|".join(["tmp", "work", "farm", "root", "opt"]) + r")/[A-Za-z0-9_.-]+")
HOSTS = re.compile("|".join(["pypi" + r"\.org", "python" + r"hosted\.org", "deb" + r"\.debian", "registry" + r"\.npm"]))
LARGEST_BYTES = 1_500_000
BINARY = {".png", ".gz", ".parquet", ".jpg", ".npz"}


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: tracked files are unknown")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def told(text):
    """What a source must not name: folders of one machine, hosts of packages."""
    return [found.group().strip() for pattern in (MACHINE, HOSTS) for found in pattern.finditer(text)]


def test_sources_name_no_machine_and_no_package_host():
    found = {}
    for path in tracked():
        if (
            path.suffix in BINARY
            or path.name == "test_sources.py"
            or "\0" in (text := path.read_text("utf-8", "replace"))
        ):
            continue
        if names := told(text):
            found[path.relative_to(ROOT).as_posix()] = names[:3]
    assert found == {}


@pytest.mark.parametrize(
    "parts", [("see ", "work", "data"), ("cd ", "tmp", "jane"), ("https:", "", ".".join(["pypi", "org"]))]
)
def test_such_names_are_found(parts):
    assert told("/".join(parts))


def test_relative_paths_and_plain_words_are_let_be():
    assert told("src/tuckpoint/run.py, out/recipe.yaml, and/or, 1/2, docs/work/x") == []


def test_no_file_is_large():
    assert [p.name for p in tracked() if p.stat().st_size > LARGEST_BYTES] == []
