"""What a classifier is given, and what it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.studio.controls.variables import lookup

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps of it are done, and how many there are."""


@dataclass(frozen=True)
class TaskData:
    """What a classifier may look at: one row a task.

    Attributes
    ----------
    ids : sequence of int
        Label Studio's task ids.
    data : sequence of mapping
        Each task's `data`, as Label Studio stores it.
    fields : sequence of (object tag, data field)
        What annotators are shown, from the labeling config, such as ``("Text", "text")``; those that the
        scored control points to first.
    predictions : mapping, optional
        Model version -> task id -> (what it predicts, score or None): a class code, of sets a collection of them, of
        numbers a number. Only those that answer the control.
    versions : mapping, optional
        Model version -> how many predictions the project has of it, whatever they say.
    """

    ids: Sequence[int]
    data: Sequence[Mapping[str, Any]]
    fields: Sequence[tuple[str, str]] = ()
    predictions: Mapping[str, Mapping[int, tuple[Any, float | None]]] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.data):
            raise ValueError(f"Found {len(self.ids)} ids and {len(self.data)} rows of data; pass one a task.")

    def __len__(self) -> int:
        return len(self.ids)

    def column(self, name: str) -> list[Any]:
        """Return a data field's value in each task, None where it has none.

        A field inside a field, as in ``{"row": {"age": 31}}``, is called ``row.age``.
        """
        return [lookup(row, name) for row in self.data]


class Model(Protocol):
    """A classifier that has been trained, for tasks that it never saw; the standard pickle takes it."""

    def predict(self, tasks: TaskData) -> Floats:
        """Return class probabilities of tasks, whatever their data hold; the same each time.

        A task whose data are of no use (no text, no vector of the right length, no known column) gets the
        shares of the classes among the labels that were learned from.

        A model of sets returns the probability that each class applies, one of numbers a column with the number that is
        expected, NaN for data of no use.

        Parameters
        ----------
        tasks : TaskData
            Any tasks; data of the wrong type count as missing.

        Returns
        -------
        ndarray of shape (len(tasks), K)
            Finite, each value at least `FLOOR` / K, rows sum to 1.
        """
        ...


class Classifier(Protocol):
    """Something that tells classes from task data.

    Attributes
    ----------
    name : str
        "text", "tabular", "embedding", "predictions" or "estimator".
    why : str
        What was chosen and why, for the user to read.
    """

    name: str
    why: str

    def predict_out_of_sample(
        self, labels: Codes, n_classes: int, *, seed: int = 0, progress: Progress | None = None
    ) -> Floats:
        """Return class probabilities of every task by models that did not see the task's own label.

        Parameters
        ----------
        labels : ndarray of int, shape (N,)
            Class codes, -1 where there is no label yet.
        n_classes : int
            K; more than the labels show is fine.
        seed : int
            The same seed gives the same probabilities.
        progress : callable, optional
            Told after each step.

        Returns
        -------
        ndarray of shape (N, K)
            Finite, above 0, rows sum to 1.
        """
        ...

    def model(self, labels: Codes, n_classes: int, *, seed: int = 0) -> Model | None:
        """Return a model that learned from all labels, as those of `predict_out_of_sample` did from most.

        Parameters
        ----------
        labels : ndarray of int, shape (N,)
            Class codes, -1 where there is no label yet.
        n_classes : int
            K; more than the labels show is fine.
        seed : int
            With the seed of `predict_out_of_sample`, the setting that was chosen there is chosen again.

        Returns
        -------
        Model or None
            None where nothing is fitted, or nothing that can be pickled. With labels of fewer than two classes
            a model that knows their shares.
        """
        ...


def missing(value: Any) -> bool:
    """Say whether a value is None, NaN, or nothing but blanks."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, (Mapping, list, tuple)) and not value


def written(value: Any) -> str:
    """Return ``str(value)``, blanks around it stripped; "" where Python refuses, as for endless nesting."""
    try:
        return str(value).strip()
    except (ValueError, RecursionError):  # ValueError: an integer of more than 4,300 digits
        return ""


def as_number(value: Any) -> float:
    """Return a number, or a string that reads as one, as a float; NaN for anything else, infinity too."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return math.nan
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return math.nan
    return number if math.isfinite(number) else math.nan
