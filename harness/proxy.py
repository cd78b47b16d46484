"""What stands between two parties that speak HTTP: it delays, drops and watches."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Passing", "Proxy"]


@dataclass(frozen=True)
class Passing:
    """A request at a proxy, and the port that it came from."""

    method: str
    path: str
    client_port: int
    proxy_port: int


class Proxy:
    """Passes HTTP requests on to an address; runs within a ``with`` block.

    Parameters
    ----------
    target
        The address.
    delay
        Seconds that every answer is kept back.
    drops
        Whether a request is thrown away, its connection closed without an answer.
    sees
        Called with each request as it is passed on: an effect of it and what is done here happen side by side.
    """

    def __init__(
        self,
        target: str,
        *,
        delay: float = 0.0,
        drops: Callable[[Passing], bool] = lambda _: False,
        sees: Callable[[Passing], None] = lambda _: None,
    ) -> None:
        self.delay = delay
        self.dropped = 0
        self.drops = drops
        self.sees = sees
        self._target = urlsplit(target)
        self._server = _Server(self)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def upstream(self) -> HTTPConnection:
        """Return a new connection to the target."""
        return HTTPConnection(self._target.hostname or "", self._target.port, timeout=300)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle_one_request()
            return
        self.close_connection = True

    def pass_on(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        passing = Passing(self.command, self.path, self.client_address[1], proxy.port)
        if proxy.drops(passing):
            proxy.dropped += 1
            self.close_connection = True
            return
        try:
            answer, content = self._ask(passing, body)
        except OSError:
            self.close_connection = True
            return
        time.sleep(proxy.delay)
        self._reply(answer, content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = pass_on  # noqa: N815

    def _ask(self, passing: Passing, body: bytes) -> tuple[HTTPResponse, bytes]:
        with contextlib.closing(self.server.proxy.upstream()) as upstream:
            upstream.request(self.command, self.path, body, dict(self.headers.items()))
            self.server.proxy.sees(passing)
            answer = upstream.getresponse()
            return answer, answer.read()

    def _reply(self, answer: HTTPResponse, content: bytes) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass
