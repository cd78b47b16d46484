"""What the parts of a project's store share: a database, and the project's key in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from label_studio_crowd.store.database import Database
from label_studio_crowd.store.tables import KEY, projects

_LOCK_PROJECT: Final = sa.select(projects.c.id).where(projects.c.id == KEY).with_for_update()


class Part:
    """A part of what a store holds of one project. Methods without a `connection` are transactions of their own.

    Parameters
    ----------
    database
        Where it is.
    key
        The store's own number of the project.
    """

    def __init__(self, database: Database, key: int) -> None:
        self._database = database
        self._key = key

    def _read(self, statement: sa.Executable, **values: Any) -> Sequence[Any]:
        """Return the rows of a statement."""
        with self._database.reading() as connection:
            return connection.execute(statement, {"key": self._key, **values}).fetchall()

    def _read_plain(self, statement: sa.Executable, **values: Any) -> Sequence[tuple[Any, ...]]:
        """Return many rows as plain tuples: SQLAlchemy's own would take most of the time."""
        with self._database.reading() as connection:
            cursor = connection.execute(statement, {"key": self._key, **values}).cursor
            assert cursor is not None, "a SELECT has one"
            return cursor.fetchall()

    def _write(self, statement: sa.Executable, **values: Any) -> None:
        with self._database.writing() as connection:
            connection.execute(statement, {"key": self._key, **values})

    def _insert(self, connection: Connection, statement: sa.Insert, rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert rows; they need not name the project."""
        values = [{"project": self._key, **row} for row in rows]
        if values:
            connection.execute(statement, values)

    def _each(self, connection: Connection, statement: sa.Executable, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute a statement once for each row of values."""
        values = [{"key": self._key, **row} for row in rows]
        if values:
            connection.execute(statement, values)

    def _alone(self, connection: Connection) -> None:
        """Keep others from changing this project until the transaction ends; on SQLite nobody else writes anyway.

        Transactions that each lock some rows, in orders of their own, would wait for one another for ever.
        """
        if connection.dialect.name == "postgresql":
            connection.execute(_LOCK_PROJECT, {"key": self._key})
