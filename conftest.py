"""How long the suite takes: an option for the length of its longest tests, and the time of each file of tests."""

from __future__ import annotations

import collections
import json
import os
from pathlib import Path

import pytest

SECONDS: collections.Counter[str] = collections.Counter()
FAILED: dict[str, None] = {}  # in their order, each once


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--kills`` and ``--whole``."""
    parser.addoption(
        "--kills",
        type=int,
        default=6,
        help="how often tests kill a kernel, a training or an analysis before it ends [6]",
    )
    parser.addoption(
        "--whole",
        action="store_true",
        help="notebooks train for as long as they ask of a learner, not some steps",
    )


@pytest.fixture(scope="session")
def whole(pytestconfig: pytest.Config) -> bool:
    """Whether notebooks train for as long as they ask of a learner."""
    return pytestconfig.getoption("whole")


@pytest.fixture(scope="session")
def kills(pytestconfig: pytest.Config) -> int:
    """How often a worker is killed that takes seconds to start."""
    return pytestconfig.getoption("kills")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Set-up, call and tear-down of each test count for its file, and each can fail it."""
    SECONDS[report.nodeid.split("::")[0]] += report.duration
    if report.failed:
        FAILED[report.nodeid] = None


def pytest_sessionfinish() -> None:
    """Leave the sums, and what failed, in the JSON file that DLCNB_DURATIONS names, as scripts/test asks."""
    if "DLCNB_DURATIONS" in os.environ:
        rounded = {name: round(seconds, 1) for name, seconds in SECONDS.most_common()}
        found = {"seconds": rounded, "failed": list(FAILED)}
        Path(os.environ["DLCNB_DURATIONS"]).write_text(json.dumps(found, indent=1) + "\n")
