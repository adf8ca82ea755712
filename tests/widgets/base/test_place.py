"""Where the notebook runs, told apart by what each place leaves in its kernels."""

import subprocess
import sys
from types import ModuleType, SimpleNamespace

import IPython
import pytest

from dlcnb.widgets.base import place as places


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch):
    """No traces of the place that the tests themselves run in."""
    for name in ("CI", "DLCNB_HEADLESS", "SERVER_SOFTWARE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(IPython, "get_ipython", lambda: None)


def kernel(monkeypatch, **names):
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object(), user_ns=names))


def test_without_a_kernel_it_is_plain_python():
    assert places.place() == "python"


def test_a_kernel_of_a_jupyter_server(monkeypatch):
    kernel(monkeypatch)
    assert places.place() == "jupyter"


def test_colab(monkeypatch):
    kernel(monkeypatch)
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert places.place() == "colab"


def test_vs_code(monkeypatch):
    kernel(monkeypatch, __vsc_ipynb_file__="/home/ada/tour.ipynb")
    assert places.place() == "vscode"


def test_voila(monkeypatch):
    kernel(monkeypatch)
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    assert places.place() == "voila"


@pytest.mark.parametrize(
    ("value", "without"), [("1", True), ("true", True), ("0", False), ("False", False), ("", False)]
)
def test_a_run_without_a_page_wherever_it_is(monkeypatch, value, without):
    kernel(monkeypatch)
    monkeypatch.setenv("DLCNB_HEADLESS", value)
    assert places.headless() == without
    assert places.place() == ("headless" if without else "jupyter")


def test_it_does_not_load_ipython_to_find_out():
    code = "import sys; from importlib import util; " + (
        "spec = util.spec_from_file_location('place', sys.argv[1]); module = util.module_from_spec(spec); "
        "spec.loader.exec_module(module); print(module.place(), 'IPython' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code, places.__file__], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["python", "False"]
