"""The store: one SQLite file, or a PostgreSQL database that several machines share.

Readers never wait for a writer, nor a writer for readers; writers take turns.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url

from label_studio_crowd.errors import UserError
from label_studio_crowd.store.migrations import migrate

_STORES: Final = "sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/DATABASE"
_LOCKS: Final = 5_017_663
"""The class of our advisory locks; the key is the project's."""
_PATIENCE: Final = 30
"""Seconds that a writer waits for its turn."""
_TRY_AGAIN: Final = 0.2
_LONGEST_REASON: Final = 200
_CONNECTIONS: Final = 60
"""At the most: one a thread of a server or worker, and one for each lock in PostgreSQL."""


class UnderWayError(UserError):
    """Another run holds the project."""


class Store:
    """An open store.

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
            raise UserError(f"The store is not given as an SQLAlchemy URL: give {_STORES}.") from None
        try:
            backend = parsed.get_backend_name()
            if backend == "postgresql":
                # a server that was restarted leaves connections behind that are dead: each is tried before its use
                self._engine = sa.create_engine(
                    parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, max_overflow=_CONNECTIONS
                )
            elif backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
                path = Path(str(parsed.database)).expanduser()
                path.parent.mkdir(parents=True, exist_ok=True)
                parsed = parsed.set(database=str(path))
                self._engine = sa.create_engine(parsed, max_overflow=_CONNECTIONS)
                event.listen(self._engine, "connect", _tune_sqlite)
                event.listen(self._engine, "begin", _begin)
            else:
                raise UserError(f"The store cannot be in {backend}, or in memory: give {_STORES}.")
            with self.writing() as connection:
                migrate(connection)
        except sa.exc.NoSuchModuleError:
            raise UserError(f"The store cannot be in {parsed.drivername}: give {_STORES}.") from None
        except ImportError:
            raise UserError("PostgreSQL needs psycopg: pip install 'label-studio-crowd[postgresql]'.") from None
        except (sa.exc.DBAPIError, OSError) as error:
            reason = store_reason(error) if isinstance(error, sa.exc.DBAPIError) else str(error)
            where = parsed.render_as_string(hide_password=True)
            raise UserError(f"The store {where} cannot be opened ({reason}): correct --store.") from None

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with self._engine.connect().execution_options(reads_only=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that may write."""
        with self._engine.begin() as connection:
            yield connection

    def key(self, server: str, project: int) -> int:
        """Return the store's own number of a project; given to it where it has none yet."""
        known = self.known_key(server, project)
        if known is not None:
            return known
        insert = "INSERT INTO projects (server, project) VALUES (:server, :project) ON CONFLICT DO NOTHING"
        with self.writing() as connection:
            connection.execute(sa.text(insert), {"server": server, "project": project})
        return self.key(server, project)

    def known_key(self, server: str, project: int) -> int | None:
        """Return the store's own number of a project, or None where it has none."""
        select = "SELECT id FROM projects WHERE server = :server AND project = :project"
        with self.reading() as connection:
            row = connection.execute(sa.text(select), {"server": server, "project": project}).first()
        return None if row is None else int(row[0])

    @contextmanager
    def exclusive(self, key: int, patience: float = 0.0) -> Iterator[None]:
        """Keep other runs out of a project; the lock ends with the process, however that ends.

        Parameters
        ----------
        patience
            Seconds to wait for a run that is under way.

        Raises
        ------
        UnderWayError
            If it is still under way then.
        """
        lock = self._lock_of_file if self._engine.dialect.name == "sqlite" else self._lock_in_database
        until = time.monotonic() + patience
        with ExitStack() as held:
            while True:
                try:
                    held.enter_context(lock(key))
                    break
                except UnderWayError:
                    if time.monotonic() >= until:
                        raise
                time.sleep(_TRY_AGAIN)
            yield

    @contextmanager
    def _lock_of_file(self, key: int) -> Iterator[None]:
        lock = FileLock(f"{self._engine.url.database}.{key}.lock", blocking=False)
        try:
            lock.acquire()
        except Timeout:
            raise _under_way() from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _lock_in_database(self, key: int) -> Iterator[None]:
        """Hold an advisory lock of PostgreSQL, which ends with the connection."""
        where = {"class": _LOCKS, "key": key}
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.execute(sa.text("SELECT pg_try_advisory_lock(:class, :key)"), where).scalar():
                raise _under_way()
            try:
                yield
            finally:
                connection.execute(sa.text("SELECT pg_advisory_unlock(:class, :key)"), where)


def execute_many(connection: Connection, sql: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Execute a statement for each row; nothing where there is none."""
    values = [dict(row) for row in rows]
    if values:
        connection.execute(sa.text(sql), values)


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
    """Lock for writing at once: a reader that comes to write later may find the store changed, and fail."""
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _tune_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own: it leaves tables out of them
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA busy_timeout={1000 * _PATIENCE}")


def _under_way() -> UnderWayError:
    return UnderWayError(
        "Another run on this project is under way with this store: wait for it to end, then run again."
    )
