"""Carries a plan out. A stop at any point leaves a working queue, and the next run does the rest.

What Label Studio holds is observed before every plan; a run records nothing that its successor must trust,
except that an import was begun: one that an interrupted run sent may still be under way.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeVar

from label_studio_crowd.exchange.edits import Costs, Edits
from label_studio_crowd.exchange.plan import Plan, TaskChange
from label_studio_crowd.project import Project
from label_studio_crowd.store.facts import Fact, Facts
from label_studio_crowd.studio.failures import StudioError
from label_studio_crowd.studio.records import Prediction, VersionState
from label_studio_crowd.studio.versions import is_ours

_Change = TypeVar("_Change")
_ONE_BY_ONE: Final = 200
"""Consensus predictions that a run creates one by one where the import refused them."""
_PATIENCE: Final = 30.0
"""Seconds, at the least, that an import begun by an interrupted run is waited for."""


@dataclass(frozen=True)
class PendingImport(Fact):
    """An import that was begun (Unix time), and after which a version has so many predictions."""

    fact = "pending_import"

    version: str
    expected: int
    at: float


def measured_costs(facts: Facts) -> Costs:
    """Return what writing to this project costs, as measured so far."""
    return facts.read(Costs) or Costs()


def pending_version(facts: Facts) -> str | None:
    """Return the version of an import that was begun and not seen to end."""
    pending = facts.read(PendingImport)
    return pending.version if pending else None


def observe(
    project: Project,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> list[Prediction]:
    """Return our predictions in Label Studio, read again if they differ from what the mirror remembers."""
    versions = _after_pending_import(project, sleep, clock)
    if versions != project.store.published.versions():
        _read_predictions(project, versions)
    return project.store.published.predictions()


def is_as_published(project: Project) -> bool:
    """Return whether Label Studio holds our predictions as they should be, as far as their numbers tell.

    What a worker that was killed had sent may have been done since, beside what its successor wrote.
    """
    published = project.store.published
    return (
        project.store.facts.read(PendingImport) is None
        and _our_versions(project) == published.versions()
        and not published.has_duplicates()
    )


def _our_versions(project: Project) -> dict[str, VersionState]:
    found = project.studio.model_versions(project.number)
    return {version: state for version, state in found.items() if is_ours(version)}


def _read_predictions(project: Project, versions: dict[str, VersionState]) -> None:
    project.store.published.replace(_our_predictions(project))
    project.store.published.keep_versions(versions)


def _our_predictions(project: Project) -> list[Prediction]:
    return [row for row in project.studio.predictions(project.number) if is_ours(row.model_version)]


def _after_pending_import(
    project: Project, sleep: Callable[[float], None], clock: Callable[[], float]
) -> dict[str, VersionState]:
    """Return our versions, once an import that an interrupted run began has ended or can be given up."""
    versions = _our_versions(project)
    pending = project.store.facts.read(PendingImport)
    if pending is None:
        return versions
    patience = max(_PATIENCE, 5 * measured_costs(project.store.facts).bulk)
    # a clock that was put back since says that it is yet to begin: it is not waited for longer than for a new one
    waits, began = patience - max(0.0, time.time() - pending.at), clock()
    while (waited := clock() - began) < waits:
        found = versions.get(pending.version)
        if found is not None and found.count >= pending.expected:
            break
        project.progress("waiting for an import that an interrupted run began", int(waited), int(waits))
        sleep(0.5)
        versions = _our_versions(project)
    project.store.facts.forget(PendingImport)
    return versions


@dataclass(frozen=True)
class Published:
    """What came of a plan: warnings of what Label Studio's import refused, and how many changes are left."""

    warnings: list[str]
    left: int


def carry_out(plan: Plan, project: Project, *, seconds: float = math.inf) -> Published:
    """Carry out a plan.

    The order keeps annotators supplied: tasks are opened before the queue names them, a new queue is
    complete before the project is switched to it, and the old one is deleted last.

    Parameters
    ----------
    seconds
        About how long it may take: what is changed one by one is broken off then, each kind with a share of the
        time, and left for the next run.

    Raises
    ------
    StudioError
        If Label Studio refuses a change. The project stays on the queue it has until all of the new one is there.
    """
    work = _Publication(project, seconds)
    if plan:  # until `settle`: a change that Label Studio made and nobody noted is found by reading all anew
        project.store.published.forget_versions()
    work.change_tasks("opening tasks for one more annotator", plan.reopen, share=0.5)
    work.edit("writing the queue", plan.queue_edits, share=0.8, whole=True)
    if plan.switch_to is not None:
        project.studio.update_project(project.number, model_version=plan.switch_to)
    work.change_tasks("closing tasks", plan.close, share=0.9)
    work.edit("writing the consensus", plan.consensus_edits, share=1.0)
    for version in plan.obsolete:
        with work.timed("delete_version"):
            project.studio.delete_version(project.number, version)
    work.settle()
    return Published(work.warnings, work.left)


