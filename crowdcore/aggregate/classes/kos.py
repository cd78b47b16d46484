"""KOS: messages between tasks and annotators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdcore import kernels
from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.crowd.grouping import group_mean
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


@dataclass(eq=False)
class KOS(Aggregator):
    r"""Iterative learning by messages on the graph of answers, for two classes.

    .. math:: x_{i \to j} = \sum_{j' \ne j} A_{ij'} y_{j' \to i}, \quad
              y_{j \to i} = \sum_{i' \ne i} A_{i'j} x_{i' \to j}, \quad
              \hat z_i = \mathrm{sign} \sum_j A_{ij} y_{j \to i}

    with :math:`A_{ij}` -1 for the first class and 1 for the second. Karger, Oh & Shah 2011, "Iterative learning
    for reliable crowdsourcing systems", NIPS. Messages are scaled in each iteration, so they never overflow.

    Parameters
    ----------
    n_iter : int
        Most iterations.
    tol : float
        Ends when no message, the largest being 1, changes by more.
    seed : int, optional
        The paper draws the first messages from a normal distribution of mean 1 and variance 1; this is the seed
        for it. By default they are all 1, and the result does not depend on the order of anything.

    Attributes
    ----------
    probas_ : ndarray of shape (N, 2)
        Share of the messages for each class, a negative one being for the other; not calibrated.
    scores_ : ndarray of shape (N,)
        Sum of the messages: below 0 for the first class, above for the second; 0 has no label.
    skills_ : ndarray of shape (M,)
        Mean of each annotator's messages, in [-1, 1]; NaN without answers.
    n_iter_, converged_ : int, bool
        Iterations done, and whether `tol` was reached.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["no", "no", "yes"], ["yes", "yes", "no"], ["no", "no", "yes"]])
    >>> kos = KOS().fit(crowd)
    >>> kos.labels_.tolist(), np.sign(kos.skills_).tolist()
    (['no', 'yes', 'no'], [1.0, 1.0, -1.0])
    """

    n_iter: int = 100
    tol: float = 1e-9
    seed: int | None = None

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        if len(crowd.classes) != 2:
            raise ValueError(
                f"KOS is for two classes, and the crowd has {len(crowd.classes)}: {crowd.classes.tolist()[:8]}. "
                "Use MMSR, DawidSkene or MACE, or make a crowd for each class against the others."
            )
        M = len(crowd.annotators)
        sign: Floats = np.where(crowd.label == 1, 1.0, -1.0)
        message: Floats = np.ones(len(sign))
        if self.seed is not None:
            message[:] = np.random.default_rng(self.seed).normal(1, 1, size=len(sign))
        self._spread(crowd, sign, message)
        N = len(crowd.tasks)
        scores: Floats = np.asarray(np.bincount(crowd.task, sign * message, minlength=N), dtype=np.float64)
        size = np.bincount(crowd.task, np.abs(message), minlength=N)
        scores = np.where(np.abs(scores) > kernels.CLOSE * size, scores, 0.0)
        lean: Floats = np.zeros(N)
        np.divide(scores, size, out=lean, where=size > 0)
        self.skills_: Floats = group_mean(message, crowd.annotator, M)
        codes: Codes = np.full(N, -1, dtype=np.int64)
        codes[scores < 0] = 0
        codes[scores > 0] = 1
        self.scores_ = scores
        self._settle(crowd, np.column_stack([1 - lean, 1 + lean]) / 2, codes=codes)

    def _spread(self, crowd: Crowd, sign: Floats, message: Floats) -> None:
        self.n_iter_ = kernels.pass_messages(
            crowd.indptr, crowd.annotator, sign, message, len(crowd.annotators), self.n_iter, float(self.tol)
        )
        self.converged_ = self.n_iter_ < self.n_iter
