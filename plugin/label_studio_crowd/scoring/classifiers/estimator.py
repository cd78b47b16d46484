"""Classes by an estimator of the user's own."""

from __future__ import annotations

import inspect
import logging
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.classifiers.fitted import FittedModel, fit_all
from label_studio_crowd.scoring.classifiers.frames import FrameFeatures, frame_of, readable
from label_studio_crowd.scoring.classifiers.out_of_sample import out_of_sample, rows_of
from label_studio_crowd.scoring.classifiers.own_estimators import EXPECTED, load, look_here
from label_studio_crowd.scoring.classifiers.tasks import Codes, Floats, Progress, TaskData

_log = logging.getLogger(__name__)

REGRESSOR = (
    "For numbers, factory() has to return a scikit-learn regressor, with fit and predict. A factory(kind) is told of "
    "what kind the answers are: choice, ordered, set or number."
)


class EstimatorClassifier:
    """A scikit-learn estimator, a new one from the user's factory for each fold.

    It is given a DataFrame with a row for each task (index: task ids) and a column for each data field, and
    class codes. Where it leaves randomness open (``random_state=None``), the seed is set.

    Parameters
    ----------
    path : str
        ``package.module:factory``, imported from the current directory too.
    tasks : TaskData
        What it learns from.
    kind : str
        Of what kind the answers are: choice, ordered, set or number. A factory with a parameter ``kind`` is told.
    """

    name = "estimator"
    settings: Sequence[float] = (0.0,)
    default = 0.0

    def __init__(self, path: str, tasks: TaskData, kind: str = "choice") -> None:
        self.path, self._kind = path, kind
        self._factory = load(path)
        estimator = self.new(0)
        self._tasks = tasks
        self.features: Any = None  # a DataFrame, made when it is needed
        self.usable = readable(tasks)
        self.why = f"estimator: {type(estimator).__name__} from {path}, given every data field"

    def predict_out_of_sample(
        self, labels: Codes, n_classes: int, *, seed: int = 0, progress: Progress | None = None
    ) -> Floats:
        """See `Classifier`."""
        self.read_fields()
        return out_of_sample(self, self.usable, labels, n_classes, seed=seed, progress=progress)

    def model(self, labels: Codes, n_classes: int, *, seed: int = 0) -> FittedModel | None:
        """See `Classifier`; None, and a word in `why`, for an estimator that cannot be pickled.

        A task on which the estimator fails gets the shares of the classes.
        """
        features = self.read_fields()
        model = fit_all(self, features, self.usable, labels, n_classes, seed=seed)
        if isinstance(model.fitted, FittedEstimator):
            try:
                pickle.dumps(model.fitted)
            except Exception as error:  # a lambda inside, for instance
                lost = f"; it cannot be pickled ({error}), so new tasks wait for the next training"
                self.why = self.why.removesuffix(lost) + lost
                return None
            model = replace(model, fitted=Forgiving(model.fitted))
        return model

    def fit(self, train: Codes, y: Codes, settings: Sequence[float], seed: int) -> list[FittedEstimator]:
        """See `Learner`."""
        return [FittedEstimator(self.path, self.fitted(train, y, seed), np.unique(y))]

    def fitted(self, train: Codes, y: Any, seed: int) -> Any:
        """Return a new estimator of the user's, fitted to some rows."""
        estimator = self.new(seed)
        X = rows_of(self.features, train)
        with said(self.path, X):
            estimator.fit(X, y)
        return estimator

    def read(self, n_classes: int, progress: Progress | None) -> tuple[EstimatorClassifier, FrameFeatures]:
        """See `ClassSource`."""
        return self, self.read_fields()

    def read_fields(self) -> FrameFeatures:
        """Make the features, once, and return what makes them."""
        if self.features is None:
            self.features = frame_of(self._tasks)
        return FrameFeatures.like(self.features)

    def new(self, seed: int) -> Any:
        """Return a new estimator of the user's.

        Raises
        ------
        UserError
            If the factory fails, or what it returns does not fit the kind of answers.
        """
        told = {"kind": self._kind} if _takes_kind(self._factory) else {}
        try:
            estimator = self._factory(**told)
        except Exception as error:
            how = "with kind=" + repr(self._kind) if told else "without arguments"
            raise UserError(
                f"{self.path} failed when it was called {how}: {type(error).__name__}: {error}. {EXPECTED}"
            ) from error
        if self._kind == "number":
            _check_regressor(estimator, self.path)
        else:
            _check_classifier(estimator, self.path)
        if hasattr(estimator, "get_params") and hasattr(estimator, "set_params"):
            random = {
                name: seed
                for name, value in estimator.get_params(deep=True).items()
                if value is None and (name == "random_state" or name.endswith("__random_state"))
            }
            if random:
                estimator.set_params(**random)
        return estimator


