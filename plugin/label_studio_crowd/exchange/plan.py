"""Scores and what is published → the changes to make. Pure; ``--dry-run`` prints it.

The queue is what annotators are served: predictions without a result, one a task, whose scores Label Studio
serves in ascending order. Consensus labels are predictions of a version of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.exchange.consensus_predictions import ConsensusPredictions
from label_studio_crowd.exchange.edits import Costs, Edits, edits_between
from label_studio_crowd.exchange.queue import choose_queue, strictly_increasing, tolerances
from label_studio_crowd.scoring.scores import Scores
from label_studio_crowd.store.mirror import Tasks
from label_studio_crowd.store.reports import Changes
from label_studio_crowd.studio.records import Prediction
from label_studio_crowd.studio.versions import QUEUE_PREFIX, queue_number


@dataclass(frozen=True)
class TaskChange:
    """A task to open for one more annotator, or to close."""

    task: int
    overlap: int
    is_labeled: bool


@dataclass(frozen=True)
class Plan:
    """What to change in Label Studio, in the order in which it is carried out.

    Attributes
    ----------
    queue
        Task ids in the order in which annotators shall be served.
    reopen, close
        Tasks to open for one more annotator; tasks to close again.
    queue_edits
        Changes to the queue's version, or a new version whole.
    switch_to
        The version to make the project's, or None if it is already.
    consensus_edits
        Changes to the consensus predictions.
    obsolete
        Versions of ours to delete afterwards.
    deferred
        Consensus changes left for the next run.
    outside_config
        Tasks whose consensus is a label that the config does not offer: not published.
    """

    queue: tuple[int, ...]
    reopen: tuple[TaskChange, ...]
    queue_edits: Edits
    switch_to: str | None
    close: tuple[TaskChange, ...]
    consensus_edits: Edits
    obsolete: tuple[str, ...]
    deferred: int
    outside_config: int

    def seconds(self, costs: Costs) -> float:
        """Return how long it takes to carry out."""
        tasks = costs.edit * (len(self.reopen) + len(self.close))
        edits = self.queue_edits.seconds(costs) + self.consensus_edits.seconds(costs)
        return tasks + edits + costs.delete_version * len(self.obsolete)

    def __bool__(self) -> bool:
        changes = (
            self.reopen,
            self.queue_edits,
            self.switch_to,
            self.close,
            self.consensus_edits,
            self.obsolete,
        )
        return any(map(bool, changes))

    def counts(self) -> Changes:
        """Return the numbers of changes, for people and for the record of the run."""
        queue, consensus = self.queue_edits, self.consensus_edits
        return Changes(
            queue=len(self.queue),
            reopen=len(self.reopen),
            close=len(self.close),
            queue_version=queue.version,
            queue_create=len(queue.create),
            queue_update=len(queue.update),
            queue_delete=len(queue.delete),
            switch_to=self.switch_to,
            consensus_create=len(consensus.create),
            consensus_update=len(consensus.update),
            consensus_delete=len(consensus.delete),
            versions_deleted=self.obsolete,
            deferred=self.deferred,
        )


def make_plan(
    scores: Scores,
    tasks: Tasks,
    published: Sequence[Prediction],
    model_version: str,
    *,
    active_annotators: Sequence[int],
    taken_versions: Iterable[str] = (),
    queue_size: int | None = None,
    label_budget: int | None = None,
    show_consensus: bool = False,
    consensus_changes: int | None = None,
    costs: Costs | None = None,
) -> Plan:
    """Return the changes that bring Label Studio to the scores.

    Parameters
    ----------
    scores, tasks
        In the same order of tasks.
    published
        Our predictions in Label Studio.
    model_version
        The project's model version.
    active_annotators
        The annotators that the queue must feed; each finds tasks in it that they have not labelled.
    taken_versions
        Version names that a new queue version must not have, besides those of `published`.
    queue_size
        Tasks in the queue; by default the larger of 100 and 25 for each active annotator, and all of them
        in a project with up to 500 to label. More where an active annotator would find less than a share.
    label_budget
        Labels that the project may have in all; the queue has no more tasks than are left of it.
    show_consensus
        Put the consensus into the queue's predictions, so that annotators see it pre-filled.
    consensus_changes
        Consensus predictions changed at the most; None for all.
    costs
        What decides between mending the queue in place and a new version of it.
    """
    costs = costs or Costs()
    queues: dict[str, list[Prediction]] = {}
    for prediction in published:
        if queue_number(prediction.model_version) is not None:
            queues.setdefault(prediction.model_version, []).append(prediction)
    # A queue that is written but not the project's is one whose run was stopped before the switch.
    base = model_version if model_version in queues else max(queues, key=_number, default=None)
    standing = queues.get(base, []) if base else []

    already = [prediction.task for prediction in standing]
    rows = choose_queue(scores, tasks, already, active_annotators, queue_size=queue_size, label_budget=label_budget)
    served = strictly_increasing(scores.priority[rows])
    consensus = ConsensusPredictions(scores)
    wanted = {
        int(tasks.ids[row]): (float(value), consensus.result(row) if show_consensus else [])
        for row, value in zip(rows, served, strict=True)
    }
    tolerance = tolerances(list(wanted), len(active_annotators))
    mended = edits_between(base or "", wanted, standing, tolerance, costs)
    version, queue_edits = base, mended
    anew = costs.bulk + costs.edit + costs.delete_version
    if wanted and (base is None or mended.seconds(costs) > anew):
        taken = [number for name in (*queues, *taken_versions) if (number := queue_number(name)) is not None]
        version = f"{QUEUE_PREFIX}{max(taken, default=0) + 1}"
        queue_edits = edits_between(version, wanted, [], tolerance, costs, bulk=True)

    consensus_edits, deferred = consensus.edits(rows, published, consensus_changes, costs)
    return Plan(
        queue=tuple(wanted),
        reopen=_reopen(rows, tasks, scores.answers.occupied),
        close=_close(rows, tasks, scores.answers.occupied),
        queue_edits=queue_edits,
        switch_to=version if version is not None and version != model_version and wanted else None,
        consensus_edits=consensus_edits,
        obsolete=tuple(sorted((name for name in queues if name != version), key=_number)),
        deferred=deferred,
        outside_config=consensus.outside_config,
    )


def _number(model_version: str) -> int:
    return queue_number(model_version) or 0


def _reopen(rows: NDArray[np.int64], tasks: Tasks, occupied: NDArray[np.int64]) -> tuple[TaskChange, ...]:
    """Open the tasks of the queue for one more annotator each; the front of the queue first.

    A task from which an annotation was deleted is open for two.
    """
    return tuple(
        TaskChange(int(tasks.ids[row]), int(occupied[row]) + 1, False)
        for row in rows
        if tasks.is_labeled[row] or tasks.overlap[row] != occupied[row] + 1
    )


def _close(rows: NDArray[np.int64], tasks: Tasks, occupied: NDArray[np.int64]) -> tuple[TaskChange, ...]:
    """Close the tasks that were reopened and are no longer wanted.

    In a connected project an open task with answers is one that was reopened: the others close by
    themselves with their first answer.
    """
    open_rows = ~tasks.is_labeled & (tasks.overlap > 1) & (occupied > 0)
    open_rows[rows] = False
    return tuple(TaskChange(int(tasks.ids[row]), max(int(occupied[row]), 1), True) for row in np.flatnonzero(open_rows))