class _Publication:
    """The steps of one publication, and what they cost."""

    def __init__(self, project: Project, seconds: float) -> None:
        self._project = project
        self._studio = project.studio
        self._store = project.store
        self._seconds: dict[str, list[float]] = {}
        self._begun, self._allowed = time.monotonic(), seconds
        self.left = 0
        self.warnings: list[str] = []

    def _in_time(self, what: str, changes: Sequence[_Change], share: float) -> Iterator[_Change]:
        """Yield changes until a share of the time is over, one at the least; the others are left."""
        for done, change in enumerate(changes, 1):
            yield change
            self._project.progress(what, done, len(changes))
            if time.monotonic() - self._begun > share * self._allowed:
                self.left += len(changes) - done
                return

    @contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._seconds.setdefault(kind, []).append(time.perf_counter() - start)

    def change_tasks(self, what: str, changes: Sequence[TaskChange], *, share: float) -> None:
        for change in self._in_time(what, changes, share):
            with self.timed("edit"):
                self._studio.set_task(change.task, overlap=change.overlap, is_labeled=change.is_labeled)
            self._store.mirror.set_states([(change.task, change.overlap, change.is_labeled)])

    def edit(self, what: str, edits: Edits, *, share: float, whole: bool = False) -> None:
        """Create, then change, then delete: there is always something to serve.

        Parameters
        ----------
        whole
            Take the time that it takes to create all, rather than leave some for the next run.
        """
        create = edits.create
        if edits.bulk and create:
            self._project.progress(what, 0, 1)
            create = self._import(edits)
            self._project.progress(what, 1, 1)
        if whole:
            for done, item in enumerate(create, 1):
                self._create(item)
                self._project.progress(what, done, len(create))
            create = ()
        elif edits.bulk and len(create) > _ONE_BY_ONE:
            left = len(create) - _ONE_BY_ONE
            self.left += left
            self.warnings.append(
                f"Label Studio's import refused {len(create)} of {len(edits.create)} predictions of {edits.version} "
                f"and gave no reason. They are created one by one, {_ONE_BY_ONE} in each run; {left} are left."
            )
            create = create[:_ONE_BY_ONE]
        known = {row.id: row for row in self._store.published.predictions()} if edits.update else {}
        singles: list[Callable[[], None]] = [partial(self._create, item) for item in create]
        singles += [partial(self._update, known[row], fields) for row, fields in edits.update.items()]
        singles += [partial(self._delete, row) for row in edits.delete]
        for change in self._in_time(what, singles, share):
            with self.timed("edit"):
                change()

    def _create(self, item: dict[str, Any]) -> None:
        created = self._studio.create_prediction(item)
        if created is not None:
            row = Prediction(created, item["task"], item["model_version"], item["score"], item["result"])
            self._store.published.put(row)

    def _update(self, row: Prediction, fields: Mapping[str, Any]) -> None:
        if self._studio.update_prediction(row.id, **fields):
            score, result = fields.get("score", row.score), fields.get("result", row.result)
            self._store.published.put(Prediction(row.id, row.task, row.model_version, score, result))
        else:
            self._store.published.drop(row.id)

    def _delete(self, prediction: int) -> None:
        self._studio.delete_prediction(prediction)
        self._store.published.drop(prediction)

    def _import(self, edits: Edits) -> tuple[dict[str, Any], ...]:
        """Import predictions and return those that Label Studio left out.

        Its import knows less of a labeling config than its pages do: it refuses choices that come with each task, paths
        of nested choices and more. What it gives no reason for is no reason to go without it.
        """
        before = _our_versions(self._project).get(edits.version)
        already, items = before.count if before else 0, list(edits.create)
        try:
            created = self._import_once(items, already)
        except StudioError as error:
            # one task that is gone, and Label Studio refuses all: owners delete tasks while a run is under way
            items = self._still_there(edits.create) if error.status == 400 else []
            if not 0 < len(items) < len(edits.create):
                raise
            created = self._import_once(items, already)
        self._store.published.replace(_our_predictions(self._project))
        self._store.facts.forget(PendingImport)
        if created == len(items):
            return ()
        there = {row.task for row in self._store.published.predictions() if row.model_version == edits.version}
        return tuple(item for item in items if item["task"] not in there)

    def _import_once(self, items: Sequence[dict[str, Any]], already: int) -> int:
        pending = PendingImport(items[0]["model_version"], already + len(items), time.time())
        self._store.facts.write(pending)
        try:
            with self.timed("bulk"):
                return self._studio.import_predictions(self._project.number, items)
        except StudioError as error:
            if error.status is not None and error.status < 500:  # refused whole: nothing is under way
                self._store.facts.forget(PendingImport)
            raise

    def _still_there(self, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        there = {task["id"] for page in self._studio.task_states(self._project.number) for task in page}
        return [item for item in items if item["task"] in there]

    def settle(self) -> None:
        """Leave the mirror with what Label Studio really holds, and remember what writing cost."""
        versions = _our_versions(self._project)
        held = Counter(row.model_version for row in self._store.published.predictions())
        if dict(held) == {version: state.count for version, state in versions.items()}:
            self._store.published.keep_versions(versions)
        else:
            _read_predictions(self._project, versions)
        measured = {kind: sorted(seconds)[len(seconds) // 2] for kind, seconds in self._seconds.items()}
        self._store.facts.write(replace(measured_costs(self._store.facts), **measured))
