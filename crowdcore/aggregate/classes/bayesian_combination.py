"""Bayesian classifier combination by variational inference: what is believed of classes, subtypes and annotators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np

from crowdcore import kernels
from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.confusion import Expected, finish
from crowdcore.aggregate.classes.dirichlet import divergence, mean_logs, means
from crowdcore.aggregate.classes.subtypes import Subtypes
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


@dataclass(frozen=True, eq=False)
class Priors:
    """The parameters of the Dirichlet priors.

    Attributes
    ----------
    classes : ndarray of shape (K,)
        Of the classes.
    subtypes : ndarray of shape (G,)
        Of the subtypes of a class.
    right, wrong : float
        Of an annotator's label that is the true class, and of each other one.
    """

    classes: Floats
    subtypes: Floats
    right: float
    wrong: float

    @property
    def row(self) -> float:
        """The sum of those of an annotator's labels."""
        return self.right + (len(self.classes) - 1) * self.wrong

    @property
    def matrix(self) -> Floats:
        """Those of an annotator's confusion matrix, shape (K, K)."""
        found: Floats = np.full((len(self.classes), len(self.classes)), self.wrong)
        np.fill_diagonal(found, self.right)
        return found


class Beliefs:
    """The Dirichlet distributions of all parameters, given what a walk expects.

    Labels that an annotator never gave have the prior's parameters: they are not held, and no part of the divergence.

    Attributes
    ----------
    classes, subtypes : ndarray of shape (K,), (K, G)
        Parameters of the classes, and of the subtypes of each; those that are left out come last.
    log_shares, log_chances : ndarray of shape (S,), (C, S)
        Expected logarithms, as the next walk needs them.
    divergence : float
        The Kullback-Leibler divergence from the priors.
    """

    def __init__(self, walk: Subtypes, expected: Expected, priors: Priors) -> None:
        self._given, self._priors, self._of_class = walk.given, priors, walk.of_class
        self._place = np.arange(len(walk.of_class)) - walk.edges[walk.of_class]
        self._counts, sizes = expected.counts, expected.class_counts
        K = len(priors.classes)
        self.classes: Floats = priors.classes + np.bincount(self._of_class, sizes, minlength=K)
        self.subtypes: Floats = np.tile(priors.subtypes, (K, 1))
        self.subtypes[self._of_class, self._place] += sizes
        shares = mean_logs(self.subtypes) + mean_logs(self.classes)[:, None]
        self.log_shares: Floats = shares[self._of_class, self._place]
        self.log_chances, apart = self._of_annotators()
        self.divergence = divergence(self.classes, priors.classes) + divergence(self.subtypes, priors.subtypes) + apart

    def _of_annotators(self) -> tuple[Floats, float]:
        """Return the expected logarithms of the annotators' chances, and the divergence of these."""
        from scipy.special import gammaln

        priors, counts = self._priors, self._counts
        before = priors.matrix[self._given.label][:, self._of_class]
        parameters, of_rows = before + counts, self._rows()
        logs, logs_of_rows = np.empty(parameters.shape), np.empty(of_rows.shape)
        labels = kernels.digammas(parameters.ravel(), logs.ravel())
        rows = kernels.digammas(of_rows.ravel(), logs_of_rows.ravel())
        logs -= logs_of_rows[self._given.row]
        times = [np.bincount(at, minlength=len(self.classes)) for at in (self._given.label, self._of_class)]
        constant = of_rows.size * gammaln(priors.row) - times[0] @ gammaln(priors.matrix) @ times[1]
        return logs, float(rows - labels - constant + np.vdot(counts, logs))

    def _rows(self) -> Floats:
        """Return the sums of the parameters of each annotator's labels, shape (R, S)."""
        return self._priors.row + np.add.reduceat(self._counts, self._given.starts, axis=0)

    def confusion(self, num_annotators: int) -> Floats:
        """Return the expected confusion matrices over all subtypes: annotator, true class, label."""
        given, matrix, row = self._given, self._priors.matrix, self._priors.row
        weights = means(self.subtypes)[self._of_class, self._place]
        held = weights / self._rows()
        left_out = (1 - self._by_class(weights[None])) / row
        found: Floats = np.tile(matrix / row, (num_annotators, 1, 1))
        found[given.annotators] = matrix * (self._by_class(held) + left_out)[:, :, None]
        found[given.annotators[given.row], :, given.label] += self._by_class(held[given.row] * self._counts)
        return found

    def _by_class(self, columns: Floats) -> Floats:
        return np.add.reduceat(columns, np.searchsorted(self._of_class, np.arange(len(self.classes))), axis=1)


