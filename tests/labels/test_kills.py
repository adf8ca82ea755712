"""All that writes to a project, killed at two calls that change the disk; `benchmarks/kills.py`: at every one."""

import shutil

import pytest
from support.kills import EVERY, calls_of, killed, needs_fork
from support.operations import OPERATIONS, check, make, state

pytestmark = needs_fork


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return make(tmp_path_factory.mktemp("kills") / "kept")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_killed_on_the_way(operation, kept, tmp_path):
    prepared, at_work = tmp_path / "prepared", tmp_path / "work"
    shutil.copytree(kept, prepared)
    operation.prepare(prepared)
    shutil.copytree(prepared, at_work)
    before = state(at_work)
    operation.work(at_work)
    after = state(at_work)
    assert after != before or operation.name.startswith("save")
    shutil.rmtree(at_work)
    shutil.copytree(prepared, at_work)
    calls = calls_of(lambda: operation.work(at_work))  # the second time, as the index of a video is kept elsewhere
    half = max([at for at, name in enumerate(calls, 1) if name.startswith("write")], default=1)
    for at, when in ((half, "half"), (len(calls) - 1, "after")):
        shutil.rmtree(at_work)
        shutil.copytree(prepared, at_work)
        assert killed(lambda: operation.work(at_work), max(at, 1), EVERY, when)
        check(operation, at_work, before, after)
