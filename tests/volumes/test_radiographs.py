from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK
from volumes.made import RECORD, written

from tuckpoint.errors import InputError
from tuckpoint.record import tuckpoint_version
from tuckpoint.volumes import radiographs
from tuckpoint.volumes.dicom import record_of
from tuckpoint.volumes.volume import Case

UNSURE = replace(RECORD, evidence={"unvalidated": "UNVALIDATED: a test"})
BITS, DX = 12, "1.2.840.10008.5.1.4.1.1.1.1"
PIXELS = np.random.Generator(np.random.Philox(key=5)).integers(0, 4096, (31, 40)).astype(np.uint16)


def clinic(path, pixels=PIXELS, **tags):
    """A film as a clinic writes it, with a patient and private tags."""
    data = pydicom.Dataset()
    data.SOPClassUID, data.SOPInstanceUID = DX, "1.2.3.4.5"
    data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.3.6", "1.2.3.7"
    data.Modality, data.PatientName, data.PatientID, data.StudyDate = "DX", "Doe^Jane", "4711", "20200315"
    data.InstitutionName, data.KVP, data.ImagerPixelSpacing = "St. Elsewhere", "125", ["0.2", "0.3"]
    data.PhotometricInterpretation, data.SamplesPerPixel = "MONOCHROME2", 1
    data.Rows, data.Columns = pixels.shape[:2]
    data.BitsAllocated, data.BitsStored = 8 * pixels.dtype.itemsize, 8 if pixels.dtype.itemsize == 1 else BITS
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(pixels.dtype.kind == "i")
    data.PresentationIntentType, data.PixelIntensityRelationship = "FOR PRESENTATION", "LOG"
    view = pydicom.Dataset()
    view.CodeValue, view.CodingSchemeDesignator, view.CodeMeaning = "399348003", "SCT", "antero-posterior"
    local = pydicom.Dataset()
    local.CodeValue, local.CodingSchemeDesignator, local.CodeMeaning = "X1", "99ELSEWHERE", "Jane's view"
    data.ViewCodeSequence = [view, local]
    data.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    data.private_block(0x0011, "MAKER", create=True).add_new(1, "LO", "Jane was here")
    for name, value in tags.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.save_as(path, enforce_file_format=True)
    return path


def changed(film, *, by=100, **more):
    """A case of this film with 100 grey levels more in one place."""
    image, labels = film.pixels.copy(), np.zeros(film.pixels.shape, np.uint16)
    image[3:6, 4:8] = 2000 + by
    labels[3:6, 4:8] = 1
    told = {"kind": "solid", "null": False}
    return Case(
        "000_film", image, film.pixels, labels, labels.astype(np.float32), (told,), film.group, headers=(film.header,),
        pixel_mm=film.pixel_mm, **more,
    )  # fmt: skip


@pytest.mark.parametrize("sense", ["MONOCHROME1", "MONOCHROME2"])
def test_a_film_goes_out_as_it_came_in_but_for_the_finding(tmp_path, sense):
    film = radiographs.read(clinic(tmp_path / "in.dcm", PhotometricInterpretation=sense))
    wanted = PIXELS if sense == "MONOCHROME2" else 4095 - PIXELS
    assert np.array_equal(film.pixels, wanted)
    case = changed(film)
    radiographs.write(tmp_path / "out.dcm", case, RECORD)
    data = pydicom.dcmread(tmp_path / "out.dcm")
    stored = np.where(case.labels > 0, 2100 if sense == "MONOCHROME2" else 4095 - 2100, PIXELS)
    assert np.array_equal(data.pixel_array, stored)
    assert data.PhotometricInterpretation == sense
    assert np.array_equal(radiographs.read(tmp_path / "out.dcm").pixels, case.image)
    other = SimpleITK.ReadImage(str(tmp_path / "out.dcm"))
    if sense == "MONOCHROME2":  # the other library turns MONOCHROME1 by itself, or not, by its version
        assert np.array_equal(np.squeeze(SimpleITK.GetArrayFromImage(other)), stored)


@pytest.mark.parametrize("pixels", [PIXELS[:, :39].astype(np.uint8), (PIXELS.astype(np.int16) - 2048)])
def test_eight_bits_and_signed_greys_are_kept(tmp_path, pixels):
    film = radiographs.read(clinic(tmp_path / "in.dcm", pixels, PhotometricInterpretation="MONOCHROME1"))
    assert film.pixels.dtype == pixels.dtype
    none = np.zeros(pixels.shape, np.uint16)
    case = Case("a", film.pixels, film.pixels, none, none * np.float32(1), (), headers=(film.header,), pixel_mm=(1, 1))
    radiographs.write(tmp_path / "out.dcm", case, RECORD)
    assert np.array_equal(pydicom.dcmread(tmp_path / "out.dcm").pixel_array, pixels)


def test_nothing_tells_who_the_patient_was(tmp_path):
    source = clinic(tmp_path / "in.dcm")
    radiographs.write(tmp_path / "out.dcm", changed(radiographs.read(source)), RECORD)
    data = (tmp_path / "out.dcm").read_bytes()
    for word in (b"Doe", b"Jane", b"4711", b"Elsewhere", b"ELSEWHERE", b"20200315"):
        assert word not in data
    own, old = pydicom.dcmread(tmp_path / "out.dcm"), pydicom.dcmread(source)
    assert not [one for one in own.iterall() if one.tag.is_private]
    names = {str(one.value) for one in old.iterall() if one.VR == "UI"} - {DX}
    assert not names & {str(one.value) for one in own.iterall() if one.VR == "UI"}
    assert own.KVP == 125
    assert [float(v) for v in own.ImagerPixelSpacing] == [0.2, 0.3]
    assert [one.CodeValue for one in own.ViewCodeSequence] == ["399348003"]


