"""Files in which a user declares something: margins, an operating domain, published rates, inputs of a simulator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tuckpoint.errors import InputError, did_you_mean

VERSION = 1


def load(path: str | Path, kind: str, known: tuple[str, ...], *, guide: str) -> dict[str, Any]:
    """The entries of a file that begins with `tuckpoint_KIND: 1`; raises InputError for another file or entry.

    `guide` is the document that shows how such a file is written.
    """
    head = f"tuckpoint_{kind}"
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"no file {path}; see {guide} for how {kind} are written") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not readable YAML: {error}") from None
    if not isinstance(data, Mapping) or data.get(head) != VERSION:
        raise InputError(f"{path} must begin with {head}: {VERSION}; see {guide}")
    for name in data:
        if name not in (head, *known):
            more = did_you_mean(str(name), known)
            raise InputError(f'{path}: unknown entry "{name}"{more}; known: {", ".join(known)}')
    return dict(data)
