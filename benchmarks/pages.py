"""A JupyterLab of one's own and a headless Chromium, for benchmarks of what a page shows."""

import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "ui"))
from conftest import ARGUMENTS, Lab, Server, _chromium

__all__ = ["ARGUMENTS", "Lab", "find_chromium", "lab_page"]

find_chromium = _chromium


@contextmanager
def lab_page(nodelay, ratio=1):
    """(a `Lab` in an empty folder, ``lab.server.root``; playwright); without ``nodelay`` the server is a plain one.

    ``ratio``: device pixels per CSS pixel.
    """
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder), nodelay)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        try:
            yield Lab(browser.new_page(device_scale_factor=ratio), server), playwright
        finally:
            browser.close()
            server.stop()
