"""What all files with a row for each task share: their tasks are the crowd's, and each occurs once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Ids, as_array, plain
from crowdcore.crowd.table import Crowd
from crowdcore.formats.delimited import typed

if TYPE_CHECKING:
    import pandas as pd


def read_in_order(path: Path, crowd: Crowd, dimensions: int) -> NDArray[Any]:
    """Return an array with a row for each of the crowd's tasks."""
    try:
        if path.suffix.lower() == ".txt":
            found: NDArray[Any] = np.loadtxt(path, dtype=np.int64, ndmin=1)
        else:
            found = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} is not an array ({error}): write it again with numpy.save.") from None
    if found.ndim != dimensions or len(found) != len(crowd.tasks):
        raise ValueError(
            f"{path} has shape {found.shape}; expected {dimensions} dimension{'s' * (dimensions > 1)} and a row for "
            f"each of the {len(crowd.tasks)} tasks that have answers, in increasing order of their ids. A CSV or "
            "Parquet file with a task column can have its rows in any order."
        )
    return found if found.dtype.kind in "iuf" else found.astype(object)


def values_of(column: pd.Series[Any]) -> Ids:
    """Return a categorical's values; numbers if all texts are numbers."""
    categories = column.cat.categories.tolist()
    values = typed(categories) if all(isinstance(value, str) for value in categories) else as_array(categories)
    found: Ids = as_whole(values)[column.cat.codes.to_numpy()]
    return found


def as_whole(values: Ids) -> Ids:
    """Return whole numbers as integers; anything else as it is."""
    if values.dtype.kind == "f" and np.all(values == np.trunc(values)):
        return values.astype(np.int64)
    return values


def as_those(ids: Ids, values: Ids) -> Ids:
    """Return values as the ids that are written the same, if one file has numbers, or truth values, and the other text.

    Examples
    --------
    >>> as_those(np.array([False, True]), as_array(["true", "False", "maybe"])).tolist()
    [True, False, 'maybe']
    """
    if _sort_of(ids) == _sort_of(values):
        return values
    known = {_written(one): one for one in reversed(ids.tolist())}
    known |= {str(one): one for one in ids.tolist()}
    return as_array([known.get(str(value), known.get(_written(value), value)) for value in values.tolist()])


def _sort_of(ids: Ids) -> str:
    return {"b": "truth values", "O": "texts"}.get(ids.dtype.kind, "numbers")


def _written(value: Any) -> str:
    """Return how a value may be written as well: truth values in JSON's way."""
    return str(value).lower() if str(value) in ("True", "TRUE", "False", "FALSE") else str(value)


def check_once(path: Path, tasks: Ids) -> None:
    """Raise a ValueError if a task has several rows."""
    import pandas as pd

    twice = np.flatnonzero(pd.Index(tasks).duplicated())
    if len(twice):
        raise ValueError(
            f"{path}: task {plain(tasks[twice[0]])!r} occurs more than once ({len(twice)} extra rows in total). "
            "Keep one row for each task."
        )


def check_overlap(path: Path, tasks: Ids, crowd: Crowd) -> None:
    """Raise a ValueError if no task of the file is one of the crowd's."""
    import pandas as pd

    if len(tasks) and len(crowd.tasks) and not pd.Index(tasks).isin(crowd.tasks).any():
        raise ValueError(
            f"{path}: none of its {len(tasks)} tasks ({plain(tasks[0])!r}, ...) is among the {len(crowd.tasks)} of "
            f"the answers ({plain(crowd.tasks[0])!r}, ...). Give both the same task ids."
        )
