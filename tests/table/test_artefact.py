import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tuckpoint.errors import InputError, TraceError
from tuckpoint.files import sha256
from tuckpoint.record import canonical
from tuckpoint.table.artefact import ARRAYS, CHECKSUMS, MODEL, digest, load_state, save_state
from tuckpoint.table.engine import State

PARTS = {
    "engine": State(
        {"order": ["b", "a"], "trees": 2, "text": 'tree\n"x"', "none": None},
        {"leaves": np.arange(12.0).reshape(3, 4), "../../escape": np.array([1, 2], np.int32), "flag": np.array(True)},
    ),
    "schema": State({"columns": []}),
}
META = {"schema": {"columns": ["a", "b"]}, "rows": 5000}
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
VALUES = st.dictionaries(st.text(), PLAIN, max_size=3)
DTYPES = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="?")
    | hnp.unsigned_integer_dtypes(endianness="?")
    | hnp.floating_dtypes(endianness="?")
    | hnp.unicode_string_dtypes(max_len=5)
    | hnp.byte_string_dtypes(max_len=5)
    | hnp.datetime64_dtypes()
)
ANY_ARRAY = hnp.arrays(dtype=DTYPES, shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))


def saved(folder: Path) -> Path:
    save_state(folder / "model", PARTS, META)
    return folder / "model"


def reseal(model: Path) -> None:
    """Make the checksums agree again, as a forger would."""
    sums = {n: {"bytes": (model / n).stat().st_size, "sha256": sha256(model / n)} for n in (MODEL, ARRAYS)}
    (model / CHECKSUMS).write_bytes(canonical(sums))


def same(first: dict[str, State], second: dict[str, State]) -> None:
    assert list(first) == list(second)
    for part in first:
        assert first[part].values == second[part].values
        assert set(first[part].arrays) == set(second[part].arrays)
        for name, array in first[part].arrays.items():
            np.testing.assert_array_equal(array, second[part].arrays[name])
            assert second[part].arrays[name].dtype == array.dtype.newbyteorder("<")


def test_round_trip(tmp_path: Path) -> None:
    meta, parts = load_state(saved(tmp_path))
    assert meta == META
    same(PARTS, parts)
    leaves = parts["engine"].arrays["leaves"]
    assert leaves.flags.writeable
    assert leaves.flags.aligned
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [ARRAYS, CHECKSUMS, MODEL]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(), st.tuples(VALUES, st.dictionaries(st.text(), ANY_ARRAY, max_size=3)), max_size=2))
def test_any_state_comes_back(tmp_path: Path, content: dict[str, Any]) -> None:
    parts = {name: State(values, arrays) for name, (values, arrays) in content.items()}
    save_state(tmp_path / "model", parts, {}, overwrite=True)
    same(dict(sorted(parts.items())), load_state(tmp_path / "model")[1])


def test_same_state_same_bytes_in_another_order_and_layout(tmp_path: Path) -> None:
    engine = PARTS["engine"]
    turned = dict(reversed(list(engine.arrays.items())))
    turned["leaves"] = np.asfortranarray(turned["leaves"]).astype(">f8")
    other = {"schema": PARTS["schema"], "engine": State(dict(reversed(list(engine.values.items()))), turned)}
    first = save_state(tmp_path / "a", PARTS, META)
    assert save_state(tmp_path / "b", other, META) == first == digest(tmp_path / "a") == digest(tmp_path / "b")
    for name in (MODEL, ARRAYS, CHECKSUMS):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert save_state(tmp_path / "c", PARTS, {}) != first


def test_a_new_process_writes_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "from tuckpoint.table.artefact import save_state, load_state\n"
        "meta, parts = load_state(sys.argv[1])\n"
        "print(save_state(sys.argv[2], parts, meta))\n"
    )
    first = save_state(tmp_path / "a", PARTS, META)
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a", tmp_path / "b"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == first


def test_numpy_reads_the_arrays_without_us(tmp_path: Path) -> None:
    with np.load(saved(tmp_path) / ARRAYS, allow_pickle=False) as arrays:
        assert sorted(arrays.files) == ["000000", "000001", "000002"]
        np.testing.assert_array_equal(arrays["000002"], PARTS["engine"].arrays["leaves"])


def test_an_existing_model_stays_unless_told(tmp_path: Path) -> None:
    model = saved(tmp_path)
    with pytest.raises(InputError, match="exists already"):
        save_state(model, {}, {})
    assert load_state(model)[0] == META
    save_state(model, {}, {"new": True}, overwrite=True)
    assert load_state(model) == ({"new": True}, {})
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(InputError, match="other files"):
        save_state(tmp_path, {}, {}, overwrite=True)


@pytest.mark.parametrize("array", [np.array([{}], object), np.zeros(2, "i4,f4"), np.array([1j])])
def test_arrays_that_are_not_plain_are_refused(array: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"array p\.a: .* cannot be saved"):
        save_state(tmp_path / "model", {"p": State({}, {"a": array})}, {})
    with pytest.raises(InputError, match="key 1"):
        save_state(tmp_path / "model", {"p": State({"a": {1: 2}})}, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [MODEL, ARRAYS, CHECKSUMS])
