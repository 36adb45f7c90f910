"""A set of labelled pictures on disk: shards of tar files in the layout of WebDataset, and what every number means.

SET/set.json                     size, classes, meanings, record
SET/shards/part-000000.tar       per picture KEY.png, KEY.json (objects and facts), KEY.npz (dense labels) and, with
                                 the first frame of a scene, KEY.scene.json; first of all the record, in a folder
                                 whose name tells the loaders of WebDataset to skip it
"""

from __future__ import annotations

import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, MissingExtra, TraceError
from tuckpoint.files import write_text
from tuckpoint.labels import Item, Meaning
from tuckpoint.record import Record, canonical

VERSION = 1
SHARDS, ABOUT = "shards", "set.json"
RECORD = "__tuckpoint__/record.json"
_MIDNIGHT = (1980, 1, 1, 0, 0, 0)  # zip files must have a time; the same one gives the same bytes


@dataclass(frozen=True)
class SetMeta:
    """What is in a set: its name, size of a picture, pictures, class names by id from 1, and what the labels mean.

    `renderer` is what made the pictures, `shards` the names of its tar files, `record` the record that
    every file carries.
    """

    name: str
    width: int
    height: int
    pictures: int
    classes: tuple[str, ...]
    meanings: Mapping[str, Meaning]
    renderer: str
    record: Record
    shards: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain = {**vars(self), "meanings": {name: asdict(one) for name, one in self.meanings.items()}}
        return {"tuckpoint_set": VERSION, "synthetic": True, **plain, "record": self.record.to_dict()}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> SetMeta:
        """What `to_dict` told; raises TraceError if it cannot be one."""
        try:
            if told["tuckpoint_set"] != VERSION:
                raise TraceError(f"set version {told['tuckpoint_set']!r}; this tuckpoint reads {VERSION}")
            return cls(
                **{
                    **{name: told[name] for name in ("name", "width", "height", "pictures", "renderer")},
                    "classes": tuple(told["classes"]),
                    "shards": tuple(told["shards"]),
                    "meanings": {name: Meaning(**one) for name, one in told["meanings"].items()},
                    "record": Record.from_dict(told["record"]),
                }
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise TraceError(f"not a set of tuckpoint: {error!r}; it was altered or cut") from None


class Shape(Protocol):
    """Triangles as writers see them: what `scene.mesh.Mesh` has."""

    @property
    def vertices(self) -> NDArray[np.float32]: ...  # noqa: D102
    @property
    def normals(self) -> NDArray[np.float32]: ...  # noqa: D102
    @property
    def uv(self) -> NDArray[np.float32]: ...  # noqa: D102
    @property
    def faces(self) -> NDArray[np.int32]: ...  # noqa: D102
    @property
    def part(self) -> NDArray[np.int32]: ...  # noqa: D102
    @property
    def parts(self) -> tuple[str, ...]: ...  # noqa: D102


class Built(Protocol):
    """A scene with its shapes, one per thing, and its textures by number of material: what `scene.stage.Stage` has."""

    @property
    def meshes(self) -> Sequence[Shape]: ...  # noqa: D102
    @property
    def textures(self) -> Mapping[int, NDArray[np.uint8]]: ...  # noqa: D102


@dataclass(frozen=True)
class ImageSet:
    """A finished set: what is in it, and its pictures one after the other.

    `build` makes the shapes of a scene from its JSON. It comes from above, since writers do not know scenes; None where
    no shapes are to be had.
    """

    folder: Path
    about: SetMeta
    build: Callable[[Mapping[str, Any]], Built] | None = None

    def items(self, *, bare: bool = False) -> Iterator[Item]:
        """Every picture with its labels, in order; `bare` without image and arrays. One shard is open at a time."""
        for item, _ in self.pairs(bare=bare):
            yield item

    def pairs(self, *, bare: bool = False) -> Iterator[tuple[Item, Mapping[str, Any] | None]]:
        """Every picture, and with the first frame of a scene the JSON of that scene."""
        for name in self.about.shards:
            yield from read_shard(self.folder / SHARDS / Path(name).name, bare=bare)

    def require(self, form: str, **labels: str) -> None:
        """Raise InputError if labels that a format needs are lacking; of each the annotator that gives it."""
        lacking = [name for name in labels if name not in self.about.meanings]
        if lacking:
            asked = " ".join(dict.fromkeys(labels.values()))
            raise InputError(f"{form} needs the label {lacking[0]}; render with --labels {asked}")

    def built(self, form: str, scene: Mapping[str, Any] | None) -> Built:
        """The shapes of a scene; raises InputError if they are not to be had."""
        if self.build is None or scene is None:
            raise InputError(
                f"{form} needs the shapes of things; write it with tuckpoint.pictures.write, or set `build`"
            )
        return self.build(scene)


def open_set(folder: Path) -> ImageSet:
    """A finished set; raises InputError if there is none, TraceError if it was altered."""
    try:
        told = json.loads((folder / ABOUT).read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"{folder} holds no set of pictures ({ABOUT} is missing); tuckpoint render makes one"
        ) from None
    except ValueError as error:
        raise TraceError(f"{folder / ABOUT} is damaged: {error}") from None
    return ImageSet(folder, SetMeta.from_dict(told))


def write_about(folder: Path, about: SetMeta) -> None:
    """Write set.json: the set is whole."""
    write_text(folder / ABOUT, json.dumps(about.to_dict(), indent=1, ensure_ascii=False) + "\n", overwrite=True)


def write_shard(path: Path, items: Iterable[tuple[Item, bytes | None]], record: Record) -> int:
    """Write pictures, each with the JSON of its scene or None, into one tar; the number written.

    The same items give the same bytes.
    """
    count = 0
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        add(tar, RECORD, record.sealed())
        for item, scene in items:
            if item.image is not None:
                add(tar, f"{item.key}.png", png(item.image, record))
            told = {
                "width": item.width,
                "height": item.height,
                "facts": dict(item.facts),
                "objects": list(item.objects),
            }
            add(tar, f"{item.key}.json", canonical(told))
            if item.arrays:
                add(tar, f"{item.key}.npz", packed(item.arrays))
            if scene is not None:
                add(tar, f"{item.key}.scene.json", scene)
            count += 1
    return count


def read_shard(path: Path, *, bare: bool = False) -> Iterator[tuple[Item, Mapping[str, Any] | None]]:
    """The pictures of one shard, in order, each with the JSON of its scene or None; `bare` without image and arrays.

    Raises TraceError for what is not one.
    """
    parts: dict[str, bytes] = {}
    key = None
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                name, _, suffix = member.name.partition(".")
                file = tar.extractfile(member)
                if file is None or not name[:1].isdigit():  # keys are numbers: this is the record
                    continue
                if key is not None and name != key:
                    yield _pair(key, parts)
                    parts = {}
                key = name
                if not bare or suffix not in ("png", "npz"):
                    parts[suffix] = file.read()
        if key is not None:
            yield _pair(key, parts)
    except FileNotFoundError:
        raise TraceError(f"{path} is missing; render the set again") from None
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise TraceError(f"{path} is damaged: {error!r}; render it again") from None


def _pair(key: str, parts: Mapping[str, bytes]) -> tuple[Item, Mapping[str, Any] | None]:
    scene: Mapping[str, Any] | None = json.loads(parts["scene.json"]) if "scene.json" in parts else None
    told = json.loads(parts["json"])
    arrays: dict[str, NDArray[Any]] = {}
    if "npz" in parts:
        with np.load(io.BytesIO(parts["npz"]), allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
    image = unpng(parts["png"]) if "png" in parts else None
    return Item(key, told["width"], told["height"], image, arrays, told["facts"], tuple(told["objects"])), scene


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays as the bytes of a .npz, lightly compressed; the same arrays give the same bytes."""
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as pack:
        for name, array in arrays.items():
            inner = io.BytesIO()
            np.lib.format.write_array(inner, np.ascontiguousarray(array), allow_pickle=False)
            pack.writestr(zipfile.ZipInfo(f"{name}.npy", _MIDNIGHT), inner.getvalue(), zipfile.ZIP_DEFLATED, 1)
    return room.getvalue()


def pathless(told: Mapping[str, Any]) -> dict[str, Any]:
    """Settings whose files are told by their bare names: where they lie may tell who you are."""
    return {key: re.split(r"[/\\]", value)[-1] if isinstance(value, str) else value for key, value in told.items()}


def filled(code: Mapping[str, Any]) -> NDArray[np.bool_]:
    """The mask (h, w) of COCO's uncompressed run lengths: column by column, first the zeros."""
    return np.repeat(np.arange(len(code["counts"])) % 2 == 1, code["counts"]).reshape(code["size"], order="F")


def png(image: NDArray[Any], record: Record) -> bytes:
    """An 8-bit picture (h, w, 3), or a map (h, w) of 8 or 16 bits, as a PNG that says it is synthetic."""
    pictures, texts = _pillow()
    room, mark = io.BytesIO(), texts()
    mark.add_text("Software", "tuckpoint")
    mark.add_text("synthetic", "true")
    mark.add_text("tuckpoint_record", record.digest())
    if record.unvalidated:
        mark.add_text("unvalidated", record.unvalidated)
    pictures.fromarray(image).save(room, "PNG", pnginfo=mark, compress_level=1)
    return room.getvalue()


def unpng(data: bytes) -> NDArray[np.uint8]:
    """The picture of a PNG."""
    pictures, _ = _pillow()
    with pictures.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def _pillow() -> tuple[Any, Any]:
    try:
        from PIL import Image
        from PIL.PngImagePlugin import PngInfo
    except ImportError:
        raise MissingExtra("pillow", extra="scenes") from None
    return Image, PngInfo


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add a file to a tar; without time and owner, so that the same files give the same bytes."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))
