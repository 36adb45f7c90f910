import json
from pathlib import Path

import numpy as np
import pytest
from implant.phantom import CUBE, patch
from PIL import Image, ImageDraw, ImageFont

from tuckpoint.errors import InputError, TraceError
from tuckpoint.implant import hosts, making, reading, sets, volumes
from tuckpoint.implant.appearance import Appearance
from tuckpoint.implant.ct import LungNodule
from tuckpoint.implant.making import Asked, Order, make
from tuckpoint.record import Record
from tuckpoint.seed import Seed

SMALL = LungNodule(Appearance(size_mm=(4.0, 6.0)))
TILTED = (0.98, 0.0, 0.199, 0.0, 1.0, 0.0, -0.199, 0.0, 0.98)  # a turn of 11.5 degrees


def scan(place: Path, values, *, spacing=CUBE, origin=(10.0, -20.0, 30.0), direction=TILTED):
    """Write a NIfTI, NRRD or MHA file with a geometry of its own."""
    itk = pytest.importorskip("SimpleITK")
    image = itk.GetImageFromArray(values)
    image.SetSpacing(tuple(reversed(spacing)))
    image.SetOrigin(origin)
    axes = np.array(direction).reshape(3, 3)
    image.SetDirection((axes / np.linalg.norm(axes, axis=0)).ravel().tolist())
    itk.WriteImage(image, str(place))
    return place


def arrays(folder: Path, count=2):
    folder.mkdir()
    for number in range(count):
        np.savez(folder / f"p{number}.npz", image=patch(number), spacing=np.array(CUBE))
    return folder


def order(folder: Path, **asked):
    given = Asked(**({"count": 3, "null": 0.3, "seed": 1} | asked))
    return Order("lung-nodule", SMALL, hosts.scans(folder), given, {})


def run(folder: Path, out: Path, *, overwrite=False, **asked):
    return make(order(folder, **asked), out, overwrite=overwrite)


@pytest.mark.parametrize("held", [None, 0, 200_000])
def test_a_folder_of_pairs_comes_back_as_it_was_made(tmp_path, monkeypatch, held):
    if held is not None:
        monkeypatch.setattr(sets, "HELD_BYTES", held)
        monkeypatch.setattr(sets, "SHELF_BYTES", 300_000)
    made = run(arrays(tmp_path / "in"), tmp_path / "out", count=4, each=2)
    pairs = sets.load(tmp_path / "out")
    assert [len(pair.findings) for pair in pairs] == [2, 2]
    host, _ = reading.ct(tmp_path / "in" / "p0.npz")
    again = SMALL.implant(host, SMALL.plan(host, Seed(1).child("implant", 0), count=2, null=0.3))
    assert (pairs[0].image == again.image).all()
    assert (pairs[0].mask() == again.mask()).all()
    assert np.allclose(pairs[0].alpha(), again.alpha())
    assert pairs[0].to_dict() == json.loads(json.dumps(again.to_dict()))
    record = Record.load(tmp_path / "out" / "record.json")
    assert made.record == record
    assert json.loads((tmp_path / "out" / "findings.json").read_text("utf-8"))["record"] == record.digest()
    assert record.rows == 2


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_scans_keep_their_geometry_and_say_that_they_are_synthetic(tmp_path, suffix):
    itk = pytest.importorskip("SimpleITK")
    (tmp_path / "in").mkdir()
    source = scan(tmp_path / "in" / f"p0{suffix}", patch(0, shape=(18, 54, 54), spacing=(2.5, 0.8, 0.8)),
                  spacing=(2.5, 0.8, 0.8))  # fmt: skip
    run(tmp_path / "in", tmp_path / "out", count=1, null=0.0)
    (made,), before = list((tmp_path / "out" / "images").iterdir()), itk.ReadImage(str(source))
    after = itk.ReadImage(str(made))
    mask = itk.ReadImage(str(next((tmp_path / "out" / "masks").iterdir())))
    for image in (after, mask):
        assert np.allclose(image.GetSpacing(), before.GetSpacing())
        assert np.allclose(image.GetOrigin(), before.GetOrigin(), atol=1e-4)
        assert np.allclose(image.GetDirection(), before.GetDirection(), atol=1e-5)
    assert any("SYNTHETIC" in after.GetMetaData(key) for key in after.GetMetaDataKeys())
    changed = itk.GetArrayFromImage(after) != itk.GetArrayFromImage(before)
    assert changed.any()
    assert changed[itk.GetArrayFromImage(mask) > 0].mean() > 0.8


