"""One run at a time: a lock for each project, which ends with the process that holds it, even if that is killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.engine import Engine

from label_studio_crowd.errors import UserError

_CLASS: Final = 5_017_663
"""The class of our advisory locks; the key is the project's."""
_TRY_AGAIN: Final = 0.2

_OUR_LOCK: Final = (sa.literal(_CLASS, sa.Integer), sa.bindparam("key", type_=sa.Integer))
_TRY_LOCK: Final = sa.select(sa.func.pg_try_advisory_lock(*_OUR_LOCK))
_UNLOCK: Final = sa.select(sa.func.pg_advisory_unlock(*_OUR_LOCK))


class UnderWayError(UserError):
    """Another run holds the project."""

    may_pass = True

    def __init__(self) -> None:
        super().__init__("Another run is working on this project, with this store: wait until it ends, then run again.")


@contextmanager
def project_lock(engine: Engine, key: int, patience: float) -> Iterator[None]:
    """Hold a project's lock.

    Parameters
    ----------
    key
        The store's own number of the project.
    patience
        Seconds to wait for another run to end.

    Raises
    ------
    UnderWayError
        If it is still under way then.
    """
    lock = _lock_of_file if engine.dialect.name == "sqlite" else _lock_in_database
    until = time.monotonic() + patience
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(lock(engine, key))
                break
            except UnderWayError:
                if time.monotonic() >= until:
                    raise
            time.sleep(_TRY_AGAIN)
        yield


@contextmanager
def _lock_of_file(engine: Engine, key: int) -> Iterator[None]:
    lock = FileLock(f"{engine.url.database}.{key}.lock", blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise UnderWayError from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _lock_in_database(engine: Engine, key: int) -> Iterator[None]:
    """Hold an advisory lock of PostgreSQL, which ends with the connection."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(_TRY_LOCK, {"key": key}).scalar():
            raise UnderWayError
        try:
            yield
        finally:
            connection.execute(_UNLOCK, {"key": key})
