"""The server extension, on the handler class of the installed jupyter_server."""

import logging
from types import SimpleNamespace

from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from tornado.web import Application

from dlcnb.cli import lab_server as server


class Connection:
    def __init__(self, broken=False):
        self.calls, self.broken = [], broken

    def set_nodelay(self, value):
        if self.broken:
            raise OSError("no such connection")
        self.calls.append(("nodelay", value))

    def open(self, kernel_id):
        self.calls.append(("open", kernel_id))
        return "opened"


def patched(**more):
    handler = type("Handler", (Connection,), {"open": Connection.open})
    server._send_at_once(handler, logging.getLogger("test"))
    server._send_at_once(handler, logging.getLogger("test"))
    return handler(**more)


def test_each_connection_sends_at_once_and_is_opened_once():
    connection = patched()
    assert connection.open("k1") == "opened"
    assert connection.calls == [("nodelay", True), ("open", "k1")]


def test_a_failure_is_logged_and_the_connection_opens_all_the_same(caplog):
    connection = patched(broken=True)
    assert connection.open("k1") == "opened"
    assert "TCP_NODELAY" in caplog.text


def test_the_extension_finds_the_class_of_the_jupyter_server_that_is_installed(monkeypatch, caplog):
    monkeypatch.setattr(KernelWebsocketHandler, "open", KernelWebsocketHandler.open)
    (point,) = server._jupyter_server_extension_points()
    assert point == {"module": "dlcnb.cli.lab_server"}
    web_app = Application(base_url="/user/ada/")
    server._load_jupyter_server_extension(SimpleNamespace(log=logging.getLogger("test"), web_app=web_app))
    assert KernelWebsocketHandler.open._dlcnb
    assert not caplog.records
