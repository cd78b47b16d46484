"""Zero-based skill: skills learned from nothing by small steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.voting import Voting
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


@dataclass(eq=False)
class ZeroBasedSkill(Aggregator):
    r"""Weighted majority vote whose weights move towards agreement with it.

    .. math:: w_j \leftarrow w_j + \eta_t (a_j(w) - w_j)

    where :math:`a_j(w)` is how often the annotator agrees with the vote weighted by :math:`w`, and the step
    :math:`\eta_t` is multiplied by a factor every few iterations. As in crowd-kit, which always goes on to the
    last iteration; here it ends as soon as the skills stand still.

    Parameters
    ----------
    n_iter : int
        Most iterations.
    lr_init, lr_steps_to_reduce, lr_reduce_factor : float, int, float
        The first step, after how many iterations it is reduced, and by which factor.
    eps : float
        Skills start at 1 / K + eps.
    tol : float
        Ends when no skill changes by more.
    ties : str
        Whether tied classes ``"share"`` the credit, and the label is drawn; or the ``"first"`` takes both, as in
        crowd-kit.

    Attributes
    ----------
    skills_ : ndarray of shape (M,)
        The weights; NaN without answers.
    n_iter_, converged_ : int, bool
        Iterations done, and whether `tol` was reached.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 0, 1]])
    >>> ZeroBasedSkill().fit(crowd).skills_.round(3)
    array([1.   , 1.   , 0.333])
    """

    n_iter: int = 100
    lr_init: float = 1.0
    lr_steps_to_reduce: int = 20
    lr_reduce_factor: float = 0.5
    eps: float = 1e-5
    tol: float = 0.0
    ties: Literal["share", "first"] = "share"

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        voting = Voting(crowd, self.ties == "share")
        skills: Floats = np.full(len(crowd.annotators), 1 / len(crowd.classes) + self.eps)
        skills[np.bincount(crowd.annotator, minlength=len(skills)) == 0] = np.nan
        rate, self.converged_ = self.lr_init, False
        for iteration in range(1, self.n_iter + 1):
            self.n_iter_ = iteration
            if iteration % self.lr_steps_to_reduce == 0:
                rate *= self.lr_reduce_factor
            step = voting(np.nan_to_num(skills)) - skills
            if np.nanmax(np.abs(step), initial=0.0) <= self.tol:
                self.converged_ = True
                break
            skills = skills + rate * step
        self.skills_ = skills
        voting(np.nan_to_num(skills))
        self._settle(crowd, voting.shares, codes=voting.codes, quality=voting.quality)

    def _check(self) -> None:
        super()._check()
        for name in ("lr_init", "lr_steps_to_reduce", "lr_reduce_factor"):
            if not getattr(self, name) > 0:
                raise ValueError(f"ZeroBasedSkill: {name} is {getattr(self, name)!r}; it must be above 0.")
