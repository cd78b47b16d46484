"""Answers that put items in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crowdcore.kinds import AnswerTable, RankingResult, ranking_distance, rankings
from label_studio_crowd.scoring.kinds.kind import Floats, Kind
from label_studio_crowd.scoring.kinds.marked_texts import NO_TEXTS, Text
from label_studio_crowd.studio.controls import Control


class Rankings(Kind[RankingResult]):
    """Rankings in one list, or in several buckets."""

    def believe(
        self,
        control: Control,
        table: AnswerTable,
        known: Sequence[Any],
        marked: Mapping[int, Text] = NO_TEXTS,
        model: Floats | None = None,
    ) -> RankingResult:
        """See `Kind`."""
        as_core = dict if len(_buckets((*table.values, *known))) > 1 else _only_list
        truths = [None if answer is None else as_core(answer) for answer in known]
        found = rankings(table.with_values([as_core(answer) for answer in table.values]), known=truths)
        return replace(found, answers=table)

    def consensus(self, control: Control, found: RankingResult) -> list[Any]:
        """See `Kind`."""
        only = next(iter(_buckets(found.answers.values)), control.name)  # the only list is called as in the results
        return [None if answer is None else _as_answer(answer, only) for answer in found.consensus.tolist()]

    def distance(self, one: Any, other: Any) -> float:
        """See `Kind`."""
        as_core = dict if len(_buckets((one, other))) > 1 else _only_list
        return ranking_distance(as_core(one), as_core(other))


def _buckets(answers: Iterable[Any]) -> list[str]:
    return sorted({name for answer in answers for name, _ in answer or ()})


def _only_list(answer: Any) -> tuple[str, ...]:
    return tuple(answer[0][1])


def _as_answer(answer: Any, only: str) -> Any:
    if isinstance(answer, Mapping):
        return tuple(sorted((name, tuple(items)) for name, items in answer.items()))
    return ((only, tuple(answer)),)
