"""Binder's image is built only if the server extension is on; its pins are the tested ones."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

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
