"""Who may import whom (see CONTRIBUTING.md): lower layers never import higher ones."""

import ast
import subprocess
import sys
from pathlib import Path

import dlcnb

PACKAGE = Path(dlcnb.__file__).parent
LAYERS = [
    "geometry video project gpus processors",
    "frames labels poses multianimal targets augment",
    "trainset evaluate trajectories outliers tracking render plots sampledata exchange",
    "backend",
    "jobs cluster cli experiments",
    "widgets",
]
FORBIDDEN = [("widgets", "backend"), ("widgets", "cli")]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names.split()}


def imported(path):
    """(module of dlcnb or top-level package, is it dlcnb's own) for every import in a file."""
    package = ("dlcnb", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            stem = ".".join(p for p in (base, node.module) if p)
            names = [f"{stem}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield name.split(".")


def test_lower_layers_never_import_higher_ones():
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        me = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if me not in LEVEL:
            continue
        for parts in imported(path):
            if parts[0] == "mxnet" and me != "backend":
                wrong.append(f"{me} imports mxnet")
            other = parts[1] if parts[0] == "dlcnb" and len(parts) > 1 else None
            if other in LEVEL and (LEVEL[other] > LEVEL[me] or (me, other) in FORBIDDEN):
                wrong.append(f"{me} imports {other}")
            if parts[0] in ("ipywidgets", "ipycanvas", "bqplot") and LEVEL[me] < 5:
                wrong.append(f"{me} imports {parts[0]}")
    assert not wrong


def test_every_module_has_a_layer():
    modules = {
        p.stem if p.is_file() else p.name
        for p in PACKAGE.iterdir()
        if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    assert modules - {"__init__", "__main__", "server"} <= set(LEVEL)


def test_importing_dlcnb_loads_nothing_heavy():
    code = "import dlcnb, sys; print([m for m in ('mxnet', 'matplotlib', 'cv2', 'ipywidgets') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
