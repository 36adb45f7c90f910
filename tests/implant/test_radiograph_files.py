import json

import numpy as np
import pydicom
import pytest
import SimpleITK
from implant.chest import GAIN, MM, film
from PIL import Image
from volumes.test_radiographs import clinic

from tuckpoint.cli import main
from tuckpoint.errors import InputError
from tuckpoint.implant import hosts, radiograph_files, sets
from tuckpoint.record import Record

MASK = {True: "MONOCHROME1", False: "MONOCHROME2"}


def pictures(place, numbers=(0, 1)):
    """Films and lung masks as PNG."""
    for name in ("films", "masks"):
        (place / name).mkdir()
    for number in numbers:
        image, lung = film(number)
        Image.fromarray(image).save(place / "films" / f"p{number}.png")
        Image.fromarray(lung.astype(np.uint8) * 255).save(place / "masks" / f"p{number}.png")


def clinics(place, numbers=(0, 1)):
    """The same from a clinic, the odd ones in MONOCHROME1, one folder each."""
    for number in numbers:
        image, _ = film(number)
        (place / "dicom" / f"Doe{number}").mkdir(parents=True)
        clinic(
            place / "dicom" / f"Doe{number}" / f"p{number}.dcm", 4095 - image if number % 2 else image,
            PhotometricInterpretation=MASK[bool(number % 2)], ImagerPixelSpacing=[str(MM), str(MM)],
            SOPInstanceUID=f"1.2.3.9.{number}", PatientID=f"4711-{number}",
        )  # fmt: skip


def read(place, path, spacing=(MM, MM), lungs="masks", **more):
    root = place / path.split("/")[0]
    return radiograph_files.film(place / path, root, lungs=place / lungs if lungs else None, spacing=spacing, **more)


def test_films_in_either_sense_of_grey_give_the_same_host(tmp_path):
    pictures(tmp_path)
    clinics(tmp_path)
    for number in (0, 1):
        png, _ = read(tmp_path, f"films/p{number}.png")
        dcm, stored = read(tmp_path, f"dicom/Doe{number}/p{number}.dcm", spacing=None)
        assert np.array_equal(png.image, dcm.image)
        assert np.array_equal(png.region, dcm.region)
        assert dcm.limits == (0, 4095)
        assert dcm.spacing == (MM, MM)
        assert png.group == f"p{number}"
        assert "4711" not in dcm.group
        assert "Doe" not in stored.name
        assert len(radiograph_files.find(tmp_path / "dicom")) == 2


def test_films_of_one_name_need_a_mask_each(tmp_path):
    pictures(tmp_path, (0,))
    image, lung = film(0)
    for folder in ("a", "b"):
        (tmp_path / "dicom" / folder).mkdir(parents=True)
        clinic(tmp_path / "dicom" / folder / "1.2.p0", image, ImagerPixelSpacing=[str(MM), str(MM)])
    Image.fromarray(lung.astype(np.uint8)).save(tmp_path / "masks" / "1.2.p0.png")
    with pytest.raises(InputError, match=r"no lung mask .*a/1.2.p0.png"):
        read(tmp_path, "dicom/a/1.2.p0", spacing=None)
    (tmp_path / "dicom/b/1.2.p0").unlink()
    Image.fromarray(lung.astype(np.uint8)).save(tmp_path / "dicom/a/1.2.p0_mask.png")
    host, _ = read(tmp_path, "dicom/a/1.2.p0", spacing=None)
    assert np.array_equal(host.region, lung)
    assert np.array_equal(host.avoid, lung)


def test_a_nodule_that_is_there_is_kept_off(tmp_path):
    pictures(tmp_path, (0,))
    mask = np.zeros(film(0)[0].shape, np.uint8)
    mask[50:60, 50:60] = 1
    Image.fromarray(mask).save(tmp_path / "films" / "p0_mask.png")
    host, _ = read(tmp_path, "films/p0.png")
    assert np.array_equal(host.avoid, mask > 0)
    assert len(radiograph_files.find(tmp_path / "films")) == 1
    reals = radiograph_files.reals(tmp_path / "films", spacing=(MM, MM))
    assert np.array_equal(reals.windows[0], film(0)[0][35:75, 35:75])
    assert list(reals.groups) == ["p0"]


