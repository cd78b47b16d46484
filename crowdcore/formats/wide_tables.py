"""Wide tables: a row for each task and a column for each annotator, as CSV or as a bare matrix of codes."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.columns import fitting, is_shown, some, truth_within
from crowdcore.crowd.ids import as_ids, distinct, plain
from crowdcore.crowd.repeats import refuse_repeated
from crowdcore.crowd.table import Crowd
from crowdcore.formats.delimited import WORDS, typed, written_separator
from crowdcore.formats.opened import read_text
from crowdcore.formats.tables import Table, open_table
from crowdcore.formats.truth_within import truth_of

if TYPE_CHECKING:
    import pandas as pd

NO_ANSWER: Final = ("-1", *WORDS, "None")
"""What stands for no answer in wide tables, besides an empty cell."""

_CELLS: Final = 4_000_000
"""Cells of a table that are in memory at once."""


@dataclass(frozen=True, eq=False)
class WideAnswers:
    """What a wide table says.

    Attributes
    ----------
    crowd : Crowd
        The answers.
    task : str
        The column of the tasks.
    voters : list of str
        The columns of the annotators.
    notes : tuple of str
        What was guessed.
    true_labels : Series or None
        Task to true label, if the table has a column of them.
    """

    crowd: Crowd
    task: str
    voters: list[str]
    notes: tuple[str, ...] = ()
    true_labels: pd.Series[Any] | None = None


def read_wide(
    path: str | Path,
    *,
    classes: Iterable[Any] | None = None,
    task_column: str | None = None,
    annotators: Sequence[str] | None = None,
    missing: Sequence[str] | None = None,
    header: bool = True,
) -> Crowd:
    r"""Read a table with a row for each task and a column for each annotator.

    Parameters
    ----------
    path : path
        The first line holds the annotators. An empty cell, -1, NA and the like are no answer.
    classes : sequence, optional
        All labels there are, in the order wanted. Default: those in the table, sorted.
    task_column : str, optional
        The column of the tasks. Default: the one that is called so, or else the first.
    annotators : sequence of str, optional
        The columns of the annotators. Default: all others, but for one of the truth.
    missing : sequence of str, optional
        Words that stand for no answer, besides an empty cell and nan. Default: -1, NA, N/A, null, None.
    header : bool
        Whether the first line names the columns. Without it they are called 1, 2, ...

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
    return wide_answers(open_table(Path(path), header), classes, task_column, annotators, missing).crowd


