"""How often the consensus will be right after more labels, and how many are needed: simulated by the fitted model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.ids import Codes
from crowdcore.outlook.estimates import AccuracySpread, check_level
from crowdcore.outlook.futures import Futures

if TYPE_CHECKING:
    from crowdcore.hierarchical.result import HierarchicalResult

Floats = NDArray[np.float64]

ORDERS = ("priority", "random")
STEPS = 12
SKILL_ERROR = 0.6
"""Standard deviation, in logits, of how much better all annotators are once more answers tell; measured on replays of
generated crowds; ``python -m benchmarks.science.estimates`` replays others."""


@dataclass(frozen=True, eq=False)
class AccuracyForecast:
    """What to expect from further labels.

    Attributes
    ----------
    order : str
        In which order tasks are served.
    num_labels : ndarray of int, shape (S,)
        Numbers of further labels, from 0 on.
    accuracy, low, high : ndarray of shape (S,)
        Share of all tasks whose consensus is right then: the median, and its interval.
    estimated : ndarray of shape (S,)
        The mean quality that will be seen then: the median; 0 for tasks without a consensus.
    labels_needed, labels_needed_low, labels_needed_high : float
        Labels until all tasks are settled: the median, and its interval; NaN with a reason.
    level : float
        How often intervals should hold what comes.
    reason : str, or None
        Why there is no forecast; arrays are empty then.
    """

    order: str
    num_labels: Codes
    accuracy: Floats
    low: Floats
    high: Floats
    estimated: Floats
    labels_needed: float
    labels_needed_low: float
    labels_needed_high: float
    level: float
    reason: str | None = None


def forecast_accuracy(
    result: HierarchicalResult,
    *,
    num_labels: int | None = None,
    order: str = "priority",
    target_quality: float = 0.8,
    min_labels: int = 1,
    max_labels: ArrayLike = 5,
    level: float = 0.9,
    people: ArrayLike | None = None,
    n_simulations: int = 20,
    seed: int = 0,
) -> AccuracyForecast:
    r"""Return how the accuracy of the consensus will grow with further labels.

    Parameters
    ----------
    result : HierarchicalResult
        The consensus so far: N tasks.
    num_labels : int, optional
        How many further labels to look ahead; by default until all tasks are settled.
    order : str
        "priority": the least confident of the tasks that are not settled, as `crowdcore.least_confidence` serves them;
        "random": any task with fewer than `max_labels` labels, settled or not.
    target_quality : float
        Quality from which on a task is settled. A known label settles its task too.
    min_labels : int
        With fewer labels quality settles no task.
    max_labels : int, or array_like of shape (N,)
        With so many labels a task is settled, whatever its quality; with 100 more than now at the latest.
    level : float
        How often intervals should hold what comes.
    people : array_like of bool, shape (M,), optional
        The annotators who can be asked for labels, and whose answers are labels; all by default. Others, such as models
        whose predictions are answers, have their say in what is believed, and none in what comes.
    n_simulations : int
        Number of simulations.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    AccuracyForecast
        The curve, and how many labels are needed; or the reason why nothing can be said, as in `estimate_accuracy`.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    A task without a consensus counts as wrong, so with unanswered tasks the curve starts elsewhere than
    `estimate_accuracy`. Each simulation draws

    - how right the consensus is now, from the distribution behind `estimate_accuracy`. Where it is less right than it
      seems, some tasks are misunderstood by all, and no label mends them; where it is more right, fewer tasks are of
      another class than their consensus;
    - in the same measure how much better or worse all annotators are than they seem, with a standard deviation of .6
      logits; beside that each one's skill, from its posterior; and how far the model is believed, by a factor whose
      logarithm has a standard deviation of .25. Nobody becomes worse than chance by that. These spreads were measured
      on replays of generated crowds. What is believed of all tasks, also of the answers there are, follows from what
      was drawn, as it will when the consensus is fitted anew;
    - each task's class, from the posterior; who comes next, by how much they have answered, nobody twice to a task, a
      newcomer of average skill where all have; their labels, by their confusion matrix, the same label again more
      often, as errors go together (a Pólya urn of twice the correlation that shows).

    Posteriors are renewed after each label, and the queue is ranked anew some 60 times; now and then all tasks are
    judged anew, since dependence shows more with more answers. *The model does not learn* from the new labels: where it
    does, fewer are needed. Intervals are wide because that is how far such forecasts are off: half of them by 15 %
    or more. Time is O(simulations x labels x classes), memory O(answers + tasks x classes).

    Examples
    --------
    >>> from crowdcore import hierarchical_dawid_skene
    >>> from crowdcore.simulation import independent_confusion
    >>> crowd = independent_confusion(300, 20, 3, answers_per_task=3, seed=1).crowd
    >>> result = hierarchical_dawid_skene(crowd)
    >>> for order in ("priority", "random"):
    ...     found = forecast_accuracy(result, num_labels=300, order=order)
    ...     print(found.accuracy[[0, -1]].round(2), round(found.labels_needed))
    [0.7  0.78] 336
    [0.7  0.75] 600
    """
    from scipy.special import ndtri

    check_forecast(num_labels, order, target_quality, min_labels, n_simulations, level=level)
    N = len(result.crowd.tasks)
    most = _as_most(max_labels, N)
    spread = AccuracySpread(result, people)
    if spread.reason:
        none, nan = np.empty(0), float("nan")
        return AccuracyForecast(
            order, np.empty(0, dtype=np.int64), none, none, none, none, nan, nan, nan, level, spread.reason
        )
    shares = (np.arange(n_simulations) + 0.5) / n_simulations
    rng = np.random.default_rng(seed)
    futures = Futures(result, rng, order, target_quality, min_labels, most, num_labels, people)
    skills = SKILL_ERROR * ndtri(shares)
    # each begins with the same truth whatever the order, so that orders can be compared
    courses = [
        futures.run(np.random.default_rng([seed, number]), *now)
        for number, now in enumerate(zip(spread.quantiles(shares).tolist(), skills.tolist(), strict=True))
    ]
    needed = np.array([course.needed for course in courses])
    grid = steps_ahead(needed, num_labels)
    right = np.array([np.interp(grid, course.num_labels, course.accuracy) for course in courses])
    seen = np.array([np.interp(grid, course.num_labels, course.estimated) for course in courses])
    low, middle, high = middle_of(right, level)
    fewest, usual, largest = middle_of(needed, level).tolist()
    return AccuracyForecast(order, grid, middle, low, high, np.median(seen, axis=0), usual, fewest, largest, level)


def steps_ahead(needed: NDArray[Any], num_labels: int | None) -> Codes:
    """Return the numbers of further labels that a curve shows, from 0 on: so many ahead, or until all is settled.

    Parameters
    ----------
    needed : ndarray of shape (S,)
        Labels that each simulation needs until all tasks are settled.
    num_labels : int, optional
        How many to look ahead.
    """
    last = int(needed.max()) if num_labels is None else num_labels
    return np.unique(np.linspace(0, last, STEPS).round().astype(np.int64))


def middle_of(simulated: NDArray[Any], level: float) -> Floats:
    """Return the lower end, the median and the upper end of what was simulated, from (S, ...) to (3, ...)."""
    found: Floats = np.quantile(simulated, ((1 - level) / 2, 0.5, (1 + level) / 2), axis=0, method="hazen")
    return found


def _as_most(max_labels: ArrayLike, N: int) -> Codes:
    most = np.asarray(max_labels)
    if most.shape not in ((), (N,)) or most.dtype.kind not in "iu" or (most < 0).any():
        raise ValueError(
            f"max_labels is {max_labels!r}; it must be a whole number, 0 or more, for example 5, or such a number for "
            f"each of the {N} tasks."
        )
    return np.broadcast_to(most.astype(np.int64), N)


def check_forecast(
    num_labels: int | None,
    order: str,
    target_quality: float,
    min_labels: int,
    n_simulations: int = 1,
    *,
    level: float,
) -> None:
    """Raise a ValueError if an argument of a forecast is out of its range."""
    check_level(level)
    if order not in ORDERS:
        raise ValueError(f"order is {order!r}; it must be one of {', '.join(map(repr, ORDERS))}.")
    if num_labels is not None and num_labels < 1:
        raise ValueError(f"num_labels is {num_labels!r}; it must be 1 or more, or None: until all tasks are settled.")
    if not 0 <= target_quality <= 1:
        raise ValueError(f"target_quality is {target_quality!r}; it must be a probability, for example 0.8.")
    if min_labels < 1:
        raise ValueError(f"min_labels is {min_labels!r}; it must be a whole number, 1 or more.")
    if n_simulations < 1:
        raise ValueError(f"n_simulations is {n_simulations!r}; it must be 1 or more.")
