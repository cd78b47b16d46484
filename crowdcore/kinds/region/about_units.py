"""Answers about single regions, moved from everybody's regions to the consensus'."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.region.result import RegionResult
from crowdcore.kinds.table import AnswerTable

Codes = NDArray[np.int64]


def answers_about_units(result: RegionResult, said: Iterable[tuple[Any, Any, int, Any]]) -> tuple[AnswerTable, Codes]:
    """Return answers about single regions as answers about the kept units, for the consensus of their own kind.

    Parameters
    ----------
    result : RegionResult
        The consensus of the regions.
    said : iterable of (task, annotator, region, answer)
        What an annotator says of one of their regions: ids as in the table, the place of the region in the annotator's
        answer, and an answer of any kind.

    Returns
    -------
    table : AnswerTable
        Its tasks are (task, place in the consensus); those who marked a unit are its annotators.
    units : ndarray
        The unit of each of its tasks.

    Raises
    ------
    ValueError
        If an annotator has no answer to the task, or the region is not there.
    """
    unit_of = UnitsOfRegions(result)
    kept = np.flatnonzero(result.units.kept)
    number = {unit: at for at, unit in enumerate(kept.tolist())}
    who = {name: at for at, name in enumerate(result.answers.annotators.tolist())}
    rows: dict[tuple[int, int], Any] = {}
    for task, annotator, region, answer in said:
        unit = unit_of(task, annotator, region)
        if unit in number:
            rows.setdefault((number[unit], who[annotator]), answer)
    tasks = result.answers.tasks[result.units.task[kept]].tolist()
    place = np.arange(len(kept)) - np.searchsorted(result.units.task[kept], result.units.task[kept])
    ids = list(zip(tasks, place.tolist(), strict=True))
    codes = np.array(list(rows), dtype=np.int64).reshape(-1, 2)
    table = AnswerTable.from_codes(
        codes[:, 0], codes[:, 1], rows.values(), tasks=ids, annotators=result.answers.annotators
    )
    return table, kept


class UnitsOfRegions:
    """Finds the unit that an annotator's region is a member of.

    Parameters
    ----------
    result : RegionResult
        The consensus of the regions.
    """

    def __init__(self, result: RegionResult) -> None:
        table = result.answers
        tasks, annotators = table.tasks[table.task].tolist(), table.annotators[table.annotator].tolist()
        self._answer: dict[Hashable, int] = {key: at for at, key in enumerate(zip(tasks, annotators, strict=True))}
        members = result.members
        where = zip(members.answer.tolist(), members.region.tolist(), strict=True)
        self._unit: dict[tuple[int, int], int] = {}
        for key, unit in zip(where, members.unit.tolist(), strict=True):
            self._unit.setdefault(key, unit)

    def __call__(self, task: Any, annotator: Any, region: int) -> int:
        """Return the unit; of a region of several labels that of the first.

        Raises
        ------
        ValueError
            If the annotator has no answer to the task, or the region is not there, or repeats another one.
        """
        answer = self._answer.get((task, annotator))
        if answer is None:
            raise ValueError(f"Annotator {annotator!r} has no answer to task {task!r}, so no region {region} either.")
        unit = self._unit.get((answer, region))
        if unit is None:
            raise ValueError(
                f"Annotator {annotator!r}'s answer to task {task!r} has no region {region}, or it repeats another one."
            )
        return unit
