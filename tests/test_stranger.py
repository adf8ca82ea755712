"""A project folder from a stranger with all attacks at once, opened in every widget and by every command.

Then without those for which dlcnb refuses the whole project, as they keep what is behind them from being tried.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import hostile
from support.projects import tree

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")]


LONG = ("analyze P P/videos/m.mp4 --whole", "analyze P P/videos/m.mp4 --crop", "experiment")  # they start a worker


@pytest.mark.parametrize(("everything", "but"), [(True, ()), (False, LONG)])  # they take long
def test_nothing_outside_changes_nothing_runs_nothing_hangs(tmp_path, everything, but):
    project = hostile.make(tmp_path / "all", everything)
    before = tree(project.parent / "home")
    done = subprocess.run(
        [sys.executable, "-m", "support.hostile", str(project), *but],
        capture_output=True,
        text=True,
        cwd=Path(hostile.__file__).parents[1],  # not beside it, where a tables.py lies
        env={**os.environ, "DLCNB_HEADLESS": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert tree(project.parent / "home") == before  # neither written nor "pwned"
    unclear = {what: how for what, how in found["results"].items() if how.startswith("UNCLEAR")}
    assert not unclear
    assert found["peak_mb"] < 1000
    assert any(how == "opened" for how in found["results"].values())
