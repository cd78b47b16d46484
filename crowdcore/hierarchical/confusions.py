"""Annotators' confusion matrices, each shrunk towards what their one skill and everybody's mistakes let expect."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore import kernels
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd

Floats = NDArray[np.float64]

DENSE = 1 << 16
"""Pairs of an annotator and a label that are counted by a table of all, whatever the number of answers."""
FIRST_STRENGTH, LEAST_STRENGTH, MOST_STRENGTH = 8.0, 1.0, 1024.0
LEAST_VARIANCE, MOST_VARIANCE = 0.02, 6.0
MOST_SKILL = 6.0
SMALLEST = 1e-9
USUAL_ACCURACY, USUAL_ANSWERS = 0.75, 10
"""How often annotators are expected to be right, and how many answers that counts for."""
USUAL_VARIANCE, USUAL_WEIGHT = 0.5, 10
"""The variance of skills that is expected, and how many annotators that counts for."""


class Confusions:
    r"""The annotators' side of `crowdcore.hierarchical_dawid_skene`: M x K rows, each a distribution over K labels.

    .. math:: \pi_{jk} \sim \mathrm{Dirichlet}(s \mu_{jk}), \quad
              \mu_{jkk} = \sigma(\mathrm{logit}\, d_k + \delta_j), \quad
              \mu_{jkl} = (1 - \mu_{jkk}) E_{kl}, \quad \delta_j \sim \mathrm{Normal}(0, \tau^2)

    Only the columns of labels that an annotator has given are held, so that memory is O(answers x K) at most.

    Parameters
    ----------
    crowd : Crowd
        M annotators, K classes, A answers.
    common_weight : float
        How many average classes' answers the overall accuracy counts for in the accuracy :math:`d_k` of each class.
    people : ndarray of bool, shape (M,), optional
        The annotators who are everybody, by whose answers :math:`d` and the usual mistakes are found; all by default.

    Attributes
    ----------
    cell : ndarray of shape (A,)
        Which pair of an annotator and a label each answer has.
    said : ndarray of shape (C,)
        The label of each pair.
    counts : ndarray of shape (C, K)
        How often each pair is expected for each true class.
    log_rows : ndarray of shape (C, K)
        Logarithm of the chance of each pair's label for each true class.
    right : ndarray of shape (M, K)
        :math:`\pi_{jkk}`.
    pooled : ndarray of shape (K, K)
        The confusion of the annotator of no special skill: :math:`\mu` at :math:`\delta = 0`.
    skills : ndarray of shape (M,)
        :math:`\delta_j`, in logits.
    skill_precision : ndarray of shape (M,)
        How surely each skill is known: one over its variance.
    skill_variance, strength : float
        :math:`\tau^2`, and :math:`s`: how many answers of each class the expected row counts for.

    Examples
    --------
    >>> from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 1, 0]])
    >>> confusions = hierarchical_dawid_skene(crowd).confusions
    >>> confusions.matrices([2]).shape, confusions.skills.argmin()  # they disagree with the others
    ((1, 2, 2), np.int64(2))
    """

    def __init__(self, crowd: Crowd, common_weight: float, people: NDArray[np.bool_] | None = None) -> None:
        M, K, A = len(crowd.annotators), len(crowd.classes), len(crowd.label)
        self.shape = M, K
        self._common_weight = common_weight
        cell = crowd.annotator * K + crowd.label
        if max(DENSE, A) >= M * K:
            given = np.bincount(cell, minlength=M * K) > 0
            cells, cell = np.flatnonzero(given), (np.cumsum(given) - 1)[cell]
        else:
            cells, cell = np.unique(cell, return_inverse=True)
        self.cell: Codes = cell
        self._who, self.said = cells // K, cells % K
        self._of_people = None if people is None or people.all() else np.flatnonzero(people[self._who])
        self.counts: Floats = np.zeros((len(cells), K))
        self.log_rows: Floats = np.zeros((len(cells), K))
        self.skills: Floats = np.zeros(M)
        self.skill_precision: Floats = np.full(M, 1 / USUAL_VARIANCE)
        self.skill_variance, self.strength = 0.5, FIRST_STRENGTH

    def learn(self, counts: Floats, fit_strength: bool) -> None:
        """Renew all parameters by the answers that are expected of each class, shape (C, K)."""
        M, K = self.shape
        self.counts = counts
        self._tasks, hits, pooled = np.zeros((M, K)), np.zeros((M, K)), np.zeros((K, K))
        kernels.sum_rows(self._who, self.said, counts, self._tasks, hits, pooled)
        if self._of_people is not None:
            pooled = np.zeros((K, K))
            np.add.at(pooled.T, self.said[self._of_people], counts[self._of_people])
        accuracy, self._mistakes = _pool(pooled, self._common_weight)
        self._recognise(hits, accuracy)
        self.pooled = (1 - accuracy)[:, None] * self._mistakes + np.diag(accuracy)
        self._rows = self._who, self.said, counts, self._tasks, self._recognition, self._mistakes
        if fit_strength:
            self._fit_strength()
        kernels.fill_rows(self.strength, *self._rows, self.log_rows)
        self.right = (hits + self.strength * self._recognition) / (self._tasks + self.strength)

    def _recognise(self, hits: Floats, accuracy: Floats) -> None:
        """Take two Newton steps towards the most probable skills, and estimate their variance."""
        M, K = self.shape
        if K == 1 or M == 0:
            self._recognition: Floats = np.ones((M, K))
            return
        usual = np.log(accuracy / (1 - accuracy))
        for _ in range(2):
            expected, precision = self._slopes(usual)
            slope = (hits - self._tasks * expected).sum(axis=1) - self.skills / self.skill_variance
            self.skills = np.clip(self.skills + np.clip(slope / precision, -1, 1), -MOST_SKILL, MOST_SKILL)
        self._recognition, self.skill_precision = self._slopes(usual)
        heard = self._tasks.sum(axis=1) > 0
        seen = np.sum((self.skills**2 + 1 / self.skill_precision)[heard]) + USUAL_WEIGHT * USUAL_VARIANCE
        variance = float(seen / (heard.sum() + USUAL_WEIGHT))
        self.skill_variance = min(max(variance, LEAST_VARIANCE), MOST_VARIANCE)

    def _slopes(self, usual: Floats) -> tuple[Floats, Floats]:
        """Return the chance that each annotator recognises each class, and the precision of each skill."""
        chance: Floats = 1 / (1 + np.exp(-(usual + self.skills[:, None])))
        return chance, (self._tasks * chance * (1 - chance)).sum(axis=1) + 1 / self.skill_variance

    def _fit_strength(self) -> None:
        """Double or halve the strength as long as that makes the expected answers more probable."""
        best = kernels.row_evidence(self.strength, *self._rows)
        for factor in (2.0, 0.5):
            start = self.strength
            while LEAST_STRENGTH <= self.strength * factor <= MOST_STRENGTH:
                found = kernels.row_evidence(self.strength * factor, *self._rows)
                if found <= best:
                    break
                best, self.strength = found, self.strength * factor
            if self.strength != start:
                break

    def log_rows_if(self, better: Floats) -> Floats:
        """Return what `log_rows` would be if annotators were better by so many logits, shape (M,); see `improved`."""
        who, then = self._who, improved(self.right, better)
        found: Floats = self.log_rows + np.log((1 - then) / (1 - np.clip(self.right, SMALLEST, 1 - SMALLEST)))[who]
        found[np.arange(len(who)), self.said] = np.log(then)[who, self.said]
        return found

    def matrices(self, which: ArrayLike | None = None) -> Floats:
        """Return the confusion of some annotators, by default of all: annotator, true class, label.

        Parameters
        ----------
        which : array_like of int, optional
            Codes of the annotators wanted.

        Returns
        -------
        ndarray of shape (M, K, K), or of as many annotators as are wanted
            The chances of labels; rows sum to 1.
        """
        asked = np.arange(self.shape[0]) if which is None else np.atleast_1d(np.asarray(which, dtype=np.int64))
        wanted, order = np.unique(asked, return_inverse=True)
        place = np.full(self.shape[0], -1)
        place[wanted] = np.arange(len(wanted))
        recognition = self._recognition[wanted]
        rows: Floats = self.strength * (1 - recognition)[:, :, None] * self._mistakes
        diagonal = np.arange(self.shape[1])
        rows[:, diagonal, diagonal] = self.strength * recognition
        here = place[self._who] >= 0
        rows[place[self._who[here]], :, self.said[here]] += self.counts[here]
        rows /= (self._tasks[wanted] + self.strength)[:, :, None]
        return rows[order]


def improved(right: Floats, better: Floats) -> Floats:
    """Return the chances to recognise each class if they were higher by so many logits; not below luck by that.

    Parameters
    ----------
    right : ndarray of shape (M, K)
        How often each annotator recognises each class.
    better : ndarray of shape (M,)
        Logits; negative where annotators are worse.

    Examples
    --------
    >>> improved(np.array([[0.8, 0.6], [0.8, 0.3]]), np.array([0.5, -2.0])).round(2)
    array([[0.87, 0.71],
           [0.5 , 0.3 ]])
    """
    right = np.clip(right, SMALLEST, 1 - SMALLEST)
    logits = np.log(right / (1 - right))
    least = np.minimum(logits, -np.log(max(right.shape[1] - 1, 1)))
    found: Floats = np.clip(1 / (1 + np.exp(-np.maximum(logits + better[:, None], least))), SMALLEST, 1 - SMALLEST)
    return found


def _pool(pooled: Floats, common_weight: float) -> tuple[Floats, Floats]:
    """Return how often each class is recognised, (K,), and which label is given where it is not, (K, K).

    `pooled` holds everybody's expected answers: true class, label.
    """
    K = len(pooled)
    if K == 1:
        return np.ones(1), np.zeros((1, 1))
    right, size = np.diag(pooled), pooled.sum(axis=1)
    overall = (right.sum() + USUAL_ACCURACY * USUAL_ANSWERS) / (size.sum() + USUAL_ANSWERS)
    weight = common_weight * size.sum() / K + 1
    accuracy = np.clip((right + weight * overall) / (size + weight), 0.001, 0.999)
    wrong = pooled - np.diag(right)
    common = (wrong.sum(axis=0) + 1) / (wrong.sum() + K)
    mistakes: Floats = wrong + K * common / (1 - common)[:, None]
    np.fill_diagonal(mistakes, 0.0)
    return accuracy, mistakes / mistakes.sum(axis=1, keepdims=True)
