"""Whether store and Label Studio answer, and a worker lives; asked at most every other second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from label_studio_crowd.service.backend import Backend
from label_studio_crowd.store.database import store_reason

_KEPT_SECONDS: Final = 2.0


@dataclass(frozen=True)
class Findings:
    """What keeps store, Label Studio and workers from their work; None where nothing does."""

    store: str | None
    label_studio: str | None
    worker: str | None


class Readiness:
    """Looks, and keeps what it found for a while, so that many who ask cost no more than one.

    Parameters
    ----------
    backend
        Whose surroundings are looked at.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._found: Findings | None = None
        self._found_at = 0.0

    def findings(self) -> Findings:
        """Return what was found, not longer than two seconds ago."""
        with self._lock:
            if self._found is None or time.monotonic() - self._found_at > _KEPT_SECONDS:
                backend = self._backend
                self._found = Findings(
                    _asked(backend.store_problem), backend.studio_problem(), _asked(backend.worker_problem)
                )
                self._found_at = time.monotonic()
            return self._found


def _asked(look: Callable[[], str | None]) -> str | None:
    try:
        return look()
    except sa.exc.SQLAlchemyError as error:
        return store_reason(error)
