"""The terminals of the JupyterLab that ``dlcnb lab`` starts."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing

import pytest
from websocket import create_connection


@pytest.fixture
def server(tmp_path):
    """A JupyterLab by ``dlcnb lab``, as from a menu entry: nothing is activated, and shells read a profile."""
    (tmp_path / ".profile").write_text("export PATH=/usr/bin:/bin\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
    command = [sys.executable, "-m", "dlcnb", "lab", "--port", str(port), "--no-browser", "--"]
    command += ["--allow-root", "--IdentityProvider.token=secret"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True)
    yield port
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def asked(port, path, data=None):
    """What the server answers; waits until it is there."""
    end = time.monotonic() + 60
    while True:
        try:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", data, {"Authorization": "token secret"})
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < end
            time.sleep(0.2)


@pytest.mark.skipif(sys.platform == "win32", reason="of shells that read a profile")
def test_a_terminal_knows_dlcnb_whatever_the_profile_says(server):
    name = asked(server, "api/terminals", b"{}")["name"]
    address = f"ws://127.0.0.1:{server}/terminals/websocket/{name}"
    with closing(create_connection(address, timeout=60, header=["Authorization: token secret"])) as terminal:
        terminal.send(json.dumps(["stdin", "command -v dlcnb; echo the-$((6 * 7))-end\r"]))
        said = ""
        while "the-42-end" not in said:
            kind, *words = json.loads(terminal.recv())
            said += words[0] if kind == "stdout" else ""
    assert "/dlcnb\r\n" in said
