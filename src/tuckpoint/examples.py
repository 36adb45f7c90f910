"""Real tables that come with the package, to try everything on."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from tuckpoint.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

FILES = {"census": "census.csv.gz"}
ABOUT = {"census": "5,000 real people of the 1994 US census (UCI Adult, Becker and Kohavi 1996, CC BY 4.0)"}


def path(name: str = "census") -> Path:
    """Where the packaged file lies; its licence stands beside it as `NAME.md`. Raises InputError for another name."""
    if name not in FILES:
        raise InputError(f'no example "{name}"{did_you_mean(name, FILES)}; there are: {", ".join(FILES)}')
    with as_file(files("tuckpoint") / "data" / FILES[name]) as found:
        return found


def census() -> pa.Table:
    """5,000 people of the 1994 US census, 15 columns; train for `income`. UCI Adult, CC BY 4.0, see data/census.md."""
    from pyarrow import csv

    return csv.read_csv(path("census"), convert_options=csv.ConvertOptions(strings_can_be_null=True))
