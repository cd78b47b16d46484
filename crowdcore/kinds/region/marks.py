"""Marks: all that annotators marked in all tasks, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import plain
from crowdcore.kinds.region.measures import Measure, measure_of
from crowdcore.kinds.region.places import Region
from crowdcore.kinds.table import AnswerTable

Codes = NDArray[np.int64]

NO_LABEL = -1
"""Code of a region that has no label."""
KNOWN = -1
"""Code that known regions have for their annotator."""


@dataclass(frozen=True, eq=False)
class Marks:
    """Q marks: regions of one label each, by task and then in an order that follows from the places alone.

    Attributes
    ----------
    task : ndarray of shape (Q,)
        Task code.
    annotator : ndarray of shape (Q,)
        Annotator code; `KNOWN` of a known region.
    answer : ndarray of shape (Q,)
        Place of the answer in the table, or `KNOWN`.
    region : ndarray of shape (Q,)
        Place of the region in the answer, or among those known.
    label : ndarray of shape (Q,)
        Label code, `NO_LABEL` where there is none.
    labels : tuple of str
        The K labels that the codes stand for, sorted.
    measure : Measure
        The places.
    """

    task: Codes
    annotator: Codes
    answer: Codes
    region: Codes
    label: Codes
    labels: tuple[str, ...]
    measure: Measure

    def __len__(self) -> int:
        return len(self.task)


def marks_of(table: AnswerTable, known: Sequence[Any] | None = None) -> Marks:
    """Return the marks of a table's answers, and the known regions of its tasks.

    An annotator's regions of the same place and label are one.

    Parameters
    ----------
    table : AnswerTable
        Its answers are sequences of `Region`.
    known : sequence of length N, optional
        The regions of each task that are known to be there; None for a task of which nothing is known.

    Raises
    ------
    TypeError
        If an answer is no sequence of regions, or places of different kinds are mixed.
    """
    rows: list[tuple[int, int, int, int]] = []
    said: list[str | None] = []
    places: list[Any] = []
    given = zip(table.task.tolist(), table.annotator.tolist(), range(len(table.values)), table.values, strict=True)
    true = ((task, KNOWN, KNOWN, there) for task, there in enumerate(known or ()) if there is not None)
    for task, annotator, answer, marked in chain(given, true):
        for at, name, region in _cut(marked, table, task, annotator):
            rows.append((task, annotator, answer, at))
            said.append(name)
            places.append(region.place)
    labels = tuple(sorted({label for label in said if label is not None}))
    code = {label: number for number, label in enumerate(labels)}
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    label: Codes = np.array([NO_LABEL if one is None else code[one] for one in said], dtype=np.int64)
    measure = measure_of(places)
    order = np.lexsort([_ranks(table)[columns[1]], label, *reversed(measure.keys), columns[0]])
    task, annotator, answer, region = columns[:, order]
    return Marks(task, annotator, answer, region, label[order], labels, measure.of(order))


def _cut(regions: Any, table: AnswerTable, task: int, annotator: int) -> list[tuple[int, str | None, Region]]:
    """Return the regions of an answer by label, without repetitions: place in the answer, label, region."""
    if not isinstance(regions, (tuple, list)) or not all(isinstance(region, Region) for region in regions):
        who = plain(table.annotators[annotator])
        whose = "The known answer" if annotator == KNOWN else f"Annotator {who!r}'s answer"
        raise TypeError(
            f"{whose} to task {plain(table.tasks[task])!r} is {regions!r}; expected a tuple of Region, () for nothing."
        )
    cut = [(at, label, region) for at, region in enumerate(regions) for label in region.labels]
    if len({(label, region.place) for _, label, region in cut}) == len(cut):
        return cut
    first: dict[Any, tuple[int, str | None, Region]] = {}
    for at, label, region in cut:
        first.setdefault((label, region.place), (at, label, region))
    return list(first.values())


def _ranks(table: AnswerTable) -> Codes:
    """Return the place of each annotator among all by id; the last is that of known regions, which come first."""
    ids = table.annotators.tolist()
    order = sorted(range(len(ids)), key=lambda at: (type(ids[at]).__name__, ids[at]))
    ranks = np.full(len(ids) + 1, -1, dtype=np.int64)
    ranks[np.array(order, dtype=np.int64)] = np.arange(len(ids))
    return ranks
