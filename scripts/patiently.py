"""Run a command that computes only while nobody else wants to: ``python scripts/patiently.py COMMAND ...``.

Linux shares the processors between sessions, and within each between its processes. So the command gets a session of
its own that stands back as a whole; else it would take the time of the workers that tests start, which stand back, too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

LAST = 19  # of niceness


def stand_back() -> None:
    """Let all others go first, as a process and as a session."""
    os.nice(LAST)
    with suppress(OSError), open("/proc/self/autogroup", "w") as group:
        group.write(str(LAST))


if __name__ == "__main__":
    child = subprocess.Popen(sys.argv[1:], start_new_session=True, preexec_fn=stand_back)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os.killpg(child.pid, signal.SIGTERM))
    sys.exit(child.wait())
