"""Answers that are regions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds import (
    AnswerTable,
    Box,
    Ellipse,
    Place,
    Polygon,
    Region,
    RegionResult,
    region_distance,
    regions,
)
from label_studio_crowd.scoring.kinds.kind import Details, Floats, Kind, Told, narrowed
from label_studio_crowd.scoring.kinds.marked_texts import LEAST_TASKS, NO_TEXTS, MarkedTexts, Text
from label_studio_crowd.studio.controls import Control, composed, regions_of
from label_studio_crowd.wording import percent


class RegionsKind(Kind[RegionResult]):
    """Spans, boxes, polygons, points and masks."""

    def believe(
        self,
        control: Control,
        table: AnswerTable,
        known: Sequence[Any],
        marked: Mapping[int, Text] = NO_TEXTS,
        model: Floats | None = None,
    ) -> RegionResult:
        """See `Kind`; a classifier learns from the texts what is marked, where these are what annotators saw."""
        sort = usual_sort(table)
        places = table.with_values([of_sort(answer, sort) for answer in table.values])
        truths = [None if truth is None else of_sort(truth, sort) for truth in known]
        told = None if all(truth is None for truth in truths) else truths
        return replace(regions(places, known=told, features=_features(table, marked)), answers=table)

    def consensus(self, control: Control, found: RegionResult) -> list[Any]:
        """See `Kind`; of a known answer none: nobody may have marked its regions, and who knows it has it."""
        answers: list[Any] = []
        for task, kept in enumerate(found.consensus.tolist()):
            if kept is None or found.known[task]:
                answers.append(None)
                continue
            units = found.kept_units(task)
            items = [_item(control, found, unit, region) for unit, region in zip(units.tolist(), kept, strict=True)]
            answers.append(regions_of(control, items))
        return answers

    def tell(self, control: Control, found: RegionResult) -> Told:
        """See `Kind`."""
        more = found.annotators.more
        people = [
            f"precision {percent(precision)}, recall {percent(recall)}"
            for precision, recall in zip(more["precision"], more["recall"], strict=True)
        ]
        return Told(tuple(_of_task(found, task) for task in range(len(found.consensus))), tuple(people))

    def details(self, found: RegionResult, given: Sequence[Any], consensus: Sequence[Any]) -> Details:
        """See `Kind`; also the units that were matched, and who marked them: what `RegionTable` reads."""
        units, members = found.units, found.members
        return {
            **super().details(found, given, consensus),
            "labels": np.array(found.labels, dtype=np.str_),
            "unit_task": units.task.astype(np.int32),
            "unit_label": units.label.astype(np.int32),
            "unit_item": _unit_items(found, consensus),
            "unit_exists": units.exists.astype(np.float32),
            "unit_quality": units.quality.astype(np.float32),
            "unit_exactness": units.exactness.astype(np.float32),
            "mark_unit": members.unit.astype(np.int32),
            "mark_answer": members.answer.astype(np.int32),
            "mark_item": _mark_items(found, given),
            "mark_label": members.label.astype(np.int32),
            "mark_alike": members.alike.astype(np.float32),
            "mark_quality": members.quality.astype(np.float32),
        }

    def distance(self, one: Any, other: Any) -> float:
        """See `Kind`."""
        sort = _sort((one.places or other.places)[0].place) if one.places or other.places else ""
        return region_distance(of_sort(one, sort), of_sort(other, sort))

    def interval(self, found: RegionResult) -> Floats:
        """See `Kind`."""
        return narrowed(found.annotators)


def _features(table: AnswerTable, texts: Mapping[int, Text]) -> MarkedTexts | None:
    """Return features of the marked texts, None where these are not at hand, or too few to learn from."""
    if (table.num_answers[np.isin(table.tasks, list(texts))] > 1).sum() < LEAST_TASKS:
        return None
    answers = zip(table.tasks[table.task].tolist(), table.values, strict=True)
    marks = ((task, region, answer.items[region.meta]["value"]) for task, answer in answers for region in answer.places)
    found = MarkedTexts(texts)
    return found if found.fit(marks) else None


def _sort(place: Place) -> str:
    """Return what can be compared with a place: areas with areas, spans with spans."""
    return "area" if isinstance(place, Box | Ellipse | Polygon) else type(place).__name__


def usual_sort(table: AnswerTable) -> str:
    """Return the sort of most regions: others, which a control hardly has, have nothing in common with them."""
    sorts = Counter(_sort(region.place) for answer in table.values for region in answer.places)
    return sorts.most_common(1)[0][0] if sorts else ""


def of_sort(answer: Any, sort: str) -> tuple[Region, ...]:
    """Return the regions of an answer that are of a sort, as they are matched."""
    return tuple(region for region in answer.places if _sort(region.place) == sort)


def _item(control: Control, found: RegionResult, unit: int, region: Any) -> dict[str, Any]:
    members = found.members_of(unit)
    members = members[np.argsort(-found.members.alike[members], kind="stable")]
    sort = _sort(region.place)
    items = []
    for member in members.tolist():
        answer = found.answers.values[found.members.answer[member]]
        items.append(answer.items[of_sort(answer, sort)[found.members.region[member]].meta])
    return composed(control, region, items, float(found.units.quality[unit]))


def _unit_items(found: RegionResult, consensus: Sequence[Any]) -> NDArray[np.int32]:
    """Return which item of its task's consensus each unit is, -1 where it is not part of it; (U,)."""
    units = found.units
    item = np.full(len(units.task), -1, np.int32)
    kept = np.flatnonzero(units.kept)
    if not len(kept):
        return item
    task = units.task[kept]
    item[kept] = np.arange(len(kept)) - np.searchsorted(task, task)
    for unit in kept[found.known[task]].tolist():  # there the consensus is an annotation, in an order of its own
        label = None if units.label[unit] < 0 else found.labels[units.label[unit]]
        there = consensus[units.task[unit]].places
        fits = (region.meta for region in there if region.place == units.place[unit] and label in region.labels)
        item[unit] = next(fits, -1)
    return item


def _mark_items(found: RegionResult, given: Sequence[Any]) -> NDArray[np.int32]:
    """Return which item of its answer, as that is kept, each mark is; (Q,).

    An answer that equals the consensus of a task is kept in the consensus' order.
    """
    sort, members = usual_sort(found.answers), found.members
    marked = [of_sort(answer, sort) for answer in found.answers.values]
    own = [answer is kept for answer, kept in zip(found.answers.values, given, strict=True)]
    items = np.empty(len(members.unit), np.int32)
    for mark, (answer, region) in enumerate(zip(members.answer.tolist(), members.region.tolist(), strict=True)):
        place = marked[answer][region]
        items[mark] = place.meta if own[answer] else _same(place, given[answer].places)
    return items


def _same(region: Region, there: Sequence[Region]) -> int:
    return next((one.meta for one in there if one.place == region.place and one.labels == region.labels), -1)


def _of_task(found: RegionResult, task: int) -> str:
    """Return how far the regions of a task are believed, and what was marked that is not in the consensus."""
    first, last = np.searchsorted(found.units.task, [task, task + 1])
    kept = found.units.kept[first:last]
    if not found.num_answers[task]:
        return ""
    doubted = found.units.quality[first:last][kept]
    words = [f"{kept.sum()} of {last - first} marked regions"]
    if len(doubted):
        words.append(f"the least sure with {percent(float(doubted.min()))}")
    return ", ".join(words)
