"""Answers that are regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from crowdcore.kinds import AnswerTable, RegionResult, region_distance, regions
from label_studio_crowd.scoring.kinds.kind import Floats, Kind, Told, share
from label_studio_crowd.studio.controls import Control, composed, regions_of


class RegionsKind(Kind[RegionResult]):
    """Spans, boxes, polygons, points and masks."""

    def believe(self, control: Control, table: AnswerTable, known: Sequence[Any]) -> RegionResult:
        """See `Kind`."""
        places = table.with_values([answer.places for answer in table.values])
        truths = None if all(truth is None for truth in known) else [truth and truth.places for truth in known]
        return replace(regions(places, known=truths), answers=table)

    def consensus(self, control: Control, found: RegionResult) -> list[Any]:
        """See `Kind`."""
        answers: list[Any] = []
        for task, kept in enumerate(found.consensus.tolist()):
            if kept is None:
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
            f"precision {share(precision)}, recall {share(recall)}"
            for precision, recall in zip(more["precision"], more["recall"], strict=True)
        ]
        return Told(tuple(_of_task(found, task) for task in range(len(found.consensus))), tuple(people))

    def distance(self, one: Any, other: Any) -> float:
        """See `Kind`."""
        return region_distance(one.places, other.places)

    def interval(self, found: RegionResult) -> Floats:
        """See `Kind`; of 95 %."""
        return found.annotators.interval


def _item(control: Control, found: RegionResult, unit: int, region: Any) -> dict[str, Any]:
    members = found.members_of(unit)
    members = members[np.argsort(-found.members.alike[members], kind="stable")]
    items = [
        found.answers.values[found.members.answer[member]].items[found.members.region[member]]
        for member in members.tolist()
    ]
    return composed(control, region, items, float(found.units.quality[unit]))


def _of_task(found: RegionResult, task: int) -> str:
    """Return how far the regions of a task are believed, and what was marked that is not in the consensus."""
    first, last = np.searchsorted(found.units.task, [task, task + 1])
    kept = found.units.kept[first:last]
    if not found.num_answers[task]:
        return ""
    doubted = found.units.quality[first:last][kept]
    words = [f"{kept.sum()} of {last - first} marked regions"]
    if len(doubted):
        words.append(f"the least sure with {share(float(doubted.min()))}")
    return ", ".join(words)
