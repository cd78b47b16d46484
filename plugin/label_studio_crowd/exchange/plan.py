"""Scores and what is published → the changes to make. Pure; ``--dry-run`` prints it.

The queue is what annotators are served: predictions without a result, one a task, whose scores Label Studio
serves in ascending order. Consensus labels are predictions of a version of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore import Crowd
from label_studio_crowd.scoring.scores import Scores
from label_studio_crowd.store.facts import Fact
from label_studio_crowd.store.mirror import Tasks
from label_studio_crowd.store.reports import Changes
from label_studio_crowd.studio.records import Prediction
from label_studio_crowd.studio.versions import CONSENSUS_VERSION, QUEUE_PREFIX, queue_number

_SMALL_PROJECT: Final = 500
"""Up to so many tasks to label, all of them are the queue."""
_SHARE: Final = 25
"""Tasks in the queue for each active annotator."""
_PATIENCE: Final = 1.5
"""A task of the queue leaves it only when it is no longer among the best 1.5 Q: less to write."""
_FRONT: Final = 20
"""Tasks at the front of the queue whose scores are kept exact, at the least."""
_FRONT_TOLERANCE: Final = 0.002
_TAIL_TOLERANCE: Final = 0.02
_QUALITY_TOLERANCE: Final = 0.05
_STEP: Final = 1e-6
"""Least distance between two scores of the queue: Label Studio serves equal scores in any order."""


@dataclass(frozen=True)
class Costs(Fact):
    """Seconds of Label Studio's answers, measured on this server and project."""

    fact = "costs"

    edit: float = 0.2
    """One prediction or task created, changed or deleted."""
    bulk: float = 2.0
    """One import of predictions; it recounts all tasks of the project."""
    delete_version: float = 1.5
    """One queue version deleted."""


@dataclass(frozen=True)
class TaskChange:
    """A task to open for one more annotator, or to close."""

    task: int
    overlap: int
    is_labeled: bool


@dataclass(frozen=True)
class Edits:
    """Changes to the predictions of one model version.

    Attributes
    ----------
    version
        The model version.
    create
        Items as Label Studio imports them.
    bulk
        Whether `create` goes in one import rather than one by one.
    update
        Prediction id → fields to change.
    delete
        Prediction ids.
    """

    version: str
    create: tuple[dict[str, Any], ...] = ()
    bulk: bool = False
    update: Mapping[int, dict[str, Any]] = field(default_factory=dict)
    delete: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.create or self.update or self.delete)

    def seconds(self, costs: Costs) -> float:
        """Return how long they take."""
        creating = costs.bulk if self.bulk and self.create else costs.edit * len(self.create)
        return creating + costs.edit * (len(self.update) + len(self.delete))


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

    answers = scores.answers
    order = _serving_order(scores)
    if label_budget is not None:
        order = order[: max(0, label_budget - int(scores.num_labels.sum()))]
    rows = _choose(order, tasks, standing, queue_size, len(active_annotators))
    rows = _with_a_share_for_all(rows, order, answers.crowd, active_annotators)
    served = _strictly_increasing(scores.priority[rows])
    consensus = _Consensus(scores)
    wanted = {
        int(tasks.ids[row]): (float(value), consensus.result(row) if show_consensus else [])
        for row, value in zip(rows, served, strict=True)
    }
    front = max(_FRONT, 3 * len(active_annotators))
    tolerance = {task: _FRONT_TOLERANCE if place < front else _TAIL_TOLERANCE for place, task in enumerate(wanted)}
    mended = _diff(base or "", wanted, standing, tolerance, costs)
    version, queue_edits = base, mended
    anew = costs.bulk + costs.edit + costs.delete_version
    if wanted and (base is None or mended.seconds(costs) > anew):
        taken = [number for name in (*queues, *taken_versions) if (number := queue_number(name)) is not None]
        version = f"{QUEUE_PREFIX}{max(taken, default=0) + 1}"
        queue_edits = _diff(version, wanted, [], tolerance, costs, bulk=True)

    consensus_edits, deferred = consensus.edits(rows, published, consensus_changes, costs)
    return Plan(
        queue=tuple(wanted),
        reopen=_reopen(rows, tasks, answers.occupied),
        close=_close(rows, tasks, answers.occupied),
        queue_edits=queue_edits,
        switch_to=version if version is not None and version != model_version and wanted else None,
        consensus_edits=consensus_edits,
        obsolete=tuple(sorted((name for name in queues if name != version), key=_number)),
        deferred=deferred,
        outside_config=consensus.outside_config,
    )


def _number(model_version: str) -> int:
    return queue_number(model_version) or 0


def _serving_order(scores: Scores) -> NDArray[np.int64]:
    """Return the rows of the tasks that need labels, the most useful first; ties by id."""
    open_rows = np.flatnonzero(~scores.settled)
    return open_rows[np.argsort(scores.priority[open_rows], kind="stable")]


