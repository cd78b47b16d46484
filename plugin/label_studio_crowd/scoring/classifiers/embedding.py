"""Classes from a field that holds a vector."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.scoring.classifiers.fitted import FittedModel, fit_all
from label_studio_crowd.scoring.classifiers.linear import Linear, LinearNumbers
from label_studio_crowd.scoring.classifiers.out_of_sample import out_of_sample
from label_studio_crowd.scoring.classifiers.tasks import Codes, Floats, Mask, Progress, TaskData

STRENGTHS = (1.0, 5.0, 25.0)
"""Variance of a task's score before any label is seen; divided by the D dimensions it is the C of logistic
regression on standardised features (5 / 512 is about .01)."""

PENALTIES = (8.0, 2.0, 0.5, 0.125)
"""Values to choose from of ridge regression's alpha for each dimension: the noise in what the features say in all."""

SHARES = (0.5, 0.25, 0.0)
"""What linear discriminant analysis counts beside logistic regression."""


class EmbeddingClassifier:
    """Standardised features; logistic regression and linear discriminant analysis, pooled.

    Standardising uses the vectors of all tasks, labelled or not; it sees no labels.

    Parameters
    ----------
    field : str
        The data field, for messages.
    values : sequence
        Its value in each task. Those that are not a vector of the commonest length get class shares.
    how : str
        What learns, for messages.
    """

    name = "embedding"

    def __init__(
        self, field: str, values: Sequence[Any], how: str = "logistic regression and discriminant analysis"
    ) -> None:
        vectors = [as_vector(value) for value in values]
        self.dimensions = common_length(vectors)
        X = np.array([v for v in vectors if v is not None and len(v) == self.dimensions], dtype=np.float64)
        mean, spread = (X.mean(axis=0), X.std(axis=0)) if len(X) else (np.zeros(0), np.ones(0))
        self._features = EmbeddingFeatures(field, mean, np.where(spread > 0, spread, 1))
        features, self.usable = self._features.of_vectors(vectors)
        self._learner = Linear(features, [v / max(self.dimensions, 1) for v in STRENGTHS], SHARES)
        self.why = f'embedding: field "{field}" ({self.dimensions:,} numbers), {how}'
        if left := len(vectors) - int(self.usable.sum()):
            self.why += f"; {left:,} of {len(vectors):,} tasks have no such vector and get the class shares"

    def predict_out_of_sample(
        self, labels: Codes, n_classes: int, *, seed: int = 0, progress: Progress | None = None
    ) -> Floats:
        """See `Classifier`."""
        return out_of_sample(self._learner, self.usable, labels, n_classes, seed=seed, progress=progress)

    def model(self, labels: Codes, n_classes: int, *, seed: int = 0) -> FittedModel:
        """See `Classifier`."""
        return fit_all(self._learner, self._features, self.usable, labels, n_classes, seed=seed)

    def read(self, n_classes: int, progress: Progress | None) -> tuple[Linear, EmbeddingFeatures]:
        """See `ClassSource`."""
        return self._learner, self._features

    def read_numbers(self, progress: Progress | None) -> tuple[LinearNumbers, EmbeddingFeatures]:
        """See `NumberSource`."""
        penalties = [penalty * max(self.dimensions, 1) for penalty in PENALTIES]
        return LinearNumbers(self._learner.features, penalties), self._features


@dataclass(frozen=True)
class EmbeddingFeatures:
    """Vectors of one length, standardised; see `Features`.

    Attributes
    ----------
    field : str
        The data field.
    mean, spread : ndarray of shape (D,)
        What is taken off a vector, and what that is divided by.
    """

    field: str
    mean: Floats
    spread: Floats

    def of(self, tasks: TaskData) -> tuple[NDArray[np.float32], Mask]:
        """See `Features`."""
        return self.of_vectors([as_vector(value) for value in tasks.column(self.field)])

    def of_vectors(self, vectors: Sequence[Floats | None]) -> tuple[NDArray[np.float32], Mask]:
        """Return features, zero for what is no vector of the right length, and which are usable."""
        D = len(self.mean)
        rows = [v for v in vectors if v is not None and len(v) == D]
        usable = np.array([v is not None and len(v) == D for v in vectors], dtype=bool)
        # float32 halves the time of the fits and the memory
        features = np.zeros((len(vectors), D), dtype=np.float32)
        if rows:
            with np.errstate(over="ignore", invalid="ignore"):
                features[usable] = (np.array(rows) - self.mean) / self.spread
            beyond = ~np.isfinite(features).all(axis=1)  # numbers near the largest there are
            features[beyond] = 0
            usable &= ~beyond
        return features, usable


def as_vector(value: Any) -> Floats | None:
    """Return a list of finite numbers as an array, also one written as JSON, as in a CSV import; or None."""
    if isinstance(value, str):
        if not value.lstrip().startswith("["):
            return None
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, (list, tuple)) or not value:
        return None
    try:
        vector = np.asarray(value)
    except (ValueError, OverflowError):
        return None
    if vector.ndim != 1 or vector.dtype.kind not in "iuf" or not np.isfinite(vector).all():
        return None
    return vector.astype(np.float64)


def common_length(vectors: Sequence[Floats | None]) -> int:
    """Return the length that most vectors have, the longer one if two are as common; 0 without vectors."""
    lengths = Counter(len(v) for v in vectors if v is not None)
    return max(lengths, key=lambda length: (lengths[length], length), default=0)
