"""What the fitted crowd model believes of tasks, in a form that one more answer can be added to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crowdcore import kernels
from crowdcore.crowd.ids import Codes

if TYPE_CHECKING:
    from crowdcore.hierarchical.consensus import HierarchicalResult

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Beliefs:
    """What is believed of N tasks with K classes, by the parameters of a `crowdcore.HierarchicalResult`.

    Attributes
    ----------
    has_model : bool
        Whether each task has a prior of its own.
    logs : ndarray of shape (N, K)
        Logarithm of each class's chance by prior and answers, up to a constant.
    singles : ndarray of shape (N, K)
        Sum of the posteriors from one answer each.
    counts : ndarray of int, shape (N, K)
        Votes.
    heard : ndarray of shape (N, K) or (1, K)
        Prior with which single answers are heard: probabilities.
    ratio : float
        How much less of a surprise the same label again is.
    correlation, least : float
        The weight of single answers; see `crowdcore.kernels.pool_answers`.
    """

    has_model: bool
    logs: Floats
    singles: Floats
    counts: Codes
    heard: Floats
    ratio: float
    correlation: float
    least: float

    def judge(self, tasks: Codes, consensus: Codes, confidence: Floats, quality: Floats) -> None:
        """Fill in the consensus, confidence and quality of some tasks, as in `crowdcore.HierarchicalResult`."""
        kernels.judge_tasks(
            tasks, self.logs, self.singles, self.counts, self.has_model, self.correlation, self.least, consensus,
            confidence, quality,
        )  # fmt: skip

    def copy(self) -> Beliefs:
        """Return beliefs that can be renewed without touching these."""
        return Beliefs(
            self.has_model, self.logs.copy(), self.singles.copy(), self.counts.copy(), self.heard, self.ratio,
            self.correlation, self.least,
        )  # fmt: skip


def form_beliefs(result: HierarchicalResult) -> Beliefs:
    """Return what the answers and the model say of all tasks, known labels apart.

    Parameters
    ----------
    result : HierarchicalResult
        The fitted model.

    Returns
    -------
    Beliefs
        Those that give the result's own confidence and quality.

    Examples
    --------
    >>> from crowdcore import Crowd, hierarchical_dawid_skene
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, None, None]])
    >>> form_beliefs(hierarchical_dawid_skene(crowd)).logs.argmax(axis=1)
    array([0, 1, 0])
    """
    from crowdcore.hierarchical.consensus import HIDDEN, LEAST_POOLING

    crowd, confusions = result.heard, result.confusions
    N, K = crowd.counts.shape
    has_model = result.pred_probs is not None
    ratio = result.correlation / (1 - result.correlation) if has_model else 0.0
    if result.pred_probs is not None:
        logs = result.model_exponent * np.log(result.pred_probs)
        logs -= logs.max(axis=1, keepdims=True)
        heard = np.exp(logs)
        heard /= heard.sum(axis=1, keepdims=True)
    else:
        logs = np.repeat(np.log(result.class_prior)[None], N, axis=0)
        heard = np.full((1, K), 1 / K)
    task, cell, log_rows = crowd.task, confusions.cell, confusions.log_rows
    row, rows = task if has_model else np.zeros_like(task), np.exp(log_rows)
    totals, singles = np.zeros(len(task)), np.empty((N, K))
    for k in range(K):
        totals += heard[row, k] * rows[cell, k]
        logs[:, k] += np.bincount(task, log_rows[cell, k], N)
    for k in range(K):
        singles[:, k] = np.bincount(task, heard[row, k] * rows[cell, k] / totals, N)
    if ratio:
        times = np.arange(crowd.counts.max(initial=0))[:, None]
        for label in range(K):
            again = np.log1p(times * ratio / confusions.pooled[:, label])
            logs += np.concatenate([np.zeros((1, K)), again.cumsum(axis=0)])[crowd.counts[:, label]]
    return Beliefs(
        has_model, logs, singles, crowd.counts.copy(), heard, ratio, HIDDEN * result.correlation, LEAST_POOLING
    )
