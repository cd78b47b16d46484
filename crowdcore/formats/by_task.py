"""What is known of tasks besides their answers: truth, class probabilities and features, one row a task."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes, Ids, as_array, distinct, plain
from crowdcore.crowd.table import Crowd
from crowdcore.formats.columns import find_column
from crowdcore.formats.delimited import typed
from crowdcore.formats.long_tables import column_names, is_parquet, read_columns

if TYPE_CHECKING:
    import pandas as pd

OF_RESULTS: Final = ("label", "quality")
"""Columns of our own tables of results that are no classes."""


def read_truth(
    path: str | Path, crowd: Crowd, *, task_column: str | None = None, truth_column: str | None = None
) -> pd.Series[Any]:
    r"""Read true labels.

    Parameters
    ----------
    path : path
        A CSV or Parquet file with a column for the task and one for its truth (or gold, ground_truth, label, ...),
        empty or, unless the crowd has such a class, -1 where it is not known; or .npy or .txt: a label for each of
        the crowd's tasks, in their order, -1 where it is not known.
    crowd : Crowd
        Its tasks and classes; texts become ids of the same kind.
    task_column, truth_column : str, optional
        Names of the columns.

    Returns
    -------
    Series
        Task to label, of those that are known; also of tasks and with classes that the crowd does not have. What
        `aggregate.Aggregator.fit` takes as ``known_labels``.

    Raises
    ------
    ValueError
        If a column is missing, a task is there twice, the length is not that of the crowd, or no task is the crowd's.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "truth.csv"
    >>> _ = file.write_text("question,truth\n1,cat\n0,dog\n")
    >>> read_truth(file, Crowd.from_wide([["cat", "dog"], [None, "cat"]])).to_dict()
    {1: 'cat', 0: 'dog'}
    """
    import pandas as pd

    path = Path(path)
    if path.suffix.lower() in (".npy", ".txt"):
        labels = _read_in_order(path, crowd, 1)
        known = ~pd.isna(labels) & (labels != -1)
        tasks, labels = crowd.tasks[known], _whole(labels[known])
        if crowd.classes.dtype.kind == "O" and labels.dtype.kind in "iu":
            wrong = np.flatnonzero(labels >= len(crowd.classes))
            if len(wrong):
                raise ValueError(
                    f"{path}, task {plain(tasks[wrong[0]])!r}: found {labels[wrong[0]]}; the classes are "
                    f"{crowd.classes.tolist()[:8]}, so allowed are their places 0 to {len(crowd.classes) - 1}, and -1."
                )
            labels = crowd.classes[labels]
        in_order: pd.Series[Any] = pd.Series(labels, index=tasks, name="truth")
        return in_order
    columns = column_names(path)
    task = find_column(columns, "task", task_column, str(path))
    truth = find_column([name for name in columns if name != task], "truth", truth_column, str(path))
    frame = read_columns(path, [task, truth]).dropna()
    tasks = _as_those(crowd.tasks, _values(frame[task]))
    _once(path, tasks)
    _overlap(path, tasks, crowd)
    labels = _as_those(crowd.classes, _values(frame[truth]))
    by_task: pd.Series[Any] = pd.Series(labels, index=tasks, name="truth")
    return by_task if -1 in crowd.classes.tolist() else by_task[labels.astype(str) != "-1"]


def truth_codes(crowd: Crowd, truth: pd.Series[Any]) -> Codes:
    """Return true labels as class codes of the crowd's tasks, -1 where not known, shape (N,).

    Raises
    ------
    ValueError
        If a label is none of the crowd's classes: `add_classes` makes it one.
    """
    import pandas as pd

    place = pd.Index(truth.index).get_indexer(pd.Index(crowd.tasks))
    codes = np.append(pd.Index(crowd.classes).get_indexer(pd.Index(truth.to_numpy())), -1)[place]
    unknown = np.flatnonzero((place >= 0) & (codes < 0))
    if len(unknown):
        task = crowd.tasks[unknown[0]]
        raise ValueError(
            f"Task {plain(task)!r}: the truth is {plain(truth.loc[task])!r}; the crowd's classes are "
            f"{crowd.classes.tolist()[:8]}. Use add_classes to have classes that nobody chose."
        )
    return np.asarray(codes, dtype=np.int64)


def add_classes(crowd: Crowd, labels: Iterable[Any]) -> Crowd:
    """Return the crowd with classes for these labels, too: sorted if they were sorted, else at the end.

    Examples
    --------
    >>> add_classes(Crowd.from_wide([[0, 3]]), [1, 3]).classes
    array([0, 1, 3])
    """
    import pandas as pd

    asked = distinct(as_array(labels))
    new = asked[pd.Index(crowd.classes).get_indexer(pd.Index(asked)) < 0]
    if not len(new):
        return crowd
    classes = as_array([*crowd.classes.tolist(), *new.tolist()])
    if crowd.classes.tolist() == distinct(crowd.classes).tolist():
        classes = distinct(classes)
    place = pd.Index(classes).get_indexer(pd.Index(crowd.classes))
    return Crowd.from_codes(
        crowd.task, crowd.annotator, place[crowd.label], tasks=crowd.tasks, annotators=crowd.annotators, classes=classes
    )


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
        If a task or a class of the crowd is missing, or a cell is no number. The message names file and task.
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
        matrix = _read_in_order(path, crowd, 2)
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
    frame.columns = pd.Index(_as_those(crowd.classes, typed(frame.columns)))
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
        If a task of the crowd is missing or a cell is no number.
    OSError
        If the file cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() == ".npy":
        return np.asarray(_read_in_order(path, crowd, 2), dtype=np.float64)
    return _all_numbers(path, _numbers_by_task(path, crowd, task_column)).to_numpy()


def _read_in_order(path: Path, crowd: Crowd, dimensions: int) -> NDArray[Any]:
    """Return an array with a row for each of the crowd's tasks."""
    try:
        if path.suffix.lower() == ".txt":
            found: NDArray[Any] = np.loadtxt(path, dtype=np.int64, ndmin=1)
        else:
            found = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} is no array ({error}): write it anew with numpy.save.") from None
    if found.ndim != dimensions or len(found) != len(crowd.tasks):
        raise ValueError(
            f"{path} has shape {found.shape}; expected {dimensions} dimension{'s' * (dimensions > 1)} and a row for "
            f"each of the {len(crowd.tasks)} tasks that have answers, in increasing order of their ids. A CSV or "
            "Parquet file with a task column fits in any order."
        )
    return found if found.dtype.kind in "iuf" else found.astype(object)


