"""Cross-validation on labels that are few, uneven and partly missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from label_studio_crowd.scoring.classifiers.tasks import Codes, Floats, Mask, Progress

FOLDS = 5

FLOOR = 0.01
"""Share of every row that is spread evenly over the classes: p = .99 P + .01 / K.

What comes after takes logarithms of the probabilities (ActiveLab's temperature, log losses), where an exact
zero, which forests and trees do produce, outweighs everything else; and no model that learned from a crowd's
labels is surer than one mistake in a hundred. The order of the classes and of the tasks stays as it was.
"""

TUNING_ROWS = 2000
"""Labelled tasks, at most, on which a learner's setting is chosen; more do not choose better, only slower."""

TUNING_FOLDS = 3
FEWEST_TO_TUNE = 30


class Fitted(Protocol):
    """What was learned: probabilities from features. It keeps nothing of the rows it learned from."""

    def probabilities(self, features: Any) -> Floats:
        """Return the probabilities of rows of features.

        Returns
        -------
        ndarray of shape (rows, number of distinct labels learned from)
            The columns are in the order of ``np.unique(y)``.
        """
        ...


class Learner(Protocol):
    """Features of all tasks, and a way to learn classes from some of them.

    Attributes
    ----------
    features : array, sparse matrix or DataFrame
        A row for each task.
    settings : sequence
        How closely it may follow the labels, most careful first; one of them is chosen by the likelihood of
        labels held out.
    default
        The setting where there are too few labels to choose by.
    """

    features: Any
    settings: Sequence[Any]
    default: Any

    def fit(self, train: Codes, y: Codes, settings: Sequence[Any], seed: int) -> Sequence[Fitted]:
        """Learn from rows `train` with labels `y`, which are of two classes or more, under each of the settings."""
        ...


def out_of_sample(
    learner: Learner | None,
    usable: Mask,
    labels: Codes,
    n_classes: int,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Floats:
    """Return each task's class probabilities by models that did not see its label.

    Labelled tasks are divided among `FOLDS` folds (one a task if they are fewer), each class as evenly as its
    size allows. A labelled task is predicted by the model that was fitted without its fold, an unlabelled one
    by the mean of all models. A task whose features cannot be used gets the shares of the classes among the
    labels of the other folds; so does every task where those labels are all of one class, or none. A class
    that the other folds do not have gets `FLOOR` / K.

    The one thing that is chosen with all labels in view is the learner's setting, one number out of three to
    five: choosing it anew in every fold would multiply the time and change nothing to speak of.

    Parameters
    ----------
    learner : Learner or None
        None: the shares of the classes, for all tasks.
    usable : ndarray of bool, shape (N,)
        Tasks that have features.
    labels : ndarray of int, shape (N,)
        Class codes, -1 for none.
    n_classes : int
        K.
    seed : int
        Decides the folds, and whatever a learner leaves to chance.
    progress : callable, optional
        Told after each fold.

    Returns
    -------
    ndarray of shape (N, K)
        Each value at least `FLOOR` / K; rows sum to 1.

    Raises
    ------
    ValueError
        If `labels` are not N class codes.
    """
    labels = checked(labels, len(usable), n_classes)
    labelled = np.flatnonzero(labels >= 0)
    folds = min(FOLDS, len(labelled))
    if folds < 2:
        return floored(np.tile(shares(labels[labelled], n_classes), (len(labels), 1)))
    steps = folds + 1
    if progress:
        progress("cross-validation", 0, steps)
    fold, model_seed, setting = drawn(learner, usable, labels, n_classes, seed)
    P = np.zeros((len(labels), n_classes))
    for f in range(folds):
        if progress:
            progress("cross-validation", f + 1, steps)
        train, own = labelled[fold != f], labelled[fold == f]
        query = np.concatenate([own, np.flatnonzero(labels < 0)])
        guess = np.tile(shares(labels[train], n_classes), (len(query), 1))
        train, known = train[usable[train]], usable[query]
        present = np.unique(labels[train])
        if learner is not None and len(present) > 1 and known.any():
            learned = np.zeros((int(known.sum()), n_classes))
            (fitted,) = learner.fit(train, labels[train], [setting], model_seed)
            learned[:, present] = fitted.probabilities(rows_of(learner.features, query[known]))
            guess[known] = learned
        P[own] = guess[: len(own)]
        P[query[len(own) :]] += guess[len(own) :] / folds
    if progress:
        progress("cross-validation", steps, steps)
    return floored(P)


def drawn(learner: Learner | None, usable: Mask, labels: Codes, n_classes: int, seed: int) -> tuple[Codes, int, Any]:
    """Return each labelled task's fold, the seed of the models, and the learner's setting.

    They are the same whenever the arguments are, so that a model of all labels is fitted as the folds' were.
    """
    rng = np.random.default_rng(seed)
    labelled = np.flatnonzero(labels >= 0)
    fold = deal(labels[labelled], min(FOLDS, len(labelled)), rng)
    model_seed = int(rng.integers(2**31 - 1))
    if learner is None:
        return fold, model_seed, 0.0
    at = labelled[usable[labelled]]
    return fold, model_seed, tuned(learner, at, labels[at], n_classes, rng)


def rows_of(features: Any, at: Codes) -> Any:
    """Return some rows of an array, a sparse matrix or a DataFrame."""
    return features.iloc[at] if hasattr(features, "iloc") else features[at]


def checked(labels: Codes, N: int, n_classes: int) -> Codes:
    """Return labels as int64, or raise a ValueError if they are not N class codes or -1."""
    labels = np.asarray(labels)
    if labels.shape != (N,) or (labels.size and labels.dtype.kind not in "iu"):
        raise ValueError(
            f"labels has shape {labels.shape} and type {labels.dtype}; expected ({N},) integers: a class "
            "code for each task, -1 where there is no label."
        )
    if n_classes < 1 or (N and not (labels.min() >= -1 and labels.max() < n_classes)):
        raise ValueError(
            f"labels has codes {labels.min(initial=0)} to {labels.max(initial=0)} and there are {n_classes} "
            f"classes; allowed are 0 to {n_classes - 1}, and -1 where there is no label."
        )
    return labels.astype(np.int64)


def deal(y: Codes | Floats, folds: int, rng: np.random.Generator) -> Codes:
    """Deal rows out like cards, class after class; sizes of folds, and of classes in them, differ by one.

    Numbers are dealt from the lowest to the highest.
    """
    order = rng.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    fold = np.empty(len(y), dtype=np.int64)
    fold[order] = np.arange(len(y)) % folds
    return fold


def shares(y: Codes, n_classes: int) -> Floats:
    """Return the classes' shares among labels and one more, imagined, that is spread over all classes."""
    counts = np.bincount(y, minlength=n_classes) + 1 / n_classes
    return np.asarray(counts / counts.sum())


def floored(P: Floats) -> Floats:
    """Return probabilities that are nowhere below `FLOOR` / K and whose rows sum to 1."""
    P = P / P.sum(axis=1, keepdims=True)
    P = (1 - FLOOR) * P + FLOOR / P.shape[1]
    return np.asarray(P / P.sum(axis=1, keepdims=True))


def log_loss(P: Floats, y: Codes) -> float:
    """Return the mean of -log of the labels' probabilities, NaN without labels."""
    return float(-np.log(P[np.arange(len(y)), y]).mean()) if len(y) else float("nan")


def tuned(learner: Learner, rows: Codes, y: Codes, n_classes: int, rng: np.random.Generator) -> Any:
    """Return the learner's setting under which labels that were held out are most probable."""
    if len(learner.settings) < 2 or len(rows) < FEWEST_TO_TUNE:
        return learner.default
    some = deal(y, -(-len(rows) // TUNING_ROWS), rng) == 0
    rows, y = rows[some], y[some]
    fold, seed = deal(y, TUNING_FOLDS, rng), int(rng.integers(2**31 - 1))
    losses = np.zeros(len(learner.settings))
    for f in range(TUNING_FOLDS):
        out = fold == f
        present = np.unique(y[~out])
        if len(present) < 2:
            return learner.default
        held_out = rows_of(learner.features, rows[out])
        for s, fitted in enumerate(learner.fit(rows[~out], y[~out], learner.settings, seed)):
            P = np.zeros((int(out.sum()), n_classes))
            P[:, present] = fitted.probabilities(held_out)
            losses[s] += log_loss(floored(P), y[out]) * out.sum()
    return learner.settings[int(losses.argmin())]
