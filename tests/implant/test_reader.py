import csv
from dataclasses import replace

import numpy as np
import pytest
from implant.phantom import host
from PIL import Image

from tuckpoint.errors import InputError
from tuckpoint.implant import reader
from tuckpoint.implant.appearance import Appearance
from tuckpoint.implant.ct import LungNodule
from tuckpoint.implant.reader import answered, score, sheet
from tuckpoint.seed import Seed

MADE, REAL = ([np.full((9, 9, 9), value) for _ in range(8)] for value in (100.0, -900.0))


def written(tmp_path, **settings):
    key = tmp_path / "key.json"
    return sheet(MADE, REAL, tmp_path / "reader", key, Seed(1), grey=(-1000.0, 100.0), **settings), key


def answer(tmp_path, how):
    """Fill the sheet by looking at the pictures: the implanted ones are bright."""
    place = tmp_path / "reader" / "answers.csv"
    rows = list(csv.DictReader(place.read_text("utf-8").splitlines()))
    for row in rows:
        picture = np.asarray(Image.open(tmp_path / "reader" / f"{row['pair']}.png"))
        half = picture.shape[1] // 2
        row["implanted"] = how("left" if picture[:, :half].mean() > picture[:, half:].mean() else "right")
    with place.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return place


def test_who_sees_the_difference_is_right_every_time_and_who_errs_is_never(tmp_path):
    count, key = written(tmp_path)
    assert count == 8
    found = score(answer(tmp_path, str), key)
    assert (found.right, found.n, found.told_apart) == (8, 8, True)
    other = {"left": "right", "right": "left"}
    assert score(answer(tmp_path, other.__getitem__), key).right == 0


def test_the_reader_gets_no_key_and_both_sides_occur(tmp_path):
    _, key = written(tmp_path)
    assert {"left", "right"} <= set(key.read_text("utf-8").replace('"', " ").split())
    held = b"".join(path.read_bytes() for path in (tmp_path / "reader").iterdir() if path.suffix != ".png")
    assert not any(word in held for word in (b"digest", b"pair_001,left", b"pair_001,right"))
    with pytest.raises(InputError, match="reader's folder"):
        sheet(MADE, REAL, tmp_path / "r2", tmp_path / "r2" / "key.json", Seed(1), grey=(0.0, 1.0))


def test_a_reader_sees_no_border_that_was_repeated(monkeypatch):
    one = host(0)
    adapter = LungNodule(Appearance(size_mm=(4.0, 5.0)))
    pair = adapter.implant(one, adapter.plan(one, Seed(3), count=2))
    far, near = ((22.0, 22.0, 22.0), (4.0, 22.0, 22.0))
    findings = [replace(f, drawn=replace(f.drawn, position=p)) for f, p in zip(pair.findings, (far, near), strict=True)]
    pair = replace(pair, findings=tuple(findings))
    monkeypatch.setattr(reader, "LEAST", 1)
    (window,) = reader.windows([pair])
    assert np.array_equal(window, pair.image[12:32, 12:32, 12:32])
    monkeypatch.setattr(reader, "LEAST", 2)  # too few are whole
    assert len(reader.windows([pair])) == 2


def test_the_interval_is_the_exact_binomial_one():
    found = answered(26, 40)
    assert (found.low, found.high) == pytest.approx((0.4832, 0.7937), abs=1e-3)  # Clopper, Pearson
    assert not found.told_apart
    assert answered(31, 40).told_apart


def test_bad_sheets_are_told(tmp_path):
    _, key = written(tmp_path)
    with pytest.raises(InputError, match="8 pairs without an answer"):
        score(tmp_path / "reader" / "answers.csv", key)
    with pytest.raises(InputError, match="answer left or right"):
        score(answer(tmp_path, lambda side: "both"), key)
    key.write_text(key.read_text("utf-8").replace("left", "right"))
    with pytest.raises(InputError, match="altered"):
        score(answer(tmp_path, str), key)
    with pytest.raises(InputError, match="five pairs"):
        sheet(MADE[:2], REAL, tmp_path / "r3", tmp_path / "k3.json", Seed(1), grey=(0.0, 1.0))
    with pytest.raises(InputError, match="exists already"):
        written(tmp_path)
