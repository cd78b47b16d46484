"""The predictions of the models that are annotators, as Label Studio holds them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.part import Part
from label_studio_crowd.store.people import model_id
from label_studio_crowd.store.rows import as_answer, as_time
from label_studio_crowd.store.tables import KEY, model_predictions
from label_studio_crowd.studio.records import VersionState

_COLUMNS: Final = ("id", "task", "model_version", "result", "created_at", "updated_at")

_OF_PROJECT: Final = model_predictions.c.project == KEY
_ALL: Final = (
    sa.select(*(model_predictions.c[name] for name in _COLUMNS)).where(_OF_PROJECT).order_by(model_predictions.c.id)
)
_OF_TASK: Final = _ALL.where(model_predictions.c.task == sa.bindparam("of_task"))
_OF_SOME: Final = _ALL.where(model_predictions.c.task.in_(sa.bindparam("some", expanding=True)))
_DELETE_ALL: Final = sa.delete(model_predictions).where(_OF_PROJECT)
_DELETE_OF_TASK: Final = _DELETE_ALL.where(model_predictions.c.task == sa.bindparam("of_task"))
_STATES: Final = (
    sa.select(model_predictions.c.model_version, sa.func.count(), sa.func.max(model_predictions.c.created_at))
    .where(_OF_PROJECT)
    .group_by(model_predictions.c.model_version)
)


class ModelAnswers(Part):
    """The predictions of one project's models that are annotators."""

    def take(self, page: Sequence[Mapping[str, Any]], versions: Collection[str]) -> bool:
        """Take in what tasks have of these versions, as Label Studio's API gives them; what they had before goes.

        Returns
        -------
        bool
            Whether they have something else now.
        """
        rows = _of((_row(row, task["id"]) for task in page for row in task["predictions"]), versions)
        tasks = [task["id"] for task in page]
        with self._database.writing() as connection:
            before = connection.execute(_OF_SOME, {"key": self._key, "some": tasks}).fetchall()
            if not _differ(before, rows):
                return False
            self._each(connection, _DELETE_OF_TASK, [{"of_task": task} for task in tasks])
            self._insert(connection, sa.insert(model_predictions), rows)
        return True

    def replace(self, predictions: Iterable[Mapping[str, Any]], versions: Collection[str]) -> bool:
        """Replace everything by what Label Studio has of these versions; return whether that is something else."""
        rows, before = _of((_row(row, row["task"]) for row in predictions), versions), self._read_plain(_ALL)
        with self._database.writing() as connection:
            connection.execute(_DELETE_ALL, {"key": self._key})
            self._insert(connection, sa.insert(model_predictions), rows)
        return _differ(before, rows)

    def states(self) -> dict[str, VersionState]:
        """Return how many predictions each version has here, and when the newest was created."""
        return {version: VersionState(count, latest) for version, count, latest in self._read_plain(_STATES)}

    def answers(self, task: int | None = None) -> list[Annotation]:
        """Return the predictions, or those of a task, as annotations of the models, by task.

        Of several of one version for a task the latest counts.
        """
        rows = self._read_plain(_ALL) if task is None else self._read_plain(_OF_TASK, of_task=task)
        latest: dict[tuple[int, str], tuple[Any, ...]] = {}
        for row in sorted(rows, key=lambda row: (row[5], row[0])):
            latest[row[1], row[2]] = tuple(row)
        return [
            Annotation(prediction, task, model_id(version), result, False, False, at, None)
            for prediction, task, version, result, _, at in sorted(latest.values(), key=lambda row: (row[1], row[0]))
        ]


def _differ(before: Iterable[Sequence[Any]], rows: Iterable[Mapping[str, Any]]) -> bool:
    return {tuple(row) for row in before} != {tuple(row[name] for name in _COLUMNS) for row in rows}


def _of(rows: Iterable[dict[str, Any]], versions: Collection[str]) -> list[dict[str, Any]]:
    return [row for row in rows if row["model_version"] in versions]


def _row(prediction: Mapping[str, Any], task: int) -> dict[str, Any]:
    return {
        "id": prediction["id"],
        "task": task,
        "model_version": prediction["model_version"] or "",
        "result": as_answer(prediction["result"]),
        "created_at": as_time(prediction["created_at"]),
        "updated_at": as_time(prediction["updated_at"]),
    }
