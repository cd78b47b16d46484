"""The walk of `confusion`, for models in which an annotator's errors do not depend on the true class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdcore import kernels
from crowdcore.aggregate.classes.aggregator import Floats, cells
from crowdcore.aggregate.classes.confusion import Start, begin, finish, split_totals
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.sums import Sums
from crowdcore.crowd.table import Crowd


@dataclass(frozen=True, eq=False)
class Matches(Sums):
    """What a walk expects, summed over tasks.

    Attributes
    ----------
    matched : ndarray of shape (M, K)
        How many of each annotator's answers of each label are true.
    class_counts, evidence, entropy
        As in `crowdcore.aggregate.classes.confusion.Expected`.
    """

    matched: Floats
    class_counts: Floats
    evidence: float
    entropy: float


class Spike:
    """A walk over a crowd, or a part of one, that can be repeated with other parameters; see `Confusion`.

    Attributes
    ----------
    probas : ndarray of shape (N, K)
        Posteriors, at first shares of the votes.
    given : ndarray of shape (M, K)
        How often each annotator gave each label.
    matched, class_counts, evidence, entropy
        Those of `Matches`, of the last walk or start.
    num_tasks : int
        As in `Confusion`.
    """

    def __init__(self, crowd: Crowd, known: Codes, started: bool = True) -> None:
        self.crowd, self.known = crowd, known
        M, K = len(crowd.annotators), len(crowd.classes)
        self.cell = cells(crowd)
        self.probas: Floats = np.full((len(crowd.tasks), K), 1 / K)
        self._bounds = kernels.part_bounds(crowd.indptr, M * K)
        if started:
            self.start()

    def start(self) -> Start:
        """Begin with the shares of the votes, and count what follows from them."""
        crowd = self.crowd
        M, K = len(crowd.annotators), len(crowd.classes)
        self.given, self.num_tasks = begin(crowd, self.cell, self.known, self.probas)
        told = self.probas[crowd.task, crowd.label]
        self.matched: Floats = np.bincount(self.cell, told, minlength=M * K).reshape(M, K).astype(np.float64)
        self.class_counts = self.probas[(crowd.num_answers > 0) | (self.known >= 0)].sum(axis=0)
        return Start(self.given, self.num_tasks, Matches(self.matched, self.class_counts, 0.0, 0.0))

    def walk(self, other: Floats, bonus: Floats, log_prior: Floats) -> Matches:
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
        M, K = other.shape
        flat, plus = np.ascontiguousarray(other).ravel(), np.ascontiguousarray(bonus).ravel()
        matched = np.zeros((len(self._bounds), M * K))
        totals = np.zeros((len(self._bounds), K + 2))

        def part(number: int, first: int, last: int) -> None:
            kernels.spike_pass(
                False, first, last, self.crowd.indptr, self.cell, flat, plus, log_prior, self.known,
                self.probas, matched[number], totals[number],
            )  # fmt: skip

        kernels.in_parts(part, self._bounds)
        self.matched = matched.sum(axis=0).reshape(M, K)
        self.class_counts, self.evidence, self.entropy = split_totals(totals)
        return Matches(self.matched, self.class_counts, self.evidence, self.entropy)

    def finish(self, prior: Floats) -> None:
        """Give the prior to tasks of which nothing is known."""
        finish(self.crowd, self.known, self.probas, prior)
