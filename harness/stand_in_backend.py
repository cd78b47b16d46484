"""The least that Label Studio accepts as an ML backend: it stands in for somebody else's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["StandInBackend", "stand_in_backend"]


class StandInBackend(ThreadingHTTPServer):
    """Answers every request with the same model version.

    Parameters
    ----------
    model_version
        The one that it says it has.

    Attributes
    ----------
    url
        Where it listens.
    asked
        The paths of the requests so far.
    passwords
        What their headers said for a password.
    """

    def __init__(self, model_version: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answer = json.dumps({"status": "UP", "model_version": model_version}).encode()
        self.asked: list[str] = []
        self.passwords: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: StandInBackend

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.passwords.append(self.headers.get("Authorization") or "")
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def stand_in_backend(model_version: str) -> Iterator[StandInBackend]:
    """Run one within a ``with`` block."""
    with StandInBackend(model_version) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
