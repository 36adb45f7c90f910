import nibabel
import numpy as np
import pytest
from volumes.made import OBLIQUE, RECORD, affine_ras, turned

from tuckpoint.errors import InputError
from tuckpoint.record import unseal
from tuckpoint.volumes import itk
from tuckpoint.volumes.volume import Volume, check_same

VOXELS = np.random.Generator(np.random.Philox(key=1)).integers(-1024, 3000, (5, 6, 7)).astype(np.int16)


@pytest.mark.parametrize("end", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_what_is_written_is_read_again_bit_for_bit_where_it_was(tmp_path, end):
    path = tmp_path / f"case{end}"
    itk.write(path, VOXELS, OBLIQUE, RECORD)
    back = itk.read(path)
    assert back.name == "case"
    assert back.voxels.dtype == np.int16
    assert np.array_equal(back.voxels, VOXELS)
    assert back.grid.apart_mm(OBLIQUE, VOXELS.shape) < 1e-4
    assert back.grid.spacing_mm == pytest.approx(OBLIQUE.spacing_mm)
    assert RECORD.digest().startswith(itk.stamp_of(path))


@pytest.mark.parametrize("end", [".nii.gz", ".nrrd", ".mha"])
def test_the_same_volume_gives_the_same_bytes(tmp_path, end):
    one, other = tmp_path / f"one{end}", tmp_path / f"two{end}"
    itk.write(one, VOXELS, OBLIQUE, RECORD)
    itk.write(other, VOXELS, OBLIQUE, RECORD)
    assert one.read_bytes() == other.read_bytes()


def test_another_library_finds_the_voxels_where_we_put_them(tmp_path):
    itk.write(tmp_path / "case.nii.gz", VOXELS, OBLIQUE, RECORD)
    read = nibabel.load(tmp_path / "case.nii.gz")
    assert np.array_equal(np.asarray(read.dataobj), VOXELS.T)
    ras = read.affine @ [6, 5, 4, 1]  # of index x, y, z
    assert np.allclose(ras[:3], OBLIQUE.to_mm((4, 5, 6)) * [-1, -1, 1], atol=1e-3)
    (told,) = read.header.extensions
    assert unseal(told.get_content().encode().rstrip(b"\0") if isinstance(told.get_content(), str)
                  else told.get_content().rstrip(b"\0")) == RECORD.to_dict()  # fmt: skip


def test_what_another_library_writes_is_read_where_it_put_it(tmp_path):
    nibabel.save(nibabel.Nifti1Image(VOXELS.T, affine_ras(OBLIQUE)), tmp_path / "theirs.nii")
    back = itk.read(tmp_path / "theirs.nii")
    assert np.array_equal(back.voxels, VOXELS)
    assert back.grid.apart_mm(OBLIQUE, VOXELS.shape) < 1e-3
    assert itk.stamp_of(tmp_path / "theirs.nii") is None


def test_masks_are_stored_as_bytes(tmp_path):
    itk.write(tmp_path / "mask.nrrd", VOXELS > 0, OBLIQUE, RECORD)
    assert itk.read(tmp_path / "mask.nrrd").voxels.dtype == np.uint8


def test_a_mask_of_another_geometry_is_told_apart():
    image = Volume("ct", VOXELS, OBLIQUE)
    check_same(image, Volume("mask", VOXELS > 0, OBLIQUE))
    with pytest.raises(InputError, match=r"mask lies up to \d+\.\d\d mm off ct"):
        check_same(image, Volume("mask", VOXELS > 0, turned(0.0)))
    with pytest.raises(InputError, match="the mask has 4 x 6 x 7 voxels"):
        check_same(image, Volume("mask", VOXELS[1:] > 0, OBLIQUE))


def test_what_is_no_volume_is_refused(tmp_path):
    (tmp_path / "case.nii").write_text("no")
    with pytest.raises(InputError, match=r"cannot be read as \.nii"):
        itk.read(tmp_path / "case.nii")
    with pytest.raises(InputError, match="no file"):
        itk.read(tmp_path / "none.mha")
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4, 3), np.int16), np.eye(4)), tmp_path / "four.nii")
    with pytest.raises(InputError, match="three axes"):
        itk.read(tmp_path / "four.nii")


@pytest.mark.parametrize("end", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_file_that_is_cut_short_is_told_and_not_filled_with_zeros(tmp_path, end):
    path = tmp_path / f"case{end}"
    itk.write(path, VOXELS, OBLIQUE, RECORD)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(InputError, match=r"cut short|is it whole"):
        itk.read(path)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_voxels_that_are_no_numbers_are_not_taken_for_water(tmp_path, dtype):
    holed = VOXELS.T.astype(dtype)
    nibabel.save(nibabel.Nifti1Image(holed, np.eye(4)), tmp_path / "whole.nii.gz")
    assert np.array_equal(itk.read(tmp_path / "whole.nii.gz").voxels, VOXELS)
    holed[0, 0, 0] = np.nan
    nibabel.save(nibabel.Nifti1Image(holed, np.eye(4)), tmp_path / "holed.nii.gz")
    with pytest.raises(InputError, match="not all voxels are numbers"):
        itk.read(tmp_path / "holed.nii.gz")


def test_sheared_axes_are_told(tmp_path):
    sheared = np.eye(4)
    sheared[0, 2] = 0.4
    nibabel.save(nibabel.Nifti1Image(VOXELS.T, sheared), tmp_path / "a.nii")
    with pytest.raises(InputError, match="straight grid"):
        itk.read(tmp_path / "a.nii")


def test_axes_that_are_not_square_are_refused():
    with pytest.raises(InputError, match="tilted gantry"):
        type(OBLIQUE)((1.0, 1.0, 1.0), direction=(1, 0, 0, 0, 1, 0.3, 0, 0, 1))
    with pytest.raises(InputError, match="above 0 mm"):
        type(OBLIQUE)((1.0, 0.0, 1.0))
