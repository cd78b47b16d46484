"""How quality goes on, answer by answer: one simulation for all tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes
from crowdcore.outlook.forecast import SKILL_ERROR
from crowdcore.outlook.futures import ROUNDS
from crowdcore.outlook.growth import Growth, Steps, from_logits, in_logits

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Question:
    """One of the questions that are asked about N tasks.

    Attributes
    ----------
    quality : ndarray of shape (N,)
        Quality of its consensus, in [0, 1].
    growth : Growth
        How that has grown.
    counts : ndarray of bool, shape (N,)
        Tasks that it is asked of.
    """

    quality: Floats
    growth: Growth
    counts: Mask


@dataclass(frozen=True, eq=False)
class Waiting:
    """How N tasks stand.

    Attributes
    ----------
    num_answers : ndarray of int, shape (N,)
        Answers so far.
    settled : ndarray of bool, shape (N,)
        Whether the task needs no more of them.
    room : ndarray of int, shape (N,)
        How many more it may get.
    """

    num_answers: Codes
    settled: Mask
    room: Codes


class Future:
    """One simulation: the course of the quality of each task, answer by answer.

    Parameters
    ----------
    questions, waiting, target_quality, min_labels
        As in `crowdcore.outlook.quality.forecast_growth`.
    shift : float
        How much better quality is once more answers tell, in standard deviations.
    rng : numpy.random.Generator
        The source of chance.

    Attributes
    ----------
    stop : ndarray of int, shape (N,)
        After how many more answers each task is settled.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        waiting: Waiting,
        target_quality: float,
        min_labels: int,
        shift: float,
        rng: np.random.Generator,
    ) -> None:
        self._waiting, self._rng = waiting, rng
        self._counts = [question.counts for question in questions]
        self._real = [_courses(question, waiting, rng) for question in questions]
        self._seen = [_shifted(course, SKILL_ERROR * shift) for course in self._real]
        asked = [np.where(counts[:, None], seen, np.inf) for counts, seen in zip(self._counts, self._seen, strict=True)]
        self._least: Floats = np.min(asked, axis=0)
        further = np.arange(self._least.shape[1])
        enough = waiting.num_answers[:, None] + further >= min_labels
        done = ((self._least >= target_quality) & enough) | (further >= waiting.room[:, None])
        done[:, 0] = waiting.settled | (waiting.room == 0)
        self.stop: Codes = done.argmax(axis=1)

    def course(self, order: str, grid: Codes) -> Floats:
        """Return what there is after each number of answers: settled tasks; of each question two mean qualities.

        The first is the one that is seen, the second that without the shift. Shape (1 + 2 questions, len(grid)).
        """
        sizes, rows = [0], [self._row(np.zeros(len(self.stop), np.int64))]
        for given in self._served(order, int(grid[-1])):
            sizes.append(int(given.sum()))
            rows.append(self._row(given))
        return np.array([np.interp(grid, sizes, column) for column in np.array(rows).T])

    def _served(self, order: str, last: int) -> Iterator[Codes]:
        """Yield how many more answers each task has, (N,), a batch at a time."""
        given = np.zeros(len(self.stop), np.int64)
        limit = self.stop if order == "priority" else self._waiting.room
        batch = max(1, -(-last // ROUNDS))
        while given.sum() < last and len(left := self._rng.permutation(np.flatnonzero(given < limit))):
            if order == "priority":
                size = min(batch, len(left))
                left = left[np.argpartition(self._least[left, given[left]], size - 1)]
            given[left[:batch]] += 1
            yield given

    def _row(self, given: Codes) -> list[float]:
        row, tasks = [float((given >= self.stop).sum())], np.arange(len(given))
        for counts, seen, real in zip(self._counts, self._seen, self._real, strict=True):
            row += [float(course[tasks, given][counts].mean()) for course in (seen, real)]
        return row


def _courses(question: Question, waiting: Waiting, rng: np.random.Generator) -> Floats:
    """Return the quality of each task after 0, 1, 2, ... further answers, (N, 1 + most)."""
    steps = Steps(_telling(question.growth, rng))
    most = int(waiting.room.max(initial=0))
    course = np.tile(question.quality[:, None], (1, most + 1))
    for number in range(most):
        there = waiting.room > number
        course[:, number + 1] = course[:, number]
        course[there, number + 1] = steps.draw(waiting.num_answers[there] + number, course[there, number], rng)
    return course


def _telling(growth: Growth, rng: np.random.Generator) -> Growth:
    """Return the steps of tasks drawn anew; all of them where those would tell nothing."""
    drawn = growth.resampled(rng)
    return drawn if drawn.tells else growth


def _shifted(course: Floats, by: float) -> Floats:
    """Return qualities that are by so many logits higher once there is one more answer."""
    return np.concatenate([course[:, :1], from_logits(in_logits(course[:, 1:]) + by)], axis=1)
