"""Posteriors under confusion matrices, and the counts that give the next ones: EM's two steps in one walk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdcore import kernels
from crowdcore.aggregate.classes.aggregator import Floats, cells
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.sums import Sums
from crowdcore.crowd.table import Crowd

SMALLEST = 1e-10
"""Chance below which no label falls that an annotator has given."""


@dataclass(frozen=True, eq=False)
class Expected(Sums):
    """What a walk expects, summed over tasks.

    Attributes
    ----------
    counts : ndarray of shape (M, K, K)
        How often each annotator gave each label (second axis) to each true class (third).
    class_counts : ndarray of shape (K,)
        How many tasks with answers, or known, are in each class.
    evidence, entropy : float
        Log probability of the answers under the parameters used; entropy of the posteriors.
    """

    counts: Floats
    class_counts: Floats
    evidence: float
    entropy: float


@dataclass(frozen=True, eq=False)
class Start(Sums):
    """What is known before the first walk.

    Attributes
    ----------
    given : ndarray of shape (M, K)
        How often each annotator gave each label.
    num_tasks : int
        How many tasks have answers, or are known.
    expected : Expected, or `crowdcore.aggregate.classes.spike.Matches`
        What the shares of the votes let expect.
    """

    given: Floats
    num_tasks: int
    expected: Sums


class Confusion:
    """A walk over a crowd, or a part of one, that can be repeated with new parameters.

    Parameters
    ----------
    crowd : Crowd
        N tasks, M annotators, K classes.
    known : ndarray of int, shape (N,)
        Classes known to be true, -1 elsewhere.
    started : bool
        Whether to `start` at once. A part in the middle of an algorithm needs no start.

    Attributes
    ----------
    probas : ndarray of shape (N, K)
        Posteriors, at first shares of the votes; 1 / K for tasks without answers, until `finish`.
    counts, class_counts, evidence, entropy
        Those of `Expected`, of the last walk or start.
    num_tasks : int
        That of `Start`.
    """

    def __init__(self, crowd: Crowd, known: Codes, started: bool = True) -> None:
        self.crowd, self.known = crowd, known
        M, K = len(crowd.annotators), len(crowd.classes)
        self.cell = cells(crowd)
        self.probas: Floats = np.full((len(crowd.tasks), K), 1 / K)
        self._bounds = kernels.part_bounds(crowd.indptr, M * K * K)
        if started:
            self.start()

    def start(self) -> Start:
        """Begin with the shares of the votes, and count what follows from them."""
        crowd = self.crowd
        M, K = len(crowd.annotators), len(crowd.classes)
        given, self.num_tasks = begin(crowd, self.cell, self.known, self.probas)
        return Start(given, self.num_tasks, self.walk(kernels.COUNT, np.zeros((M, K, K)), np.zeros(K)))

    def walk(self, mode: int, log_confusion: Floats, log_prior: Floats) -> Expected:
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
        counts = np.zeros((len(self._bounds), M * K, K))
        totals = np.zeros((len(self._bounds), K + 2))
        edges = np.arange(K + 1)

        def part(number: int, first: int, last: int) -> None:
            kernels.confusion_pass(
                mode, first, last, self.crowd.indptr, self.cell, table, log_prior, self.known, edges,
                self.probas, counts[number], totals[number],
            )  # fmt: skip

        kernels.in_parts(part, self._bounds)
        self.counts: Floats = counts.sum(axis=0).reshape(M, K, K)
        self.class_counts, self.evidence, self.entropy = split_totals(totals)
        return Expected(self.counts, self.class_counts, self.evidence, self.entropy)

    def finish(self, prior: Floats) -> None:
        """Give the prior to tasks of which nothing is known."""
        finish(self.crowd, self.known, self.probas, prior)


def begin(crowd: Crowd, cell: Codes, known: Codes, probas: Floats) -> tuple[Floats, int]:
    """Fill `probas` with the shares of the votes; return how often each label was given, and the informative tasks."""
    M, K = len(crowd.annotators), len(crowd.classes)
    answered = crowd.num_answers > 0
    np.divide(crowd.counts, crowd.num_answers[:, None], out=probas, where=answered[:, None])
    told = np.flatnonzero(known >= 0)
    probas[told] = 0
    probas[told, known[told]] = 1
    given: Floats = np.bincount(cell, minlength=M * K).reshape(M, K).astype(np.float64)
    return given, int((answered | (known >= 0)).sum())


def finish(crowd: Crowd, known: Codes, probas: Floats, prior: Floats) -> None:
    """Give the prior to tasks of which nothing is known."""
    probas[(crowd.num_answers == 0) & (known < 0)] = prior


def split_totals(totals: Floats) -> tuple[Floats, float, float]:
    """Return class counts, evidence and entropy from what the kernels count in each range, shape (ranges, K + 2)."""
    total = totals.sum(axis=0)
    return total[:-2], float(total[-2]), float(total[-2] - total[-1])


def class_shares(class_counts: Floats) -> Floats:
    """Return the shares of the classes, none quite 0; equal ones if there are no tasks."""
    total, K = class_counts.sum(), len(class_counts)
    prior: Floats = np.maximum(class_counts / total, SMALLEST) if total > 0 else np.full(K, 1 / K)
    prior /= prior.sum()
    return prior


def logs(values: Floats) -> Floats:
    """Return natural logarithms; 0 for 0, which is never looked up."""
    return np.log(values, out=np.zeros_like(values), where=values > 0)
