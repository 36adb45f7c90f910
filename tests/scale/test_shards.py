import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tuckpoint.errors import InputError, ToolError, TraceError
from tuckpoint.scale import shards
from tuckpoint.scale.shards import Job


def text(initial: str, job: Job, path: Path) -> int:
    path.write_text(initial * job.rows)
    return job.rows


def put(folder: Path, job: Job) -> shards.Entry:
    place = shards.aside(folder, job, ".txt", room="0")
    return shards.commit(folder, job, place, shards.write(text, "x", job, place))


def test_a_plan_covers_all_rows_once() -> None:
    assert shards.plan(5, rows_per_shard=2, table="t") == (Job(0, 0, 2, "t"), Job(1, 2, 2, "t"), Job(2, 4, 1, "t"))
    assert shards.plan(4, rows_per_shard=2) == (Job(0, 0, 2), Job(1, 2, 2))
    assert shards.plan(0) == (Job(0, 0, 0),)
    for rows, size in ((-1, 2), (5, 0)):
        with pytest.raises(InputError, match=r"ask for 0 or more|put 1 or more"):
            shards.plan(rows, rows_per_shard=size)


def test_the_plan_digest_moves_with_everything_in_it() -> None:
    jobs = shards.plan(5, rows_per_shard=2)
    digests = {
        shards.digest(jobs, of="a", suffix=".txt"),
        shards.digest(jobs, of="b", suffix=".txt"),
        shards.digest(jobs, of="a", suffix=".csv"),
        shards.digest(jobs[:2], of="a", suffix=".txt"),
        shards.digest(shards.plan(5, rows_per_shard=2, table="t"), of="a", suffix=".txt"),
    }
    assert len(digests) == 5
    assert shards.digest(list(jobs), of="a", suffix=".txt") in digests


def test_a_shard_is_finished_only_while_its_bytes_are_whole(tmp_path: Path) -> None:
    job = Job(17, 0, 3)
    with shards.opened(tmp_path / "out", "plan"):
        assert shards.finished(tmp_path / "out", job) is None
        entry = put(tmp_path / "out", job)
        assert entry.file == "part-000017.txt"
        assert entry.sha256 == "cd2eb0837c9b4c962c22d2ff8b5441b7b45805887f051d39bf133b583baf6860"  # of "xxx"
        assert shards.finished(tmp_path / "out", job) == entry
        assert shards.finished(tmp_path / "out", Job(17, 0, 4)) is None
        for damaged in ("xxy", "xx", ""):
            (tmp_path / "out" / entry.file).write_text(damaged)
            assert shards.finished(tmp_path / "out", job) is None
        (tmp_path / "out" / entry.file).unlink()
        assert shards.finished(tmp_path / "out", job) is None
        put(tmp_path / "out", job)
        (tmp_path / "out" / "_m" / "000017.json").write_text('{"index":17')
        assert shards.finished(tmp_path / "out", job) is None


def test_work_that_does_not_keep_the_plan_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "room" / "a.txt"
    with pytest.raises(ToolError, match=r"wrote 2 rows to a\.txt, the plan says 3"):
        shards.write(lambda initial, job, path: path.write_text("xx"), None, Job(0, 0, 3), place)
    with pytest.raises(ToolError, match="shard 0"):
        shards.write(lambda initial, job, path: 3, None, Job(0, 0, 3), place)


def test_a_worker_that_goes_on_does_not_touch_the_shard_it_wrote_before(tmp_path: Path) -> None:
    first, second = (shards.aside(tmp_path, Job(i, 0, 3), ".txt", room="7-0") for i in (0, 1))
    written = shards.write(text, "x", Job(0, 0, 3), first)
    shards.write(text, "y", Job(1, 0, 3), second)  # clears its place, while the first waits for its name
    assert shards.commit(tmp_path, Job(0, 0, 3), first, written).bytes == 3


def test_the_folder_belongs_to_one_plan_and_one_run(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with shards.opened(folder, "a" * 64):
        assert (folder / "_m").is_dir()
        with pytest.raises(InputError, match="another run works in"), shards.opened(folder, "a" * 64):
            pass
    with shards.opened(folder, "a" * 64):
        pass
    with pytest.raises(TraceError, match=r"shards of another run \(plan aaaaaaaaaaaa\.\.\., now bbbb"):
        shards.opened(folder, "b" * 64).__enter__()
    (folder / "_m" / "plan.json").write_text("{}")
    with pytest.raises(TraceError, match=r"plan\.json is damaged"):
        shards.opened(folder, "a" * 64).__enter__()


def test_shards_of_another_plan_are_dropped_on_purpose_only(tmp_path: Path) -> None:
    """What an interrupted run left beside a file stopped every later run that wanted that file, --overwrite or not."""
    folder, job = tmp_path / "out", shards.plan(10)[0]
    with shards.opened(folder, "a" * 64):
        entry = put(folder, job)
        shards.close(folder, "a" * 64, [entry])
    with shards.opened(folder, "a" * 64, overwrite=True):
        assert shards.finished(folder, job) == entry  # of the same plan: the run goes on
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(TraceError, match="--overwrite"):
        shards.opened(folder, "b" * 64).__enter__()
    with shards.opened(folder, "b" * 64, overwrite=True):
        assert sorted(path.name for path in folder.iterdir()) == ["_m", "notes.txt"]
        assert shards.finished(folder, job) is None
    shards.opened(folder, "b" * 64).__enter__()


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    for folder, words in (
        (tmp_path, "holds other files"),
        (tmp_path / "photo.jpg", "is a file"),
        (tmp_path / "gone" / "out", "mkdir -p"),
    ):
        with pytest.raises(InputError, match=words):
            shards.opened(folder, "a").__enter__()
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_what_a_dead_run_left_is_swept(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with shards.opened(folder, "a"):
        pass
    litter = folder / "_m" / "unfinished" / "123-0" / "part-000000.txt"
    litter.parent.mkdir(parents=True)
    litter.touch()
    with shards.opened(folder, "a"):
        assert not litter.exists()
    assert sorted(path.name for path in (folder / "_m").iterdir()) == ["lock", "plan.json"]


def test_the_manifest(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with shards.opened(folder, "a"):
        entries = [put(folder, job) for job in shards.plan(5, rows_per_shard=2)]
        assert not (folder / shards.MANIFEST).exists()
        shards.close(folder, "a", entries)
    told = json.loads((folder / shards.MANIFEST).read_bytes())
    assert told == {"plan": "a", "rows": 5, "shards": [asdict(entry) for entry in entries]}
