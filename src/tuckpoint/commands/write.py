"""`tuckpoint write`: a set of labelled pictures into the formats of training tools."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

ABOUT = "Write a set of labelled pictures in the formats that training tools read, each into a folder of its own."
MORE = """examples:
  tuckpoint write out/ --format coco yolo

out/coco, out/yolo and so on. The set itself, out/shards, is in the layout of WebDataset."""


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint write`."""
    from tuckpoint import parts

    place.add_argument("folder", type=Path, metavar="SET", help="folder of `tuckpoint render`")
    place.add_argument("--format", nargs="+", required=True, metavar="NAME", help=", ".join(parts.names("writer")))
    place.add_argument("--overwrite", action="store_true", help="replace what stands there")
    place.add_argument("--release-clean", action="store_true", help="refuse a set whose files may not be given away")


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Write; what to tell of what stands where, and the exit status."""
    from tuckpoint import pictures

    made = pictures.write(
        options.folder, options.format, overwrite=options.overwrite, release_clean=options.release_clean
    )
    return "\n".join(f"{folder}/" for folder in made), 0
