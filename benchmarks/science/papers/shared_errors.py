"""Digits labelled by a crowd all of whose annotators make the same mistakes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.science.papers.planted import Codes, Digits, Floats
from crowdcore import Crowd

N_ANNOTATORS, MOST_ANSWERS = 50, 3
SKILLS = (12.0, 3.0)
"""Of the beta distribution of how often annotators are right where they are not deceived."""
TAKEN_FOR = {4: 9, 7: 1, 3: 5}
DECEIVED = 0.4


@dataclass(frozen=True, eq=False)
class DigitsCrowd:
    """A crowd's digits, and digits that nobody labelled.

    Attributes
    ----------
    crowd : Crowd
        N tasks.
    X : ndarray of shape (N, d)
        The tasks' leading 100 components, or all pixels.
    truth : ndarray of shape (N,)
        The digits.
    test : Digits
        Others, with components that the tasks have.
    """

    crowd: Crowd
    X: Floats
    truth: Codes
    test: Digits


def draw_digits(digits: Digits, seed: int) -> DigitsCrowd:
    """Return a crowd of 2,000 digits, or more than half of those there are; the same seed gives the same."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(digits.digit))
    N = min(2000, 1000 * len(order) // 1797)
    task, test = order[:N], order[N:]
    X, new = _components(digits.X[task], digits.X[test])
    truth = digits.digit[task]
    return DigitsCrowd(_answers(rng, truth), X, truth, Digits(new, digits.digit[test], digits.name))


def _components(X: Floats, new: Floats, most: int = 100) -> tuple[Floats, Floats]:
    from sklearn.decomposition import PCA

    if X.shape[1] <= most:
        return X, new
    fitted = PCA(most, random_state=0).fit(X)
    return fitted.transform(X), fitted.transform(new)


def _answers(rng: np.random.Generator, truth: Codes) -> Crowd:
    N = len(truth)
    task = np.repeat(np.arange(N), rng.integers(1, MOST_ANSWERS + 1, N))
    first = np.concatenate([[True], task[1:] != task[:-1]])
    place = np.arange(len(task)) - np.flatnonzero(first)[np.cumsum(first) - 1]
    annotator = rng.random((N, N_ANNOTATORS)).argsort(axis=1)[task, place]
    taken = np.array([TAKEN_FOR.get(digit, digit) for digit in range(10)])
    deceived = rng.random(len(task)) < DECEIVED
    seen = np.where(deceived, taken[truth[task]], truth[task])
    right = rng.random(len(task)) < rng.beta(*SKILLS, size=N_ANNOTATORS)[annotator]
    label = np.where(right, seen, (seen + rng.integers(1, 10, len(task))) % 10)
    return Crowd.from_codes(task, annotator, label, tasks=range(N), annotators=range(N_ANNOTATORS), classes=range(10))
