"""A saved model: a folder of JSON and arrays, checksummed; loading it runs no code.

    model.json       format version, meta, and per part its values and the names, types and shapes of its arrays
    arrays.npz       the arrays, uncompressed, under numbers for names (numpy can read it)
    checksums.json   size and SHA-256 of the two; its own SHA-256 is the digest of the model

The same state gives the same bytes. Checksums find damage; who must also exclude forgery compares the digest with the
one in the data's record.
"""

from __future__ import annotations

import hashlib
import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from tuckpoint.errors import InputError, TraceError
from tuckpoint.files import replacing_folder, sha256
from tuckpoint.record import canonical
from tuckpoint.table.engine import Array, State

VERSION = 1
MODEL, ARRAYS, CHECKSUMS = "model.json", "arrays.npz", "checksums.json"
KINDS = "biufUSMm"  # booleans, numbers, fixed-width text, times; never objects
LONGEST_CHECKSUMS = 65_536
UNREADABLE = (
    *(zipfile.BadZipFile, LookupError, TypeError, ValueError, AttributeError),
    *(ArithmeticError, OSError, EOFError, RuntimeError),
)


def save_state(
    folder: str | Path, parts: Mapping[str, State], meta: Mapping[str, Any], *, overwrite: bool = False
) -> str:
    """Write the parts of a model, and what is to be known of it, as a new folder; returns the digest of the model.

    The folder appears whole or not at all; an older model in its place is replaced only with `overwrite`, and anything
    else in its place never. Raises InputError for what JSON or plain arrays cannot hold.
    """
    arrays = [_storable(array, f"{part}.{name}") for part, name, array in _arrays(parts)]
    described = iter(enumerate(arrays))
    layout = {
        part: {
            "values": state.values,
            "arrays": {name: _described(*next(described)) for name in sorted(state.arrays)},
        }
        for part, state in sorted(parts.items())
    }
    model = canonical({"tuckpoint_model": VERSION, "meta": meta, "parts": layout})
    with replacing_folder(Path(folder), overwrite=overwrite, ours=is_model) as place:
        (place / MODEL).write_bytes(model)
        _write_arrays(place / ARRAYS, arrays)
        sums = {
            name: {"bytes": (place / name).stat().st_size, "sha256": sha256(place / name)} for name in (MODEL, ARRAYS)
        }
        (place / CHECKSUMS).write_bytes(canonical(sums))
        return sha256(place / CHECKSUMS)


def load_state(folder: str | Path) -> tuple[dict[str, Any], dict[str, State]]:
    """Read `meta` and the parts of a saved model, after all checksums agree.

    Raises InputError if there is no saved model, TraceError that names the file which is damaged, altered, or newer
    than this tuckpoint.
    """
    folder = Path(folder)
    sums = _checksums(folder)
    with _checked(folder / MODEL, sums[MODEL]) as text, _checked(folder / ARRAYS, sums[ARRAYS]) as file:
        model = _model(folder / MODEL, text.read())
        try:
            parts = _parts(file, model["parts"])
            return dict(model["meta"]), parts
        except UNREADABLE as error:
            raise TraceError(f"{folder / ARRAYS} does not hold what {MODEL} says ({error!r}); save it anew") from None


def digest(folder: str | Path) -> str:
    """The digest of a saved model, as records name it."""
    _checksums(Path(folder))
    return sha256(Path(folder) / CHECKSUMS)


def is_model(folder: Path) -> bool:
    """Whether a folder is a saved model, whole or damaged."""
    return (folder / MODEL).is_file() and (folder / CHECKSUMS).is_file()


def _arrays(parts: Mapping[str, State]) -> Iterator[tuple[str, str, Array]]:
    for part, state in sorted(parts.items()):
        for name, array in sorted(state.arrays.items()):
            yield part, name, array


def _storable(array: Array, where: str) -> Array:
    array = np.asarray(array)
    if array.dtype.kind not in KINDS:
        raise InputError(f"array {where}: {array.dtype} cannot be saved; use numbers, booleans, text or times")
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _described(number: int, array: Array) -> dict[str, Any]:
    return {"member": _member(number), "dtype": array.dtype.str, "shape": list(array.shape)}


def _member(number: int) -> str:
    return f"{number:06d}.npy"


