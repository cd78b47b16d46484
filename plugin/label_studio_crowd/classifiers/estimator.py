"""Classes by an estimator of the user's own."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from label_studio_crowd.classifiers.out_of_sample import out_of_sample
from label_studio_crowd.classifiers.tasks import Codes, Floats, Progress, TaskData
from label_studio_crowd.errors import UserError

EXPECTED = (
    "Expected package.module:factory, where factory() returns a scikit-learn estimator with fit and predict_proba."
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
    """

    name = "estimator"
    settings: Sequence[float] = (0.0,)
    default = 0.0

    def __init__(self, path: str, tasks: TaskData) -> None:
        self._path = path
        self._factory = load(path)
        estimator = self._new(0)
        self._tasks = tasks
        self._frame: Any = None
        self.why = f"estimator: {type(estimator).__name__} from {path}, given every data field"

    def predict_out_of_sample(
        self, labels: Codes, n_classes: int, *, seed: int = 0, progress: Progress | None = None
    ) -> Floats:
        """See `Classifier`."""
        if self._frame is None:
            import pandas as pd

            self._frame = pd.DataFrame([dict(row) for row in self._tasks.data], index=list(self._tasks.ids))
        usable = np.ones(len(self._frame), dtype=bool)
        return out_of_sample(self, usable, labels, n_classes, seed=seed, progress=progress)

    def probabilities(self, train: Codes, y: Codes, query: Codes, settings: Sequence[float], seed: int) -> list[Floats]:
        """See `Learner`."""
        estimator = self._new(seed)
        try:
            estimator.fit(self._frame.iloc[train], y)
            P = np.asarray(estimator.predict_proba(self._frame.iloc[query]), dtype=np.float64)
            classes = np.asarray(getattr(estimator, "classes_", np.unique(y)))
        except Exception as error:
            columns = ", ".join(map(str, self._frame.columns[:20]))
            raise UserError(
                f"The estimator of {self._path} failed: {type(error).__name__}: {error}. It was given a "
                f"DataFrame of {len(train)} rows with the columns {columns}, and class codes as labels. Mend "
                "the estimator (a ColumnTransformer picks columns), or choose --classifier auto."
            ) from error
        present = np.unique(y)
        if P.shape != (len(query), len(present)) or not np.array_equal(np.sort(classes), present):
            raise UserError(
                f"predict_proba of {self._path} gave an array of shape {P.shape} for the classes "
                f"{classes.tolist()}; expected {(len(query), len(present))}: a row for each task, a column "
                f"for each of the classes {present.tolist()} that it was fitted on. Mend the estimator."
            )
        P = P[:, np.argsort(classes)]
        if not np.isfinite(P).all() or (P < 0).any() or (P.sum(axis=1) <= 0).any():
            raise UserError(
                f"predict_proba of {self._path} gave values that are no probabilities (not finite, negative, "
                "or all zero in a row). Each row must sum to 1. Mend the estimator."
            )
        return [P / P.sum(axis=1, keepdims=True)]

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
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)  # as python -m does; a factory may import its neighbours later
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
