"""An opt-in extension of jupyter_server: widgets that answer faster, and an address that opens a Studio.

TCP_NODELAY is set on the kernel websocket.
Without it every quick reply of a kernel waits some 40 ms for the browser's delayed acknowledgement. ``dlcnb lab`` turns
it on (``--ServerApp.jpserver_extensions="{'dlcnb.cli.lab_server': True}"``). It changes one method of a class of
jupyter_server; where that class looks different, the server says so in its log and works as without.

``/dlcnb/PATH`` leads to JupyterLab with a Studio on that path, which its labextension opens.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

__all__ = []


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "dlcnb.cli.lab_server"}]


def _load_jupyter_server_extension(app: Any) -> None:
    try:
        from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

        _send_at_once(KernelWebsocketHandler, app.log)
    except Exception as error:
        app.log.warning("dlcnb: TCP_NODELAY could not be set, widgets will answer more slowly: %r", error)
    _add_address(app)


def _add_address(app: Any) -> None:
    from jupyter_server.base.handlers import JupyterHandler
    from jupyter_server.utils import url_path_join
    from tornado import httputil, web

    class StudioHandler(JupyterHandler):
        @web.authenticated
        def get(self, path: str) -> None:
            self.redirect(httputil.url_concat(url_path_join(self.base_url, "lab"), {"dlcnb": path}))

    base = app.web_app.settings["base_url"]
    app.web_app.add_handlers(".*$", [(url_path_join(base, "/dlcnb/(.*)"), StudioHandler)])


def _send_at_once(handler: Any, log: logging.Logger) -> None:
    """Make ``handler.open`` switch Nagle's algorithm off for its connection; a second call changes nothing."""
    original = handler.open
    if getattr(original, "_dlcnb", False):
        return

    @functools.wraps(original)
    def open(self, *args: Any, **kwargs: Any) -> Any:
        try:
            self.set_nodelay(True)
        except Exception as error:
            log.warning("dlcnb: TCP_NODELAY could not be set on a connection: %r", error)
        return original(self, *args, **kwargs)

    open._dlcnb = True  # type: ignore[attr-defined]  # a mark, so that a second call changes nothing
    handler.open = open
