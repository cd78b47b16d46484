"""Classes from a field that holds a vector."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from label_studio_crowd.classifiers.linear import Linear
from label_studio_crowd.classifiers.out_of_sample import out_of_sample
from label_studio_crowd.classifiers.tasks import Codes, Floats, Progress

STRENGTHS = (1.0, 5.0, 25.0)
"""Variance of a task's score before any label is seen; divided by the D dimensions it is the C of logistic
regression on standardised features (5 / 512 is about .01)."""


class EmbeddingClassifier:
    """Standardised features and logistic regression.

    Standardising uses the vectors of all tasks, labelled or not; it sees no labels.

    Parameters
    ----------
    field : str
        The data field, for messages.
    values : sequence
        Its value in each task. Those that are not a vector of the commonest length get class shares.
    """

    name = "embedding"

    def __init__(self, field: str, values: Sequence[Any]) -> None:
        vectors = [as_vector(value) for value in values]
        self.dimensions = common_length(vectors)
        self.usable = np.array([v is not None and len(v) == self.dimensions for v in vectors], dtype=bool)
        rows = [v for v in vectors if v is not None and len(v) == self.dimensions]
        # float32 halves the time of the fits and the memory
        X = np.array(rows, dtype=np.float64).reshape(len(rows), self.dimensions)
        spread = X.std(axis=0) if len(X) else np.ones(self.dimensions)
        features = np.zeros((len(vectors), self.dimensions), dtype=np.float32)
        if len(X):
            features[self.usable] = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1)
        self._learner = Linear(features, [v / max(self.dimensions, 1) for v in STRENGTHS])
        self.why = f'embedding: field "{field}" ({self.dimensions:,} numbers) and logistic regression'
        if left := len(vectors) - len(rows):
            self.why += f"; {left:,} of {len(vectors):,} tasks have no such vector and get the shares of the classes"

    def predict_out_of_sample(
        self, labels: Codes, n_classes: int, *, seed: int = 0, progress: Progress | None = None
    ) -> Floats:
        """See `Classifier`."""
        return out_of_sample(self._learner, self.usable, labels, n_classes, seed=seed, progress=progress)


def as_vector(value: Any) -> Floats | None:
    """Return a list of finite numbers as an array, also one written as JSON, as in a CSV import; or None."""
    if isinstance(value, str):
        if not value.lstrip().startswith("["):
            return None
        try:
            value = json.loads(value)
        except ValueError:
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
