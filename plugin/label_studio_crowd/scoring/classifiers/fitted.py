"""One model of all labels, for tasks that were not there when it learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from label_studio_crowd.scoring.classifiers.out_of_sample import (
    Fitted,
    Learner,
    checked,
    drawn,
    floored,
    rows_of,
    shares,
)
from label_studio_crowd.scoring.classifiers.tasks import Codes, Floats, Mask, TaskData


class Features(Protocol):
    """What makes features of task data; it keeps no task."""

    def of(self, tasks: TaskData) -> tuple[Any, Mask]:
        """Return features, a row for each task, and which tasks have any.

        It never raises for what the tasks' data hold, be it of the wrong type.
        """
        ...


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A `Model`: features, and what was learned from them.

    Attributes
    ----------
    shares : ndarray of shape (K,)
        The classes' shares among the labels, for tasks without features.
    present : ndarray of int
        Codes of the classes that were learned, in the order of the columns of `fitted`.
    features : Features or None
        None if no task had any.
    fitted : Fitted or None
        None if there were fewer than two classes to learn.
    """

    shares: Floats
    present: Codes
    features: Features | None
    fitted: Fitted | None

    def predict(self, tasks: TaskData) -> Floats:
        """See `Model`."""
        if self.fitted is None or self.features is None or not len(tasks):
            return floored(np.tile(self.shares, (len(tasks), 1)))
        return self.predict_features(*self.features.of(tasks))

    def predict_features(self, X: Any, usable: Mask) -> Floats:
        """Return what `predict` does, of features as `Features.of` returns them."""
        P = np.tile(self.shares, (len(usable), 1))
        at = np.flatnonzero(usable)
        if self.fitted is not None and len(at):
            with np.errstate(over="ignore", invalid="ignore"):
                learned = self.fitted.probabilities(rows_of(X, at))
            finite = np.isfinite(learned).all(axis=1)  # absurd numbers overflow, and an estimator may refuse
            rows = np.zeros((int(finite.sum()), P.shape[1]))
            rows[:, self.present] = learned[finite]
            P[at[finite]] = rows
        return floored(P)


def fit_all(
    learner: Learner | None, features: Features | None, usable: Mask, labels: Codes, n_classes: int, *, seed: int = 0
) -> FittedModel:
    """Fit a learner on all labelled tasks, as `out_of_sample` fits it on most of them.

    Parameters
    ----------
    learner : Learner or None
        None: the shares of the classes, for all tasks.
    features : Features or None
        What made the learner's features.
    usable, labels, n_classes, seed
        As in `out_of_sample`; the same seed chooses the same setting.

    Returns
    -------
    FittedModel
        With labels of fewer than two classes it knows only their shares.

    Raises
    ------
    ValueError
        If `labels` are not N class codes.
    """
    labels = checked(labels, len(usable), n_classes)
    train = np.flatnonzero((labels >= 0) & usable)
    present = np.unique(labels[train])
    fitted: Fitted | None = None
    if learner is not None and len(present) > 1:
        _, model_seed, setting = drawn(learner, usable, labels, n_classes, seed)
        (fitted,) = learner.fit(train, labels[train], [setting], model_seed)
    return FittedModel(shares(labels[labels >= 0], n_classes), present, features, fitted)
