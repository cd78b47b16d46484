"""What a network learns from, in one shape: arrays, frames, torch Datasets, folders of pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes, Ids, plain

Floats = NDArray[np.float64]
Scaler = tuple[Floats, Floats]


class Tasks:
    """Tasks in an order: an array of features (N, d), or anything that gives a task's tensor by its place.

    Attributes
    ----------
    shape : tuple of int
        Of one task.
    """

    shape: tuple[int, ...]

    def __len__(self) -> int:
        raise NotImplementedError

    def take(self, places: Codes) -> NDArray[np.float32]:
        """Return some tasks, (n, *shape)."""
        raise NotImplementedError


class ArrayTasks(Tasks):
    """An array of finite numbers, (N, d) or (N, ...)."""

    def __init__(self, X: Any) -> None:
        self._X = _numbers(X)
        self.shape = self._X.shape[1:]

    def __len__(self) -> int:
        return len(self._X)

    def take(self, places: Codes) -> NDArray[np.float32]:
        """See `Tasks`."""
        return self._X[places].astype(np.float32)

    def scaler(self, places: Codes) -> Scaler:
        """Return the mean and the spread of each feature among some tasks; 1 where all are alike."""
        X = self._X[places]
        spread = X.std(axis=0)
        return X.mean(axis=0), np.where(spread > 0, spread, 1.0)

    def scaled(self, scaler: Scaler) -> ArrayTasks:
        """Return the tasks with features less a mean, divided by a spread."""
        mean, spread = scaler
        return ArrayTasks((self._X - mean) / spread)

    def in_own_order(self, places: Codes) -> Codes:
        """Return places in an order that follows from the features, not from the tasks' order or names."""
        flat = self._X[places].reshape(len(places), -1)
        direction = np.random.default_rng(0).standard_normal(flat.shape[1])
        return places[np.argsort((flat @ direction).round(6), kind="stable")]


class DatasetTasks(Tasks):
    """A torch Dataset (`__len__`, `__getitem__`); of items that are tuples the first part counts."""

    def __init__(self, dataset: Any, order: Codes) -> None:
        self._dataset, self._order = dataset, order
        self.shape = self._one(order[0]).shape if len(order) else ()

    def __len__(self) -> int:
        return len(self._order)

    def take(self, places: Codes) -> NDArray[np.float32]:
        """See `Tasks`."""
        return np.stack([self._one(self._order[place]) for place in places])

    def _one(self, place: int) -> NDArray[np.float32]:
        item = self._dataset[int(place)]
        return np.asarray(item[0] if isinstance(item, tuple | list) else item, dtype=np.float32)


def as_tasks(X: Any, ids: Ids | None = None) -> Tasks:
    """Return tasks in the order of their ids.

    Parameters
    ----------
    X : array_like, DataFrame or torch Dataset
        A row, or an item, for each task. A DataFrame's index and a Dataset's `tasks` are ids.
    ids : ndarray of shape (N,), optional
        Those wanted; None: all, as they come.

    Raises
    ------
    ValueError
        If a task is missing, the number of tasks is another, or features are no finite numbers.
    """
    if hasattr(X, "reindex"):
        return ArrayTasks(X if ids is None else X.iloc[_places(X.index.tolist(), ids, "the DataFrame's index")])
    if hasattr(X, "__getitem__") and hasattr(X, "__len__") and not hasattr(X, "__array__") and not _is_sequence(X):
        known = getattr(X, "tasks", None)
        named = ids is not None and known is not None
        order = _places(np.asarray(known).tolist(), ids, f"{type(X).__name__}.tasks") if named else _range(len(X))
        tasks: Tasks = DatasetTasks(X, order)
    else:
        tasks = ArrayTasks(X)
    if ids is not None and len(tasks) != len(ids):
        raise ValueError(
            f"There are {len(tasks)} rows of features, or pictures, and {len(ids)} tasks; expected one for each, in "
            "the tasks' order. Or pass a DataFrame whose index has the tasks."
        )
    return tasks


def _is_sequence(X: Any) -> bool:
    return isinstance(X, list | tuple)


def _range(stop: int) -> Codes:
    return np.arange(stop, dtype=np.int64)


def _places(known: list[Any], ids: Any, where: str) -> Codes:
    places = {task: place for place, task in enumerate(known)}
    if len(places) != len(known):
        raise ValueError(f"A task is in {where} several times. Leave one of each.")
    absent = [plain(task) for task in ids.tolist() if task not in places]
    if absent:
        raise ValueError(
            f"Task {absent[0]!r} is not in {where} ({len(absent)} such tasks in total). Add what is missing, or leave "
            "these tasks out of the crowd with select_tasks."
        )
    return np.array([places[task] for task in ids.tolist()], dtype=np.int64)


def _numbers(X: Any) -> Floats:
    try:
        found = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Features are not an array of numbers ({error}). Encode text and categories first, and make sparse "
            "features dense, for example with TruncatedSVD."
        ) from None
    if found.ndim < 2 or (not found[:1].size and len(found)):
        raise ValueError(f"Features have shape {found.shape}; expected (N, d): a row for each task, and a column.")
    wrong = np.flatnonzero(~np.isfinite(found.reshape(len(found), -1).sum(axis=1)))
    if len(wrong):
        raise ValueError(
            f"Features, row {wrong[0]}: a value is not finite ({len(wrong)} such rows in total). Fill missing values "
            "first, for example with SimpleImputer."
        )
    return found
