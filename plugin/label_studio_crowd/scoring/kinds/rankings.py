"""Answers that put items in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crowdcore.kinds import AnswerTable, RankingResult, ranking_distance, rankings
from label_studio_crowd.scoring.kinds.kind import Floats, Kind
from label_studio_crowd.studio.controls import Control


class Rankings(Kind[RankingResult]):
    """Rankings in one list, or in several buckets."""

    def believe(self, control: Control, table: AnswerTable, known: Sequence[Any]) -> RankingResult:
        """See `Kind`."""
        names = sorted({name for answer in (*table.values, *known) for name, _ in answer or ()})
        as_core = dict if len(names) > 1 else _only_list
        truths = [None if answer is None else as_core(answer) for answer in known]
        return rankings(table.with_values([as_core(answer) for answer in table.values]), known=truths)

    def consensus(self, control: Control, found: RankingResult) -> list[Any]:
        """See `Kind`."""
        return [None if answer is None else _as_answer(control, answer) for answer in found.consensus.tolist()]

    def distance(self, one: Any, other: Any) -> float:
        """See `Kind`."""
        return ranking_distance(one, other)

    def interval(self, found: RankingResult) -> Floats:
        """See `Kind`; of 95 %."""
        return found.annotators.interval


def _only_list(answer: Any) -> tuple[str, ...]:
    return tuple(answer[0][1])


def _as_answer(control: Control, answer: Any) -> Any:
    if isinstance(answer, Mapping):
        return tuple(sorted((name, tuple(items)) for name, items in answer.items()))
    return ((control.name, tuple(answer)),)  # as results call the only list
