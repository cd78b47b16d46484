"""Every task's overlap and state as they were before `connect`, compared with what Label Studio holds.

It needs no more than numbers: a task whose data cannot be read is put back like the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from label_studio_crowd.connection.record import Record
from label_studio_crowd.project import Project
from label_studio_crowd.studio.failures import StudioError, UnreadableError

_ROUNDS: Final = 3
"""People who label meanwhile, and a Label Studio that was killed, leave something for another round."""


@dataclass(frozen=True)
class Task:
    """A task as Label Studio has it, and as it is to be.

    Attributes
    ----------
    overlap, wanted
        How many annotators it is shown to now, and how many it was before `connect`.
    is_labeled
        Whether it is finished.
    annotations, annotators
        How many annotations count towards its end; how many people annotated or skipped it.
    has_skips
        Whether some of these only skipped it.
    """

    id: int
    overlap: int
    wanted: int
    is_labeled: bool
    annotations: int
    annotators: int
    has_skips: bool


@dataclass(frozen=True)
class Unrestored:
    """A task that Label Studio did not put back."""

    task: Task
    is_done: bool

    def __str__(self) -> str:
        task = self.task
        now = f"overlap {task.overlap}, {'finished' if task.is_labeled else 'open'}"
        was = f"overlap {task.wanted}, {'finished' if self.is_done else 'open'}"
        return f"task {task.id} could not be put back: {now}; it should have {was}: change it in Label Studio"


def all_tasks(project: Project, info: Mapping[str, Any], record: Record) -> Iterator[Task]:
    """Yield all tasks of a project.

    Parameters
    ----------
    info
        The project's settings in Label Studio.
    record
        What `connect` recorded.
    """
    usual = int(record.settings["maximum_annotations"])
    skips_count = _skips_count(info)
    for page in project.studio.task_numbers(project.number, project.progress):
        for row in page:
            skips = int(row["cancelled_annotations"] or 0)
            yield Task(
                id=row["id"],
                overlap=row["overlap"],
                wanted=record.overlaps.get(str(row["id"]), usual),
                is_labeled=bool(row["is_labeled"]),
                annotations=int(row["total_annotations"] or 0) + skips * skips_count,
                annotators=len(row["annotators"] or ()),
                has_skips=skips > 0 and not skips_count,
            )


def restore_tasks(project: Project, info: Mapping[str, Any], record: Record) -> tuple[Unrestored, ...]:
    """Put back every task's overlap, and finish or open it accordingly; return the tasks that are not put back."""
    found: tuple[Unrestored, ...] = ()
    for _ in range(_ROUNDS):
        found = tuple(_differences(project, info, record))
        for done, one in enumerate(found, 1):
            _put_back(project, one)
            project.progress("restoring overlaps", done, len(found))
        if not found:
            break
    return tuple(_differences(project, info, record)) if found else ()


def _put_back(project: Project, one: Unrestored) -> None:
    try:
        project.studio.set_task(one.task.id, overlap=one.task.wanted, is_labeled=one.is_done)
    except UnreadableError:  # it answers with the task, which it may fail to write down after the change
        return


def _differences(project: Project, info: Mapping[str, Any], record: Record) -> Iterator[Unrestored]:
    for task in all_tasks(project, info, record):
        may_be_done = task.annotators >= task.wanted
        must_be_open = task.annotations < task.wanted
        if task.overlap != task.wanted or (must_be_open if task.is_labeled else may_be_done):
            is_done = _is_done(project, info, task)
            if task.overlap != task.wanted or task.is_labeled != is_done:
                yield Unrestored(task, is_done)


def _is_done(project: Project, info: Mapping[str, Any], task: Task) -> bool:
    """Return whether a task has as many annotators as it should be shown to, as Label Studio counts them."""
    if task.annotations < task.wanted:
        return False
    if task.annotators >= task.wanted and not task.has_skips:
        return True
    try:  # somebody annotated it twice, or only skipped it, or was deleted: all of these are one
        page = project.studio.task(project.number, task.id)
    except StudioError:
        page = None
    if page is None or not page.tasks:
        return task.annotators >= task.wanted
    rows = [row for row in page.tasks[0]["annotations"] if _skips_count(info) or not row["was_cancelled"]]
    return len({str(row["completed_by"]) for row in rows}) >= task.wanted


def _skips_count(info: Mapping[str, Any]) -> bool:
    return bool(info["skip_queue"] == "IGNORE_SKIPPED")
