"""How far annotators agree beyond chance, for every kind of answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.arguments import is_number, is_whole
from crowdcore.kinds.table import AnswerTable, check_table

Distance = Callable[[Any, Any], float]

PAIRS = 20_000
"""How many pairs of answers are compared at the most, for each of the two means."""


def set_distance(one: Any, other: Any) -> float:
    """Return 1 less the share of the classes of both sets that are in both (Jaccard); of two empty sets 0.

    Examples
    --------
    >>> set_distance({"a", "b"}, {"b", "c"}), set_distance(set(), set())
    (0.6666666666666667, 0.0)
    """
    either = len(set(one) | set(other))
    return 1 - len(set(one) & set(other)) / either if either else 0.0


def squared_distance(one: float, other: float) -> float:
    """Return the square of the difference of two numbers.

    Examples
    --------
    >>> squared_distance(1.0, 3.0)
    4.0
    """
    return float((one - other) ** 2)


def alpha(
    table: AnswerTable, distance: Distance, *, n_resamples: int = 0, coverage: float = 0.9, seed: int = 0
) -> tuple[float, float, float]:
    """Return Krippendorff's alpha with its bootstrap interval, for answers of any kind.

    It is ``1 - D_o / D_e``. ``D_o`` is the mean distance of two answers to the same task, where the pairs of a task of
    n answers weigh ``1 / (n - 1)`` each; ``D_e`` is that of any two answers to tasks with two or more. Of many pairs
    `PAIRS` are drawn. Krippendorff 2011, "Computing Krippendorff's alpha-reliability".

    Parameters
    ----------
    table : AnswerTable
        The answers. Tasks with one answer are left out.
    distance : callable
        Of two answers; 0 if they are the same. Alpha of numbers is that of the level "interval" with
        `squared_distance`.
    n_resamples : int
        Bootstrap samples of the tasks for the interval; 0 for none.
    coverage : float
        Share of the samples within the interval.
    seed : int
        Seed of the pairs and the samples.

    Returns
    -------
    value, low, high : float
        NaN where no task has two answers, or all answers are the same; the bounds also without samples.

    Raises
    ------
    TypeError
        If the answers are no `AnswerTable`.
    ValueError
        If another argument is not what is allowed.

    Examples
    --------
    >>> table = AnswerTable.from_codes([0, 0, 1, 1], [0, 1, 0, 1], [1, 1, 5, 6], tasks="ab", annotators="xy")
    >>> round(alpha(table, squared_distance)[0], 3)
    0.964
    """
    _check(table, distance, n_resamples, coverage, seed)
    rng = np.random.default_rng(seed)
    task, first, second = _pairs_within(table)
    nothing = float("nan"), float("nan"), float("nan")
    if not len(task):
        return nothing
    if len(task) > PAIRS:
        chosen = np.sort(rng.choice(len(task), PAIRS, replace=False))
        task, first, second = task[chosen], first[chosen], second[chosen]
    weight = 1.0 / (table.num_answers[task] - 1)
    within = _distances(table, distance, first, second)
    answers = np.flatnonzero(table.num_answers[table.task] > 1)
    one, other = _any_pairs(answers, rng)
    chance = float(_distances(table, distance, one, other).mean())
    if chance <= 0:
        return nothing
    value = 1 - float(np.average(within, weights=weight)) / chance
    if not n_resamples:
        return value, float("nan"), float("nan")
    rows, place = np.unique(task, return_inverse=True)
    far, size = np.bincount(place, weight * within), np.bincount(place, weight)
    draws = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=n_resamples)
    samples = 1 - draws @ far / (draws @ size) / chance
    low, high = np.quantile(samples, [(1 - coverage) / 2, (1 + coverage) / 2]).tolist()
    return value, low, high


def _check(table: Any, distance: Any, n_resamples: Any, coverage: Any, seed: Any) -> None:
    check_table(table)
    if not callable(distance):
        raise ValueError(f"distance is {distance!r}; it must be a function of two answers, such as set_distance.")
    for name, value in (("n_resamples", n_resamples), ("seed", seed)):
        if not (is_whole(value) and value >= 0):
            raise ValueError(f"{name} is {value!r}; it must be a whole number, 0 or more.")
    if not (is_number(coverage) and 0 < coverage < 1):
        raise ValueError(f"coverage is {coverage!r}; it must be a number between 0 and 1, for example 0.9.")


def _pairs_within(table: AnswerTable) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the task and the two answers of each pair of answers to a task."""
    sizes = table.num_answers
    found = [np.empty((3, 0), np.int64)]
    for n in np.unique(sizes[sizes > 1]).tolist():
        tasks = np.flatnonzero(sizes == n)
        one, other = np.triu_indices(n, 1)
        start = table.indptr[tasks][:, None]
        found.append(
            np.stack([np.repeat(tasks, len(one)), (start + one).ravel(), (start + other).ravel()]).astype(np.int64)
        )
    task, first, second = np.concatenate(found, axis=1)
    return task, first, second


def _any_pairs(answers: NDArray[np.int64], rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return pairs of different answers: all, or `PAIRS` drawn by chance."""
    n = len(answers)
    if n * (n - 1) // 2 <= PAIRS:
        one, other = np.triu_indices(n, 1)
    else:
        one = rng.integers(0, n, PAIRS)
        other = (one + rng.integers(1, n, PAIRS)) % n
    return answers[one], answers[other]


def _distances(table: AnswerTable, distance: Distance, one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    values = table.values
    return np.array([distance(values[a], values[b]) for a, b in zip(one.tolist(), other.tolist(), strict=True)])
