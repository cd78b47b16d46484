"""Sets and numbers by an estimator of the user's own."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np

from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.classifiers.estimator import EstimatorClassifier, FittedEstimator, Forgiving, said
from label_studio_crowd.scoring.classifiers.frames import FrameFeatures
from label_studio_crowd.scoring.classifiers.numbers import NumberLearner, NumberModel, Regression
from label_studio_crowd.scoring.classifiers.out_of_sample import FLOOR, FOLDS, deal, rows_of
from label_studio_crowd.scoring.classifiers.own_estimators import look_here
from label_studio_crowd.scoring.classifiers.sets import OneVersusRest, SetClassifier, SetModel
from label_studio_crowd.scoring.classifiers.tasks import Codes, Floats, Model, Progress, TaskData

_LOST: Final = "; it cannot be pickled, so new tasks wait for the next training"


def sets_by(estimator: EstimatorClassifier) -> SetClassifier:
    """Return what learns sets by the user's estimator: all classes at once if it can, or else each by itself."""
    return AllClasses(estimator) if _takes_several(estimator.new(0)) else EachClass(estimator)


def _takes_several(estimator: Any) -> bool:
    """Return whether an estimator learns several labels at once, as scikit-learn's tags say."""
    try:
        from sklearn.utils import get_tags

        return bool(get_tags(estimator).target_tags.multi_output)
    except ImportError:  # scikit-learn before 1.6
        return bool(estimator._get_tags()["multioutput"])
    except (AttributeError, TypeError, ValueError):  # not made with scikit-learn
        return False


class EachClass(OneVersusRest):
    """An estimator for each class."""

    def model(self, sets: Codes, *, seed: int = 0) -> SetModel | None:
        """See `SetClassifier`."""
        model = super().model(sets, seed=seed)
        assert model is not None, "one of each class"
        each = [
            replace(one, fitted=Forgiving(one.fitted)) if isinstance(one.fitted, FittedEstimator) else one
            for one in model.each
        ]
        return _kept(self, SetModel(model.features, each))


class AllClasses:
    """One estimator of all classes, fitted to a matrix of zeros and ones."""

    def __init__(self, estimator: EstimatorClassifier) -> None:
        self._estimator = estimator
        self.name, self.why = estimator.name, estimator.why

    def predict_out_of_sample(self, sets: Codes, *, seed: int = 0, progress: Progress | None = None) -> Floats:
        """See `SetClassifier`."""
        self._estimator.read_fields()
        told, usable, (N, K) = sets[:, :1].ravel() >= 0, self._estimator.usable, sets.shape
        rows = np.flatnonzero(told & usable)
        P: Floats = np.tile(_floored(sets[told].mean(axis=0) if told.any() else np.full(K, 0.5)), (N, 1))
        if len(rows) < FOLDS or not K:
            return P
        fold = np.full(N, -1)
        fold[rows] = deal(sets[rows].sum(axis=1), FOLDS, np.random.default_rng(seed))
        others = np.flatnonzero(usable & ~told)
        sums: Floats = np.zeros((len(others), K))
        for f in range(FOLDS):
            if progress:
                progress("cross-validation", f, FOLDS)
            own = np.flatnonzero(fold == f)
            fitted = self._fitted(rows[fold[rows] != f], sets, seed)
            P[own] = fitted.probabilities(rows_of(self._estimator.features, own))
            if len(others):
                sums += fitted.probabilities(rows_of(self._estimator.features, others))
        P[others] = sums / FOLDS
        if progress:
            progress("cross-validation", FOLDS, FOLDS)
        return P

    def model(self, sets: Codes, *, seed: int = 0) -> Model | None:
        """See `SetClassifier`."""
        features = self._estimator.read_fields()
        told = sets[:, :1].ravel() >= 0
        rows = np.flatnonzero(told & self._estimator.usable)
        if len(rows) < FOLDS:
            return None
        return _kept(self, AllClassesModel(features, sets[told].mean(axis=0), self._fitted(rows, sets, seed)))

    def _fitted(self, rows: Codes, sets: Codes, seed: int) -> FittedSets:
        return FittedSets(self._estimator.path, self._estimator.fitted(rows, sets[rows], seed), sets.shape[1])


