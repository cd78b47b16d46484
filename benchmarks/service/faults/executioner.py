"""Workers, and who kills one of them in the middle of a request."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from harness.proxy import Passing


def worker_processes(folder: Path) -> list[int]:
    """Return the ids of the worker processes of a service whose files are in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (path / "cmdline").read_bytes(), (path / "environ").read_bytes()
            ended = (path / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
        except OSError:
            continue
        if b"\0worker\0" in command and f"MODEL_DIR={folder}/models".encode() in environment and not ended:
            found.append(int(path.name))
    return sorted(found)


def sender(passing: Passing, processes: Sequence[int]) -> int | None:
    """Return which of these processes a request came from."""
    ports = f":{passing.client_port:04X} ", f":{passing.proxy_port:04X} "
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if columns[1].endswith(ports[0].strip()) and columns[2].endswith(ports[1].strip()):
            inodes.add(f"socket:[{columns[9]}]")
    for process in processes:
        for descriptor in Path(f"/proc/{process}/fd").glob("*"):
            with contextlib.suppress(OSError):
                if os.readlink(descriptor) in inodes:
                    return process
    return None


class Executioner:
    """Kills a worker when one of its requests is on its way to Label Studio; each name of `at` once, in order.

    Parameters
    ----------
    at
        Names of moments, as in `MOMENTS`.
    """

    MOMENTS: Final[Mapping[str, Callable[[Passing], bool]]] = {
        "opening a task": lambda p: p.method == "PATCH" and p.path.startswith("/api/tasks/"),
        "importing a queue": lambda p: p.path.endswith("/import/predictions"),
        "switching to it": lambda p: p.method == "PATCH" and p.path.startswith("/api/projects/"),
        "writing a prediction": lambda p: p.method in ("POST", "PATCH") and p.path.startswith("/api/predictions/"),
        "deleting a version": lambda p: p.method == "DELETE" and p.path.endswith("/model-versions/"),
        "reading tasks": lambda p: p.method == "GET" and p.path.startswith("/api/tasks/"),
    }

    def __init__(self, folder: Path, at: Sequence[str]) -> None:
        self._folder = folder
        self.left = list(at)
        self.killed: list[tuple[str, int]] = []
        self._lock = threading.Lock()

    def __call__(self, passing: Passing) -> None:
        """Look at a request, and kill its sender if it is time."""
        with self._lock:
            if not self.left or not self.MOMENTS[self.left[0]](passing):
                return
            process = sender(passing, worker_processes(self._folder))
            if process is not None:
                os.kill(process, signal.SIGKILL)
                self.killed.append((self.left.pop(0), process))
