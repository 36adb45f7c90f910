import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tuckpoint.errors import InputError, MissingExtra, ShortSample, ToolError, TraceError
from tuckpoint.record import Maker, Record
from tuckpoint.scale import shards
from tuckpoint.scale.local import run
from tuckpoint.scale.shards import Job
from tuckpoint.seed import Seed
from tuckpoint.write.table import concatenate, write

RECORD = Record(dataset="numbers", maker=Maker("none"), recipe="0", seed=7, rows=1000)
JOBS = shards.plan(1000, rows_per_shard=100)


def numbers(initial: Any, job: Job, path: Path) -> int:
    draw = Seed(initial["root"]).child("shard", job.index).numpy()
    return write(pa.table({"x": draw.normal(size=job.rows)}), path, RECORD)


def once(initial: Any, name: str) -> bool:
    """Whether this is the first time that any process asks."""
    try:
        (initial["notes"] / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def killed_twice(initial: Any, job: Job, path: Path) -> int:
    if job.index in (3, 6) and once(initial, f"killed-{job.index}"):
        path.write_text("torn")
        os.kill(os.getpid(), signal.SIGKILL)
    once(initial, f"made-{job.index}-{os.urandom(4).hex()}")
    return numbers(initial, job, path)


def always_killed(initial: Any, job: Job, path: Path) -> int:
    if job.index == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return numbers(initial, job, path)


def failing_once(initial: Any, job: Job, path: Path) -> int:
    if job.index == 3 and once(initial, "failed"):
        raise OSError("the disk hiccups")
    return numbers(initial, job, path)


def always_failing(initial: Any, job: Job, path: Path) -> int:
    if job.index == 3:
        once(initial, f"try-{os.urandom(4).hex()}")
        raise ValueError("no such thing as shard three")
    return numbers(initial, job, path)


def refused(initial: Any, job: Job, path: Path) -> int:
    raise ShortSample("the condition holds for 2 people", rows=[])


def short(initial: Any, job: Job, path: Path) -> int:
    if job.index == 3:
        once(initial, f"try-{os.urandom(4).hex()}")
        raise ShortSample("only 7 rows fit the condition", rows=[1])
    return numbers(initial, job, path)


def extra(initial: Any, job: Job, path: Path) -> int:
    raise MissingExtra("ray", "ray")


def interrupted(initial: Any, job: Job, path: Path) -> int:
    if job.index == 5:
        raise KeyboardInterrupt
    return numbers(initial, job, path)


def stuck(initial: Any, job: Job, path: Path) -> int:
    if job.index >= 5:
        time.sleep(600)
    return numbers(initial, job, path)


def make(
    work: Any, folder: Path, *, workers: int = 1, root: int = 7, jobs: Any = JOBS, **more: Any
) -> list[shards.Entry]:
    notes = folder.parent / "notes"
    notes.mkdir(exist_ok=True)
    initial = {"root": root, "notes": notes}
    return run(jobs, work, folder=folder, plan_digest=f"root {root}", workers=workers, initial=initial, **more)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("reference") / "out"
    make(numbers, folder)
    return contents(folder)


def notes(folder: Path, pattern: str) -> int:
    return len(list((folder / "notes").glob(pattern)))


@pytest.mark.parametrize("workers", [3])
def test_the_number_of_workers_changes_no_byte(workers: int, reference: dict[str, bytes], tmp_path: Path) -> None:
    entries = make(numbers, tmp_path / "out", workers=workers)
    assert contents(tmp_path / "out") == reference
    assert [entry.index for entry in entries] == list(range(10))
    assert sum(entry.rows for entry in entries) == 1000


def test_another_seed_changes_every_shard(reference: dict[str, bytes], tmp_path: Path) -> None:
    for entry in make(numbers, tmp_path / "out", root=8):
        assert (tmp_path / "out" / entry.file).read_bytes() != reference[entry.file]


def test_work_by_name(reference: dict[str, bytes], tmp_path: Path) -> None:
    make(f"{numbers.__module__}:numbers", tmp_path / "out", workers=2)
    assert contents(tmp_path / "out") == reference


def test_a_killed_worker_costs_only_its_shard(reference: dict[str, bytes], tmp_path: Path) -> None:
    make(killed_twice, tmp_path / "out", workers=2)
    assert notes(tmp_path, "killed-*") == 2
    assert notes(tmp_path, "made-*") == 10, "no shard but the killed ones was made anew"
    assert contents(tmp_path / "out") == reference


def test_a_shard_that_kills_every_worker_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"(?s)shard 3 \(rows 300 to 400\) failed 3 times.*SIGKILL.*fewer workers"):
        make(always_killed, tmp_path / "out", workers=2)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_shard_that_fails_is_tried_again(workers: int, reference: dict[str, bytes], tmp_path: Path) -> None:
    make(failing_once, tmp_path / "out", workers=workers)
    assert notes(tmp_path, "failed") == 1
    assert contents(tmp_path / "out") == reference


