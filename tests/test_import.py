"""What `import dlcnb` loads: nothing heavy, so that a notebook opens quickly wherever MXNet has no wheel."""

import subprocess
import sys


def test_importing_dlcnb_loads_nothing_heavy():
    code = "import dlcnb, sys; print([m for m in ('mxnet', 'matplotlib', 'cv2', 'ipywidgets') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
