"""What annotators marked, matched to units: who marked which, who missed which, and what is odd about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

Oddity = Literal["alone", "few", "missed", "label", "boundaries"]
ODDITIES: Final[tuple[Oddity, ...]] = get_args(Oddity)
"""What may be wrong with a region: one person alone marked it, or few did, and it is not in the consensus; somebody
missed it; somebody gave it another label; somebody's boundaries are far from the consensus."""
FAR: Final = 0.75
"""Similarity to the consensus below which boundaries are far from it."""


@dataclass(frozen=True)
class Odd:
    """S regions with which something is odd, the surest first.

    Attributes
    ----------
    why
        Index into `ODDITIES`; (S,).
    unit
        Which unit it is about; (S,).
    surety
        How probable it is that somebody is wrong there: for boundaries how far they are off, times the probability of
        the region; (S,).
    """

    why: Codes
    unit: Codes
    surety: Floats


class RegionTable:
    """U units by task, and Q marks by unit; M annotators, A answers.

    Parameters
    ----------
    details
        What `scoring.kinds.regions` tells.
    answer_annotator, answer_task
        Rows of the answers, of people and of models; (A,).
    is_model
        Which annotators are models: nobody can correct what these marked; (M,).

    Attributes
    ----------
    labels
        The labels that codes stand for.
    unit_task, unit_label, unit_item
        Row of the task, label code (-1: none), and which item of the task's consensus it is, -1 for none; (U,).
    exists, quality, exactness
        Probability that there is something; that it has its label, too; expected similarity of its place to the true
        one; (U,).
    mark_unit, mark_answer, mark_item, mark_label, mark_annotator
        Whose member each is, in which answer, which item of it, its label code, who marked it; (Q,).
    alike, mark_quality
        Similarity to the unit's place, and the probability that there is something with this mark's label; (Q,).
    """

    def __init__(
        self,
        details: Mapping[str, NDArray[Any]],
        answer_annotator: Codes,
        answer_task: Codes,
        is_model: NDArray[np.bool_],
    ) -> None:
        self.labels: tuple[str, ...] = tuple(details["labels"].tolist())
        self.unit_task, self.unit_label, self.unit_item = (
            details[f"unit_{name}"].astype(np.int64) for name in ("task", "label", "item")
        )
        self.exists, self.quality, self.exactness = (
            details[f"unit_{name}"] for name in ("exists", "quality", "exactness")
        )
        self.mark_unit, self.mark_answer, self.mark_item, self.mark_label = (
            details[f"mark_{name}"].astype(np.int64) for name in ("unit", "answer", "item", "label")
        )
        self.alike, self.mark_quality = details["mark_alike"], details["mark_quality"]
        self._annotator, self._task, self.is_model = answer_annotator, answer_task, is_model
        self.mark_annotator: Codes = answer_annotator[self.mark_answer]

    def units_of(self, task: int) -> range:
        """Return the units of a task (a row)."""
        return range(*np.searchsorted(self.unit_task, [task, task + 1]).tolist())

    def marks_of(self, unit: int) -> range:
        """Return the marks of a unit."""
        return range(*np.searchsorted(self.mark_unit, [unit, unit + 1]).tolist())

    def label(self, code: int) -> str:
        """Return a label, "" for none."""
        return self.labels[code] if code >= 0 else ""

    def missed_by(self, unit: int) -> list[int]:
        """Return the annotators (rows) who answered the unit's task and did not mark it."""
        first, last = np.searchsorted(self._task, [self.unit_task[unit], self.unit_task[unit] + 1])
        marked = set(self.mark_annotator[self.marks_of(unit)].tolist())
        return [who for who in self._annotator[first:last].tolist() if who not in marked]

    @cached_property
    def kept(self) -> NDArray[np.bool_]:
        """Whether each unit is part of its task's consensus; (U,)."""
        return np.asarray(self.unit_item >= 0)

    @cached_property
    def answers(self) -> Codes:
        """How many answered the task of each unit; (U,)."""
        sizes = np.bincount(self._task, minlength=int(self.unit_task.max(initial=-1)) + 1)
        return np.asarray(sizes[self.unit_task])

    @cached_property
    def marked(self) -> Codes:
        """How many marked each unit; (U,)."""
        return np.bincount(self.mark_unit, minlength=len(self.unit_task))

    @cached_property
    def differs(self) -> NDArray[np.bool_]:
        """Whether each mark has another label than its unit, which is part of the consensus; (Q,)."""
        return np.asarray(self.kept[self.mark_unit] & (self.mark_label != self.unit_label[self.mark_unit]))

    @cached_property
    def is_far(self) -> NDArray[np.bool_]:
        """Whether the boundaries of each mark are far from those of its unit, which is part of the consensus; (Q,)."""
        return np.asarray(self.kept[self.mark_unit] & ~self.differs & (self.alike < FAR))

    @cached_property
    def missed(self) -> tuple[Codes, Codes]:
        """Which units of the consensus were missed, and by whom (a row): (P,), (P,)."""
        kept = np.flatnonzero(self.kept)
        start = np.searchsorted(self._task, self.unit_task[kept])
        size = self.answers[kept]
        unit = np.repeat(kept, size)
        answer = np.repeat(start - np.cumsum(size) + size, size) + np.arange(len(unit))
        who = self._annotator[answer]
        M = int(self._annotator.max(initial=0)) + 1
        there = np.isin(unit * M + who, self.mark_unit * M + self.mark_annotator)
        return unit[~there], who[~there]

    @cached_property
    def odd(self) -> Odd:
        """The regions with which something is odd in people's answers, where several answered."""
        unit, who = self.missed
        return self._odd(~self.is_model[self.mark_annotator], unit[~self.is_model[who]])

    def odd_of(self, annotator: int) -> Odd:
        """Return the regions with which something is odd in an annotator's (a row's) answers."""
        unit, who = self.missed
        return self._odd(self.mark_annotator == annotator, unit[who == annotator])

    def _odd(self, marks: NDArray[np.bool_], missed: Codes) -> Odd:
        several = self.answers > 1
        mark_several = several[self.mark_unit] & marks
        loose = self.mark_unit[mark_several & ~self.kept[self.mark_unit]]
        parts = [
            (0, loose[self.marked[loose] == 1], 1 - self.exists),
            (1, loose[self.marked[loose] > 1], 1 - self.exists),
            (2, missed, self.quality),
            (
                3,
                self.mark_unit[mark_several & self.differs],
                self._most(1 - self.mark_quality, mark_several & self.differs),
            ),
            (
                4,
                self.mark_unit[mark_several & self.is_far],
                self.quality * self._most(1 - self.alike, mark_several & self.is_far),
            ),
        ]
        found = [(why, np.unique(units), surety) for why, units, surety in parts]
        why = np.concatenate([np.full(len(units), why) for why, units, _ in found])
        unit = np.concatenate([units for _, units, _ in found])
        sure = np.concatenate([surety[units] for _, units, surety in found]).astype(np.float64)
        order = np.lexsort((why, unit, -sure))
        return Odd(why[order], unit[order], sure[order])

    def _most(self, values: Floats, there: NDArray[np.bool_]) -> Floats:
        """Return the largest value of each unit's marks that are there, 0 without any; (U,)."""
        most = np.zeros(len(self.unit_task))
        np.maximum.at(most, self.mark_unit[there], values[there])
        return most