@pytest.mark.parametrize("workers", [1, 2])
def test_a_shard_that_fails_three_times_says_why(workers: int, reference: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"(?s)shard 3 .*always_failing.*ValueError: no such thing as shard three"):
        make(always_failing, tmp_path / "out", workers=workers)
    assert notes(tmp_path, "try-*") == 3
    assert "_manifest.json" not in contents(tmp_path / "out")
    make(numbers, tmp_path / "out")
    assert contents(tmp_path / "out") == reference


@pytest.mark.parametrize("workers", [1, 2])
def test_our_own_errors_come_through_at_once(workers: int, tmp_path: Path) -> None:
    with pytest.raises(ShortSample, match="only 7 rows fit the condition"):
        make(short, tmp_path / "out", workers=workers)
    assert notes(tmp_path, "try-*") == 1
    with pytest.raises(MissingExtra, match=r"pip install 'tuckpoint\[ray\]'"):
        make(extra, tmp_path / "other", workers=workers)


def test_an_interrupt_says_how_to_go_on_and_does(reference: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt, match=r"stopped with 5 of 10 shards .* run the same again"):
        make(interrupted, tmp_path / "out")
    before = contents(tmp_path / "out")
    assert len([name for name in before if name.startswith("part-")]) == 5
    make(killed_twice, tmp_path / "out", workers=2)
    assert notes(tmp_path, "made-*") == 5, "only the missing shards were made"
    assert contents(tmp_path / "out") == reference


