"""A project with its service, as a fault finds them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import httpx

from benchmarks.service.faults.checks import check
from benchmarks.service.faults.house import House
from benchmarks.service.faults.outcome import Options, Outcome
from harness.load import Load
from harness.service_process import ServiceProcess, until
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.jobs import Jobs
from label_studio_crowd.store.projects import Store

PATIENCE: Final = 600.0


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
        if store is None and queue is None:
            store, queue = house.store, house.queue
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
        self.before = house.traces(self.project.id)
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

    def load(self, *, owned: bool = True, **how: Any) -> Load:
        """Return annotators at work on the project, and its owner if it is `owned`."""
        owner = (lambda: self.house.studio.api) if owned else None
        return Load(self.house.people, self.project, owner=owner, **how)

    def opened(self) -> Store:
        """Open the service's store; close it again."""
        return Store(self.store)

    def settings(self) -> Settings:
        """Return the settings of the service."""
        token = self.house.studio.admin_token
        return Settings(url=self.studio_url, api_key=token, store=self.store, classifier="none")

    def until_fresh(self, annotations: Sequence[int], patience: float = PATIENCE) -> None:
        """Wait until the project is fresh, and these annotations are in the mirror."""
        wanted = set(annotations)
        with contextlib.closing(self.opened()) as store:
            mirror = store.project(self.studio_url, self.project.id).mirror
            until(
                lambda: self._fresh(store) and wanted <= {row.id for row in mirror.annotations()},
                patience=patience,
                pause=0.2,
            )

    def until_calm(self, patience: float = PATIENCE) -> None:
        """Wait until the project is fresh after a poll that began after now."""
        with contextlib.closing(self.opened()) as store:
            began = time.time()
            first = until(lambda: (at := self._fresh(store)) > began and at, patience=patience, pause=0.1)
            until(lambda: self._fresh(store) > first, patience=patience, pause=0.1)

    def _fresh(self, store: Store) -> float:
        """Return when the project was last polled if it is fresh, else 0."""
        states = [row for row in Jobs(store, self.settings()).states() if row.project == self.project.id]
        if not states or any(row.word != "fresh" for row in states):
            return 0.0
        last = store.project(self.studio_url, self.project.id).runs.last()
        return max(row.polled_at for row in states) if last else 0.0

    def describe(self) -> str:
        """Say how the project stands in Label Studio and in the mirror, in a line."""
        info = self.house.ask("GET", f"/api/projects/{self.project.id}/")
        counts = self.house.ask("GET", "/api/projects/counts/", ids=self.project.id)["results"][0]
        path = f"/api/projects/{self.project.id}/model-versions/"
        rows = self.house.ask("GET", path, extended="true")["static"]
        versions = ", ".join(f"{row['model_version']} {row['count']}" for row in rows)
        with contextlib.closing(self.opened()) as store:
            held = store.project(self.studio_url, self.project.id).mirror.counts()
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
        with contextlib.closing(self.opened()) as store:
            check(self, store.project(self.studio_url, self.project.id), here, found)
        return found

    def _states(self) -> str:
        with contextlib.closing(self.opened()) as store:
            rows = Jobs(store, self.settings()).states()
        return "; ".join(f"{row.kind} {row.word} {row.problem or ''}" for row in rows if row.project == self.project.id)
