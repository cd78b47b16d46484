"""How far orders of pairs are believed, and buckets of items."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.kinds.ranking.coding import NOWHERE, Rankings, TaskRankings
from crowdcore.kinds.table import AnswerTable

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PairBeliefs:
    """What is believed of pairs of items.

    Attributes
    ----------
    of : list of N ndarrays of shape (I, I)
        Probability that the one item of a task is before the other, NaN where nobody has both in one bucket.
    quality : ndarray of shape (M,)
        How often each annotator has a pair in the right order.
    """

    of: list[Floats]
    quality: Floats


@dataclass(frozen=True, eq=False)
class BucketBeliefs:
    """What is believed of the buckets of items.

    Attributes
    ----------
    of : list of N ndarrays of shape (I, B)
        Probability that each item of a task belongs to each bucket.
    best : list of N ndarrays of shape (I,)
        The bucket believed most.
    """

    of: list[Floats]
    best: list[Codes]


def believe_pairs(table: AnswerTable, given: Rankings) -> PairBeliefs:
    """Return how far the orders of all pairs are believed."""
    sizes = [len(task.flipped) for task in given.tasks]
    votes = [_orders(task, task.bucket, task.place) for task in given.tasks]
    known = [_orders(task, task.known_bucket, task.known_place).max(axis=0, initial=NOWHERE) for task in given.tasks]
    found = _believed(table, votes, known, sizes, ["second", "first"])
    at = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    before: list[Floats] = []
    for i, task in enumerate(given.tasks):
        of = np.full((len(task.items), len(task.items)), np.nan)
        first, second = task.pairs
        chance = found.posterior[at[i] : at[i + 1], 1]
        chance = np.where((votes[i] != NOWHERE).any(axis=0) | (known[i] != NOWHERE), chance, np.nan)
        of[first, second], of[second, first] = chance, 1 - chance
        before.append(of)
    return PairBeliefs(before, found.annotators.quality)


def believe_buckets(table: AnswerTable, given: Rankings) -> BucketBeliefs:
    """Return how far items are believed to belong to buckets; with one bucket, all do."""
    sizes = [len(task.items) for task in given.tasks]
    if len(given.buckets) < 2:
        return BucketBeliefs([np.ones((size, 1)) for size in sizes], [np.zeros(size, np.int64) for size in sizes])
    votes = [task.bucket for task in given.tasks]
    known = [task.known_bucket.max(axis=0, initial=NOWHERE) for task in given.tasks]
    found = _believed(table, votes, known, sizes, range(len(given.buckets)))
    ends = np.cumsum(sizes)[:-1]
    return BucketBeliefs(np.split(found.posterior, ends), np.split(found.posterior.argmax(axis=1), ends))


def _orders(task: TaskRankings, bucket: Codes, place: Codes) -> Codes:
    """Return 1 where an answer has the first item of a pair before the second, 0 the other way round, or -1."""
    first, second = task.pairs
    together = (bucket[:, first] == bucket[:, second]) & (bucket[:, first] != NOWHERE)
    return np.where(together, place[:, first] < place[:, second], NOWHERE).astype(np.int64)


def _believed(
    table: AnswerTable, votes: list[Codes], known: list[Codes], sizes: list[int], classes: Iterable[Any]
) -> HierarchicalResult:
    """Return what is believed of units: those of a task are the columns of its votes, answers the rows."""
    unit, answer, code = [], [], []
    offset = 0
    for i, mine in enumerate(votes):
        row, column = np.nonzero(mine != NOWHERE)
        unit.append(offset + column)
        answer.append(table.indptr[i] + row)
        code.append(mine[row, column])
        offset += sizes[i]
    join = [np.concatenate([np.zeros(0, np.int64), *arrays]) for arrays in (unit, answer, code, known)]
    crowd = Crowd.from_codes(
        join[0], table.annotator[join[1]], join[2], tasks=range(offset), annotators=table.annotators, classes=classes
    )
    return hierarchical_dawid_skene(crowd, known_labels=join[3])
