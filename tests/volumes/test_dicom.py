import re

import numpy as np
import pydicom
import pytest
from volumes.made import OBLIQUE, RECORD, case
from volumes.test_series import folder, read  # noqa: F401 - a fixture

from tuckpoint.errors import InputError
from tuckpoint.record import Maker, Record, tuckpoint_version
from tuckpoint.volumes.dicom import record_of, uid, write_series
from tuckpoint.volumes.volume import Case


@pytest.fixture
def written(folder, tmp_path):  # noqa: F811
    """A host from a clinic, changed by 100 HU in one place and written again."""
    host = read(folder)
    image, labels = host.voxels.copy(), np.zeros(host.voxels.shape, np.uint16)
    image[2:4, 3:6, 4:8] += 100
    labels[2:4, 3:6, 4:8] = 1
    told = {"kind": "lung-nodule", "null": False}
    made = Case("one", image, host.voxels, labels, (labels > 0).astype(np.float32), (told,), host.group, host.grid,
                host.headers)  # fmt: skip
    place = tmp_path / "made"
    place.mkdir()
    return made, place, write_series(place, made, RECORD), host


def test_a_series_goes_out_as_it_came_in_but_for_the_finding(written):
    made, place, _, host = written
    back = read(place)
    assert np.array_equal(back.voxels, made.image)
    assert back.grid == host.grid
    for one, source in zip(back.headers, host.headers, strict=True):
        for tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
            assert [v.original_string for v in one[tag].value] == [v.original_string for v in source[tag].value]


def test_nothing_tells_who_the_patient_was(written):
    _, place, sets, host = written
    for path, source in zip(sorted(place.iterdir()), host.headers, strict=True):
        data = path.read_bytes()
        for word in (b"Doe", b"Jane", b"4711", b"19600102", b"Elsewhere", b"20200315"):
            assert word not in data
        own = pydicom.dcmread(path)
        assert not [one for one in own.iterall() if one.tag.is_private]
        old = {str(one.value) for one in source.iterall() if one.VR == "UI"} - {str(source.SOPClassUID)}
        assert not old & {str(one.value) for one in own.iterall() if one.VR == "UI"}
    assert sets[0].ConvolutionKernel == "B50f"
    assert sets[0].StudyDate < "20200315"


def test_a_series_says_what_it_is(written):
    _, _, sets, _ = written
    one = sets[0]
    assert list(one.ImageType) == ["DERIVED", "SECONDARY", "AXIAL", "SYNTHETIC"]
    assert one.SeriesDescription.startswith("SYNTHETIC")
    assert one.PatientIdentityRemoved == "YES"
    assert [code.CodeValue for code in one.DeidentificationMethodCodeSequence] == ["113100", "113107"]
    (equipment,) = one.ContributingEquipmentSequence
    assert equipment.SoftwareVersions == tuckpoint_version()
    assert equipment.PurposeOfReferenceCodeSequence[0].CodeMeaning == "Modifying Equipment"
    assert one.LossyImageCompression == "00"
    assert record_of(one) == RECORD.digest()
    assert float(one.RescaleIntercept) == -1024


def test_the_same_run_gives_the_same_bytes_and_another_one_other_names(tmp_path):
    for name, record in (("one", RECORD), ("again", RECORD), ("other", Record("x", Maker("implant"), "0" * 64, 8, 1))):
        (tmp_path / name).mkdir()
        write_series(tmp_path / name, case(), record)
    one, again, other = (sorted((tmp_path / name).iterdir()) for name in ("one", "again", "other"))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in again]
    names = [{str(pydicom.dcmread(p).SOPInstanceUID) for p in place} for place in (one, other)]
    assert len(names[0]) == 8
    assert not names[0] & names[1]


def test_identifiers_are_valid_and_follow_from_their_names():
    found = {uid(RECORD, "slice", number) for number in range(200)}
    assert len(found) == 200
    assert all(re.fullmatch(r"2\.25\.[1-9]\d{0,38}", one) and int(one[5:]) < 2**128 for one in found)


def test_values_are_cut_to_what_the_source_can_hold(written, tmp_path):
    made, _, _, host = written
    loud = Case(
        "loud", made.image.copy(), made.host, made.labels, made.alpha, made.findings, "p", host.grid, host.headers
    )
    loud.image[0, 0, 0] = 32767
    for header in loud.headers:
        header.BitsStored, header.PixelRepresentation = 12, 0
    write_series(tmp_path, loud, RECORD)
    data = pydicom.dcmread(tmp_path / "0001.dcm")
    assert data.pixel_array[0, 0] == 4095
    assert data.pixel_array.min() >= 0


def test_dates_of_one_patient_keep_their_distance():
    days = []
    for day in ("20200315", "20200318"):
        header = pydicom.Dataset()
        header.StudyDate, header.RescaleSlope, header.RescaleIntercept = day, 1, 0
        header.BitsStored, header.PixelRepresentation = 16, 1
        from tuckpoint.volumes.dicom import _dataset

        made = _dataset(case(headers=(header,) * 8), RECORD, 0, OBLIQUE, 1)
        days.append(int(made.StudyDate))
    assert days[1] - days[0] == 3 or days[1] // 100 != days[0] // 100


def test_photographs_are_no_series(tmp_path):
    flat = np.zeros((4, 5), np.uint8)
    photo = Case("photo", flat, flat, flat.astype(np.uint16), flat.astype(np.float32), ())
    with pytest.raises(InputError, match="this is a photograph"):
        write_series(tmp_path, photo, RECORD)
