"""What breaks, and what is lost when it does: faults of every kind while annotators label in a real Label Studio.

Usage: ``python -m benchmarks.service.faults [--only NAME ...] [--kills 50] [--away 20] [--seed 0] [--json FILE]``.
Label Studio runs on SQLite, the service as `label-studio-crowd serve` in processes of its own, annotators as
concurrent scripts that label, skip, correct and delete, while the owner imports, edits and deletes tasks. After each
fault, once the service has calmed down, the mirror is compared with a new one, and Label Studio with what should be
there.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from rich.console import Console
from rich.table import Table

from examples.project import GivenAnnotation, Project, create_project
from harness import postgresql_server, redis_server
from harness.local_studio import Annotator, LocalStudio, StudioError
from harness.service_process import ServiceProcess, free_port, until
from label_studio_crowd.exchange.plan import QUEUE_PREFIX, is_ours
from label_studio_crowd.exchange.pull import update_mirror
from label_studio_crowd.runs.rescore import rescore
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.jobs import Jobs
from label_studio_crowd.store.mirror import Mirror, ProjectMirror
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.records import Prediction

console = Console(width=170)

CONFIG: Final = """<View>
  <Text name="text" value="$text"/>
  <Choices name="label" toName="text"><Choice value="a"/><Choice value="b"/><Choice value="c"/></Choices>
</View>"""
THEIRS: Final = "theirs"
"""The version of another model's predictions."""
PATIENCE: Final = 600.0
_VOLATILE: Final = ("created_ago", "annotations_ids", "annotations_results", "predictions_results", "annotators")


class SkippedError(Exception):
    """A fault that cannot be made on this machine; the message says why."""


def choice(label: str) -> list[dict[str, Any]]:
    """Return an answer as a result."""
    return [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]


# ---------------------------------------------------------------------- Label Studio and its people


