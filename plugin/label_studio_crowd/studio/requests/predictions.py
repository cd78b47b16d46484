"""Predictions, those of others and ours: the queue and the consensus."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from label_studio_crowd.studio.failures import StudioError, unless_gone
from label_studio_crowd.studio.records import Prediction, VersionState
from label_studio_crowd.studio.requests.server import Server


class Predictions(Server):
    """Requests about predictions."""

    def model_versions(self, project: int) -> dict[str, VersionState]:
        """Return every model version that has predictions."""
        # the SDK has no method for this route, nor for deleting one
        found = self._read(f"/api/projects/{project}/model-versions/", extended="true")
        return {row["model_version"]: VersionState(row["count"], row["latest"]) for row in found["static"]}

    def predictions(self, project: int) -> list[Prediction]:
        """Return every prediction of a project, of all model versions."""
        # as JSON: ten thousand cost .1 s of CPU so, and 2 s as the SDK's models
        return [
            Prediction(row["id"], row["task"], row["model_version"], row["score"], row["result"])
            for row in self.prediction_rows(project)
        ]

    def prediction_rows(self, project: int) -> list[dict[str, Any]]:
        """Return every prediction of a project as Label Studio gives it, with its times."""
        return list(self._sdk.ask("GET", "/api/predictions/", params={"project": project}))

    def import_predictions(self, project: int, items: Sequence[dict[str, Any]]) -> int:
        """Import predictions in one request; return how many Label Studio created.

        Label Studio leaves out, without a word, those it finds invalid: compare.
        """
        return int(self._sdk.projects.import_predictions(project, request=items).created)

    def create_prediction(self, item: dict[str, Any]) -> int | None:
        """Create one prediction and return its id, or None if its task is gone."""
        try:
            return int(self._sdk.predictions.create(**item).id)
        except StudioError as error:
            if error.status in (400, 404) and "task" in str(error).lower():
                return None
            raise

    def update_prediction(self, prediction: int, **fields: Any) -> bool:
        """Change a prediction; return False if it is gone."""
        return unless_gone(partial(self._sdk.predictions.update, prediction, **fields))

    def delete_prediction(self, prediction: int) -> bool:
        """Delete a prediction; return False if it was gone already."""
        return unless_gone(partial(self._sdk.predictions.delete, prediction))

    def delete_version(self, project: int, model_version: str) -> None:
        """Delete all predictions of a version, in one transaction: for versions of a few hundred."""
        which = {"model_version": model_version}
        self._sdk.ask("DELETE", f"/api/projects/{project}/model-versions/", json=which)
