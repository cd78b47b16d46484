"""What the labels of tasks are in truth, from files with a row for each task; all of it or some."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crowdcore.crowd.ids import Codes, as_array, distinct, plain
from crowdcore.crowd.table import Crowd
from crowdcore.formats.by_task import as_those, as_whole, check_once, check_overlap, read_in_order, values_of
from crowdcore.formats.columns import find_column
from crowdcore.formats.long_tables import column_names, read_columns

if TYPE_CHECKING:
    import pandas as pd


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
        labels = read_in_order(path, crowd, 1)
        known = ~pd.isna(labels) & (labels != -1)
        tasks, labels = crowd.tasks[known], as_whole(labels[known])
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
    tasks = as_those(crowd.tasks, values_of(frame[task]))
    check_once(path, tasks)
    check_overlap(path, tasks, crowd)
    labels = as_those(crowd.classes, values_of(frame[truth]))
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
