"""Who answers which task, at random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes

CHUNK = 1 << 22
"""How many random keys are held at once."""


def assign(
    rng: np.random.Generator,
    n_tasks: int,
    n_annotators: int,
    workload: int | None,
    answers_per_task: int | None,
    imbalance_votes: bool,
) -> tuple[Codes, Codes]:
    """Return the task and the annotator of each answer, ordered by task, then by annotator.

    Parameters
    ----------
    rng : Generator
        Source of chance.
    n_tasks, n_annotators : int
        N and M.
    workload : int, optional
        How many tasks each annotator answers; the most anybody answers if the number of answers a task is given.
    answers_per_task : int, optional
        How many annotators answer each task; all of them if neither is given.
    imbalance_votes : bool
        Draw each task's number of answers evenly from 1 to `answers_per_task`.

    Raises
    ------
    ValueError
        If this is more than the annotators or the tasks there are.
    """
    _check("workload", workload, n_tasks, "tasks")
    _check("answers_per_task", answers_per_task, n_annotators, "annotators")
    if workload is not None and answers_per_task is None and not imbalance_votes:
        annotator, task = draw_distinct(rng, np.full(n_annotators, workload), n_tasks)
    else:
        sizes: Codes = np.full(n_tasks, n_annotators if answers_per_task is None else answers_per_task)
        if imbalance_votes:
            sizes = rng.integers(1, sizes, endpoint=True)
        if workload is None:
            task, annotator = draw_distinct(rng, sizes, n_annotators)
        else:
            if sizes.sum() > workload * n_annotators:
                raise ValueError(
                    f"{n_tasks} tasks need {sizes.sum()} answers, and {n_annotators} annotators who answer at most "
                    f"{workload} tasks each give {workload * n_annotators}. Raise workload or n_annotators, or lower "
                    "answers_per_task."
                )
            task, annotator = deal(rng, sizes, n_annotators)
    order = np.argsort(task * n_annotators + annotator)
    return task[order], annotator[order]


def draw_distinct(rng: np.random.Generator, sizes: Codes, n_choices: int) -> tuple[Codes, Codes]:
    """Draw ``sizes[r]`` distinct choices for each row r, all sets equally likely; return rows and choices."""
    row = np.repeat(np.arange(len(sizes)), sizes)
    choice = np.empty(len(row), dtype=np.int64)
    few = sizes <= n_choices // 2
    few_answers = few[row]
    choice[few_answers] = _redrawn(rng, row[few_answers], n_choices)
    choice[~few_answers] = _shuffled(rng, sizes[~few], n_choices)
    return row, choice


def deal(rng: np.random.Generator, sizes: Codes, n_choices: int) -> tuple[Codes, Codes]:
    """Draw as `draw_distinct` does, with all choices drawn equally often, give or take one.

    Choices are dealt like cards, row after row, from shuffled decks of all choices. A row that comes to the end
    of its deck goes on with the next, in which the cards it holds already are moved back.
    """
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    dealt = np.empty(-(-total // n_choices) * n_choices, dtype=np.int64)
    for start in range(0, len(dealt), n_choices):
        deck = rng.permutation(n_choices)
        at = np.searchsorted(ends, start, side="right")
        begin = ends[at] - sizes[at]
        if begin < start:
            taken = np.isin(deck, dealt[begin:start])
            fresh = np.flatnonzero(~taken)[: ends[at] - start]
            first = np.zeros(n_choices, dtype=bool)
            first[fresh] = True
            deck = np.concatenate([deck[first], deck[~first]])
        dealt[start : start + n_choices] = deck
    return np.repeat(np.arange(len(sizes)), sizes), dealt[:total]


def _redrawn(rng: np.random.Generator, row: Codes, n_choices: int) -> Codes:
    """Draw again what a row has twice, until it does not; for rows of at most half the choices."""
    key = row * n_choices + rng.integers(n_choices, size=len(row))
    todo: Codes = np.arange(len(row))
    while len(todo):
        part = np.sort(key[todo])
        rows = row[todo]
        twice = np.flatnonzero(part[1:] == part[:-1]) + 1
        part[twice] = rows[twice] * n_choices + rng.integers(n_choices, size=len(twice))
        key[todo] = part
        todo = todo[np.isin(rows, rows[twice])]
    return np.asarray(key - row * n_choices)


def _shuffled(rng: np.random.Generator, sizes: Codes, n_choices: int) -> Codes:
    """Take the first of all choices, shuffled for each row; for rows of more than half the choices."""
    drawn: list[Codes] = [np.empty(0, dtype=np.int64)]
    rows = max(1, CHUNK // max(1, n_choices))
    for start in range(0, len(sizes), rows):
        chunk = sizes[start : start + rows]
        keys: NDArray[np.float32] = rng.random((len(chunk), n_choices), dtype=np.float32)
        drawn.append(keys.argsort(axis=1)[np.arange(n_choices) < chunk[:, None]])
    return np.concatenate(drawn)


def _check(name: str, value: int | None, most: int, what: str) -> None:
    if value is not None and not (isinstance(value, int | np.integer) and 1 <= value <= most):
        raise ValueError(
            f"{name} is {value!r}; it must be a whole number from 1 to {most}, the number of {what}: nobody answers a "
            f"task twice. Give fewer, or more {what}."
        )
