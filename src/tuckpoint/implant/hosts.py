"""Hosts as frozen values, before they are read: which files, and how. Any process can read them, and tell a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tuckpoint.errors import InputError
from tuckpoint.files import sha256
from tuckpoint.implant import radiograph_files, reading
from tuckpoint.implant.check import FROM_DICOM
from tuckpoint.implant.ct import ct_host
from tuckpoint.implant.values import Host
from tuckpoint.implant.volumes import Stored
from tuckpoint.record import digest_of
from tuckpoint.volumes import dicom, radiographs, series
from tuckpoint.volumes.volume import digest


class HostFile(Protocol):
    """A host that was not read yet: frozen, and small enough to be sent to every worker."""

    def files(self) -> tuple[Path, ...]:
        """All files that decide what is read; some of them may be missing, which `read` then tells."""
        ...

    def read(self) -> tuple[Host, Stored]:
        """The host, and how its format stores it; raises InputError that names the file and what is wrong with it."""
        ...

    def headers(self) -> tuple[Any, ...]:
        """The DICOM headers of its slices, in order and without what writers have no use for; none for other files."""
        ...

    def told(self) -> Mapping[str, Any]:
        """Name and ways of reading as plain values, without the folder."""
        ...


@dataclass(frozen=True)
class Scan:
    """A CT volume in a file; see `reading.ct`."""

    path: Path
    lungs: Path | None = None
    spacing: tuple[float, ...] | None = None
    burned_in: bool = False

    def files(self) -> tuple[Path, ...]:
        """The volume with its voxels where they are apart, the mask of what is there already, the lungs."""
        voxels = tuple(self.path.with_suffix(end) for end in (".raw", ".zraw")) * (self.path.suffix.lower() == ".mhd")
        known = reading.mask_of(self.path)
        lungs = () if self.lungs is None else (self.lungs / self.path.name,)
        return (self.path, *voxels, *(() if known is None else (known,)), *lungs)

    def read(self) -> tuple[Host, Stored]:
        """As `reading.ct`."""
        return reading.ct(self.path, lungs=self.lungs, spacing=self.spacing, burned_in=self.burned_in)

    def headers(self) -> tuple[Any, ...]:
        """None."""
        return ()

    def told(self) -> Mapping[str, Any]:
        """See HostFile."""
        spacing = None if self.spacing is None else list(self.spacing)
        return {
            "file": self.path.name, "lungs": self.lungs is not None, "spacing": spacing, "burned_in": self.burned_in
        }  # fmt: skip


@dataclass(frozen=True)
class Series:
    """A CT series of DICOM files of one folder or several; `burned_in` lets text in the pixels be.

    It is named by a digest of its UID: folders of series often bear the names of patients.
    """

    paths: tuple[Path, ...]
    burned_in: bool = False

    @property
    def label(self) -> str:
        """Which files it is, for errors."""
        first = self.paths[0]
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{first.parent.name}/{first.name}{more}"

    def files(self) -> tuple[Path, ...]:
        """Its slices."""
        return self.paths

    def read(self) -> tuple[Host, Stored]:
        """The host, to be stored as NRRD; raises InputError for what is no straight CT."""
        series.check_ct(self.paths, self.label)
        held = series.read(self.paths, name=self.label, burned_in=self.burned_in)
        name = f"{FROM_DICOM}{digest(str(held.headers[0].SeriesInstanceUID))}"
        geometry = {"origin": held.grid.origin_mm, "direction": held.grid.direction}
        try:
            host = ct_host(name, held.voxels, held.grid.spacing_mm, group=held.group, geometry=geometry)
        except InputError as error:  # its name is ours alone: say which files it is
            raise InputError(str(error).replace(name, self.label)) from None
        return host, Stored(name, held.voxels, held.grid.spacing_mm, ".nrrd", geometry)

    def headers(self) -> tuple[Any, ...]:
        """Those of its slices, in the order of z."""
        return dicom.slim(series.headers(self.paths))

    def told(self) -> Mapping[str, Any]:
        """See HostFile."""
        return {"series": self.label, "burned_in": self.burned_in}


@dataclass(frozen=True)
class Photo:
    """A photograph of a surface; see `reading.photo`."""

    path: Path

    def files(self) -> tuple[Path, ...]:
        """The one file."""
        return (self.path,)

    def read(self) -> tuple[Host, Stored]:
        """As `reading.photo`."""
        return reading.photo(self.path)

    def headers(self) -> tuple[Any, ...]:
        """None."""
        return ()

    def told(self) -> Mapping[str, Any]:
        """See HostFile."""
        return {"file": self.path.name}


@dataclass(frozen=True)
class Film:
    """A radiograph below `root`, with its lung mask in `lungs`; see `radiograph_files.film`.

    `like` is the first film of the run and its range of grey: one gain is of one kind of film.
    """

    path: Path
    root: Path
    lungs: Path | None = None
    spacing: tuple[float, ...] | None = None
    burned_in: bool = False
    like: tuple[str, str] | None = None

    def files(self) -> tuple[Path, ...]:
        """The film, its lung mask, and the mask of what is there already."""
        return (self.path, *radiograph_files.masks(self.path, self.root, self.lungs))

    def read(self) -> tuple[Host, Stored]:
        """As `radiograph_files.film`; raises InputError too where its range of grey is not that of the first film."""
        host, held = radiograph_files.film(
            self.path, self.root, lungs=self.lungs, spacing=self.spacing, burned_in=self.burned_in
        )
        kind = radiograph_files.kind_of(held)
        if self.like is not None and kind != self.like[1]:
            first, before = self.like
            raise InputError(
                f"{self.path.name} has {kind}, {first} {before}: one gain fits one of them; part the folder"
            )
        return host, held

    def headers(self) -> tuple[Any, ...]:
        """That of a DICOM film."""
        return (radiographs.read(self.path, burned_in=True).header,) if series.is_dicom(self.path) else ()

    def told(self) -> Mapping[str, Any]:
        """See HostFile."""
        inner = self.path.relative_to(self.root) if self.root in self.path.parents else Path(self.path.name)
        spacing = None if self.spacing is None else list(self.spacing)
        return {"film": inner.as_posix(), "spacing": spacing, "burned_in": self.burned_in, "like": self.like}


def scans(
    place: Path, *, lungs: Path | None = None, spacing: tuple[float, ...] | None = None, burned_in: bool = False
) -> tuple[HostFile, ...]:
    """The CT volumes of a folder: DICOM series in it and below if there are any, else files; or the one file."""
    if place.is_dir() and any(series.is_dicom(path) for path in place.rglob("*")):
        if lungs is not None or spacing is not None:
            raise InputError(
                "--lungs and --spacing go with volume files; DICOM series tell their spacing: leave them out"
            )
        return tuple(Series(files, burned_in) for files in series.find(place))
    return tuple(Scan(path, lungs, spacing, burned_in) for path in reading.images(place, reading.VOLUMES))


def photos(place: Path) -> tuple[HostFile, ...]:
    """The photographs of a folder, or the one file."""
    return tuple(Photo(path) for path in reading.images(place, reading.PHOTOS))


def films(
    place: Path, *, lungs: Path | None, spacing: tuple[float, ...] | None, burned_in: bool = False
) -> tuple[HostFile, ...]:
    """The radiographs of a folder and below, or the one file; the first is read, since the others must be like it."""
    paths = radiograph_files.find(place)
    _, held = Film(paths[0], place, lungs, spacing, burned_in).read()
    like = (paths[0].name, radiograph_files.kind_of(held))
    return tuple(Film(path, place, lungs, spacing, burned_in, like) for path in paths)


def fingerprint(one: HostFile) -> str:
    """The digest of all files that decide what is read, as far as they are there."""
    return digest_of([sha256(path) if path.is_file() else None for path in one.files()])


def mean_bytes(many: tuple[HostFile, ...]) -> int:
    """How large a host is on the disk, by the first 100."""
    some = many[:100]
    sizes = [path.stat().st_size for one in some for path in one.files() if path.is_file()]
    return sum(sizes) // max(len(some), 1)
