import json
from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK
from implant.phantom import patch
from PIL import Image
from volumes.made import RECORD, turned

from tuckpoint.cli import main
from tuckpoint.errors import InputError
from tuckpoint.volumes.dicom import write_series
from tuckpoint.volumes.formats import FORMATS
from tuckpoint.volumes.volume import Case

GRID = turned(15.0, (1.0, 1.0, 1.0))


@pytest.fixture
def clinic(tmp_path, monkeypatch):
    """A DICOM series of a healthy patch, oblique, with a name in it."""
    voxels = np.asarray(patch(3)).astype(np.int16)
    none = np.zeros(voxels.shape, np.uint16)
    (tmp_path / "healthy" / "Doe").mkdir(parents=True)
    write_series(
        tmp_path / "healthy" / "Doe", Case("x", voxels, voxels, none, none.astype(np.float32), (), "", GRID), RECORD
    )
    for path in (tmp_path / "healthy" / "Doe").iterdir():
        data = pydicom.dcmread(path)
        data.PatientName, data.PatientID = "Doe^Jane", "MRN-0815-X"
        data.save_as(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def slices(place):
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(place)))
    return reader.Execute()


def test_a_series_in_a_series_and_all_formats_out(clinic, capsys):
    asked = ["implant", "lung-nodule", "healthy", "--size", "7", "8", "-o", "out", "--format"]
    asked += ["dicom", "nifti", "nrrd", "mha"]
    assert main([*asked, "nnunet"]) == 0, capsys.readouterr().err
    (case,) = [place for place in (clinic / "out/dicom").iterdir() if place.is_dir()]
    image, host = slices(case / "series"), slices(clinic / "healthy/Doe")
    made, before = (SimpleITK.GetArrayFromImage(one) for one in (image, host))
    mask = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(next((clinic / "out/nifti/masks").iterdir()))))
    alpha = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(next((clinic / "out/nifti/alphas").iterdir()))))
    assert np.allclose(image.GetDirection(), host.GetDirection(), atol=1e-5)
    assert np.allclose(image.GetOrigin(), host.GetOrigin(), atol=1e-3)
    assert np.array_equal(made[alpha == 0], before[alpha == 0])
    assert made[mask > 0].mean() > before[mask > 0].mean() + 100
    for form, end in (("nifti", "nii.gz"), ("nrrd", "nrrd"), ("mha", "mha")):
        (file,) = (clinic / "out" / form / "images").glob(f"*.{end}")
        other = SimpleITK.ReadImage(str(file))
        assert np.array_equal(SimpleITK.GetArrayFromImage(other), made)
        assert np.allclose(other.GetDirection(), host.GetDirection(), atol=1e-5)
    assert (case / "segmentation.dcm").exists()
    assert (clinic / "out/nnunet/Dataset501_Implants/dataset.json").exists()
    for file in (clinic / "out").rglob("*"):
        assert "Doe" not in file.name
        data = file.read_bytes() if file.is_file() else b""
        assert b"Jane" not in data
        assert b"MRN-0815-X" not in data


@pytest.mark.parametrize("depth", [8, 16])
def test_photographs_go_out_as_coco(tmp_path, monkeypatch, capsys, depth):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good").mkdir()
    draw = np.random.Generator(np.random.Philox(key=4))
    tile = draw.normal(120 << (depth - 8), 6 << (depth - 8), (90, 110, 3)).astype(f"uint{depth}")
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(tile, isVector=True), "good/tile.png")
    asked = ["implant", "surface-defect", "good", "--kinds", "crack", "hole", "--each", "2", "-o", "out", "--format"]
    assert main([*asked, "coco", "png"]) == 0, capsys.readouterr().err
    told = json.loads((tmp_path / "out/coco/annotations.json").read_text("utf-8"))
    assert len(told["annotations"]) == 2
    assert told["info"]["synthetic"] is True
    (alpha,) = (np.asarray(Image.open(path)) for path in (tmp_path / "out/alphas").iterdir())
    for form in ("coco", "png"):
        (place,) = (tmp_path / "out" / form / "images").iterdir()
        made = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(place)))
        assert made.dtype == tile.dtype
        assert np.array_equal(made[alpha == 0], tile[alpha == 0])
        assert (made != tile).any()
    assert main(["implant", "check", "out", "-o", "page.html", "-o", "told.json"]) in (0, 3)
    states = {one["name"]: one["state"] for one in json.loads((tmp_path / "told.json").read_text("utf-8"))["checks"]}
    assert states["untouched outside alpha"] == states["values within limits"] == "holds"


def test_what_breaks_off_in_a_format_leaves_nothing_that_looks_whole(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise InputError("no space left")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(FORMATS, "coco", replace(FORMATS["coco"], write=full))
    (tmp_path / "good").mkdir()
    tile = np.random.Generator(np.random.Philox(key=4)).normal(120, 6, (60, 60)).astype(np.uint8)
    Image.fromarray(tile).save("good/tile.png")
    assert main(["implant", "surface-defect", "good", "-o", "out", "--format", "png", "coco"]) == 2
    assert "no space left" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good", "out.unfinished"]
    assert main(["implant", "surface-defect", "good", "-o", "out", "--format", "png"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good", "out", "out.recipe.yaml"]
    assert not (tmp_path / "out/coco").exists()
    assert main(["implant", "surface-defect", "good", "-n", "0", "-o", "new"]) == 2
    assert "0 findings" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("what", "form", "why"),
    [
        ("lung-nodule", "coco", "format coco does not hold volumes; choose of: nifti"),
        ("surface-defect", "dicom", "format dicom does not hold photographs; choose of: coco, png"),
        ("lung-nodule", "nifty", 'no format "nifty" (did you mean "nifti"?)'),
    ],
)
def test_formats_that_do_not_fit_are_refused_before_any_work(tmp_path, capsys, what, form, why):
    (tmp_path / "hosts").mkdir()
    assert main(["implant", what, str(tmp_path / "hosts"), "-o", str(tmp_path / "out"), "--format", form]) == 2
    assert why in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
