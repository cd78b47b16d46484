"""The plugin at work on a project of a real Label Studio, without its service."""

from __future__ import annotations

from typing import Any

from harness.local_studio import LocalStudio
from label_studio_crowd.project import Project
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.projects import Store
from label_studio_crowd.studio.client import Studio

__all__ = ["at_work"]


def at_work(server: LocalStudio, project: int, store: Store, **settings: Any) -> Project:
    """Return a project as the plugin's functions take it, with what `store` keeps of it."""
    chosen = Settings(url=server.url, **settings)
    studio = Studio(server.url, server.admin_token)
    return Project(number=project, studio=studio, store=store.project(server.url, project), settings=chosen)
