"""Ids, labels and codes as arrays, whatever they come as."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd

Ids = NDArray[Any]
Codes = NDArray[np.int64]


def plain(value: Any) -> Any:
    """Return a NumPy scalar as Python's, so that messages show 7 and not np.int64(7)."""
    return value.item() if isinstance(value, np.generic) else value


def as_array(values: Iterable[Any]) -> Ids:
    """Return values as a one-dimensional array that keeps them as they are: text is not made of numbers."""
    to_numpy = getattr(values, "to_numpy", None)
    if to_numpy is not None:
        values = to_numpy()
    if isinstance(values, np.ndarray):
        if values.ndim == 1 and values.dtype.kind in "iufbO":
            return values
        values = values.tolist()
    items = list(values)
    if all(issubclass(kind, int | float | np.number) and kind is not bool for kind in set(map(type, items))):
        return np.asarray(items) if items else np.empty(0, dtype=np.int64)
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def as_ids(values: Iterable[Any], what: str) -> Ids:
    """Return ids as an array of their own, each of them once."""
    array: Ids = as_array(values).copy()
    if len(set(array.tolist())) < len(array):
        twice, times = Counter(array.tolist()).most_common(1)[0]
        raise ValueError(f"{twice!r} is listed {times} times in {what}. Give every id once.")
    return array


def as_codes(values: ArrayLike, what: str, ids: Ids) -> Codes:
    """Return codes as an array, each of them a place in ids."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"The {what} codes have {array.ndim} dimensions; pass a one-dimensional array.")
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(
            f"The {what} codes are {array.dtype}, not integers. Codes are places in the list of ids; for "
            "the ids themselves use Crowd.from_long."
        )
    array = array.astype(np.int64, copy=False)
    wrong = np.flatnonzero((array < 0) | (array >= len(ids)))
    if len(wrong):
        raise ValueError(
            f"Answer {wrong[0]} has {what} code {array[wrong[0]]}; allowed are 0 to {len(ids) - 1}, the "
            f"places of the {len(ids)} ids given. Leave missing answers out, or extend the ids."
        )
    return array


def as_matrix(matrix: ArrayLike | pd.DataFrame) -> Ids:
    """Return a two-dimensional array in which text and None are kept as they are."""
    to_numpy = getattr(matrix, "to_numpy", None)
    array = matrix if to_numpy is None else to_numpy()
    if not isinstance(array, np.ndarray):
        rows: Any = array
        if not all(isinstance(row, Iterable) and not isinstance(row, str) for row in rows):
            raise ValueError(
                "The matrix is not two-dimensional. Give a row for each task, a column for each annotator."
            )
        rows = [list(row) for row in rows]
        width = len(rows[0]) if rows else 0
        odd = next((at for at, row in enumerate(rows) if len(row) != width), None)
        if odd is not None:
            raise ValueError(
                f"Row {odd} of the matrix has {len(rows[odd])} columns and row 0 has {width}. Every row "
                "needs a column for every annotator, with -1, NaN or None for no answer."
            )
        array = as_array(item for row in rows for item in row).reshape(len(rows), width)
    if array.ndim != 2:
        raise ValueError(
            f"The matrix has {array.ndim} dimensions; expected 2. Give a row for each task, a column for "
            "each annotator."
        )
    return array if array.dtype.kind in "iufbO" else array.astype(object)


def distinct(values: Ids) -> Ids:
    """Return the distinct values that are not missing, sorted; whole numbers as integers."""
    import pandas as pd

    found: Ids = pd.unique(as_array(values))
    found = found[~pd.isna(found)]
    try:
        found = np.sort(found)
    except TypeError:  # text and numbers in one column
        found = as_array(sorted(found.tolist(), key=lambda item: (type(item).__name__, item)))
    found = as_array(found.tolist())  # numbers that shared a column with None are numbers again
    if found.dtype.kind == "f" and np.all(found == np.trunc(found)):
        found = found.astype(np.int64)
    return found


def numeric_keys(keys: Iterable[str]) -> tuple[list[Any], dict[str, Any]]:
    """Return a JSON object's keys as sorted ids, and each key's id: numbers if all of them are."""
    listed = list(keys)
    numeric = all(isinstance(key, str) and key.isdecimal() and str(int(key)) == key for key in listed)
    ids = {key: int(key) if numeric else key for key in listed}
    return sorted(ids.values()), ids
