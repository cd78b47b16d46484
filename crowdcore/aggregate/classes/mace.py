"""MACE: annotators who know, or spam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.dirichlet import divergence, mean_logs, means
from crowdcore.aggregate.classes.spike import Spike
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


@dataclass(eq=False)
class MACE(Aggregator):
    r"""Multi-annotator competence estimation: who does not spam gives the truth.

    .. math:: P(y_{ij} = l | z_i = k) = \theta_j [l = k] + (1 - \theta_j) \xi_{jl}, \quad P(z_i = k) = 1 / K

    An annotator knows the truth with probability :math:`\theta_j`, their competence, and else gives a label
    from a distribution :math:`\xi_j` of their own. Hovy, Berg-Kirkpatrick, Vaswani & Hovy 2013, "Learning
    whom to trust with MACE", NAACL.

    Parameters
    ----------
    method : str
        ``"vb"``: variational Bayes with Beta and Dirichlet priors; ``"em"``: expectation maximisation with
        smoothed counts.
    n_restarts : int
        Starts, of which that of the largest objective is kept. The first has no noise, so that with one
        restart nothing depends on the order of tasks, annotators or classes.
    n_iter : int
        Most iterations of each.
    tol : float
        A run ends when its objective, divided by the number of answers, grows by less.
    smoothing : float, optional
        Added to the counts by ``"em"``; 0.01 / K by default, as by MACE's authors.
    default_noise : float
        Starts have probabilities proportional to 1 + (1 + noise) u, u uniform in [0, 1].
    alpha, beta : float
        ``"vb"``: Beta prior's parameters for spamming and for knowing.
    strategy_prior : float
        ``"vb"``: the Dirichlet prior's parameter for each label of a spammer.
    seed : int
        Seed of the noise.

    Attributes
    ----------
    skills_ : ndarray of shape (M,)
        Competence :math:`\theta`.
    strategy_ : ndarray of shape (M, K)
        :math:`\xi`, what annotators say when they spam. With ``"vb"``, this and `skills_` are the means under
        the posterior.
    n_iter_, converged_ : int, bool
        Iterations of the run that was kept, and whether `tol` was reached.
    objective_, history_ : float, ndarray of shape (n_iter_,)
        Log likelihood plus log prior (``"em"``), or its variational lower bound; it never falls.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 0, 1], [2, 2, 1], [1, 1, 1], [2, 2, 1]])
    >>> mace = MACE().fit(crowd)
    >>> mace.labels_
    array([0, 1, 0, 2, 1, 2])
    >>> bool(mace.skills_.argmin() == 2)
    True
    """

    method: Literal["vb", "em"] = "vb"
    n_restarts: int = 10
    n_iter: int = 50
    tol: float = 1e-6
    smoothing: float | None = None
    default_noise: float = 0.5
    alpha: float = 0.5
    beta: float = 0.5
    strategy_prior: float = 10.0
    seed: int = 0

    takes = ("known_labels",)

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        M, K = len(crowd.annotators), len(crowd.classes)
        walk = Spike(crowd, known)
        rng = np.random.default_rng(self.seed)
        start = _Parameters(np.full((M, 2), 0.5), np.full((M, K), 1 / K))
        best: _Run | None = None
        for restart in range(self.n_restarts):
            if restart:
                sizes = [1 + (1 + self.default_noise) * rng.random(shape) for shape in ((M, 2), (M, K))]
                start = _Parameters(*(size / size.sum(axis=1, keepdims=True) for size in sizes))
            run = self._run(walk, start)
            # by more than rounding: the run without noise is kept when others only find it again
            if best is None or run.history[-1] > best.history[-1] + 1e-9 * abs(best.history[-1]):
                run.probas = walk.probas.copy() if self.n_restarts > 1 else walk.probas
                best = run
        assert best is not None
        walk.probas[:] = best.probas
        walk.finish(np.full(K, 1 / K))
        self.skills_: Floats = best.knowing
        self.strategy_: Floats = best.strategy
        self.n_iter_, self.converged_ = len(best.history), best.converged
        self.history_ = np.array(best.history)
        self.objective_ = best.history[-1]
        self._settle(crowd, walk.probas, known)

    def _run(self, walk: Spike, parameters: _Parameters) -> _Run:
        """Iterate from a start; the posteriors stay in the walk."""
        K = walk.given.shape[1]
        answers = max(1, len(walk.cell))
        log_prior = np.full(K, -np.log(K))
        smoothing = 0.01 / K if self.smoothing is None else self.smoothing
        weights = (self.alpha, self.beta), self.strategy_prior
        run = _Run(parameters)
        penalty = None
        for _ in range(self.n_iter + 1):  # a run is a start's E-step and n_iter of M and E
            spam = parameters.spam[:, :1] * parameters.strategy
            spam = np.maximum(spam, 1e-300)
            right = spam + parameters.spam[:, 1:]
            walk.walk(np.log(spam), np.log(right) - np.log(spam), log_prior)
            if penalty is not None:
                run.history.append(walk.evidence + penalty)
                if len(run.history) > 1 and run.history[-1] - run.history[-2] < self.tol * answers:
                    run.converged = True
                    break
            by_chance = walk.matched * spam / right
            spammed = walk.given - walk.matched + by_chance
            counts = np.column_stack([spammed.sum(axis=1), (walk.matched - by_chance).sum(axis=1)])
            if self.method == "em":
                spam_pair = means(counts + smoothing)
                strategy = means(spammed + smoothing)
                penalty = smoothing * float(np.log(spam_pair).sum() + np.log(strategy).sum())
                run.knowing, run.strategy = spam_pair[:, 1], strategy
            else:
                first, second = counts + np.array(weights[0]), spammed + weights[1]
                spam_pair, strategy = np.exp(mean_logs(first)), np.exp(mean_logs(second))
                penalty = -divergence(first, np.array(weights[0])) - divergence(second, np.full(K, weights[1]))
                run.knowing, run.strategy = means(first)[:, 1], means(second)
            parameters = _Parameters(spam_pair, strategy)
        if not run.history:
            run.history.append(walk.evidence)
        return run

    def _check(self) -> None:
        super()._check()
        if self.method not in ("vb", "em"):
            raise ValueError(f"MACE: method is {self.method!r}; allowed are 'vb' and 'em'.")
        for name in ("smoothing", "alpha", "beta", "strategy_prior", "default_noise"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise ValueError(f"MACE: {name} is {value!r}; it must be a finite number above 0.")


@dataclass
class _Parameters:
    spam: Floats  # (M, 2): spamming, knowing
    strategy: Floats  # (M, K)


class _Run:
    def __init__(self, start: _Parameters) -> None:
        self.knowing, self.strategy = start.spam[:, 1], start.strategy
        self.history: list[float] = []
        self.converged = False
        self.probas: Floats = np.empty((0, 0))
