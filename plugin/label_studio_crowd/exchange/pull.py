"""Label Studio → mirror: what changed, or all of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from label_studio_crowd.project import Project
from label_studio_crowd.studio.records import Counts

_MARGIN_SECONDS: Final = 10
"""A transaction may commit some seconds after its `updated_at`."""
_MANY: Final = 50
"""Tasks up to which they are read one by one."""


@dataclass(frozen=True)
class Pulled:
    """What a pull brought: tasks new or changed, tasks deleted, and whether all were read."""

    changed: int
    deleted: int
    full: bool


def look_up(project: Project) -> dict[str, Any]:
    """Return a project's settings in Label Studio, and see to it that the mirror is of this project.

    Raises
    ------
    StudioError
        If there is no such project.
    """
    info = project.studio.project(project.number)
    project.store.belong_to(info["created_at"])
    return info


def update_mirror(project: Project, *, full: bool = False) -> Pulled:
    """Bring the mirror up to Label Studio's state.

    Changed tasks are found by their `updated_at`. Deletions and changes in bulk leave no such trace: where the
    numbers of tasks, annotations, skips or finished tasks differ, the states of all tasks are swept, and where
    they still differ all is read anew.
    """
    started, mirror = project.studio.time(), project.store.mirror
    since = None if full else mirror.complete_until()
    pulled = _pull_changes(project, since) if since else None
    if pulled is None:
        pulled = _pull_all(project)
    # what changes during a pull may be behind it: the next one begins where this one did
    mirror.set_complete_until(None if started is None else _before(started))
    return pulled


def _before(time: str) -> str:
    """Return a time (ISO) some seconds before another."""
    return f"{np.datetime64(time.rstrip('Z'), 'us') - np.timedelta64(_MARGIN_SECONDS, 's')}Z"


def _pull_changes(project: Project, since: str) -> Pulled | None:
    """Read what changed since a time, or return None if that does not explain Label Studio's counts."""
    studio, mirror = project.studio, project.store.mirror
    changed, deleted = 0, 0
    for attempt in range(3):
        before = studio.counts(project.number)
        pages = studio.tasks(project.number, since=since, progress=project.progress)
        changed += sum(mirror.apply(page) for page in pages)
        if _between(before, mirror.counts(), studio.counts(project.number)):
            return Pulled(changed, deleted, False)
        if attempt:  # not people who labelled meanwhile, but deletions or changes in bulk
            deleted += refresh_states(project)
            if _between(before, mirror.counts(), studio.counts(project.number)):
                return Pulled(changed, deleted, False)
    return None


def _between(before: Counts, ours: Counts, after: Counts) -> bool:
    """Return whether counts are explained by people who label between the two times."""
    return all(min(a, b) <= own <= max(a, b) for a, own, b in zip(before, ours, after, strict=True))


def refresh_states(project: Project) -> int:
    """Read every task's overlap and state; forget the tasks that are gone and return how many those were.

    Label Studio changes overlaps and states in bulk without moving `updated_at`.
    """
    seen: list[int] = []
    for page in project.studio.task_states(project.number, project.progress):
        seen.extend(task["id"] for task in page)
        project.store.mirror.set_states((task["id"], task["overlap"], task["is_labeled"]) for task in page)
    return project.store.mirror.keep_only(seen)


def sweep(project: Project) -> Pulled:
    """Look at every task's state, and at when its annotations changed; read the tasks again that are not as here.

    What a mirror holds that Label Studio does not, no pull of changes would find.
    """
    differing: list[int] = []
    seen: list[int] = []
    mirror = project.store.mirror
    for page in project.studio.task_states(project.number, project.progress, with_times=True):
        seen.extend(task["id"] for task in page)
        mirror.set_states((task["id"], task["overlap"], task["is_labeled"]) for task in page)
        differing.extend(mirror.differing(page))
    deleted = mirror.keep_only(seen)
    if len(differing) > _MANY:
        return replace(_pull_all(project), deleted=deleted)
    for task in differing:
        mirror.apply(project.studio.task(project.number, task))
    return Pulled(len(differing), deleted, False)


def _pull_all(project: Project) -> Pulled:
    changed = 0
    seen: list[int] = []
    for page in project.studio.tasks(project.number, progress=project.progress):
        changed += project.store.mirror.apply(page)
        seen.extend(task["id"] for task in page)
    return Pulled(changed, project.store.mirror.keep_only(seen), True)


def update_names(project: Project, annotators: Collection[int], *, anew: bool = False) -> None:
    """Keep the annotators' names: read them where one is new, or `anew`."""
    people = project.store.people
    if anew or not people.are_named(annotators):
        people.keep_names(annotators, project.studio.annotator_names())
