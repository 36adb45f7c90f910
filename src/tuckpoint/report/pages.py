"""The report of a run as files: one for people, one for programs."""

from __future__ import annotations

from tuckpoint.report.page import as_json, page
from tuckpoint.run import Made, Measured


def pages_of(result: Made | Measured) -> dict[str, str]:
    """`report.html` and `report.json` as text by file name, for `Made.save(folder, pages=...)`."""
    measured = result.measured if isinstance(result, Made) else result
    return {
        name: write(
            measured.evaluation,
            schema=measured.schema,
            record=measured.about,
            title=measured.title,
            repeat=measured.commands,
            rules=measured.rules,
        )
        for name, write in (("report.html", page), ("report.json", as_json))
    }
