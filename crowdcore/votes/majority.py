"""Majority vote, with ties broken by what else is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore import kernels
from crowdcore.crowd.evidence import as_ensemble
from crowdcore.crowd.grouping import ratio
from crowdcore.crowd.ids import Codes, Ids
from crowdcore.crowd.sums import Sums, each, summed
from crowdcore.crowd.table import Crowd

Floats = NDArray[np.float64]


def majority_vote(crowd: Crowd, pred_probs: ArrayLike | None = None, *, seed: int = 0) -> Codes:
    """Return the label that most annotators gave to each task.

    Ties are broken in this order, keeping what survives each time: highest predicted probability (if
    `pred_probs` is given); class chosen least often in the whole crowd; annotators who agree most with the
    majority on the tasks without a tie; at random.

    Parameters
    ----------
    crowd : Crowd
        N tasks, K classes.
    pred_probs : array_like of shape (N, K) or (P, N, K), optional
        Class probabilities of one model, or of an ensemble, whose mean is taken.
    seed : int
        Seed of the random choices. They depend on it and on the task's id, not on what else is in the crowd.

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
    The tie-breaking of CROWDLAB's authors (cleanlab). If no task at all is without a tie, cleanlab stops
    with an error; here the third rule then decides nothing.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["a", "a", "b"], ["a", "b", None], [None, None, None]])
    >>> majority_vote(crowd)  # class b is rarer; nobody answered the last task
    array([ 0,  1, -1])
    """
    return vote(crowd, as_ensemble(crowd, pred_probs), seed)[0]


def vote(crowd: Crowd, models: Floats, seed: int) -> tuple[Codes, NDArray[np.bool_]]:
    """Return `majority_vote` for models (P, N, K) that are checked, and a mask of the random choices."""
    labels, tally = tally_answers(crowd, np.full(len(crowd.tasks), -1))
    random = break_ties(crowd, models, tally, seed, labels)
    unanswered = crowd.num_answers == 0
    labels[unanswered] = models.mean(axis=0)[unanswered].argmax(axis=1) if len(models) else -1
    return labels, random


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


def break_ties(crowd: Crowd, models: Floats, tally: Tally, seed: int, labels: Codes) -> NDArray[np.bool_]:
    """Break the ties that `tally_answers` left in the labels, and return a mask of the random choices."""
    votes, reliability = tally.class_votes.astype(np.float64), tally.reliability
    models = kernels.frozen(models)

    def decide(chance: Floats) -> None:
        each(
            crowd.indptr,
            lambda first, last: kernels.break_ties(
                first, last, crowd.indptr, crowd.annotator, crowd.label, models, votes, reliability, chance, labels
            ),
        )

    decide(np.empty(0))
    random: NDArray[np.bool_] = labels < -1
    if random.any():
        chance = np.zeros(len(labels))
        chance[random] = _chances(crowd.tasks[random], seed)
        decide(chance)
    return random


def _chances(tasks: Ids, seed: int) -> Floats:
    """Return a number in [0, 1) for each task, which depends on its id and the seed alone."""
    from pandas.util import hash_array

    mixed = hash_array(tasks) + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    return hash_array(mixed) / 2.0**64  # hashed once more, or neighbouring tasks and seeds were alike


def _shares(part: Codes, whole: Codes) -> Floats:
    """Return part / whole, the mean of the others where there is nothing, NaN if there is nothing at all."""
    shares, there = ratio(part, whole), whole > 0
    if there.any():
        shares[~there] = shares[there].mean()
    return shares
