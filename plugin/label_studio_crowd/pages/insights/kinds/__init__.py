"""Each kind of answers as a person reads it.

A module for each has three functions: `view`, the answers to a task over its consensus; `why`, how an answer differs
from it, in words; and `habits`, what an annotator's answers are like.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeAlias

from label_studio_crowd.pages.insights.drawing import PictureView
from label_studio_crowd.pages.insights.kinds import numbers, rankings, regions, sets, texts
from label_studio_crowd.pages.insights.kinds.numbers import NumbersHabits, NumbersView
from label_studio_crowd.pages.insights.kinds.passages import PassagesView
from label_studio_crowd.pages.insights.kinds.rankings import RankingsHabits, RankingsView
from label_studio_crowd.pages.insights.kinds.regions import LabelRow, RegionsHabits
from label_studio_crowd.pages.insights.kinds.sets import SetsHabits, SetsView
from label_studio_crowd.pages.insights.kinds.texts import TextsHabits, TextsView
from label_studio_crowd.pages.insights.kinds.timelines import TimelinesView
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.wording import percent

__all__ = [
    "Habits",
    "LabelRow",
    "NumbersHabits",
    "RegionsHabits",
    "View",
    "advice_of",
    "habits_of",
    "labels_of",
    "view_of",
    "why_differs",
]

View: TypeAlias = SetsView | NumbersView | TextsView | RankingsView | PassagesView | TimelinesView | PictureView
Habits: TypeAlias = SetsHabits | NumbersHabits | TextsHabits | RankingsHabits | RegionsHabits


class _Kind(Protocol):
    def view(self, snapshot: Snapshot, row: int, data: Any) -> View | None: ...

    def why(self, snapshot: Snapshot, answer: int) -> str: ...

    def habits(self, snapshot: Snapshot, annotator: int) -> Habits | None: ...


_KINDS: Final[Mapping[str, _Kind]] = {
    "set": sets, "number": numbers, "moment": numbers, "text": texts, "ranking": rankings, "regions": regions
}  # fmt: skip
"""By the kind of a control: a form's name."""


def view_of(snapshot: Snapshot, row: int, data: Any) -> View | None:
    """Return the answers to a task (a row) over its consensus; None where they are classes.

    Parameters
    ----------
    data
        The task's data.
    """
    kind = _KINDS.get(snapshot.kind)
    return kind.view(snapshot, row, data) if kind and snapshot.values else None


def why_differs(snapshot: Snapshot, answer: int) -> str:
    """Return in words how an answer differs from the consensus; "" where it does not, or answers are classes."""
    kind = _KINDS.get(snapshot.kind)
    if not kind or not snapshot.values or snapshot.consensus[snapshot.crowd.task[answer]] < 0:
        return ""
    return kind.why(snapshot, answer)


def labels_of(snapshot: Snapshot) -> tuple[LabelRow, ...]:
    """Return the labels of a project's regions in numbers, the most frequent first; () where answers are no regions."""
    return regions.labels_of(snapshot)


def advice_of(snapshot: Snapshot, annotator: int) -> str:
    """Return what an annotator (a row) has to learn, in a few words; "" where answers are classes, or nothing tells."""
    found = habits_of(snapshot, annotator)
    if isinstance(found, RegionsHabits | SetsHabits):
        return _lacking(found.precision, found.recall, "regions" if isinstance(found, RegionsHabits) else "classes")
    if isinstance(found, NumbersHabits) and found.bias is not None and found.spread is not None:
        if abs(found.bias) > found.spread / 2:
            return f"answers too {'large' if found.bias > 0 else 'small'} by {abs(found.bias):.3g} on average"
        return f"answers vary by {found.spread:.3g}"
    if isinstance(found, TextsHabits) and found.words:
        return f"{percent(found.wrong / found.words)} of the words differ"
    if isinstance(found, RankingsHabits) and found.pairs:
        return f"{percent(found.wrong / found.pairs)} of the pairs are in another order"
    return ""


def _lacking(precision: float | None, recall: float | None, what: str) -> str:
    if precision is None or recall is None:
        return ""
    if recall < precision:
        return f"misses {percent(1 - recall)} of the {what}"
    return f"{percent(1 - precision)} of the {what} given are wrong"


def habits_of(snapshot: Snapshot, annotator: int) -> Habits | None:
    """Return what the answers of an annotator (a row) are like; None where they are classes, or nothing tells."""
    kind = _KINDS.get(snapshot.kind)
    return kind.habits(snapshot, annotator) if kind and snapshot.values else None
