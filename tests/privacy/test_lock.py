import os
import subprocess
import sys
import threading

import pytest

from tuckpoint.errors import PrivacyError
from tuckpoint.privacy import lock
from tuckpoint.privacy.lock import locked


@pytest.fixture(params=["advisory", "by existence"])
def kind(request, monkeypatch):
    if request.param == "by existence":
        monkeypatch.setattr(lock, "_advisory", lambda: False)
    return request.param


def test_a_held_lock_is_refused_with_its_holder(tmp_path, kind):
    path = tmp_path / "ledger.jsonl"
    with locked(path), pytest.raises(PrivacyError) as caught, locked(path, wait_s=0.05):
        pass
    said = str(caught.value)
    assert f"locked by process {os.getpid()} on " in said
    assert "since 20" in said
    assert "nothing was spent" in said
    assert ("delete" in said) == (kind == "by existence")


def test_a_lock_is_let_go_after_work_and_after_an_error(tmp_path, kind):
    path = tmp_path / "ledger.jsonl"
    with locked(path, wait_s=0):
        pass
    with pytest.raises(ZeroDivisionError), locked(path, wait_s=0):
        raise ZeroDivisionError
    with locked(path, wait_s=0):
        pass


def test_who_waits_gets_it_when_it_is_free(tmp_path, kind):
    path, order = tmp_path / "ledger.jsonl", []

    def second():
        with locked(path, wait_s=20):
            order.append("second")

    with locked(path):
        waiting = threading.Thread(target=second)
        waiting.start()
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_the_dead_hold_no_lock(tmp_path):
    path = tmp_path / "ledger.jsonl"
    code = """
import os, sys
from pathlib import Path
from tuckpoint.privacy.lock import locked
with locked(Path(sys.argv[1])):
    os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -9
    with locked(path, wait_s=0):
        pass


def test_who_may_write_the_file_may_lock_it(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.touch()
    path.chmod(0o660)
    with locked(path):
        pass
    assert path.with_name("ledger.jsonl.lock").stat().st_mode & 0o777 == 0o660
