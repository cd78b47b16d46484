"""How quality grows with answers: seen by taking some of them away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

HIDDEN_SHARE: Final = 0.5
"""Tasks that an answer is taken from at a time; the others go on telling how good annotators are."""
STEPS_WANTED, MOST_ROUNDS = 1000, 8
LEAST_STEPS: Final = 10
"""Steps from one number of answers to the next that tell something."""
LEAST_ALIKE, SHARE_ALIKE = 10, 0.1
"""A step is drawn among so many, or this share, of those that began with the most similar quality."""
SLOWING: Final = 0.5
"""Steps beyond those seen become smaller with this power of the number of answers; measured on drawn crowds."""
LIMIT: Final = 1e-6
"""How near to 0 and to 1 a quality is taken at most."""


def hide_answers(task: Codes, rng: np.random.Generator) -> Mask:
    """Return which answers to take away: one of each of half of the tasks that have some, by chance; shape (A,).

    Parameters
    ----------
    task : ndarray of int, shape (A,)
        The task of each answer.
    rng : numpy.random.Generator
        The source of chance.

    Examples
    --------
    >>> task = np.array([0, 0, 1, 1, 2, 3])
    >>> np.bincount(task[hide_answers(task, np.random.default_rng(0))], minlength=4)
    array([1, 0, 1, 0])
    """
    tasks = np.unique(task)
    chosen = rng.permutation(tasks)[: -(-len(tasks) // round(1 / HIDDEN_SHARE))]
    in_turn = rng.permutation(len(task))
    hidden = np.zeros(len(task), np.bool_)
    hidden[in_turn[np.unique(task[in_turn], return_index=True)[1]]] = True
    return hidden & np.isin(task, chosen)


def num_rounds(num_tasks: int) -> int:
    """Return how often to take answers away where so many tasks have some: the fewer, the more often.

    Examples
    --------
    >>> num_rounds(100), num_rounds(1000), num_rounds(50_000)
    (8, 2, 1)
    """
    return int(np.clip(-(-STEPS_WANTED // max(HIDDEN_SHARE * num_tasks, 1)), 1, MOST_ROUNDS))


@dataclass(frozen=True, eq=False)
class Growth:
    """What one more answer did to the quality of a task, S times.

    Attributes
    ----------
    task : ndarray of int, shape (S,)
        The task.
    num_answers : ndarray of int, shape (S,)
        How many answers it had before.
    before, after : ndarray of shape (S,)
        Its quality without and with the answer, in [0, 1].
    """

    task: Codes
    num_answers: Codes
    before: Floats
    after: Floats

    @property
    def tells(self) -> bool:
        """Whether enough was seen: steps of tasks that had an answer already."""
        return bool((np.bincount(self.num_answers, minlength=1)[1:] >= LEAST_STEPS).any())

    def of_tasks(self, which: Mask) -> Growth:
        """Return the steps of some tasks, a mask of shape (N,)."""
        at = np.flatnonzero(which[self.task])
        return Growth(self.task[at], self.num_answers[at], self.before[at], self.after[at])

    def resampled(self, rng: np.random.Generator) -> Growth:
        """Return the steps of as many tasks, drawn with replacement."""
        tasks, place = np.unique(self.task, return_inverse=True)
        times = np.bincount(rng.integers(0, len(tasks), len(tasks)), minlength=len(tasks))
        at = np.repeat(np.arange(len(place)), times[place])
        return Growth(self.task[at], self.num_answers[at], self.before[at], self.after[at])


def watch_growth(
    quality: Sequence[Floats],
    num_answers: Codes,
    task: Codes,
    without: Callable[[Mask], Sequence[Floats]],
    *,
    seed: int = 0,
) -> list[Growth]:
    """Take answers away again and again, and return what that did to quality.

    Parameters
    ----------
    quality : sequence of ndarray of shape (N,)
        Quality of the consensus with all answers, for each question that is asked about the tasks.
    num_answers : ndarray of int, shape (N,)
        How many answers each task has.
    task : ndarray of int, shape (A,)
        The task of each answer that may be taken away.
    without : callable
        From a mask of the answers that are taken away, (A,), to the same without them.
    seed : int
        Seed of the random numbers.

    Examples
    --------
    >>> task = np.repeat(np.arange(100), 2)
    >>> without = lambda hidden: [np.where(np.bincount(task[hidden], minlength=100), 0.8, 0.9)]
    >>> (growth,) = watch_growth([np.full(100, 0.9)], np.full(100, 2), task, without)
    >>> growth.before.mean().round(2), growth.after.mean().round(2), growth.num_answers.max()
    (np.float64(0.8), np.float64(0.9), np.int64(1))
    """
    rng = np.random.default_rng(seed)
    steps: list[list[Growth]] = [[] for _ in quality]
    for _ in range(num_rounds(len(np.unique(task)))):
        hidden = hide_answers(task, rng)
        of = task[hidden]
        for seen, full, thinned in zip(steps, quality, without(hidden), strict=True):
            seen.append(Growth(of, num_answers[of] - 1, thinned[of], full[of]))
    return [_together(seen) for seen in steps]


def _together(some: Sequence[Growth]) -> Growth:
    return Growth(*(np.concatenate([getattr(one, field.name) for one in some]) for field in fields(Growth)))


class Steps:
    """Draws what one more answer does to quality, from what it did to tasks that were alike.

    A task with k answers gets the change in logits of one of about the same quality that had as many, or else the next
    number below of which enough steps were seen. Beyond the most that was seen, changes are smaller: what is added to
    many answers tells less than what is added to few. A task without answers gets the quality of one with a first.

    Parameters
    ----------
    growth : Growth
        What was seen; it has to tell something.
    """

    def __init__(self, growth: Growth) -> None:
        numbers = np.bincount(growth.num_answers)
        self._levels = np.flatnonzero((numbers >= LEAST_STEPS) & (np.arange(len(numbers)) > 0))
        self._seen = {level: self._sorted(growth, level) for level in self._levels.tolist()}
        first = growth.num_answers == 0
        lowest = growth.num_answers == self._levels[0]
        self._first = growth.after[first] if first.sum() >= LEAST_STEPS else growth.before[lowest]

    def draw(self, num_answers: Codes, quality: Floats, rng: np.random.Generator) -> Floats:
        """Return the quality of tasks with one more answer, (n,)."""
        then = np.empty(len(quality))
        place = np.maximum(np.searchsorted(self._levels, num_answers, side="right") - 1, 0)
        level = np.where(num_answers == 0, 0, self._levels[place])
        for number in np.unique(level).tolist():
            here = level == number
            if number:
                then[here] = self._next(number, num_answers[here], quality[here], rng)
            else:
                then[here] = rng.choice(self._first, int(here.sum()))
        return then

    def _next(self, level: int, num_answers: Codes, quality: Floats, rng: np.random.Generator) -> Floats:
        before, change = self._seen[level]
        alike = min(max(LEAST_ALIKE, int(SHARE_ALIKE * len(before))), len(before))
        nearest = np.clip(np.searchsorted(before, quality) - alike // 2, 0, len(before) - alike)
        drawn = change[nearest + rng.integers(0, alike, len(quality))]
        return from_logits(in_logits(quality) + drawn * (level / np.maximum(num_answers, level)) ** SLOWING)

    @staticmethod
    def _sorted(growth: Growth, level: int) -> tuple[Floats, Floats]:
        """Return the qualities that steps from so many answers began with, in order, and their changes in logits."""
        at = np.flatnonzero(growth.num_answers == level)
        at = at[np.argsort(growth.before[at], kind="stable")]
        return growth.before[at], in_logits(growth.after[at]) - in_logits(growth.before[at])


def in_logits(quality: Floats) -> Floats:
    """Return the logits of qualities, finite also of 0 and 1."""
    inside = np.clip(quality, LIMIT, 1 - LIMIT)
    logits: Floats = np.log(inside) - np.log1p(-inside)
    return logits


def from_logits(logits: Floats) -> Floats:
    """Return the qualities that have these logits."""
    from scipy.special import expit

    quality: Floats = expit(logits)
    return quality
