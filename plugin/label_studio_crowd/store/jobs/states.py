"""The states of jobs, for pages and commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
import sqlalchemy as sa

from label_studio_crowd.store.jobs.records import JobProgress, JobState
from label_studio_crowd.store.jobs.rules import NOW, OURS, SERVER, WAITS_FOR_QUIET
from label_studio_crowd.store.jobs.table import JobTable
from label_studio_crowd.store.tables import jobs, projects

_SHOWN: Final = ("kind", "wanted_since", "failures", "problem", "retry_at", "polled_at", "away", "progress")
_WITH_PROJECT: Final = sa.join(jobs, projects, projects.c.id == jobs.c.project)

_READ_STATES: Final = (
    sa.select(projects.c.project, (jobs.c.claimed_until > NOW).label("claimed"), *(jobs.c[name] for name in _SHOWN))
    .select_from(_WITH_PROJECT)
    .where(projects.c.server == SERVER)
    .order_by(projects.c.project, jobs.c.kind)
)
_READ_SERVED_KEYS: Final = sa.select(jobs.c.project).where(OURS).distinct()
_FIND_SERVED: Final = (
    sa.select(jobs.c.kind)
    .select_from(_WITH_PROJECT)
    .where(projects.c.server == SERVER, projects.c.project == sa.bindparam("number"))
)
_READ_WAITING: Final = (
    sa.select(jobs.c.project, projects.c.project)
    .select_from(_WITH_PROJECT)
    .where(projects.c.server == SERVER, WAITS_FOR_QUIET)
)


class States(JobTable):
    """The states of jobs."""

    def states(self) -> list[JobState]:
        """Return the states of all jobs of the projects that are served, by project and kind."""
        return [_state(row._mapping) for row in self._read(_READ_STATES)]

    def serves(self, project: int) -> bool:
        """Return whether a project is served."""
        return bool(self._read(_FIND_SERVED, number=project))

    def served_keys(self) -> set[int]:
        """Return the store's own numbers of the projects that are served."""
        return {row[0] for row in self._read(_READ_SERVED_KEYS)}

    def waiting(self) -> list[tuple[int, int]]:
        """Return (key, project) of the projects whose rescore waits for a quiet moment."""
        return [(row[0], row[1]) for row in self._read(_READ_WAITING)]


def _state(row: Mapping[str, Any]) -> JobState:
    claimed, progress = bool(row["claimed"]), row["progress"]
    shown = JobProgress(**orjson.loads(progress)) if claimed and progress else None
    return JobState(**{**row, "claimed": claimed, "away": bool(row["away"]), "progress": shown})
