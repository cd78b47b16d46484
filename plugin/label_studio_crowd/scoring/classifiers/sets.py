"""Sets of classes from task data: whether each class applies, one versus the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from label_studio_crowd.scoring.classifiers.fitted import Features, FittedModel, fit_all
from label_studio_crowd.scoring.classifiers.out_of_sample import Learner, drawn, out_of_sample
from label_studio_crowd.scoring.classifiers.tasks import Codes, Floats, Mask, Model, Progress, TaskData

UNKNOWN = -1


class SetClassifier(Protocol):
    """Something that tells from task data which classes apply.

    Attributes
    ----------
    name, why : str
        As of a `Classifier`.
    """

    name: str
    why: str

    def predict_out_of_sample(self, sets: Codes, *, seed: int = 0, progress: Progress | None = None) -> Floats:
        """Return the probability that each class applies to each task, by models that did not see its own set.

        Parameters
        ----------
        sets : ndarray of int, shape (N, K)
            1 where a class applies, 0 where not; rows of -1 where there is no set yet.

        Returns
        -------
        ndarray of shape (N, K)
            Above 0 and below 1.
        """
        ...

    def model(self, sets: Codes, *, seed: int = 0) -> Model | None:
        """Return a model that learned from all sets; None where none is fitted, or none that can be pickled."""
        ...


class ClassSource(Protocol):
    """A classifier whose learner may learn several questions about the same tasks."""

    name: str
    why: str
    usable: Mask

    def read(self, n_classes: int, progress: Progress | None) -> tuple[Learner | None, Features | None]:
        """Return the learner of classes, and what makes its features."""
        ...


class OneVersusRest:
    """A learner for each class, all with the setting that fits the class best that is nearest to half of the tasks.

    Parameters
    ----------
    source : ClassSource
        Where the learner is from.
    """

    def __init__(self, source: ClassSource) -> None:
        self._source = source
        self.name, self.why = source.name, source.why

    def predict_out_of_sample(self, sets: Codes, *, seed: int = 0, progress: Progress | None = None) -> Floats:
        """See `SetClassifier`."""
        learner, _ = self._settled(sets, seed, progress)
        P: Floats = np.zeros(sets.shape)
        for k, column in enumerate(sets.T):
            if progress:
                progress("cross-validation", k, sets.shape[1])
            P[:, k] = out_of_sample(learner, self._source.usable, column, 2, seed=seed)[:, 1]
        if progress:
            progress("cross-validation", sets.shape[1], sets.shape[1])
        return P

    def model(self, sets: Codes, *, seed: int = 0) -> SetModel | None:
        """See `SetClassifier`."""
        learner, features = self._settled(sets, seed, None)
        each = [fit_all(learner, None, self._source.usable, column, 2, seed=seed) for column in sets.T]
        return SetModel(features, each)

    def _settled(self, sets: Codes, seed: int, progress: Progress | None) -> tuple[Learner | None, Features | None]:
        """Return the learner with one setting, and its features."""
        learner, features = self._source.read(2, progress)
        if learner is None or not sets.shape[1]:
            return learner, features
        told = sets[:, 0] != UNKNOWN
        even = int(np.abs(sets[told].mean(axis=0) - 0.5).argmin()) if told.any() else 0
        _, _, setting = drawn(learner, self._source.usable, np.asarray(sets[:, even]), 2, seed)
        return _Settled(learner, setting), features


class _Settled:
    """A learner with one setting; see `Learner`."""

    def __init__(self, inner: Learner, setting: Any) -> None:
        self.features, self.default, self.fit = inner.features, setting, inner.fit
        self.settings: Sequence[Any] = (setting,)


@dataclass(frozen=True, eq=False)
class SetModel:
    """A `Model` of sets: features, and one model for each class."""

    features: Features | None
    each: Sequence[FittedModel]

    def predict(self, tasks: TaskData) -> Floats:
        """See `Model`."""
        if self.features is None or not len(tasks):
            found: tuple[Any, Mask] = None, np.zeros(len(tasks), np.bool_)
        else:
            found = self.features.of(tasks)
        columns = [model.predict_features(*found)[:, 1] for model in self.each]
        return np.column_stack(columns) if columns else np.zeros((len(tasks), 0))
