"""Whether store and Label Studio answer, asked at most every other second."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from label_studio_crowd.service.backend import Backend

_KEPT_SECONDS: Final = 2.0


@dataclass(frozen=True)
class Findings:
    """What keeps store and Label Studio from answering; None where they do."""

    store: str | None
    label_studio: str | None


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
                self._found = Findings(self._store(), self._backend.studio_problem())
                self._found_at = time.monotonic()
            return self._found

    def _store(self) -> str | None:
        try:
            return self._backend.store_problem()
        except sa.exc.SQLAlchemyError as error:  # all connections are taken
            return type(error).__name__
