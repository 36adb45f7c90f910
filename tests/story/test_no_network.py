"""The main job opens no port and calls nobody."""

import gzip
import subprocess
import sys

import tuckpoint.examples as examples

# An audit hook cannot be taken out again, so the journey runs in a process of its own.
WATCHED = """
import sys
REFUSED = {"socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request"}

def watch(event, args):
    if event in REFUSED:
        raise RuntimeError(f"network: {event}")

sys.addaudithook(watch)
"""


def run(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", WATCHED + code], capture_output=True, text=True, timeout=300)


def test_a_twin_is_made_without_any_network(tmp_path):
    rows = tmp_path / "few.csv"
    lines = examples.path("census").read_bytes()
    rows.write_text("".join(gzip.decompress(lines).decode().splitlines(keepends=True)[:601]))
    done = run(
        f"from tuckpoint.cli import main\n"
        f"code = main(['make', {str(rows)!r}, '--target', 'income', '-o', {str(tmp_path / 'out')!r}])\n"
        f"sys.exit(code)"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "data.parquet").is_file()


def test_the_watch_would_see_a_port():
    done = run("import socket\nsocket.socket().bind(('127.0.0.1', 0))")
    assert "network: socket.bind" in done.stderr
