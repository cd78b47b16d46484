"""The service as a user starts it: processes of their own, which a test may kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx

from harness.ports import free_port

Found = TypeVar("Found")
_PASSED_ON = ("PYTHONPATH", "NUMBA_CACHE_DIR")
"""Without the first, a checkout beside the installed one would test the installed one."""


def until(look: Callable[[], Found | None], patience: float = 90.0, pause: float = 0.2) -> Found:
    """Return the first thing found that is true, looking again and again."""
    end = time.monotonic() + patience
    while True:
        if found := look():
            return found
        assert time.monotonic() < end, f"waited {patience} s in vain"
        time.sleep(pause)


class ServiceProcess:
    """`label-studio-crowd serve` (or `worker`) with its own port; ended with the ``with`` block.

    Parameters
    ----------
    folder
        Where the store, the models and the log are.
    environment
        Over the tests' own settings: quick looks, no classifier.
    command
        The command and its flags.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], *command: str, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"{(command or ('serve',))[0]}-{self.port}.log"
        self.command = command or ("serve",)
        self.environment = {
            "LABEL_STUDIO_CROWD_STORE": f"sqlite:///{folder}/mirror.sqlite",
            "LABEL_STUDIO_CROWD_QUIET_SECONDS": "0.3",
            "LABEL_STUDIO_CROWD_LONGEST_WAIT": "2",
            "LABEL_STUDIO_CROWD_LEASE_SECONDS": "3",
            "LABEL_STUDIO_CROWD_CLASSIFIER": "none",
            "MODEL_DIR": str(folder / "models"),
            "PORT": str(self.port),
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None
        user, password = self.environment.get("BASIC_AUTH_USER"), self.environment.get("BASIC_AUTH_PASS")
        auth = (user, password) if user and password else None
        self.http = httpx.Client(base_url=self.url, auth=auth, timeout=30, trust_env=False)

    def __enter__(self) -> ServiceProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.http.close()

    def start(self) -> None:
        """Start it, and wait until a server answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "label_studio_crowd", *self.command],
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if self.command[0] == "serve":
            until(self._answers)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.http.get("/health", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """End it as a terminal would."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def api(self, path: str) -> Any:
        """Return what a route of the JSON API says."""
        response = self.http.get(f"/api/{path}")
        assert response.status_code == 200, response.text
        return response.json()
