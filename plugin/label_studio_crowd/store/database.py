"""The database that the store is in: one SQLite file, or a PostgreSQL database that several machines share.

Readers never wait for a writer, nor a writer for readers; writers take turns.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url

from label_studio_crowd.errors import UserError
from label_studio_crowd.store.locks import project_lock
from label_studio_crowd.store.migrations import migrate

_STORES: Final = "sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/DATABASE"
_PATIENCE: Final = 30
"""Seconds that a writer waits for its turn."""
_LONGEST_REASON: Final = 200
_CONNECTIONS: Final = 60
"""The most connections: one for each thread of a server or worker, and one for each lock in PostgreSQL."""


class Database:
    """An open database, of the newest version.

    Parameters
    ----------
    url
        SQLAlchemy URL of an SQLite file or a PostgreSQL database.

    Raises
    ------
    UserError
        If it cannot be opened.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except sa.exc.ArgumentError:
            raise UserError(f"--store is not an SQLAlchemy URL: give {_STORES}.") from None
        self.times_renewed = 0
        """How often it was found gone and made anew."""
        self._file: _File | None = None
        self._is_gone = False
        self._renewing = threading.Lock()
        try:
            self._engine = _engine(parsed)
            self._make()
        except sa.exc.NoSuchModuleError:
            raise UserError(f"The store cannot be in {parsed.drivername}: give {_STORES}.") from None
        except ImportError:
            raise UserError("PostgreSQL needs psycopg: pip install 'label-studio-crowd[postgresql]'.") from None
        except (sa.exc.DBAPIError, OSError) as error:
            reason = store_reason(error) if isinstance(error, sa.exc.DBAPIError) else str(error)
            where = parsed.render_as_string(hide_password=True)
            raise UserError(f"The store {where} cannot be opened ({reason}): correct --store.") from None

    @property
    def dialect(self) -> str:
        """The kind of database: "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with self._there(), self._connected() as connection, connection.begin():
            yield connection

    def _connected(self) -> Connection:
        return self._engine.connect().execution_options(reads_only=True)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that may write."""
        with self._there(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _there(self) -> Iterator[None]:
        """See to it that the store is there: it may be deleted while it is in use, and is then made anew."""
        if self._is_gone or self._file != _file_of(self._engine):
            with self._renewing:
                if self._is_gone or self._file != _file_of(self._engine):
                    self._engine.dispose()  # what is under way goes on with what was deleted
                    self._make()
                    self.times_renewed += 1
        try:
            yield
        except sa.exc.DBAPIError as error:
            self._is_gone = self._is_gone or _lacks_tables(error)
            raise

    def _make(self) -> None:
        """Make what tables are missing."""
        with self._engine.begin() as connection:
            migrate(connection)
        self._file, self._is_gone = _file_of(self._engine), False

    def exclusive(self, key: int, patience: float = 0.0) -> AbstractContextManager[None]:
        """Keep other runs out of a project; the lock ends with the process, even if that is killed.

        Parameters
        ----------
        patience
            Seconds to wait for a run that is under way.

        Raises
        ------
        UnderWayError
            If it is still under way then.
        """
        return project_lock(self._engine, key, patience)


def _engine(url: URL) -> Engine:
    backend = url.get_backend_name()
    if backend == "postgresql":
        return _postgresql(url)
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        return _sqlite(url)
    raise UserError(f"The store cannot be in {backend}, or in memory: give {_STORES}.")


def _postgresql(url: URL) -> Engine:
    # a server that was restarted leaves connections behind that are dead: each is tried before its use
    url = url.set(drivername="postgresql+psycopg")
    return sa.create_engine(url, pool_pre_ping=True, max_overflow=_CONNECTIONS)


def _sqlite(url: URL) -> Engine:
    path = Path(str(url.database)).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url.set(database=str(path)), max_overflow=_CONNECTIONS)
    event.listen(engine, "do_connect", _make_folder)
    event.listen(engine, "connect", _tune_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


_File = tuple[int, int]


def _file_of(engine: Engine) -> _File | None:
    """Return what tells SQLite's file from another that takes its place; None if there is no file."""
    if engine.dialect.name != "sqlite":
        return None
    try:
        found = os.stat(str(engine.url.database))
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _lacks_tables(error: sa.exc.DBAPIError) -> bool:
    """Return whether a statement failed because the store is another than it was."""
    undefined_table = getattr(error.orig, "sqlstate", None) == "42P01"
    return undefined_table or str(error.orig).startswith("no such table")


def store_reason(error: sa.exc.SQLAlchemyError) -> str:
    """Return why the store fails, without the values that it was given."""
    if not isinstance(error, sa.exc.DBAPIError):
        return type(error).__name__
    lines = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
    return lines[0][:_LONGEST_REASON]


def now() -> float:
    """Return the time (Unix); machines that share a store need clocks that agree to a second or so."""
    return time.time()


def _begin(connection: Connection) -> None:
    """Lock for writing at once: a reader that writes later may find that the store has changed, and fail."""
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _make_folder(_dialect: Any, _record: Any, arguments: list[Any], _options: Any) -> None:
    """Make the file's folder, which may have been deleted with it."""
    with suppress(OSError):
        Path(str(arguments[0])).parent.mkdir(parents=True, exist_ok=True)


def _tune_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own: it leaves tables out of them
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA busy_timeout={1000 * _PATIENCE}")
