"""How hierarchical Dawid-Skene is fitted: expectation maximisation, and which of several fits is taken."""

from __future__ import annotations

from copy import copy
from functools import partial

import numpy as np
from numpy.typing import NDArray

from crowdcore import kernels
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.confusions import Confusions
from crowdcore.hierarchical.hearing import goes_against, hear, hear_translated, luck
from crowdcore.hierarchical.tempering import TemperedModel

Floats = NDArray[np.float64]

MOST_ITERATIONS, TOLERANCE, MEAN_TOLERANCE = 60, 1e-3, 1e-6
"""The fit ends when no task's posterior changes by more than the one, or tasks' largest changes have the other as mean:
then few of many tasks still move, and hardly anything with them."""
FIRST_FIT, FIT_EVERY = 8, 4
"""When the strength of rows is fitted first, and how often then."""
EXPONENT_VARIANCE = 0.25
MOST_CORRELATION, SHARP_CORRELATION = 0.15, 0.08
"""How far answers may be taken to err together; the other where the model is sharpened."""
COMMON_WITH_MODEL, COMMON_ALONE = 0.25, 1.0
"""How equally hard classes are taken to be; without a model, hard classes and a mix of hard tasks look the same."""
NUM_TOTALS = 7
LEAST_APART = 1e-12
LEAST_LUCK = 0.75
"""Share of what chance hits below which annotators cannot be: a model has its classes confused then."""
LEAST_BELIEVED, LEAST_RESCUED = 0.75, 0.6
"""How often annotators have to be right with a model, as a share of how often they are without it; the other where
answers tell nothing of the model."""
LEAST_RESCUE = 3.0
"""How many times the price of luck a model has to gain that only makes sense if it is heard first."""


def fit_hierarchical(
    crowd: Crowd,
    P: Floats | None,
    known: Codes,
    most_exponent: float,
    *,
    knows_shares: bool = False,
    alone: HierarchicalFit | None = None,
    expected: Floats | None = None,
    people: NDArray[np.bool_] | None = None,
) -> HierarchicalFit:
    """Return the fit with the model as far as it has earned its say, or without it.

    Parameters
    ----------
    crowd : Crowd
        N tasks, K classes.
    P : ndarray of shape (N, K), or None
        The model's probabilities, none of them 0.
    known : ndarray of shape (N,)
        Codes of labels known to be true, -1 elsewhere.
    most_exponent : float
        The largest power the model may be raised to.
    knows_shares : bool
        Whether the model has learned how common classes are from these same tasks.
    alone : HierarchicalFit, optional
        The fit without a model, if it is there already.
    expected : ndarray of shape (K,), optional
        How common the classes are expected to be, for the fit without a model; default: all alike.
    people : ndarray of bool, shape (M,), optional
        The annotators whose votes are the beginning, and who are everybody. Default: all.
    """
    fitted = partial(HierarchicalFit, people=people)
    if not np.any(crowd.num_answers + (known >= 0) > 1):  # nothing tells a careful annotator from an unsure model
        most_exponent = min(most_exponent, 1.0)
    if alone is None:
        alone = fitted(crowd, None, known, most_exponent, expected=expected).run()
    if P is None or goes_against(np.log(P), crowd, known):
        return alone
    (T, shares), heard, price = alone.beliefs, alone.heard, luck(alone.heard)
    model = hear(T, shares, heard, P, most_exponent, knows_shares)
    if not model.earned:
        model = hear_translated(T, shares, heard, P, most_exponent, 2 * price)
    if not model.earned:
        if not alone.checked:
            return alone
        fit = fitted(crowd, P, known, most_exponent).listening(min(1.0, most_exponent)).run()
        return fit if fit.is_better_than(alone, LEAST_RESCUE * price, LEAST_RESCUED) else alone
    fit = fitted(crowd, model.pred_probs, known, min(most_exponent, 1 + model.earned)).run()
    if not fit.is_better_than(alone, -price, LEAST_BELIEVED):
        careful = min(most_exponent, 1.0)
        fit = fitted(crowd, model.pred_probs, known, careful, most_correlation=0.0).run()
    return fit if fit.is_better_than(alone, -price, LEAST_BELIEVED) else alone