def _takes_kind(factory: Any) -> bool:
    try:
        return "kind" in inspect.signature(factory).parameters
    except (TypeError, ValueError):  # some of those written in C have none
        return False


def _check_classifier(estimator: Any, path: str) -> None:
    lacking = [name for name in ("fit", "predict_proba") if not callable(getattr(estimator, name, None))]
    if lacking:
        raise UserError(
            f"{path} returned {type(estimator).__name__}, which has no {' and no '.join(lacking)}. "
            f"{EXPECTED} (SVC has one with probability=True; CalibratedClassifierCV gives one to others.)"
        )


def _check_regressor(estimator: Any, path: str) -> None:
    lacking = [f"no {name}" for name in ("fit", "predict") if not callable(getattr(estimator, name, None))]
    if hasattr(estimator, "predict_proba") or hasattr(estimator, "decision_function"):
        lacking.append("classes instead of numbers")
    if lacking:
        raise UserError(f"{path} returned {type(estimator).__name__}, which has {' and '.join(lacking)}. {REGRESSOR}")


@dataclass(frozen=True, eq=False)
class FittedEstimator:
    """See `Fitted`.

    Attributes
    ----------
    path : str
        Where the estimator is from, for messages.
    estimator : object
        The user's, fitted.
    present : ndarray of int
        The classes it was fitted on, ascending.
    """

    path: str
    estimator: Any
    present: Codes

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle so that the user's module is looked for in the current directory too, as `load` does."""
        return _restored, (self.path, pickle.dumps(self.estimator), self.present)

    def probabilities(self, features: Any) -> Floats:
        """See `Fitted`.

        Raises
        ------
        UserError
            If the estimator fails, or gives what are no probabilities.
        """
        with said(self.path, features):
            P = np.asarray(self.estimator.predict_proba(features), dtype=np.float64)
            classes = np.asarray(getattr(self.estimator, "classes_", self.present))
        if P.shape != (len(features), len(self.present)) or not np.array_equal(np.sort(classes), self.present):
            raise UserError(
                f"predict_proba of {self.path} gave an array of shape {P.shape} for the classes "
                f"{classes.tolist()}; expected {(len(features), len(self.present))}: a row for each task, a column "
                f"for each of the classes {self.present.tolist()} that it was fitted on. Mend the estimator."
            )
        P = P[:, np.argsort(classes)]
        if not np.isfinite(P).all() or (P < 0).any() or (P.sum(axis=1) <= 0).any():
            raise UserError(
                f"predict_proba of {self.path} gave values that are no probabilities (not finite, negative, "
                "or all zero in a row). Each row must sum to 1. Mend the estimator."
            )
        return np.asarray(P / P.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class Forgiving:
    """See `Fitted`: NaN in the rows on which an estimator fails, which others do not suffer for."""

    inner: FittedEstimator

    def probabilities(self, features: Any) -> Floats:
        """See `Fitted`."""
        P, reason = self._halved(features)
        if reason:
            failed = int(np.isnan(P).any(axis=1).sum())
            _log.warning("%d of %d tasks get the class shares: %s", failed, len(P), reason)
        return P

    def _halved(self, features: Any) -> tuple[Floats, str]:
        """Return the probabilities, and the last reason for a row of NaN."""
        try:
            return self.inner.probabilities(features), ""
        except UserError as error:
            if len(features) == 1:
                return np.full((1, len(self.inner.present)), np.nan), str(error)
        half = len(features) // 2
        found = [self._halved(part) for part in (features.iloc[:half], features.iloc[half:])]
        return np.concatenate([P for P, _ in found]), found[1][1] or found[0][1]


def _restored(path: str, estimator: bytes, present: Codes) -> FittedEstimator:
    look_here()
    return FittedEstimator(path, pickle.loads(estimator), present)


@contextmanager
def said(path: str, features: Any) -> Iterator[None]:
    """Turn whatever goes wrong in the user's code into a message about it."""
    try:
        yield
    except Exception as error:
        columns = ", ".join(map(str, features.columns[:20]))
        raise UserError(
            f"The estimator of {path} failed: {type(error).__name__}: {error}. It was given a "
            f"DataFrame of {len(features)} rows with the columns {columns}, and class codes or numbers to learn. Mend "
            "the estimator (a ColumnTransformer picks columns), or choose --classifier auto."
        ) from error
