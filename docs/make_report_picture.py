"""Take the picture of a report for the README: python docs/make_report_picture.py out/report.html docs/report.png"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "google-chrome", "chromium-browser")
LIMIT_BYTES = 300_000
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)


def take(report: Path, picture: Path, *, width: int, height: int, dark: bool) -> None:
    """Photograph the top of the report, `width` x `height` pixels."""
    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if browser is None:
        sys.exit(f"none of {', '.join(BROWSERS)} is installed; run tools/install-system-packages")
    with tempfile.TemporaryDirectory() as profile:
        place = [f"--user-data-dir={profile}", f"--window-size={width},{height}", f"--screenshot={picture.resolve()}"]
        scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
        command = [browser, *QUIET, *place, *scheme, report.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    size = picture.stat().st_size
    if size > LIMIT_BYTES:
        sys.exit(f"{picture} has {size:,} bytes, more than {LIMIT_BYTES:,}; choose a smaller --height")


def main() -> None:
    """Read the command line and take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--width", type=int, default=1300)
    parser.add_argument("--height", type=int, default=1700)
    parser.add_argument("--dark", action="store_true")
    asked = parser.parse_args()
    take(asked.report, asked.picture, width=asked.width, height=asked.height, dark=asked.dark)


if __name__ == "__main__":
    main()
