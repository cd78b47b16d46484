"""GLAD: abilities of annotators and difficulties of tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from crowdcore import kernels
from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


@dataclass(eq=False)
class GLAD(Aggregator):
    r"""Generative model of labels, abilities and difficulties.

    .. math:: P(y_{ij} = z_i) = \sigma(\alpha_j e^{\beta_i})

    with ability :math:`\alpha_j`, negative for those who mislead, and easiness :math:`e^{\beta_i} > 0`; other labels
    share the rest equally. Normal priors of variance 1. EM, with steps of Fisher's scoring in the M-step. Whitehill,
    Wu, Bergsma, Movellan & Ruvolo 2009, "Whose vote should count more", NIPS.

    Parameters
    ----------
    n_iter : int
        Most EM iterations.
    tol : float
        Ends when `objective_`, divided by the number of answers, grows by less.
    m_step_n_iter, m_step_tol : int, float
        Most steps in an M-step, and the gain by the next one, divided by the number of answers, at which it ends.
    class_prior : array_like of shape (K,), optional
        Class shares; equal by default.
    ability_mean, easiness_mean : float
        Means of the priors of :math:`\alpha` and :math:`\beta`, and their start.

    Attributes
    ----------
    skills_ : ndarray of shape (M,)
        :math:`\alpha`; the prior's mean without answers.
    easiness_ : ndarray of shape (N,)
        :math:`\beta`; low for difficult tasks, the prior's mean without answers.
    n_iter_, converged_ : int, bool
        Iterations done, and whether `tol` was reached.
    objective_, history_ : float, ndarray of shape (n_iter_,)
        Lower bound of the log likelihood plus the log prior, and its value after each iteration; it never falls.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 0, 1], [2, 2, 1], [1, 1, 1], [2, 2, 1]])
    >>> glad = GLAD().fit(crowd)
    >>> glad.labels_, glad.skills_.argmin()
    (array([0, 1, 0, 2, 1, 2]), np.int64(2))
    """

    n_iter: int = 100
    tol: float = 1e-5
    m_step_n_iter: int = 5
    m_step_tol: float = 1e-6
    class_prior: ArrayLike | None = None
    ability_mean: float = 1.0
    easiness_mean: float = 1.0

    takes = ("known_labels",)

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        N, M, K = len(crowd.tasks), len(crowd.annotators), len(crowd.classes)
        prior = self._class_prior(K)
        climb = _Climb(crowd, np.concatenate([np.full(M, self.ability_mean), np.full(N, self.easiness_mean)]))
        point = climb.mean.copy()
        probas: Floats = np.full((N, K), 1 / K)
        history: list[float] = []
        self.converged_ = False
        for iteration in range(1, self.n_iter + 1):
            self.n_iter_ = iteration
            free = climb.expect(point, np.log(prior), known, probas)
            point, value = climb.maximize(point, self.m_step_n_iter, self.m_step_tol)
            history.append(value + free)
            if len(history) > 1 and history[-1] - history[-2] < self.tol * max(1, len(crowd.label)):
                self.converged_ = True
                break
        probas[(crowd.num_answers == 0) & (known < 0)] = prior
        self.skills_: Floats = point[:M]
        self.easiness_: Floats = point[M:]
        self.history_ = np.array(history)
        self.objective_ = history[-1]
        self._settle(crowd, probas, known)

    def _class_prior(self, K: int) -> Floats:
        if self.class_prior is None:
            return np.full(K, 1 / K)
        prior = np.asarray(self.class_prior)
        if prior.dtype.kind not in "iuf" or prior.shape != (K,) or not (np.isfinite(prior) & (prior > 0)).all():
            raise ValueError(
                f"GLAD: class_prior is {prior.tolist()}; expected {K} finite shares above 0, one for each class."
            )
        shares: Floats = prior / prior.sum()
        return shares

    def _check(self) -> None:
        super()._check()
        if not self.m_step_tol > 0:
            raise ValueError(f"GLAD: m_step_tol is {self.m_step_tol!r}; it must be above 0.")


CG_ITERATIONS, CG_TOLERANCE = 50, 0.1
LONGEST = 2.0


class _Climb:
    """The expected log joint of a crowd as a function of abilities and easiness, in one vector (M + N,)."""

    def __init__(self, crowd: Crowd, mean: Floats) -> None:
        self.crowd, self.mean = crowd, mean
        self.M = len(crowd.annotators)
        self.belief: Floats = np.zeros(len(crowd.label))
        self._miss = np.log(max(1, len(crowd.classes) - 1))
        self._bounds = kernels.part_bounds(crowd.indptr, self.M)
        self._slopes: Floats = np.empty((len(self._bounds), 2, self.M))

    def expect(self, point: Floats, log_prior: Floats, known: Codes, probas: Floats) -> float:
        crowd, ability, ease = self.crowd, point[: self.M], np.exp(point[self.M :])

        def part(_: int, first: int, last: int) -> float:
            return kernels.ability_pass(
                first, last, crowd.indptr, crowd.annotator, crowd.label, ability, ease, log_prior, known,
                probas, self.belief,
            )  # fmt: skip

        free = float(sum(kernels.in_parts(part, self._bounds)))
        self._constant = -self._miss * float((1 - self.belief).sum()) - len(point) * np.log(2 * np.pi) / 2
        return free

    def measure(self, point: Floats) -> _Point:
        """Return the value there, its slope and its expected curvature."""
        crowd, M, N = self.crowd, self.M, len(self.crowd.tasks)
        ability, ease = point[:M], np.exp(point[M:])
        to_task, cross = np.empty((2, N)), np.empty_like(self.belief)
        self._slopes[:] = 0

        def part(number: int, first: int, last: int) -> float:
            return kernels.ability_slope(
                first, last, crowd.indptr, crowd.annotator, self.belief, ability, ease,
                self._slopes[number], to_task, cross,
            )  # fmt: skip

        value = float(sum(kernels.in_parts(part, self._bounds)))
        away = point - self.mean
        slope, bend = np.concatenate([self._slopes.sum(axis=0), to_task], axis=1)
        return _Point(point, value + self._constant - _dot(away, away) / 2, slope - away, bend + 1, cross)

    def maximize(self, point: Floats, n_iter: int, tol: float) -> tuple[Floats, float]:
        """Return the best point found from this one, and the value there.

        The steps are those of Fisher's scoring. Tasks are eliminated, which leaves a system of the annotators; they
        are shortened until the value does not fall.
        """
        crowd, M = self.crowd, self.M
        here = self.measure(point)
        step = np.empty_like(point)
        for _ in range(n_iter):
            kernels.solve_arrow(
                crowd.indptr, crowd.annotator, here.cross, here.slope[:M], here.bend[:M], here.slope[M:], here.bend[M:],
                step[:M], step[M:], CG_ITERATIONS, CG_TOLERANCE,
            )  # fmt: skip
            promise = _dot(here.slope, step) / 2
            length = min(1.0, LONGEST / max(float(np.abs(step).max(initial=0.0)), 1e-300))
            for _ in range(30):
                there = self.measure(here.point + length * step)
                if there.value >= here.value:
                    break
                length /= 2
            else:
                break
            here = there
            if promise < tol * max(1, len(crowd.label)):
                break
        return here.point, here.value


def _dot(a: Floats, b: Floats) -> float:
    """Return the scalar product; that of BLAS depends on the number of cores in its last bits."""
    return float((a * b).sum())


@dataclass
class _Point:
    point: Floats
    value: float
    slope: Floats
    bend: Floats
    cross: Floats
