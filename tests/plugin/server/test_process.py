"""The server as a process."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, nullcontext, suppress

import httpx
import pytest

from tests.plugin.server.serving import PASSWORD, STUDIO, USER, payload


def post_event(port):
    with suppress(httpx.TransportError):
        auth = httpx.BasicAuth(USER, PASSWORD)
        httpx.post(f"http://127.0.0.1:{port}/webhook", json=payload("annotation_created"), auth=auth, timeout=30)


@contextmanager
def locked(store):
    """Hold the SQLite file, as a long write does."""
    with sqlite3.connect(store, isolation_level=None) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


@pytest.mark.parametrize(("how", "busy"), [(signal.SIGTERM, False), (signal.SIGINT, False), (signal.SIGTERM, True)])
def test_the_process_ends_when_told(tmp_path, how, busy):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = {
        **os.environ,
        "LABEL_STUDIO_URL": STUDIO,
        "LABEL_STUDIO_API_KEY": "a-token",
        "LABEL_STUDIO_CROWD_STORE": f"sqlite:///{tmp_path}/mirror.sqlite",
        "BASIC_AUTH_USER": USER,
        "BASIC_AUTH_PASS": PASSWORD,
    }
    command = [sys.executable, "-m", "label_studio_crowd", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            for _ in range(900):
                try:
                    if httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            second = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=90)
            assert second.returncode == 2
            assert "cannot listen on 127.0.0.1" in second.stderr
            with locked(tmp_path / "mirror.sqlite") if busy else nullcontext():
                waiting = threading.Thread(target=post_event, args=(port,))
                if busy:
                    waiting.start()
                    time.sleep(0.5)
                process.send_signal(how)
                _, log = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, log
    assert "Traceback" not in log
    assert PASSWORD not in log
