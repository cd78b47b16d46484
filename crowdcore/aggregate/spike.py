"""The walk of `confusion`, for models in which an annotator's errors do not depend on the true class."""

from __future__ import annotations

import numpy as np

from crowdcore import kernels
from crowdcore.aggregate.base import Floats
from crowdcore.aggregate.confusion import Confusion
from crowdcore.crowd import Crowd
from crowdcore.ids import Codes


class Spike:
    """A walk over a crowd that can be repeated with other parameters; see `Confusion`.

    Attributes
    ----------
    probas : ndarray of shape (N, K)
        Posteriors, at first shares of the votes.
    given : ndarray of shape (M, K)
        How often each annotator gave each label.
    matched : ndarray of shape (M, K)
        How many of those are expected to be true.
    class_counts, num_tasks, evidence, entropy
        As in `Confusion`.
    """

    def __init__(self, crowd: Crowd, known: Codes) -> None:
        start = Confusion(crowd, known)
        self.crowd, self.known, self.cell = crowd, known, start.cell
        self.probas, self.num_tasks, self.finish = start.probas, start.num_tasks, start.finish
        self.class_counts = start.class_counts
        M, K = len(crowd.annotators), len(crowd.classes)
        self.given: Floats = np.bincount(self.cell, minlength=M * K).reshape(M, K).astype(np.float64)
        self.matched: Floats = np.diagonal(start.counts, axis1=1, axis2=2).copy()
        self._bounds = kernels.part_bounds(crowd.indptr, M * K)
        self._matched: Floats = np.empty((len(self._bounds), M * K))
        self._totals: Floats = np.empty((len(self._bounds), K + 2))

    def walk(self, other: Floats, bonus: Floats, log_prior: Floats) -> None:
        """Renew `probas` and everything that follows from them.

        Parameters
        ----------
        other : ndarray of shape (M, K)
            Logarithm of the chance of each annotator's label if another class is true.
        bonus : ndarray of shape (M, K)
            How much larger it is if the label is true.
        log_prior : ndarray of shape (K,)
            Logarithm of the class shares.
        """
        flat, plus = np.ascontiguousarray(other).ravel(), np.ascontiguousarray(bonus).ravel()
        self._matched[:] = 0
        self._totals[:] = 0

        def part(number: int, first: int, last: int) -> None:
            kernels.spike_pass(
                False, first, last, self.crowd.indptr, self.cell, flat, plus, log_prior, self.known,
                self.probas, self._matched[number], self._totals[number],
            )  # fmt: skip

        kernels.in_parts(part, self._bounds)
        K = len(log_prior)
        self.matched = self._matched.sum(axis=0).reshape(-1, K)
        totals = self._totals.sum(axis=0)
        self.class_counts = totals[:K]
        self.evidence = float(totals[K])
        self.entropy = float(totals[K] - totals[K + 1])