def _numbers_by_task(path: Path, crowd: Crowd, task_column: str | None) -> pd.DataFrame:
    """Return all other columns of a table by the crowd's tasks."""
    import pandas as pd

    columns = column_names(path)
    if task_column is None:
        named = [name for name in columns if name.lower() in ("task", "task_id", "__index_level_0__")]
        task_column = named[0] if named else columns[0]
    task = find_column(columns, "task", task_column, str(path))
    others = [name for name in columns if name != task]
    if not others:
        raise ValueError(f"{path} has no column but {task!r}: expected the task and columns of numbers.")
    names = read_columns(path, [task])[task]
    missing = np.flatnonzero(names.isna())
    if len(missing):
        raise ValueError(f"{path}, row {missing[0]} (counted from 0): there is no task in column {task!r}: fill it.")
    tasks = _as_those(crowd.tasks, _values(names))
    _once(path, tasks)
    place = pd.Index(tasks).get_indexer(pd.Index(crowd.tasks))
    absent = np.flatnonzero(place < 0)
    if len(absent):
        raise ValueError(
            f"{path} has no row for task {plain(crowd.tasks[absent[0]])!r} ({len(absent)} of the crowd's "
            f"{len(crowd.tasks)} tasks are missing; it has {plain(tasks[0])!r}, ...). Give a row for each task that "
            "has answers."
        )
    if is_parquet(path):
        frame = pd.read_parquet(path).reset_index()[others]
    else:
        cells = read_columns(path, others)
        frame = pd.DataFrame({name: pd.to_numeric(cells[name].astype(str), errors="coerce") for name in others})
    in_order: pd.DataFrame = frame.iloc[place].set_axis(crowd.tasks)
    return in_order


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


def _values(column: pd.Series[Any]) -> Ids:
    """Return a categorical's values: numbers where all texts are."""
    categories = column.cat.categories.tolist()
    values = typed(categories) if all(isinstance(value, str) for value in categories) else as_array(categories)
    found: Ids = _whole(values)[column.cat.codes.to_numpy()]
    return found


def _whole(values: Ids) -> Ids:
    """Return whole numbers as integers; anything else as it is."""
    if values.dtype.kind == "f" and np.all(values == np.trunc(values)):
        return values.astype(np.int64)
    return values


def _as_those(ids: Ids, values: Ids) -> Ids:
    """Return values as the ids that are written alike, where one file has numbers and the other text."""
    if (ids.dtype.kind in "iuf") == (values.dtype.kind in "iuf"):
        return values
    known = {str(one): one for one in ids.tolist()}
    return as_array([known.get(str(value), value) for value in values.tolist()])


def _once(path: Path, tasks: Ids) -> None:
    import pandas as pd

    twice = np.flatnonzero(pd.Index(tasks).duplicated())
    if len(twice):
        raise ValueError(
            f"{path}: task {plain(tasks[twice[0]])!r} is there more than once ({len(twice)} rows too many in all). "
            "Keep one row for each task."
        )


def _overlap(path: Path, tasks: Ids, crowd: Crowd) -> None:
    import pandas as pd

    if len(tasks) and len(crowd.tasks) and not pd.Index(tasks).isin(crowd.tasks).any():
        raise ValueError(
            f"{path}: none of its {len(tasks)} tasks ({plain(tasks[0])!r}, ...) is among the {len(crowd.tasks)} of "
            f"the answers ({plain(crowd.tasks[0])!r}, ...). Give both the same task ids."
        )