def _write_arrays(path: Path, arrays: list[Array]) -> None:
    """An uncompressed npz whose bytes depend on nothing but the arrays."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, array in enumerate(arrays):
            member = zipfile.ZipInfo(_member(number), date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system, member.external_attr = 3, 0o644 << 16
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
                file.write(array.reshape(-1).view(np.uint8).data if array.nbytes else b"")


def _checksums(folder: Path) -> dict[str, dict[str, Any]]:
    if folder.is_file():
        raise InputError(f"{folder} is a file, a saved model is a folder; make one with: tuckpoint fit FILE -o MODEL")
    if not folder.is_dir():
        raise InputError(f"no saved model {folder}; make one with: tuckpoint fit FILE -o {folder}")
    path = folder / CHECKSUMS
    if not path.is_file() and (folder / "model" / CHECKSUMS).is_file():
        raise InputError(f"{folder} is the folder of a whole run; its model is {folder / 'model'}")
    if not path.is_file():
        raise TraceError(f"{path} is missing: {folder} is no saved model, or is damaged; fit it anew or copy it whole")
    with path.open("rb") as file:
        data = file.read(LONGEST_CHECKSUMS)
    try:
        sums = {name: {key: entry[key] for key in ("bytes", "sha256")} for name, entry in json.loads(data).items()}
        if set(sums) != {MODEL, ARRAYS} or canonical(sums) != data:
            raise ValueError
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise TraceError(f"{path} is damaged; fit the model anew or copy it whole") from None
    return sums


def _checked(path: Path, said: Mapping[str, Any]) -> IO[bytes]:
    """The open file, at its start, after its size and checksum agree."""
    if not path.is_file():
        raise TraceError(f"{path} is missing; fit the model anew or copy it whole")
    file = path.open("rb")
    size = path.stat().st_size
    found = hashlib.file_digest(file, "sha256").hexdigest() if size == said["bytes"] else None
    if found != said["sha256"]:
        file.close()
        raise TraceError(
            f"{path} was altered or damaged: {size} bytes, {CHECKSUMS} says {said['bytes']}"
            + (f", and SHA-256 {found[:12]}... is not {str(said['sha256'])[:12]}..." if found else "")
            + "; fit the model anew or copy it whole"
        )
    file.seek(0)
    return file


def _model(path: Path, data: bytes) -> dict[str, Any]:
    try:
        model = json.loads(data)
        version = model["tuckpoint_model"]
        newer = version > VERSION
    except (ValueError, KeyError, TypeError, RecursionError):
        raise TraceError(f"{path} is not a model of tuckpoint; fit it anew") from None
    if newer:
        raise TraceError(
            f"{path}: model version {version} is newer than this tuckpoint reads ({VERSION}); upgrade tuckpoint"
        )
    if not isinstance(model.get("meta"), dict) or not isinstance(model.get("parts"), dict):
        raise TraceError(f"{path} is not a model of tuckpoint; fit it anew")
    return dict(model)


def _parts(file: IO[bytes], layout: Mapping[str, Any]) -> dict[str, State]:
    parts = {}
    with zipfile.ZipFile(file) as archive:
        _check_room(file, layout)
        for part, content in layout.items():
            arrays = {name: _read_array(archive, said) for name, said in content["arrays"].items()}
            parts[part] = State(values=dict(content["values"]), arrays=arrays)
    return parts


def _check_room(file: IO[bytes], layout: Mapping[str, Any]) -> None:
    """All arrays together are no larger than the file that holds them: nothing in it unfolds."""
    said = [array for content in layout.values() for array in content["arrays"].values()]
    wanted = sum(np.dtype(str(array["dtype"])).itemsize * math.prod(array["shape"]) for array in said)
    if wanted > file.seek(0, 2):
        raise ValueError(f"{wanted} bytes of arrays in a smaller file")


def _read_array(archive: zipfile.ZipFile, said: Mapping[str, Any]) -> Array:
    """One array, writable and aligned; nothing is allocated before header, JSON and archive agree on its size."""
    dtype, shape = np.dtype(str(said["dtype"])), tuple(int(length) for length in said["shape"])
    if dtype.kind not in KINDS or min(shape, default=0) < 0:
        raise ValueError(f"array of {dtype} and shape {shape}")
    member = archive.getinfo(str(said["member"]))
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
        raise ValueError(f"{member.filename} is compressed")
    with archive.open(member) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{member.filename} has an unknown header")
        header = np.lib.format.read_array_header_1_0(file)
        if header != (shape, False, dtype) or member.file_size - file.tell() != math.prod(shape) * dtype.itemsize:
            raise ValueError(f"{member.filename} is {header}")
        array = np.empty(shape, dtype)
        if array.nbytes:
            _fill(file, array.reshape(-1).view(np.uint8).data)
        return array


def _fill(file: IO[bytes], room: memoryview) -> None:
    filled = 0
    while filled < len(room):
        read = file.readinto(room[filled:])  # type: ignore[attr-defined]
        if not read:
            raise ValueError("an array ends early")
        filled += read
