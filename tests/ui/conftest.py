"""A real JupyterLab and a real Chromium, started once; the tests of a file share a notebook, emptied before each.

``DLCNB_LAB_PYTHON`` in the environment names another Python whose JupyterLab and kernel are used (scripts/test-lab3).
"""

import ast
import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest
from support.page import LATE

import dlcnb

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),  # a camera that every browser has
]
PYTHON = os.environ.get("DLCNB_LAB_PYTHON", sys.executable)
BASE = "/user/ada"  # as behind a JupyterHub
PATIENCE = 60_000  # ms, for a busy machine
QUIET = {  # no news and no pop-ups over what is tested
    "@jupyterlab/apputils-extension/notification": {
        "checkForUpdates": False,
        "fetchNews": "false",
        "doNotDisturbMode": True,
    },
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}
OPEN = """(() => {
    const all = window.jupyterapp.shell.widgets('main'), found = [];
    if (all[Symbol.iterator]) return [...all];
    for (let one; (one = all.next());) found.push(one);  // JupyterLab 3
    return found;
})()"""
KERNEL = "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
EMPTY = """
import ipywidgets
for one in [*globals().values()]:
    if isinstance(one, ipywidgets.Widget):
        one.close()
get_ipython().reset(new_session=False)
"""  # of a kernel: the widgets that have names, with all their parts, and the names


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.ui)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.flaky(reruns=1))


