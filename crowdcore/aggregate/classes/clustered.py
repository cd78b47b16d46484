"""Clustered Dawid-Skene: annotators share a few confusion matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdcore import kernels
from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.confusion import SMALLEST, Confusion
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


@dataclass(eq=False)
class DawidSkeneClust(Aggregator):
    r"""Dawid-Skene with worker clustering (DSWC): each annotator belongs to one of L kinds.

    .. math:: \theta_{ik} \propto \rho_k \exp \sum_{j \in A(i)} \sum_l \phi_{jl} \ln \lambda_l[k, y_{ij}], \quad
              \phi_{jl} \propto \tau_l \exp \sum_{i \in I_j} \sum_k \theta_{ik} \ln \lambda_l[k, y_{ij}], \quad
              \lambda_l[k, m] \propto \sum_j \phi_{jl} \sum_{i \in I_j} \theta_{ik} [y_{ij} = m]

    Annotators start in clusters by the nuclear norm of their confusion matrix. Imamura, Sato & Sugiyama 2018,
    "Analysis of minimax error rate for crowdsourcing and its application to worker clustering model", ICML.

    Parameters
    ----------
    n_clusters : int
        L; at most the number of annotators is used.
    n_iter : int
        Most iterations of a run.
    tol : float
        Ends when `objective_` grows by less.
    n_restarts : int
        Most runs: when one gives all tasks to one class, the next starts from disturbed shares of the votes.
    seed : int
        Seed of that disturbance.

    Attributes
    ----------
    cluster_ : ndarray of shape (M, L)
        :math:`\phi`, the probability that each annotator belongs to each cluster.
    cluster_confusion_ : ndarray of shape (L, K, K)
        :math:`\lambda`: cluster, true class, label.
    confusion_ : ndarray of shape (M, K, K)
        That of each annotator's most probable cluster.
    prior_, cluster_prior_ : ndarray of shape (K,), (L,)
        :math:`\rho`, :math:`\tau`.
    n_iter_, converged_ : int, bool
        Iterations of the last run, and whether `tol` was reached.
    objective_, history_ : float, ndarray of shape (n_iter_,)
        Variational lower bound of the log likelihood, and its value after each iteration; it never falls.

    Notes
    -----
    Both :math:`\theta` and :math:`\phi` are renewed from old values, as in peerannot; where this would lower the
    bound, :math:`\phi` is renewed from the new :math:`\theta`, which never does.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 0, 1], [1, 1, 1, 0]] * 5)  # the last annotator says the opposite
    >>> clust = DawidSkeneClust(n_clusters=2).fit(crowd)
    >>> clust.labels_[:4], clust.cluster_.argmax(axis=1)
    (array([0, 1, 0, 1]), array([0, 0, 0, 1]))
    """

    n_clusters: int = 2
    n_iter: int = 1000
    tol: float = 1e-4
    n_restarts: int = 100
    seed: int = 0

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        em = Confusion(crowd, known)
        shares = em.probas.copy()
        rng = np.random.default_rng(self.seed)
        for restart in range(self.n_restarts):
            if restart:
                noisy = np.clip(shares + rng.normal(scale=0.1, size=shares.shape), 1e-12, 1)
                em.probas[:] = noisy / noisy.sum(axis=1, keepdims=True)
                em.walk(kernels.COUNT, np.zeros_like(em.counts), np.zeros(shares.shape[1]))
            self._run(em)
            if em.class_counts.max(initial=0.0) < em.num_tasks - 1e-6 or len(crowd.classes) == 1:
                break
        em.finish(self.prior_)
        self.confusion_: Floats = self.cluster_confusion_[self.cluster_.argmax(axis=1)]
        self.objective_ = float(self.history_[-1])
        self._settle(crowd, em.probas)

    def _run(self, em: Confusion) -> None:
        """Iterate from the posteriors that the walk has."""
        phi = self._start(em)
        history: list[float] = []
        self.converged_ = False
        _, prior, tau = self._maximize(em, phi)
        # at the start each cluster is the plain mean of its members
        matrices = np.einsum("jl,jmk->lmk", phi / np.maximum(phi.sum(axis=0), 1), _each(em))
        for iteration in range(1, self.n_iter + 1):
            self.n_iter_ = iteration
            chances = np.log(matrices + SMALLEST)
            before = em.counts
            em.walk(kernels.SOFT, np.einsum("jl,lmk->jmk", phi, chances), np.log(prior + SMALLEST))
            phi = _memberships(before, chances, tau)
            matrices, new_prior, new_tau = self._maximize(em, phi)
            bound = _bound(em, phi, matrices, new_prior, new_tau)
            if history and bound < history[-1]:
                phi = _memberships(em.counts, chances, tau)
                matrices, new_prior, new_tau = self._maximize(em, phi)
                bound = _bound(em, phi, matrices, new_prior, new_tau)
            prior, tau = new_prior, new_tau
            history.append(bound)
            if len(history) > 1 and history[-1] - history[-2] < self.tol:
                self.converged_ = True
                break
        self.cluster_: Floats = phi
        self.cluster_confusion_: Floats = matrices.transpose(0, 2, 1).copy()
        self.prior_: Floats = prior
        self.cluster_prior_: Floats = tau
        self.history_ = np.array(history)

    def _start(self, em: Confusion) -> Floats:
        """Return clusters of annotators of like nuclear norm of their confusion matrix, as (M, L)."""
        norm = np.linalg.svd(_each(em), compute_uv=False).sum(axis=1)
        M = len(norm)
        L = max(1, min(self.n_clusters, M))
        order = np.argsort(-norm.round(9), kind="stable")
        phi: Floats = np.zeros((M, L))
        for cluster in range(L):
            phi[order[M * cluster // L : M * (cluster + 1) // L], cluster] = 1
        return phi

    def _maximize(self, em: Confusion, phi: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the clusters' confusion (cluster, label, true class), class shares and cluster shares."""
        matrices = np.einsum("jl,jmk->lmk", phi, em.counts)
        total = matrices.sum(axis=1, keepdims=True)
        K = matrices.shape[1]
        matrices = np.divide(matrices, total, out=np.full_like(matrices, 1 / K), where=total > 0)
        prior = em.class_counts / em.num_tasks if em.num_tasks else np.full(K, 1 / K)
        return matrices, prior, phi.mean(axis=0) if len(phi) else np.full(phi.shape[1], 1 / phi.shape[1])


