"""MMSR: skills from the robust rank-one factor of the agreement between annotators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdcore import kernels
from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.voting import Voting
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.votes.overlaps import shared_tasks as _shared_tasks

SIGN_ITERATIONS = 1000


@dataclass(eq=False)
class MMSR(Aggregator):
    r"""Matrix mean-subsequence-reduced algorithm: one-coin skills that some adversaries cannot spoil.

    .. math:: C_{jj'} = \frac{K a_{jj'} - 1}{K - 1} \approx s_j s_{j'}, \quad p_j = \frac{(K - 1) s_j + 1}{K}, \quad
              \hat z_i = \arg\max_k \sum_{j \in A(i)} \ln \frac{(K - 1) p_j}{1 - p_j} [y_{ij} = k]

    with :math:`a_{jj'}` the share of common tasks on which two annotators agree. The sizes of :math:`s` come from
    alternating trimmed means, its signs from the leading eigenvector of the signs of :math:`C`. Ma & Olshevsky
    2020, "Adversarial crowdsourcing through robust rank-one matrix completion", NeurIPS.

    Parameters
    ----------
    n_iter : int
        Most iterations of the factorisation.
    tol : float
        Ends when the factors' product changes by less, in the Frobenius norm.
    seed : int, optional
        crowd-kit starts from uniformly distributed factors; this is the seed for it. By default all entries start
        at 1/2, and the result does not depend on the order of anything.

    Attributes
    ----------
    probas_ : ndarray of shape (N, K)
        Posterior of the one-coin model with these skills and equal classes.
    skills_ : ndarray of shape (M,)
        Weights :math:`\ln((K - 1) p_j / (1 - p_j))`; the mean for annotators who share no task, NaN without answers.
    n_iter_, converged_ : int, bool
        Iterations done, and whether `tol` was reached.

    Notes
    -----
    Only pairs who share tasks are kept, never a matrix of all annotators. crowd-kit takes pairs who share no
    task for disagreeing ones in the choice of signs, and trims wrongly if an annotator shares tasks with fewer
    than two others.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 1, 1], [2, 2, 2, 1], [1, 1, 1, 2]])
    >>> mmsr = MMSR().fit(crowd)
    >>> mmsr.labels_, (mmsr.skills_ > 0).tolist()
    (array([0, 1, 0, 2, 1]), [True, True, True, False])
    """

    n_iter: int = 10_000
    tol: float = 1e-10
    seed: int | None = None

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        M, K = len(crowd.annotators), len(crowd.classes)
        answers = np.bincount(crowd.annotator, minlength=M)
        pairs, other, common, agreeing = _shared_tasks(crowd, answers)
        covariance = (K * agreeing / common - 1) / (K - 1) if K > 1 else np.ones(len(other))
        u: Floats = np.full(M, 0.5)
        v: Floats = np.full(M, 0.5)
        if self.seed is not None:
            u, v = np.random.default_rng(self.seed).uniform(size=(2, M))
        degree = np.diff(pairs)
        sharing = degree > 0
        num_tasks = max(1, int(np.count_nonzero(crowd.num_answers)))
        least = 1 / np.sqrt(num_tasks)
        trim = max(0, int(degree[sharing].min()) // 2 - 1) if sharing.any() else 0
        self.n_iter_ = kernels.robust_rank_one(
            pairs, other, np.abs(covariance), trim, least, u, v, self.n_iter, float(self.tol)
        )
        self.converged_ = self.n_iter_ < self.n_iter
        size = u[sharing]
        scale = np.sqrt((size**2).sum() / (v[sharing] ** 2).sum()) if len(size) else 1.0
        signed: Floats = u / np.sqrt(scale) * _signs(pairs, other, covariance)
        signed = np.maximum(np.minimum(signed, 1 - least), -1 / max(1, K - 1) + least)
        right = (signed * (K - 1) + 1) / K
        skills: Floats = np.log(right * (K - 1) / (1 - right)) if K > 1 else np.ones(M)
        skills[~sharing] = skills[sharing].mean() if sharing.any() else 1.0
        skills[answers == 0] = np.nan
        self.skills_: Floats = skills
        weight = np.nan_to_num(skills)
        voting = Voting(crowd, share_ties=True)
        voting(weight)
        N = len(crowd.tasks)
        votes = np.bincount(crowd.task * K + crowd.label, weight[crowd.annotator], minlength=N * K).reshape(N, K)
        probas = np.exp(votes - votes.max(axis=1, keepdims=True))
        self._settle(crowd, probas / probas.sum(axis=1, keepdims=True), codes=voting.codes)


def _signs(pairs: Codes, other: Codes, covariance: Floats) -> Floats:
    """Return -1 or 1 for each annotator so that pairs of equal sign agree and others do not, as far as possible.

    The leading eigenvector of the random walk on the graph of pairs, with the signs of their covariance; most
    annotators are taken for well-meaning, and all of them where the signs are as many.
    """
    M = len(pairs) - 1
    row = np.repeat(np.arange(M), np.diff(pairs))
    sign = np.sign(covariance)
    degree = np.maximum(np.bincount(row, np.abs(sign), minlength=M), 1)
    # where a well-meaning majority agrees, a start from the sums of agreement has the signs already
    x: Floats = np.bincount(row, covariance, minlength=M) / degree + 1e-3
    for _ in range(SIGN_ITERATIONS):
        new = x + np.bincount(row, sign * x[other], minlength=M) / degree
        new /= np.abs(new).max(initial=1e-300)
        still = np.abs(new - x).max(initial=0.0) < 1e-9
        x = new
        if still:
            break
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    found: Floats = np.where(x < -1e-9, -1.0, 1.0)
    # it is not known how the signs of unconnected annotators go together: each group has its majority
    group = connected_components(csr_array((np.ones(len(other)), other, pairs), shape=(M, M)), directed=False)[1]
    majority = np.bincount(group, found)[group]
    oriented: Floats = np.where(majority == 0, 1.0, found * np.sign(majority))
    return oriented