def test_damage_anywhere_is_found_and_named(name: str, tmp_path: Path) -> None:
    model = saved(tmp_path)
    whole = (model / name).read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        (model / name).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(TraceError):
            load_state(model)
    for damaged in (whole[:-1], whole + b" " * 100_000, b""):
        (model / name).write_bytes(damaged)
        with pytest.raises(TraceError, match=rf"(?s){name}"):
            load_state(model)
    (model / name).unlink()
    with pytest.raises(TraceError, match=rf"{name} is missing"):
        load_state(model)


def test_no_model_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no saved model"):
        load_state(tmp_path / "gone")
    with pytest.raises(TraceError, match="no saved model, or is damaged"):
        load_state(tmp_path)
    (tmp_path / "real.csv").write_text("a,b")
    with pytest.raises(InputError, match="is a file, a saved model is a folder"):
        load_state(tmp_path / "real.csv")
    saved(tmp_path)
    with pytest.raises(InputError, match=r"folder of a whole run; its model is .*model$"):
        load_state(tmp_path)
    with pytest.raises(InputError, match="mkdir -p"):
        save_state(tmp_path / "gone" / "model", {}, {})


def test_a_newer_model_asks_for_an_upgrade(tmp_path: Path) -> None:
    model = saved(tmp_path)
    plain = json.loads((model / MODEL).read_bytes())
    (model / MODEL).write_bytes(canonical(plain | {"tuckpoint_model": 2}))
    reseal(model)
    with pytest.raises(TraceError, match="upgrade tuckpoint"):
        load_state(model)


def forge_json(model: Path, change: Callable[[dict[str, Any]], None]) -> None:
    plain = json.loads((model / MODEL).read_bytes())
    change(plain["parts"]["engine"]["arrays"]["leaves"])
    (model / MODEL).write_bytes(canonical(plain))
    reseal(model)


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [10**15]},
        {"shape": [-3, -4]},
        {"shape": [4, 3]},
        {"shape": ["x"]},
        {"dtype": "O"},
        {"dtype": "<i8"},
        {"dtype": "nonsense"},
        {"member": "../../etc/passwd"},
        {"member": "000000.npy"},
    ],
)
def test_a_forged_description_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    model = saved(tmp_path)
    forge_json(model, lambda leaves: leaves.update(change))
    with pytest.raises(TraceError, match=r"arrays\.npz does not hold what model\.json says"):
        load_state(model)


def test_a_forged_archive_is_refused(tmp_path: Path) -> None:
    """Objects, compression bombs, and headers that promise more than there is."""
    objects = io.BytesIO()
    np.lib.format.write_array(objects, np.array([print], object), allow_pickle=True)
    promise = io.BytesIO()
    np.lib.format.write_array_header_1_0(promise, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)})
    bomb = io.BytesIO()
    np.lib.format.write_array(bomb, np.zeros((3, 4)))
    for content, packing in (
        (objects.getvalue(), zipfile.ZIP_STORED),
        (promise.getvalue(), zipfile.ZIP_STORED),
        (bomb.getvalue(), zipfile.ZIP_DEFLATED),
        (b"", zipfile.ZIP_STORED),
    ):
        model = tmp_path / "model"
        save_state(model, {"engine": State({}, {"leaves": np.zeros((3, 4))})}, {}, overwrite=True)
        with zipfile.ZipFile(model / ARRAYS, "w", packing) as archive:
            archive.writestr("000000.npy", content)
        reseal(model)
        with pytest.raises(TraceError, match=r"arrays\.npz does not hold"):
            load_state(model)


def test_one_member_named_many_times_does_not_unfold(tmp_path: Path) -> None:
    model = tmp_path / "model"
    save_state(model, {"engine": State({}, {"leaves": np.zeros(100_000)})}, {})
    plain = json.loads((model / MODEL).read_bytes())
    arrays = plain["parts"]["engine"]["arrays"]
    plain["parts"]["engine"]["arrays"] = {f"a{i}": arrays["leaves"] for i in range(1000)}
    (model / MODEL).write_bytes(canonical(plain))
    reseal(model)
    with pytest.raises(TraceError, match="in a smaller file"):
        load_state(model)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_forged_bytes_bring_it_down(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever stands in files whose checksums agree, the answer is a state or a TraceError."""
    model, whole = tmp_path / "model", tmp_path / "whole"
    if not whole.exists():
        save_state(whole, PARTS, META)
    shutil.copytree(whole, model, dirs_exist_ok=True)
    name = data.draw(st.sampled_from([MODEL, ARRAYS]))
    content = bytearray((model / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (model / name).write_bytes(content[: data.draw(st.integers(len(content) - 3, len(content)))])
    reseal(model)
    with suppress(TraceError):
        load_state(model)
