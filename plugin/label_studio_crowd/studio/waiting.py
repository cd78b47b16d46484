"""The time spent waiting for Label Studio."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Waited(threading.local):
    """The seconds that each thread has waited so far."""

    seconds: float = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Count the time in the block as waiting."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - start
