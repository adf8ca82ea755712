"""The offline kit, with a wheel that stands for all of them; what the recipes of deploy/ name is there."""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from traitlets.config.loader import JSONFileConfigLoader

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for Linux and Macs")


def bash(script, *arguments, **environment):
    line = ["bash", str(script), *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, env={**os.environ, **environment})


@pytest.mark.parametrize("name", ["test", "test-lab3", "wheelhouse", "install-offline"])
def test_a_script_asked_for_help_says_what_it_is_for_and_does_nothing(name, tmp_path):
    line = ["bash", str(ROOT / "scripts" / name), "--help"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert (done.returncode, done.stderr, [*tmp_path.iterdir()]) == (0, "", [])
    assert done.stdout.splitlines()[0] == (ROOT / "scripts" / name).read_text().splitlines()[1][2:]


@pytest.fixture
def kit(tmp_path):
    """A folder as scripts/wheelhouse leaves it, for the Python that runs."""
    folder = tmp_path / "kit"
    (folder / "wheels").mkdir(parents=True)
    for name in ("lib.sh", "install-offline"):
        shutil.copy(ROOT / "scripts" / name, folder)
    (folder / "python-minor").write_text(f"{sys.version_info[1]}\n")
    info = "dlcnb-0.1.0.dist-info"
    with zipfile.ZipFile(folder / "wheels" / "dlcnb-0.1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("dlcnb_of_the_kit.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: dlcnb\nVersion: 0.1.0\nProvides-Extra: lab\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"dlcnb_of_the_kit.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return folder


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the kit of 3.13 needs MXNet's wheel, too")
def test_the_kit_installs_without_an_index(kit, tmp_path):
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "DLCNB_PYTHON": sys.executable}
    done = bash(kit / "install-offline", tmp_path / "made", **nowhere)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "made").glob("lib/*/site-packages/dlcnb_of_the_kit.py"))


def test_a_kit_for_another_python_says_so(kit, tmp_path):
    (kit / "python-minor").write_text("9\n")
    done = bash(kit / "install-offline", tmp_path / "made", DLCNB_PYTHON=sys.executable)
    assert done.returncode == 1
    assert f"for Python 3.9; {sys.executable} is a 3.{sys.version_info[1]}" in done.stderr
    assert not (tmp_path / "made").exists()


def test_a_folder_that_is_no_environment_is_left_alone(kit, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").touch()
    done = bash(kit / "install-offline", tmp_path / "mine", DLCNB_PYTHON=sys.executable)
    assert done.returncode == 1
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_the_installer_alone_is_no_kit(tmp_path):
    done = bash(ROOT / "scripts/install-offline", tmp_path / "made")
    assert done.returncode == 1
    assert "scripts/wheelhouse" in done.stderr


def test_a_folder_with_something_in_it_is_not_filled(tmp_path):
    (tmp_path / "thesis.txt").touch()
    done = bash(ROOT / "scripts/wheelhouse", tmp_path)
    assert done.returncode == 1
    assert "not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("recipe", ["deploy/Dockerfile", "deploy/tljh.md", ".devcontainer/devcontainer.json"])
def test_recipes_name_files_and_extras_that_are_there(recipe):
    text = (ROOT / recipe).read_text()
    named = set(re.findall(r"(?:scripts|docs)/[\w.-]*\w", text.replace("$V", "3.11")))
    assert named
    assert not [name for name in named if not (ROOT / name).exists()]
    assert "[lab]" in text
    if recipe.endswith("json"):
        assert json.loads(text)["postCreateCommand"]


@pytest.mark.parametrize("recipe", ["deploy/Dockerfile", "deploy/tljh.md", "binder/postBuild"])
def test_the_configuration_that_recipes_write_turns_the_server_extension_on(recipe, tmp_path):
    (config,) = re.findall(r"'(\{.*\})'", (ROOT / recipe).read_text())
    (tmp_path / "dlcnb.json").write_text(config)
    loaded = JSONFileConfigLoader("dlcnb.json", str(tmp_path)).load_config()
    ((name, on),) = loaded.ServerApp.jpserver_extensions.items()
    assert on
    assert importlib.import_module(name)._jupyter_server_extension_points() == [{"module": name}]
