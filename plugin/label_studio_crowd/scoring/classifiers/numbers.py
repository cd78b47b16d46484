"""Numbers from task data: what number a task seems to have, its answers unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from label_studio_crowd.scoring.classifiers.fitted import Features
from label_studio_crowd.scoring.classifiers.out_of_sample import (
    FEWEST_TO_TUNE,
    FOLDS,
    TUNING_FOLDS,
    TUNING_ROWS,
    deal,
    rows_of,
)
from label_studio_crowd.scoring.classifiers.tasks import Codes, Floats, Mask, Model, Progress, TaskData

FEWEST = 2 * FOLDS
"""Numbers that are needed to learn from."""


class NumberClassifier(Protocol):
    """Something that tells numbers from task data.

    Attributes
    ----------
    name, why : str
        As of a `Classifier`.
    """

    name: str
    why: str

    def predict_out_of_sample(self, numbers: Floats, *, seed: int = 0, progress: Progress | None = None) -> Floats:
        """Return the number that is expected of each task, by models that did not see its own.

        Parameters
        ----------
        numbers : ndarray of shape (N,)
            NaN where there is none yet.

        Returns
        -------
        ndarray of shape (N,)
            NaN where nothing is known.
        """
        ...

    def model(self, numbers: Floats, *, seed: int = 0) -> Model | None:
        """Return a model that learned from all numbers; None where none is fitted, or none that can be pickled."""
        ...


class FittedNumbers(Protocol):
    """What was learned: numbers from features."""

    def numbers(self, features: Any) -> Floats:
        """Return a number for each row of features."""
        ...


class NumberLearner(Protocol):
    """Features of all tasks, and a way to learn numbers from some of them; as `Learner` is for classes."""

    features: Any
    settings: Sequence[Any]
    default: Any

    def fit(self, train: Codes, y: Floats, settings: Sequence[Any], seed: int) -> Sequence[FittedNumbers]:
        """Learn from rows `train` with numbers `y`, whose mean is about 0 and variance 1, under each setting."""
        ...


class NumberSource(Protocol):
    """A classifier whose features may be learned numbers from."""

    name: str
    why: str
    usable: Mask

    def read_numbers(self, progress: Progress | None) -> tuple[NumberLearner | None, Features | None]:
        """Return the learner of numbers, and what makes its features."""
        ...


class Regression:
    """A learner of numbers, judged by tasks that it has not seen.

    Parameters
    ----------
    source : NumberSource
        Where the learner is from.
    """

    def __init__(self, source: NumberSource) -> None:
        self._source = source
        self.name, self.why = source.name, source.why

    def predict_out_of_sample(self, numbers: Floats, *, seed: int = 0, progress: Progress | None = None) -> Floats:
        """See `NumberClassifier`.

        All are the mean where they would be higher for lower numbers: a regressor that knows nothing but means
        foretells the opposite of what is true, for the fewer high numbers it is shown, the more of them are left.
        """
        learner, _ = self._source.read_numbers(progress)
        predicted: Floats = np.full(len(numbers), np.nan)
        told = np.flatnonzero(self._source.usable & ~np.isnan(numbers))
        if learner is None or len(told) < FEWEST:
            return predicted
        scale = Scale.of(numbers[told])
        y = scale.standardised(numbers)
        fold, model_seed, setting = _drawn(learner, told, y[told], seed)
        others = np.flatnonzero(self._source.usable & np.isnan(numbers))
        sums = np.zeros(len(others))
        for f in range(FOLDS):
            if progress:
                progress("cross-validation", f, FOLDS)
            train, own = told[fold != f], told[fold == f]
            (fitted,) = learner.fit(train, y[train], [setting], model_seed)
            predicted[own] = fitted.numbers(rows_of(learner.features, own))
            if len(others):
                sums += fitted.numbers(rows_of(learner.features, others))
        predicted[others] = sums / FOLDS
        if progress:
            progress("cross-validation", FOLDS, FOLDS)
        if not np.cov(predicted[told], y[told])[0, 1] > 0:
            predicted[self._source.usable] = 0.0
        return scale.restored(predicted)

    def model(self, numbers: Floats, *, seed: int = 0) -> NumberModel | None:
        """See `NumberClassifier`."""
        learner, features = self._source.read_numbers(None)
        told = np.flatnonzero(self._source.usable & ~np.isnan(numbers))
        if learner is None or features is None or len(told) < FEWEST:
            return None
        scale = Scale.of(numbers[told])
        y = scale.standardised(numbers[told])
        _, model_seed, setting = _drawn(learner, told, y, seed)
        (fitted,) = learner.fit(told, y, [setting], model_seed)
        return NumberModel(scale, features, fitted)


@dataclass(frozen=True)
class Scale:
    """Where numbers are, and how far they are apart."""

    mean: float
    spread: float

    @classmethod
    def of(cls, numbers: Floats) -> Scale:
        """Return that of some numbers."""
        return cls(float(numbers.mean()), float(numbers.std()) or 1.0)

    def standardised(self, numbers: Floats) -> Floats:
        """Return numbers with mean 0 and variance 1."""
        return (numbers - self.mean) / self.spread

    def restored(self, numbers: Floats) -> Floats:
        """Return standardised numbers as they were."""
        return self.mean + self.spread * numbers


@dataclass(frozen=True, eq=False)
class NumberModel:
    """A `Model` of numbers: features, and what was learned from them."""

    scale: Scale
    features: Features
    fitted: FittedNumbers

    def predict(self, tasks: TaskData) -> Floats:
        """See `Model`."""
        found: Floats = np.full((len(tasks), 1), np.nan)
        if not len(tasks):
            return found
        X, usable = self.features.of(tasks)
        at = np.flatnonzero(usable)
        if len(at):
            with np.errstate(over="ignore", invalid="ignore"):
                learned = self.scale.restored(self.fitted.numbers(rows_of(X, at)))
            found[at, 0] = np.where(np.isfinite(learned), learned, np.nan)
        return found


def _drawn(learner: NumberLearner, told: Codes, y: Floats, seed: int) -> tuple[Codes, int, Any]:
    """Return each row's fold, the seed of the models, and the learner's setting; the same for the same arguments."""
    rng = np.random.default_rng(seed)
    fold = deal(y, FOLDS, rng)
    model_seed = int(rng.integers(2**31 - 1))
    return fold, model_seed, _tuned(learner, told, y, rng)


def _tuned(learner: NumberLearner, rows: Codes, y: Floats, rng: np.random.Generator) -> Any:
    """Return the setting under which numbers that were held out are predicted best."""
    if len(learner.settings) < 2 or len(rows) < FEWEST_TO_TUNE:
        return learner.default
    some = deal(y, -(-len(rows) // TUNING_ROWS), rng) == 0
    rows, y = rows[some], y[some]
    fold, seed = deal(y, TUNING_FOLDS, rng), int(rng.integers(2**31 - 1))
    losses = np.zeros(len(learner.settings))
    for f in range(TUNING_FOLDS):
        out = fold == f
        held_out = rows_of(learner.features, rows[out])
        for s, fitted in enumerate(learner.fit(rows[~out], y[~out], learner.settings, seed)):
            losses[s] += ((fitted.numbers(held_out) - y[out]) ** 2).sum()
    return learner.settings[int(losses.argmin())]
