import highdicom
import numpy as np
import pytest
from volumes.made import OBLIQUE, RECORD, case

from tuckpoint.errors import InputError
from tuckpoint.volumes.dicom import write_series
from tuckpoint.volumes.seg import write_seg


@pytest.fixture
def written(tmp_path):
    (tmp_path / "series").mkdir()
    sets = write_series(tmp_path / "series", case(), RECORD)
    assert write_seg(tmp_path / "seg.dcm", case(), sets, RECORD)
    return tmp_path, sets


def test_every_voxel_is_found_again_by_its_place(written):
    folder, _ = written
    read = highdicom.seg.segread(folder / "seg.dcm")
    volume = read.get_volume(combine_segments=True)
    found = {tuple(np.round(OBLIQUE.axes.T @ (place - OBLIQUE.to_mm((0, 0, 0))) / OBLIQUE.spacing_mm[::-1]).astype(int))
             for place in volume.map_indices_to_reference(np.argwhere(volume.array))}  # fmt: skip
    assert found == {tuple(index[::-1]) for index in np.argwhere(case().labels)}
    assert read.get_segment_description(1).segmented_property_type.meaning == "Nodule"


def test_it_points_to_the_new_series_and_says_what_it_is(written):
    folder, sets = written
    read = highdicom.seg.segread(folder / "seg.dcm")
    pointed = {str(one.ReferencedSOPInstanceUID) for one in read.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    assert pointed <= {str(one.SOPInstanceUID) for one in sets}
    assert read.StudyInstanceUID == sets[0].StudyInstanceUID
    assert RECORD.digest() in read.ImageComments
    assert "SYNTHETIC" in read.SeriesDescription


def test_the_same_run_gives_the_same_bytes(written):
    folder, sets = written
    write_seg(folder / "again.dcm", case(), sets, RECORD)
    assert (folder / "again.dcm").read_bytes() == (folder / "seg.dcm").read_bytes()


def test_nulls_are_no_findings(written):
    folder, sets = written
    assert not write_seg(folder / "none.dcm", case(null=True), sets, RECORD)
    assert not (folder / "none.dcm").exists()


def test_a_segmentation_never_points_to_a_real_series(written):
    folder, sets = written
    for one in sets:
        one.ImageComments = ""
    with pytest.raises(InputError, match="not one of ours"):
        write_seg(folder / "x.dcm", case(), sets, RECORD)
