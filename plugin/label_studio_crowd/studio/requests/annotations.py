"""Annotations that we write ourselves; all are read with their tasks."""

from __future__ import annotations

from functools import partial
from typing import Any

from label_studio_crowd.studio.failures import StudioError, unless_gone
from label_studio_crowd.studio.own_annotations import own_id
from label_studio_crowd.studio.requests.server import Server


class Annotations(Server):
    """Requests about annotations of the consensus."""

    def create_annotation(
        self, task: int, result: list[dict[str, Any]], *, completed_by: int | None, ground_truth: bool
    ) -> int | None:
        """Create an annotation that exports tell to be ours, and return its id, or None if its task is gone."""
        body = {"result": result, "completed_by": completed_by, "ground_truth": ground_truth, "unique_id": own_id()}
        try:
            return int(self._sdk.ask("POST", f"/api/tasks/{task}/annotations/", json=body)["id"])
        except StudioError as error:
            if error.status == 404:
                return None
            raise

    def update_annotation(self, annotation: int, **fields: Any) -> bool:
        """Change an annotation; return False if it is gone."""
        return unless_gone(partial(self._sdk.ask, "PATCH", f"/api/annotations/{annotation}/", json=fields))

    def delete_annotation(self, annotation: int) -> bool:
        """Delete an annotation; return False if it was gone already."""
        return unless_gone(partial(self._sdk.annotations.delete, annotation))
