"""How far a crowd agrees beyond chance: Krippendorff's alpha and Fleiss' kappa."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from crowdcore.aggregate.classes.aggregator import Floats
from crowdcore.crowd.evidence import as_crowd
from crowdcore.crowd.frames import indexed_frame
from crowdcore.crowd.ids import plain
from crowdcore.crowd.table import Crowd

if TYPE_CHECKING:
    import pandas as pd

Level = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True)
class Reliability:
    """A coefficient of agreement: 1 if all agree, 0 if they agree as chance would have it, below 0 if less.

    Attributes
    ----------
    measure : str
        Its name.
    value : float
        NaN if no task has two answers, or if all answers are the same label: agreement cannot be separated from chance.
    low, high : float
        Bounds of the bootstrap interval; NaN if none was asked for.
    num_tasks, num_answers : int
        Tasks with two answers or more, and the answers to them: what `value` is based on.
    """

    measure: str
    value: float
    low: float
    high: float
    num_tasks: int
    num_answers: int

    def __float__(self) -> float:
        return self.value

    def to_frame(self) -> pd.DataFrame:
        """Return a frame of one row: value, low, high, num_tasks, num_answers; the measure is the index."""
        columns = {name: [value] for name, value in vars(self).items() if name != "measure"}
        return indexed_frame("measure", [self.measure], columns)


def krippendorff_alpha(
    answers: Crowd | pd.DataFrame,
    level: Level = "nominal",
    *,
    n_resamples: int = 0,
    coverage: float = 0.9,
    seed: int = 0,
) -> Reliability:
    r"""Return Krippendorff's alpha: one less the share of the disagreement of chance that is observed.

    .. math:: \alpha = 1 - (n - 1) \frac{\sum_{ck} o_{ck} \delta^2_{ck}}{\sum_{ck} n_c n_k \delta^2_{ck}}, \quad
              o_{ck} = \sum_i \frac{n_{ic} (n_{ik} - [c = k])}{n_i - 1}

    with :math:`n_c` the row sums of the coincidences :math:`o`, and :math:`n` their sum. Krippendorff 2011, "Computing
    Krippendorff's alpha-reliability". Tasks may have any number of answers; those with one have nothing to be
    compared with and are left out. Annotators are compared with each other: of somebody's several answers to a task the
    latest counts.

    Parameters
    ----------
    answers : Crowd or DataFrame
        N tasks, K classes; a frame has columns task, annotator (or worker) and label.
    level : {"nominal", "ordinal", "interval"}
        What differences between labels mean: all the same; as many as there are answers between the two, in the
        order of ``crowd.classes``; or the square of the difference of the numbers that the labels are.
    n_resamples : int
        Bootstrap samples of the tasks for the interval; 0 for none.
    coverage : float
        Share of the samples within the interval.
    seed : int
        Seed of the samples.

    Returns
    -------
    Reliability
        Its `value`, and what it is based on.

    Raises
    ------
    ValueError
        If the level is unknown, the classes are not numbers though the level is "interval" or are texts whose order
        nobody said though it is "ordinal", or `n_resamples` or
        `coverage` is out of its range.

    Notes
    -----
    crowd-kit and peerannot say 1 where all answers are the same label; here this is NaN.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[1, 1, -1], [2, 2, 3], [3, 3, 3], [3, 3, 3], [2, 2, 2], [1, -1, -1]])
    >>> round(krippendorff_alpha(crowd).value, 3)
    0.78
    >>> reliability = krippendorff_alpha(crowd, "interval", n_resamples=200)
    >>> reliability.low <= reliability.value <= reliability.high
    True
    """
    if level not in get_args(Level):
        raise ValueError(f"level is {level!r}; choose one of {', '.join(map(repr, get_args(Level)))}.")
    crowd = as_crowd(answers)
    if level == "ordinal" and not crowd.ordered and len(crowd.classes) > 2:
        raise ValueError(
            f"level 'ordinal' needs classes whose order is known; {crowd.classes.tolist()[:8]} are texts in the order "
            "of the alphabet. Say their order with classes=, the lowest first, when making the crowd, or make the "
            "labels an ordered categorical of pandas; or choose 'nominal'."
        )
    values = _numbers(crowd) if level == "interval" else np.arange(len(crowd.classes), dtype=np.float64)

    def alpha(votes: Floats, tasks: Floats) -> float:
        per_pair = votes * (tasks / (votes.sum(axis=1) - 1))[:, None]
        coincidences = per_pair.T @ votes
        coincidences[np.diag_indices_from(coincidences)] -= per_pair.sum(axis=0)
        of_class = coincidences.sum(axis=1)
        far = _distances(level, values, of_class)
        chance = of_class @ far @ of_class
        return float(1 - (of_class.sum() - 1) * (coincidences * far).sum() / chance) if chance > 0 else float("nan")

    return _measured(crowd, f"krippendorff_alpha_{level}", alpha, n_resamples, coverage, seed)


def fleiss_kappa(
    answers: Crowd | pd.DataFrame, *, n_resamples: int = 0, coverage: float = 0.9, seed: int = 0
) -> Reliability:
    r"""Return Fleiss' kappa, generalised to tasks with different numbers of answers.

    .. math:: \kappa = \frac{\bar P - P_e}{1 - P_e}, \quad
              \bar P = \frac{1}{N} \sum_{ik} \frac{n_{ik} (n_{ik} - 1)}{n_i (n_i - 1)}, \quad
              P_e = \sum_k \Big( \frac{1}{N} \sum_i \frac{n_{ik}}{n_i} \Big)^2

    over the N tasks with two answers or more, each of which weighs the same; of somebody's several answers to a task
    the latest counts. Fleiss 1971, "Measuring nominal scale agreement among many raters"; for different
    numbers of answers Gwet 2014, "Handbook of inter-rater reliability".

    Parameters
    ----------
    answers : Crowd or DataFrame
        The answers; a frame has columns task, annotator (or worker) and label.
    n_resamples, coverage, seed
        The bootstrap interval, as in `krippendorff_alpha`.

    Returns
    -------
    Reliability
        Its `value`, and what it is based on.

    Raises
    ------
    ValueError
        If the answers make no crowd, or `n_resamples` or `coverage` is out of its range.

    Notes
    -----
    Gwet takes :math:`P_e` from tasks with one answer, too. Here these have no part, as in Krippendorff's alpha.

    Examples
    --------
    >>> round(float(fleiss_kappa(Crowd.from_wide([[0, 0, 0], [1, 1, 1], [0, 1, 1]]))), 3)
    0.55
    """

    def kappa(votes: Floats, tasks: Floats) -> float:
        size = votes.sum(axis=1)
        tasks = tasks / tasks.sum()
        agreement = tasks @ ((votes * (votes - 1)).sum(axis=1) / (size * (size - 1)))
        chance = ((tasks @ (votes / size[:, None])) ** 2).sum()
        return float((agreement - chance) / (1 - chance)) if 1 - chance > 1e-12 else float("nan")

    return _measured(as_crowd(answers), "fleiss_kappa", kappa, n_resamples, coverage, seed)


def _measured(
    crowd: Crowd,
    measure: str,
    coefficient: Callable[[Floats, Floats], float],
    n_resamples: int,
    coverage: float,
    seed: int,
) -> Reliability:
    """Return a coefficient, a function of votes (U, K) and of how many tasks have each of them (U,)."""
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, int | np.integer) or n_resamples < 0:
        raise ValueError(f"n_resamples is {n_resamples!r}; it must be a whole number, 0 or more.")
    check_coverage(coverage)
    crowd = crowd.one_answer_each()
    votes = crowd.counts[crowd.num_answers > 1]
    low = high = value = float("nan")
    if len(votes):
        value = coefficient(votes.astype(np.float64), np.ones(len(votes), dtype=np.float64))
    if len(votes) and n_resamples:
        found_votes, tasks = np.unique(votes, axis=0, return_counts=True)  # tasks of the same votes are the same to it
        kinds: Floats = found_votes.astype(np.float64)
        samples = np.random.default_rng(seed).multinomial(len(votes), tasks / len(votes), size=n_resamples)
        found = np.array([coefficient(kinds, sample.astype(np.float64)) for sample in samples])
        found = found[~np.isnan(found)]
        if len(found):
            low, high = np.quantile(found, [(1 - coverage) / 2, (1 + coverage) / 2]).tolist()
    return Reliability(measure, value, low, high, len(votes), int(votes.sum()))


def _distances(level: Level, values: Floats, of_class: Floats) -> Floats:
    """Return the squared distance of each class from each other, shape (K, K)."""
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    if level == "ordinal":
        values = of_class.cumsum() - of_class / 2
    squared: Floats = (values[:, None] - values) ** 2
    return squared


def _numbers(crowd: Crowd) -> Floats:
    """Return the classes as numbers."""
    for label in crowd.classes.tolist():
        if isinstance(label, bool) or not isinstance(plain(label), int | float) or not np.isfinite(label):
            raise ValueError(
                f"level 'interval' needs classes that are finite numbers; found {label!r}. Choose 'nominal', or "
                "'ordinal' if the classes have an order."
            )
    return crowd.classes.astype(np.float64)


def check_coverage(coverage: float) -> None:
    """Raise a ValueError if an interval's coverage is not within (0, 1)."""
    if not (isinstance(coverage, int | float | np.number) and 0 < coverage < 1):
        raise ValueError(f"coverage is {coverage!r}; it must lie between 0 and 1, for example 0.9.")