class House:
    """A Label Studio with people, and a project that is none of the service's business.

    Parameters
    ----------
    studio
        Running; may be replaced when it is restarted.
    people
        How many annotators there are.
    """

    def __init__(self, studio: LocalStudio, people: int = 4) -> None:
        self.studio = studio
        names = [f"{random.SystemRandom().randrange(16**6):06x}-{n}@example.com" for n in range(people)]
        self.people = [studio.add_annotator(name) for name in names]
        self.visitor = studio.add_annotator(names[0].replace("-0@", "-visitor@"))
        self._other = self.make_project("somebody else's", 5, 3)

    def make_project(self, title: str, tasks: int, answered: int) -> Project:
        """Make a project with answers, another model's predictions, and a tab of its owner's."""
        ann, bob, *_ = self.people
        rng = random.Random(0)
        given = [
            GivenAnnotation(task, who.id, choice(rng.choice("aab"))) for task in range(answered) for who in (ann, bob)
        ]
        project = create_project(self.studio, title, CONFIG, [{"text": f"text {n}"} for n in range(tasks)], given)
        theirs = [
            {"task": task, "result": choice("c"), "score": 0.5, "model_version": THEIRS} for task in project.tasks[::2]
        ]
        self.ask("POST", f"/api/projects/{project.id}/import/predictions", theirs)
        tab = {"title": "Mine", "ordering": ["-tasks:id"], "columnsWidth": {"tasks:id": 120}}
        self.ask("POST", "/api/dm/views/", {"project": project.id, "data": tab})
        return project

    def ask(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """Send a request as the owner; return the answer's JSON."""
        response = self.studio.api.request(method, path, json=body, params=params)
        if response.is_error:
            raise StudioError(f"{method} {path}: {response.status_code} {response.text[:300]}")
        return response.json() if response.content else None

    def traces(self, project: int) -> dict[str, Any]:
        """Return what belongs to others: of this project and of another."""
        everything = {"fields": "all", "page_size": 1000}
        return {
            "predictions of another model": _by_others(self.ask("GET", "/api/predictions/", project=project)),
            "the owner's tab": _not_ours(self.ask("GET", "/api/dm/views/", project=project)),
            "another project's settings": self.ask("GET", f"/api/projects/{self._other.id}/"),
            "another project's tasks": _timeless(self.ask("GET", "/api/tasks/", project=self._other.id, **everything)),
            "another project's predictions": _by_others(self.ask("GET", "/api/predictions/", project=self._other.id)),
            "another project's tabs": self.ask("GET", "/api/dm/views/", project=self._other.id),
        }


def _by_others(rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [_timeless(row) for row in sorted(rows, key=lambda row: row["id"]) if not is_ours(row["model_version"])]


def _timeless(value: Any) -> Any:
    """Return what Label Studio said without "created 2 minutes ago", and without lists joined in any order."""
    if isinstance(value, list):
        return [_timeless(item) for item in value]
    if isinstance(value, dict):
        return {name: _timeless(item) for name, item in value.items() if name not in _VOLATILE}
    return value


def _not_ours(views: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [view for view in views if view["data"]["title"] != "Crowd: next tasks"]


# ---------------------------------------------------------------------- what stands between two parties


@dataclass(frozen=True)
class Passing:
    """A request at a proxy, and the port that it came from."""

    method: str
    path: str
    client_port: int
    proxy_port: int


class Proxy:
    """Passes HTTP requests on to an address; runs within a ``with`` block.

    Parameters
    ----------
    target
        The address.
    delay
        Seconds that every answer is kept back.
    drops
        Whether a request is thrown away, its connection closed without an answer.
    sees
        Called with each request as it is passed on: an effect of it and what is done here happen side by side.
    """

    def __init__(
        self,
        target: str,
        *,
        delay: float = 0.0,
        drops: Callable[[Passing], bool] = lambda _: False,
        sees: Callable[[Passing], None] = lambda _: None,
    ) -> None:
        self.delay = delay
        self.dropped = 0
        where = urlsplit(target)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                with contextlib.suppress(ConnectionError):
                    super().handle_one_request()
                    return
                self.close_connection = True

            def pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                passing = Passing(self.command, self.path, self.client_address[1], proxy.port)
                if drops(passing):
                    proxy.dropped += 1
                    self.close_connection = True
                    return
                upstream = http.client.HTTPConnection(where.hostname or "", where.port, timeout=300)
                try:
                    upstream.request(self.command, self.path, body, dict(self.headers.items()))
                    sees(passing)
                    answer = upstream.getresponse()
                    content = answer.read()
                except OSError:
                    self.close_connection = True
                    return
                finally:
                    upstream.close()
                time.sleep(proxy.delay)
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = pass_on  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


# ---------------------------------------------------------------------- processes


def worker_processes(folder: Path) -> list[int]:
    """Return the ids of the worker processes of a service whose files are in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (path / "cmdline").read_bytes(), (path / "environ").read_bytes()
            ended = (path / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
        except OSError:
            continue
        if b"\0worker\0" in command and f"MODEL_DIR={folder}/models".encode() in environment and not ended:
            found.append(int(path.name))
    return sorted(found)


def sender(passing: Passing, processes: Sequence[int]) -> int | None:
    """Return which of these processes a request came from."""
    ports = f":{passing.client_port:04X} ", f":{passing.proxy_port:04X} "
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if columns[1].endswith(ports[0].strip()) and columns[2].endswith(ports[1].strip()):
            inodes.add(f"socket:[{columns[9]}]")
    for process in processes:
        for descriptor in Path(f"/proc/{process}/fd").glob("*"):
            with contextlib.suppress(OSError):
                if os.readlink(descriptor) in inodes:
                    return process
    return None


class Executioner:
    """Kills a worker when one of its requests is on its way to Label Studio; each name of `at` once, in order.

    Parameters
    ----------
    at
        Names of moments, as in `MOMENTS`.
    """

    MOMENTS: Final[Mapping[str, Callable[[Passing], bool]]] = {
        "opening a task": lambda p: p.method == "PATCH" and p.path.startswith("/api/tasks/"),
        "importing a queue": lambda p: p.path.endswith("/import/predictions"),
        "switching to it": lambda p: p.method == "PATCH" and p.path.startswith("/api/projects/"),
        "writing a prediction": lambda p: p.method in ("POST", "PATCH") and p.path.startswith("/api/predictions/"),
        "deleting a version": lambda p: p.method == "DELETE" and p.path.endswith("/model-versions/"),
        "reading tasks": lambda p: p.method == "GET" and p.path.startswith("/api/tasks/"),
    }

    def __init__(self, folder: Path, at: Sequence[str]) -> None:
        self._folder = folder
        self.left = list(at)
        self.killed: list[tuple[str, int]] = []
        self._lock = threading.Lock()

    def __call__(self, passing: Passing) -> None:
        """Look at a request, and kill its sender if it is time."""
        with self._lock:
            if not self.left or not self.MOMENTS[self.left[0]](passing):
                return
            process = sender(passing, worker_processes(self._folder))
            if process is not None:
                os.kill(process, signal.SIGKILL)
                self.killed.append((self.left.pop(0), process))


# ---------------------------------------------------------------------- annotators at work


class Load:
    """Annotators who label, skip, correct and delete, and an owner who imports, edits and deletes tasks.

    Runs within a ``with`` block. What Label Studio did not acknowledge does not count.

    Attributes
    ----------
    given
        Annotation → its task, as acknowledged.
    taken_back
        Annotations that their authors deleted, and those of tasks that were.
    starved
        How often somebody was told that there is no task.
    """

    def __init__(self, house: House, project: Project, *, pause: float = 0.6, seed: int = 0, owner: bool = True):
        self._house = house
        self._project = project
        self._pause = pause
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.given: dict[int, int] = {}
        self.taken_back: set[int] = set()
        self.tasks_deleted: set[int] = set()
        self.starved = 0
        self.errors: Counter[str] = Counter()
        work: list[tuple[Callable[..., None], Any]] = [(self._annotate, person) for person in house.people]
        work += [(self._own, None)] * owner
        self._threads = [
            threading.Thread(target=self._keep_on, args=(what, who, random.Random(f"{seed} {n}")), daemon=True)
            for n, (what, who) in enumerate(work)
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _keep_on(self, what: Callable[..., None], who: Any, rng: random.Random) -> None:
        mine: list[int] = []
        while not self._stop.wait(rng.uniform(0.2, 1.8) * self._pause):
            try:
                what(who, rng, mine)
            except (StudioError, httpx.HTTPError, RuntimeError) as error:  # noqa: PERF203  # a closed client is the last
                with self._lock:
                    self.errors[type(error).__name__] += 1
                self._stop.wait(0.5)

    def _annotate(self, person: Annotator, rng: random.Random, mine: list[int]) -> None:
        what = rng.random()
        if what < 0.08 and mine:
            body = {"result": choice(rng.choice("abc"))}
            person.api.patch(f"/api/annotations/{rng.choice(mine)}/", json=body).raise_for_status()
            return
        if what < 0.12 and mine:
            gone = mine.pop(rng.randrange(len(mine)))
            with self._lock:
                self.taken_back.add(gone)  # before it is: an answer that is lost leaves it open
            person.api.delete(f"/api/annotations/{gone}/").raise_for_status()
            return
        task = person.next(self._project.id)
        if task is None:
            self.starved += 1
            return
        if what < 0.17:
            made = person.skip(task["id"])
        else:
            made = person.label(task["id"], choice(rng.choice("aaabc")))
            mine.append(made)
        with self._lock:
            self.given[made] = task["id"]

    def _own(self, _: None, rng: random.Random, mine: list[int]) -> None:
        api, what = self._house.studio.api, rng.random()
        if what < 0.08 and mine:
            task = mine.pop(rng.randrange(len(mine)))
            with self._lock:
                self.tasks_deleted.add(task)
            api.delete(f"/api/tasks/{task}/").raise_for_status()
        elif what < 0.3 and mine:
            body = {"data": {"text": f"edited {rng.random():.6f}"}}
            api.patch(f"/api/tasks/{rng.choice(mine)}/", json=body).raise_for_status()
        else:
            rows = [{"data": {"text": f"new {rng.random():.6f}"}} for _ in range(rng.randint(1, 4))]
            path = f"/api/projects/{self._project.id}/import"
            response = api.post(path, params={"return_task_ids": "true"}, json=rows)
            response.raise_for_status()
            mine += response.json()["task_ids"]


class QueueWatch:
    """Looks, all the time, whether the project's model version is a queue that is there. Within a ``with`` block."""

    def __init__(self, house: House, project: int) -> None:
        self._house = house
        self._project = project
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.looks = 0
        self.missing: list[str] = []

    def __enter__(self) -> QueueWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            with contextlib.suppress(StudioError, httpx.HTTPError, RuntimeError):
                before, versions, after = self._version(), self._versions(), self._version()
                self.looks += 1
                if before == after and not (str(after).startswith(QUEUE_PREFIX) and versions.get(after)):
                    self.missing.append(str(after))

    def _version(self) -> str:
        return str(self._house.ask("GET", f"/api/projects/{self._project}/")["model_version"])

    def _versions(self) -> dict[str, int]:
        path = f"/api/projects/{self._project}/model-versions/"
        return {row["model_version"]: row["count"] for row in self._house.ask("GET", path, extended="true")["static"]}


# ---------------------------------------------------------------------- a project, its service, and what is checked


@dataclass(frozen=True)
class Options:
    """How hard the faults are.

    Attributes
    ----------
    kills
        How often the server is killed.
    away
        Seconds that Label Studio is away.
    seconds
        How long annotators label before and after, and while webhooks are dropped.
    seed
        Of what is random.
    tasks, answered
        How many tasks the project has at first, and how many of them are answered.
    """

    kills: int = 50
    away: float = 20.0
    seconds: float = 8.0
    seed: int = 0
    tasks: int = 80
    answered: int = 15


@dataclass
class Outcome:
    """What a fault did.

    Attributes
    ----------
    given
        Annotations acknowledged while it lasted.
    lost
        Annotations that Label Studio has and the mirror has not, or that Label Studio itself lost.
    duplicates
        Predictions of one of our versions beyond the first of their task.
    touched
        What of others is not as it was.
    fresh_after
        Seconds from the fault's end until everything was in the mirror and scored.
    problems
        Everything else that is not as it should be.
    """

    fault: str
    done: str
    given: int = 0
    lost: int = 0
    duplicates: int = 0
    touched: list[str] = field(default_factory=list)
    fresh_after: float = 0.0
    problems: list[str] = field(default_factory=list)
    skipped: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing was lost, and all is as it should be."""
        return not (self.lost or self.duplicates or self.touched or self.problems)


class Room:
    """A project with its service, within a ``with`` block; the service is connected by `connect`.

    Parameters
    ----------
    folder
        New; where the service's files are.
    options
        How large the project is.
    store
        By default an SQLite file in the folder.
    queue
        A Redis; then there are `workers` worker processes.
    studio_url
        Where the service is to find Label Studio.
    """

    def __init__(
        self,
        house: House,
        folder: Path,
        *,
        options: Options,
        store: str | None = None,
        queue: str | None = None,
        workers: int = 2,
        studio_url: str | None = None,
        **environment: str,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.house = house
        self.folder = folder
        self.store = store or f"sqlite:///{folder}/mirror.sqlite"
        self.studio_url = studio_url or house.studio.url
        more = {"LABEL_STUDIO_CROWD_QUEUE": queue} if queue else {}
        settings = {
            "LABEL_STUDIO_URL": self.studio_url,
            "LABEL_STUDIO_API_KEY": house.studio.admin_token,
            "LABEL_STUDIO_CROWD_STORE": self.store,
            "LABEL_STUDIO_CROWD_POLL_SECONDS": "2",
            **more,
            **environment,
        }
        self.service = ServiceProcess(folder, settings)
        self.workers = [ServiceProcess(folder, settings, "worker") for _ in range(workers if queue else 0)]
        self.project = house.make_project(folder.name, options.tasks, options.answered)
        self._before = house.traces(self.project.id)
        self.connected = False

    def __enter__(self) -> Room:
        for process in (self.service, *self.workers):
            process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (self.service, *self.workers):
            process.stop()
            process.http.close()
        with contextlib.suppress(httpx.HTTPError):
            self.house.studio.api.delete(f"/api/projects/{self.project.id}/")

    def connect(self, address: str | None = None, *, wait: bool = True) -> None:
        """Add the backend as the Model page does, and wait until all is published."""
        body = {"project": self.project.id, "url": address or self.service.url, "title": "crowd"}
        self.house.ask("POST", "/api/ml", body)
        self.connected = True
        if wait:
            self.until_fresh([])

    def load(self, **how: Any) -> Load:
        """Return annotators at work on the project."""
        return Load(self.house, self.project, **how)

    def mirror(self) -> Mirror:
        """Open the service's store; close it again."""
        return Mirror(self.store)

    def settings(self) -> Settings:
        """Return the settings of the service."""
        token = self.house.studio.admin_token
        return Settings(url=self.studio_url, api_key=token, store=self.store, classifier="none")

    def until_fresh(self, annotations: Sequence[int], patience: float = PATIENCE) -> None:
        """Wait until the project is fresh, and these annotations are in the mirror."""
        wanted = set(annotations)
        with contextlib.closing(self.mirror()) as store:
            mirror = store.project(self.studio_url, self.project.id)
            until(
                lambda: self._fresh(store) and wanted <= {row.id for row in mirror.annotations()},
                patience=patience,
                pause=0.2,
            )

    def until_calm(self, patience: float = PATIENCE) -> None:
        """Wait until the project is fresh after a poll that began after now."""
        with contextlib.closing(self.mirror()) as store:
            began = time.time()
            first = until(lambda: (at := self._fresh(store)) > began and at, patience=patience, pause=0.1)
            until(lambda: self._fresh(store) > first, patience=patience, pause=0.1)

    def _fresh(self, store: Mirror) -> float:
        """Return when the project was last polled if it is fresh, else 0."""
        states = [row for row in Jobs(store, self.settings()).states() if row.project == self.project.id]
        if not states or any(row.word != "fresh" for row in states):
            return 0.0
        mirror = store.project(self.studio_url, self.project.id)
        return max(row.polled_at for row in states) if mirror.last_run() else 0.0

    def describe(self) -> str:
        """Say how the project stands in Label Studio and in the mirror, in a line."""
        info = self.house.ask("GET", f"/api/projects/{self.project.id}/")
        counts = self.house.ask("GET", "/api/projects/counts/", ids=self.project.id)["results"][0]
        path = f"/api/projects/{self.project.id}/model-versions/"
        rows = self.house.ask("GET", path, extended="true")["static"]
        versions = ", ".join(f"{row['model_version']} {row['count']}" for row in rows)
        with contextlib.closing(self.mirror()) as store:
            held = store.project(self.studio_url, self.project.id).counts()
        return (
            f"{counts['task_number']} tasks, {counts['total_annotations_number']} annotations, "
            f"{counts['skipped_annotations_number']} skips, {counts['finished_task_number']} finished (mirror: "
            f"{held.tasks}, {held.annotations}, {held.skipped}, {held.finished}); serves "
            f"{info['model_version']!r}; predictions: {versions}"
        )

    def outcome(self, fault: str, done: str, load: Load) -> Outcome:
        """Wait for calm, and return what is there and what should be; the load has ended, the fault, too."""
        found = Outcome(fault, done, len(load.given))
        began = time.perf_counter()
        gone = load.tasks_deleted
        here = [row for row, task in load.given.items() if row not in load.taken_back and task not in gone]
        try:
            self.until_fresh(here)
            found.fresh_after = time.perf_counter() - began
            self.until_calm()
        except AssertionError as error:
            found.problems.append(f"never fresh: {error}; {self._states()}")
            found.fresh_after = time.perf_counter() - began
        with contextlib.closing(self.mirror()) as store:
            self._check(found, store.project(self.studio_url, self.project.id), here)
        return found

    def _states(self) -> str:
        with contextlib.closing(self.mirror()) as store:
            rows = Jobs(store, self.settings()).states()
        return "; ".join(f"{row.kind} {row.word} {row.problem or ''}" for row in rows if row.project == self.project.id)

    def _check(self, found: Outcome, mirror: ProjectMirror, here: Sequence[int]) -> None:
        studio = Studio(self.house.studio.url, self.house.studio.admin_token)
        with tempfile.TemporaryDirectory() as directory:
            with contextlib.closing(Mirror(f"sqlite:///{directory}/fresh.sqlite")) as store:
                fresh = store.project(studio.url, self.project.id)
                update_mirror(studio, fresh, self.project.id, full=True)
                found.problems += _differences(mirror, fresh)
                there = {row.id for row in fresh.annotations()}
            held = {row.id for row in mirror.annotations()}
        found.lost = len((there | set(here)) - held) + len(set(here) - there)

        predictions = studio.predictions(self.project.id)
        ours = [row for row in predictions if is_ours(row.model_version)]
        found.duplicates = len(ours) - len({(row.task, row.model_version) for row in ours})
        if _facts(mirror.published()) != _facts(ours):
            found.problems.append("predictions in Label Studio are not those that the mirror remembers")
        traces = self.house.traces(self.project.id)
        found.touched = [
            f"{name}: {where}"
            for name, value in self._before.items()
            if (where := _first_difference(value, traces[name]))
        ]

        served = self.house.ask("GET", f"/api/projects/{self.project.id}/")["model_version"]
        queue = {row.task for row in ours if row.model_version == served}
        with mirror.exclusive(patience=60):
            run = rescore(
                Studio(self.studio_url, self.house.studio.admin_token),
                mirror,
                self.project.id,
                self.settings(),
                dry_run=True,
            )
        if run.plan or run.plan.deferred:
            changes = {name: value for name, value in run.plan.counts().items() if value}
            found.problems.append(f"one more rescore would change something: {changes}")
        if not str(served).startswith(QUEUE_PREFIX) or not queue or queue != set(run.plan.queue):
            found.problems.append(f"the project serves {served!r}, {len(queue)} tasks of {len(run.plan.queue)}")
        task = self.house.visitor.next(self.project.id)
        if task is None or task["id"] not in queue:
            found.problems.append("somebody new is served " + ("nothing" if task is None else "what is not queued"))
        written = "".join(process.log.read_text() for process in (self.service, *self.workers))
        if tracebacks := written.count("Traceback (most recent call last)"):
            found.problems.append(f"{tracebacks} tracebacks in the logs")
        if not self.workers and len(workers := worker_processes(self.folder)) != 1:
            found.problems.append(f"{len(workers)} worker processes")


def _first_difference(before: Any, after: Any) -> str:
    """Say where two values differ, and how; nothing if they are the same."""
    if before == after:
        return ""
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        return next(f"{key}.{found}" for key in before if (found := _first_difference(before[key], after[key])))
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return next(f"{at}.{found}" for at, pair in pairs if (found := _first_difference(*pair)))
    return f"{before!r:.60} → {after!r:.60}"


def _differences(mirror: ProjectMirror, fresh: ProjectMirror) -> list[str]:
    pairs: dict[str, tuple[Any, Any]] = {
        "tasks": (mirror.tasks().ids.tolist(), fresh.tasks().ids.tolist()),
        "data": (mirror.data(), fresh.data()),
        "overlaps": (mirror.tasks().overlap.tolist(), fresh.tasks().overlap.tolist()),
        "states": (mirror.tasks().is_labeled.tolist(), fresh.tasks().is_labeled.tolist()),
        "annotations": (mirror.annotations(), fresh.annotations()),
    }
    return [f"the mirror's {name} are not those of a full pull" for name, (ours, new) in pairs.items() if ours != new]


def _facts(predictions: Sequence[Prediction]) -> list[tuple[Any, ...]]:
    rows = sorted(predictions, key=lambda row: row.id)
    return [(row.id, row.task, row.model_version, row.score, [item["value"] for item in row.result]) for row in rows]


# ---------------------------------------------------------------------- the faults


def server_killed(house: House, folder: Path, options: Options) -> Outcome:
    """Kill the server by SIGKILL at random moments, again and again."""
    rng = random.Random(options.seed)
    with Room(house, folder, options=options) as room:
        room.connect()
        with _at_work(room, options) as (load, watch):
            for _ in range(options.kills):
                time.sleep(rng.uniform(0.1, 4.0))
                room.service.kill()
                time.sleep(rng.uniform(0.0, 0.5))
                room.service.start()
        return _judged(room, "server killed", f"SIGKILL {options.kills} times at random moments", load, watch)


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
        with room.load(seed=options.seed, owner=False) as load:  # an import fails whole if one of its tasks is gone
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
}


def main() -> int:
    """Run the faults, print what they did, and return 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", nargs="+", choices=FAULTS, default=list(FAULTS), metavar="NAME")
    parser.add_argument("--kills", type=int, default=50, help="of the server")
    parser.add_argument("--away", type=float, default=20.0, help="seconds that Label Studio is stopped")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where the outcomes are written")
    parser.add_argument("--keep", type=Path, help="a new folder, which keeps stores and logs")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended
    options = Options(given.kills, given.away, seed=given.seed)
    outcomes = []
    with ExitStack() as stack:
        directory = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        directory.mkdir(parents=True, exist_ok=True)
        house = House(LocalStudio(directory / "label-studio", port=free_port()).__enter__())
        stack.callback(lambda: house.studio.stop())
        for name in given.only:
            console.print(f"[bold]{name}[/]: {' '.join((FAULTS[name].__doc__ or '').split())}")
            outcomes.append(_tried(house, name, directory / name, options))
            verdict = "skipped: " + outcomes[-1].skipped if outcomes[-1].skipped else _verdict(outcomes[-1])
            console.print(f"  [bold]{verdict}[/]", highlight=False)
            if given.json:
                given.json.write_text(json.dumps([asdict(row) for row in outcomes], indent=1) + "\n")
            if not given.keep:
                shutil.rmtree(directory / name, ignore_errors=True)
    _show(outcomes)
    return int(not all(outcome.well for outcome in outcomes))


def _tried(house: House, name: str, folder: Path, options: Options) -> Outcome:
    try:
        return FAULTS[name](house, folder, options)
    except SkippedError as error:
        return Outcome(name, "", skipped=str(error))
    except Exception as error:  # the other faults are tried all the same
        console.print_exception()
        return Outcome(name, "", problems=[f"{type(error).__name__}: {error}"])


def _verdict(outcome: Outcome) -> str:
    if outcome.well:
        return "nothing lost, all in order"
    return "; ".join([f"{outcome.lost} lost"] * bool(outcome.lost) + outcome.touched + outcome.problems) or "duplicates"


def _show(outcomes: Sequence[Outcome]) -> None:
    table = Table(title="Faults")
    for column in ("fault", "what was done"):
        table.add_column(column)
    for column in ("given meanwhile", "lost", "duplicate predictions", "others' data touched", "fresh after (s)"):
        table.add_column(column, justify="right")
    table.add_column("verdict")
    for row in outcomes:
        if row.skipped:
            table.add_row(row.fault, "skipped", *[""] * 5, row.skipped)
            continue
        numbers = (row.given, row.lost, row.duplicates, ", ".join(row.touched) or "no", f"{row.fresh_after:.1f}")
        table.add_row(row.fault, row.done, *map(str, numbers), _verdict(row))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
