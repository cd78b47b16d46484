"""The faults: each makes one while annotators label, and returns what it did."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks.service.faults.attacks import events_forged, pages_hostile, schema_fuzzed
from benchmarks.service.faults.executioner import Executioner, worker_processes
from benchmarks.service.faults.house import House, QueueWatch
from benchmarks.service.faults.outcome import Options, Outcome, SkippedError
from benchmarks.service.faults.room import PATIENCE, Room
from harness import postgresql_server, redis_server
from harness.load import Load
from harness.local_studio import LocalStudio
from harness.proxy import Passing, Proxy
from harness.service_process import until

console = Console(width=170)


def server_killed(house: House, folder: Path, options: Options) -> Outcome:
    """Kill the server, or one of its workers, by SIGKILL at random moments, again and again."""
    rng = random.Random(options.seed)
    done = f"SIGKILL {options.kills} times at random moments"
    with Room(house, folder, options=options) as room:
        room.connect()
        with _at_work(room, options) as (load, watch):
            for _ in range(options.kills):
                time.sleep(rng.uniform(0.1, 4.0))
                process = rng.choice([room.service, *room.workers])
                process.kill()
                time.sleep(rng.uniform(0.0, 0.5))
                process.start()
        return _judged(room, "server killed" + ", or a worker" * bool(room.workers), done, load, watch)


def worker_killed(
    house: House,
    folder: Path,
    options: Options,
    at: Sequence[str] = ("opening a task", "importing a queue", "switching to it", "writing a prediction"),
) -> Outcome:
    """Kill the worker while it publishes for the first time, with a request on its way."""
    executioner = Executioner(folder, at)
    with (
        Proxy(house.studio.url, sees=executioner) as proxy,
        Room(house, folder, options=options, studio_url=proxy.url) as room,
    ):
        with room.load(seed=options.seed, owned=False) as load:  # an import fails whole if one of its tasks is gone
            room.connect(wait=False)
            until(lambda: not executioner.left, patience=PATIENCE)
        done = "SIGKILL while " + ", ".join(name for name, _ in executioner.killed)
        return _judged(room, "worker killed", done, load)


def studio_stopped(house: House, folder: Path, options: Options) -> Outcome:
    """Stop Label Studio, and start it again."""
    with Room(house, folder, options=options) as room:
        room.connect()
        with _at_work(room, options) as (load, watch):
            studio = house.studio
            studio.stop()
            time.sleep(options.away)
            house.studio = LocalStudio(studio.data_dir, port=int(studio.url.rpartition(":")[2])).__enter__()
            time.sleep(options.seconds)
        return _judged(room, "Label Studio away", f"stopped for {options.away:.0f} s, restarted", load, watch)


def webhooks_dropped(house: House, folder: Path, options: Options) -> Outcome:
    """Drop every other webhook between Label Studio and the service."""
    rng = random.Random(options.seed)

    def drops(passing: Passing) -> bool:
        return passing.path.startswith("/webhook") and rng.random() < 0.5

    with Room(house, folder, options=options) as room, Proxy(room.service.url, drops=drops) as proxy:
        room.connect(proxy.url)
        with _at_work(room, options) as (load, watch):
            until(lambda: proxy.dropped >= 2 * options.seconds, patience=PATIENCE)
        return _judged(room, "webhooks dropped", f"half of them, {proxy.dropped} in all", load, watch)


def studio_slow(house: House, folder: Path, options: Options) -> Outcome:
    """Keep every answer of Label Studio to the service back for two seconds."""
    with (
        Proxy(house.studio.url) as proxy,
        Room(
            house,
            folder,
            options=replace(options, tasks=16, answered=3),
            studio_url=proxy.url,
            LABEL_STUDIO_CROWD_POLL_SECONDS="5",
        ) as room,
    ):
        room.connect()
        proxy.delay = 2.0
        with _at_work(room, options, pause=3.0) as (load, watch):
            time.sleep(3 * options.seconds)
        found = _judged(room, "Label Studio slow", "every answer 2 s later", load, watch)
        proxy.delay = 0.0
        return found


def store_locked(house: House, folder: Path, options: Options, seconds: float = 10.0) -> Outcome:
    """Lock the store from another process' point of view: an exclusive transaction."""
    with Room(house, folder, options=options) as room:
        room.connect()
        with _at_work(room, options) as (load, watch):
            holder = sqlite3.connect(folder / "mirror.sqlite", isolation_level=None, timeout=60)
            holder.execute("BEGIN EXCLUSIVE")
            time.sleep(seconds)
            holder.execute("ROLLBACK")
            holder.close()
            time.sleep(options.seconds)
        return _judged(room, "store locked", f"BEGIN EXCLUSIVE for {seconds:.0f} s", load, watch)


def disk_full(house: House, folder: Path, options: Options) -> Outcome:
    """Fill the disk of the store up, and free it again."""
    disk = folder / "disk"
    disk.mkdir(parents=True)
    mounting = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)]
    if subprocess.run(mounting, capture_output=True).returncode:
        raise SkippedError("a small disk cannot be mounted here")
    try:
        with Room(house, folder, options=options, store=f"sqlite:///{disk}/mirror.sqlite") as room:
            room.connect()
            with _at_work(room, options) as (load, watch):
                for _ in range(2):
                    _fill(disk / "ballast")
                    time.sleep(10)
                    (disk / "ballast").unlink()
                    time.sleep(options.seconds)
            full = room.service.log.read_text().count("disk is full")
            return _judged(room, "disk full", f"twice for 10 s ({full} complaints in the log)", load, watch)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _fill(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        for size in (65_536, 512):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)


