"""Label Studio → mirror: what changed, or all of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from label_studio_crowd.feedback import Progress, silent
from label_studio_crowd.store.mirror import DELETED_USER, ProjectMirror
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.records import Counts

_NAMES: Final = "names"
_COMPLETE_UNTIL: Final = "complete_until"
_MARGIN_SECONDS: Final = 10
"""A transaction may commit some seconds after its `updated_at`."""


@dataclass(frozen=True)
class Pulled:
    """What a pull brought: tasks new or changed, tasks deleted, and whether all were read."""

    changed: int
    deleted: int
    full: bool


def has_pulled(mirror: ProjectMirror) -> bool:
    """Return whether the mirror is complete up to some time."""
    return mirror.recall(_COMPLETE_UNTIL) is not None


def look_up(studio: Studio, mirror: ProjectMirror, project: int) -> dict[str, Any]:
    """Return a project's settings, and see to it that the mirror is of this project.

    Raises
    ------
    StudioError
        If there is no such project.
    """
    info = studio.project(project)
    mirror.belong_to(info["created_at"])
    return info


def update_mirror(
    studio: Studio, mirror: ProjectMirror, project: int, *, full: bool = False, progress: Progress = silent
) -> Pulled:
    """Bring the mirror up to Label Studio's state.

    Changed tasks are found by their `updated_at`. Deletions and changes in bulk leave no such trace: where the
    numbers of tasks, annotations, skips or finished tasks differ, the states of all tasks are swept, and where
    they still differ all is read anew.
    """
    started = studio.time()
    since = None if full else mirror.recall(_COMPLETE_UNTIL)
    pulled = _pull_changes(studio, mirror, project, since, progress) if since else None
    if pulled is None:
        pulled = _pull_all(studio, mirror, project, progress)
    if started is None:
        mirror.forget(_COMPLETE_UNTIL)
    else:
        # what changes during a pull may be behind it: the next one begins where this one did
        margin = np.timedelta64(_MARGIN_SECONDS, "s")
        mirror.remember(_COMPLETE_UNTIL, f"{np.datetime64(started.rstrip('Z'), 'us') - margin}Z")
    return pulled


def _pull_changes(studio: Studio, mirror: ProjectMirror, project: int, since: str, progress: Progress) -> Pulled | None:
    """Read what changed since a time, or return None if that does not explain Label Studio's counts."""
    changed, deleted = 0, 0
    for attempt in range(3):
        before = studio.counts(project)
        changed += sum(mirror.apply(page) for page in studio.tasks(project, since=since, progress=progress))
        if _between(before, mirror.counts(), studio.counts(project)):
            return Pulled(changed, deleted, False)
        if attempt:  # not people who labelled meanwhile, but deletions or changes in bulk
            deleted += refresh_states(studio, mirror, project, progress=progress)
            if _between(before, mirror.counts(), studio.counts(project)):
                return Pulled(changed, deleted, False)
    return None


def _between(before: Counts, ours: Counts, after: Counts) -> bool:
    """Return whether counts are explained by people who label between the two times."""
    return all(min(a, b) <= own <= max(a, b) for a, own, b in zip(before, ours, after, strict=True))


def refresh_states(studio: Studio, mirror: ProjectMirror, project: int, *, progress: Progress = silent) -> int:
    """Read every task's overlap and state; forget the tasks that are gone and return how many those were.

    Label Studio changes overlaps and states in bulk without moving `updated_at`.
    """
    seen: list[int] = []
    for page in studio.task_states(project, progress):
        seen.extend(task["id"] for task in page)
        mirror.set_states((task["id"], task["overlap"], task["is_labeled"]) for task in page)
    return mirror.keep_only(seen)


def _pull_all(studio: Studio, mirror: ProjectMirror, project: int, progress: Progress) -> Pulled:
    changed = 0
    seen: list[int] = []
    for page in studio.tasks(project, progress=progress):
        changed += mirror.apply(page)
        seen.extend(task["id"] for task in page)
    return Pulled(changed, mirror.keep_only(seen), True)


def update_names(studio: Studio, mirror: ProjectMirror, annotators: Iterable[int], *, anew: bool = False) -> None:
    """Keep the annotators' names: read them where one is new, or `anew`."""
    wanted = set(annotators) - {DELETED_USER}
    if anew or not names(mirror).keys() >= wanted:
        found = {**dict.fromkeys(wanted, ""), **studio.annotator_names()}  # some may have left the organisation
        mirror.remember(_NAMES, {str(user): name for user, name in found.items()})


def names(mirror: ProjectMirror) -> dict[int, str]:
    """Return the annotators' names, as last read."""
    return {int(user): name for user, name in (mirror.recall(_NAMES) or {}).items()}
