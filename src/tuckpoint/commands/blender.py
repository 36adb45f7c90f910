"""`tuckpoint blender`: install the worker of the renderer `blender`, or say whether it can be used."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuckpoint.errors import InputError, ToolError
from tuckpoint.files import replacing_folder

ABOUT = """The renderer `blender` path traces scenes with Cycles, in a process and an environment of its own: Blender
binds a program that imports it to the GPL, and needs its own Python and libraries."""
MORE = ""
INSTALL = """Make a virtual environment with Blender's Python module and the worker in it. It takes about 1 GB and a
minute, and needs Python 3.11."""
INSTALL_MORE = """examples:
  tuckpoint blender install
  tuckpoint blender install --python python3.11 --path blender/

an environment elsewhere than in your data folder (--path) is found by $TUCKPOINT_BLENDER, or by the setting:
  tuckpoint render examples/shelf.yaml -n 20 --renderer blender --set python=blender/bin/python -o out/"""
CHECK = "Start the worker, and say which it is."
SOURCE = Path("worker") / "blender"
WANTED = (3, 11)
MARK = "pyvenv.cfg"
LAST_LINES = 12


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint blender`."""
    places = place.add_subparsers(title="what", metavar="WHAT", dest="what", required=True)
    look = argparse.RawDescriptionHelpFormatter
    install = places.add_parser(
        "install", help="install the worker", description=INSTALL, epilog=INSTALL_MORE, formatter_class=look
    )
    install.add_argument("--path", type=Path, metavar="DIR", help="environment to make (default: in your data folder)")
    install.add_argument(
        "--source", metavar="WHAT", help="what pip installs (default: the folder worker/blender of the repository)"
    )
    install.add_argument("--python", metavar="PYTHON", help="a Python 3.11 (default: the first one found)")
    install.add_argument("--overwrite", action="store_true", help="replace an older environment")
    check = places.add_parser("check", help="say whether it can be used", description=CHECK, formatter_class=look)
    check.add_argument("--path", type=Path, metavar="DIR", help="environment to look at (default: the one in use)")
    for verb in (install, check):
        verb.add_argument("--traceback", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Do what was asked; what to tell, and the exit status."""
    return _install(options) if options.what == "install" else _check(options.path), 0


def _check(environment: Path | None) -> str:
    from tuckpoint.scene.renderers import worker
    from tuckpoint.scene.renderers.blender import worker_command

    command = worker_command("" if environment is None else os.fspath(environment))
    return f"Blender {worker.hello(command)['blender']}, by {command[0]}"


def _install(options: argparse.Namespace) -> str:
    from tuckpoint.scene.renderers.blender import PLACE, home, python_in

    place = (options.path or home()).resolve()
    source, python = options.source or os.fspath(_beside_us()), _python(options.python)
    place.parent.mkdir(parents=True, exist_ok=True)
    with replacing_folder(place, overwrite=options.overwrite, ours=lambda old: (old / MARK).is_file()) as room:
        # It is moved when it is whole, which only scripts such as bin/pip would mind: here modules are run.
        _run([*python, "-m", "venv", os.fspath(room)])
        _run([os.fspath(python_in(room)), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", source])
    said = _check(place)
    return said if options.path is None else f"{said}\nsay where it is: {PLACE}={place}"


def _beside_us() -> Path:
    """The worker's source in the repository that this code runs from."""
    for folder in (*Path(__file__).resolve().parents, Path.cwd()):
        if (folder / SOURCE / "pyproject.toml").is_file():
            return folder / SOURCE
    raise InputError(
        "the source of the worker is not here: it lies in the repository of tuckpoint, not in its package (another "
        "licence); run this in a clone, or pass --source FOLDER (or whatever pip installs it from)"
    )


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).rstrip().splitlines()[-LAST_LINES:])
        raise ToolError(f"{' '.join(command)} ended with exit code {done.returncode}:\n{last}")


def _python(told: str | None) -> list[str]:
    """The command of a Python 3.11."""
    tried = [[told]] if told else [["python3.11"], ["py", "-3.11"], ["python3"], ["python"]]
    for command in tried:
        if shutil.which(command[0]) is None:
            continue
        asked = [*command, "-c", "import sys; print(*sys.version_info[:2])"]
        said = subprocess.run(asked, capture_output=True, text=True, check=False)
        if said.stdout.split() == [str(number) for number in WANTED]:
            return command
    names = ", ".join(" ".join(command) for command in tried)
    raise InputError(f"no Python 3.11 found (tried: {names}), and Blender's module runs on no other; pass --python")
