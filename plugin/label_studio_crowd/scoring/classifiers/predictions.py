"""Answers from predictions that somebody's model has already written to Label Studio."""

from __future__ import annotations

import numpy as np

from label_studio_crowd.scoring.classifiers.out_of_sample import checked, floored, out_of_sample
from label_studio_crowd.scoring.classifiers.tasks import Codes, Floats, Model, Progress, TaskData

USUAL = 0.9
"""Probability of a predicted class that has no score, before labels tell how often such are right."""

USUAL_WEIGHT = 10
"""The labels that `USUAL` counts as much as."""


class PredictionsClassifier:
    """One model version's predictions, taken as they are; nothing is fitted.

    The predicted class gets the score as its probability, at least 1 / K (less would say that another class
    is more probable), and the other classes share the rest. A prediction without a score, or with one outside
    [0, 1], gets the share of such predictions that agree with the labels, begun at `USUAL`. A task without
    a prediction gets the shares of the classes.

    Parameters
    ----------
    version : str
        The model version.
    tasks : TaskData
        Their predictions; those of an unknown class count as none.
    n_classes : int
        K.
    """

    name = "predictions"

    def __init__(self, version: str, tasks: TaskData, n_classes: int) -> None:
        found = tasks.predictions.get(version, {})
        self._code = np.full(len(tasks), -1, dtype=np.int64)
        self._score = np.full(len(tasks), np.nan)
        odd = 0
        for i, task in enumerate(tasks.ids):
            code, score = found.get(task, (-1, None))
            if not 0 <= code < n_classes:
                continue
            self._code[i] = code
            if score is not None and 0 <= score <= 1:
                self._score[i] = score
            else:
                odd += 1
        told = int((self._code >= 0).sum())
        self.told = told
        self.why = f'predictions: those of "{version}", which {told:,} of {len(tasks):,} tasks have'
        if odd:
            self.why += f" ({odd:,} without a score between 0 and 1: how often they are right is measured)"

    def predict_out_of_sample(
        self, labels: Codes, n_classes: int, *, seed: int = 0, progress: Progress | None = None
    ) -> Floats:
        """See `Classifier`. The model that made the predictions is taken not to have seen the labels."""
        labels = checked(labels, len(self._code), n_classes)
        nowhere = np.zeros(len(labels), dtype=bool)
        P = out_of_sample(None, nowhere, labels, n_classes, seed=seed, progress=progress)
        told = self._code >= 0
        unscored = told & np.isnan(self._score) & (labels >= 0)
        right = (self._code[unscored] == labels[unscored]).sum()
        usual = (right + USUAL * USUAL_WEIGHT) / (unscored.sum() + USUAL_WEIGHT)
        p = np.clip(np.where(np.isnan(self._score), usual, self._score)[told], 1 / n_classes, 1)
        rows = np.repeat(((1 - p) / max(n_classes - 1, 1))[:, None], n_classes, axis=1)
        rows[np.arange(len(rows)), self._code[told]] = p
        P[told] = floored(rows)
        return P

    def model(self, labels: Codes, n_classes: int, *, seed: int = 0) -> Model | None:
        """See `Classifier`: None, because what predicts is somebody else's."""
        return None


class PredictedSets:
    """One model version's sets. Each class that it gives, and each that it does not, is as probable as such are right.

    Parameters
    ----------
    version, tasks
        As for `PredictionsClassifier`; predictions are collections of class codes.
    n_classes : int
        K.
    """

    name = "predictions"

    def __init__(self, version: str, tasks: TaskData, n_classes: int) -> None:
        found = tasks.predictions.get(version, {})
        self._has = np.array([task in found for task in tasks.ids], dtype=bool)
        self._given = np.zeros((len(tasks), n_classes), dtype=bool)
        for i, task in enumerate(tasks.ids):
            self._given[i, sorted(found.get(task, ((), None))[0])] = True
        self.told = int(self._has.sum())
        self.why = f'predictions: those of "{version}", which {self.told:,} of {len(tasks):,} tasks have'

    def predict_out_of_sample(self, sets: Codes, *, seed: int = 0, progress: Progress | None = None) -> Floats:
        """See `SetClassifier`. The model that made the predictions is taken not to have seen the sets."""
        told = sets[:, :1].ravel() >= 0
        shares = (sets[told].sum(axis=0) + 0.5) / (told.sum() + 1)
        both = told & self._has
        P: Floats = np.tile(shares, (len(sets), 1))
        for given in (True, False):
            these = self._given[both] == given
            right = (sets[both] == given)[these].sum()
            usual = (right + USUAL * USUAL_WEIGHT) / (these.sum() + USUAL_WEIGHT)
            P[self._has[:, None] & (self._given == given)] = usual if given else 1 - usual
        return P

    def model(self, sets: Codes, *, seed: int = 0) -> Model | None:
        """See `SetClassifier`: None, because what predicts is somebody else's."""
        return None


class PredictedNumbers:
    """One model version's numbers, taken as they are.

    Parameters
    ----------
    version, tasks
        As for `PredictionsClassifier`; predictions are numbers.
    """

    name = "predictions"

    def __init__(self, version: str, tasks: TaskData) -> None:
        found = tasks.predictions.get(version, {})
        self._number = np.array([found.get(task, (np.nan, None))[0] for task in tasks.ids], dtype=np.float64)
        self.told = int((~np.isnan(self._number)).sum())
        self.why = f'predictions: those of "{version}", which {self.told:,} of {len(tasks):,} tasks have'

    def predict_out_of_sample(self, numbers: Floats, *, seed: int = 0, progress: Progress | None = None) -> Floats:
        """See `NumberClassifier`. The model that made the predictions is taken not to have seen the numbers."""
        return self._number

    def model(self, numbers: Floats, *, seed: int = 0) -> Model | None:
        """See `NumberClassifier`: None, because what predicts is somebody else's."""
        return None
