"""Class probabilities and features of tasks, from files with a row for each task."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.columns import find_column
from crowdcore.crowd.ids import as_array, plain
from crowdcore.crowd.table import Crowd
from crowdcore.formats.by_task import as_those, check_once, read_in_order, values_of
from crowdcore.formats.delimited import typed
from crowdcore.formats.tables import Table, is_parquet, open_table

if TYPE_CHECKING:
    import pandas as pd

OF_RESULTS: Final = ("label", "quality")
"""Columns of our own tables of results that are no classes."""


def read_probabilities(path: str | Path, crowd: Crowd, *, task_column: str | None = None) -> pd.DataFrame:
    r"""Read a model's class probabilities.

    Parameters
    ----------
    path : path
        A CSV or Parquet file with a column for the task (or the first one) and a column for each class; or .npy,
        shape (N, K), rows and columns in the order of the crowd's tasks and classes.
    crowd : Crowd
        Its tasks and classes; texts become ids of the same kind.
    task_column : str, optional
        Name of the column.

    Returns
    -------
    DataFrame
        Index: the crowd's tasks. Columns: classes, also those that nobody chose: give them to `add_classes`.

    Raises
    ------
    ValueError
        If a task or a class of the crowd is missing, or a cell is not a number. The message names file and task.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "probabilities.csv"
    >>> _ = file.write_text("task,cat,dog\n1,.25,.75\n0,1,0\n")
    >>> read_probabilities(file, Crowd.from_wide([["cat", "dog"], [None, "cat"]])).to_numpy()
    array([[1.  , 0.  ],
           [0.25, 0.75]])
    """
    import pandas as pd

    path = Path(path)
    if path.suffix.lower() == ".npy":
        matrix = read_in_order(path, crowd, 2)
        K = matrix.shape[1]
        classes: Any = crowd.classes
        if len(classes) < K and classes.dtype.kind in "iu" and classes.min(initial=0) >= 0 and classes.max() < K:
            classes = np.arange(K)
        if len(classes) != K:
            raise ValueError(
                f"{path} has {K} columns and the crowd {len(classes)} classes ({classes.tolist()[:8]}): a column for "
                "each class is needed. A CSV or Parquet file names its columns, and may have more."
            )
        in_order: pd.DataFrame = pd.DataFrame(matrix, index=crowd.tasks, columns=classes)
        return in_order
    frame = _numbers_by_task(path, crowd, task_column)
    known = set(map(str, crowd.classes.tolist()))
    frame = frame[[name for name in frame.columns if name in known or name not in OF_RESULTS]]
    frame.columns = pd.Index(as_those(crowd.classes, typed(frame.columns)))
    absent = [label for label in crowd.classes.tolist() if label not in frame.columns]
    if absent:
        raise ValueError(
            f"{path} has no column for class {absent[0]!r}; its columns are {frame.columns.tolist()[:12]}. Give a "
            "column of probabilities for each class that the answers have."
        )
    return _all_numbers(path, frame)


def read_features(path: str | Path, crowd: Crowd, *, task_column: str | None = None) -> NDArray[np.float64]:
    """Read features of the tasks.

    Parameters
    ----------
    path : path
        As for `read_probabilities`: a table with a task column and columns of numbers, or .npy of shape (N, d).
    crowd : Crowd
        Its tasks.
    task_column : str, optional
        Name of the column.

    Returns
    -------
    ndarray of shape (N, d)
        In the order of the crowd's tasks.

    Raises
    ------
    ValueError
        If a task of the crowd is missing or a cell is not a number.
    OSError
        If the file cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() == ".npy":
        return np.asarray(read_in_order(path, crowd, 2), dtype=np.float64)
    return _all_numbers(path, _numbers_by_task(path, crowd, task_column)).to_numpy()


def read_further_features(
    path: str | Path, crowd: Crowd, further: Iterable[Any], *, task_column: str | None = None
) -> pd.DataFrame:
    """Read features of the crowd's tasks, and of further ones as far as the file has them.

    Parameters
    ----------
    path, crowd, task_column
        As for `read_features`; an array has no further tasks.
    further : iterable
        Ids of tasks.

    Returns
    -------
    DataFrame
        Index: the crowd's tasks in their order, then those of `further` that the file has.

    Raises
    ------
    ValueError, OSError
        As `read_features`.
    """
    import pandas as pd

    path = Path(path)
    if path.suffix.lower() == ".npy":
        in_order: pd.DataFrame = pd.DataFrame(read_features(path, crowd), index=crowd.tasks)
        return in_order
    return _all_numbers(path, _numbers_by_task(path, crowd, task_column, further))


def _numbers_by_task(path: Path, crowd: Crowd, task_column: str | None, further: Iterable[Any] = ()) -> pd.DataFrame:
    """Return all other columns of a table by the crowd's tasks, and by further ones that it has."""
    import pandas as pd

    table = open_table(path)
    columns = table.columns
    if task_column is None:
        named = [name for name in columns if name.lower() in ("task", "task_id", "__index_level_0__")]
        task_column = named[0] if named else columns[0]
    task = find_column(columns, "task", task_column, str(path))
    others = [name for name in columns if name != task]
    if not others:
        raise ValueError(f"{path} has only the column {task!r}: expected the task and columns of numbers.")
    names = table.cells([task])[task]
    if not len(names):
        raise ValueError(f"{path} has no rows, only the names of its columns: expected a row for each task.")
    missing = np.flatnonzero(names.isna())
    if len(missing):
        raise ValueError(f"{path}, row {missing[0]} (counted from 0): column {task!r} has no task: fill it.")
    tasks = as_those(crowd.tasks, values_of(names))
    check_once(path, tasks)
    place = pd.Index(tasks).get_indexer(pd.Index(crowd.tasks))
    absent = np.flatnonzero(place < 0)
    if len(absent):
        raise ValueError(
            f"{path} has no row for task {plain(crowd.tasks[absent[0]])!r} ({len(absent)} of the crowd's "
            f"{len(crowd.tasks)} tasks are missing; it has {plain(tasks[0])!r}, ...). Give a row for each task that "
            "has answers."
        )
    known = set(crowd.tasks.tolist())
    more = pd.Index([task for task in further if task not in known], dtype=object)
    place_of_more = pd.Index(tasks).get_indexer(more)
    rows = np.append(place, place_of_more[place_of_more >= 0])
    if is_parquet(path):
        frame = pd.read_parquet(path).reset_index()[others]
    else:
        cells = table.cells(others)
        frame = pd.DataFrame({name: _numbers(cells[name].astype(str), table) for name in others})
    ids = as_array([*crowd.tasks.tolist(), *more[place_of_more >= 0].tolist()])
    in_order: pd.DataFrame = frame.iloc[rows].set_axis(ids)
    return in_order


def _numbers(texts: pd.Series[str], table: Table) -> pd.Series[float]:
    """Return texts as numbers, NaN where they are none; also with decimal commas, where no comma separates cells."""
    import pandas as pd

    if getattr(table, "separator", ",") != ",":
        texts = texts.where(~texts.str.fullmatch(r"-?\d*,\d+"), texts.str.replace(",", ".", regex=False))
    found: pd.Series[float] = pd.to_numeric(texts, errors="coerce")
    return found


def _all_numbers(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    found: pd.DataFrame = frame.apply(pd.to_numeric, errors="coerce").astype(np.float64)
    row, column = np.nonzero(~np.isfinite(found.to_numpy()))
    if len(row):
        raise ValueError(
            f"{path}, task {plain(found.index[row[0]])!r}, column {plain(found.columns[column[0]])!r}: expected a "
            "finite number."
        )
    return found
