"""Where the notebook runs: the only module that knows Colab, VS Code, Voila, a Jupyter server and no page at all apart.

A kernel can't see its page. JupyterLab, Notebook 7 and nbclassic are pages of one and the same server, so they count
as one place, "jupyter"; what differs between them, `InputGuard` and the CSS settle in the page.
"""

from __future__ import annotations

import os
import sys
from typing import Literal

__all__ = ["Place", "headless", "place"]

Place = Literal["headless", "colab", "vscode", "voila", "jupyter", "python"]


def headless() -> bool:
    """Whether the notebook is run without a front end (``DLCNB_HEADLESS`` or ``CI`` is set)."""
    return any(os.environ.get(name, "").lower() not in ("", "0", "false") for name in ("DLCNB_HEADLESS", "CI"))


def place() -> Place:
    """Where this process shows its widgets.

    Returns
    -------
    "headless" (no page: `headless`), "colab", "vscode", "voila", "jupyter" (JupyterLab, Notebook, nbclassic, or any
    other page of a kernel), or "python" (no kernel at all).
    """
    if headless():
        return "headless"
    if "google.colab" in sys.modules:  # its kernel imports it when it starts
        return "colab"
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if "__vsc_ipynb_file__" in getattr(shell, "user_ns", {}):
        return "vscode"
    if os.environ.get("SERVER_SOFTWARE", "").startswith("voila"):
        return "voila"
    return "jupyter" if getattr(shell, "kernel", None) is not None else "python"
