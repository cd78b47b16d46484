"""Classes from numbers and categories."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from label_studio_crowd.scoring.classifiers.fitted import FittedModel, fit_all
from label_studio_crowd.scoring.classifiers.out_of_sample import out_of_sample
from label_studio_crowd.scoring.classifiers.tasks import (
    Codes,
    Floats,
    Mask,
    Progress,
    TaskData,
    as_number,
    missing,
    written,
)

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
    how : str
        What learns, for messages.
    """

    name = "tabular"

    def __init__(self, fields: Sequence[str], tasks: TaskData, how: str = "gradient boosting") -> None:
        self._features = TabularFeatures({field: codes_of(tasks.column(field)) for field in fields})
        X, usable = self._features.of(tasks)
        self.usable = usable
        categorical = np.array([codes is not None for codes in self._features.codes.values()], dtype=bool)
        self._learner = Boosting(X, categorical)
        names = ", ".join(f'"{field}"' for field in fields[:8])
        if len(fields) > 8:
            names += f" and {len(fields) - 8} more"
        self.why = (
            f"tabular: {int((~categorical).sum())} numeric and {int(categorical.sum())} categorical fields "
            f"({names}) and {how}"
        )
        if left := int((~self.usable).sum()):
            self.why += f"; {left:,} of {len(tasks):,} tasks have none of them and get class shares"

    def predict_out_of_sample(
        self, labels: Codes, n_classes: int, *, seed: int = 0, progress: Progress | None = None
    ) -> Floats:
        """See `Classifier`."""
        return out_of_sample(self._learner, self.usable, labels, n_classes, seed=seed, progress=progress)

    def model(self, labels: Codes, n_classes: int, *, seed: int = 0) -> FittedModel:
        """See `Classifier`."""
        return fit_all(self._learner, self._features, self.usable, labels, n_classes, seed=seed)

    def read(self, n_classes: int, progress: Progress | None) -> tuple[Boosting, TabularFeatures]:
        """See `ClassSource`."""
        return self._learner, self._features

    def read_numbers(self, progress: Progress | None) -> tuple[BoostingNumbers, TabularFeatures]:
        """See `NumberSource`."""
        return BoostingNumbers(self._learner.features, self._learner.categorical), self._features


@dataclass(frozen=True)
class TabularFeatures:
    """Numbers as they are, and codes of categories; see `Features`.

    Attributes
    ----------
    codes : mapping
        Each field's categories and their codes; None for a field of numbers.
    """

    codes: Mapping[str, Mapping[str, int] | None]

    def of(self, tasks: TaskData) -> tuple[Floats, Mask]:
        """See `Features`: NaN is missing, and so is a category that has no code."""
        X = np.full((len(tasks), len(self.codes)), np.nan)
        for j, (field, codes) in enumerate(self.codes.items()):
            values = tasks.column(field)
            if codes is None:
                X[:, j] = [as_number(value) for value in values]
            else:
                X[:, j] = [np.nan if missing(value) else codes.get(written(value), np.nan) for value in values]
        return X, ~np.all(np.isnan(X), axis=1)


def codes_of(values: Sequence[Any]) -> dict[str, int] | None:
    """Return a code for each of a field's commonest categories, None if it holds numbers.

    A field is numeric if nine tenths of its values are numbers or strings that read as one.
    """
    given = [value for value in values if not missing(value)]
    if sum(not np.isnan(as_number(value)) for value in given) >= 0.9 * max(len(given), 1):
        return None
    common = Counter(written(value) for value in given).most_common(MOST_CATEGORIES)
    return {name: code for code, (name, _) in enumerate(sorted(common))}


class Boosting:
    """Histogram gradient boosting; the setting is the number of rounds.

    Parameters
    ----------
    features : ndarray of shape (N, D)
        NaN is missing.
    categorical : ndarray of bool, shape (D,)
        Columns that hold codes.
    """

    settings: Sequence[float] = ITERATIONS
    default = 20.0

    def __init__(self, features: Floats, categorical: Mask) -> None:
        self.features = features
        self.categorical = categorical

    def fit(self, train: Codes, y: Codes, settings: Sequence[float], seed: int) -> list[FittedBoosting]:
        """See `Learner`. One fit serves all settings, by stopping at each of them."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        rounds = [int(setting) for setting in settings]
        model = _boosted(HistGradientBoostingClassifier, self.features[train], y, rounds, self.categorical, seed)
        return [FittedBoosting(model, done) for done in rounds]


def _boosted(maker: Any, X: Floats, y: Any, rounds: Sequence[int], categorical: Mask, seed: int) -> Any:
    """Return a fitted model of scikit-learn's histogram gradient boosting."""
    from threadpoolctl import threadpool_limits

    model = maker(
        max_iter=max(rounds),
        early_stopping=False,
        max_leaf_nodes=15,
        # the usual 20 cannot divide a small project at all
        min_samples_leaf=int(np.clip(len(y) // 20, 2, 20)),
        l2_regularization=1.0,
        categorical_features=categorical,
        random_state=seed,
    )
    # one thread: on a busy machine several wait for each other most of the time
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column without any value in this fold
        return model.fit(X, y)


@dataclass(frozen=True)
class FittedBoosting:
    """See `Fitted`; `rounds` is how many of the model's rounds of boosting count."""

    model: Any
    rounds: int

    def probabilities(self, features: Floats) -> Floats:
        """See `Fitted`."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            stages = self.model.staged_predict_proba(features)
            return np.asarray(next(islice(stages, self.rounds - 1, None)), dtype=np.float64)


class BoostingNumbers:
    """`Boosting` of numbers.

    Parameters
    ----------
    features, categorical
        As there.
    """

    settings: Sequence[float] = ITERATIONS
    default = 20.0

    def __init__(self, features: Floats, categorical: Mask) -> None:
        self.features, self._categorical = features, categorical

    def fit(self, train: Codes, y: Floats, settings: Sequence[float], seed: int) -> list[FittedBoostingNumbers]:
        """See `NumberLearner`. One fit serves all settings, by stopping at each of them."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        rounds = [int(setting) for setting in settings]
        model = _boosted(HistGradientBoostingRegressor, self.features[train], y, rounds, self._categorical, seed)
        return [FittedBoostingNumbers(model, done) for done in rounds]


@dataclass(frozen=True)
class FittedBoostingNumbers:
    """See `FittedNumbers`; `rounds` as in `FittedBoosting`."""

    model: Any
    rounds: int

    def numbers(self, features: Floats) -> Floats:
        """See `FittedNumbers`."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            stages = self.model.staged_predict(features)
            return np.asarray(next(islice(stages, self.rounds - 1, None)), dtype=np.float64)
