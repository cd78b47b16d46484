"""Classes by an estimator of the user's own."""

from __future__ import annotations

import importlib
import logging
import os
import pickle
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.classifiers.fitted import FittedModel, fit_all
from label_studio_crowd.scoring.classifiers.out_of_sample import out_of_sample, rows_of
from label_studio_crowd.scoring.classifiers.tasks import Codes, Floats, Mask, Progress, TaskData, as_number

_log = logging.getLogger(__name__)

EXPECTED = (
    "Expected package.module:factory, where factory() returns a scikit-learn estimator with fit and predict_proba."
)

_LARGEST = 2**63 - 1


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
    """

    name = "estimator"
    settings: Sequence[float] = (0.0,)
    default = 0.0

    def __init__(self, path: str, tasks: TaskData) -> None:
        self._path = path
        self._factory = load(path)
        estimator = self._new(0)
        self._tasks = tasks
        self.features: Any = None  # a DataFrame, made when it is needed
        self._usable = readable(tasks)
        self.why = f"estimator: {type(estimator).__name__} from {path}, given every data field"

    def predict_out_of_sample(
        self, labels: Codes, n_classes: int, *, seed: int = 0, progress: Progress | None = None
    ) -> Floats:
        """See `Classifier`."""
        self._read()
        return out_of_sample(self, self._usable, labels, n_classes, seed=seed, progress=progress)

    def model(self, labels: Codes, n_classes: int, *, seed: int = 0) -> FittedModel | None:
        """See `Classifier`; None, and a word in `why`, for an estimator that cannot be pickled.

        A task on which the estimator fails gets the shares of the classes.
        """
        self._read()
        features = FrameFeatures.like(self.features)
        model = fit_all(self, features, self._usable, labels, n_classes, seed=seed)
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
        estimator = self._new(seed)
        X = rows_of(self.features, train)
        with _said(self._path, X):
            estimator.fit(X, y)
        return [FittedEstimator(self._path, estimator, np.unique(y))]

    def _read(self) -> None:
        if self.features is None:
            self.features = frame_of(self._tasks)

    def _new(self, seed: int) -> Any:
        try:
            estimator = self._factory()
        except Exception as error:
            raise UserError(
                f"{self._path} failed when it was called without arguments: {type(error).__name__}: {error}. {EXPECTED}"
            ) from error
        lacking = [name for name in ("fit", "predict_proba") if not callable(getattr(estimator, name, None))]
        if lacking:
            raise UserError(
                f"{self._path} returned {type(estimator).__name__}, which has no {' and no '.join(lacking)}. "
                f"{EXPECTED} (SVC has one with probability=True; CalibratedClassifierCV gives one to others.)"
            )
        if hasattr(estimator, "get_params") and hasattr(estimator, "set_params"):
            random = {
                name: seed
                for name, value in estimator.get_params(deep=True).items()
                if value is None and (name == "random_state" or name.endswith("__random_state"))
            }
            if random:
                estimator.set_params(**random)
        return estimator


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
        with _said(self.path, features):
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
    _look_here()
    return FittedEstimator(path, pickle.loads(estimator), present)


@contextmanager
def _said(path: str, features: Any) -> Iterator[None]:
    """Turn whatever goes wrong in the user's code into a message about it."""
    try:
        yield
    except Exception as error:
        columns = ", ".join(map(str, features.columns[:20]))
        raise UserError(
            f"The estimator of {path} failed: {type(error).__name__}: {error}. It was given a "
            f"DataFrame of {len(features)} rows with the columns {columns}, and class codes as labels. Mend "
            "the estimator (a ColumnTransformer picks columns), or choose --classifier auto."
        ) from error


@dataclass(frozen=True)
class FrameFeatures:
    """Data fields as a DataFrame with the columns of another; see `Features`.

    Attributes
    ----------
    columns : sequence of str
        In their order.
    numeric : collection of str
        Those that held numbers.
    """

    columns: Sequence[str]
    numeric: Collection[str]

    @classmethod
    def like(cls, frame: Any) -> FrameFeatures:
        """Return what makes DataFrames like this one."""
        from pandas.api.types import is_numeric_dtype

        return cls(tuple(frame.columns), {name for name in frame.columns if is_numeric_dtype(frame[name].dtype)})

    def of(self, tasks: TaskData) -> tuple[Any, Mask]:
        """See `Features`."""
        frame = frame_of(tasks, only=set(self.columns)).reindex(columns=list(self.columns))
        for name in self.numeric:
            if frame[name].isna().all():  # without a number among them pandas cannot know
                frame[name] = frame[name].astype(float)
        return frame, readable(tasks)


def frame_of(tasks: TaskData, *, only: Collection[str] | None = None) -> Any:
    """Return a DataFrame of the tasks' data, a row for each task (index: task ids), a column for each field."""
    import pandas as pd

    rows = [
        {_encodable(name): _encodable(value) for name, value in row.items() if only is None or name in only}
        if isinstance(row, Mapping)
        else {}
        for row in tasks.data
    ]
    return pd.DataFrame(rows, index=list(tasks.ids))


def _encodable(value: Any) -> Any:
    """Return a value that pandas takes: JSON can hold half characters and integers of any size, and it cannot."""
    if isinstance(value, int) and abs(value) > _LARGEST:
        return as_number(value)
    if not isinstance(value, str) or value.isascii():
        return value
    return value.encode("utf-8", "replace").decode("utf-8")


def readable(tasks: TaskData) -> Mask:
    """Say which tasks have data that are fields and values."""
    return np.array([isinstance(row, Mapping) for row in tasks.data], dtype=bool)


def load(path: str) -> Callable[[], Any]:
    """Import ``package.module:factory``.

    Raises
    ------
    UserError
        If the path is not of that form, or leads nowhere, or to something that cannot be called.
    """
    module_name, _, attribute = path.partition(":")
    names = module_name.split(".")
    if not attribute.isidentifier() or not all(name.isidentifier() for name in names):
        raise UserError(f"Found {path!r} as the path of an estimator. {EXPECTED} Example: my_models:make")
    here = _look_here()
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name + ".").startswith(error.name + "."):
            raise UserError(
                f"There is no module {error.name!r}, looked for in {here} and among installed packages. "
                f"{EXPECTED} Start from the directory of the file {names[0]}.py, or install the package."
            ) from error
        raise UserError(
            f"Importing {module_name} failed: it needs the module {error.name!r}, which is not installed. "
            f"Install it into {sys.prefix}."
        ) from error
    except Exception as error:
        raise UserError(
            f"Importing {module_name} failed: {type(error).__name__}: {error}. Mend the module; "
            f"python -c 'import {module_name}' shows where."
        ) from error
    if not hasattr(module, attribute):
        known = [n for n in vars(module) if not n.startswith("_") and callable(getattr(module, n))]
        raise UserError(
            f"{module_name} ({getattr(module, '__file__', 'built in')}) has no {attribute!r}; what can be "
            f"called in it: {', '.join(known[:10]) or 'nothing'}. {EXPECTED}"
        )
    factory = getattr(module, attribute)
    if not callable(factory):
        raise UserError(f"{path} is a {type(factory).__name__}, which cannot be called. {EXPECTED}")
    return factory  # type: ignore[no-any-return]


def _look_here() -> str:
    """Let modules be imported from the current directory, and return it."""
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)  # as python -m does; a factory may import its neighbours later
    return here
