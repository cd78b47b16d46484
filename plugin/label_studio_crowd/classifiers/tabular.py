"""Classes from numbers and categories."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from label_studio_crowd.classifiers.out_of_sample import out_of_sample
from label_studio_crowd.classifiers.tasks import Codes, Floats, Mask, Progress, TaskData, as_number, missing

MOST_CATEGORIES = 200
"""Values of a category that are told apart, the commonest; the rest count as missing. (Trees allow 255.)"""

ITERATIONS = (5, 10, 20, 40, 80)
"""Rounds of boosting to choose from. On the noisy labels of a crowd many rounds are surer than right."""


class TabularClassifier:
    """Gradient boosting on numbers as they are and on categories; missing values are a case of their own.

    Parameters
    ----------
    fields : sequence of str
        Data fields; ``row.age`` is field age inside field row.
    tasks : TaskData
        The tasks. One that has none of the fields gets the shares of the classes.
    """

    name = "tabular"

    def __init__(self, fields: Sequence[str], tasks: TaskData) -> None:
        columns = [column_of(tasks.column(field)) for field in fields]
        X = np.column_stack([values for values, _ in columns]) if columns else np.empty((len(tasks), 0))
        categorical = np.array([kind for _, kind in columns], dtype=bool)
        self.usable: Mask = ~np.all(np.isnan(X), axis=1)
        self._learner = Boosting(X, categorical)
        names = ", ".join(f'"{field}"' for field in fields[:8])
        if len(fields) > 8:
            names += f" and {len(fields) - 8} more"
        self.why = (
            f"tabular: {int((~categorical).sum())} numeric and {int(categorical.sum())} categorical fields "
            f"({names}) and gradient boosting"
        )
        if left := int((~self.usable).sum()):
            self.why += f"; {left:,} of {len(tasks):,} tasks have none of them and get class shares"

    def predict_out_of_sample(
        self, labels: Codes, n_classes: int, *, seed: int = 0, progress: Progress | None = None
    ) -> Floats:
        """See `Classifier`."""
        return out_of_sample(self._learner, self.usable, labels, n_classes, seed=seed, progress=progress)


def column_of(values: Sequence[Any]) -> tuple[Floats, bool]:
    """Return a field as floats, NaN for missing, and whether they are codes of categories.

    A field is numeric if nine tenths of its values are numbers or strings that read as one.
    """
    given = [not missing(value) for value in values]
    numbers = np.array([as_number(value) for value in values], dtype=np.float64)
    if (~np.isnan(numbers)).sum() >= 0.9 * max(sum(given), 1):
        return numbers, False
    names = [str(value).strip() if there else None for value, there in zip(values, given, strict=True)]
    common = Counter(name for name in names if name is not None).most_common(MOST_CATEGORIES)
    code = {name: at for at, (name, _) in enumerate(sorted(common))}
    return np.array([code.get(name, np.nan) if name is not None else np.nan for name in names]), True


class Boosting:
    """Histogram gradient boosting; the setting is the number of rounds.

    Parameters
    ----------
    X : ndarray of shape (N, D)
        Features; NaN is missing.
    categorical : ndarray of bool, shape (D,)
        Columns that hold codes.
    """

    settings: Sequence[float] = ITERATIONS
    default = 20.0

    def __init__(self, X: Floats, categorical: Mask) -> None:
        self._X = X
        self._categorical = categorical

    def probabilities(self, train: Codes, y: Codes, query: Codes, settings: Sequence[float], seed: int) -> list[Floats]:
        """See `Learner`. One fit serves all settings, by stopping at each of them."""
        from sklearn.ensemble import HistGradientBoostingClassifier
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        rounds = [int(setting) for setting in settings]
        model = HistGradientBoostingClassifier(
            max_iter=max(rounds),
            early_stopping=False,
            max_leaf_nodes=15,
            # the usual 20 cannot divide a small project at all
            min_samples_leaf=int(np.clip(len(y) // 20, 2, 20)),
            l2_regularization=1.0,
            categorical_features=self._categorical,
            random_state=seed,
        )
        # one thread: on a busy machine several wait for each other most of the time
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a column without any value in this fold
            model.fit(self._X[train], y)
            stages = {done: P for done, P in enumerate(model.staged_predict_proba(self._X[query]), 1) if done in rounds}
        return [np.asarray(stages[done], dtype=np.float64) for done in rounds]
