"""Binder's image is built only if the server extension is on; its pins are the tested ones; a job keeps its kernel.

The tour runs within Binder's 2 GB in the checks; here, that what is too large for such a limit is noticed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import venv
from pathlib import Path

import pytest
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

import dlcnb

ROOT = Path(__file__).parents[1]
SOURCE = str(Path(dlcnb.__file__).parents[1])
EXTENSION = "dlcnb.cli.lab_server"


def after_installing(module: str, prefix: Path) -> subprocess.CompletedProcess[str]:
    """Run binder/postBuild in an environment of its own, without its installation, for a server extension."""
    venv.create(prefix, system_site_packages=True)
    lines = (ROOT / "binder" / "postBuild").read_text().splitlines()
    script = "\n".join(line for line in lines if "pip install" not in line).replace(EXTENSION, module)
    script = script.replace(module.replace(".", r"\."), module)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(prefix / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": SOURCE,
        # the jupyter command is that of the tests' environment, and looks there
        "JUPYTER_CONFIG_DIR": str(prefix / "etc" / "jupyter"),
    }
    return subprocess.run(["bash", "-c", script], env=environment, cwd=prefix, capture_output=True, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Binder runs Linux")
class TestPostBuild:
    def test_the_server_extension_is_on(self, tmp_path: Path) -> None:
        done = after_installing(EXTENSION, tmp_path)
        assert done.returncode == 0, done.stderr
        (config,) = (tmp_path / "etc/jupyter/jupyter_server_config.d").iterdir()
        assert EXTENSION in config.read_text()

    def test_one_that_cannot_be_loaded_stops_the_build(self, tmp_path: Path) -> None:
        done = after_installing("dlcnb.nowhere", tmp_path)
        assert done.returncode == 1
        assert "dlcnb.nowhere" in done.stderr


def test_the_pins_are_the_tested_versions() -> None:
    read = (
        path.read_text().splitlines()
        for path in (ROOT / "binder/requirements.txt", ROOT / "scripts/constraints-3.11.txt")
    )
    pins, tested = ({line for line in lines if "==" in line} for lines in read)
    assert pins <= tested


def confined(gb: float, code: str) -> subprocess.CompletedProcess[str]:
    """A line of Python under a limit of memory, by benchmarks/confined.py."""
    command = [sys.executable, "benchmarks/confined.py", "--gb", str(gb), "--", sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


class TestLimit:
    @pytest.fixture(autouse=True)
    def _allowed(self) -> None:
        """Only where this account may make a control group, as in the checks."""
        if "the right to make a control group" in confined(2, "pass").stderr:
            pytest.skip("needs the right to make a control group of memory")

    def test_what_takes_more_memory_is_killed_and_fails(self) -> None:
        done = confined(0.1, "bytearray(300 * 2**20).find(1)")
        assert done.returncode != 0
        assert "killed: 1" in done.stdout

    def test_what_takes_less_ends_as_it_ended(self) -> None:
        done = confined(0.5, "import os; bytearray(200 * 2**20).find(1); os._exit(3)")
        assert done.returncode == 3
        assert "killed: 0" in done.stdout


IDLE, PATIENCE = 10, 300  # s: after which a kernel is ended (Binder's 600); that a busy machine gets
WORKER = """
import pathlib, sys, time
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.1)
"""
JOB = f"""
import pathlib, sys
from dlcnb.jobs import line
from dlcnb.jobs.job import launch
line.LOOK, line.ALIVE = line.LOOK * {IDLE / 600}, line.ALIVE * {IDLE / 600}
folder = pathlib.Path({{folder!r}})
folder.mkdir()
(folder / "job.json").write_text('{{{{"kind": "train"}}}}')
job = launch(folder, [sys.executable, "-c", {WORKER!r}, str(folder.parent / "over")])
"""


async def started(manager: AsyncMappingKernelManager, cell: str) -> str:
    """A new kernel that has run a cell."""
    name: str = await manager.start_kernel()
    client = manager.get_kernel(name).client()
    client.start_channels()
    await client.wait_for_ready(timeout=PATIENCE)
    reply = await client.execute(cell, reply=True, timeout=PATIENCE)
    client.stop_channels()
    assert reply["content"]["status"] == "ok", reply["content"]
    return name


async def left_alive(folder: Path) -> list[str]:
    """Which of two kernels with a job, "shown" and "plain", is alive when Jupyter's culler has ended the other."""
    manager = AsyncMappingKernelManager(root_dir=str(folder), connection_dir=str(folder))
    pause, loop = threading.Event(), asyncio.get_running_loop()
    try:
        kernels = {
            how: await started(manager, JOB.format(folder=str(folder / how)) + last)
            for how, last in (("shown", "job"), ("plain", ""))
        }
        manager.cull_idle_timeout, manager.cull_connected = IDLE, True
        for _ in range(10 * PATIENCE):
            await manager.cull_kernels()
            alive = [how for how, name in kernels.items() if name in manager]
            if len(alive) < 2:
                return alive
            await loop.run_in_executor(None, pause.wait, 0.1)
        return alive
    finally:
        (folder / "over").touch()
        await manager.shutdown_all(now=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Binder runs Linux")
def test_the_line_of_a_job_keeps_its_kernel_from_being_ended_as_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", SOURCE)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    assert asyncio.run(left_alive(tmp_path)) == ["shown"]
