"""The consensus as annotations of its own user, written into the project, and taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import orjson

from label_studio_crowd.exchange.author import known_author, make_author
from label_studio_crowd.project import Project
from label_studio_crowd.store.facts import PlainFact
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.wording import count, plural

Result = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Written(PlainFact):
    """The annotations that were written, with what they say (JSON)."""

    fact = "written_annotations"

    by_id: dict[int, str]


@dataclass(frozen=True)
class Changes:
    """What is to be changed in Label Studio.

    Attributes
    ----------
    create, update
        Results by the task, and by the annotation that is there.
    delete
        Annotations that are there and wanted no more.
    same
        How many are there as they should be.
    edited
        Annotations of ours that somebody has changed since: they are left as they are.
    ground_truth
        Whether annotations are to carry the ground-truth flag.
    """

    create: Mapping[int, Result]
    update: Mapping[int, Result]
    delete: tuple[int, ...]
    same: int
    edited: tuple[int, ...]
    ground_truth: bool

    def __bool__(self) -> bool:
        return bool(self.create or self.update or self.delete)

    def in_words(self) -> list[str]:
        """Return what is changed, a line each."""
        flagged = ", as the ground truth" * self.ground_truth
        edited = len(self.edited)
        lines = (
            (len(self.create), f"of the consensus created{flagged}"),
            (len(self.update), f"of the consensus changed{flagged}"),
            (len(self.delete), "of the consensus deleted"),
            (edited, f"of the consensus {plural(edited, 'stays', 'stay')}: changed by somebody since"),
        )
        return [f"{count(number, 'annotation')} {what}" for number, what in lines if number]


def find_changes(project: Project, wanted: Mapping[int, Result], *, ground_truth: bool = False) -> Changes:
    """Return what brings the annotations of the consensus's user to what is wanted.

    Parameters
    ----------
    project
        Its mirror is up to date.
    wanted
        The results by the task; none to take all annotations back.
    ground_truth
        Whether annotations are to carry the ground-truth flag.
    """
    annotations = project.store.mirror.annotations()
    author = known_author(project.store.facts)
    ours = [row for row in annotations if row.annotator == author]
    written = project.store.facts.read(Written) or Written({})
    edited = [row for row in ours if row.id in written.by_id and not _says(row, orjson.loads(written.by_id[row.id]))]
    standing: dict[int, Annotation] = {}
    surplus = []
    for row in (row for row in ours if row not in edited):
        if row.task in wanted and row.task not in standing:
            standing[row.task] = row
        else:
            surplus.append(row.id)
    taken = {row.task for row in edited} | set(standing)
    good = {
        task for task, row in standing.items() if _says(row, wanted[task]) and bool(row.ground_truth) == ground_truth
    }
    return Changes(
        create={task: result for task, result in wanted.items() if task not in taken},
        update={row.id: wanted[task] for task, row in standing.items() if task not in good},
        delete=tuple(surplus),
        same=len(good),
        edited=tuple(row.id for row in edited),
        ground_truth=ground_truth,
    )


def carry_out(project: Project, changes: Changes, *, connected: bool = False) -> None:
    """Make the changes, one by one; what was done until it is stopped is remembered.

    Parameters
    ----------
    connected
        Whether the project serves our queue. Then what is written takes no annotator's place: an open task stays open
        for one more, also when its annotation is deleted.
    """
    written = dict((project.store.facts.read(Written) or Written({})).by_id)
    author = make_author(project) if changes.create else None
    total = len(changes.create) + len(changes.update) + len(changes.delete)
    places = _Places(project) if connected else None
    try:
        for done, _ in enumerate(_steps(project, changes, author, written, places), 1):
            project.progress("writing annotations", done, total)
    finally:
        project.store.facts.write(Written(written))


class _Places:
    """Keeps tasks as open as they are: Label Studio counts an annotation of ours like anybody's."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._task_of = {row.id: row.task for row in project.store.mirror.annotations()}

    @contextmanager
    def added(self, task: int) -> Iterator[None]:
        """Let a task that is open before an annotation comes be so afterwards."""
        before = self._state(task)
        yield
        if before and not before[1]:
            self._set(task, before[0] + 1, is_labeled=False)

    @contextmanager
    def taken(self, annotation: int) -> Iterator[None]:
        """Let a task be open for as many as before its annotation goes, or closed as before."""
        task = self._task_of.get(annotation)
        before = None if task is None else self._state(task)
        yield
        if task is None or before is None:
            return
        overlap, was_closed = before
        after = self._state(task) if was_closed else None
        if overlap > 1 and (not was_closed or (after and not after[1])):
            self._set(task, overlap - 1, is_labeled=was_closed)

    def _state(self, task: int) -> tuple[int, bool] | None:
        """Return a task's overlap and whether it is closed; None where that cannot be read."""
        page = self._project.studio.task(self._project.number, task)
        return next(((row["overlap"], bool(row["is_labeled"])) for row in page.tasks), None)

    def _set(self, task: int, overlap: int, *, is_labeled: bool) -> None:
        self._project.studio.set_task(task, overlap=overlap, is_labeled=is_labeled)
        self._project.store.mirror.set_states([(task, overlap, is_labeled)])


def _steps(
    project: Project, changes: Changes, author: int | None, written: dict[int, str], places: _Places | None
) -> Iterator[None]:
    studio, flag = project.studio, changes.ground_truth
    for task, result in changes.create.items():
        with places.added(task) if places else nullcontext():
            made = studio.create_annotation(task, list(result), completed_by=author, ground_truth=flag)
        if made is not None:
            written[made] = orjson.dumps(list(result)).decode()
        yield
    for annotation, result in changes.update.items():
        if studio.update_annotation(annotation, result=list(result), ground_truth=flag):
            written[annotation] = orjson.dumps(list(result)).decode()
        yield
    for annotation in changes.delete:
        with places.taken(annotation) if places else nullcontext():
            studio.delete_annotation(annotation)
        written.pop(annotation, None)
        yield


def _says(annotation: Annotation, result: Result) -> bool:
    """Return whether an annotation says the same; how sure regions are counts for nothing."""
    return _values(orjson.loads(annotation.result)) == _values(result)


def _values(result: Result) -> list[tuple[Any, ...]]:
    return [tuple(item.get(name) for name in ("from_name", "to_name", "type", "value")) for item in result]
