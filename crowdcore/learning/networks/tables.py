"""A network for tables one of whose columns holds a vector, such as a project's data fields."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from crowdcore.crowd.ids import Ids
from crowdcore.learning.networks.classifier import NetworkClassifier
from crowdcore.learning.networks.extra import torched
from crowdcore.learning.networks.saving import packed, unpacked

Floats = NDArray[np.float64]


@dataclass(eq=False, repr=False)
class EmbeddingNetwork(ClassifierMixin, BaseEstimator):
    """`NetworkClassifier` on the column of a DataFrame that holds vectors; made by `crowdcore.learning.embedding_mlp`.

    Rows without a vector of the commonest length are as if they had the mean vector.

    Parameters
    ----------
    random_state : int, optional
        The seed; 0 by default.

    Attributes
    ----------
    field_ : str
        The column.
    classes_ : ndarray of shape (K,)
        The classes.
    """

    random_state: int | None = None

    def fit(self, X: Any, y: ArrayLike) -> EmbeddingNetwork:
        """Learn from a DataFrame and a class for each of its rows.

        Raises
        ------
        ValueError
            If no column holds vectors.
        """
        self.field_, size = find_vectors(X)
        V = vectors(X, self.field_, size)
        told = ~np.isnan(V).any(axis=1)
        self.mean_: Floats = V[told].mean(axis=0)
        self.network_ = NetworkClassifier(seed=self.random_state or 0).fit(self._filled(V), y)
        self.classes_: Ids = self.network_.classes_
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each class for each row, (n, K)."""
        return self.network_.predict_proba(self._filled(vectors(X, self.field_, len(self.mean_))))

    def predict(self, X: Any) -> Ids:
        """Return the most probable class of each row, (n,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def to_bytes(self) -> bytes:
        """Return the fitted network as safetensors, which hold no code."""
        tensors, about = packed(self.network_)
        torch_mean = torched("checkpoints").as_tensor(self.mean_)
        return torched("checkpoints").to_bytes({**tensors, "mean": torch_mean}, {**about, "field": self.field_})

    def from_bytes(self, content: bytes) -> EmbeddingNetwork:
        """Be what `to_bytes` returned.

        Raises
        ------
        ValueError
            If it is damaged, or something else.
        """
        tensors, about = torched("checkpoints").from_bytes(content)
        self.field_, self.mean_ = about["field"], tensors.pop("mean").numpy()
        self.network_ = unpacked(NetworkClassifier, tensors, about, {}, "the kept model")
        self.classes_ = self.network_.classes_
        return self

    def _filled(self, V: Floats) -> Floats:
        return np.where(np.isnan(V), self.mean_, V)


def find_vectors(frame: Any) -> tuple[str, int]:
    """Return the first column that holds vectors in at least half of its rows, and their commonest length.

    Raises
    ------
    ValueError
        If there is none.
    """
    for name in frame.columns:
        lengths = Counter(len(vector) for vector in map(as_vector, frame[name]) if vector is not None)
        if lengths and lengths.total() >= len(frame) / 2:
            return name, lengths.most_common(1)[0][0]
    raise ValueError(
        f"None of the columns {', '.join(map(str, frame.columns[:20]))} holds lists of numbers in most rows. Add one "
        "with an embedding of each task."
    )


def vectors(frame: Any, name: str, size: int) -> Floats:
    """Return a column's vectors, (n, size); what is none, or has another length, is not a number."""
    found = np.full((len(frame), size), np.nan)
    for row, vector in enumerate(map(as_vector, frame[name])):
        if vector is not None and len(vector) == size:
            found[row] = vector
    return found


def as_vector(value: Any) -> Floats | None:
    """Return a list of finite numbers as an array, None for anything else."""
    if not isinstance(value, list | tuple | np.ndarray) or not len(value):
        return None
    try:
        found = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.ndim == 1 and np.isfinite(found).all() else None
