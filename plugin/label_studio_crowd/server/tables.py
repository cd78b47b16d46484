"""A snapshot as rows: chosen and ordered as arrays, spelled out for one page only. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.pages.insights import labels_needed, project_numbers
from label_studio_crowd.pages.insights.figures import label_of
from label_studio_crowd.scoring.outlook import Forecast
from label_studio_crowd.scoring.scores import SETTLED_BY
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.server.api_models import Annotator, ClassShare, Estimated, Numbers, SettledBy, Task
from label_studio_crowd.store.people import annotator_name
from label_studio_crowd.studio.addresses import task_url

OrderBy = Literal["id", "quality", "priority"]
Direction = Literal["ascending", "descending"]

_REASONS: Final[tuple[SettledBy, ...]] = ("truth", "quality", "labels", "skips")
assert _REASONS == SETTLED_BY


@dataclass(frozen=True)
class Choice:
    """Which tasks are wanted, and in which order; None where it does not matter."""

    settled: bool | None = None
    labelled: bool | None = None
    min_quality: float | None = None
    max_quality: float | None = None
    model_disagrees: bool | None = None
    crowdlab_differs: bool | None = None
    order_by: OrderBy = "id"
    direction: Direction = "ascending"


class TaskTable:
    """The tasks of a snapshot.

    Parameters
    ----------
    snapshot
        What the last run believed.
    project_url
        The project's address in Label Studio.
    """

    def __init__(self, snapshot: Snapshot, project_url: str) -> None:
        self._snapshot = snapshot
        self._url = project_url
        self._quality = np.where(snapshot.said, snapshot.quality, np.nan)

    def rows(self, choice: Choice) -> NDArray[np.intp]:
        """Return the rows of the tasks that fit; unknown qualities fit no bound, and come last."""
        snapshot = self._snapshot
        fits = np.ones(len(snapshot.tasks), np.bool_)
        if choice.settled is not None:
            fits &= (snapshot.settled_by > 0) == choice.settled
        if choice.labelled is not None:
            fits &= (snapshot.labels > 0) == choice.labelled
        if choice.min_quality is not None:
            fits &= self._quality >= choice.min_quality
        if choice.max_quality is not None:
            fits &= self._quality <= choice.max_quality
        if choice.model_disagrees is not None:
            fits &= snapshot.model_disagrees == choice.model_disagrees
        if choice.crowdlab_differs is not None:
            fits &= snapshot.crowdlab_differs == choice.crowdlab_differs
        rows = np.flatnonzero(fits)
        keys = {"id": snapshot.tasks, "quality": self._quality, "priority": snapshot.priority}[choice.order_by][rows]
        return rows[np.argsort(keys if choice.direction == "ascending" else -keys, kind="stable")]

    def spelled_out(self, rows: Iterable[int]) -> list[Task]:
        """Return these rows for people."""
        snapshot = self._snapshot
        places = {task: place for place, task in enumerate(snapshot.queue.tolist(), 1)}
        found = []
        for row in rows:
            task, reason = int(snapshot.tasks[row]), int(snapshot.settled_by[row])
            found.append(
                Task(
                    task=task,
                    labels=int(snapshot.labels[row]),
                    model_answers=int(snapshot.by_models[row]) if len(snapshot.by_models) else 0,
                    skips=int(snapshot.skips[row]),
                    consensus=snapshot.label(row),
                    quality=number(self._quality[row]),
                    priority=number(snapshot.priority[row]),
                    settled=reason > 0,
                    settled_by=_REASONS[reason - 1] if reason else None,
                    model_disagrees=bool(snapshot.model_disagrees[row]),
                    **self._second_opinion(row),
                    place=places.get(task),
                    url=task_url(self._url, task),
                )
            )
        return found

    def _second_opinion(self, row: int) -> dict[str, Any]:
        snapshot = self._snapshot
        if not len(snapshot.crowdlab):
            return {}
        said = snapshot.labels[row] > 0
        return {
            "crowdlab": snapshot.label_in(row, int(snapshot.crowdlab[row])) if said else None,
            "crowdlab_quality": number(snapshot.crowdlab_quality[row]) if said else None,
            "activelab": number(snapshot.activelab[row]),
        }

    def numbers(self, forecast: Forecast | None) -> Numbers:
        """Return the project in numbers."""
        found = project_numbers(self._snapshot)
        known = self._quality[np.isfinite(self._quality)]
        return Numbers(
            tasks=found.tasks,
            labelled_tasks=found.labelled_tasks,
            labels=found.labels,
            skips=found.skips,
            annotators=found.annotators,
            models=found.models,
            settled_tasks=found.settled,
            queue=found.queue,
            mean_consensus_quality=float(known.mean()) if len(known) else None,
            estimated_quality=Estimated(**vars(found.accuracy)),
            labels_needed=Estimated(**vars(labels_needed(self._snapshot, forecast))),
        )


def classes_of(snapshot: Snapshot) -> list[ClassShare]:
    """Return the classes, in the labeling config's order."""
    return [
        ClassShare(label=label, share=number(share))
        for label, share in zip(snapshot.classes, snapshot.prior, strict=True)
    ]


def settled_by(snapshot: Snapshot) -> dict[SettledBy, int]:
    """Return how many tasks need no more labels, by reason."""
    counts = np.bincount(snapshot.settled_by, minlength=1 + len(_REASONS)).tolist()
    return dict(zip(_REASONS, counts[1:], strict=True))


def annotators_of(snapshot: Snapshot, names: Mapping[int, str], rows: slice) -> list[Annotator]:
    """Return some of the annotators, by increasing quality and then agreement."""
    order = np.lexsort((snapshot.annotators, snapshot.agreement, snapshot.annotator_quality))[rows]
    return [
        Annotator(
            annotator=int(snapshot.annotators[row]),
            name=annotator_name(int(snapshot.annotators[row]), names),
            is_model=bool(snapshot.are_models[row]),
            quality=number(snapshot.annotator_quality[row]),
            quality_low=number(snapshot.quality_low[row]),
            quality_high=number(snapshot.quality_high[row]),
            agreement=number(snapshot.agreement[row]),
            labels=int(snapshot.annotator_labels[row]),
            mostly_wrong_on=label_of(snapshot, int(snapshot.worst_class[row])),
            copies=snapshot.annotators[snapshot.copying(int(row))].tolist(),
        )
        for row in order
    ]


def number(value: Any) -> float | None:
    """Return a number as JSON knows them: null for what is none."""
    return float(value) if np.isfinite(value) else None
