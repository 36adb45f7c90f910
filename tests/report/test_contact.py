import re

import pytest

from tuckpoint import pictures
from tuckpoint.cli import main
from tuckpoint.report.contact import contact

SPEC = {
    "name": "<script>alert(1)</script>",
    "image": {"width": 48, "height": 32},
    "frames": 2,
    "things": {
        "ground": {"family": "plane", "labelled": False},
        "lone": {"family": "box", "class": "<img src=x>", "place": {"on": "ground"}},
    },
    "camera": {"distance_m": 2.0},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return pictures.render(SPEC, tmp_path_factory.mktemp("set") / "out", 2, workers=1)


def test_every_picture_stands_beside_its_labels(made):
    page = contact(made, pictures.covered(made))
    assert page.count("<figure>") == 4
    assert page.count('alt="instance"') == page.count('alt="normals"') == 4
    assert page.count('alt="flow, fast is dark"') == 2  # the last frame flows nowhere
    assert page.count("<rect ") == sum(bool(entry["box"]) for item in made.items() for entry in item.objects)
    for name in made.about.meanings:
        assert f"<bdi>{name}</bdi>" in page


def test_nothing_of_the_data_becomes_markup_and_nothing_is_loaded(made):
    page = contact(made, pictures.covered(made))
    assert "<script" not in page
    assert "<img src=x" not in page
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)


def test_no_more_than_asked(made):
    assert contact(made, pictures.covered(made), limit=1).count("<figure>") == 1


def test_from_the_command_line(made, capsys, tmp_path):
    assert main(["look", str(made.folder)]) == 0
    assert (made.folder / "look.html").read_text("utf-8").startswith("<!doctype html>")
    assert main(["look", str(made.folder), "-o", str(tmp_path / "a.html"), "--limit", "1"]) == 0
    assert main(["look", str(made.folder), "-o", str(tmp_path / "a.html")]) == 2
    assert main(["look", str(made.folder), "--limit", "0"]) == 2
    assert main(["look", str(tmp_path)]) == 2
    assert "holds no set" in capsys.readouterr().err


def test_quotas_are_told_cell_by_cell(tmp_path):
    quota = {"knobs": {"camera.elevation_deg": [20.0, 70.0]}, "shares": {"camera.elevation_deg": [1, 3]}}
    even = pictures.render({**SPEC, "frames": 1, "quotas": [quota]}, tmp_path / "out", 4, workers=1)
    page = contact(even, pictures.covered(even))
    rows = re.findall(r"elevation_deg (\d+).*?</td>.*?>(\d+)<", page, re.DOTALL)
    assert rows == [("20", "1"), ("70", "3")]
    assert "Quotas" not in contact(
        even, {key: value for key, value in pictures.covered(even).items() if key != "quotas"}
    )
