"""Relations between regions, moved from everybody's regions to the consensus'."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.kinds.region.about_units import UnitsOfRegions
from crowdcore.kinds.region.result import RegionResult

Codes = NDArray[np.int64]
Unit = tuple[int, int]
"""Which of several results of regions, and the place in its units."""

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
    label : hashable, optional
        What it is called.
    both_ways : bool
        Whether it has no direction.
    first_of, second_of : int
        Which of several results of regions each region belongs to.
    """

    task: Any
    annotator: Any
    first: int
    second: int
    label: Hashable = None
    both_ways: bool = False
    first_of: int = 0
    second_of: int = 0


@dataclass(frozen=True, slots=True)
class RelatedUnits:
    """A relation of the consensus.

    Attributes
    ----------
    first, second : int
        Units; places in ``result.units``.
    label : hashable, optional
        What the relation is called.
    both_ways : bool
        Whether it has no direction.
    quality : float
        Probability that the two units are so related, if both exist.
    first_of, second_of : int
        Which of several results of regions each unit belongs to.
    """

    first: int
    second: int
    label: Hashable
    both_ways: bool
    quality: float
    first_of: int = 0
    second_of: int = 0


@dataclass(frozen=True, eq=False)
class RelationBelief:
    """What is believed of P pairs of kept units, each of which somebody related.

    Attributes
    ----------
    pairs : tuple of (Unit, Unit)
        The two units, in order.
    task : ndarray of shape (P,)
        Id of the task of each pair.
    relations : tuple of (label, both_ways, forward)
        What the classes stand for, from class 1 on: forward if it goes from a pair's first unit to its second one.
        Class 0 is `NONE`.
    believed : HierarchicalResult
        What is believed of the pairs; its annotators are those who marked both units.
    """

    pairs: tuple[tuple[Unit, Unit], ...]
    task: NDArray[Any]
    relations: tuple[tuple[Hashable, bool, bool], ...]
    believed: HierarchicalResult

    def related(self, pair: int) -> RelatedUnits | None:
        """Return how a pair is related, None if it is not."""
        code = int(self.believed.consensus[pair])
        if code < 1:
            return None
        label, both_ways, forward = self.relations[code - 1]
        one, other = self.pairs[pair] if forward else self.pairs[pair][::-1]
        quality = float(self.believed.quality[pair])
        return RelatedUnits(one[1], other[1], label, both_ways, quality, one[0], other[0])


def relate(result: RegionResult | Sequence[RegionResult], relations: Iterable[Relation]) -> list[RelatedUnits]:
    """Return which kept regions are related.

    Two units of the consensus are a question if somebody related them; all who marked both have answered it, those who
    did not relate them with "none". Hierarchical Dawid-Skene believes the answers.

    Parameters
    ----------
    result : RegionResult, or sequence of RegionResult
        The consensus of the regions; of several, if annotators relate regions of several kinds.
    relations : iterable of Relation
        What annotators said.

    Raises
    ------
    ValueError
        If a relation's annotator has no answer to its task, or a region is not there.
    """
    belief = believe_relations([result] if isinstance(result, RegionResult) else result, relations)
    if belief is None:
        return []
    return [found for pair in range(len(belief.pairs)) if (found := belief.related(pair)) is not None]


def believe_relations(
    results: Sequence[RegionResult],
    relations: Iterable[Relation],
    known: Mapping[Any, Iterable[Relation]] | None = None,
) -> RelationBelief | None:
    """Return what is believed of all pairs of kept units that somebody related; None where there are none.

    Parameters
    ----------
    results, relations
        As for `relate`.
    known : mapping, optional
        All relations that are known to be there, by task. Their regions are places among the known regions of the
        task; they need no annotator.

    Raises
    ------
    ValueError
        As for `relate`.
    """
    said = _said(results, relations)
    true = _true(results, known or {})
    pairs = sorted(
        pair
        for pair in said.keys() | true.keys()
        if pair[0] != pair[1] and all(_is_kept(results, unit) for unit in pair)
    )
    if not pairs:
        return None
    found = sorted({*true.values(), *(one for pair in pairs for one in said.get(pair, {}).values())}, key=repr)
    class_of = {relation: number for number, relation in enumerate(found, 1)}
    annotators = list(dict.fromkeys(who for result in results for who in result.answers.annotators.tolist()))
    code_of = {who: code for code, who in enumerate(annotators)}
    rows = [
        (number, code_of[who], class_of[said[pair][who]] if who in said.get(pair, {}) else 0)
        for number, pair in enumerate(pairs)
        for who in sorted(_markers(results, pair) | set(said.get(pair, {})), key=code_of.__getitem__)
    ]
    task, annotator, label = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    classes = [NONE, *map(repr, found)]
    crowd = Crowd.from_codes(task, annotator, label, tasks=pairs, annotators=annotators, classes=classes)
    about = [results[which].answers.tasks[results[which].units.task[unit]] for (which, unit), _ in pairs]
    tasks: NDArray[Any] = np.empty(len(pairs), dtype=object)
    tasks[:] = about
    told = [
        -1 if known is None or of not in known else class_of[true[pair]] if pair in true else 0
        for pair, of in zip(pairs, about, strict=True)
    ]
    believed = hierarchical_dawid_skene(crowd, known_labels=np.array(told, dtype=np.int64))
    return RelationBelief(tuple(pairs), tasks, tuple(found), believed)


def _said(
    results: Sequence[RegionResult], relations: Iterable[Relation]
) -> dict[tuple[Unit, Unit], dict[Any, tuple[Hashable, bool, bool]]]:
    """Return what annotators said of pairs of units; of one annotator's several relations of a pair the last."""
    unit_of = [UnitsOfRegions(result) for result in results]
    said: dict[tuple[Unit, Unit], dict[Any, tuple[Hashable, bool, bool]]] = {}
    for one in relations:
        first = one.first_of, unit_of[one.first_of](one.task, one.annotator, one.first)
        second = one.second_of, unit_of[one.second_of](one.task, one.annotator, one.second)
        forward = one.both_ways or first <= second
        said.setdefault((min(first, second), max(first, second)), {})[one.annotator] = (
            one.label,
            one.both_ways,
            forward,
        )
    return said


def _true(
    results: Sequence[RegionResult], known: Mapping[Any, Iterable[Relation]]
) -> dict[tuple[Unit, Unit], tuple[Hashable, bool, bool]]:
    """Return the relations that are known to be there, by pair."""
    unit_of = [
        {(result.answers.tasks[task], region): unit for task, region, unit in result.known_regions.tolist()}
        for result in results
    ]
    true: dict[tuple[Unit, Unit], tuple[Hashable, bool, bool]] = {}
    for one in (relation for of_task in known.values() for relation in of_task):
        first = one.first_of, unit_of[one.first_of][one.task, one.first]
        second = one.second_of, unit_of[one.second_of][one.task, one.second]
        forward = one.both_ways or first <= second
        true[min(first, second), max(first, second)] = one.label, one.both_ways, forward
    return true


def _is_kept(results: Sequence[RegionResult], unit: Unit) -> bool:
    return bool(results[unit[0]].units.kept[unit[1]])


def _markers(results: Sequence[RegionResult], pair: tuple[Unit, Unit]) -> set[Any]:
    """Return the annotators who marked both units."""
    marked = []
    for which, unit in pair:
        result = results[which]
        marked.append(set(result.answers.annotators[result.members.annotator[result.members_of(unit)]].tolist()))
    return marked[0] & marked[1]
