"""A classifier in the course of its training: what it says of all tasks after each epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes

Floats = NDArray[np.float64]

STEPS = 30
"""Steps of an epoch, about, which the size of batches follows from."""
SMALLEST_BATCH, LARGEST_BATCH = 8, 200
LEAST = np.finfo(np.float64).tiny
"""Least probability whose logarithm is taken."""


class Course(Protocol):
    """Training from the beginning, on labels of some tasks; a task may be there several times, with other labels."""

    def __call__(self, task: Codes, label: Codes, n_classes: int, n_epochs: int, seed: int) -> Iterator[Floats]:
        """Yield logits, up to a constant for each task, of all N tasks, shape (N, K), after each epoch.

        Parameters
        ----------
        task, label : ndarray of shape (E,)
            Codes of the examples' tasks and labels.
        n_classes, n_epochs : int
            K, and how often the classifier sees each example.
        seed : int
            Of the random numbers.
        """


class PerceptronCourse:
    r"""Training of scikit-learn's perceptron with one hidden layer, by Adam, in some 30 steps an epoch; no drop-out.

    Features are brought to mean 0 (dense ones) and variance 1. Tasks, and classes, are learned in an order of their
    own, which follows from features and labels. So the names and the order of tasks, annotators and classes do not
    matter, except among tasks of equal features.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (N, d)
        Features, as `crowdcore.learning.out_of_fold.as_features` returns them.
    hidden : int
        Units of the hidden layer.

    Examples
    --------
    >>> course = PerceptronCourse(np.array([[0.0], [0.2], [0.8], [1.0]]))
    >>> *_, last = course(np.arange(4), np.array([0, 0, 1, 1]), n_classes=2, n_epochs=200, seed=0)
    >>> last.argmax(axis=1)
    array([0, 0, 1, 1])
    """

    def __init__(self, X: Any, hidden: int = 64) -> None:
        from sklearn.preprocessing import StandardScaler

        dense, self._hidden = isinstance(X, np.ndarray), hidden
        self._order = np.argsort(_projections(X), kind="stable")
        self._X = StandardScaler(with_mean=dense).fit_transform(X[self._order]) if X.shape[0] else X
        self._place = np.empty_like(self._order)
        self._place[self._order] = np.arange(len(self._order))

    def __call__(self, task: Codes, label: Codes, n_classes: int, n_epochs: int, seed: int) -> Iterator[Floats]:
        """Yield the logits after each epoch; see `Course`."""
        from sklearn.neural_network import MLPClassifier
        from threadpoolctl import threadpool_limits

        if n_classes < 2:
            yield from (np.zeros((len(self._order), n_classes)) for _ in range(n_epochs))
            return
        place = self._place[task]
        classes = _own_order(place, label, n_classes)
        label = np.argsort(classes)[label]
        by_place = np.lexsort((label, place))
        X, y = self._X[place[by_place]], label[by_place]
        size = min(max(len(y) // STEPS, SMALLEST_BATCH), LARGEST_BATCH, len(y))
        network = MLPClassifier((self._hidden,), batch_size=size, random_state=np.random.RandomState(seed))
        for _ in range(n_epochs):
            with threadpool_limits(1, "blas"):  # its threads wait for each other longer than these products take
                network.partial_fit(X, y, classes=np.arange(n_classes))
                chances = network.predict_proba(self._X)
            logits = np.empty_like(chances)
            logits[np.ix_(self._order, classes)] = np.log(np.maximum(chances, LEAST))
            yield logits


def _projections(X: Any) -> Floats:
    """Return the tasks' features along one direction, (N,), each to the last bit the same wherever its row is."""
    direction = np.random.default_rng(0).standard_normal(X.shape[1])
    found = (X * direction).sum(axis=1) if isinstance(X, np.ndarray) else X @ direction
    return np.asarray(found, dtype=np.float64).ravel()


def _own_order(place: Codes, label: Codes, n_classes: int) -> Codes:
    """Return the classes by the mean place of their examples; those that have none come last."""
    count = np.bincount(label, minlength=n_classes)
    mean = np.bincount(label, weights=place, minlength=n_classes) / np.maximum(count, 1)
    return np.argsort(np.where(count > 0, mean, np.inf), kind="stable")