def test_bad_films_and_masks_are_told(tmp_path):
    pictures(tmp_path, (0,))
    films = tmp_path / "films"
    image, lung = film(0)
    grey = (image // 16).astype(np.uint8)
    Image.fromarray(np.repeat(grey[..., None], 3, -1)).save(films / "colour.png")
    Image.fromarray(grey).save(films / "lone.png")
    Image.fromarray(grey).save(films / "small.png")
    Image.fromarray(grey).save(films / "empty.png")
    Image.fromarray(grey).save(films / "lossy.jpg")
    for name, mask in (("colour", lung), ("small", lung[::2]), ("empty", np.zeros_like(lung))):
        Image.fromarray(mask.astype(np.uint8)).save(tmp_path / "masks" / f"{name}.png")
    for name, words in {
        "colour.png": "its channels are alike: save it as grey",
        "small.png": "a mask of 100 x 240 pixels, the film 200 x 240",
        "lone.png": r"no lung mask .*lone.png: none is sought, since on a radiograph",
        "empty.png": "the lung mask is empty",
        "lossy.jpg": "has lost the noise",
    }.items():
        with pytest.raises(InputError, match=words):
            read(tmp_path, f"films/{name}")
    with pytest.raises(InputError, match=r"no lung mask \(--lungs\): none is sought"):
        read(tmp_path, "films/p0.png", lungs="")
    with pytest.raises(InputError, match="tells no spacing; give the pixel in mm"):
        read(tmp_path, "films/p0.png", spacing=None)


def test_dicom_tells_its_spacing_and_bad_dicom_is_told(tmp_path):
    pictures(tmp_path, (0,))
    image, _ = film(0)
    (tmp_path / "d").mkdir()
    for tags, spacing, words in (
        ({}, (MM, MM), "leave --spacing out"),
        ({"ImagerPixelSpacing": None}, None, "tells no pixel spacing"),
        ({"BurnedInAnnotation": "YES"}, None, "burned into the pixels"),
        ({"NumberOfFrames": 2}, None, "2 frames"),
    ):
        clinic(tmp_path / "d" / "p0.dcm", image, **tags)
        with pytest.raises(InputError, match=words):
            read(tmp_path, "d/p0.dcm", spacing=spacing)
    clinic(tmp_path / "d" / "p0.dcm", image, BurnedInAnnotation="YES")
    assert read(tmp_path, "d/p0.dcm", spacing=None, burned_in=True)[0].limits == (0, 4095)


def test_films_of_two_ranges_have_no_one_gain(tmp_path):
    pictures(tmp_path)
    Image.fromarray((film(1)[0] // 16).astype(np.uint8)).save(tmp_path / "films" / "p1.png")
    first, other = hosts.films(tmp_path / "films", lungs=tmp_path / "masks", spacing=(MM, MM))
    first.read()
    with pytest.raises(InputError, match=r"p1.png has 8-bit PNG, p0.png 16-bit PNG: one gain fits one of them"):
        other.read()


def test_from_dicom_films_to_all_formats_and_every_one_says_unvalidated(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path)
    clinics(tmp_path)
    steps = np.arange(0.0, 60.0, 6.0)
    lines = ["thickness_mm,grey", *(f"{t},{300 + GAIN * t:.1f}" for t in steps)]
    (tmp_path / "wedge.csv").write_text("\n".join(lines))
    asked = ["implant", "radiograph-nodule", "dicom", "--lungs", "masks", "--wedge", "wedge.csv", "--size", "9", "12"]
    asked += ["--kinds", "solid", "-o", "out", "--format", "dicom", "png", "coco", "nifti", "mha"]
    assert main(asked) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert said.startswith("UNVALIDATED")
    assert "gain: 12 grey levels per mm [12, 12], 10 steps of a wedge" in said
    record = Record.load(tmp_path / "out/record.json")
    assert record.evidence["unvalidated"].startswith("UNVALIDATED")
    assert [one.name for one in record.inputs] == ["hosts", "step wedge"]
    told = json.loads((tmp_path / "out/findings.json").read_text("utf-8"))
    assert told["unvalidated"].startswith("UNVALIDATED")
    assert told["settings"]["gain"]["sha256"] == record.inputs[1].sha256
    assert told["images"][0]["spacing_from"] == "ImagerPixelSpacing, at the detector"
    coco = json.loads((tmp_path / "out/coco/annotations.json").read_text("utf-8"))
    assert coco["info"]["unvalidated"].startswith("UNVALIDATED")
    assert coco["images"][0]["pixel_mm"] == [MM, MM]
    pairs = {pair.host.name: pair for pair in sets.load(tmp_path / "out")}
    for entry in told["images"]:
        pair, stem = pairs[entry["host"]], entry["files"]["images"].split("/")[1].removesuffix(".png")
        data = pydicom.dcmread(tmp_path / "out/dicom" / stem / "film.dcm")
        assert "UNVALIDATED" in data.DerivationDescription
        number = next(n for n in (0, 1) if np.array_equal(film(n)[0], pair.host.image))
        stored = 4095 - pair.image if number else pair.image
        assert np.array_equal(data.pixel_array, stored)
        change = data.pixel_array.astype(int) - (4095 - film(1)[0] if number else film(0)[0])
        assert np.sign(change.sum()) == (-1 if number else 1)
        sidecar = json.loads((tmp_path / "out/dicom" / stem / "findings.json").read_text("utf-8"))
        assert sidecar["unvalidated"].startswith("UNVALIDATED")
        with Image.open(tmp_path / "out/png/masks" / f"{stem}.png") as image:
            assert image.info["unvalidated"].startswith("UNVALIDATED")
        with Image.open(tmp_path / "out/png/images" / f"{stem}.png") as image:
            assert image.info["unvalidated"].startswith("UNVALIDATED")
            assert np.array_equal(np.asarray(image), pair.image)
        with Image.open(tmp_path / "out" / entry["files"]["images"]) as image:
            assert "UNVALIDATED" in image.info["tuckpoint"]
        other = SimpleITK.ReadImage(str(tmp_path / f"out/mha/masks/{stem}.mha"))
        assert other.GetMetaData("unvalidated").startswith("UNVALIDATED")
        slab = SimpleITK.ReadImage(str(tmp_path / f"out/nifti/images/{stem}.nii.gz"))
        assert slab.GetSpacing()[:2] == pytest.approx((MM, MM))
        assert np.array_equal(SimpleITK.GetArrayFromImage(slab)[0], pair.image)
        thick = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / f"out/nifti/thicknesses/{stem}.nii.gz")))
        (finding,) = pair.findings
        assert thick.sum() * MM**2 == pytest.approx(np.pi / 6 * finding.size.requested**3, rel=0.01)
    for file in (tmp_path / "out").rglob("*"):
        assert "Doe" not in file.name
        assert not file.is_file() or b"Jane" not in file.read_bytes()
    assert main(["implant", "check", "out", "-o", "page.html"]) == 0
    assert "UNVALIDATED" in capsys.readouterr().out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<strong>UNVALIDATED</strong>" in page
    assert "All that could be checked holds; unvalidated" in page


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--lungs", "masks"], "no gain: give the grey levels that one mm of tissue adds"),
        (["--lungs", "masks", "--gain", "2", "--wedge", "w.csv"], "two gains"),
        (["--lungs", "masks", "--gain", "0"], "nothing would be seen"),
        (["--gain", "12"], "no lung mask (--lungs): none is sought"),
        (["--lungs", "masks", "--gain", "-12"], "tissue is darker, yet"),
        (["--lungs", "masks", "--gain", "12", "--format", "nnunet"], "format nnunet does not hold radiographs"),
    ],
)
def test_what_is_missing_is_told_and_nothing_is_left(tmp_path, monkeypatch, capsys, more, why):
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path, (0,))
    assert main(["implant", "radiograph-nodule", "films", "--spacing", "1", "1", "-o", "out", *more]) == 2
    assert why in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_sheet_of_films_and_wrong_lengths(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path)
    image = film(1, marker=False)[0]
    Image.fromarray(image).save(tmp_path / "films/p1.png")
    made = ["implant", "radiograph-nodule", "films", "--lungs", "masks", "--gain", "12", "--spacing", "1", "1"]
    assert main([*made, "--kinds", "solid", "--size", "8", "9", "-n", "6", "--each", "3", "-o", "out"]) == 0
    assert "1 of 2 films show no edge sharp enough: their blur is assumed" in capsys.readouterr().out
    (tmp_path / "few").mkdir()
    for number in range(5):
        Image.fromarray(film(10)[0][40:140, 20 + 9 * number : 120 + 9 * number]).save(tmp_path / f"few/r{number}.png")
    sheet = ["implant", "sheet", "out", "--real-positives", "few", "-o", "reader", "--key", "key.json", "--spacing"]
    assert main([*sheet, "1", "1", "1"]) == 2
    assert "--spacing has 3; give two lengths for radiographs" in capsys.readouterr().err
    assert main([*sheet, "1", "1"]) == 0
    with Image.open(tmp_path / "reader/pair_001.png") as image:
        assert image.size == ((40 * 2 + 8) * 6, 41 * 6)
