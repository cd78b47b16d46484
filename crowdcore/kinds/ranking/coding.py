"""Rankings as places of items, and as orders of pairs of items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import plain
from crowdcore.kinds.per_task import is_missing, per_task
from crowdcore.kinds.table import AnswerTable

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

Buckets = dict[Any, tuple[Any, ...]]
"""A ranking: the items in each bucket, best first; None is the bucket of a ranking without any."""

NOWHERE = -1


def read_ranking(value: Any, what: str) -> Buckets:
    """Return a ranking as items by bucket.

    Parameters
    ----------
    value : sequence, or mapping from buckets to sequences
        Items, best first.
    what : str
        What it is, for the error.

    Raises
    ------
    ValueError
        If it is no ranking, or has an item twice.

    Examples
    --------
    >>> read_ranking(["b", "a"], "An answer"), read_ranking({"best": ["b"], "rest": ["a"]}, "An answer")
    ({None: ('b', 'a')}, {'best': ('b',), 'rest': ('a',)})
    """
    buckets = value if isinstance(value, Mapping) else {None: value}
    for items in buckets.values():
        if isinstance(items, str) or not isinstance(items, Sequence):
            raise ValueError(
                f"{what} is {value!r}; it has to be a sequence of items, best first, or a mapping from buckets to such "
                "sequences."
            )
    found = {bucket: tuple(items) for bucket, items in buckets.items()}
    items = list(chain(*found.values()))
    if _repeats(items, what):
        twice = next(item for at, item in enumerate(items) if item in items[:at])
        raise ValueError(f"{what} is {value!r}, with {twice!r} more than once; an item has one place.")
    return found


def ranking_distance(a: Any, b: Any) -> float:
    """Return how far two rankings differ, in [0, 1].

    It is the share of pairs of items in another order (Kendall's distance), of those that both rank. With buckets it is
    1 less the share of items in the same bucket times the share of pairs there in the same order. Rankings with no item
    in common differ by 1.

    Examples
    --------
    >>> ranking_distance(("a", "b", "c"), ("a", "c", "b"))
    0.33333333333333337
    >>> ranking_distance({"good": ["a"], "bad": ["b", "c"]}, {"good": ["a", "b"], "bad": ["c"]})
    0.33333333333333337
    """
    items, bucket, place = _places([read_ranking(a, "A ranking"), read_ranking(b, "A ranking")])
    if not len(items):
        return 0.0
    return 1 - float(similarities(bucket[:1], place[:1], bucket[1:], place[1:])[0])


def similarities(bucket: Codes, place: Codes, other_bucket: Codes, other_place: Codes) -> Floats:
    """Return 1 less the distance of each of n rankings to another one; two that rank nothing are the same.

    Parameters
    ----------
    bucket, place : ndarray of shape (n, I)
        Bucket of each item and its place there, -1 if it is not ranked.
    other_bucket, other_place : ndarray of shape (1, I)
        Those of the other ranking.
    """
    both = (bucket != NOWHERE) & (other_bucket != NOWHERE)
    alike = both & (bucket == other_bucket)
    first, second = np.triu_indices(bucket.shape[1], 1)
    pair = alike[:, first] & alike[:, second] & (bucket[:, first] == bucket[:, second])
    order, other = (np.sign(at[:, first] - at[:, second]) for at in (place, other_place))
    n, pairs = both.sum(axis=1), pair.sum(axis=1)
    right = np.where(pairs > 0, (pair & (order == other)).sum(axis=1) / np.maximum(pairs, 1), 1.0)
    empty = (bucket == NOWHERE).all(axis=1) & (other_bucket == NOWHERE).all(axis=1)
    found: Floats = np.where(n > 0, alike.sum(axis=1) / np.maximum(n, 1) * right, empty.astype(np.float64))
    return found


@dataclass(frozen=True, eq=False)
class TaskRankings:
    """The rankings of one task.

    Attributes
    ----------
    items : list of length I
        All items that somebody ranks, sorted.
    bucket, place : ndarray of shape (n, I)
        Bucket and place there of each item in each answer, -1 if it is not ranked.
    known_bucket, known_place : ndarray of shape (1, I), or (0, I)
        Those of the known ranking.
    flipped : ndarray of bool, shape (P,)
        Pairs of items that are asked about the other way round, so that neither order is the common one.
    """

    items: list[Any]
    bucket: Codes
    place: Codes
    known_bucket: Codes
    known_place: Codes
    flipped: NDArray[np.bool_]

    @property
    def pairs(self) -> tuple[Codes, Codes]:
        """First and second item of all P pairs."""
        first, second = np.triu_indices(len(self.items), 1)
        return np.where(self.flipped, second, first), np.where(self.flipped, first, second)


@dataclass(frozen=True, eq=False)
class Rankings:
    """The rankings of N tasks.

    Attributes
    ----------
    tasks : list of N TaskRankings
        The answers of each task.
    buckets : list
        The names of all buckets, sorted.
    bucketed : bool
        Whether answers have buckets; else there is one, None.
    known : list of N tuples, dicts of tuples, or None
        Known rankings.
    """

    tasks: list[TaskRankings]
    buckets: list[Any]
    bucketed: bool
    known: list[Any]


def read_rankings(table: AnswerTable, known: Sequence[Any] | Mapping[Any, Any] | None) -> Rankings:
    """Return the answers of a table, read and checked.

    Raises
    ------
    ValueError
        If an answer or a known ranking is none, or `known` has not a place for each task.
    """
    truths = [None if is_missing(told) else told for told in per_task(table, known, "known", "a ranking or None")]
    answers = [
        read_ranking(value, f"An answer to task {plain(table.tasks[i])!r}")
        for i, value in zip(table.task, table.values, strict=True)
    ]
    told = [[] if truth is None else [read_ranking(truth, "A known ranking")] for truth in truths]
    forms = {isinstance(value, Mapping) for value in [*table.values, *[truth for truth in truths if truth is not None]]}
    if len(forms) > 1:
        raise ValueError("Some rankings have buckets, and some have none; give all of them in one way.")
    bucketed = True in forms
    buckets = _names(answers, told) if bucketed else [None]
    found = []
    for i, (start, end) in enumerate(zip(table.indptr[:-1], table.indptr[1:], strict=True)):
        items, bucket, place = _places([*answers[start:end], *told[i]], buckets)
        n, name = end - start, repr(plain(table.tasks[i]))
        first, second = np.triu_indices(len(items), 1)
        flipped = np.array(
            [crc32(f"{name} {items[a]!r} {items[b]!r}".encode()) >> 7 & 1 for a, b in zip(first, second, strict=True)],
            np.bool_,
        )
        found.append(TaskRankings(items, bucket[:n], place[:n], bucket[n:], place[n:], flipped))
    whole = [None if not read else read[0] if bucketed else read[0][None] for read in told]
    return Rankings(found, buckets, bucketed, whole)


def _names(answers: Iterable[Buckets], told: Iterable[list[Buckets]]) -> list[Any]:
    """Return the names of all buckets, sorted."""
    names = {bucket for ranking in chain(answers, *told) for bucket in ranking}
    return sorted(names, key=lambda name: (str(name), repr(name)))


def _places(rankings: list[Buckets], buckets: list[Any] | None = None) -> tuple[list[Any], Codes, Codes]:
    """Return the items, and bucket and place of each of them in each ranking."""
    items = sorted({item for ranking in rankings for part in ranking.values() for item in part}, key=repr)
    codes = {name: code for code, name in enumerate(_names(rankings, []) if buckets is None else buckets)}
    at = {item: number for number, item in enumerate(items)}
    bucket = np.full((len(rankings), len(items)), NOWHERE)
    place = np.full_like(bucket, NOWHERE)
    for row, ranking in enumerate(rankings):
        for name, part in ranking.items():
            columns = [at[item] for item in part]
            bucket[row, columns] = codes[name]
            place[row, columns] = np.arange(len(columns))
    return items, bucket, place


def _repeats(items: list[Any], what: str) -> bool:
    try:
        return len(set(items)) < len(items)
    except TypeError:
        raise ValueError(f"{what} has items {items!r}; an item has to be a text, a number or a tuple.") from None
