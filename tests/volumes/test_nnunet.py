import json

import nibabel
import numpy as np
import pytest
from volumes.made import OBLIQUE, affine_ras, case, written
from volumes.test_photographs import photo

from tuckpoint.errors import InputError
from tuckpoint.volumes.volume import Case


def two_kinds():
    one = case()
    labels = one.labels.copy()
    labels[6, 8, 9] = 3
    told = (*one.findings, {"kind": "cyst", "null": False})
    return Case("case2", one.image, one.host, labels, one.alpha, told, "p2", one.grid)


def test_labels_are_classes_on_the_grid_of_their_image(tmp_path):
    written("nnunet", [case(), two_kinds()], tmp_path)
    place = tmp_path / "Dataset501_Implants"
    told = json.loads((place / "dataset.json").read_text("utf-8"))
    assert told["labels"] == {"background": 0, "cyst": 1, "lung-nodule": 2}
    assert told["numTraining"] == 2
    assert told["file_ending"] == ".nii.gz"
    for name in ("case1", "case2"):
        image = nibabel.load(place / "imagesTr" / f"{name}_0000.nii.gz")
        labels = nibabel.load(place / "labelsTr" / f"{name}.nii.gz")
        assert np.array_equal(image.affine, labels.affine)
        assert np.allclose(image.affine, affine_ras(OBLIQUE), atol=1e-4)
        assert image.shape == labels.shape
    found = np.asarray(labels.dataobj).T
    assert (found == 2).sum() == 24
    assert found[6, 8, 9] == 1


def test_nulls_are_background(tmp_path):
    written("nnunet", [case(null=True)], tmp_path)
    assert json.loads((tmp_path / "Dataset501_Implants/dataset.json").read_text("utf-8"))["labels"] == {"background": 0}


def test_photographs_are_refused(tmp_path):
    with pytest.raises(InputError, match="this is a photograph"):
        written("nnunet", [photo()], tmp_path)
