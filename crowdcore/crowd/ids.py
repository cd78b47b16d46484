"""Ids, labels and codes as arrays, from whatever form they have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd

Ids = NDArray[Any]
Codes = NDArray[np.int64]

LARGEST_EXACT = 2**53
"""Above this number, not every whole number is a float."""

MISSING, UNKNOWN = -1, -2
"""Codes of missing values and of unknown ids."""


def plain(value: Any) -> Any:
    """Return a NumPy scalar as Python's, so that messages show 7 and not np.int64(7)."""
    return value.item() if isinstance(value, np.generic) else value


def as_array(values: Iterable[Any]) -> Ids:
    """Return values as a one-dimensional array that keeps them as they are: text is not made of numbers."""
    if isinstance(values, range):
        return np.arange(values.start, values.stop, values.step)
    to_numpy = getattr(values, "to_numpy", None)
    if to_numpy is not None:
        values = to_numpy()
    if isinstance(values, np.ndarray):
        if values.ndim == 1 and values.dtype.kind in "iufbO":
            return values
        values = values.tolist() if values.dtype.kind not in "mM" else _times(values)
    items = list(values)
    if _are_numbers(items) or set(map(type, items)) == {bool}:
        return np.asarray(items) if items else np.empty(0, dtype=np.int64)
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def _times(values: NDArray[Any]) -> list[Any]:
    """Return dates and durations in pandas' types; NumPy makes numbers of those that count nanoseconds."""
    import pandas as pd

    listed: list[Any] = pd.Series(values).tolist()
    return listed


def _are_numbers(items: list[Any]) -> bool:
    return all(issubclass(kind, int | float | np.number) and kind is not bool for kind in set(map(type, items)))


def as_ids(values: Iterable[Any], what: str) -> Ids:
    """Return ids as a new array; each of them occurs once. Those of a set are sorted."""
    if isinstance(values, Set):
        return distinct(as_array(values))
    array: Ids = as_array(values).copy()
    if array.dtype.kind in "iu" and (array[1:] > array[:-1]).all():
        return array
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
    if array.size and (array.min() < 0 or array.max() >= len(ids)):
        wrong = np.flatnonzero((array < 0) | (array >= len(ids)))
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
        if not isinstance(rows, Iterable) or any(not isinstance(row, Iterable) or isinstance(row, str) for row in rows):
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
    return _sorted(found[~pd.isna(found)])[0]


def order_of(column: Any) -> Ids | None:
    """Return the categories of an ordered pandas categorical, in their order; None of anything else."""
    dtype: Any = getattr(column, "dtype", None)
    return as_array(dtype.categories) if getattr(dtype, "ordered", False) is True else None


def coded(values: Ids | pd.Series[Any], known: Ids | None = None) -> tuple[Codes, Ids]:
    """Return each value's place among the ids, and the ids; those of an ordered categorical are in its order.

    Parameters
    ----------
    values : ndarray or Series, shape (A,)
        Ids or labels. The code of a missing one is `MISSING`.
    known : ndarray, optional
        All ids there are; the code of any other is `UNKNOWN`. By default those found, as `distinct` gives them.
    """
    import pandas as pd

    raw, found = _factorized(values)
    places = np.full(len(found) + 1, MISSING, dtype=np.int64)  # the last is looked up where raw is -1
    if known is not None:
        looked_up = pd.Index(known).get_indexer(pd.Index(found))
        places[:-1] = np.where(looked_up < 0, UNKNOWN, looked_up)
        return places[raw], known
    used = np.zeros(len(places), dtype=bool)
    used[raw] = True
    at = np.flatnonzero(used[:-1])
    ids, order = _sorted(found[at]) if order_of(values) is None else (as_array(found[at]), np.arange(len(at)))
    places[at[order]] = np.arange(len(ids))
    return places[raw], ids


