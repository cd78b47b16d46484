"""What the fitted crowd model believes of tasks, in a form that one more answer can be added to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crowdcore import kernels
from crowdcore.crowd.ids import Codes
from crowdcore.hierarchical.dependence import Dependence, dependence, mean_answers

if TYPE_CHECKING:
    from crowdcore.hierarchical.result import HierarchicalResult

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Beliefs:
    """What is believed of N tasks with K classes, by the parameters of a `crowdcore.HierarchicalResult`.

    Attributes
    ----------
    has_model : bool
        Whether each task has a prior of its own.
    prior : ndarray of shape (N, K) or (1, K)
        Logarithm of what is believed of each task, or of all, before the answers.
    says : ndarray of shape (N, K)
        What the answers say: the sum of the logarithms of their chances for each true class.
    total, strongest : ndarray of shape (N,)
        The sum and the largest of the answers' strengths; see `crowdcore.kernels.weigh_answers`.
    counts : ndarray of int, shape (N, K)
        Votes.
    depends : Dependence
        How far answers depend on each other.
    """

    has_model: bool
    prior: Floats
    says: Floats
    total: Floats
    strongest: Floats
    counts: Codes
    depends: Dependence

    def judge(self, tasks: Codes, consensus: Codes, confidence: Floats, quality: Floats) -> None:
        """Fill in the consensus, confidence and quality of some tasks, as in `crowdcore.HierarchicalResult`."""
        kernels.judge_tasks(
            tasks, self.prior, self.says, self.total, self.strongest, self.counts, self.has_model,
            self.depends.pair, self.depends.several, self.depends.as_one, consensus, confidence, quality,
        )  # fmt: skip


def form_beliefs(result: HierarchicalResult, log_rows: Floats | None = None) -> Beliefs:
    """Return what the answers and the model say of all tasks, known labels apart.

    Parameters
    ----------
    result : HierarchicalResult
        The fitted model.
    log_rows : ndarray of shape (C, K), optional
        What to take for the annotators' own, ``result.confusions.log_rows``.

    Returns
    -------
    Beliefs
        Those that give the result's own confidence and quality.

    Examples
    --------
    >>> from crowdcore import Crowd, hierarchical_dawid_skene
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, None, None]])
    >>> form_beliefs(hierarchical_dawid_skene(crowd)).says.argmax(axis=1)
    array([0, 1, 0])
    """
    crowd, confusions = result.heard, result.confusions
    N, K = crowd.counts.shape
    has_model = result.pred_probs is not None
    prior = np.log(result.class_prior)[None]
    if result.pred_probs is not None:
        prior = result.model_exponent * np.log(result.pred_probs)
    task, cell = crowd.task, confusions.cell
    log_rows = confusions.log_rows if log_rows is None else log_rows
    says, total, strongest = np.zeros((N, K)), np.zeros(N), np.zeros(N)
    for k in range(K):
        says[:, k] = np.bincount(task, log_rows[cell, k], N)
    kernels.add_strengths(task, crowd.label, cell, log_rows, total, strongest)
    depends = dependence(result.correlation, mean_answers(crowd), has_model)
    return Beliefs(has_model, prior, says, total, strongest, crowd.counts.copy(), depends)
