"""Wide tables: a row for each task and a column for each annotator, as CSV or as a bare matrix of codes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np

from crowdcore.crowd.ids import as_ids, distinct, plain
from crowdcore.crowd.table import Crowd
from crowdcore.formats.delimited import read_blocks, separator_of, typed, written_separator

NO_ANSWER: Final = "-1"
"""What stands for no answer in wide tables, besides an empty cell."""

_CELLS: Final = 4_000_000
"""Cells of a table that are in memory at once."""


def read_wide(path: str | Path, *, classes: Iterable[Any] | None = None) -> Crowd:
    r"""Read a CSV with a row for each task and a column for each annotator.

    Parameters
    ----------
    path : path
        The first column holds the tasks, the first line the annotators. An empty cell and -1 are no answer.
    classes : sequence, optional
        All labels there are, in the order wanted. Default: those in the table, sorted.

    Raises
    ------
    ValueError
        If a task or an annotator is there twice, or a label is not among `classes`.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "wide.csv"
    >>> _ = file.write_text("task,ann,bob\n7,cat,dog\n8,,cat\n")
    >>> read_wide(file).to_long()
       task annotator label
    0     7       ann   cat
    1     7       bob   dog
    2     8       bob   cat
    """
    import pandas as pd

    path = Path(path)
    header = separator_of(path)[1]
    if len(header) < 2:
        raise ValueError(f"{path} has one column: expected the tasks in the first and a column for each annotator.")
    annotators = as_ids(typed(header[1:]), f"the first line of {path}")
    tasks: list[Any] = []
    rows, columns, texts = [], [], []
    for block in read_blocks(path, max(1, _CELLS // len(header))):
        values = block.iloc[:, 1:].to_numpy(dtype=object)
        if block.iloc[:, 0].isna().any():
            blank = block.isna().all(axis=1).to_numpy()
            nameless = np.flatnonzero(block.iloc[:, 0].isna().to_numpy() & ~blank)
            if len(nameless):
                line = len(tasks) + nameless[0] + 2
                raise ValueError(f"{path}, line {line}: the first cell is empty. It must name the task: fill it.")
            block, values = block[~blank], values[~blank]
        row, column = np.nonzero(~pd.isna(values) & (values != NO_ANSWER))
        rows.append(row + len(tasks))
        columns.append(column)
        texts.append(values[row, column])
        tasks += block.iloc[:, 0].tolist()
    codes, names = pd.factorize(np.concatenate(texts))
    labels = typed(names)
    known = distinct(labels) if classes is None else as_ids(classes, "classes")
    places = pd.Index(known).get_indexer(pd.Index(labels))
    task, annotator = np.concatenate(rows), np.concatenate(columns)
    wrong = np.flatnonzero(places[codes] < 0) if len(codes) else codes
    if len(wrong):
        at = wrong[0]
        raise ValueError(
            f"{path}, task {tasks[task[at]]!r}, annotator {plain(annotators[annotator[at]])!r}: found label "
            f"{plain(labels[codes[at]])!r}; allowed are the {len(known)} classes {known.tolist()[:8]}. Add it to "
            "classes= or empty the cell."
        )
    ids = as_ids(typed(tasks), f"the first column of {path}")
    return Crowd.from_codes(task, annotator, places[codes], tasks=ids, annotators=annotators, classes=known)


def read_matrix(path: str | Path, *, classes: Iterable[Any] | None = None) -> Crowd:
    r"""Read a bare matrix of class codes: a line for each task, a number for each annotator, -1 for no answer.

    Rodrigues & Pereira's LabelMe has this form (``answers.txt``). Tasks and annotators are numbered from 0.

    Raises
    ------
    ValueError
        If the lines are of different lengths or hold anything but whole numbers.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "answers.txt"
    >>> _ = file.write_text("0 1 -1\n-1 1 1\n")
    >>> read_matrix(file)
    Crowd(2 tasks, 3 annotators, 2 classes, 4 answers)
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # of a file without numbers
            matrix = np.loadtxt(path, dtype=np.int64, ndmin=2)
    except UserWarning:
        raise ValueError(f"{path} is empty: expected a line for each task, a number for each annotator.") from None
    except ValueError as error:
        raise ValueError(
            f"{path} is not a matrix of class codes ({error}): expected whole numbers with spaces between them, a line "
            "for each task, a number for each annotator, -1 for no answer."
        ) from None
    return Crowd.from_wide(matrix, classes=classes)


def write_wide(crowd: Crowd, path: str | Path) -> Path:
    """Write a CSV (.tsv: with tabs) with a row for each task and a column for each annotator, in the crowd's order.

    It has a cell for every task and annotator, so it is large where the crowd is; a class that nobody chose is lost.

    Returns
    -------
    Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> crowd = Crowd.from_wide([["cat", "dog"], [None, "cat"]])
    >>> print(write_wide(crowd, Path(tempfile.mkdtemp()) / "wide.csv").read_text())
    task,0,1
    0,cat,dog
    1,,cat
    <BLANKLINE>
    """
    import pandas as pd

    path = Path(path)
    M = len(crowd.annotators)
    size, separator = max(1, _CELLS // (M + 1)), written_separator(path)
    for start in range(0, max(1, len(crowd.tasks)), size):
        stop = min(start + size, len(crowd.tasks))
        answers = slice(crowd.indptr[start], crowd.indptr[stop])
        cells = np.full((stop - start, M), None, dtype=object)
        cells[crowd.task[answers] - start, crowd.annotator[answers]] = crowd.classes[crowd.label[answers]]
        frame = pd.DataFrame(cells, columns=crowd.annotators)
        frame.insert(0, "task", crowd.tasks[start:stop], allow_duplicates=True)
        frame.to_csv(path, index=False, sep=separator, header=start == 0, mode="a" if start else "w")
    return path
