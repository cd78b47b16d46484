"""Answers that are texts that people write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from crowdcore.kinds import AnswerTable, TextResult, text_distance, texts
from label_studio_crowd.scoring.kinds.kind import Floats, Kind, Told, narrowed
from label_studio_crowd.scoring.kinds.marked_texts import NO_TEXTS, Text
from label_studio_crowd.studio.controls import Control
from label_studio_crowd.wording import percent

_DOUBTED: Final = 0.9
"""Words that are believed less are named."""
_MOST: Final = 5


class Texts(Kind[TextResult]):
    """Texts, and tuples of texts."""

    def believe(
        self,
        control: Control,
        table: AnswerTable,
        known: Sequence[Any],
        marked: Mapping[int, Text] = NO_TEXTS,
        model: Floats | None = None,
    ) -> TextResult:
        """See `Kind`."""
        return texts(table, known=known)

    def tell(self, control: Control, found: TextResult) -> Told:
        """See `Kind`."""
        return Told(tuple(_of_task(found, task) for task in range(len(found.consensus))))

    def distance(self, one: Any, other: Any) -> float:
        """See `Kind`."""
        return text_distance(one, other)

    def interval(self, found: TextResult) -> Floats:
        """See `Kind`."""
        return narrowed(found.annotators)


def _of_task(found: TextResult, task: int) -> str:
    if found.consensus[task] is None or not found.num_answers[task]:
        return ""
    words = sorted(((believed, word.strip()) for word, believed in found.words(task) if word.strip()))
    doubted = [f"“{word}” {percent(believed)}" for believed, word in words[:_MOST] if believed < _DOUBTED]
    least = f"; least sure: {', '.join(doubted)}" if doubted else ""
    return f"every word is right with a probability of {percent(found.all_right[task])}{least}"
