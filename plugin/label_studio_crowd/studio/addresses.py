"""Where a project and its tasks are in Label Studio, for a browser."""

from __future__ import annotations

from label_studio_crowd.settings import Settings


def project_url(settings: Settings, project: int) -> str:
    """Return a project's address in Label Studio."""
    return f"{settings.public_url or settings.url}/projects/{project}/data"


def task_url(project_url: str, task: int) -> str:
    """Return a task's address in Label Studio."""
    return f"{project_url}?task={task}"