def postgresql_restarted(house: House, folder: Path, options: Options, away: Sequence[float] = (1.0, 6.0)) -> Outcome:
    """Stop PostgreSQL at once, as a crash does, and start it again: sooner, and later than a lease."""
    if postgresql_server.programs() is None:
        raise SkippedError("PostgreSQL's server is not installed (Debian: apt install postgresql)")
    with (
        postgresql_server.PostgresqlServer() as server,
        Room(house, folder, options=options, store=f"{server.address}/postgres") as room,
    ):
        room.connect()
        with _at_work(room, options) as (load, watch):
            for seconds in away:
                server.stop()
                time.sleep(seconds)
                server.start()
                time.sleep(options.seconds)
        done = f"stopped at once, away {' and '.join(f'{seconds:.0f} s' for seconds in away)}"
        return _judged(room, "PostgreSQL restarted", done, load, watch)


def redis_restarted(house: House, folder: Path, options: Options) -> Outcome:
    """Stop Redis, and start it again; a server and two workers."""
    with _redis(folder) as redis, Room(house, folder / "room", options=options, queue=redis.url) as room:
        room.connect()
        with _at_work(room, options) as (load, watch):
            redis.stop()
            time.sleep(5)
            redis.start()
            time.sleep(options.seconds)
        return _judged(room, "Redis restarted", "away 5 s; two workers", load, watch)


def redis_flushed(house: House, folder: Path, options: Options, times: int = 3) -> Outcome:
    """Throw all messages in Redis away, while both workers are frozen, longer than a lease."""
    import redis as client

    with (
        _redis(folder) as redis,
        Room(house, folder / "room", options=options, queue=redis.url) as room,
        contextlib.closing(client.Redis.from_url(redis.url)) as connection,
    ):
        room.connect()

        def messages() -> int:
            return sum(connection.llen(key) for key in connection.scan_iter() if connection.type(key) == b"list")

        lost = 0
        with _at_work(room, options) as (load, watch):
            for _ in range(times):
                frozen = worker_processes(room.folder)
                for process in frozen:
                    os.kill(process, signal.SIGSTOP)
                with contextlib.suppress(AssertionError):  # those that wait in BRPOP have been handed a message each
                    until(messages, patience=10)
                lost += messages()
                connection.flushall()
                for process in frozen:
                    os.kill(process, signal.SIGCONT)
                time.sleep(options.seconds / 2)
        done = f"FLUSHALL {times} times while workers are frozen, {lost} messages lost; two workers"
        return _judged(room, "Redis flushed", done, load, watch)


def one_worker_killed(house: House, folder: Path, options: Options) -> Outcome:
    """Kill one of two workers in the middle of a job; nobody starts it again."""
    room_folder = folder / "room"
    executioner = Executioner(room_folder, [])
    with (
        _redis(folder) as redis,
        Proxy(house.studio.url, sees=executioner) as proxy,
        Room(house, room_folder, options=options, queue=redis.url, studio_url=proxy.url) as room,
    ):
        room.connect()
        with _at_work(room, options) as (load, watch):
            executioner.left.append("writing a prediction")
            until(lambda: executioner.killed, patience=PATIENCE)
            time.sleep(options.seconds)
        found = _judged(room, "one of two workers killed", "SIGKILL while writing a prediction", load, watch)
        if len(left := worker_processes(room_folder)) != 1:
            found.problems.append(f"{len(left)} workers are left")
        return found


@contextmanager
def _redis(folder: Path) -> Iterator[redis_server.RedisServer]:
    if redis_server.program() is None:
        raise SkippedError("Redis is not installed (Debian: apt install redis-server)")
    folder.mkdir(parents=True, exist_ok=True)
    with redis_server.RedisServer(folder) as server:
        yield server


@contextmanager
def _at_work(room: Room, options: Options, pause: float = 0.6) -> Iterator[tuple[Load, QueueWatch]]:
    """Let annotators work for a while before, and during, what is done here."""
    console.print(f"  before  {room.describe()}", highlight=False)
    with QueueWatch(room.house, room.project.id) as watch, room.load(seed=options.seed, pause=pause) as load:
        time.sleep(options.seconds / 2)
        yield load, watch
        time.sleep(options.seconds / 4)


def _judged(room: Room, fault: str, done: str, load: Load, watch: QueueWatch | None = None) -> Outcome:
    found = room.outcome(fault, done, load)
    if watch is not None and watch.missing:
        found.problems.append(f"{len(watch.missing)} of {watch.looks} looks found no queue: {watch.missing[:3]}")
    console.print(f"  after   {room.describe()}", highlight=False)
    return found


FAULTS: Final[Mapping[str, Callable[[House, Path, Options], Outcome]]] = {
    "server-killed": server_killed,
    "worker-killed": worker_killed,
    "studio-stopped": studio_stopped,
    "webhooks-dropped": webhooks_dropped,
    "studio-slow": studio_slow,
    "store-locked": store_locked,
    "disk-full": disk_full,
    "postgresql-restarted": postgresql_restarted,
    "redis-restarted": redis_restarted,
    "redis-flushed": redis_flushed,
    "one-worker-killed": one_worker_killed,
    "events-forged": events_forged,
    "schema-fuzzed": schema_fuzzed,
    "pages-hostile": pages_hostile,
}
