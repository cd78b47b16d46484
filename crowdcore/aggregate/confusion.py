"""Posteriors under confusion matrices, and the counts that give the next ones: EM's two steps in one walk."""

from __future__ import annotations

import numpy as np

from crowdcore import kernels
from crowdcore.aggregate.base import Floats, cells
from crowdcore.crowd import Crowd
from crowdcore.ids import Codes

SMALLEST = 1e-10
"""Chance below which no label falls that an annotator has given."""


class Confusion:
    """A walk over a crowd that can be repeated with other parameters.

    Parameters
    ----------
    crowd : Crowd
        N tasks, M annotators, K classes.
    known : ndarray of int, shape (N,)
        Classes known to be true, -1 elsewhere.

    Attributes
    ----------
    probas : ndarray of shape (N, K)
        Posteriors, at first shares of the votes; 1 / K for tasks without answers, until `finish`.
    counts : ndarray of shape (M, K, K)
        How often each annotator is expected to have given each label (second axis) to each true class (third).
    class_counts : ndarray of shape (K,)
        How many tasks with answers, or known, are expected in each class.
    num_tasks : int
        How many such tasks there are.
    evidence, entropy : float
        Log probability of the answers under the parameters last used; entropy of `probas`.
    """

    def __init__(self, crowd: Crowd, known: Codes) -> None:
        self.crowd, self.known = crowd, known
        M, K = len(crowd.annotators), len(crowd.classes)
        self.cell = cells(crowd)
        self.probas: Floats = np.full((len(crowd.tasks), K), 1 / K)
        answered = crowd.num_answers > 0
        np.divide(crowd.counts, crowd.num_answers[:, None], out=self.probas, where=answered[:, None])
        given = np.flatnonzero(known >= 0)
        self.probas[given] = 0
        self.probas[given, known[given]] = 1
        self.num_tasks = int((answered | (known >= 0)).sum())
        self.used = np.bincount(self.cell, minlength=M * K).reshape(M, K, 1) > 0
        self._bounds = kernels.part_bounds(crowd.indptr, M * K * K)
        self._counts: Floats = np.empty((len(self._bounds), M * K, K))
        self._totals: Floats = np.empty((len(self._bounds), K + 2))
        self.walk(kernels.COUNT, np.zeros((M, K, K)), np.zeros(K))

    def walk(self, mode: int, log_confusion: Floats, log_prior: Floats) -> None:
        """Renew `probas` (not if the mode is `kernels.COUNT`) and everything that follows from them.

        Parameters
        ----------
        mode : int
            `kernels.SOFT`, `kernels.HARD` or `kernels.COUNT`.
        log_confusion : ndarray of shape (M, K, K)
            Annotator, label, true class.
        log_prior : ndarray of shape (K,)
            Logarithm of the class shares.
        """
        M, K = log_confusion.shape[:2]
        table = np.ascontiguousarray(log_confusion).reshape(M * K, K)
        self._counts[:] = 0
        self._totals[:] = 0

        def part(number: int, first: int, last: int) -> None:
            kernels.confusion_pass(
                mode, first, last, self.crowd.indptr, self.cell, table, log_prior, self.known,
                self.probas, self._counts[number], self._totals[number],
            )  # fmt: skip

        kernels.in_parts(part, self._bounds)
        self.counts: Floats = self._counts.sum(axis=0).reshape(M, K, K)
        totals = self._totals.sum(axis=0)
        self.class_counts: Floats = totals[:K]
        self.evidence = float(totals[K])
        self.entropy = float(totals[K] - totals[K + 1])

    def normalized(self, counts: Floats) -> Floats:
        """Return chances of each label for each true class, floored for labels that the annotator has given.

        Where nothing is known the labels given are equally likely; without any answer all are.
        """
        chances = np.where(self.used, np.maximum(counts, SMALLEST), counts)
        total = chances.sum(axis=1, keepdims=True)
        uniform: Floats = np.full_like(chances, 1 / chances.shape[1])
        np.divide(chances, total, out=uniform, where=total > 0)
        return uniform

    def finish(self, prior: Floats) -> None:
        """Give the prior to tasks of which nothing is known."""
        self.probas[(self.crowd.num_answers == 0) & (self.known < 0)] = prior


def logs(values: Floats) -> Floats:
    """Return natural logarithms; 0 for 0, which is never looked up."""
    return np.log(values, out=np.zeros_like(values), where=values > 0)
