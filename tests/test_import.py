"""What `import dlcnb` loads, nothing heavy, and what its stubs promise to editors and type checkers."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dlcnb
from dlcnb import widgets

PACKAGE = Path(dlcnb.__file__).parent


def test_importing_dlcnb_loads_nothing_heavy():
    code = "import dlcnb, sys; print([m for m in ('mxnet', 'matplotlib', 'cv2', 'ipywidgets') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("stub", sorted(PACKAGE.rglob("*.pyi")), ids=lambda p: p.parent.name)
def test_a_stub_exports_all_that_it_imports(stub):
    tree = ast.parse(stub.read_text())
    imported = [alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    exported = next(n.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "__all__")
    assert sorted(imported) == ast.literal_eval(exported)


@pytest.mark.mxnet
def test_every_public_name_is_found():
    assert all(getattr(dlcnb, name) is not None for name in dlcnb.__all__)
    assert set(widgets.__all__) < set(dlcnb.__all__)


def test_a_cluster_is_found_where_it_always_was():
    from dlcnb import cluster

    assert cluster.__name__ == "dlcnb.jobs.analysis.cluster"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Labelr"):
        dlcnb.Labelr  # noqa: B018
