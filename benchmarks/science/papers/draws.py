"""Draws of ActiveLab's Wall Robot benchmark: which tasks, whose answers, and what annotators would say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.science.papers.datasets import find

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

GIVEN = (4, 111)
"""Seeds of the draws that come with the data."""
NUM_ANNOTATORS = 30
CLASS_SIZES = (1100, 900, 300, 700)
"""Tasks of each class, of which two thirds are the pool and one third the test set."""
NUM_LABELED = 500


@dataclass(frozen=True, eq=False)
class Draw:
    """One draw.

    Attributes
    ----------
    seed : int
        Of everything that is left to chance in a run on it.
    features : ndarray of shape (N, d)
        Of the pool's tasks.
    truth : ndarray of shape (N,)
        Their classes.
    votes : ndarray of shape (N, 30)
        The answers that there are to begin with, -1 for none; a task without any is not labelled yet.
    potential : ndarray of shape (N, 30)
        What each annotator would answer; a new label of a task is a random one of these.
    test_features, test_truth : ndarray of shape (T, d) and (T,)
        What the classifier is tested on.
    """

    seed: int
    features: Floats
    truth: Codes
    votes: Codes
    potential: Codes
    test_features: Floats
    test_truth: Codes

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return int(self.truth.max()) + 1

    def completely_labeled(self) -> Draw:
        """Return the draw with one answer or a few for every task, as for those that have some already."""
        rng = np.random.default_rng([self.seed, 1])
        votes = np.where((self.votes >= 0).any(axis=1, keepdims=True), self.votes, _few(self.potential, rng))
        return replace(self, votes=votes)

    def singly_labeled(self) -> Draw:
        """Return the draw with the first answer alone of every task that has any."""
        first = (self.votes >= 0).cumsum(axis=1) == 1
        return replace(self, votes=np.where(first, self.votes, -1))


def read_draw(data: Path, seed: int) -> Draw:
    """Return one of the draws that come with the data."""
    arrays = np.load(find(data, f"wall-robot/wall_robot_seed{seed}.npz"))

    def pool(name: str) -> NDArray[np.generic]:
        return np.concatenate([arrays[f"{name}_labeled"], arrays[f"{name}_unlabeled"]])

    nothing = np.full((len(arrays["y_unlabeled"]), NUM_ANNOTATORS), -1)
    return Draw(
        seed=seed,
        features=pool("X").astype(np.float64),
        truth=pool("y").astype(np.int64),
        votes=np.concatenate([arrays["votes"], nothing]).astype(np.int64),
        potential=pool("extra").astype(np.int64),
        test_features=arrays["X_test"],
        test_truth=arrays["y_test"],
    )


def make_draw(data: Path, seed: int, accuracy: float = 0.88, unlimited: bool = False) -> Draw:
    """Return a new draw from the full table.

    Parameters
    ----------
    data : Path
        The data folder.
    seed : int
        Any.
    accuracy : float
        Share of all answers that are right. Annotators have one confusion matrix, in which classes differ: as random
        as in the published draws, whose traces of 0.85 and 0.8 per class gave 0.88 and 0.85 right answers.
    unlimited : bool
        Whether all that is not tested on is in the pool, some 4,400 tasks instead of 2,000.
    """
    import pandas as pd

    table = pd.read_csv(find(data, "wall-robot/wall_robot_full.csv")).to_numpy()
    rng = np.random.default_rng([seed, 0])
    X, y = table[:, :-1].astype(np.float64), table[:, -1].astype(np.int64)
    of_class = [rng.permutation(np.flatnonzero(y == k)) for k in range(len(CLASS_SIZES))]
    sampled = rng.permutation(np.concatenate([rows[:size] for rows, size in zip(of_class, CLASS_SIZES, strict=True)]))
    third = len(sampled) // 3
    test, pool = sampled[:third], sampled[third:]
    if unlimited:
        pool = rng.permutation(np.setdiff1d(np.arange(len(y)), test))
    confusion = _confusion(rng, np.bincount(y[pool]) / len(pool), accuracy)
    steps = confusion.cumsum(axis=1)[y[pool]]
    chance = rng.random((len(pool), NUM_ANNOTATORS, 1))
    potential = np.minimum((chance > steps[:, None]).sum(axis=2), len(CLASS_SIZES) - 1)
    votes = _few(potential, rng)
    votes[NUM_LABELED:] = -1
    return Draw(seed, X[pool], y[pool], votes, potential, X[test], y[test])


def _few(potential: Codes, rng: np.random.Generator) -> Codes:
    """Return one answer of each task, and each of four others' with a chance of three in a hundred."""
    order = rng.random(potential.shape).argsort(axis=1).argsort(axis=1)
    kept = (order == 0) | ((order < 5) & (rng.random(potential.shape) < 0.03))
    return np.where(kept, potential, -1)


def _confusion(rng: np.random.Generator, shares: Floats, accuracy: float) -> Floats:
    """Return a confusion matrix (truth, label) whose likeliest labels are right, for classes with these shares."""
    K = len(shares)
    while True:
        wrong = rng.dirichlet(np.ones(K))
        wrong *= (1 - accuracy) / (shares @ wrong)
        confusion = np.zeros((K, K))
        for k in range(K):
            confusion[k, np.arange(K) != k] = wrong[k] * rng.dirichlet(np.ones(K - 1))
            confusion[k, k] = 1 - wrong[k]
        if (confusion.argmax(axis=1) == np.arange(K)).all():
            return confusion
