import os
import shutil
import subprocess

from house.source import ROOT

INSTALL = ROOT / "tools" / "install-system-packages"


def told(folder, **programs):
    """What the installer says where only these programs exist."""
    for name, text in programs.items():
        place = folder / name.replace("_", "-")
        place.write_text(f"#!{shutil.which('bash')}\n{text}\n")
        place.chmod(0o755)
    done = subprocess.run(
        [shutil.which("bash"), INSTALL], env={"PATH": str(folder)}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_a_browser_that_is_there_is_let_be(tmp_path):
    assert told(tmp_path, chromium="exit 0") == (0, "a browser is installed already\n")


def test_what_cannot_be_installed_is_told_and_stops_nothing(tmp_path):
    status, said = told(tmp_path)
    assert (status, "no apt-get here" in said) == (0, True)
    status, said = told(tmp_path, apt_get="exit 100", id="echo 1000")
    assert (status, "not root and no sudo" in said) == (0, True)
    status, said = told(tmp_path, apt_get="exit 100", id="echo 0")
    assert (status, "could not be installed" in said) == (0, True)


def test_the_browser_is_installed_where_it_can_be(tmp_path):
    status, said = told(tmp_path, apt_get=f'echo "$@" >> {tmp_path}/asked', id="echo 0")
    assert (status, said) == (0, "")
    assert (tmp_path / "asked").read_text("utf-8").split()[-1] == "chromium"


def test_scripts_can_be_run():
    assert os.access(INSTALL, os.X_OK)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
