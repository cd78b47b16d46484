"""A Redis of the tests' own, in a temporary folder."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import TracebackType

from harness.ports import free_port
from harness.service_process import until


def program() -> str | None:
    """Where the server's program is."""
    return shutil.which("redis-server")


class RedisServer:
    """Runs within a ``with`` block; may be stopped and started again, and then remembers what it held."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        found = program()
        assert found is not None
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--appendonly", "yes"]
        self._process = subprocess.Popen([found, *options], stdout=subprocess.DEVNULL)
        until(self._answers)

    def _answers(self) -> bool:
        import redis

        try:
            return bool(redis.Redis.from_url(self.url).ping())
        except redis.ConnectionError:
            return False

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