@dataclass(frozen=True, eq=False)
class Run:
    """What was found from one start.

    Attributes
    ----------
    probas : ndarray of shape (N, K)
        Posteriors of the classes.
    beliefs : Beliefs
        Those that follow from them.
    history : list of float
        The lower bound after each iteration.
    converged : bool
        Whether it stood still.
    """

    probas: Floats
    beliefs: Beliefs
    history: list[float]
    converged: bool


class BayesianCombination(Aggregator):
    """Base of the aggregators that believe distributions of all parameters; a subclass defines `_runs`.

    Attributes
    ----------
    prior_ : ndarray of shape (K,)
        Expected class shares.
    n_iter_, converged_ : int, bool
        Iterations of the run that was kept, and whether `tol` was reached.
    objective_, history_ : float, ndarray of shape (n_iter_,)
        Variational lower bound of the log evidence, and its value after each iteration; it never falls.
    """

    n_iter: int
    tol: float
    right_prior: float
    wrong_prior: float
    class_prior: float

    takes = ("known_labels",)

    @property
    def confusion_(self) -> Floats:
        """Expected confusion matrices, shape (M, K, K): annotator, true class, label. They are made when asked for."""
        return self._beliefs.confusion(len(self.crowd_.annotators))

    def _runs(self, walk: Subtypes) -> Iterator[Run]:
        """Yield a run from each start, with `_run`."""
        raise NotImplementedError

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        best = reduce(_better, self._runs(Subtypes(crowd, known)))
        self._beliefs = best.beliefs
        self.prior_: Floats = means(best.beliefs.classes)
        self.n_iter_, self.converged_ = len(best.history), best.converged
        self.history_, self.objective_ = np.array(best.history), best.history[-1]
        finish(crowd, known, best.probas, self.prior_)
        np.divide(best.probas, best.probas.sum(axis=1, keepdims=True), out=best.probas)  # subtypes were left out
        self._settle(crowd, best.probas, known)

    def _run(self, walk: Subtypes, in_classes: Floats, subtype_prior: float = 1.0) -> Run:
        """Iterate from these shares of the subtypes in each task's classes, shape (N, K, G)."""
        K, G = in_classes.shape[1:]
        priors = Priors(
            np.full(K, self.class_prior), np.full(G, subtype_prior), float(self.right_prior), float(self.wrong_prior)
        )
        expected = walk.start(in_classes)
        history: list[float] = []
        converged = False
        while len(history) < self.n_iter and not converged:
            beliefs = Beliefs(walk, expected, priors)
            expected = walk.walk(beliefs.log_chances, beliefs.log_shares)
            history.append(expected.evidence - beliefs.divergence)
            converged = len(history) > 1 and history[-1] - history[-2] < self.tol * max(1, len(walk.crowd.label))
        return Run(walk.probas, Beliefs(walk, expected, priors), history, converged)

    def _check(self) -> None:
        super()._check()
        for name, value in self.get_params().items():
            if name.endswith("_prior") and not (np.isfinite(value) and value > 0):
                raise ValueError(f"{type(self).__name__}: {name} is {value!r}; it must be a finite number above 0.")


def _better(a: Run, b: Run) -> Run:
    """Return the run of the larger bound; the first, if the other is not larger by more than rounding."""
    return b if b.history[-1] > a.history[-1] + 1e-9 * abs(a.history[-1]) else a
