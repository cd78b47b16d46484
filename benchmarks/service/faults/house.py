"""A Label Studio, its people and projects, and what in it belongs to others than the service."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final

import httpx

from harness.local_studio import LocalStudio
from harness.project import TEXT_CONFIG, GivenAnnotation, Project, choice, create_project
from harness.studio_install import StudioError
from label_studio_crowd.studio.versions import QUEUE_PREFIX, is_ours

THEIRS: Final = "theirs"
"""The version of another model's predictions."""
_VOLATILE: Final = ("created_ago", "annotations_ids", "annotations_results", "predictions_results", "annotators")


class House:
    """A Label Studio with people, and a project that is none of the service's business.

    Parameters
    ----------
    studio
        Running; may be replaced when it is restarted.
    people
        How many annotators there are.

    Attributes
    ----------
    store, queue
        Those of services that have none of their own; None for SQLite, and one process with its worker.
    """

    def __init__(self, studio: LocalStudio, people: int = 4) -> None:
        self.studio = studio
        self.store: str | None = None
        self.queue: str | None = None
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
        project = create_project(self.studio, title, TEXT_CONFIG, [{"text": f"text {n}"} for n in range(tasks)], given)
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
