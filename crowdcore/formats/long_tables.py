"""Long tables: a row for each answer, as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from crowdcore.crowd.ids import Codes, as_array, as_ids, distinct, plain
from crowdcore.crowd.table import Crowd
from crowdcore.formats.columns import find_column
from crowdcore.formats.delimited import read_cells, separator_of, typed, written_separator

if TYPE_CHECKING:
    import pandas as pd

ROLES: Final = ("task", "annotator", "label")


def is_parquet(path: Path) -> bool:
    """Return whether a file's name says that it is Parquet."""
    return path.suffix.lower() in (".parquet", ".pq")


def column_names(path: Path) -> list[str]:
    """Return the names of a table's columns, without reading the table.

    Raises
    ------
    ValueError
        If the file is not a table.
    """
    if not is_parquet(path):
        return separator_of(path)[1]
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import read_schema

    try:
        return list(read_schema(path).names)
    except ArrowInvalid as error:
        raise ValueError(f"{path} is not a Parquet file ({error}): correct its name, or write it again.") from None


def read_columns(path: Path, columns: Iterable[str]) -> pd.DataFrame:
    """Return some columns of a CSV or Parquet file as categoricals: texts from CSV, values from Parquet."""
    import pandas as pd

    wanted = list(columns)
    if not is_parquet(path):
        return read_cells(path, wanted)
    frame = pd.read_parquet(path, columns=wanted, dtype_backend="numpy_nullable").reset_index()
    coded: pd.DataFrame = frame[wanted].astype("category")
    return coded


def read_long(
    path: str | Path,
    *,
    task_column: str | None = None,
    annotator_column: str | None = None,
    label_column: str | None = None,
    classes: Iterable[Any] | None = None,
) -> Crowd:
    r"""Read a table with a row for each answer.

    Parameters
    ----------
    path : path
        A CSV file (comma, semicolon or tab; also compressed, .csv.gz) or a Parquet file. Texts of a CSV are numbers
        where a whole column is, see `delimited.typed`. A row without a label is not an answer, though it makes its task
        and annotator known.
    task_column, annotator_column, label_column : str, optional
        Names of the columns. Default: task, annotator and label, or what else the field calls them
        (`columns.SYNONYMS`).
    classes : sequence, optional
        All labels there are, in the order wanted. Default: those in the table, sorted.

    Raises
    ------
    ValueError
        If a column is missing, an answer has no task or annotator, a label is not among `classes`, or an annotator
        answers a task twice. The message names file and line.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "answers.csv"
    >>> _ = file.write_text("question,worker,answer\n7,ann,cat\n7,bob,dog\n8,bob,\n")
    >>> read_long(file)
    Crowd(2 tasks, 2 annotators, 2 classes, 2 answers)
    """
    path = Path(path)
    given = {"task": task_column, "annotator": annotator_column, "label": label_column}
    names = long_names(column_names(path), given, str(path))
    frame = read_columns(path, names.values())
    row = ("row {}" if is_parquet(path) else "line {}").format
    first = 0 if is_parquet(path) else 2
    ids: dict[str, Any] = {}
    codes: dict[str, Codes] = {}
    for role, name in names.items():
        ids[role], codes[role] = _coded(frame[name])
    answered = codes["label"] >= 0
    for role in ("task", "annotator"):
        missing = np.flatnonzero(answered & (codes[role] < 0))
        if len(missing):
            raise ValueError(
                f"{path}, {row(missing[0] + first)}: the answer has no {role} (column {names[role]!r}; {len(missing)} "
                "such rows in total). Every answer needs its task and annotator: fill the cell or remove the row."
            )
    if classes is not None:
        ids["label"], codes["label"] = _among(ids["label"], codes["label"], classes, f"{path}", row, first)
    at = np.flatnonzero(answered)
    found = {role: code[answered] for role, code in codes.items()}
    try:
        return Crowd.from_codes(**found, tasks=ids["task"], annotators=ids["annotator"], classes=ids["label"])
    except ValueError:
        _refuse_twice(path, found, ids, at + first, row)
        raise


