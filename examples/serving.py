"""The plugin's service in a process of its own, for as long as something is shown with it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from harness.ports import free_port
from harness.studio_install import StudioError

__all__ = ["answer", "serving", "wait_for"]

_PATIENCE = 120.0


@contextmanager
def serving(environment: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Run `label-studio-crowd serve`, and give its address; its log is ``service.log`` in the folder.

    Raises
    ------
    StudioError
        If it does not answer in two minutes.
    """
    port = free_port()
    log = folder / "service.log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "label_studio_crowd", "serve"]
        process = subprocess.Popen(
            command,
            env={**environment, "PORT": str(port)},
            cwd=folder,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for("the service", lambda: process.poll() is not None or answer(f"{url}/health") is not None)
        if process.poll() is not None:
            raise StudioError(f"The service ended; {log} says why.")
        yield url
    finally:
        process.terminate()
        process.wait()


def answer(url: str) -> str | None:
    """Return what is at an address; None where nothing is, or not yet."""
    try:
        response = httpx.get(url, timeout=10.0, trust_env=False)
    except httpx.TransportError:
        return None
    return response.text if response.status_code == 200 else None


def wait_for(what: str, look: Callable[[], bool]) -> None:
    """Wait until something is there; for two minutes at most."""
    end = time.monotonic() + _PATIENCE
    while not look():
        if time.monotonic() > end:
            raise StudioError(f"Waited {_PATIENCE:.0f} s for {what}; it did not come.")
        time.sleep(0.3)