def wide_answers(
    table: Table,
    classes: Iterable[Any] | None = None,
    task_column: str | None = None,
    annotators: Sequence[str] | None = None,
    missing: Sequence[str] | None = None,
    truth_column: str | None = None,
) -> WideAnswers:
    """Return what a wide table says; arguments as those of `read_wide`."""
    import pandas as pd

    path, columns = table.path, table.columns
    if len(columns) < 2:
        raise ValueError(f"{path} has one column: expected the tasks in the first and a column for each annotator.")
    first, voters, truth, notes = _columns(table, task_column, annotators, truth_column)
    names = as_ids(typed([columns[at] for at in voters]), f"the first line of {path}")
    words = NO_ANSWER if missing is None else tuple(missing)
    tasks: list[Any] = []
    rows, places, texts = [], [], []
    nothing: Counter[str] = Counter()
    for block in table.blocks(max(1, _CELLS // len(columns))):
        block = _named_rows(block, first, len(tasks), table)
        values = block[voters].to_numpy(dtype=object)
        there = ~pd.isna(values)
        for word in words:
            silent = there & (values == word)
            nothing[word] += int(silent.sum())
            there &= ~silent
        row, column = np.nonzero(there)
        rows.append(row + len(tasks))
        places.append(column)
        texts.append(values[row, column])
        tasks += block[first].tolist()
    codes, said = pd.factorize(np.concatenate(texts))
    labels = typed(said)
    known = distinct(labels) if classes is None else as_ids(classes, "classes")
    place = pd.Index(known).get_indexer(pd.Index(labels))
    task, annotator = np.concatenate(rows), np.concatenate(places)
    wrong = np.flatnonzero(place[codes] < 0) if len(codes) else codes
    if len(wrong):
        at = wrong[0]
        raise ValueError(
            f"{path}, task {tasks[task[at]]!r}, annotator {plain(names[annotator[at]])!r}: found label "
            f"{plain(labels[codes[at]])!r}; allowed are the {len(known)} classes {known.tolist()[:8]}. Add it to "
            "classes= or empty the cell."
        )
    ids = as_ids(typed(tasks), f"column {columns[first]!r} of {path}")
    crowd = Crowd.from_codes(
        task, annotator, place[codes], tasks=ids, annotators=names, classes=known, ordered=classes is not None
    )
    odd = {word: count for word, count in nothing.items() if count and word != "-1"} if missing is None else {}
    notes += [f"{count:,} x {word!r} taken as no answer (missing=)" for word, count in odd.items()]
    true_labels = None
    if truth is not None:
        of_row = np.arange(len(ids))
        true_labels, told = truth_of(table, truth, ids, of_row, crowd, truth_column is not None)
        notes.append(told)
    return WideAnswers(crowd, columns[first], [columns[at] for at in voters], tuple(notes), true_labels)


def _columns(
    table: Table, task_column: str | None, annotators: Sequence[str] | None, truth_column: str | None
) -> tuple[int, list[int], str | None, list[str]]:
    """Return the places of the tasks' and the annotators' columns, the truth's name, and what to say of it."""
    columns = table.columns
    asked = [
        (task_column, "task_column"),
        (truth_column, "truth_column"),
        *((name, "annotators") for name in annotators or ()),
    ]
    for name, option in asked:
        if name is not None and name not in columns:
            raise ValueError(
                f"{table.path} has no column {name!r}; its columns are {some(columns)}: correct {option}=."
            )
    named = fitting(columns, "task", 1)
    first = columns.index(task_column or (named[0] if len(named) == 1 and columns[0] == "" else columns[0]))
    truth = truth_column or truth_within([name for name in columns if name not in (annotators or ())], None)
    if annotators is not None:
        return first, [columns.index(name) for name in annotators], truth, []
    without = {first} | ({columns.index(truth)} if truth else set())
    notes = []
    if first and columns[0] == "":
        without.add(0)
        notes.append("the first column, which has no name, is left out")
    left = [name for at, name in enumerate(columns) if at not in without]
    shown = {columns.index(name) for name in left if is_shown(name)}
    if shown and len(without | shown) < len(columns):
        without |= shown
        which = f"column{'s' * (len(shown) > 1)} {some([columns[at] for at in sorted(shown)])}"
        notes.append(f"{which} left out: what annotators saw (annotators= names the annotators)")
    return first, [at for at in range(len(columns)) if at not in without], truth, notes


def _named_rows(block: Any, first: int, before: int, table: Table) -> Any:
    """Return the rows of a block without blank ones; each names its task."""
    if not block[first].isna().any():
        return block
    blank = block.isna().all(axis=1).to_numpy()
    nameless = np.flatnonzero(block[first].isna().to_numpy() & ~blank)
    if len(nameless):
        line = before + nameless[0] + table.first_line
        raise ValueError(f"{table.path}, line {line}: the first cell is empty. It must name the task: fill it.")
    return block[~blank]


def wide_answers_of_annotators(table: Table, **options: Any) -> WideAnswers:
    """Return what a wide table says, without the columns that are no annotators': texts, numbers, what else there is.

    A column is a stranger if most of its values occur in no other one, though other columns share theirs. If all its
    values differ, and are longer than any label or numbers among texts, it is left out.

    Parameters
    ----------
    table : Table
        The table.
    **options
        As `wide_answers` has them, without `annotators`.

    Raises
    ------
    ValueError
        If a column is a stranger and may yet be an annotator's.
    """
    found = wide_answers(table, **options)
    crowd = found.crowd
    M, K = len(crowd.annotators), max(len(crowd.classes), 1)
    cells = np.unique(crowd.annotator * K + crowd.label)
    who, label = cells // K, cells % K
    shared = np.bincount(label, minlength=K) > 1
    different, own = np.bincount(who, minlength=M), np.bincount(who[~shared[label]], minlength=M)
    answers = np.bincount(crowd.annotator, minlength=M)
    strange = (own > different / 2) & (answers > 2)
    if not strange.any() or (~strange & (answers > 0)).sum() < 2:
        return found
    labels = [str(crowd.classes[code]) for code in np.unique(label[~strange[who]]).tolist()]
    for at in np.flatnonzero(strange).tolist():
        values = [str(value) for value in crowd.classes[label[who == at]].tolist()]
        if different[at] < answers[at] or not _are_no_labels(values, labels):
            raise ValueError(
                f"{table.path}: most values of column {found.voters[at]!r} ({', '.join(map(repr, values[:3]))}) are in "
                "no other column. Is it an annotator's? Name the annotators' columns with annotators=, or remove it."
            )
    kept, out = (
        [name for name, odd in zip(found.voters, strange.tolist(), strict=True) if odd is it] for it in (False, True)
    )
    which = f"column{'s' * (len(out) > 1)} {some(out)}"
    told = f"{which} left out: the values are no labels (annotators= names the annotators)"
    again = wide_answers(table, **options, annotators=kept)
    return replace(again, notes=(*again.notes, told))


def _are_no_labels(values: list[str], labels: list[str]) -> bool:
    """Return whether values are longer than the labels, or numbers where these are texts."""
    numbers = typed(values).dtype.kind in "iuf" and typed(labels).dtype.kind not in "iuf"
    return numbers or sum(map(len, values)) / len(values) > max(map(len, labels))


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
    return Crowd.from_wide(matrix_of(Path(path)), classes=classes)


def matrix_of(path: Path) -> NDArray[np.int64]:
    """Return a bare matrix of whole numbers; raises what `read_matrix` raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # of a file without numbers
            matrix: NDArray[np.int64] = np.loadtxt(read_text(path).splitlines(), dtype=np.int64, ndmin=2)
    except UserWarning:
        raise ValueError(f"{path} is empty: expected a line for each task, a number for each annotator.") from None
    except ValueError as error:
        raise ValueError(
            f"{path} is not a matrix of class codes ({error}): expected whole numbers with spaces between them, a line "
            "for each task, a number for each annotator, -1 for no answer."
        ) from None
    return matrix


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
    refuse_repeated(crowd.num_repeated, "A wide table")
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
