"""Which tasks annotators are served, in which order, and the scores that Label Studio serves them by."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdcore import Crowd
from label_studio_crowd.scoring.scores import Scores
from label_studio_crowd.store.mirror import Tasks

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
_STEP: Final = 1e-6
"""Least distance between two scores of the queue: Label Studio serves equal scores in any order."""


def choose_queue(
    scores: Scores,
    tasks: Tasks,
    standing: Collection[int],
    active_annotators: Sequence[int],
    *,
    queue_size: int | None = None,
    label_budget: int | None = None,
) -> NDArray[np.int64]:
    """Return the rows of the tasks that annotators are served, in that order.

    Parameters
    ----------
    standing
        The tasks that are in the queue already.
    scores, tasks, active_annotators, queue_size, label_budget
        As for `label_studio_crowd.exchange.plan.make_plan`.
    """
    order = _serving_order(scores)
    if label_budget is not None:
        order = order[: max(0, label_budget - int(scores.num_labels.sum()))]
    rows = _choose(order, tasks, standing, queue_size, len(active_annotators))
    return _with_a_share_for_all(rows, order, scores.answers.crowd, active_annotators)


def tolerances(queue: Sequence[int], num_annotators: int) -> dict[int, float]:
    """Return how far the score of each task of the queue may be from the one that is wanted, by its place."""
    front = max(_FRONT, 3 * num_annotators)
    return {task: _FRONT_TOLERANCE if place < front else _TAIL_TOLERANCE for place, task in enumerate(queue)}


def _serving_order(scores: Scores) -> NDArray[np.int64]:
    """Return the rows of the tasks that need labels, the most useful first; ties by id."""
    open_rows = np.flatnonzero(~scores.settled)
    return open_rows[np.argsort(scores.priority[open_rows], kind="stable")]


def _choose(
    order: NDArray[np.int64],
    tasks: Tasks,
    standing: Collection[int],
    queue_size: int | None,
    num_annotators: int,
) -> NDArray[np.int64]:
    """Return the rows of the queue: the best Q, where tasks that are in it already have some patience."""
    if queue_size is None:
        queue_size = len(order) if len(order) <= _SMALL_PROJECT else max(100, _SHARE * num_annotators)
    if queue_size >= len(order):
        return order
    already = np.isin(tasks.ids[order], list(standing))
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


def strictly_increasing(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ascending values moved as little as needed to be at least a step apart, within [0, 1]."""
    steps = _STEP * np.arange(len(values))
    risen: NDArray[np.float64] = np.maximum.accumulate(values - steps) + steps
    capped: NDArray[np.float64] = np.minimum(risen, 1 - steps[::-1])
    return capped
