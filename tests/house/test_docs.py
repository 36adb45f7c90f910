"""Documents that cannot lie: what they tell to type is typed here."""

import re
import shlex
from importlib import import_module

import pytest
from alarms import no_false_alarms
from house.source import ROOT

from tuckpoint import arguments
from tuckpoint.cli import _VERBS, main
from tuckpoint.commands import VERBS, audit, ledger

BLOCK = re.compile(r"```(console|python)\n(.*?)```", re.DOTALL)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
COMMAND = re.compile(
    r"^(?:    )?(?:[>$] )?tuckpoint (?P<rest>[a-z]+ .*)$|`tuckpoint (?P<inline>[a-z]+ [^`]*-[^`]*)`", re.MULTILINE
)
PARSER = arguments.parser(_VERBS)


def blocks(document):
    return BLOCK.findall((ROOT / document).read_text(encoding="utf-8"))


def follow(document, folder):
    """Run the console and Python blocks of a document, top to bottom, in one folder."""
    names = {}
    for kind, text in blocks(document):
        if kind == "python":
            exec(compile(text, document, "exec"), names)
            continue
        for line in text.strip().splitlines():
            program, *words = shlex.split(line)
            assert program == "tuckpoint"
            assert main(words) == 0, line
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("document", "made"),
    [
        ("README.md", {"twin", "older.csv"}),
        ("docs/fair.md", {"rows.parquet", "fair.html", "more.parquet"}),
        ("docs/implant.md", {"good", "out", "report.html"}),
        ("docs/rare.md", {"rows.parquet", "suite.csv"}),
        ("docs/simulate.md", {"plant.py", "train.csv", "rows.parquet"}),
        ("docs/privacy.md", {"private", "better", "more.parquet", "audit.html", "audit.json"}),
        ("docs/scenes.md", {"pictures"}),
        ("docs/tutorial.md", {"out", "schema.yaml", "more.parquet", "full.csv", "lonely.html"}),
    ],
)
def test_a_document_can_be_followed(document, made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with no_false_alarms():
        assert made <= follow(document, tmp_path)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_a_document_names_is_understood(path):
    for found in COMMAND.finditer(path.read_text(encoding="utf-8")):
        words = shlex.split(re.split(r" {3,}", found["rest"] or found["inline"])[0])
        PARSER.parse_args(words)


def test_every_example_of_the_help_is_understood():
    modules = [arguments, audit, ledger, *(import_module(f"tuckpoint.commands.{name}") for name in VERBS)]
    spoken = [pair for module in modules for pair in vars(module).items()]
    told = [text for name, text in spoken if name.isupper() and isinstance(text, str)]
    lines = [line for text in told for line in text.splitlines() if line.startswith("  tuckpoint ")]
    assert len(lines) >= 40
    for line in lines:
        PARSER.parse_args(shlex.split(re.split(r" {3,}", line.strip())[0])[1:])


def test_links_between_documents_lead_somewhere():
    for path in DOCUMENTS:
        prose = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for link in re.findall(r"\]\((?!http)([^)#]+)", prose):
            assert (path.parent / link).exists(), f"{path.name}: {link}"
