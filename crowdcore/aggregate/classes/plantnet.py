"""Pl@ntNet: annotators weigh by how many classes they have recognised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.crowd.ids import Codes, plain
from crowdcore.crowd.table import Crowd
from crowdcore.kernels import CLOSE

LEAST_WEIGHT = np.log(2.1)


@dataclass(eq=False)
class PlantNet(Aggregator):
    r"""Weighted majority vote in which an annotator's weight grows with the number of classes recognised.

    .. math:: w_j = n_j^\alpha - n_j^\beta + \ln 2.1, \quad n_j = o_j + \mathrm{round}(\nu v_j)

    with :math:`o_j` the number of classes that the annotator has rightly given to valid tasks of their own, and
    :math:`v_j` of those otherwise rightly given. The vote :math:`\hat z` is repeated until no :math:`n_j` changes. A
    task is valid if confidence :math:`\sum_j w_j [y_{ij} = \hat z_i] > \theta_{conf}` and this, divided by
    :math:`\sum_j w_j`, :math:`> \theta_{acc}`. Lefort, Affouard, Charlier, Lombardo, Chouet, Goëau, Salmon, Bonnet &
    Joly 2024, "Cooperative learning of Pl@ntNet's artificial intelligence algorithm", arXiv 2406.03356.

    Parameters
    ----------
    alpha, beta : float
        Exponents of the weight.
    theta_conf, theta_acc : float
        Thresholds of confidence and accuracy.
    obs_weight, votes_weight : float
        What a class counts that was recognised in an own task, and in another's (:math:`\nu`).
    authors : array_like of int, shape (N,), or mapping or Series from task to annotator, optional
        Whose task each is: annotator codes, -1 for none, or the annotators themselves by task.
    ai : object, optional
        Id of an annotator that is a model.
    ai_mode : str
        What it does: ``"ignored"``; ``"worker"``, like anyone; ``"fixed"``, votes with weight `ai_weight`;
        ``"confident"``, the same where its score reaches `ai_threshold`; ``"invalidating"``, has no vote, but
        its weight counts against labels it does not give.
    ai_weight : float
        Its weight.
    ai_scores : array_like of shape (N,), optional
        Its scores, for ``"confident"``.
    ai_threshold : float
        The score from which on it votes.
    output_unvalidated : bool
        Whether tasks that are not valid have labels.
    n_iter : int
        Most votes.

    Attributes
    ----------
    probas_ : ndarray of shape (N, K)
        Shares of the weight.
    skills_ : ndarray of shape (M,)
        Weights :math:`w`.
    valid_ : ndarray of bool, shape (N,)
        Valid tasks.
    confidence_, accuracy_ : ndarray of shape (N,)
        Weight behind the label, and its share; 0 without answers.
    n_iter_, converged_ : int, bool
        Votes, and whether no :math:`n_j` changed in the last one.

    Notes
    -----
    peerannot computes confidence and classes recognised from the labels of the first vote throughout, so its
    iterations end at once; and counts a model once for each answer.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 0], [1, 1, 1], [0, 1, -1]])
    >>> PlantNet().fit_predict(crowd)
    array([0, 1, None], dtype=object)
    """

    alpha: float = 0.5
    beta: float = 0.2
    theta_conf: float = 2.0
    theta_acc: float = 0.7
    obs_weight: float = 1.0
    votes_weight: float = 0.1
    authors: ArrayLike | Mapping[Any, Any] | None = None
    ai: Any = None
    ai_mode: Literal["ignored", "worker", "fixed", "confident", "invalidating"] = "ignored"
    ai_weight: float = 1.0
    ai_scores: ArrayLike | None = None
    ai_threshold: float = 0.0
    output_unvalidated: bool = False
    n_iter: int = 100

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        N, M, K = len(crowd.tasks), len(crowd.annotators), len(crowd.classes)
        author = self._author_codes(crowd)
        model = self._model_code(crowd)
        by_model = (crowd.annotator == model) & (self.ai_mode != "worker")
        factor, against = self._model_weights(crowd, by_model)
        own = author[crowd.task] == crowd.annotator
        cell = crowd.annotator * K + crowd.label
        place = crowd.task * K + crowd.label
        recognised: Floats = np.zeros(M)
        self.converged_ = False
        for iteration in range(1, self.n_iter + 1):
            self.n_iter_ = iteration
            weights = recognised**self.alpha - recognised**self.beta + LEAST_WEIGHT
            votes = np.bincount(place, np.where(by_model, factor, weights[crowd.annotator]), minlength=N * K)
            votes = votes.reshape(N, K)
            total = votes.sum(axis=1)
            codes = (votes >= (votes.max(axis=1) - CLOSE * total)[:, None]).argmax(axis=1)
            self.confidence_: Floats = votes[np.arange(N), codes]
            doubt = np.bincount(crowd.task, against * (crowd.label != codes[crowd.task]), minlength=N)
            self.accuracy_: Floats = np.zeros(N)
            np.divide(self.confidence_, total + doubt, out=self.accuracy_, where=total > 0)
            self.valid_ = (self.confidence_ > self.theta_conf) & (self.accuracy_ > self.theta_acc)
            last, recognised = recognised, self._recognised(crowd, codes, own, cell, ~by_model)
            if np.array_equal(last, recognised):
                self.converged_ = True
                break
        self.skills_: Floats = weights
        answered = total > 0
        shares = np.full((N, K), 1 / K)
        np.divide(votes, total[:, None], out=shares, where=answered[:, None])
        settled = answered if self.output_unvalidated else answered & self.valid_
        self._settle(crowd, shares, codes=np.where(settled, codes, -1))

    def _recognised(
        self, crowd: Crowd, codes: Codes, own: np.ndarray[Any, Any], cell: Codes, counted: np.ndarray[Any, Any]
    ) -> Floats:
        M, K = len(crowd.annotators), len(crowd.classes)
        right = counted & (crowd.label == codes[crowd.task])
        in_own = np.zeros(M * K, dtype=bool)
        in_own[cell[right & own & self.valid_[crowd.task]]] = True
        anywhere = np.zeros(M * K, dtype=bool)
        anywhere[cell[right]] = True
        observed, voted = (mask.reshape(M, K).sum(axis=1) for mask in (in_own, anywhere & ~in_own))
        found: Floats = self.obs_weight * observed + np.round(self.votes_weight * voted)
        return found

    def _author_codes(self, crowd: Crowd) -> Codes:
        N, M = len(crowd.tasks), len(crowd.annotators)
        given: Any = self.authors
        if given is None:
            return np.full(N, -1, dtype=np.int64)
        if hasattr(given, "items"):
            places = {who: at for at, who in enumerate(crowd.annotators.tolist())}
            by_task = {plain(task): places.get(plain(who), -1) for task, who in given.items()}
            return np.array([by_task.get(task, -1) for task in crowd.tasks.tolist()], dtype=np.int64)
        author = np.asarray(given)
        if author.shape != (N,) or author.dtype.kind not in "iu" or ((author < -1) | (author >= M)).any():
            raise ValueError(
                f"PlantNet: authors have shape {author.shape} and type {author.dtype}; expected ({N},) integers from "
                f"-1 to {M - 1}, an annotator code for each task, or a mapping from task to annotator."
            )
        return author.astype(np.int64)

    def _model_code(self, crowd: Crowd) -> int:
        if self.ai is None:
            return -1
        places = np.flatnonzero([who == self.ai for who in crowd.annotators.tolist()])
        if not len(places):
            raise ValueError(f"PlantNet: ai is {self.ai!r}, which is not among the annotators of {crowd!r}.")
        return int(places[0])

    def _model_weights(self, crowd: Crowd, by_model: np.ndarray[Any, Any]) -> tuple[Floats, Floats]:
        """Return the weights of the model's answers, for their label and against all others, shape (A,)."""
        weight = np.where(by_model, self.ai_weight, 0.0)
        if self.ai_mode == "confident":
            scores = np.asarray(self.ai_scores, dtype=np.float64)
            if scores.shape != (len(crowd.tasks),):
                raise ValueError(
                    f"PlantNet: ai_scores have shape {scores.shape}; ai_mode 'confident' needs one for each of the "
                    f"{len(crowd.tasks)} tasks."
                )
            weight = weight * (scores[crowd.task] >= self.ai_threshold)
        none = np.zeros(len(weight))
        if self.ai_mode in ("fixed", "confident"):
            return weight, none
        return none, weight if self.ai_mode == "invalidating" else none

    def _check(self) -> None:
        super()._check()
        modes = ("ignored", "worker", "fixed", "confident", "invalidating")
        if self.ai_mode not in modes:
            raise ValueError(f"PlantNet: ai_mode is {self.ai_mode!r}; allowed are {', '.join(map(repr, modes))}.")
        for name in ("alpha", "beta", "obs_weight", "votes_weight", "ai_weight"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"PlantNet: {name} is {value!r}; it must be finite, 0 or more.")
