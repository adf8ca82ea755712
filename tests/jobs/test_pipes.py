"""A pipe in place of a file of a run: whoever reads it says so, as nobody will ever write into it."""

import os

import pytest

from dlcnb.jobs import history
from dlcnb.jobs.events import EventLog
from dlcnb.jobs.job import Job
from dlcnb.run import Run


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("events.jsonl", history),
        ("events.jsonl", EventLog),
        ("events.jsonl", lambda folder: Job(folder).status),
        ("learning_stats.csv", history),
        ("job.json", lambda folder: Job(folder).kind),
        ("best.json", lambda folder: Run(folder).best),
        ("snapshot-10.params", lambda folder: Run(folder).verified(10)),
        ("snapshot-10.meta.json", lambda folder: Run(folder).verified(10)),
    ],
)
def test_a_pipe_is_named_and_holds_nobody_up(tmp_path, name, use):
    folder = tmp_path / "dlc-models-mxnet" / "iteration-0" / "reachMar5-trainset95shuffle1" / "train"
    folder.mkdir(parents=True)
    (folder / "snapshot-10.params").write_bytes(b"weights")
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(OSError, match=f"expected a file, found a pipe: .*{name}"):
        use(folder)
