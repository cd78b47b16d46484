"""Crowds drawn with a seed, by numpy alone: the environments of peers draw them, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Case", "draw_answers", "draw_probabilities", "random_case"]

Array = NDArray[Any]


def draw_answers(tasks: int, annotators: int, classes: int, seed: int = 0) -> dict[str, Array]:
    """Draw a crowd: about 5 answers a task, a random confusion matrix for each annotator.

    Returns
    -------
    dict of ndarray
        `task`, `worker` and `label` of each answer as codes, sorted by task and worker; `truth` of each task.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=tasks)
    skill = rng.beta(4, 2, size=(annotators, 1, 1))
    confusion = skill * np.eye(classes) + (1 - skill) * rng.dirichlet(np.ones(classes), size=(annotators, classes))
    task = np.repeat(np.arange(tasks), 1 + rng.binomial(8, 0.5, size=tasks))
    key = np.unique(task * annotators + rng.integers(annotators, size=len(task)))
    task, annotator = np.divmod(key, annotators)
    steps = confusion.cumsum(axis=2)[annotator, truth[task]]
    label = np.minimum((rng.random((len(task), 1)) > steps).sum(axis=1), classes - 1)
    return {"task": task, "worker": annotator, "label": label, "truth": truth}


def draw_probabilities(truth: Array, classes: int, seed: int = 0) -> Array:
    """Draw a model's class probabilities, right on most tasks, shape (tasks, classes)."""
    rng = np.random.default_rng([seed, 1])
    probs = rng.dirichlet(np.full(classes, 0.3), size=len(truth))
    probs[np.arange(len(truth)), truth] += rng.exponential(0.6, size=len(truth))
    probs /= probs.sum(axis=1, keepdims=True)
    drawn: Array = probs
    return drawn


@dataclass
class Case:
    """A random crowd: labels with NaN for none, an ensemble's probabilities, and a pool without labels."""

    labels: Array  # (N, M)
    models: Array  # (P, N, K)
    unlabeled: Array  # (P, U, K)

    @property
    def single(self) -> Array:
        """The labels with only the first of each row left, and no empty columns."""
        first = np.cumsum(~np.isnan(self.labels), axis=1) == 1
        labels = np.where(first, self.labels, np.nan)
        return labels[:, ~np.isnan(labels).all(axis=0)]


def random_case(rng: np.random.Generator) -> Case:
    """Draw a crowd that cleanlab accepts: 2-200 tasks, 2-30 annotators, 2-8 classes, sparse to dense."""
    while True:
        N, U = (int(2 * 100.5 ** (rng.random() ** 1.6)) for _ in range(2))
        M, K, P = 2 + int(29 * rng.random() ** 3), rng.integers(2, 9), rng.integers(1, 4)
        truth = rng.choice(K, size=N, p=rng.dirichlet(np.full(K, rng.choice([0.5, 5]))))
        right_often, wrong_often = rng.choice([[8, 2], [2, 2], [50, 1]])
        skill = rng.beta(right_often, wrong_often, size=M)
        right = rng.random((N, M)) < skill
        labels = np.where(right, truth[:, None], rng.integers(K, size=(N, M))).astype(float)
        labels[rng.random((N, M)) >= rng.choice([0.1, 0.3, 0.7, 1.0])] = np.nan
        if rng.random() < 0.3:  # many tasks with a single label
            few = rng.random(N) < 0.7
            labels[few] = np.where(np.cumsum(~np.isnan(labels[few]), axis=1) == 1, labels[few], np.nan)
        empty = np.isnan(labels).all(axis=1)
        labels[empty, rng.integers(M, size=empty.sum())] = truth[empty]
        labels = labels[:, ~np.isnan(labels).all(axis=0)]
        if labels.shape[1] > 1 and ((~np.isnan(labels)).sum(axis=1) > 1).any():
            break
    extra = rng.choice([0, 0, 0, 1])  # a class nobody can choose
    unseen = rng.choice(K, size=U)
    rounded = rng.choice([0, 0, 1])
    noise = rng.choice([0.2, 1.0, 5.0])

    def probabilities(truth: Array, model: int) -> Array:
        values = rng.dirichlet(np.full(K + extra, noise), size=len(truth))
        values[np.arange(len(truth)), truth] += rng.exponential(rng.choice([0.2, 1.0]), size=len(truth))
        if rounded:  # zeros, and ties
            values = values.round(1)
            values[values.sum(axis=1) == 0, 0] = 1
            if model > 0:  # zeros, no ties: in a mean of models they are ties or not by the last bit
                values *= 1 + 0.01 * rng.random(values.shape)
        shares: Array = values / values.sum(axis=1, keepdims=True)
        return shares

    return Case(
        labels,
        np.stack([probabilities(truth, model) for model in range(P)]),
        np.stack([probabilities(unseen, model) for model in range(P)]),
    )