@dataclass(frozen=True, eq=False)
class FittedSets:
    """A fitted estimator of K classes at once."""

    path: str
    estimator: Any
    n_classes: int

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle so that the user's module is looked for in the current directory, too."""
        return _restored_sets, (self.path, pickle.dumps(self.estimator), self.n_classes)

    def probabilities(self, features: Any) -> Floats:
        """Return the probability of each class, shape (rows, K).

        Raises
        ------
        UserError
            If the estimator fails, or gives what are no probabilities.
        """
        with said(self.path, features):
            found = self.estimator.predict_proba(features)
            if isinstance(found, list):  # of no and yes, for each class, where both were there to learn
                each = getattr(self.estimator, "classes_", [np.arange(P.shape[1]) for P in found])
                found = np.column_stack([_of_yes(P, classes) for P, classes in zip(found, each, strict=True)])
            P = np.asarray(found, dtype=np.float64)
        if P.shape != (len(features), self.n_classes) or not ((P >= 0) & (P <= 1)).all():
            raise UserError(
                f"predict_proba of {self.path} gave an array of shape {P.shape}; expected probabilities, "
                f"{(len(features), self.n_classes)}: a row for each task, a column for each class, as scikit-learn's "
                "multi-label classifiers do. Mend the estimator."
            )
        return _floored(P)


def _restored_sets(path: str, estimator: bytes, n_classes: int) -> FittedSets:
    look_here()
    return FittedSets(path, pickle.loads(estimator), n_classes)


def _of_yes(P: Floats, classes: Sequence[Any]) -> Floats:
    at = np.flatnonzero(np.asarray(classes) == 1)
    return P[:, at[0]] if len(at) else np.zeros(len(P))


def _floored(P: Floats) -> Floats:
    return (1 - FLOOR) * P + FLOOR / 2


@dataclass(frozen=True, eq=False)
class AllClassesModel:
    """A `Model` of sets by one estimator; tasks on which it fails get the shares of the classes."""

    features: FrameFeatures
    shares: Floats
    fitted: FittedSets

    def predict(self, tasks: TaskData) -> Floats:
        """See `Model`."""
        P: Floats = np.tile(_floored(self.shares), (len(tasks), 1))
        X, usable = self.features.of(tasks)
        for at in np.flatnonzero(usable).tolist():
            P[at] = self._of_one(rows_of(X, np.array([at])), P[at])
        return P

    def _of_one(self, row: Any, usual: Floats) -> Floats:
        try:
            found: Floats = self.fitted.probabilities(row)[0]
        except UserError:
            return usual
        return found


class NumbersBy(Regression):
    """Numbers by the user's regressor."""

    def __init__(self, estimator: EstimatorClassifier) -> None:
        super().__init__(_Numbers(estimator))

    def model(self, numbers: Floats, *, seed: int = 0) -> NumberModel | None:
        """See `NumberClassifier`."""
        model = super().model(numbers, seed=seed)
        return None if model is None else _kept(self, model)


class _Numbers:
    """The user's regressor as a `NumberSource`, and its `NumberLearner`."""

    def __init__(self, estimator: EstimatorClassifier) -> None:
        self._estimator = estimator
        self.name, self.why, self.usable = estimator.name, estimator.why, estimator.usable
        self.settings: Sequence[Any] = (0.0,)
        self.default: Any = 0.0
        self.features: Any = None

    def read_numbers(self, progress: Progress | None) -> tuple[NumberLearner | None, FrameFeatures]:
        features = self._estimator.read_fields()
        self.features = self._estimator.features
        return self, features

    def fit(self, train: Codes, y: Floats, settings: Sequence[Any], seed: int) -> list[FittedRegressor]:
        return [FittedRegressor(self._estimator.path, self._estimator.fitted(train, y, seed))]


@dataclass(frozen=True, eq=False)
class FittedRegressor:
    """See `FittedNumbers`."""

    path: str
    estimator: Any

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle so that the user's module is looked for in the current directory, too."""
        return _restored_regressor, (self.path, pickle.dumps(self.estimator))

    def numbers(self, features: Any) -> Floats:
        """See `FittedNumbers`.

        Raises
        ------
        UserError
            If the estimator fails, or does not give a finite number for each task.
        """
        with said(self.path, features):
            found = np.asarray(self.estimator.predict(features), dtype=np.float64).reshape(-1)
        if found.shape != (len(features),) or not np.isfinite(found).all():
            raise UserError(
                f"predict of {self.path} gave {len(found)} values for {len(features)} tasks, "
                f"{int(np.isfinite(found).sum())} of them finite; expected a finite number for each. Mend it."
            )
        return found


def _restored_regressor(path: str, estimator: bytes) -> FittedRegressor:
    look_here()
    return FittedRegressor(path, pickle.loads(estimator))


AModel = TypeVar("AModel", bound=Model)


def _kept(classifier: EachClass | AllClasses | NumbersBy, model: AModel) -> AModel | None:
    """Return a model, or None and a word in `why` if it cannot be pickled."""
    try:
        pickle.dumps(model)
    except Exception:  # a lambda inside, for instance
        classifier.why = classifier.why.removesuffix(_LOST) + _LOST
        return None
    return model