def _choose(
    order: NDArray[np.int64],
    tasks: Tasks,
    standing: Sequence[Prediction],
    queue_size: int | None,
    num_annotators: int,
) -> NDArray[np.int64]:
    """Return the rows of the queue: the best Q, where tasks that are in it already have some patience."""
    if queue_size is None:
        queue_size = len(order) if len(order) <= _SMALL_PROJECT else max(100, _SHARE * num_annotators)
    if queue_size >= len(order):
        return order
    already = np.isin(tasks.ids[order], [prediction.task for prediction in standing])
    place = np.arange(len(order))
    kept = (place < queue_size // 2) | (already & (place < _PATIENCE * queue_size))
    kept |= ~kept & (np.cumsum(~kept) <= queue_size - kept.sum())
    return order[kept]


def _with_a_share_for_all(
    rows: NDArray[np.int64], order: NDArray[np.int64], crowd: Crowd, annotators: Sequence[int]
) -> NDArray[np.int64]:
    """Add what it takes for each annotator to find `_SHARE` tasks that they have not labelled, or all there are.

    Whoever has labelled all of the queue would be served the other tasks at random.
    """
    chosen = np.zeros(len(crowd.tasks), bool)
    chosen[rows] = True
    if chosen[order].all():
        return rows
    for annotator in np.flatnonzero(np.isin(crowd.annotators, annotators)):
        labelled = np.zeros(len(crowd.tasks), bool)
        labelled[crowd.task[crowd.annotator == annotator]] = True
        missing = _SHARE - int((chosen & ~labelled).sum())
        if missing > 0:
            chosen[order[~chosen[order] & ~labelled[order]][:missing]] = True
    all_rows: NDArray[np.int64] = order[chosen[order]]
    return all_rows


def _strictly_increasing(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ascending values moved as little as needed to be at least a step apart, within [0, 1]."""
    steps = _STEP * np.arange(len(values))
    risen: NDArray[np.float64] = np.maximum.accumulate(values - steps) + steps
    capped: NDArray[np.float64] = np.minimum(risen, 1 - steps[::-1])
    return capped


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


class _Consensus:
    """The consensus of each task as a prediction."""

    def __init__(self, scores: Scores) -> None:
        self._scores = scores
        self._quality = scores.least_quality
        self.outside_config = 0

    def result(self, row: int) -> list[dict[str, Any]]:
        """Return the consensus of a task as a result, of all controls; empty where there is nothing to write."""
        return [item for part in self._scores.controls for item in _written(part, row)]

    def edits(
        self, queue: NDArray[np.int64], published: Sequence[Prediction], limit: int | None, costs: Costs
    ) -> tuple[Edits, int]:
        """Return the changes to the consensus predictions, and how many are left for later.

        Tasks that are settled or in the queue have one. The others have none: opened from the list, they would
        show the annotator the consensus before labelling.
        """
        shown = self._scores.settled.copy()
        shown[queue] = True
        wanted = {}
        ids = self._scores.answers.crowd.tasks
        for row in np.flatnonzero(shown).tolist():
            if result := self.result(row):
                quality = round(float(self._quality[row]), 3)
                wanted[int(ids[row])] = (min(max(quality, 0.0), 1.0), result)
            elif any(_is_outside(part, row) for part in self._scores.controls):
                self.outside_config += 1
        standing = [row for row in published if row.model_version == CONSENSUS_VERSION]
        tolerance = dict.fromkeys(wanted, _QUALITY_TOLERANCE)
        edits = _diff(CONSENSUS_VERSION, wanted, standing, tolerance, costs)
        if limit is None:
            return edits, 0
        # labels that changed go before qualities that moved
        update = dict(sorted(edits.update.items(), key=lambda item: "result" not in item[1])[:limit])
        left = limit - len(update)
        create = edits.create if edits.bulk else edits.create[:left]
        delete = edits.delete[: max(0, left if edits.bulk else left - len(create))]
        deferred = len(edits.update) + len(edits.create) + len(edits.delete)
        deferred -= len(update) + len(create) + len(delete)
        return Edits(edits.version, create, edits.bulk, update, delete), deferred


def _written(scores: Scores, row: int) -> list[dict[str, Any]]:
    """Return the consensus of a task's control as a result; empty without labels or where the config has it not."""
    answers, code = scores.answers, int(scores.result.consensus[row])
    if code < 0 or (not answers.labels.num_answers[row] and answers.known_labels[row] < 0) or _is_left_out(scores, row):
        return []
    control, answer, own = answers.control, answers.answer(row, code), answers.own
    if not control.is_class:
        return control.write(answer)
    if own is not None:
        return [] if answer is None else control.write(answer, own.of_task.get(int(answers.crowd.tasks[row])))
    return control.write(answer) if not control.classes or answer in control.classes else []


def _is_outside(scores: Scores, row: int) -> bool:
    """Return whether a task's control has a consensus that the config does not offer."""
    if not scores.answers.control.is_class or _is_left_out(scores, row):
        return False
    return bool(scores.answers.labels.num_answers[row] and not _written(scores, row))


def _is_left_out(scores: Scores, row: int) -> bool:
    return scores.left_out is not None and bool(scores.left_out[row])


def _diff(
    version: str,
    wanted: Mapping[int, tuple[float, list[dict[str, Any]]]],
    standing: Sequence[Prediction],
    tolerance: Mapping[int, float],
    costs: Costs,
    *,
    bulk: bool = False,
) -> Edits:
    """Return what makes the predictions of a version those that are wanted, one a task."""
    update: dict[int, dict[str, Any]] = {}
    delete: list[int] = []
    found: set[int] = set()
    for prediction in standing:
        if prediction.task not in wanted or prediction.task in found:
            delete.append(prediction.id)
            continue
        found.add(prediction.task)
        value, result = wanted[prediction.task]
        fields: dict[str, Any] = {}
        if prediction.score is None or abs(prediction.score - value) > tolerance[prediction.task]:
            fields["score"] = value
        if _values(prediction.result) != _values(result):
            fields["result"] = result
        if fields:
            update[prediction.id] = fields
    create = tuple(
        {"task": task, "result": result, "score": value, "model_version": version}
        for task, (value, result) in wanted.items()
        if task not in found
    )
    return Edits(version, create, bulk or costs.edit * len(create) > costs.bulk, update, tuple(delete))


_SAID: Final = ("from_name", "to_name", "type", "value", "from_id", "to_id", "direction", "labels")


def _values(result: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what a result says, without the ids that Label Studio adds to it; those of relations are ours."""
    return [tuple(item.get(name) for name in _SAID) for item in result]
