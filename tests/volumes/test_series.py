from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK
from PIL import Image, ImageDraw, ImageFont
from volumes.made import OBLIQUE, RECORD, case, turned

from tuckpoint.errors import InputError, ToolError
from tuckpoint.volumes import series
from tuckpoint.volumes.dicom import write_series
from tuckpoint.volumes.volume import Case


@pytest.fixture
def folder(tmp_path):
    """A series that looks as if it came from a clinic: written here, then given a patient and private tags."""
    place = tmp_path / "clinic"
    place.mkdir()
    write_series(place, case(), RECORD)
    change(place, PatientName="Doe^Jane", PatientID="4711", PatientBirthDate="19600102", StudyDate="20200315",
           InstitutionName="St. Elsewhere", RescaleIntercept="-1024", ConvolutionKernel="B50f")  # fmt: skip
    for path in place.iterdir():
        data = pydicom.dcmread(path)
        data.private_block(0x0011, "MAKER", create=True).add_new(1, "LO", "Jane was here")
        data.save_as(path)
    return place


def change(place, only=None, **tags):
    for number, path in enumerate(sorted(place.iterdir())):
        if only is None or number == only:
            data = pydicom.dcmread(path)
            for name, value in tags.items():
                if value is None:
                    delattr(data, name)
                else:
                    setattr(data, name, value)
            data.save_as(path)


def read(place):
    (files,) = series.find(place)
    return series.read(files)


def test_slices_are_sorted_by_place_whatever_their_names(folder):
    for number, path in enumerate(sorted(folder.iterdir(), reverse=True)):
        path.rename(folder / f"x{number:02d}")
    back = read(folder)
    assert np.array_equal(back.voxels, case().image - 1024)
    assert back.voxels.dtype == np.int16
    assert back.unit == "HU"
    assert back.grid.apart_mm(OBLIQUE, back.voxels.shape) < 1e-3
    assert "Jane" not in back.group
    assert "4711" not in back.group


@pytest.mark.parametrize(
    "grid", [OBLIQUE, turned(0.0), turned(90.0, (1.0, 1.0, 1.0))], ids=["oblique", "axial", "quarter"]
)
def test_another_library_reads_the_same_voxels_at_the_same_place(tmp_path, grid):
    write_series(tmp_path, case(grid), RECORD)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path)))
    image = reader.Execute()
    assert np.array_equal(SimpleITK.GetArrayFromImage(image), case().image)
    for index in ((0, 0, 0), (7, 11, 13)):
        there = image.TransformIndexToPhysicalPoint(index[::-1])
        assert np.allclose(there, grid.to_mm(index), atol=1e-3)


def test_missing_slices_are_counted_and_placed(folder):
    for path in sorted(folder.iterdir())[3:5]:
        path.unlink()
    with pytest.raises(InputError, match=r"2 slices are missing, the first -?[\d.]+ mm along the normal"):
        read(folder)


def test_doubled_slices_and_uneven_distances_are_told(folder, tmp_path):
    first = sorted(folder.iterdir())[0]
    (folder / "again.dcm").write_bytes(first.read_bytes())
    with pytest.raises(InputError, match="1 slice lies where another does"):
        read(folder)
    (folder / "again.dcm").unlink()
    moved = [float(v) for v in OBLIQUE.to_mm((3.3, 0, 0))]
    change(folder, only=3, ImagePositionPatient=moved)
    with pytest.raises(InputError, match="resample them evenly"):
        read(folder)


@pytest.mark.parametrize(
    ("only", "tags", "why"),
    [
        (None, {"BurnedInAnnotation": "YES"}, "text is burned into the pixels"),
        (None, {"BitsStored": 8, "HighBit": 7}, "8 bits a voxel, too few for Hounsfield units"),
        (None, {"RescaleSlope": None}, "no rescale to Hounsfield units"),
        (None, {"ImagePositionPatient": None}, "no ImagePositionPatient in 0001.dcm"),
        (2, {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}, "slices of several directions"),
        (2, {"PixelSpacing": [0.5, 0.5]}, "2 pixel spacings"),
        (None, {"SamplesPerPixel": 3}, "several frames or channels"),
    ],
)
def test_what_would_make_a_volume_a_lie_is_refused(folder, only, tags, why):
    change(folder, only=only, **tags)
    with pytest.raises(InputError, match=why):
        read(folder)