class HierarchicalFit:
    """The model of `crowdcore.hierarchical_dawid_skene`, fitted from the shares of the votes.

    Parameters
    ----------
    crowd, P, known, most_exponent
        As in `fit_hierarchical`.
    most_correlation : float
        How far answers may be taken to err together.
    expected : ndarray of shape (K,), optional
        How common the classes are expected to be, where there is no model; default: all alike.
    people : ndarray of bool, shape (M,), optional
        As in `fit_hierarchical`.

    Attributes
    ----------
    pred_probs : ndarray of shape (N, K), or None
        The model's probabilities.
    heard : ndarray of bool, shape (N,)
        Tasks with an answer or a known label.
    posterior : ndarray of shape (N, K)
        Probabilities of the classes, dependence between answers not yet allowed for.
    log_prior : ndarray of shape (N, K), or (1, K)
        Logarithm of the model's probabilities; without a model, of the classes' shares.
    exponent : float
        The power the model is raised to, at first 0; without a model 1.
    correlation : float
        What shows of the correlation between annotators' errors on a task.
    confusions : Confusions
        The annotators' parameters.
    n_iter : int
        Iterations done.
    settled : bool
        Whether there is no more to do.
    checked : bool
        Whether any task has two answers, or one and a known label.
    """

    def __init__(
        self,
        crowd: Crowd,
        P: Floats | None,
        known: Codes,
        most_exponent: float,
        most_correlation: float = MOST_CORRELATION,
        expected: Floats | None = None,
        people: NDArray[np.bool_] | None = None,
    ) -> None:
        self.crowd, self.pred_probs, self.known, self.has_model = crowd, P, known, P is not None
        self.most_exponent, self.most_correlation = most_exponent, most_correlation
        self.heard = (crowd.num_answers > 0) | (known >= 0)
        self._num_heard = max(int(self.heard.sum()), 1)
        self.confusions = Confusions(crowd, COMMON_WITH_MODEL if self.has_model else COMMON_ALONE, people)
        self._bounds = kernels.part_bounds(crowd.indptr, self.confusions.counts.size)
        votes = crowd if people is None else crowd.select_answers(people[crowd.annotator])
        self.posterior = self._begin(expected if P is None else P, votes)
        taught = (crowd.num_answers > 1) | (known >= 0)
        shares = self.posterior[taught].sum(axis=0) + 1
        self.checked = bool(np.any(crowd.num_answers + (known >= 0) > 1))
        self._begun: Floats = shares / shares.sum() if self.checked else np.full_like(shares, 1 / len(shares))
        self.log_prior: Floats = np.log(self._begun[None] if P is None else P)
        self.exponent, self.correlation = 0.0 if self.has_model else 1.0, 0.0
        self._model = TemperedModel(crowd, known, self.log_prior)
        self.n_iter, self.settled, self._log_chance = 0, False, 0.0
        K = len(crowd.classes)
        self._walk(np.empty((0, K)), np.empty((0, K)), 0.0)

    def _begin(self, P: Floats | None, crowd: Crowd) -> Floats:
        """Return the first posteriors: what is known; else 4/5 shares of votes, 1/5 the model or what is expected."""
        n, K = crowd.num_answers[:, None], len(crowd.classes)
        T: Floats = crowd.counts * (0.8 / np.maximum(n, 1))
        T += np.where(n > 0, 0.2, 1.0) * (1 / K if P is None else P)
        told = np.flatnonzero(self.known >= 0)
        T[told] = 0.0
        T[told, self.known[told]] = 1.0
        return T

    def listening(self, exponent: float) -> HierarchicalFit:
        """Return a copy that raises the model to this power to begin with."""
        other = copy(self)
        other.confusions, other.posterior, other.exponent = copy(self.confusions), self.posterior.copy(), exponent
        other.confusions.log_rows = np.zeros_like(self.confusions.log_rows)
        return other

    def run(self) -> HierarchicalFit:
        """Iterate until the fit settles, and return it."""
        while not self.settled:
            self._iterate()
        return self

    def _iterate(self) -> None:
        """Learn the parameters from the posteriors, then these from them."""
        strength = self.confusions.strength
        fit_strength = self.n_iter >= FIRST_FIT and self.n_iter % FIT_EVERY == 0
        self.confusions.learn(self._counts, fit_strength)
        moved, ratio = 0.0, 0.0
        if not self.has_model:
            self._share_classes()
        else:
            ratio = self.correlation / (1 - self.correlation)
            if self.n_iter:
                moved = self._temper()
        right = self.confusions.right if self.has_model else np.empty((0, len(self.crowd.classes)))
        self._walk(self.confusions.log_rows, right, ratio)
        at_rest = self._change < TOLERANCE or self._mean_change < MEAN_TOLERANCE
        at_rest = at_rest and moved < TOLERANCE and self.confusions.strength == strength
        self.n_iter += 1
        self.settled = self.n_iter == MOST_ITERATIONS or (at_rest and self.n_iter > FIRST_FIT + 1)
        if self.settled:
            self._finish()

    def _walk(self, log_rows: Floats, right: Floats, ratio: float) -> None:
        """Renew the posteriors, if there are rows, and what follows from them."""
        crowd, K = self.crowd, len(self.crowd.classes)
        counts = np.zeros((len(self._bounds), *self.confusions.counts.shape))
        totals = np.zeros((len(self._bounds), K + NUM_TOTALS))
        rows = np.exp(log_rows) if ratio else np.empty((0, K))

        def part(number: int, first: int, last: int) -> None:
            kernels.infer_tasks(
                first, last, crowd.indptr, crowd.annotator, crowd.label, self.confusions.cell, self.known,
                self.log_prior, self.exponent, log_rows, right, rows, ratio, self.posterior,
                counts[number], totals[number],
            )  # fmt: skip

        kernels.in_parts(part, self._bounds)
        self._counts: Floats = counts.sum(axis=0) if len(counts) > 1 else counts[0]
        self._num_counted = float(self._counts.sum())
        self._num_right = float(self._counts[np.arange(len(self._counts)), self.confusions.said].sum())
        self._change, self._ratio = float(totals[:, K].max()), ratio
        self._totals: Floats = totals.sum(axis=0)
        if len(log_rows):
            self._log_chance = float(self._totals[-1])
        self._mean_change = self._totals[K + 1] / self._num_heard
        together, apart = self._totals[K + 2 : K + 4]
        self.correlation = float(min(max(together / max(apart, LEAST_APART), 0.0), self._correlation_limit))

    @property
    def _correlation_limit(self) -> float:
        """Errors made together and a model that is to be sharpened tell the same story: one of them is believed."""
        sharpened = min(max((self.exponent - 1) / 0.2, 0.0), 1.0)
        least = min(self.most_correlation, SHARP_CORRELATION)
        return self.most_correlation + sharpened * (least - self.most_correlation)

    def _finish(self) -> None:
        """Find the posteriors of tasks of which nothing was heard, and without a model the errors' correlation."""
        silent = np.flatnonzero(~self.heard)
        logs = self.exponent * (self.log_prior[silent] if self.has_model else self.log_prior)
        chances = np.exp(logs - logs.max(axis=1, keepdims=True, initial=-np.inf))
        self.posterior[silent] = chances / chances.sum(axis=1, keepdims=True)
        if not self.has_model:
            self._walk(np.empty((0, self.posterior.shape[1])), self.confusions.right, 0.0)
        self._counts = np.empty((0, self.posterior.shape[1]))  # nothing is learned from them any more

    def _share_classes(self) -> None:
        """Let the classes' shares be halfway between those of the first posteriors and of the present ones.

        Where no task has two answers, nothing tells how often these are right: they are taken as they are.
        """
        if not self.checked:
            return
        shares = self._totals[: len(self._begun)] + 1
        self.log_prior = np.log((shares / shares.sum() + self._begun) / 2)[None]

    def _temper(self) -> float:
        """Take a Newton step towards the most probable exponent; return its length."""
        before, K = self.exponent, len(self.crowd.classes)
        mean_after, variance_after = self._totals[K + 4 : K + 6]
        _, mean, variance = self._model.moments(before)
        slope = mean_after - mean + (1 - before) / EXPONENT_VARIANCE
        step = slope / (max(variance - variance_after, 0.2 * variance) + 1 / EXPONENT_VARIANCE)
        self.exponent = float(min(max(before + min(max(step, -0.5), 0.5), 0.0), self.most_exponent))
        return abs(self.exponent - before)

    @property
    def accuracy(self) -> float:
        """Share of the answers that are believed, of those that others have answered beside."""
        return self._num_right / self._num_counted if self._num_counted else 1.0

    @property
    def beliefs(self) -> tuple[Floats, Floats]:
        """What answers alone let believe of tasks, shape (N, K), and of the classes' shares, shape (K,).

        Where lone answers are taken as they are, the shares are those of the votes.
        """
        if self.checked:
            return self.posterior, np.exp(self.log_prior[0])
        votes = self.crowd.counts.sum(axis=0) + 1
        shares: Floats = votes / votes.sum()
        T: Floats = self.posterior * shares
        T /= T.sum(axis=1, keepdims=True)
        return T, shares

    def is_better_than(self, alone: HierarchicalFit, gain: float, least_believed: float) -> bool:
        """Return whether the answers are likelier than by another fit, by that much, and hardly less believed.

        What many annotators agree on is not luck: a fit in which they are far less often right has taken the model for
        the truth.
        """
        chance = LEAST_LUCK / len(self.crowd.classes)
        least = max(least_believed * alone.accuracy if alone._num_counted else 0.0, chance)
        return self.evidence - alone.evidence > gain and self.accuracy >= least

    @property
    def evidence(self) -> float:
        """Logarithm of the chance of the answers to all tasks."""
        n = self.crowd.num_answers
        urns = np.cumsum(np.log1p(self._ratio * np.arange(n.max(initial=0) + 1)))[np.maximum(n - 1, 0)].sum()
        return float(self._log_chance - (self._model.moments(self.exponent)[0] if self.has_model else 0.0) - urns)
