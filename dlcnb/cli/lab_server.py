"""An opt-in extension of jupyter_server that makes widgets answer faster: TCP_NODELAY on the kernel websocket.

Without it every quick reply of a kernel waits some 40 ms for the browser's delayed acknowledgement. ``dlcnb lab`` turns
it on (``--ServerApp.jpserver_extensions="{'dlcnb.cli.lab_server': True}"``). It changes one method of a class of
jupyter_server; where that class looks different, the server says so in its log and works as without.
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
