"""A text file out is written as the one that came in: separator, decimal comma, powers of ten."""

import re
from pathlib import Path

import numpy as np
import pytest

from tuckpoint.cli import main
from tuckpoint.errors import SchemaError
from tuckpoint.schema import Schema
from tuckpoint.table import frame
from tuckpoint.table.infer import infer

LINE = r"(north|south);-?\d+,\d;\d,\d\de[+-]\d\d"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(2)
    folder = tmp_path_factory.mktemp("same")
    rows = [f"{rng.choice(['north', 'south'])};{rng.normal():.1f};{10 ** rng.normal(4):.2e}" for _ in range(300)]
    (folder / "real.csv").write_text("\n".join(["ward;change;load", *rows]).replace(".", ",") + "\n")
    main(["fit", str(folder / "real.csv"), "--engine", "independent", "-o", str(folder / "model")])
    return folder


def test_a_csv_file_is_written_as_it_was_read(model: Path) -> None:
    real = frame.read(model / "real.csv").table
    schema = infer(real)
    assert schema.separator == ";"
    assert Schema.from_dict(schema.to_dict()) == schema
    assert schema["load"].kind in ("integer", "decimal")
    assert schema["load"].format == "#,00e+00"
    assert schema["load"].steps is None  # three significant digits are no steps
    for name in ("made.csv", "made.csv.gz", "made.tsv"):
        assert main(["sample", str(model / "model"), "-n", "50", "-o", str(model / name)]) == 0
        assert infer(frame.read(model / name).table)["load"].format == "#,00e+00"
    lines = (model / "made.csv").read_text("utf-8").splitlines()
    assert lines[0] == "ward;change;load"
    assert all(re.fullmatch(LINE, line) for line in lines[1:])
    assert (model / "made.tsv").read_text("utf-8").startswith("ward\tchange\tload\n")


def test_an_unknown_separator_is_refused() -> None:
    with pytest.raises(SchemaError, match="separator ':'"):
        Schema.from_dict({"columns": [], "separator": ":"})