def test_a_film_says_what_it_is_and_that_it_is_unvalidated(tmp_path):
    made = radiographs.write(tmp_path / "o.dcm", changed(radiographs.read(clinic(tmp_path / "in.dcm"))), UNSURE)
    assert list(made.ImageType) == ["DERIVED", "SECONDARY", "", "SYNTHETIC"]
    assert made.SeriesDescription == "SYNTHETIC UNVALIDATED solid"
    assert "UNVALIDATED: a test" in made.DerivationDescription
    assert made.PatientIdentityRemoved == "YES"
    assert made.ContributingEquipmentSequence[0].SoftwareVersions == tuckpoint_version()
    assert record_of(made) == UNSURE.digest()
    again = radiographs.write(tmp_path / "p.dcm", changed(radiographs.read(tmp_path / "in.dcm")), UNSURE)
    assert (tmp_path / "o.dcm").read_bytes() == (tmp_path / "p.dcm").read_bytes()
    assert made.SOPInstanceUID == again.SOPInstanceUID


def test_text_in_a_film_that_is_used_knowingly_is_told(tmp_path):
    source = clinic(tmp_path / "in.dcm", BurnedInAnnotation="YES")
    film = radiographs.read(source, burned_in=True)
    assert radiographs.write(tmp_path / "o.dcm", changed(film), RECORD).BurnedInAnnotation == "YES"
    film = radiographs.read(clinic(tmp_path / "in.dcm", BurnedInAnnotation="NO"))
    assert "BurnedInAnnotation" not in radiographs.write(tmp_path / "o.dcm", changed(film), RECORD)  # nobody looked


def test_a_film_has_a_segmentation_beside_it(tmp_path):
    case = changed(radiographs.read(clinic(tmp_path / "in.dcm")))
    written("dicom", [case], tmp_path, UNSURE)
    film, mask = (pydicom.dcmread(tmp_path / case.name / f"{name}.dcm") for name in ("film", "segmentation"))
    assert np.array_equal(np.squeeze(mask.pixel_array) > 0, case.labels > 0)
    assert mask.SeriesDescription == "SYNTHETIC UNVALIDATED segmentation of implanted findings"
    assert (
        mask.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == film.SOPInstanceUID
    )


def test_a_picture_becomes_a_secondary_capture(tmp_path):
    case = Case("a", PIXELS, PIXELS, np.zeros(PIXELS.shape, np.uint16), np.zeros(PIXELS.shape, np.float32), (),
                pixel_mm=(0.25, 0.5))  # fmt: skip
    radiographs.write(tmp_path / "out.dcm", case, RECORD)
    data = pydicom.dcmread(tmp_path / "out.dcm")
    assert np.array_equal(data.pixel_array, PIXELS)
    assert [float(v) for v in data.PixelSpacing] == [0.25, 0.5]
    assert data.SOPClassUID.name == "Secondary Capture Image Storage"
    with pytest.raises(InputError, match="no radiograph"):
        radiographs.write(tmp_path / "no.dcm", Case("a", PIXELS, PIXELS, case.labels, case.alpha, ()), RECORD)


@pytest.mark.parametrize(
    ("tags", "pixel_mm", "where"),
    [
        ({}, (0.2, 0.3), "ImagerPixelSpacing, at the detector"),
        (
            {"EstimatedRadiographicMagnificationFactor": "1.25"},
            (0.16, 0.24),
            "ImagerPixelSpacing, magnified 1.25 times",
        ),
        ({"PixelSpacing": ["0.15", "0.25"]}, (0.15, 0.25), "PixelSpacing"),
        ({"PixelSpacing": ["0.2", "0.3"]}, (0.2, 0.3), "ImagerPixelSpacing, at the detector"),
        ({"ImagerPixelSpacing": None}, None, ""),
    ],
)
def test_the_pixel_lies_in_the_plane_of_the_patient(tmp_path, tags, pixel_mm, where):
    film = radiographs.read(clinic(tmp_path / "in.dcm", **tags))
    assert film.pixel_mm == (None if pixel_mm is None else pytest.approx(pixel_mm))
    assert film.spacing_from == where


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"Modality": "CT"}, "modality CT, no radiograph"),
        ({"NumberOfFrames": 3}, "3 frames; give single films"),
        ({"PhotometricInterpretation": "RGB"}, r"a colour picture \(RGB\)"),
        ({"SamplesPerPixel": 3}, "a colour picture"),
        ({"BurnedInAnnotation": "YES"}, "text is burned into the pixels"),
        ({"PixelIntensityRelationship": "LIN"}, "greys linear in exposure"),
        ({"ModalityLUTSequence": [pydicom.Dataset()]}, "greys go through a table"),
    ],
)
def test_what_is_no_single_grey_film_is_refused(tmp_path, tags, why):
    with pytest.raises(InputError, match=why):
        radiographs.read(clinic(tmp_path / "in.dcm", **tags))
