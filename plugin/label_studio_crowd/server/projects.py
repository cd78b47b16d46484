"""Which projects are served, and in what state: what pages and the JSON API have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException

from label_studio_crowd.service.backend import Backend
from label_studio_crowd.store.jobs import JobState


def served_projects(backend: Backend) -> dict[int, list[JobState]]:
    """Return the projects that are served, with the states of their jobs."""
    served: dict[int, list[JobState]] = {}
    for state in backend.jobs.states():
        served.setdefault(state.project, []).append(state)
    return served


def shown_projects(backend: Backend) -> dict[int, list[JobState]]:
    """Return the projects that have pages: those that are served, and without jobs those that were only looked at."""
    served = served_projects(backend)
    looked_at = backend.store.only_looked_at(backend.settings.url)
    return dict(sorted({**{project: [] for project in looked_at}, **served}.items()))


def not_served(project: int, served: Mapping[int, Any]) -> HTTPException:
    """Return what to raise for a project that is not served; it names those that are."""
    there_are = ", ".join(map(str, list(served)[:50])) or "none yet"
    return HTTPException(
        404, f"Project {project} is not served (served: {there_are}): connect it in Label Studio's Model settings."
    )


def main_job(jobs: Sequence[JobState]) -> JobState:
    """Return the job that says what state a project is in."""
    return next((job for job in jobs if job.kind == "rescore"), jobs[0])
