"""The table of jobs, and the values that every statement about it needs: the time, the server, the waiting times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from label_studio_crowd.settings import Settings
from label_studio_crowd.store.database import now
from label_studio_crowd.store.projects import Store


class JobTable:
    """The jobs of a Label Studio server's projects, as a table.

    Parameters
    ----------
    store
        Where they are.
    settings
        The server's address, and how long is waited for what.
    clock
        The time (Unix).
    """

    def __init__(self, store: Store, settings: Settings, *, clock: Callable[[], float] = now) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock

    def _values(self, **more: Any) -> dict[str, Any]:
        return {
            "on_server": self._settings.url,
            "now": self._clock(),
            "quiet_seconds": self._settings.quiet_seconds,
            "longest_wait": self._settings.longest_wait,
            "lease_seconds": self._settings.lease_seconds,
            **more,
        }

    def _read(self, statement: sa.Executable, **values: Any) -> Sequence[Any]:
        with self._store.reading() as connection:
            return connection.execute(statement, self._values(**values)).fetchall()

    def _write(self, statement: sa.Executable, **values: Any) -> int:
        """Execute a statement, and return how many jobs it changed."""
        with self._store.writing() as connection:
            return connection.execute(statement, self._values(**values)).rowcount

    def _write_returning(self, statement: sa.Executable, **values: Any) -> Sequence[Any]:
        with self._store.writing() as connection:
            return connection.execute(statement, self._values(**values)).fetchall()
