"""Setting up a Colab runtime, with a google.colab and a pip that write down what they are asked for."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from support.books import NOTEBOOKS, first_cell

import dlcnb
from dlcnb import colab
from dlcnb.machine import gpus
from dlcnb.machine.gpus import Gpu

T4, H100 = Gpu("Tesla T4", (7, 5)), Gpu("NVIDIA H100", (9, 0))
PIP = """
import pathlib, sys
with open({asked!r}, "a") as asked:
    print(*sys.argv[1:], file=asked)
if {fails}:
    sys.exit("ERROR: No matching distribution")
"""


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """``fake(cards, fails)``: Colab's runtime; returns what its widgets and pip were asked for."""

    def make(cards=(), fails=False):
        asked, managers = tmp_path / "asked", []
        output = ModuleType("google.colab.output")
        output.enable_custom_widget_manager = lambda: managers.append("on")
        monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
        monkeypatch.setitem(sys.modules, "google.colab.output", output)
        monkeypatch.delitem(sys.modules, "mxnet", raising=False)
        monkeypatch.setattr(colab.importlib.util, "find_spec", lambda name: None)
        monkeypatch.setattr(gpus, "find_gpus", lambda: list(cards))
        package = tmp_path / "pip"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(PIP.format(asked=str(asked), fails=fails))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return asked, managers

    return make


def test_elsewhere_it_does_nothing_and_says_nothing(capsys):
    colab.setup()
    assert not any(capsys.readouterr())


def test_colab_gets_mxnet_without_what_its_wheel_asks_for(fake, capsys):
    asked, managers = fake()
    colab.setup()
    (line,) = asked.read_text().splitlines()
    assert line.endswith("install --no-deps mxnet==1.9.1")
    assert managers == ["on"]
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 1
    assert "CPU" in shown.out
    assert not shown.err


def test_what_is_there_is_not_installed_again():
    assert colab.missing(mxnet=True, cuda=False, gpu=False) == []
    assert colab.missing(mxnet=True, cuda=True, gpu=True) == []


def test_a_card_is_offered_not_taken(fake, capsys):
    asked, _ = fake([T4])
    colab.setup()
    assert "cu11" not in asked.read_text()
    assert "dlcnb.colab.setup(gpu=True), which installs 3 GB" in capsys.readouterr().out


def test_with_the_users_word_the_cuda_build_takes_the_place_of_the_cpus():
    away, install = colab.missing(mxnet=True, cuda=False, gpu=True)
    assert away == ["uninstall", "--yes", "mxnet"]
    assert "mxnet-cu117==1.9.1" in install
    assert any(package.startswith("nvidia-cudnn-cu11==8.") for package in install)


@pytest.mark.parametrize(("cards", "name"), [([], "no graphics card"), ([H100], "H100")])
def test_a_gpu_that_cannot_be_used_is_said_before_anything_is_installed(fake, cards, name):
    asked, _ = fake(cards)
    with pytest.raises(RuntimeError, match=name):
        colab.setup(gpu=True)
    assert not asked.exists()


def test_pips_failure_is_one_clear_line(fake):
    fake(fails=True)
    with pytest.raises(RuntimeError, match="No matching distribution"):
        colab.setup()


def test_it_needs_neither_widgets_nor_mxnet():
    code = "import sys, dlcnb.colab; print({'mxnet', 'ipywidgets'} & set(sys.modules))"
    root = str(Path(colab.__file__).parents[1])
    told = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def test_the_first_cell_of_the_notebooks_installs_dlcnb_where_it_is_not_there(fake, monkeypatch, capsys):
    _, managers = fake()
    installed = []

    def system(line):
        installed.append(line)
        sys.modules["dlcnb"] = dlcnb

    monkeypatch.setitem(sys.modules, "dlcnb", None)  # importing it fails
    cell = TransformerManager().transform_cell(first_cell(NOTEBOOKS[0]))
    exec(cell, {"get_ipython": lambda: SimpleNamespace(system=system)})
    assert installed == ['pip install --quiet "ipycanvas<0.14" git+https://github.com/dlcnb/dlcnb']
    assert managers == ["on"]
    assert "dlcnb is ready" in capsys.readouterr().out
