"""Majority vote, with ties broken by a model or by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore import kernels
from crowdcore.crowd.evidence import as_ensemble
from crowdcore.crowd.grouping import ratio
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.sums import Sums, each, summed
from crowdcore.crowd.table import Crowd
from crowdcore.votes.lots import draw_lots

Floats = NDArray[np.float64]


def majority_vote(crowd: Crowd, pred_probs: ArrayLike | None = None, *, seed: int = 0) -> Codes:
    """Return the label that most annotators gave to each task.

    Of tied classes it is the one of highest predicted probability, if `pred_probs` are given. Where they are not, or
    do not tell, chance decides, and each tied class is as likely as the others.

    Parameters
    ----------
    crowd : Crowd
        N tasks, K classes.
    pred_probs : array_like of shape (N, K) or (P, N, K), optional
        Class probabilities of one model, or of an ensemble, whose mean is taken.
    seed : int
        Seed of the random choices. They depend on it and on the ids of the task and of its annotators, not on what
        else is in the crowd, on the order of anything, or on the names of the classes.

    Returns
    -------
    ndarray of shape (N,)
        Class codes. A task without answers gets the most probable class, or -1 without `pred_probs`.

    Raises
    ------
    ValueError
        If `pred_probs` are not probabilities of the crowd's tasks and classes.

    Notes
    -----
    cleanlab gives a tie to the class that is chosen least often in the whole crowd, and so nearly all ties of a crowd
    to its rare classes; `crowdcore.cleanlab_api`, `crowdcore.crowdlab` and `crowdcore.activelab` follow it in this.

    Examples
    --------
    >>> tied = [["a", "b", None]] * 6
    >>> crowd = Crowd.from_wide([["a", "a", "b"], *tied, [None, None, None]])
    >>> majority_vote(crowd)  # nobody answered the last task
    array([ 0,  0,  1,  0,  1,  1,  1, -1])
    >>> majority_vote(crowd, [[0.1, 0.9], *[[0.8, 0.2]] * 6, [0.4, 0.6]])
    array([0, 0, 0, 0, 0, 0, 0, 1])
    """
    models = as_ensemble(crowd, pred_probs)
    labels, _ = tally_answers(crowd, np.full(len(crowd.tasks), -1))
    break_ties(crowd, models, np.zeros(len(crowd.classes)), np.zeros(len(crowd.annotators)), seed, labels)
    label_unanswered(crowd, models, labels)
    return labels


def label_unanswered(crowd: Crowd, models: Floats, labels: Codes) -> None:
    """Give tasks without answers the class that models (P, N, K) find most probable, -1 without any."""
    unanswered = crowd.num_answers == 0
    labels[unanswered] = models.mean(axis=0)[unanswered].argmax(axis=1) if len(models) else -1


@dataclass(frozen=True, eq=False)
class Tally(Sums):
    """What the answers say before anything else is known.

    Attributes
    ----------
    class_votes : ndarray of shape (K,)
        How often each class was chosen.
    tallies : ndarray of shape (M, 4)
        Of each annotator: answers of others to the same tasks, and those of them that agree; answers to tasks
        without a tie, and those of them that equal the majority's.
    num_answers, num_answered, num_measured : int
        Answers; tasks that have any; tasks whose answers can be compared with something.
    """

    class_votes: Codes
    tallies: Codes
    num_answers: int
    num_answered: int
    num_measured: int

    @property
    def agreement(self) -> Floats:
        """How often each annotator agrees with the others who answered the same tasks, shape (M,).

        A known truth counts as one more answer. An annotator who shares no task gets the mean of the others, NaN
        if nobody does.
        """
        return _shares(self.tallies[:, 1], self.tallies[:, 0])

    @property
    def reliability(self) -> Floats:
        """How often each annotator equals the majority on tasks without a tie, the mean where they have none, (M,)."""
        found = _shares(self.tallies[:, 3], self.tallies[:, 2])
        return np.nan_to_num(found, copy=False)


def tally_answers(crowd: Crowd, truth: Codes) -> tuple[Codes, Tally]:
    """Return each task's most frequent label (-1 without answers, -2 for a tie), and the tally.

    `truth`, of shape (N,), are the labels known to be true, -1 elsewhere.
    """
    N, M, K = len(crowd.tasks), len(crowd.annotators), len(crowd.classes)
    top = np.empty(N, dtype=np.int64)
    known = kernels.frozen(truth)

    def work(first: int, last: int) -> Tally:
        class_votes, tallies = np.zeros(K, dtype=np.int64), np.zeros((M, 4), dtype=np.int64)
        kernels.tally_votes(
            first, last, crowd.indptr, crowd.annotator, crowd.label, known, top, class_votes, tallies
        )  # fmt: skip
        n = np.diff(crowd.indptr[first : last + 1])
        measured = (n > 1) | ((n > 0) & (known[first:last] >= 0))
        return Tally(class_votes, tallies, int(n.sum()), int(np.count_nonzero(n)), int(measured.sum()))

    return top, summed(crowd.indptr, 4 * M + K, work)


def break_ties(
    crowd: Crowd, models: Floats, class_votes: Floats, reliability: Floats, seed: int, labels: Codes
) -> NDArray[np.bool_]:
    """Break the ties that `tally_answers` left in the labels, and return a mask of the random choices.

    They go to the class that the mean of the models (P, N, K) finds most probable; that has the fewest `class_votes`
    (K,); whose annotators have the highest mean `reliability` (M,); or that is drawn. What is equal decides nothing.
    """
    models = kernels.frozen(models)

    def decide(of_task: kernels.Numbers, of_annotator: kernels.Numbers) -> None:
        each(
            crowd.indptr,
            lambda first, last: kernels.break_ties(
                first, last, crowd.indptr, crowd.annotator, crowd.label, models, class_votes, reliability,
                of_task, of_annotator, labels,
            ),
        )  # fmt: skip

    decide(*np.empty((2, 0), dtype=np.uint64))
    random: NDArray[np.bool_] = labels == kernels.TIED
    if random.any():
        decide(*draw_lots(crowd, random, seed))
    return random


def _shares(part: Codes, whole: Codes) -> Floats:
    """Return part / whole, the mean of the others where there is nothing, NaN if there is nothing at all."""
    shares, there = ratio(part, whole), whole > 0
    if there.any():
        shares[~there] = shares[there].mean()
    return shares
