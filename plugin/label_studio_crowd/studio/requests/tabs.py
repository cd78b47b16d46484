"""The tabs of the Data Manager, which Label Studio calls views."""

from __future__ import annotations

from functools import partial
from typing import Any

from label_studio_crowd.studio.failures import unless_gone
from label_studio_crowd.studio.requests.server import Server


class Tabs(Server):
    """Requests about a project's tabs."""

    def views(self, project: int) -> list[dict[str, Any]]:
        """Return the Data Manager's tabs."""
        return list(self._read("/api/dm/views/", project=project))

    def columns(self, project: int) -> list[dict[str, Any]]:
        """Return the Data Manager's columns, in Label Studio's order."""
        return list(self._read("/api/dm/columns/", project=project)["columns"])

    def create_view(self, project: int, data: dict[str, Any]) -> int:
        """Create a tab and return its id."""
        return int(self._sdk.views.create(project=project, data=data).id)

    def update_view(self, project: int, view: int, data: dict[str, Any]) -> None:
        """Change a tab."""
        self._sdk.views.update(str(view), project=project, data=data)

    def delete_view(self, view: int) -> bool:
        """Delete a tab; return False if it was gone already."""
        return unless_gone(partial(self._sdk.views.delete, str(view)))