def _each(em: Confusion) -> Floats:
    """Return a confusion matrix (label, true class) for each annotator; uniform where nothing is known."""
    counts = em.counts + SMALLEST * em.class_counts
    counts += np.where(counts.sum(axis=1, keepdims=True) > 0, 0.0, 1.0)
    shares: Floats = counts / counts.sum(axis=1, keepdims=True)
    return shares


def _memberships(counts: Floats, chances: Floats, tau: Floats) -> Floats:
    """Return the probability that each annotator belongs to each cluster, given log chances of their answers."""
    logits = np.einsum("jmk,lmk->jl", counts, chances) + np.log(tau + SMALLEST)
    phi: Floats = np.exp(logits - logits.max(axis=1, keepdims=True))
    phi /= phi.sum(axis=1, keepdims=True)
    return phi


def _bound(em: Confusion, phi: Floats, matrices: Floats, prior: Floats, tau: Floats) -> float:
    """Return the variational lower bound of the log likelihood."""
    spread = -float((phi * np.log(phi + 1e-300)).sum())
    fit = (np.einsum("jl,jmk->lmk", phi, em.counts) * np.log(matrices + SMALLEST)).sum()
    sizes = em.class_counts @ np.log(prior + SMALLEST) + phi.sum(axis=0) @ np.log(tau + SMALLEST)
    return float(fit + sizes) + em.entropy + spread
