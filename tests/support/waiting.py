"""Waiting in tests for what another thread or process does."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for a condition, not for a time; a test that waits in vain fails."""
    pause = threading.Event()
    for _ in range(round(seconds * 100)):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("waited in vain")
