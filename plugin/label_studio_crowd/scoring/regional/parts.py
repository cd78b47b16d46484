"""Answers about parts of tasks: what is believed of each part, and what that makes of the tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.grouping import group_mean
from crowdcore.kinds import AnnotatorFigures, AnswerTable, KindResult
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.kinds import KindBelief, PartSaid, Told, as_belief, known_of, table_of
from label_studio_crowd.scoring.regional.inner import Inner
from label_studio_crowd.wording import count, percent

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Bools = NDArray[np.bool_]

NOTHING: Final = "-"


@dataclass(frozen=True)
class Part:
    """A part of a task of which annotators say something.

    Attributes
    ----------
    row
        The row of its task.
    name
        The part for people.
    """

    row: int
    name: str


@dataclass(frozen=True)
class Folded:
    """What is believed of parts, as that of their tasks; the quality of a task is the mean of its parts'.

    Attributes
    ----------
    answers
        N tasks.
    parts
        P parts.
    table
        The answers about them; its tasks are the parts, and its annotators those of `answers`.
    counted
        The parts that count: most who could say something of them did; (P,).
    inner
        What is believed of the parts that count, in their order.
    what
        What people call a part.
    """

    answers: Answers
    parts: Sequence[Part]
    table: AnswerTable
    counted: Codes
    inner: Inner
    what: str = "region"

    def belief(
        self, consensus: Sequence[Any], quality: Callable[[Folded], Floats] | None = None
    ) -> tuple[Answers, KindBelief]:
        """Return it as that of a kind of answers.

        Parameters
        ----------
        consensus
            The consensus of each task as it is written, by what is believed of the parts; (N,).
        quality
            From this to the quality of each task; by default the mean of its parts that count, 1 without any.
        """
        known = known_of(self.answers)
        there = (self.answers.crowd.num_answers > 0) | np.array([truth is not None for truth in known], np.bool_)
        written = [answer if some else None for answer, some in zip(consensus, there.tolist(), strict=True)]
        expected = self._mean(self.inner.quality) if quality is None else quality(self)
        expected = np.where([truth is not None for truth in known], 1.0, expected)
        values = np.empty(len(written), dtype=object)
        values[:] = written
        table = table_of(self.answers)
        found = KindResult(
            answers=table,
            consensus=values,
            quality=np.where(there, expected, 0.0),
            confidence=np.where(there, expected, 1.0),  # a task without answers is ranked by its regions
            agreement=group_mean(self._answers(self.inner.agrees), table.task, len(table.tasks)),
            answer_quality=np.where(
                np.isnan(believed := self._answers(self.inner.answer_quality)), expected[table.task], believed
            ),
            annotators=self._figures(table),
            known=self.answers.known_labels >= 0,
        )
        return as_belief(
            self.answers,
            found,
            written,
            interval=self.inner.interval,
            told=Told(self._told(), self.inner.told.of_annotators, self.inner.told.of_classes),
            distance=self.inner.distance,
            compared=self.inner.table,
            of_parts=self._said(),
        )

    @property
    def rows(self) -> Codes:
        """The row of the task of each part that counts."""
        return np.array([self.parts[part].row for part in self.counted.tolist()], np.int64)

    def _mean(self, quality: Floats) -> Floats:
        """Return the mean of the parts of each task, 1 without any."""
        mean = group_mean(quality, self.rows, len(self.answers.crowd.tasks))
        return np.where(np.isnan(mean), 1.0, mean)

    def _answers(self, of_answers: Floats) -> Floats:
        """Return the mean, of each answer about a task, of the answers about its parts; NaN without any."""
        crowd, inner = self.answers.crowd, self.inner.table
        M = len(crowd.annotators)
        key = crowd.task * M + crowd.annotator
        order = np.argsort(key)
        place = order[np.searchsorted(key[order], self.rows[inner.task] * M + inner.annotator)]
        return group_mean(of_answers, place, len(key))

    def _figures(self, table: AnswerTable) -> AnnotatorFigures:
        figures = self.inner.annotators
        tasks = np.bincount(table.annotator, minlength=len(table.annotators))
        return AnnotatorFigures(
            figures.quality, figures.interval, figures.agreement_with_consensus, tasks, figures.more
        )

    def _told(self) -> tuple[str, ...]:
        numbers = np.bincount(self.rows, minlength=len(self.answers.crowd.tasks))
        least = np.full(len(numbers), np.inf)
        np.minimum.at(least, self.rows, self.inner.quality)
        return tuple(
            f"{count(number, self.what)} with answers, the least sure with {percent(low)}" if number else ""
            for number, low in zip(numbers.tolist(), least.tolist(), strict=True)
        )

    def _said(self) -> tuple[tuple[PartSaid, ...], ...]:
        """Return what is said of each part of each task."""
        place = {part: at for at, part in enumerate(self.counted.tolist())}
        found: list[list[PartSaid]] = [[] for _ in self.answers.crowd.tasks]
        for number, part in enumerate(self.parts):
            at = place.get(number)
            answer = None if at is None else self.inner.consensus[at]
            found[part.row].append(
                PartSaid(
                    part.name,
                    None if answer is None else self.inner.show(answer),
                    None if at is None or answer is None else float(self.inner.quality[at]),
                    self._votes(number),
                )
            )
        return tuple(map(tuple, found))

    def _votes(self, part: int) -> tuple[tuple[str, tuple[int, ...]], ...]:
        table, votes = self.table, defaultdict[str, list[int]](list)
        for answer in range(table.indptr[part], table.indptr[part + 1]):
            votes[self.inner.show(table.values[answer])].append(int(table.annotator[answer]))
        most_first = sorted(votes.items(), key=lambda vote: (-len(vote[1]), vote[0]))
        return tuple((shown, tuple(who)) for shown, who in most_first)


def part_table(
    parts: Sequence[Part], said: Mapping[tuple[int, int], Any], annotators: Sequence[Any] | NDArray[Any]
) -> AnswerTable:
    """Return answers about parts as a table whose tasks are the parts, by (row, number).

    Parameters
    ----------
    said
        (Part, annotator's code) → the answer.
    """
    ids = [(part.row, number) for number, part in enumerate(parts)]
    codes = np.array(list(said), np.int64).reshape(-1, 2)
    return AnswerTable.from_codes(codes[:, 0], codes[:, 1], said.values(), tasks=ids, annotators=annotators)


def only(table: AnswerTable, some: Codes) -> AnswerTable:
    """Return the answers to some of the tasks."""
    there = np.isin(table.task, some)
    place = np.searchsorted(some, table.task[there])
    tasks = [table.tasks.tolist()[at] for at in some.tolist()]
    return AnswerTable.from_codes(
        place, table.annotator[there], table.values[there].tolist(), tasks=tasks, annotators=table.annotators
    )