def test_nothing_is_overwritten(tmp_path):
    arrays(tmp_path / "in")
    run(tmp_path / "in", tmp_path / "out")
    with pytest.raises(InputError, match="exists already"):
        run(tmp_path / "in", tmp_path / "out")
    run(tmp_path / "in", tmp_path / "out", overwrite=True, seed=2)
    with pytest.raises(InputError, match="other files"):
        run(tmp_path / "in", tmp_path / "in", overwrite=True)


def test_an_altered_host_is_found(tmp_path):
    run(arrays(tmp_path / "in"), tmp_path / "out")
    np.savez(tmp_path / "out" / "hosts" / "p0.npz", image=patch(5), spacing=np.array(CUBE))
    with pytest.raises(TraceError, match="altered"):
        sets.load(tmp_path / "out")


def test_fewer_than_asked_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(making, "TRIES", 2)
    with pytest.raises(InputError, match=r"image 1 of 1 cannot be made.*no free place"):
        run(arrays(tmp_path / "in"), tmp_path / "out", count=8, each=8, pins={"diameter_mm": 15.0})
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_masks_beside_images_are_kept_off(tmp_path):
    arrays(tmp_path / "in", 1)
    mask = np.zeros((44, 44, 44), np.uint8)
    mask[20:24, 20:24, 20:24] = 1
    np.savez(tmp_path / "in" / "p0_mask.npz", image=mask)
    host, _ = reading.ct(tmp_path / "in" / "p0.npz")
    assert (host.avoid == (mask > 0)).all()
    assert len(reading.images(tmp_path / "in", reading.VOLUMES)) == 1


def test_patients_are_told_by_name_and_reals_by_mask(tmp_path):
    (tmp_path / "in").mkdir()
    mask = np.zeros((44, 44, 44), np.uint8)
    mask[10:14, 20:24, 30:34] = 1
    np.savez(tmp_path / "in" / "p7__scan1.npz", image=patch(0), spacing=np.array(CUBE))
    np.savez(tmp_path / "in" / "p7__scan1_mask.npz", image=mask)
    found = reading.reals(tmp_path / "in")
    assert list(found.groups) == ["p7"]
    assert (found.windows[0] == patch(0)[2:22, 12:32, 22:42]).all()
    assert reading.bank(tmp_path / "in")[0].group == "p7"


def test_bad_files_are_told(tmp_path):
    folder = arrays(tmp_path / "in", 1)
    np.save(folder / "bare.npy", patch(0))
    np.savez(folder / "small_mask.npz", image=np.ones((3, 3, 3)))
    np.savez(folder / "small.npz", image=patch(0), spacing=np.array(CUBE))
    (folder / "text.npz").write_text("no array")
    for name, words in {
        "bare.npy": "tells no spacing", "small.npz": "another geometry", "text.npz": "no array file",
        "none.npz": "no file", "a.dcm": "no file",
    }.items():  # fmt: skip
        with pytest.raises(InputError, match=words):
            reading.ct(folder / name)
    (folder / "a.dcm").write_text("x")
    with pytest.raises(InputError, match="not read here"):
        volumes.read(folder / "a.dcm")
    with pytest.raises(InputError, match="holds no image"):
        reading.images(folder, (".png",))
    with pytest.raises(InputError, match="has no mask"):
        reading.bank(arrays(tmp_path / "bank", 1))


def test_text_burned_into_a_file_is_told_and_may_be_let_be(tmp_path):
    sheet = Image.new("1", (44, 44))
    draw = ImageDraw.Draw(sheet)
    draw.fontmode = "1"
    draw.text((1, 1), "DOE J", 1, ImageFont.load_default(11))
    image = patch(0).copy()
    image[:, np.asarray(sheet)] = 3071
    source = scan(tmp_path / "p0.nrrd", image)
    with pytest.raises(InputError, match=r"text is burned into the pixels.*\(--burned-in\)"):
        reading.ct(source)
    assert np.array_equal(reading.ct(source, burned_in=True)[0].image, image)


def test_lungs_of_another_geometry_are_refused(tmp_path):
    (tmp_path / "lungs").mkdir()
    source = scan(tmp_path / "p0.nrrd", patch(0))
    scan(tmp_path / "lungs" / "p0.nrrd", np.ones((44, 44, 44), np.uint8), origin=(0.0, 0.0, 0.0))
    with pytest.raises(InputError, match=r"lung mask of another geometry.*resample"):
        reading.ct(source, lungs=tmp_path / "lungs")
    scan(tmp_path / "lungs" / "p0.nrrd", np.ones((44, 44, 44), np.uint8))
    assert reading.ct(source, lungs=tmp_path / "lungs")[0].region.all()
