"""Relations between regions, and answers about single regions, moved from everybody's regions to the consensus'."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.kinds.region.result import RegionResult
from crowdcore.kinds.table import AnswerTable

Codes = NDArray[np.int64]

NONE = "\0none"
"""Class of two regions that are not related."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What an annotator says of two of their regions.

    Attributes
    ----------
    task, annotator : object
        Ids, as in the table of the regions.
    first, second : int
        Places of the two regions in the annotator's answer. The relation goes from the first to the second.
    label : str, optional
        What it is called.
    both_ways : bool
        Whether it has no direction.
    """

    task: Any
    annotator: Any
    first: int
    second: int
    label: str | None = None
    both_ways: bool = False


@dataclass(frozen=True, slots=True)
class RelatedUnits:
    """A relation of the consensus.

    Attributes
    ----------
    first, second : int
        Units; places in ``result.units``.
    label : str, optional
        What the relation is called.
    both_ways : bool
        Whether it has no direction.
    quality : float
        Probability that the two units are so related, if both exist.
    """

    first: int
    second: int
    label: str | None
    both_ways: bool
    quality: float


def relate(result: RegionResult, relations: Iterable[Relation]) -> list[RelatedUnits]:
    """Return which kept regions are related.

    Two units of the consensus are a question if somebody related them; all who marked both have answered it, those who
    did not relate them with "none". Hierarchical Dawid-Skene believes the answers.

    Parameters
    ----------
    result : RegionResult
        The consensus of the regions.
    relations : iterable of Relation
        What annotators said.

    Raises
    ------
    ValueError
        If a relation's annotator has no answer to its task, or a region is not there.
    """
    unit_of = _RegionUnits(result)
    who = {name: at for at, name in enumerate(result.answers.annotators.tolist())}
    said: dict[tuple[int, int], dict[int, tuple[str | None, bool, bool]]] = {}
    for relation in relations:
        ends = [unit_of(relation.task, relation.annotator, at) for at in (relation.first, relation.second)]
        pair = min(ends), max(ends)
        forward = relation.both_ways or ends[0] <= ends[1]
        said.setdefault(pair, {})[who[relation.annotator]] = (relation.label, relation.both_ways, forward)
    pairs = sorted(pair for pair in said if result.units.kept[list(pair)].all() and pair[0] != pair[1])
    if not pairs:
        return []
    codes = sorted({code for pair in pairs for code in said[pair].values()}, key=repr)
    classes = [NONE, *map(repr, codes)]
    place = {code: number for number, code in enumerate(codes, 1)}
    rows: list[tuple[int, int, int]] = []
    for number, (a, b) in enumerate(pairs):
        both = set.intersection(*[set(result.members.annotator[result.members_of(unit)].tolist()) for unit in (a, b)])
        here = said[a, b]
        rows += [(number, one, place[here[one]] if one in here else 0) for one in sorted({*both, *here})]
    task, annotator, label = np.array(rows, dtype=np.int64).T
    crowd = Crowd.from_codes(task, annotator, label, tasks=pairs, annotators=result.answers.annotators, classes=classes)
    believed = hierarchical_dawid_skene(crowd)
    found = []
    for (a, b), code, quality in zip(pairs, believed.consensus.tolist(), believed.quality.tolist(), strict=True):
        if code > 0:
            name, both_ways, forward = codes[code - 1]
            found.append(RelatedUnits(*((a, b) if forward else (b, a)), name, both_ways, quality))
    return found


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
    unit_of = _RegionUnits(result)
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


class _RegionUnits:
    """Finds the unit that an annotator's region is a member of."""

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
        answer = self._answer.get((task, annotator))
        if answer is None:
            raise ValueError(f"Annotator {annotator!r} has no answer to task {task!r}, so no region {region} either.")
        unit = self._unit.get((answer, region))
        if unit is None:
            raise ValueError(
                f"Annotator {annotator!r}'s answer to task {task!r} has no region {region}, or it repeats another one."
            )
        return unit