def long_names(columns: Iterable[str], given: Mapping[str, str | None], where: str) -> dict[str, str]:
    """Return the columns of task, annotator and label."""
    listed = list(columns)
    names = {role: find_column(listed, role, given[role], where) for role in ROLES}
    if len(set(names.values())) < len(ROLES):
        raise ValueError(f"{where}: task, annotator and label must be three different columns; found {names}.")
    return names


def _coded(column: pd.Series[Any]) -> tuple[Any, Codes]:
    """Return a categorical's distinct values, sorted, and each row's place among them, -1 where it has none."""
    import pandas as pd

    categories = column.cat.categories.tolist()
    values = typed(categories) if all(isinstance(value, str) for value in categories) else as_array(categories)
    ids = distinct(values)
    places = np.append(pd.Index(ids).get_indexer(pd.Index(values)), -1)
    return ids, places[column.cat.codes.to_numpy()]


def _among(found: Any, codes: Codes, classes: Iterable[Any], where: str, row: Any, first: int) -> tuple[Any, Codes]:
    """Return the classes given and the codes among them."""
    import pandas as pd

    known = as_ids(classes, "classes")
    places = np.append(pd.Index(known).get_indexer(pd.Index(found)), -1)
    wrong = np.flatnonzero((codes >= 0) & (places[codes] < 0))
    if len(wrong):
        raise ValueError(
            f"{where}, {row(wrong[0] + first)}: found label {plain(found[codes[wrong[0]]])!r}; allowed are the "
            f"{len(known)} classes {known.tolist()[:8]}. Add it to classes= or remove the row."
        )
    return known, places[codes]


def _refuse_twice(path: Path, codes: dict[str, Codes], ids: dict[str, Any], rows: Codes, row: Any) -> None:
    """Raise a ValueError, with both lines, if an annotator answers a task twice."""
    key = codes["task"] * max(1, len(ids["annotator"])) + codes["annotator"]
    order = np.argsort(key, kind="stable")
    again = np.flatnonzero(key[order[1:]] == key[order[:-1]])
    if len(again):
        one, two = order[again[0]], order[again[0] + 1]
        task, who = ids["task"][codes["task"][one]], ids["annotator"][codes["annotator"][one]]
        raise ValueError(
            f"{path}, {row(rows[one])} and {row(rows[two])}: annotator {plain(who)!r} answered task {plain(task)!r} "
            f"more than once ({len(again)} extra answers in total). An annotator has at most one answer for a task: "
            "keep the latest of them."
        )


def write_long(crowd: Crowd, path: str | Path) -> Path:
    """Write a row for each answer: columns task, annotator and label, in the crowd's order.

    Tasks and annotators without answers have a row of their own, so that `read_long` knows them; a class that
    nobody chose is lost.

    Parameters
    ----------
    crowd : Crowd
        The answers.
    path : path
        Its ending says which: .csv, .tsv or .parquet (.csv.gz compresses).

    Returns
    -------
    Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> crowd = Crowd.from_wide([["cat", "dog"], [None, "cat"]])
    >>> print(write_long(crowd, Path(tempfile.mkdtemp()) / "answers.csv").read_text())
    task,annotator,label
    0,0,cat
    0,1,dog
    1,1,cat
    <BLANKLINE>
    """
    path = Path(path)
    idle_tasks = crowd.tasks[crowd.num_answers == 0]
    idle = crowd.annotators[np.bincount(crowd.annotator, minlength=len(crowd.annotators)) == 0]
    frame = crowd.to_long()
    if len(idle_tasks) or len(idle):
        size = len(frame)
        frame = frame.convert_dtypes().reindex(range(size + len(idle_tasks) + len(idle)))  # whole numbers stay whole
        frame.loc[size : size + len(idle_tasks) - 1, "task"] = idle_tasks
        frame.loc[size + len(idle_tasks) :, "annotator"] = idle
    if is_parquet(path):
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False, sep=written_separator(path))
    return path