def _factorized(values: Ids | pd.Series[Any]) -> tuple[NDArray[np.integer[Any]], Ids]:
    """Return the place of each value among distinct ones, -1 where missing, and these; some may not occur."""
    import pandas as pd

    if isinstance(values, pd.Series) and isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.codes.to_numpy(), as_array(values.cat.categories)
    if len(values) and isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu":
        array = np.asarray(values)
        low, high = int(array.min()), int(array.max())
        if high - low < 2 * len(array) and high <= np.iinfo(np.int64).max:
            return array.astype(np.int64) - low, low + np.arange(high - low + 1)
    try:
        raw, found = pd.factorize(values)
    except TypeError as error:
        raise ValueError(
            f"A value cannot be an id or a label ({error}): tasks, annotators and labels are numbers, texts, or "
            "other hashable values, one for each answer."
        ) from None
    ids = as_array(found)
    if ids.dtype.kind == "O":
        _refuse_truth_values_among_numbers(values, ids)
    return raw, ids


def _refuse_truth_values_among_numbers(values: Any, found: Ids) -> None:
    """Raise a ValueError if values are both true and 1, or false and 0, which Python takes for the same."""
    if not any(isinstance(one, bool | int | float) and one in (0, 1) for one in found.tolist()):
        return
    kinds = {type(one) for one in values if isinstance(one, bool | int | float) and one in (0, 1)}
    if bool in kinds and len(kinds) > 1:
        raise ValueError(
            "Some values are True or False and others are 1 or 0, which Python takes for the same: write all of them "
            "as numbers, as truth values, or as texts, for example with frame[column].map(str)."
        )


def _sorted(found: Ids) -> tuple[Ids, Codes]:
    """Return distinct values sorted, whole numbers as integers, and the order that sorts them."""
    if found.dtype.kind == "O":
        items = found.tolist()
        kinds = set(map(type, items))
        keys = list(map(_key, items)) if any(issubclass(kind, frozenset | tuple | Enum) for kind in kinds) else items
        try:
            listed = sorted(range(len(items)), key=keys.__getitem__)
        except TypeError:  # text and numbers in one column
            listed = _by_type(items, keys)
        order = np.fromiter(listed, dtype=np.int64, count=len(items))
        found = found[order]
        if kinds == {bool}:
            return found.astype(np.bool_), order
        if not _are_numbers(items):
            return found, order
    else:
        order = np.argsort(found)
        found = found[order]
    if found.dtype.kind not in "iub":
        found = as_array(found.tolist())  # numbers that shared a column with None are numbers again
    whole = found.dtype.kind == "f" and np.all((found == np.trunc(found)) & (np.abs(found) < LARGEST_EXACT))
    if whole or (found.dtype.kind in "iu" and found.max(initial=0) <= np.iinfo(np.int64).max):
        found = found.astype(np.int64, copy=False)
    return found, order


def _key(item: Any) -> Any:
    """Return what a value is sorted by: sets have a part of an order only, and members of an Enum that of values."""
    if isinstance(item, frozenset):
        inside = [_key(one) for one in item]
        try:
            return sorted(inside)
        except TypeError:
            return sorted(inside, key=lambda one: (type(one).__name__, repr(one)))
    if isinstance(item, Enum) and not isinstance(item, int | str):
        return item.value
    return tuple(map(_key, item)) if isinstance(item, tuple) else item


def _by_type(items: list[Any], keys: list[Any]) -> list[int]:
    """Return the order of values of several types, each type by itself."""
    try:
        return sorted(range(len(items)), key=lambda at: (type(items[at]).__name__, keys[at]))
    except TypeError:
        kinds = dict.fromkeys(type(item).__name__ for item in items)
        raise ValueError(
            f"{items[0]!r} cannot be an id or a label: values of its kind ({', '.join(kinds)}) have no order. Tasks, "
            "annotators and labels are numbers, texts, truth values, dates, or tuples of these: make texts of them, "
            "for example with frame[column].map(str)."
        ) from None


def numeric_keys(keys: Iterable[str]) -> tuple[list[Any], dict[str, Any]]:
    """Return a JSON object's keys as sorted ids, and each key's id: numbers if all of them are."""
    listed = list(keys)
    numeric = all(isinstance(key, str) and key.isdecimal() and str(int(key)) == key for key in listed)
    ids = {key: int(key) if numeric else key for key in listed}
    return sorted(ids.values()), ids
