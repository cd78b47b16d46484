"""TO BE DELETED when callers hold `ProjectStore` and its parts: today's names of what moved, and nothing else.

`Mirror` of all projects is `projects.Store`, `ProjectMirror` of one is `projects.ProjectStore`. Then `mirrored` may be
called `mirror`.
"""

# ruff: noqa: D101, D102
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy.engine import Connection

from label_studio_crowd.store.mirrored import Annotation, Tasks
from label_studio_crowd.store.people import DELETED_USER
from label_studio_crowd.store.projects import ProjectStore, Store
from label_studio_crowd.store.trainings import Probabilities
from label_studio_crowd.studio.client import Counts, Prediction, VersionState

__all__ = ["DELETED_USER", "Annotation", "Mirror", "Probabilities", "ProjectMirror", "Tasks"]


class Mirror(Store):
    def project(self, server: str, project: int) -> ProjectMirror:  # type: ignore[override]
        return ProjectMirror(super().project(server, project))

    def known_project(self, server: str, project: int) -> ProjectMirror | None:  # type: ignore[override]
        found = super().known_project(server, project)
        return None if found is None else ProjectMirror(found)


class ProjectMirror:
    def __init__(self, parts: ProjectStore) -> None:
        self.parts = parts

    @property
    def store(self) -> Store:
        return self.parts.store

    @property
    def key(self) -> int:
        return self.parts.key

    def exclusive(self, patience: float = 0.0) -> AbstractContextManager[None]:
        return self.parts.exclusive(patience)

    def may_be_of(self, created_at: str) -> bool:
        return self.parts.may_be_of(created_at)

    def belong_to(self, created_at: str) -> None:
        self.parts.belong_to(created_at)

    # facts

    def remember(self, name: str, value: Any) -> None:
        self.parts.facts.remember(name, value)

    def recall(self, name: str) -> Any:
        return self.parts.facts.recall(name)

    def forget(self, *names: str) -> None:
        self.parts.facts.forget(*names)

    # mirror

    def apply(self, tasks: Sequence[Mapping[str, Any]]) -> int:
        return self.parts.mirror.apply(tasks)

    def keep_only(self, ids: Iterable[int]) -> int:
        return self.parts.mirror.keep_only(ids)

    def put_annotations(
        self, connection: Connection, annotations: Sequence[Mapping[str, Any]], tasks: Sequence[Mapping[str, Any]]
    ) -> bool:
        return self.parts.mirror.put_annotations(connection, annotations, tasks)

    def drop_annotations(self, connection: Connection, ids: Sequence[int]) -> None:
        self.parts.mirror.drop_annotations(connection, ids)

    def drop_tasks(self, connection: Connection, ids: Sequence[int]) -> None:
        self.parts.mirror.drop_tasks(connection, ids)

    def annotation_counts(self, tasks: Sequence[int]) -> dict[int, int]:
        return self.parts.mirror.annotation_counts(tasks)

    def set_states(self, states: Iterable[tuple[int, int, bool]]) -> None:
        self.parts.mirror.set_states(states)

    def counts(self) -> Counts:
        return self.parts.mirror.counts()

    def newest(self) -> str | None:
        return self.parts.mirror.newest()

    def newest_data(self) -> str:
        return self.parts.mirror.newest_data()

    def tasks(self) -> Tasks:
        return self.parts.mirror.tasks()

    def data_changed_since(self, since: str) -> list[int]:
        return self.parts.mirror.data_changed_since(since)

    def data(self, tasks: Sequence[int] | None = None) -> dict[int, dict[str, Any]]:
        return self.parts.mirror.data(tasks)

    def annotations(self) -> list[Annotation]:
        return self.parts.mirror.annotations()

    def annotations_of(self, task: int) -> list[Annotation]:
        return self.parts.mirror.annotations_of(task)

    # published

    def published(self) -> list[Prediction]:
        return self.parts.published.predictions()

    def set_published(self, predictions: Sequence[Prediction]) -> None:
        self.parts.published.replace(predictions)

    def add_published(self, prediction: Prediction) -> None:
        self.parts.published.put(prediction)

    def drop_published(self, prediction: int) -> None:
        self.parts.published.drop(prediction)

    def versions(self) -> dict[str, VersionState]:
        return self.parts.published.versions()

    def set_versions(self, versions: Mapping[str, VersionState]) -> None:
        self.parts.published.keep_versions(versions)

    # trainings

    def probabilities(self) -> Probabilities | None:
        return self.parts.trainings.last()

    def set_probabilities(self, trained: Probabilities, *, instead_of: str | None = None) -> None:
        self.parts.trainings.keep(trained, instead_of=instead_of)

    # runs

    def snapshot_taken_at(self) -> float | None:
        return self.parts.runs.snapshot_taken_at()

    def snapshot(self) -> bytes | None:
        return self.parts.runs.snapshot()

    def drop_snapshot(self) -> None:
        self.parts.runs.drop_snapshot()

    def set_snapshot(self, content: bytes, taken_at: float) -> None:
        self.parts.runs.keep_snapshot(content, taken_at)

    def add_run(self, report: Mapping[str, Any]) -> None:
        self.parts.runs.add(report)

    def runs(self, most: int) -> list[tuple[float, dict[str, Any]]]:
        return self.parts.runs.newest(most)

    def last_run(self) -> tuple[float, dict[str, Any]] | None:
        return self.parts.runs.last()
