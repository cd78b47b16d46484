"""Label Studio → mirror: what changed, or all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from label_studio_crowd.mirror import ProjectMirror
from label_studio_crowd.studio import Progress, Studio, silent


@dataclass(frozen=True)
class Pulled:
    """What a pull brought: tasks new or changed, tasks deleted, and whether all were read."""

    changed: int
    deleted: int
    full: bool


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


def pull(
    studio: Studio, mirror: ProjectMirror, project: int, *, full: bool = False, progress: Progress = silent
) -> Pulled:
    """Bring the mirror up to Label Studio's state.

    Changed tasks are found by their `updated_at`. A deleted task leaves no such trace: where the numbers of
    tasks differ the ids are swept, and where the numbers of annotations still differ all is read anew.
    """
    since = None if full else mirror.since()
    if since is None:
        return _pull_all(studio, mirror, project, progress)
    changed = sum(mirror.apply(page) for page in studio.tasks(project, since=since, progress=progress))
    deleted = 0
    num_tasks, num_annotations = studio.counts(project)
    if num_tasks != mirror.counts()[0]:
        deleted = refresh_states(studio, mirror, project, progress=progress)
    if num_annotations != mirror.counts()[1]:
        # people may have labelled since the pull: look once more before reading everything
        changed += sum(mirror.apply(page) for page in studio.tasks(project, since=since))
        if studio.counts(project)[1] != mirror.counts()[1]:
            return _pull_all(studio, mirror, project, progress)
    return Pulled(changed, deleted, False)


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
