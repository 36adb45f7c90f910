"""A real headless browser for tests: loads a page and gives back its document after all that could run has run."""

from __future__ import annotations

import shutil
import subprocess
from html import escape
from pathlib import Path

import pytest

NAMES = ("chromium", "google-chrome", "chromium-browser")
FOUND = next((path for path in map(shutil.which, NAMES) if path), None)
needs_browser = pytest.mark.skipif(
    FOUND is None, reason=f"none of {', '.join(NAMES)} is installed; run tools/install-system-packages"
)
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


def document(html: str, folder: Path, *flags: str) -> str:
    """The document as HTML text after loading."""
    place = folder / "page.html"
    place.write_text(html, encoding="utf-8")
    command = [str(FOUND), *QUIET, f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=3000", *flags]
    done = subprocess.run(
        [*command, "--dump-dom", place.as_uri()], capture_output=True, timeout=120, check=True, encoding="utf-8"
    )
    return done.stdout


def framed(html: str, width: int) -> str:
    """A page that shows another in a frame of this width and writes down what it measures there as its own title."""
    return (
        f'<!doctype html><iframe style="width:{width}px;height:900px;border:0" srcdoc="{escape(html)}"></iframe>'
        "<script>"
        "onload = () => { const d = document.querySelector('iframe').contentDocument;"
        "document.title = d.documentElement.scrollWidth + '|' + getComputedStyle(d.body).backgroundColor }</script>"
    )
