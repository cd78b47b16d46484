"""The loop of expectation maximisation, over a crowd in memory or over parts of a larger one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd

Run = Callable[..., Any]


class ExpectationMaximizer(Aggregator):
    """Base of the aggregators with two steps: a walk over the answers, and a maximum that needs only its sums.

    A subclass names its walk and says what follows from the walk's sums. All parts of a crowd are walked with the
    same parameters and their sums are added, so that it makes no difference where the parts are.

    Attributes
    ----------
    n_iter_, converged_ : int, bool
        Iterations done, and whether `tol` was reached.
    objective_, history_ : float, ndarray of shape (n_iter_,)
        Lower bound of the log likelihood (plus the log prior), and its value after each iteration; it never falls.
    """

    n_iter: int
    tol: float
    prior_: Floats
    n_iter_: int
    converged_: bool
    objective_: float
    history_: Floats

    _walk: ClassVar[type[Any]]

    def estimate(self, run: Run) -> tuple[Any, ...]:
        """Find the parameters; return the arguments of the last walk, after which posteriors are what they are.

        Parameters
        ----------
        run : callable
            ``run(step, *knowledge)`` calls ``step(walk, *knowledge)`` for the walk over each part and returns the
            sum of the results.
        """
        start = run(self._walk.start)
        answers = max(1.0, float(start.given.sum()))
        history: list[float] = []
        self.converged_ = False
        parameters = self._maximize(start.given, start.expected)
        for _ in range(self.n_iter):
            chances = self._chances(*parameters)
            expected = run(self._walk.walk, *chances)
            parameters = self._maximize(start.given, expected)
            history.append(self._bound(start.given, expected, *parameters))
            if len(history) > 1 and history[-1] - history[-2] < self.tol * answers:
                self.converged_ = True
                break
        self.n_iter_, self.objective_, self.history_ = len(history), history[-1], np.array(history)
        self._keep(*parameters)
        return chances

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        walk = self._walk(crowd, known, started=False)
        self.estimate(lambda step, *knowledge: step(walk, *knowledge))
        walk.finish(self.prior_)
        self._settle(crowd, walk.probas, known)

    def _maximize(self, given: Floats, expected: Any) -> tuple[Floats, Floats]:
        """Return the annotators' parameters and the class shares that fit the expected counts best."""
        raise NotImplementedError

    def _chances(self, annotators: Floats, prior: Floats) -> tuple[Any, ...]:
        """Return what a walk needs."""
        raise NotImplementedError

    def _bound(self, given: Floats, expected: Any, annotators: Floats, prior: Floats) -> float:
        """Return the lower bound of the log likelihood."""
        raise NotImplementedError

    def _keep(self, annotators: Floats, prior: Floats) -> None:
        """Set the attributes that have the parameters."""
        raise NotImplementedError
