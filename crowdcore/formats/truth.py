"""What the labels of tasks are in truth, from files with a row for each task; all of it or some."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from crowdcore.crowd.columns import find_column, fitting
from crowdcore.crowd.ids import Codes, as_array, distinct, plain
from crowdcore.crowd.table import Crowd
from crowdcore.formats.by_task import as_those, as_whole, check_once, check_overlap, read_in_order, values_of
from crowdcore.formats.delimited import WORDS
from crowdcore.formats.long_tables import no_header_advice
from crowdcore.formats.tables import Table, open_table
from crowdcore.formats.truth_within import check_shared

if TYPE_CHECKING:
    import pandas as pd

NO_TRUTH: Final = ("-1", *WORDS)
"""What stands for a truth that is not known, besides an empty cell, unless a class is called so."""


def read_truth(
    path: str | Path,
    crowd: Crowd,
    *,
    task_column: str | None = None,
    truth_column: str | None = None,
    like: str | None = None,
    kind: str = "choice",
) -> pd.Series[Any]:
    r"""Read true labels.

    Parameters
    ----------
    path : path
        A table with a column for the task and one for its truth (or gold, ground_truth, label, ...), empty or, unless
        the crowd has such a class, -1 or NA where it is not known; or .npy or .txt: a label for each of the crowd's
        tasks, in their order, -1 where it is not known.
    crowd : Crowd
        Its tasks and classes; texts become ids of the same kind.
    task_column, truth_column : str, optional
        Names of the columns.
    like : str, optional
        What the answers call the task: the same column is taken here, if there is one.
    kind : {"choice", "ordered", "set", "number", "text", "ranking"}
        What the answers are. Only the truth of classes has to be one that was given, and -1 is a number.

    Returns
    -------
    Series
        Task to label, of those that are known; also of tasks and with classes that the crowd does not have. What
        `aggregate.Aggregator.fit` takes as ``known_labels``.

    Raises
    ------
    ValueError
        If a column is missing, a task has several labels, the length is not that of the crowd, no task is the crowd's,
        or none of the labels is one of the crowd's classes.
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
        known = ~pd.isna(labels) & ((labels != -1) | (kind == "number"))
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
    table = open_table(path)
    task, truth = _columns(table, task_column, truth_column, like)
    frame = table.cells([task, truth]).dropna()
    words = WORDS if kind == "number" else NO_TRUTH
    unknown = set(words) - set(map(str, crowd.classes.tolist()))
    frame = frame[~frame[truth].astype(str).isin(unknown)]
    frame = frame.drop_duplicates().apply(lambda column: column.cat.remove_unused_categories())
    tasks = as_those(crowd.tasks, values_of(frame[task]))
    check_once(path, tasks)
    check_overlap(path, tasks, crowd)
    cells = values_of(frame[truth])
    labels = cells if kind == "number" else as_those(crowd.classes, cells)  # numbers may be called by texts
    if kind in ("choice", "ordered"):
        check_shared(f"{path}, column {truth!r}", labels, crowd)
    by_task: pd.Series[Any] = pd.Series(labels, index=tasks, name="truth")
    return by_task


def _columns(table: Table, task: str | None, truth: str | None, like: str | None) -> tuple[str, str]:
    """Return the columns of the task and of its truth."""
    columns, where = table.columns, str(table.path)
    try:
        if task is None and like in columns:
            task = like
        if task is None and truth is None and len(columns) == 2 and not fitting(columns, "task"):
            truths = fitting(columns, "truth")  # of two columns, one of which is the truth, the other is the task
            task = next(name for name in columns if name != truths[0]) if len(truths) == 1 else None
        task = find_column(columns, "task", task, where)
        return task, find_column([name for name in columns if name != task], "truth", truth, where)
    except ValueError as error:
        advice = " If its first line is a row, put a line of names, such as task,truth, before it."
        raise ValueError(str(error) + (advice if no_header_advice(table) else "")) from None


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
    if crowd.classes.tolist() == distinct(crowd.classes).tolist():  # nothing is lost if they were given so
        classes = distinct(classes)
    place = pd.Index(classes).get_indexer(pd.Index(crowd.classes))
    return Crowd(
        crowd.tasks, crowd.annotators, classes, crowd.indptr, crowd.annotator, place[crowd.label], crowd.ordered
    )