def packed(place, to, compressor):
    """A copy of a series as another library compresses it."""
    to.mkdir()
    for path in sorted(place.iterdir()):
        writer = SimpleITK.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(to / path.name))
        writer.UseCompressionOn()
        writer.SetCompressor(compressor)
        writer.Execute(SimpleITK.ReadImage(str(path)))
    return to


@pytest.mark.parametrize(("compressor", "syntax"), [("JPEG", "4.70"), ("JPEG2000", "4.90")])
def test_compressed_series_are_read_bit_for_bit(tmp_path, compressor, syntax):
    (tmp_path / "plain").mkdir()
    write_series(tmp_path / "plain", case(), RECORD)
    place = packed(tmp_path / "plain", tmp_path / "packed", compressor)
    (first, *_) = sorted(place.iterdir())
    assert pydicom.dcmread(first).file_meta.TransferSyntaxUID.endswith(syntax)
    assert np.array_equal(read(place).voxels, case().image)


def test_big_endian_series_are_read_as_numbers(folder):
    whole = read(folder).voxels
    for path in folder.iterdir():
        data = pydicom.dcmread(path)
        data.PixelData = data.pixel_array.astype(">i2").tobytes()
        data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
        pydicom.dcmwrite(path, data, implicit_vr=False, little_endian=False)
    assert np.array_equal(read(folder).voxels, whole)


def test_what_is_no_ct_volume_is_told_before_pixels_are_read(folder):
    (files,) = series.find(folder)
    series.check_ct(files, "scan")
    with pytest.raises(InputError, match="2 slices make no volume"):
        series.check_ct(files[:2], "scan")
    change(folder, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    with pytest.raises(InputError, match="a localizer"):
        series.check_ct(files, "scan")
    change(folder, Modality="SR")
    with pytest.raises(InputError, match="modality SR, not CT"):
        series.check_ct(files, "scan")


def test_text_in_the_pixels_is_told_whatever_the_header_says(tmp_path):
    draw = ImageDraw.Draw(sheet := Image.new("1", (64, 64)))
    draw.fontmode = "1"
    draw.text((3, 3), "DOE 4711", 1, ImageFont.load_default(12))
    image = np.random.Generator(np.random.Philox(key=8)).normal(-850, 30, (12, 64, 64)).astype(np.int16)
    image[:, np.asarray(sheet)] = 3071
    none = np.zeros(image.shape, np.uint16)
    one = Case("x", image, image, none, none.astype(np.float32), (), "p", OBLIQUE)
    write_series(tmp_path, one, RECORD)
    change(tmp_path, BurnedInAnnotation="NO")
    with pytest.raises(InputError, match=r"text is burned into the pixels.*columns 4 to \d+"):
        read(tmp_path)
    (files,) = series.find(tmp_path)
    back = series.read(files, burned_in=True)
    assert np.array_equal(back.voxels, image)
    (tmp_path / "out").mkdir()
    out = write_series(tmp_path / "out", replace(one, headers=back.headers), RECORD)
    assert out[0].BurnedInAnnotation == "YES"


def test_a_tilted_gantry_is_refused(folder):
    for number in range(8):
        place = OBLIQUE.to_mm((number, 0, 0)) + OBLIQUE.axes[:, 1] * 0.5 * number
        change(folder, only=number, ImagePositionPatient=[float(v) for v in place])
    with pytest.raises(InputError, match="tilted gantry"):
        read(folder)


def test_two_series_in_a_folder_are_two_volumes(folder):
    change(folder, only=0, SeriesInstanceUID="1.2.3")
    assert [len(files) for files in series.find(folder)] == [1, 7]
    with pytest.raises(InputError, match="2 series"):
        series.read([path for files in series.find(folder) for path in files])


def test_pixels_that_are_cut_short_are_told(folder):
    path = sorted(folder.iterdir())[2]
    data = pydicom.dcmread(path)
    data.PixelData = data.PixelData[:100]
    data.save_as(path)
    with pytest.raises(ToolError, match=r"0003\.dcm cannot be decoded"):
        read(folder)