def _chromium():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return shutil.which(name)
    return None


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _environment(home):
    env = {k: v for k, v in os.environ.items() if k not in ("CI", "DLCNB_HEADLESS") and not k.startswith("JUPYTER")}
    for name in ("CONFIG", "DATA", "RUNTIME"):
        env[f"JUPYTER_{name}_DIR"] = str(home / name.lower())
    env["IPYTHONDIR"], env["XDG_DATA_HOME"] = str(home / "ipython"), str(home / "data-home")
    paths = [str(Path(__file__).parents[1])]  # for the kernel's `import support`
    if sys.executable == PYTHON:  # another one has a dlcnb of its own, and can't take the packages beside this one
        paths += [str(Path(dlcnb.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    env["PYTHONPATH"] = os.pathsep.join(paths)
    return env


class Server:
    """A JupyterLab of our own on a free port, with its own settings; ``root`` is where its notebooks are."""

    def __init__(self, root, nodelay=True):
        home = root / ".home"
        for name, values in QUIET.items():
            path = home / "config/lab/user-settings" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        self.root, self.token = root, secrets.token_hex(12)
        port = _free_port()
        self.url, self.log = f"http://127.0.0.1:{port}{BASE}", root / "server.log"
        command = [
            PYTHON, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
            f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.base_url={BASE}",
            f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={root}",
            "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True",
            f"--LabApp.extra_labextensions_path={Path(dlcnb.__file__).parent / 'labextensions'}",
            f"--ServerApp.jpserver_extensions={{'dlcnb.cli.lab_server': {nodelay}}}",
        ]  # fmt: skip
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, env=_environment(home), stdout=log, stderr=subprocess.STDOUT)
        self._wait()

    def _wait(self):
        pause = threading.Event()
        for _ in range(1800):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/api?token={self.token}").close()
                return
            if self.process.poll() is not None:
                break
            pause.wait(0.1)
        self.stop()
        pytest.fail("JupyterLab did not start:\n" + self.log.read_text()[-3000:])

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Lab:
    """One JupyterLab page with one notebook; it is emptied for what comes next, and its kernel goes on."""

    def __init__(self, page, server):
        self.page, self.server, self.name, self.count = page, server, None, 0
        page.set_default_timeout(PATIENCE)
        page.goto(f"{server.url}/lab?token={server.token}&reset")
        self._restored()
        self.do("application:toggle-left-area")

    def _restored(self):
        """Wait until JupyterLab has opened again what was open; a notebook that it opens later would be in the way."""
        self.page.wait_for_function("() => window.jupyterapp")
        self.page.evaluate("async () => { await window.jupyterapp.restored }")

    def do(self, command, **arguments):
        """Run a command of JupyterLab."""
        self.page.evaluate(
            "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args) }", [command, arguments]
        )

    def open(self, name, *cells):
        """Run these cells: in the notebook that is open, else in a new one."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        if self.name is None:
            self.count += 1
            self.name = f"{self.count}-{name}.ipynb"
            nbformat.write(notebook, self.server.root / self.name)
            self.do("docmanager:open", path=self.name, factory="Notebook")
        else:
            self.empty()
            self.page.evaluate(
                "notebook => window.jupyterapp.shell.currentWidget.context.model.fromJSON(notebook)", notebook
            )
        self.idle()
        self.do("notebook:run-all-cells")
        self.idle()

    def empty(self):
        """Take all cells out of the notebook, close its widgets, and forget its names; the kernel goes on."""
        self.idle()
        self.page.evaluate(
            f"""async code => {{
                const {{ model }} = window.jupyterapp.shell.currentWidget.context;
                model.fromJSON({{ ...model.toJSON(), cells: [] }});
                await {KERNEL}.requestExecute({{ code, silent: true }}).done;
            }}""",
            EMPTY,
        )

    def idle(self):
        """Wait until this notebook is in front and its kernel has nothing to do."""
        self.page.wait_for_function(
            f"""name => {{
                const shell = window.jupyterapp?.shell;
                if (!shell) return false;
                const widget = {OPEN}.find(one => one.context?.path === name);
                if (!widget) return false;
                if (shell.currentWidget !== widget) {{
                    shell.activateById(widget.id);
                    return false;
                }}
                return widget.context.sessionContext?.session?.kernel?.status === 'idle';
            }}""",
            arg=self.name,
        )

    def reload(self):
        """Save the notebook and load the page again."""
        self.do("docmanager:save")
        self.page.reload()
        self._restored()
        self.idle()

    def on(self, selector, x, y):
        """Page coordinates of a point of a canvas given in canvas pixels, scrolled into view."""
        canvas = self.page.locator(selector)
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        width, height = canvas.evaluate("c => [c.width, c.height]")
        return box["x"] + x * box["width"] / width, box["y"] + y * box["height"] / height

    def close(self):
        """End the kernel and close the notebook."""
        self.name = None
        self.page.evaluate(
            f"""async () => {{
                for (const widget of {OPEN}.filter(one => one.context)) {{
                    await widget.context.sessionContext.shutdown();
                    await widget.context.save();
                    widget.dispose();
                }}
            }}"""
        )

    def ask(self, expression):
        """The value of a Python expression in the notebook's kernel, through JSON."""
        reply = self.page.evaluate(
            f"""async code => {{
                const request = {{ code: '', silent: true, user_expressions: {{ value: code }} }};
                const reply = await {KERNEL}.requestExecute(request).done;
                return reply.content.user_expressions.value;
            }}""",
            f"__import__('json').dumps({expression}, default=str)",
        )
        assert reply["status"] == "ok", reply
        return json.loads(ast.literal_eval(reply["data"]["text/plain"]))

    def until(self, expression, patience=PATIENCE):
        """Wait until a Python expression in the kernel is true; returns its value."""
        for _ in range(patience // 50):
            value = self.ask(expression)
            if value:
                return value
            self.page.wait_for_timeout(50)
        pytest.fail(f"never true: {expression}; last value {value!r}")

    def theme(self, dark):
        """Switch between JupyterLab's light and dark theme."""
        self.do("apputils:change-theme", theme="JupyterLab Dark" if dark else "JupyterLab Light")
        self.page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light", arg="false" if dark else "true"
        )


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The JupyterLab server of this session."""
    made = Server(tmp_path_factory.mktemp("lab"))
    yield made
    made.stop()


@pytest.fixture(scope="session")
def chromium():
    """The browser of this session."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (pip install dlcnb[test])"
    )
    with sync_api.sync_playwright() as playwright:
        path = _chromium()
        if path is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no Chromium: install one (apt install chromium, or playwright install chromium)")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab_page(server, chromium):
    """The JupyterLab page of this session."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1300})
    yield Lab(context.new_page(), server)
    context.close()


@pytest.fixture(scope="module")
def notebook(lab_page):
    """The page with the notebook that the tests of a file share."""
    lab_page.close()
    yield lab_page
    lab_page.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Leave at the test whether it failed."""
    report = yield
    item.failed = getattr(item, "failed", False) or report.failed
    return report


@pytest.fixture
def lab(notebook, request):
    """The page, ready for a test's cells; fails if JavaScript threw anything meanwhile."""
    errors = []

    def note(error):
        if LATE not in str(error):
            errors.append(str(error))

    notebook.page.on("pageerror", note)
    yield notebook
    notebook.page.remove_listener("pageerror", note)
    if errors or request.node.failed:  # what comes next begins anew
        request.node.failed = False
        notebook.close()
    elif notebook.name:
        notebook.empty()
    assert not errors
