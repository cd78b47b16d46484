"""A project of Label Studio that is a file: its JSON export, to be looked at without Label Studio."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from label_studio_crowd.errors import UserError
from label_studio_crowd.feedback import Progress, silent
from label_studio_crowd.files.studio_json import Export, load_export
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.controls.fitting_config import fitting_config
from label_studio_crowd.studio.records import Counts, Prediction, VersionState
from label_studio_crowd.studio.task_pages import TaskPage
from label_studio_crowd.studio.versions import is_ours
from label_studio_crowd.wording import listed

NUMBER: Final = 1
"""The number of the only project."""
_UNKNOWN: Final = "1970-01-01T00:00:00Z"
_PREDICTION: Final = {"model_version": "", "score": None, "created_at": _UNKNOWN, "updated_at": _UNKNOWN}
"""What a prediction in an export may leave out."""
_EXAMPLES: Final = 100


class ExportedStudio(Studio):
    """A Label Studio with one project, which is read from an export and cannot be changed.

    Parameters
    ----------
    path
        The export, in Label Studio's format JSON.
    label_config
        The project's labeling config; None for one that fits the results.

    Raises
    ------
    UserError
        If it is no export, or holds nothing.
    """

    def __init__(self, path: Path, label_config: str | None = None) -> None:
        self.url = path.resolve().as_uri()
        found = load_export(path)
        if not found:
            raise UserError(f"{path} is not Label Studio's export, a JSON list of tasks: export the format JSON.")
        self._next = itertools.count(1)
        export = Export(path)
        given = [list(export.annotations(place, task)) for place, task in enumerate(found)]
        self._ids = _numbers(export.tasks)
        self._people = _annotators(export.people, export.names)
        self._tasks = [
            self._task(number, task, rows) for number, task, rows in zip(self._ids, found, given, strict=True)
        ]
        given_predictions = (row for task in found for row in _rows(task.get("predictions")))
        self._bare_ids = sum(not _is_whole(row) for row in given_predictions)
        self._title = path.name
        results = (row["result"] for task in self._tasks for row in task["annotations"])
        examples = [task["data"] for task in self._tasks[:_EXAMPLES]]
        self._config = fitting_config(results, examples) if label_config is None else label_config

    def _task(self, number: int, task: Mapping[str, Any], given: list[Annotation]) -> dict[str, Any]:
        """Return a task as Label Studio's API gives it."""
        rows = [
            {
                "id": next(self._next),
                "completed_by": self._people[row.annotator][0],
                "result": orjson.loads(row.result),
                "updated_at": row.updated_at or _UNKNOWN,
                "was_cancelled": row.was_cancelled,
                "ground_truth": row.ground_truth,
                "lead_time": row.lead_time,
                "parent_prediction": None,
            }
            for row in given
        ]
        data = task.get("data")
        return {
            "id": number,
            "data": dict(data) if isinstance(data, Mapping) else {},
            "updated_at": max((row["updated_at"] for row in rows), default=_UNKNOWN),
            "overlap": 1,
            "is_labeled": bool(rows),
            "annotations": rows,
            "predictions": [
                {**_PREDICTION, **row, "id": next(self._next), "task": number}
                for row in _rows(task.get("predictions"))
                if _is_whole(row)
            ],
        }

    def project(self, project: int) -> dict[str, Any]:
        """See `Studio`."""
        return {
            "id": NUMBER,
            "title": self._title,
            "label_config": self._config,
            "created_at": self.url,
            "created_by": {},
            "model_version": "",
            "maximum_annotations": 1,
            "skip_queue": "REQUEUE_FOR_OTHERS",
            "show_collab_predictions": True,
            "ground_truth_number": 0,
        }

    def left_out(self) -> str:
        """Return what the file has not of its project, in one sentence; "" where nothing seems to be missing."""
        parts = []
        if all(task["annotations"] for task in self._tasks):
            parts.append("only the tasks with annotations (shares of tasks are not the project's if that has others)")
        if self._people and not any(name for _, name in self._people.values()):
            parts.append("annotators as numbers, without names")
        if self._bare_ids:
            parts.append("only the ids of predictions")
        return f"{self._title} has {listed(parts)}: so Label Studio exports them." if parts else ""

    def seconds_waited(self) -> float:
        """See `Studio`."""
        return 0.0

    def time(self) -> str | None:
        """See `Studio`."""
        return None

    def annotator_names(self) -> dict[int, str]:
        """See `Studio`."""
        return {number: name for number, name in self._people.values() if name}

    def user_with(self, email: str) -> int | None:
        """See `Studio`."""
        return next((number for number, name in self._people.values() if name == email), None)

    def counts(self, project: int) -> Counts:
        """See `Studio`."""
        rows = [row for task in self._tasks for row in task["annotations"]]
        skipped = sum(row["was_cancelled"] for row in rows)
        finished = sum(task["is_labeled"] for task in self._tasks)
        return Counts(len(self._tasks), len(rows) - skipped, skipped, finished)

    def tasks(
        self,
        project: int,
        *,
        since: str | None = None,
        without: Collection[int] = (),
        predictions: bool = False,
        progress: Progress = silent,
    ) -> Iterator[TaskPage]:
        """See `Studio`."""
        yield TaskPage(self._tasks, len(self._tasks))

    def newest_change(self, project: int) -> str | None:
        """See `Studio`."""
        return max((task["updated_at"] for task in self._tasks), default=None)

    def task_states(
        self, project: int, progress: Progress = silent, *, with_times: bool = False
    ) -> Iterator[list[dict[str, Any]]]:
        """See `Studio`."""
        yield self._tasks

    def model_versions(self, project: int) -> dict[str, VersionState]:
        """See `Studio`."""
        found: dict[str, VersionState] = {}
        for row in self._others_predictions():
            before = found.get(row["model_version"], VersionState(0, _UNKNOWN))
            found[row["model_version"]] = VersionState(before.count + 1, before.latest)
        return found

    def prediction_rows(self, project: int) -> list[dict[str, Any]]:
        """See `Studio`; ours are left out, for an export is no place where they are served.

        Raises
        ------
        UserError
            If the export has nothing but the ids of its predictions.
        """
        if self._bare_ids and not any(task["predictions"] for task in self._tasks):
            raise UserError(
                f"The file has only the ids of its {self._bare_ids:,} predictions, as the button Export writes them. "
                "Export them whole, by a snapshot of Label Studio's API (POST /api/projects/…/exports/) with "
                '{"serialization_options": {"predictions": {"only_id": false}}}.'
            )
        return self._others_predictions()

    def _others_predictions(self) -> list[dict[str, Any]]:
        rows = (row for task in self._tasks for row in task["predictions"])
        return [row for row in rows if not is_ours(str(row["model_version"]))]

    def predictions(self, project: int) -> list[Prediction]:
        """See `Studio`."""
        return [
            Prediction(row["id"], row["task"], row["model_version"], row["score"], row["result"])
            for row in self.prediction_rows(project)
        ]

    def views(self, project: int) -> list[dict[str, Any]]:
        """See `Studio`."""
        return []

    def backends(self, project: int) -> list[dict[str, Any]]:
        """See `Studio`."""
        return []


def _rows(predictions: Any) -> list[Any]:
    """Return a task's predictions, whatever they are; none where they are no list."""
    return predictions if isinstance(predictions, list) else []


def _is_whole(prediction: Any) -> bool:
    """Return whether a prediction has a result: exports may have nothing but its id."""
    return isinstance(prediction, Mapping) and "result" in prediction


def _numbers(ids: list[Any]) -> list[int]:
    """Return the tasks' numbers; their places, from 1, if one has none, or two have the same."""
    if all(isinstance(one, int) and one > 0 for one in ids) and len(set(ids)) == len(ids):
        return ids
    return list(range(1, len(ids) + 1))


def _annotators(people: Mapping[Any, int], names: Mapping[Any, str]) -> dict[int, tuple[int, str]]:
    """Return the number and the name of each person, by their place: who has a number keeps it."""
    taken = {who for who in people if isinstance(who, int) and who > 0}
    free = (number for number in range(1, 2 + len(people) + len(taken)) if number not in taken)
    return {
        place: (who, names.get(who, "")) if who in taken else (next(free), names.get(who, str(who)))
        for who, place in people.items()
    }