def start_stuck(folder: Path) -> subprocess.Popen[str]:
    """A run in a process group of its own, once it has finished a shard; shards from 5 on never finish."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "import scale.test_local as it\n"
        "it.make(it.stuck, Path(sys.argv[1]), workers=2)\n"
    )
    arguments = [sys.executable, "-c", code, str(folder), str(Path(__file__).parent.parent)]
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while len(list(folder.glob("_m/0*.json"))) < 5:
        assert process.poll() is None
        time.sleep(0.01)
    return process


def test_a_real_interrupt_with_workers(reference: dict[str, bytes], tmp_path: Path) -> None:
    process = start_stuck(tmp_path / "out")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the watcher and all workers
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert re.search(r"stopped with [45] of 10 shards", said)  # the fifth may just be coming to light
    assert "run the same again to go on from there" in said
    assert not (tmp_path / "out" / "_m" / "unfinished").exists()
    make(numbers, tmp_path / "out", workers=2)
    assert contents(tmp_path / "out") == reference


def test_a_killed_watcher_takes_its_workers_along(reference: dict[str, bytes], tmp_path: Path) -> None:
    process = start_stuck(tmp_path / "out")
    process.kill()
    process.communicate(timeout=60)  # ends when the last worker has closed the standard error it shares
    make(numbers, tmp_path / "out")
    assert contents(tmp_path / "out") == reference


def test_a_script_without_a_main_guard(reference: dict[str, bytes], tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "import scale.test_local as it\n"
        "it.make(it.numbers, Path(sys.argv[1]), workers=2)\n"
        "print('once')\n"
    )
    arguments = [sys.executable, script, tmp_path / "out", Path(__file__).parent.parent]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout == "once\n"
    assert contents(tmp_path / "out") == reference


def test_a_finished_run_is_not_repeated_but_mended(reference: dict[str, bytes], tmp_path: Path) -> None:
    make(numbers, tmp_path / "out")
    make(killed_twice, tmp_path / "out")
    assert notes(tmp_path, "made-*") == 0
    shard = tmp_path / "out" / "part-000002.parquet"
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    make(killed_twice, tmp_path / "out")
    assert notes(tmp_path, "made-*") == 1
    assert contents(tmp_path / "out") == reference


def test_another_plan_is_refused(tmp_path: Path) -> None:
    make(numbers, tmp_path / "out")
    with pytest.raises(TraceError, match="another run"):
        make(numbers, tmp_path / "out", root=8)
    with pytest.raises(TraceError, match="another run"):
        make(numbers, tmp_path / "out", jobs=shards.plan(1001, rows_per_shard=100))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_that_finished_no_shard_leaves_nothing_in_another_ones_way(workers: int, tmp_path: Path) -> None:
    """A draw whose condition was refused left a plan, and the next one, with another condition, was refused for it."""
    with pytest.raises(ShortSample):
        make(refused, tmp_path / "out", workers=workers)
    assert not (tmp_path / "out").exists()
    make(numbers, tmp_path / "out", root=8)
    with pytest.raises(TraceError, match="another run"):
        make(refused, tmp_path / "out", workers=workers)
    assert shards.finished(tmp_path / "out", JOBS[0]) is not None


def test_progress_goes_from_what_stands_to_all(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    make(numbers, tmp_path / "out", workers=2, progress=lambda what, share: told.append((what, share)))
    assert [share for _, share in told] == [i / 10 for i in range(11)]
    assert told[0][0] == "0 of 1,000 rows"
    assert told[-1] == ("1,000 of 1,000 rows", 1.0)
    told.clear()
    make(numbers, tmp_path / "out", progress=lambda what, share: told.append((what, share)))
    assert told == [("1,000 of 1,000 rows", 1.0)]


def test_an_error_of_the_watcher_leaves_a_resumable_folder(reference: dict[str, bytes], tmp_path: Path) -> None:
    def broken(what: str, share: float) -> None:
        if share > 0.3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make(numbers, tmp_path / "out", workers=2, progress=broken)
    assert not (tmp_path / "out" / "_m" / "unfinished").exists()
    make(numbers, tmp_path / "out")
    assert contents(tmp_path / "out") == reference


def test_what_cannot_be_sent_to_a_worker(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="a worker cannot be started"):
        make(lambda initial, job, path: 0, tmp_path / "out", workers=2)
    with pytest.raises(ToolError, match="No module named 'nowhere'"):
        make("nowhere:work", tmp_path / "out", workers=2)
    with pytest.raises(InputError, match="ask for 1 or more"):
        make(numbers, tmp_path / "out", workers=0)


def test_readers_take_the_folder_and_shards_join(tmp_path: Path) -> None:
    import pandas as pd  # not at the top: each worker imports this module

    entries = make(numbers, tmp_path / "out")
    whole = pd.read_parquet(tmp_path / "out")
    assert len(whole) == 1000
    files = [tmp_path / "out" / entry.file for entry in entries]
    concatenate(files, tmp_path / "all.parquet", RECORD)
    concatenate(files, tmp_path / "all.csv", RECORD)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "all.parquet"), whole)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "all.csv"), whole)


def test_an_empty_table_is_one_shard(tmp_path: Path) -> None:
    entries = make(numbers, tmp_path / "out", jobs=shards.plan(0), workers=2)
    assert [entry.rows for entry in entries] == [0]
    assert pq.read_table(tmp_path / "out").column_names == ["x"]


def by_process(initial: Any, job: Job, path: Path) -> int:
    once(initial, f"by-{os.getpid()}-{job.index}")
    return numbers(initial, job, path)


def test_workers_are_replaced_before_they_grow_old(tmp_path):
    (tmp_path / "notes").mkdir()
    initial = {"root": 7, "notes": tmp_path / "notes"}
    entries = run(
        JOBS, by_process, folder=tmp_path / "out", plan_digest="x", workers=2, initial=initial, recycle_after=2
    )
    done = [note.name.split("-")[1] for note in (tmp_path / "notes").iterdir()]
    assert len(done) == len(entries) == 10
    assert max(done.count(process) for process in done) == 2
    assert str(os.getpid()) not in done
