"""Hands claimed jobs to workers, over huey: an SQLite file on one machine, Redis between several.

A message is only a wake-up: it names a claim in the store. One that is lost is sent again when the claim has
run out; one that comes twice, or late, finds its claim taken.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import orjson
from huey import Huey, RedisHuey, SqliteHuey
from huey.consumer import Consumer
from huey.exceptions import ConfigurationError
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import SqliteStorage
from sqlalchemy.engine import make_url

from label_studio_crowd.errors import UserError
from label_studio_crowd.settings import Settings, data_directory
from label_studio_crowd.store.jobs import Job, Kind

log = logging.getLogger(__name__)

KINDS: Final[tuple[Kind, ...]] = ("rescore", "train", "plan", "forecast")
_LONGEST_DELAY: Final = 0.2
"""Seconds between two looks into an empty queue on SQLite; Redis reports new jobs by itself."""
_PAUSE: Final = 1.0
"""Seconds between two looks for a queue that is away."""
_TOLD_AGAIN: Final = 60.0
"""Seconds after which a log says once more that it is."""


class Dispatch:
    """The queues of messages, one a kind of job, so that long ones do not keep rescores waiting.

    Raises
    ------
    UserError
        If the queue's address is not one, or redis is not installed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._queues: dict[Kind, Huey] = {kind: self._queue(kind) for kind in KINDS}
        self._work: Callable[[Job], None] | None = None
        self._send = {kind: queue.task(name=kind)(self._receiver(kind)) for kind, queue in self._queues.items()}

    def _queue(self, kind: Kind) -> Huey:
        # deployments that share a Redis keep apart
        server = hashlib.sha256(self._settings.url.encode()).hexdigest()[:12]
        options: dict[str, Any] = {
            "name": f"label-studio-crowd-{server}-{kind}",
            "results": False,
            "serializer": _Json(),
        }
        if self._settings.queue is None:
            path = _queue_file(self._settings.store)
            path.parent.mkdir(parents=True, exist_ok=True)
            return _OnSqlite(filename=str(path), **options)
        if not self._settings.queue.startswith(("redis://", "rediss://", "unix://")):
            raise UserError("The queue is not given as redis://HOST:PORT/DATABASE: correct --queue.")
        try:
            return _InRedis(url=self._settings.queue, **options)
        except ConfigurationError:
            raise UserError("A queue in Redis needs redis: pip install 'label-studio-crowd[redis]'.") from None
        except ValueError as error:
            raise UserError(f"The queue's address is wrong ({error}): give redis://HOST:PORT/DATABASE.") from None

    def _receiver(self, kind: Kind) -> Callable[[int, int, int], None]:
        def receive(key: int, project: int, claim: int) -> None:
            assert self._work is not None, "only consumers receive"
            self._work(Job(key, project, kind, claim))

        return receive

    def send(self, job: Job) -> None:
        """Wake a worker up for a job."""
        self._send[job.kind](job.key, job.project, job.claim)

    def consume(
        self, work: Callable[[Job], None], stop: threading.Event, alive: Callable[[], None] = lambda: None
    ) -> None:
        """Do jobs until asked to stop; those under way are finished.

        Parameters
        ----------
        alive
            Called again and again meanwhile.
        """
        self._work = work
        consumers = []
        for kind, queue in self._queues.items():
            workers = self._settings.workers if kind == "rescore" else 1
            consumers.append(
                _QuietConsumer(queue, workers=workers, periodic=False, initial_delay=0.05, max_delay=_LONGEST_DELAY)
            )
        for consumer in consumers:
            consumer.start()
        try:
            while not stop.wait(0.5):
                _look_after(consumers, alive)
        finally:
            for consumer in consumers:
                consumer.stop_flag.set()
            for consumer in consumers:
                consumer.stop(graceful=True)


def _look_after(consumers: Iterable[Consumer], alive: Callable[[], None]) -> None:
    try:
        for consumer in consumers:
            consumer.check_worker_health()
        alive()
    except Exception as error:  # no thread can be started now, or the store is away: the others go on
        log.error("The worker cannot look after itself (%s: %s): trying again.", type(error).__name__, error)


def _queue_file(store: str) -> Path:
    """Return where messages are kept on one machine: beside the store."""
    url = make_url(store)
    if url.get_backend_name() == "sqlite":
        return Path(f"{Path(str(url.database)).expanduser()}.queue")
    return data_directory() / f"queue-{hashlib.sha256(store.encode()).hexdigest()[:12]}.sqlite"


class _Patient(Huey):  # type: ignore[misc]
    """A queue that may be away: a line in the log says so, where huey writes a traceback several times a second."""

    _told_at = -math.inf

    def dequeue(self) -> Any:
        return self._once_there(super().dequeue, None)

    def read_schedule(self, timestamp: Any = None) -> Any:
        return self._once_there(lambda: super(_Patient, self).read_schedule(timestamp), [])

    def execute(self, task: Any, timestamp: Any = None) -> Any:
        # huey asks the queue before and after, and catches what the task itself raises
        return self._once_there(lambda: super(_Patient, self).execute(task, timestamp), None)

    def _once_there(self, ask: Callable[[], Any], nothing: Any) -> Any:
        try:
            found = ask()
        except Exception as error:
            if time.monotonic() - self._told_at > _TOLD_AGAIN:
                self._told_at = time.monotonic()
                log.error("The queue fails (%s: %s): waiting for it.", type(error).__name__, error)
            time.sleep(_PAUSE)
            return nothing
        self._told_at = -math.inf
        return found


class _File(SqliteStorage):  # type: ignore[misc]
    """A file of messages that may be deleted while it is in use: then a new one takes its place."""

    _conn: Any
    _identity: tuple[int, int] | None = None

    @property
    def conn(self) -> Any:
        if self._conn is not None and self._identity != self._found():
            self._conn.close()
            self._conn = None
        if self._conn is None:
            Path(self.filename).parent.mkdir(parents=True, exist_ok=True)
            self._conn = self._create_connection()
            for statement in self.ddl:
                self._conn.execute(statement)
            self._identity = self._found()
        return self._conn

    def _found(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self.filename)
        except OSError:
            return None
        return found.st_dev, found.st_ino


class _OnSqlite(_Patient, SqliteHuey):  # type: ignore[misc]
    storage_class = _File


class _InRedis(_Patient, RedisHuey):  # type: ignore[misc]
    pass


class _Json(Serializer):  # type: ignore[misc]
    """Messages as JSON: huey would pickle them, and whoever can write to Redis could run code here."""

    def _serialize(self, data: Any) -> bytes:
        return orjson.dumps(list(data))

    def _deserialize(self, data: bytes) -> Message:
        return Message(*orjson.loads(data))


class _QuietConsumer(Consumer):  # type: ignore[misc]
    """A consumer that leaves the process's signals alone."""

    def _set_signal_handlers(self) -> None:
        pass
