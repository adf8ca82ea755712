"""Projects from a stranger, in every widget and every command: all attacks at once, and those that let it open."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import hostile
from support.projects import tree

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")]


def test_nothing_outside_changes_nothing_runs_nothing_hangs(tmp_path):
    projects = [hostile.make(tmp_path / "all"), hostile.make(tmp_path / "opens", everything=False)]
    before = [tree(project.parent / "home") for project in projects]
    done = subprocess.run(
        [sys.executable, hostile.__file__, *map(str, projects)],
        capture_output=True,
        text=True,
        env={**os.environ, "DLCNB_HEADLESS": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [tree(project.parent / "home") for project in projects] == before  # neither written nor "pwned"
    unclear = {what: how for what, how in found["results"].items() if how.startswith("UNCLEAR")}
    assert not unclear
    assert found["peak_mb"] < 1000
    for project in projects:
        assert any(how == "opened" for what, how in found["results"].items() if what.startswith(f"{project} "))
