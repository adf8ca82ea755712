"""How long each file of tests takes: added up, and written to the JSON file that DLCNB_DURATIONS names."""

from __future__ import annotations

import collections
import json
import os
from pathlib import Path

import pytest

SECONDS: collections.Counter[str] = collections.Counter()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Set-up, call and tear-down of each test count for its file."""
    SECONDS[report.nodeid.split("::")[0]] += report.duration


def pytest_sessionfinish() -> None:
    """Leave the sums for scripts/test."""
    if "DLCNB_DURATIONS" in os.environ:
        rounded = {name: round(seconds, 1) for name, seconds in SECONDS.most_common()}
        Path(os.environ["DLCNB_DURATIONS"]).write_text(json.dumps(rounded, indent=1) + "\n")
