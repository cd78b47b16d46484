"""Whether there are workers: each says from time to time that it lives."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from label_studio_crowd.store.database import now
from label_studio_crowd.store.facts import PlainFact
from label_studio_crowd.store.projects import Store

_EVERY: Final = 5.0
_SILENCE: Final = 30.0
"""Seconds after which no worker lives."""


@dataclass(frozen=True)
class WorkerSeen(PlainFact):
    """When a worker last said that it lives (Unix time)."""

    fact = "worker_seen"

    at: float


def saying_alive(store: Store) -> Callable[[], None]:
    """Return what a worker calls as long as it lives; it writes now and then."""
    last = -math.inf

    def alive() -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY:
            store.shared.write(WorkerSeen(now()))
            last = time.monotonic()

    return alive


def no_worker(store: Store) -> str | None:
    """Return, in words, that no worker lives; None if one does."""
    seen = store.shared.read(WorkerSeen)
    if seen is None:
        return "no worker has been seen yet"
    silent = abs(now() - seen.at)  # a clock that is put back makes it a time to come
    return f"no worker has been seen for {silent:.0f} s" if silent > _SILENCE else None
