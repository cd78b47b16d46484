"""Long tables: a row for each answer, as text, Parquet or JSON."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crowdcore.crowd.columns import find_columns, fitting, some, truth_within
from crowdcore.crowd.ids import Codes, as_ids, order_of, plain
from crowdcore.crowd.repeats import Repeated, about_repeated, check_repeated, moments
from crowdcore.crowd.table import Crowd
from crowdcore.formats.by_task import as_those
from crowdcore.formats.cells import (
    coded_column,
    name_unnamed,
    not_accepted,
    numbers_again,
    platform_labels,
    without_words,
)
from crowdcore.formats.delimited import TextTable, looks_like_data, written_separator
from crowdcore.formats.tables import Table, is_json, is_parquet, open_table
from crowdcore.formats.truth_within import truth_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class LongAnswers:
    """What a long table says.

    Attributes
    ----------
    crowd : Crowd
        The answers.
    columns : dict
        The columns of task, annotator and label.
    notes : tuple of str
        What was guessed, and what was set aside.
    true_labels : Series or None
        Task to true label, if the table has a column of them.
    num_set_aside : int
        Earlier (or later) answers of annotators who answered a task more than once.
    """

    crowd: Crowd
    columns: dict[str, str]
    notes: tuple[str, ...] = ()
    true_labels: pd.Series[Any] | None = None
    num_set_aside: int = 0


def read_long(
    path: str | Path,
    *,
    task_column: str | None = None,
    annotator_column: str | None = None,
    label_column: str | None = None,
    time_column: str | None = None,
    classes: Iterable[Any] | None = None,
    repeated: Repeated | None = None,
    missing: Sequence[str] | None = None,
    header: bool = True,
) -> Crowd:
    r"""Read a table with a row for each answer.

    Parameters
    ----------
    path : path
        A text file (.csv, .tsv, .txt; also compressed, .csv.gz), a Parquet file, or JSON: rows, or what pandas writes.
        Texts of a CSV are numbers where a whole column is, see `delimited.typed`. A row without a label is not an
        answer, though it makes its task and annotator known.
    task_column, annotator_column, label_column : str, optional
        Names of the columns. Default: task, annotator and label, or what else the field calls them
        (`crowdcore.crowd.columns.KNOWN`).
    time_column : str, optional
        The column that says which of an annotator's answers to a task is the latest. Default: one of a known name, or
        else the later row.
    classes : sequence, optional
        All labels there are, in the order wanted. Default: those in the table, sorted.
    repeated : {"latest", "first", "all", "error"}, optional
        What becomes of an annotator's several answers to a task, as in `Crowd.from_long`.
    missing : sequence of str, optional
        Words that stand for no answer, beside an empty cell and nan. Default: NA, N/A and null, in several spellings.
    header : bool
        Whether the first line names the columns. Without it they are called 1, 2, ..., and are task, annotator and
        label in this order.

    Raises
    ------
    ValueError
        If a column is missing, an answer has no task or annotator, a label is not among `classes`, or an annotator
        answers a task twice and `repeated` is "error". The message names file and line.
    OSError
        If the file cannot be read.

    Warns
    -----
    UserWarning
        If answers were set aside, and `repeated` was not given.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "answers.csv"
    >>> _ = file.write_text("question,worker,answer\n7,ann,cat\n7,bob,dog\n8,bob,\n")
    >>> read_long(file)
    Crowd(2 tasks, 2 annotators, 2 classes, 2 answers)
    """
    given = {"task": task_column, "annotator": annotator_column, "label": label_column}
    table = open_table(Path(path), header)
    found = long_answers(table, given, time_column, classes, repeated, missing)
    if found.num_set_aside and repeated is None:
        warnings.warn(f"{path}: {next(note for note in found.notes if 'set aside' in note)}", stacklevel=2)
    return found.crowd


def long_answers(
    table: Table,
    given: Mapping[str, str | None],
    time_column: str | None = None,
    classes: Iterable[Any] | None = None,
    repeated: Repeated | None = None,
    missing: Sequence[str] | None = None,
    truth_column: str | None = None,
) -> LongAnswers:
    """Return what a long table says; arguments as those of `read_long`."""
    check_repeated(repeated)
    coded = _Coded.read(table, long_names(table, given), missing)
    if classes is not None:
        coded.take_classes(classes)
    crowd, num_repeated = coded.crowd(repeated, time_column)
    if classes is None and (np.bincount(crowd.label, minlength=len(crowd.classes)) == 0).any():
        crowd = crowd.without_idle_classes()
    names = coded.names
    within = truth_within([name for name in table.columns if name not in names.values()], names["label"])
    truth, labels = truth_column or within, None
    if truth is not None:
        tasks, places = coded.ids["task"], coded.codes["task"]
        labels, told = truth_of(table, truth, tasks, places, crowd, truth_column is not None)
        coded.notes.append(told)
    return LongAnswers(crowd, names, tuple(coded.notes), labels, 0 if repeated == "all" else num_repeated)


@dataclass(eq=False)
class _Coded:
    """The rows of a long table as codes.

    Attributes
    ----------
    table : Table
        The table.
    names : dict
        The columns of task, annotator and label.
    ids, codes : dict
        Distinct values by role, and each row's place among them, -1 where it has none.
    notes : list of str
        What was guessed.
    ordered : bool
        Whether the order of the labels means something.
    """

    table: Table
    names: dict[str, str]
    ids: dict[str, Any]
    codes: dict[str, Codes]
    notes: list[str]
    ordered: bool

    @classmethod
    def read(cls, table: Table, names: dict[str, str], missing: Sequence[str] | None) -> _Coded:
        """Read the three columns; every answer has a task and an annotator."""
        frame = table.cells(list(names.values()))
        columns = {role: frame[name] for role, name in names.items()}
        columns["label"] = platform_labels(columns["label"], table.path)
        ids, codes = ({role: pair[at] for role, pair in _pairs(columns).items()} for at in (0, 1))
        notes = without_words(ids["label"], codes["label"], missing)
        notes += not_accepted(table, codes["label"])
        if any(name.lower() == "annotation_id" for name in table.columns):
            notes += name_unnamed(ids, codes, (codes["label"] >= 0) & (codes["annotator"] < 0))
        if order_of(columns["label"]) is None:
            ids["label"], codes["label"] = numbers_again(ids["label"], codes["label"])
        found = cls(table, names, ids, codes, notes, order_of(columns["label"]) is not None)
        found.check_complete()
        return found

    @property
    def rows(self) -> Codes:
        """The rows that are answers."""
        return np.flatnonzero(self.codes["label"] >= 0)

    def line(self, row: int) -> str:
        """Return what a message calls a row."""
        in_text = not (is_parquet(self.table.path) or is_json(self.table.path))
        return f"{'line' if in_text else 'row'} {row + self.table.first_line}"

    def check_complete(self) -> None:
        """Raise a ValueError if an answer has no task or no annotator."""
        for role in ("task", "annotator"):
            absent = np.flatnonzero((self.codes["label"] >= 0) & (self.codes[role] < 0))
            if len(absent):
                raise ValueError(
                    f"{self.table.path}, {self.line(absent[0])}: the answer has no {role} (column {self.names[role]!r}"
                    f"; {len(absent)} such rows in total). Every answer needs its task and annotator: fill the cell or "
                    "remove the row."
                )

    def take_classes(self, classes: Iterable[Any]) -> None:
        """Take these classes, in their order."""
        import pandas as pd

        found, codes = self.ids["label"], self.codes["label"]
        known = as_ids(as_those(found, as_ids(classes, "classes")), "classes")
        places = np.append(pd.Index(known).get_indexer(pd.Index(found)), -1)
        wrong = np.flatnonzero((codes >= 0) & (places[codes] < 0))
        if len(wrong):
            raise ValueError(
                f"{self.table.path}, {self.line(wrong[0])}: found label {plain(found[codes[wrong[0]]])!r}; allowed are "
                f"the {len(known)} classes {known.tolist()[:8]}. Add it to classes= or remove the row."
            )
        self.ids["label"], self.codes["label"], self.ordered = known, places[codes], not isinstance(classes, Set)

    def crowd(self, repeated: Repeated | None, time_column: str | None) -> tuple[Crowd, int]:
        """Return the crowd, and how many answers repeat one of the same annotator to the same task."""
        at = self.rows
        crowd = self._crowd(at, "all")
        if not crowd.num_repeated:
            if time_column is not None:
                _times(self.table, time_column, at)  # complains about a column that is none
            return crowd, 0
        if repeated == "error":
            self._refuse_twice(at)
        when, by = _times(self.table, time_column, at)
        latest: Repeated = repeated or "latest"
        self.notes.append(about_repeated(crowd.num_repeated, latest, by))
        return self._crowd(at[np.argsort(when, kind="stable")], latest), crowd.num_repeated

    def _crowd(self, rows: Codes, repeated: Repeated) -> Crowd:
        return Crowd.from_codes(
            **{role: code[rows] for role, code in self.codes.items()},
            tasks=self.ids["task"],
            annotators=self.ids["annotator"],
            classes=self.ids["label"],
            repeated=repeated,
            ordered=self.ordered,
        )

    def _refuse_twice(self, rows: Codes) -> None:
        """Raise a ValueError, with both lines, for an annotator who answers a task twice."""
        tasks, annotators = self.codes["task"][rows], self.codes["annotator"][rows]
        key = tasks * max(1, len(self.ids["annotator"])) + annotators
        order = np.argsort(key, kind="stable")
        again = np.flatnonzero(key[order[1:]] == key[order[:-1]])
        one, two = order[again[0]], order[again[0] + 1]
        task, who = plain(self.ids["task"][tasks[one]]), plain(self.ids["annotator"][annotators[one]])
        raise ValueError(
            f"{self.table.path}, {self.line(rows[one])} and {self.line(rows[two])}: annotator {who!r} answered task "
            f"{task!r} more than once ({len(again)} extra answers in total). An annotator has at most one answer for a "
            "task: keep the latest of them, or let repeated= say which of them count."
        )


def _pairs(columns: Mapping[str, Any]) -> dict[str, tuple[Any, Codes]]:
    return {role: coded_column(column) for role, column in columns.items()}


def long_names(table: Table, given: Mapping[str, str | None]) -> dict[str, str]:
    """Return the columns of task, annotator and label.

    Raises
    ------
    ValueError
        If one of them is not known; the message says so, and whether the first line looks like a row.
    """
    columns = table.columns
    if not getattr(table, "has_header", True):
        given = {role: name or str(at) for at, (role, name) in enumerate(given.items(), 1)}
    plain_names = {name.lower() for name in columns}
    if given["label"] is None and {"annotation_id", "annotator", "lead_time"} <= plain_names:
        raise ValueError(
            f"{table.path} seems to be Label Studio's CSV or JSON-MIN, in which the answers are in a column that is "
            f"named as their control, beside the tasks' data; its columns are {some(columns)}. Name it with "
            "label_column=."
        )
    try:
        return find_columns(columns, given, str(table.path))
    except ValueError as error:
        raise ValueError(f"{error}{no_header_advice(table)}") from None


def no_header_advice(table: Table) -> str:
    """Return what to do if a table's first line is a row, "" if it does not look so."""
    if not isinstance(table, TextTable) or not table.has_header or not looks_like_data(table):
        return ""
    return " If its first line is a row and not names, use header=False: then the columns are task, annotator, label."


def _times(table: Table, time_column: str | None, at: Codes) -> tuple[Codes, str | None]:
    """Return when each answer was given, as numbers to sort by, and the column that says so."""
    known = [time_column] if time_column is not None else fitting(table.columns, "time")
    name = known[0] if known else None
    if name is None:
        return at, None
    if name not in table.columns:
        raise ValueError(
            f"{table.path} has no column {name!r}; its columns are {some(table.columns)}: correct time_column=."
        )
    try:
        return moments(table.cells([name])[name].iloc[at]), name
    except (ValueError, TypeError) as error:
        if time_column is None:
            return at, None
        raise ValueError(
            f"{table.path}, column {name!r}: a value is no time ({error}): correct time_column=."
        ) from None


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
