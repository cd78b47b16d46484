"""Regions over what they mark, and what an annotator misses, invents and draws inexactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias

import numpy as np

from crowdcore.kinds.region import Ranges, Span
from label_studio_crowd.pages.insights.drawing import PictureView, on_picture
from label_studio_crowd.pages.insights.figures import known_or_none
from label_studio_crowd.pages.insights.kinds.passages import PassagesView, passages, source_of
from label_studio_crowd.pages.insights.kinds.timelines import TimelinesView, timelines
from label_studio_crowd.pages.insights.marks import in_words, marks_of
from label_studio_crowd.pages.insights.project import Count
from label_studio_crowd.scoring.region_table import RegionTable
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.studio.controls import as_place
from label_studio_crowd.studio.controls.variables import lookup

_WRITTEN: Final = ("text", "hypertext", "paragraphs")
_EDGES: Final = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
_MOST_LABELS: Final = 30

View: TypeAlias = PassagesView | TimelinesView | PictureView


@dataclass(frozen=True)
class LabelHabit:
    """How an annotator marks what has a label, on tasks that others answered, too.

    Attributes
    ----------
    label
        The label, "" of regions without one.
    there, found
        Regions of the consensus with the label, and how many of them they marked, whatever they called them.
    called
        The other label that they give these most often, and how often; None where they give none.
    invented
        Regions with the label that they marked and the consensus has not.
    """

    label: str
    there: int
    found: int
    called: Count | None
    invented: int

    @property
    def missed(self) -> int:
        """Regions of the consensus that they did not mark."""
        return self.there - self.found


@dataclass(frozen=True)
class LabelRow:
    """A label of regions in numbers.

    Attributes
    ----------
    label
        "" of regions without one.
    regions, quality
        Regions of the consensus with it, and the mean probability that they are there and have it.
    marked
        How everybody marks it, together; None where no task that has it was answered by several.
    """

    label: str
    regions: int
    quality: float
    marked: LabelHabit | None


@dataclass(frozen=True)
class RegionsHabits:
    """How an annotator marks regions.

    Attributes
    ----------
    precision, recall, exactness
        Share of their regions that are right, share of what is there that they mark, and how far their boundaries
        agree with the consensus; None where nothing tells.
    usual_exactness
        The mean of everybody's exactness.
    rows
        By label, the most frequent first; at most 30.
    left_out
        How many more labels there are.
    edges, counts
        How many of their regions agree how far with the consensus' boundaries: B + 1 edges, B counts; () without any.
    """

    name: ClassVar[str] = "regions"

    precision: float | None
    recall: float | None
    exactness: float | None
    usual_exactness: float | None
    rows: tuple[LabelHabit, ...]
    left_out: int
    edges: tuple[float, ...]
    counts: tuple[int, ...]


def view(snapshot: Snapshot, row: int, data: Any) -> View | None:
    """Return the regions of a task (a row) over what they mark; None of what an earlier release stored."""
    table = snapshot.regions
    if table is None:
        return None
    marks = marks_of(snapshot, table, row)
    tag, field = next(iter(snapshot.scored_control().fields), ("", ""))
    everything = [mark for some in (marks.consensus, *marks.of_members) for mark in some]
    if tag in _WRITTEN:
        return passages(marks, source_of(tag, lookup(data, field), everything))
    first = next((place for mark in everything if (place := as_place(mark.item)) is not None), None)
    if isinstance(first, Span | Ranges):
        return timelines(marks, tag)
    return on_picture(marks)


def why(snapshot: Snapshot, answer: int) -> str:
    """Return in words how an answer differs from the consensus."""
    table = snapshot.regions
    if table is None:
        return ""
    row = int(snapshot.crowd.task[answer])
    return in_words(marks_of(snapshot, table, row).of_members[answer - int(snapshot.crowd.indptr[row])])


def habits(snapshot: Snapshot, annotator: int) -> RegionsHabits | None:
    """Return how an annotator (a row) marks regions; None where nobody else has a say on their tasks."""
    table = snapshot.regions
    if table is None:
        return None
    several = table.answers > 1
    theirs = np.flatnonzero((table.mark_annotator == annotator) & several[table.mark_unit])
    missed = table.missed[0][table.missed[1] == annotator]
    missed = missed[several[missed]]
    if not len(theirs) and not len(missed):
        return None
    found = theirs[table.kept[table.mark_unit[theirs]]]
    counts, _ = np.histogram(table.alike[found], _EDGES)
    rows = _rows(table, theirs, missed)
    told = snapshot.details
    figures = {
        name: known_or_none(told[name][annotator]) for name in ("precision", "recall", "exactness") if name in told
    }
    everybody = told.get("exactness", np.empty(0))
    return RegionsHabits(
        precision=figures.get("precision"),
        recall=figures.get("recall"),
        exactness=figures.get("exactness"),
        usual_exactness=float(np.nanmean(everybody)) if np.isfinite(everybody).any() else None,
        rows=rows[:_MOST_LABELS],
        left_out=max(len(rows) - _MOST_LABELS, 0),
        edges=_EDGES if len(found) else (),
        counts=tuple(counts.tolist()) if len(found) else (),
    )


def labels_of(snapshot: Snapshot) -> tuple[LabelRow, ...]:
    """Return the labels of a project's regions in numbers, the most frequent first; () where answers are no regions."""
    table = snapshot.regions
    if table is None or not len(table.unit_task):
        return ()
    several = (table.answers > 1)[table.mark_unit]
    theirs = np.flatnonzero(several)
    missed = table.missed[0][(table.answers > 1)[table.missed[0]]]
    kept = np.flatnonzero(table.kept)
    K = len(table.labels) + 1
    number = np.bincount(table.unit_label[kept] % K, minlength=K)
    sure = np.bincount(table.unit_label[kept] % K, table.quality[kept], minlength=K)
    by_label = {row.label: row for row in _rows(table, theirs, missed)}
    order = np.argsort(-number, kind="stable")[:_MOST_LABELS].tolist()
    return tuple(
        LabelRow(label, int(number[code]), float(sure[code] / number[code]), by_label.get(label))
        for code in order
        if number[code] and (label := _named(table, code)) is not None
    )


def _rows(table: RegionTable, theirs: Any, missed: Any) -> tuple[LabelHabit, ...]:
    K = len(table.labels) + 1  # the last is of regions without a label, whose code is -1
    unit, said = table.mark_unit[theirs], table.mark_label[theirs] % K
    kept = table.kept[unit]
    true = table.unit_label[unit[kept]] % K
    found = np.bincount(true, minlength=K)
    there = found + np.bincount(table.unit_label[missed] % K, minlength=K)
    invented = np.bincount(said[~kept], minlength=K)
    called = np.zeros((K, K), np.int64)
    wrong = true != said[kept]
    np.add.at(called, (true[wrong], said[kept][wrong]), 1)
    order = np.argsort(-(there + invented), kind="stable")
    return tuple(
        LabelHabit(
            label=_named(table, code),
            there=int(there[code]),
            found=int(found[code]),
            called=Count(_named(table, int(called[code].argmax())), int(called[code].max()))
            if called[code].any()
            else None,
            invented=int(invented[code]),
        )
        for code in order.tolist()
        if there[code] + invented[code]
    )


def _named(table: RegionTable, code: int) -> str:
    return table.labels[code] if code < len(table.labels) else ""
