"""How right the consensus will be after so many labels more, and how many are needed: simulated by the fitted model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore import kernels
from crowdcore.crowd.ids import Codes
from crowdcore.hierarchical.accuracies import ANNOTATOR_ERROR
from crowdcore.outlook.beliefs import form_beliefs
from crowdcore.outlook.estimates import AccuracySpread, check_level

if TYPE_CHECKING:
    from crowdcore.hierarchical.consensus import HierarchicalResult

Floats = NDArray[np.float64]

ORDERS = ("priority", "random")
STEPS = 12
ROUNDS = 60
"""In how many batches the queue is served, and ranked anew after each."""
ATTEMPTS = 8
"""How many annotators come who have answered the task already, before a newcomer does."""
MOST_AHEAD = 100
"""Further labels of a task that are looked ahead at most: a target may be out of reach."""
MOST_CELLS = 1 << 22
"""Cells of confusion matrices that are held; with more, a random part of the annotators answers."""
MOST_TOGETHER, SMALLEST = 0.5, 1e-9
NOBODY = -2


@dataclass(frozen=True, eq=False)
class AccuracyForecast:
    """What is to be expected of further labels.

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
      another class than their consensus. In the same measure annotators are worse or better than they seem, with the
      standard deviation of .35 logits of `annotator_intervals`;
    - each task's class, from the posterior; who comes next, by how much they have answered, nobody twice to a task, a
      newcomer of average skill where all have; their labels, by their confusion matrix, the same label again more
      often, as errors go together (a Pólya urn of twice the correlation that shows).

    Posteriors are renewed after each label, and the queue is ranked anew some 60 times; parameters stay. *The model
    does not learn* from the new labels: where it does, fewer are needed. Time is O(simulations x labels x classes),
    memory O(answers + tasks x classes).

    Examples
    --------
    >>> from crowdcore import hierarchical_dawid_skene
    >>> from crowdcore.simulation import independent_confusion
    >>> crowd = independent_confusion(300, 20, 3, answers_per_task=3, seed=1).crowd
    >>> result = hierarchical_dawid_skene(crowd)
    >>> for order in ("priority", "random"):
    ...     found = forecast_accuracy(result, num_labels=300, order=order)
    ...     print(found.accuracy[[0, -1]].round(2), round(found.labels_needed))
    [0.76 0.85] 211
    [0.76 0.8 ] 600
    """
    from scipy.special import ndtri

    check_level(level)
    _check(num_labels, order, target_quality, min_labels, n_simulations)
    N = len(result.crowd.tasks)
    most = _as_most(max_labels, N)
    spread = AccuracySpread(result)
    if spread.reason:
        none, nan = np.empty(0), float("nan")
        return AccuracyForecast(
            order, np.empty(0, dtype=np.int64), none, none, none, none, nan, nan, nan, level, spread.reason
        )
    shares = (np.arange(n_simulations) + 0.5) / n_simulations
    future = _Future(result, np.random.default_rng(seed), order, target_quality, min_labels, most, num_labels)
    skills = ANNOTATOR_ERROR * ndtri(shares)
    # each begins with the same truth whatever the order, so that orders can be compared
    courses = [
        future.run(np.random.default_rng([seed, number]), *now)
        for number, now in enumerate(zip(spread.quantiles(shares).tolist(), skills.tolist(), strict=True))
    ]
    needed = np.array([course.needed for course in courses])
    last = int(needed.max()) if num_labels is None else num_labels
    grid = np.unique(np.linspace(0, last, STEPS).round().astype(np.int64))
    right = np.array([np.interp(grid, course.num_labels, course.accuracy) for course in courses])
    seen = np.array([np.interp(grid, course.num_labels, course.estimated) for course in courses])
    points = (1 - level) / 2, 0.5, (1 + level) / 2
    low, middle, high = np.quantile(right, points, axis=0)
    fewest, usual, largest = np.quantile(needed, points).tolist()
    return AccuracyForecast(order, grid, middle, low, high, np.median(seen, axis=0), usual, fewest, largest, level)


@dataclass(frozen=True, eq=False)
class _Course:
    """One simulation: labels so far, and how right and how sure the consensus was then; labels until all is settled."""

    num_labels: Codes
    accuracy: Floats
    estimated: Floats
    needed: int


class _Future:
    """Simulations of what comes after a result."""

    def __init__(
        self,
        result: HierarchicalResult,
        rng: np.random.Generator,
        order: str,
        target_quality: float,
        min_labels: int,
        most: Codes,
        num_labels: int | None,
    ) -> None:
        crowd, K = result.crowd, len(result.crowd.classes)
        self.result, self.order, self.target, self.most = result, order, target_quality, most
        self.beliefs = form_beliefs(result)
        self.judged = np.flatnonzero((crowd.num_answers > 0) & ~result.known)
        activity = np.bincount(crowd.annotator, minlength=len(crowd.annotators)) / max(len(crowd.label), 1)
        active = np.flatnonzero(activity)
        size = max(1, min(len(active), MOST_CELLS // K**2))
        if size < len(active):
            active = np.sort(rng.choice(active, size, replace=False, p=activity[active]))
        self.members, self.reached = active, activity[active].cumsum()
        self.pooled = kernels.frozen(result.confusions.pooled)
        self.chances = np.concatenate([result.confusions.matrices(active), self.pooled[None]])
        correlation = min(self.beliefs.correlation, MOST_TOGETHER)
        self.together = correlation / (1 - correlation)
        self.room = np.where(result.known, 0, np.clip(most - crowd.num_answers, 0, MOST_AHEAD))
        self.lacking = np.maximum(min_labels - crowd.num_answers, 0)
        unsettled = (result.quality < target_quality) | (self.lacking > 0)
        waiting = self.room if order == "random" else np.where(unsettled, self.room, 0)
        self.shown = int(waiting.sum()) if num_labels is None else num_labels
        self.batch = max(1, -(-self.shown // ROUNDS))

    def run(self, rng: np.random.Generator, accuracy: float, skill: float) -> _Course:
        """Simulate one future, in which the consensus is now that accurate, and annotators better by so many logits."""
        seen, truth = self._draw_truth(rng, accuracy)
        chances = _more_skilled(self.chances, skill)
        crowd, result = self.result.crowd, self.result
        N = len(crowd.tasks)
        beliefs, room = self.beliefs.copy(), self.room.copy()
        consensus, confidence, quality = result.consensus.copy(), result.confidence.copy(), result.quality.copy()
        latest = np.full(N, -1)
        earlier = asked = np.empty(0, dtype=np.int64)
        ties = rng.permutation(N)
        sizes, shares = [0], [_shares(consensus, truth, quality)]
        while (unsettled := (room > 0) & ((quality < self.target) | (self.room - room < self.lacking))).any():
            # beyond what is shown only the number of labels is wanted
            batch = self.batch if sizes[-1] < self.shown else max(self.batch, int(room.sum()) // ROUNDS)
            if self.order == "random":
                tasks = rng.permutation(np.flatnonzero(room))[:batch]
            else:
                left = ties[unsettled[ties]]
                size = min(batch, len(left))
                tasks = left[np.argpartition(confidence[left], size - 1)[:size]]
            tasks = np.sort(tasks)
            if sizes[-1] + len(tasks) > len(asked):
                more = np.empty(sizes[-1] + len(tasks), dtype=np.int64)
                earlier, asked = np.concatenate([earlier, more]), np.concatenate([asked, more])
            kernels.collect_labels(
                tasks, rng.random((len(tasks), 1 + ATTEMPTS)), seen, self.reached, chances, self.pooled,
                self.together, crowd.indptr, crowd.annotator, self.members, latest, earlier, asked, sizes[-1],
                beliefs.heard, beliefs.ratio, beliefs.logs, beliefs.singles, beliefs.counts,
            )  # fmt: skip
            room[tasks] -= 1
            beliefs.judge(tasks, consensus, confidence, quality)
            sizes.append(sizes[-1] + len(tasks))
            shares.append(_shares(consensus, truth, quality))
        right, believed = np.array(shares).T
        return _Course(np.array(sizes), right, believed, sizes[-1])

    def _draw_truth(self, rng: np.random.Generator, accuracy: float) -> tuple[Codes, Codes]:
        """Return the class that annotators see in each task, and the true one; `NOBODY` where no label is right."""
        posterior, known = self.result.posterior, self.result.known
        N, K = posterior.shape
        best = posterior.argmax(axis=1)
        top = np.clip(posterior[np.arange(N), best], SMALLEST, 1 - SMALLEST)
        mean = max(float(top[self.judged].mean()), accuracy)
        top = _shifted(top, self.judged, mean)
        others = posterior.copy()
        others[np.arange(N), best] = 0
        steps = others.cumsum(axis=1)
        other = (rng.random((N, 1)) * steps[:, -1:] >= steps).sum(axis=1)
        right = (rng.random(N) < top) | known | (steps[:, -1] <= 0)
        seen = np.where(right, best, np.minimum(other, K - 1))
        misunderstood = (rng.random(N) < 1 - accuracy / mean) & ~known
        return seen, np.where(misunderstood, NOBODY, seen)


def _more_skilled(chances: Floats, logits: float) -> Floats:
    """Return confusion matrices with their diagonals so many logits higher, and the errors fewer alike."""
    from scipy.special import expit, logit

    k = np.arange(chances.shape[1])
    right = np.clip(chances[:, k, k], SMALLEST, 1 - SMALLEST)
    better = expit(logit(right) + logits)
    found: Floats = chances * ((1 - better) / (1 - right))[:, :, None]
    found[:, k, k] = better
    return found


def _shifted(top: Floats, judged: Codes, mean: float) -> Floats:
    """Return probabilities, all shifted by as many logits as give the judged ones this mean."""
    from scipy.optimize import brentq
    from scipy.special import expit, logit

    logits = logit(top)
    chosen = logits[judged]
    if mean <= expit(chosen).mean():
        return top
    shift = brentq(lambda by: expit(chosen + by).mean() - min(mean, 1 - SMALLEST), 0.0, 60.0, xtol=1e-3)
    shifted: Floats = expit(logits + shift)
    return shifted


def _shares(consensus: Codes, truth: Codes, quality: Floats) -> tuple[float, float]:
    """Return how many of all tasks have the right consensus, and how many are believed to."""
    return float((consensus == truth).mean()), float(quality[consensus >= 0].sum() / len(quality))


def _as_most(max_labels: ArrayLike, N: int) -> Codes:
    most = np.asarray(max_labels)
    if most.shape not in ((), (N,)) or most.dtype.kind not in "iu" or (most < 0).any():
        raise ValueError(
            f"max_labels is {max_labels!r}; it must be a whole number, 0 or more, as 5, or such a number for each of "
            f"the {N} tasks."
        )
    return np.broadcast_to(most.astype(np.int64), N)


def _check(num_labels: int | None, order: str, target_quality: float, min_labels: int, n_simulations: int) -> None:
    if order not in ORDERS:
        raise ValueError(f"order is {order!r}; it must be one of {', '.join(map(repr, ORDERS))}.")
    if num_labels is not None and num_labels < 1:
        raise ValueError(f"num_labels is {num_labels!r}; it must be 1 or more, or None: until all tasks are settled.")
    if not 0 <= target_quality <= 1:
        raise ValueError(f"target_quality is {target_quality!r}; it must be a probability, as 0.8.")
    if min_labels < 1:
        raise ValueError(f"min_labels is {min_labels!r}; it must be a whole number, 1 or more.")
    if n_simulations < 1:
        raise ValueError(f"n_simulations is {n_simulations!r}; it must be 1 or more.")
