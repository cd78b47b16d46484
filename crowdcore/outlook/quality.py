"""What further answers of any kind are expected to bring, by how quality has grown with those that there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes
from crowdcore.outlook.courses import Future, Question, Waiting
from crowdcore.outlook.estimates import SHARED_ERROR, check_level
from crowdcore.outlook.forecast import check_forecast, middle_of, steps_ahead
from crowdcore.outlook.futures import MOST_AHEAD
from crowdcore.outlook.growth import from_logits, in_logits, watch_growth

if TYPE_CHECKING:
    from crowdcore.kinds import AnswerTable, KindResult

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

NOBODY: Final = "Nobody has answered yet."
TOO_FEW: Final = "Too few tasks have answers of two annotators to tell what one more answer brings."


@dataclass(frozen=True, eq=False)
class QualityForecast:
    """What to expect from further answers.

    Attributes
    ----------
    order : str
        In which order tasks are served.
    num_labels : ndarray of int, shape (S,)
        Numbers of further answers, from 0 on.
    quality, low, high : ndarray of shape (S,)
        How far the consensus agrees with the truth then, mean of all tasks: the median, and its interval. Tasks without
        answers count 0.
    estimated : ndarray of shape (S,)
        The mean quality that will be seen then: the median.
    settled : ndarray of shape (S,)
        How many tasks are settled then, on average.
    labels_needed, labels_needed_low, labels_needed_high : float
        Answers until all tasks are settled: the median, and its interval; NaN with a reason.
    level : float
        How often intervals should hold what comes.
    reason : str, or None
        Why there is no forecast; arrays are empty then.
    """

    order: str
    num_labels: Codes
    quality: Floats
    low: Floats
    high: Floats
    estimated: Floats
    settled: Floats
    labels_needed: float
    labels_needed_low: float
    labels_needed_high: float
    level: float
    reason: str | None = None

    @classmethod
    def unknown(cls, order: str, level: float, reason: str) -> QualityForecast:
        """Return that nothing can be said, and why."""
        none, nan = np.empty(0), float("nan")
        return cls(order, np.empty(0, np.int64), none, none, none, none, none, nan, nan, nan, level, reason)


def quality_interval(quality: Floats, *, level: float = 0.9) -> tuple[float, float]:
    r"""Return an interval for how far the consensus of tasks agrees with the truth, on average.

    Parameters
    ----------
    quality : ndarray of shape (n,)
        Quality of each of the tasks; at least one.
    level : float
        How often the interval should hold the truth.

    Notes
    -----
    The mean quality :math:`\bar q`, in logits, with a normal error: of :math:`\sigma = .7` either way, which
    `crowdcore.outlook.estimate_accuracy` has below, for what the model of answers does not see, and of the sample,
    :math:`\sum_i q_i (1 - q_i) / (n \bar q (1 - \bar q))^2`.

    Examples
    --------
    >>> [round(end, 2) for end in quality_interval(np.full(100, 0.8))]
    [0.54, 0.93]
    """
    from scipy.special import ndtri

    check_level(level)
    mean, n = float(np.clip(quality.mean(), 0.5 / len(quality), 1 - 0.5 / len(quality))), len(quality)
    noise = float((quality * (1 - quality)).sum()) / (n * mean * (1 - mean)) ** 2
    reach = ndtri((1 + level) / 2) * np.sqrt(SHARED_ERROR**2 + noise)
    low, high = from_logits(in_logits(np.array(mean)) + np.array([-reach, reach])).tolist()
    return min(low, float(quality.mean())), max(high, float(quality.mean()))


def forecast_quality(
    answers: AnswerTable,
    believe: Callable[[AnswerTable], KindResult],
    *,
    num_labels: int | None = None,
    order: str = "priority",
    target_quality: float = 0.8,
    min_labels: int = 2,
    max_labels: int = 5,
    level: float = 0.9,
    seed: int = 0,
) -> QualityForecast:
    r"""Return how the quality of a consensus of any kind will grow with further answers.

    Parameters
    ----------
    answers : AnswerTable
        The answers so far, to N tasks.
    believe : callable
        The consensus of such answers, for example `crowdcore.kinds.label_sets`, with its options.
    num_labels : int, optional
        How many further answers to look ahead; by default until all tasks are settled.
    order : str
        "priority": the lowest quality of the tasks that are not settled first; "random": any task with fewer than
        `max_labels` answers, settled or not.
    target_quality : float
        Quality from which on a task is settled. A known answer settles its task too.
    min_labels : int
        With fewer answers quality settles no task.
    max_labels : int
        With so many answers a task is settled, whatever its quality; with 100 more than now at the latest.
    level : float
        How often intervals should hold what comes.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    QualityForecast
        The curve, and how many answers are needed; or the reason why nothing can be said.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    One answer of each of half of the tasks is taken away, and the consensus found anew, once to eight times: that shows
    what one more answer does to the quality of a task that has so many, whatever the kind of answers
    (`crowdcore.outlook.growth`). Each of 40 simulations takes these steps of as many tasks, drawn with replacement, and
    lets every task go on in steps of tasks that were alike. Beside that

    - quality is better or worse by a common error once more answers tell, with a standard deviation of .6 logits. It
      decides when tasks are settled;
    - how far the consensus agrees with the truth is better or worse than quality says, as in `quality_interval`.

    Both are the errors that were measured for answers of one class. Time is that of `believe`, two to nine times.

    Examples
    --------
    >>> from crowdcore.kinds import AnswerTable, numbers
    >>> rng = np.random.default_rng(0)
    >>> task, annotator = np.repeat(np.arange(200), 3), np.tile(np.arange(3), 200)
    >>> lengths = task % 10 + rng.normal(0, 0.8, 600)
    >>> table = AnswerTable.from_codes(task, annotator, lengths, tasks=range(200), annotators="abc")
    >>> found = forecast_quality(table, lambda some: numbers(some, tolerance=1.0))
    >>> found.quality[[0, -1]].round(2), found.labels_needed > 0
    (array([0.81, 0.81]), True)
    """
    check_forecast(num_labels, order, target_quality, min_labels, level=level)
    result = believe(answers)
    free = ~result.known[answers.task]
    n = answers.num_answers

    def without(hidden: Mask) -> list[Floats]:
        keep = ~free
        keep[free] = ~hidden
        return [believe(answers.of_answers(keep)).quality]

    (growth,) = watch_growth([result.quality], n, answers.task[free], without, seed=seed)
    room = np.where(result.known, 0, np.clip(max_labels - n, 0, MOST_AHEAD))
    good = (result.quality >= target_quality) & (n >= min_labels) & result.founded
    waiting = Waiting(n, result.known | good | (room == 0), room)
    question = Question(result.quality, growth, np.ones(len(n), np.bool_))
    return forecast_growth(
        [question], waiting, num_labels=num_labels, order=order, target_quality=target_quality, min_labels=min_labels,
        level=level, seed=seed,
    )[0]  # fmt: skip


def forecast_growth(
    questions: Sequence[Question],
    waiting: Waiting,
    *,
    num_labels: int | None = None,
    order: str = "priority",
    target_quality: float = 0.8,
    min_labels: int = 2,
    level: float = 0.9,
    n_simulations: int = 40,
    seed: int = 0,
) -> list[QualityForecast]:
    """Return how the quality of each of several questions about the same tasks will grow.

    A task is settled when all questions that are asked of it are. A question that too few answered to tell anything has
    no forecast, and those of the others are made without it. The other arguments are those of `forecast_quality`.

    Parameters
    ----------
    questions : sequence of Question
        The questions; whoever answers a task answers all that are asked of it.
    waiting : Waiting
        How the tasks stand.
    n_simulations : int
        Number of simulations.

    Returns
    -------
    list of QualityForecast
        One for each question. The answers needed are those of all together.
    """
    unknown = QualityForecast.unknown(order, level, TOO_FEW if waiting.num_answers.any() else NOBODY)
    telling = [question for question in questions if question.growth.tells]
    if not telling:
        return [unknown] * len(questions)
    known = iter(_simulate(telling, waiting, num_labels, order, target_quality, min_labels, level, n_simulations, seed))
    return [next(known) if question.growth.tells else unknown for question in questions]


def _simulate(
    questions: Sequence[Question],
    waiting: Waiting,
    num_labels: int | None,
    order: str,
    target_quality: float,
    min_labels: int,
    level: float,
    n_simulations: int,
    seed: int,
) -> list[QualityForecast]:
    """Return the forecasts of questions all of which tell something."""
    from scipy.special import ndtri

    z = ndtri((np.arange(n_simulations) + 0.5) / n_simulations)

    def simulated(number: int) -> Future:  # made anew, twice: all together would take much memory
        rng = np.random.default_rng([seed, number])
        return Future(questions, waiting, target_quality, min_labels, float(z[number]), rng)

    needed = np.array([simulated(number).stop.sum() for number in range(n_simulations)])
    grid = steps_ahead(needed, num_labels)
    courses = np.array([simulated(number).course(order, grid) for number in range(n_simulations)])
    fewest, usual, most = middle_of(needed, level).tolist()
    settled, found = courses[:, 0].mean(axis=0), []
    for seen, real in zip(courses[:, 1::2].swapaxes(0, 1), courses[:, 2::2].swapaxes(0, 1), strict=True):
        true = from_logits(in_logits(real) + SHARED_ERROR * z[:, None])
        low, middle, high = middle_of(true, level)
        found.append(
            QualityForecast(
                order, grid, middle, low, high, np.median(seen, axis=0), settled, usual, fewest, most, level
            )
        )
    return found
