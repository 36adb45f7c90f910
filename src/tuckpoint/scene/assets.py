"""The ledger of outside files: what a specification takes from others, under which licence, and may it go out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuckpoint.errors import InputError, TraceError
from tuckpoint.files import sha256
from tuckpoint.scene import gltf, obj
from tuckpoint.scene.knob import is_draw

# SPDX identifiers under which pictures may be given away and sold; what needs its author's name is told in the ledger.
# Not among them: anything non-commercial (NC), without derivatives (ND), or that binds the whole (SA, GPL).
CLEAN = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-PDDC", "CC0-1.0",
        "ISC", "MIT", "MIT-0", "PDDL-1.0", "Unlicense", "Zlib",
    }
)  # fmt: skip
OWN = "own"  # the user's own work
_KEYS = {"shape": "file", "settings": "path", "sky": "map"}  # where a specification names files


@dataclass(frozen=True)
class Asset:
    """A file of others: its path, SHA-256, where it is from, and its licence (SPDX; "own"; "" if nobody said)."""

    file: str
    digest: str
    source: str = ""
    licence: str = ""

    @property
    def clean(self) -> bool:
        """Whether pictures made with it may be given to anybody."""
        return self.licence in CLEAN or self.licence == OWN


def mapped(told: Any, change: Callable[[str], str], within: str = "") -> Any:
    """A specification with every file name changed, also those among which one is drawn."""
    if isinstance(told, Mapping):
        made = {}
        for key, value in told.items():
            if key == "assets" and not within:
                made[key] = {change(str(file)): about for file, about in dict(value).items()}
            elif key == _KEYS.get(within) or (key == "file" and within == "settings"):
                made[key] = _each(value, change)
            else:
                kind = str(key) if key in ("settings", "sky") else "shape" if key in ("shape", "shapes") else within
                made[key] = mapped(value, change, kind)
        return made
    return [mapped(item, change, within) for item in told] if isinstance(told, list | tuple) else told


def _each(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if is_draw(value):
        ((kind, given),) = value.items()
        if isinstance(given, Mapping):
            return {kind: {change(str(name)): weight for name, weight in given.items()}}
        if isinstance(given, list | tuple):
            return {kind: [change(item) if isinstance(item, str) else item for item in given]}
    return value


def files_of(told: Mapping[str, Any]) -> tuple[str, ...]:
    """Every file that scenes of a specification can use, those that a model names beside it included, in order."""
    found: dict[str, None] = {}

    def keep(file: str) -> str:
        found[file] = None
        return file

    mapped({key: value for key, value in told.items() if key != "assets"}, keep)
    return tuple(dict.fromkeys(path for file in found for path in (file, *_beside(Path(file)))))


def _beside(path: Path) -> list[str]:
    """The files that a model needs with it."""
    if not path.is_file():
        return []
    if path.suffix.lower() == ".obj":
        return [str(other) for other in obj.beside(path)]
    return [str(other) for other in gltf.beside(path)] if path.suffix.lower() == ".gltf" else []


def ledger(told: Mapping[str, Any]) -> tuple[Asset, ...]:
    """All outside files of a specification with digest, source and licence, as its entry `assets` says.

    Raises InputError for a file that is missing, and for an entry of a file that no scene uses.
    """
    files, said = files_of(told), told.get("assets", {})
    for file, about in said.items():
        if file not in files:
            raise InputError(f'assets: no scene uses "{file}"; used are: {", ".join(files) or "none"}')
        wrong = not isinstance(about, Mapping) or set(about) - {"source", "licence"}
        if wrong or not all(isinstance(value, str) for value in about.values()):
            raise InputError(f"assets: {file} has {about!r}; give {{source: TEXT, licence: SPDX}}")
    made = []
    for file in files:
        if not Path(file).is_file():
            raise InputError(f"the specification uses {file}, which is not there; give the path of a file")
        made.append(Asset(file, sha256(Path(file)), **said.get(file, {})))
    return tuple(made)


def check_clean(assets: Sequence[Asset]) -> None:
    """Raise InputError if any file is of an unknown licence, or of one that binds or forbids."""
    wrong = [asset for asset in assets if not asset.clean]
    if wrong:
        told = "; ".join(f"{asset.file}: {asset.licence or 'nobody said'}" for asset in wrong)
        raise InputError(
            f"{len(wrong)} of {len(assets)} files are not free for release ({told}); replace them, or name their "
            f"licence under `assets` ({', '.join(sorted(CLEAN))}, or {OWN})"
        )


def check_same(assets: Sequence[Asset]) -> None:
    """Raise TraceError if a file is no longer the one whose digest is kept."""
    for asset in assets:
        if not Path(asset.file).is_file() or sha256(Path(asset.file)) != asset.digest:
            raise TraceError(
                f"{asset.file} is not the file that was used (SHA-256 {asset.digest[:12]}...); put it back"
            )
