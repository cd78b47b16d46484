"""Reading and writing a crowd in any format, which is found from a file's name and content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes
from crowdcore.crowd.repeats import Repeated
from crowdcore.crowd.table import Crowd
from crowdcore.formats.delimited import typed
from crowdcore.formats.finding import FORMATS, Guess, find_format
from crowdcore.formats.folders import read_folder, write_folder
from crowdcore.formats.json_tables import read_json
from crowdcore.formats.long_tables import long_answers, write_long
from crowdcore.formats.opened import bare_name
from crowdcore.formats.region_tables import region_answers
from crowdcore.formats.tables import Table, as_text, is_parquet, open_table
from crowdcore.formats.truth_within import loosely
from crowdcore.formats.wide_tables import read_matrix, wide_answers, wide_answers_of_annotators, write_wide

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read.

    Attributes
    ----------
    crowd : Crowd
        The answers of N tasks, M annotators, K classes.
    about : str
        What was found, and what was guessed, in a sentence.
    truth : ndarray of shape (N,) or None
        Class codes, -1 where the truth is not known; None where the format has no truth.
    confusions : ndarray of shape (M, K, K) or None
        True class by label, of simulated annotators.
    true_labels : Series or None
        Task to true label, of a column beside the answers; also with classes that the crowd does not have.
    task_column, label_column : str or None
        The columns that name the tasks and have the labels, of a table; of a wide one there is no column of labels.
    values : tuple
        Of regions: what annotators marked, as tuples of `crowdcore.kinds.Region`, for each class; () otherwise.
    """

    crowd: Crowd
    about: str
    truth: Codes | None = None
    confusions: NDArray[np.float64] | None = None
    true_labels: pd.Series[Any] | None = None
    task_column: str | None = None
    label_column: str | None = None
    values: tuple[Any, ...] = ()


def read_crowd(
    path: str | Path,
    format: str | None = None,
    *,
    task_column: str | None = None,
    annotator_column: str | None = None,
    label_column: str | None = None,
    time_column: str | None = None,
    truth_column: str | None = None,
    annotators: Sequence[str] | None = None,
    classes: Iterable[Any] | None = None,
    repeated: Repeated | None = None,
    missing: Sequence[str] | None = None,
    header: bool = True,
) -> Reading:
    r"""Read answers from a file or folder.

    Parameters
    ----------
    path : path
        .csv, .tsv, .parquet, .jsonl: a table; .json: a table as pandas writes it, or task to annotator to label, as
        peerannot has it, or what Argilla and Prodigy export; .txt: a table, or a bare matrix; a folder: peerannot's, or
        a file for each annotator, as doccano (.jsonl) and CVAT (.xml) export. Also compressed: .gz, .bz2, .xz, .zip.
    format : {"long", "wide", "matrix", "json", "folder", "regions"}, optional
        Default: by the name and the columns: a table that has task, annotator and label is long; one whose first column
        names the task, each once, is wide; one with the columns of places, as in `read_regions`, has regions.
    task_column, annotator_column, label_column : str, optional
        Names of a long table's columns; of a wide table the task's only.
    time_column : str, optional
        Of a long table: the column that says which of several answers is the latest, as in `read_long`.
    truth_column : str, optional
        The column with the truth, in the table of answers. Default: one of a known name whose labels are the answers'.
    annotators : sequence of str, optional
        The columns of a wide table's annotators. Default: all but those that hold texts, other numbers, or the truth.
    classes : sequence, optional
        All labels there are, in the order wanted. A folder says so itself.
    repeated : {"latest", "first", "all", "error"}, optional
        What becomes of an annotator's several answers to a task, as in `Crowd.from_long`. Default: the latest counts;
        `Reading.about` says how many were set aside.
    missing : sequence of str, optional
        Words that stand for no answer, as in `read_long` and `read_wide`.
    header : bool
        Whether a text table's first line names its columns.

    Returns
    -------
    Reading
        The crowd, and what was found.

    Raises
    ------
    ValueError
        If the format is not known or the content is not of that format. The message names the file.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "answers.csv"
    >>> _ = file.write_text("question,worker,answer\n7,ann,cat\n7,bob,dog\n8,bob,cat\n")
    >>> read_crowd(file).about.removeprefix(str(file))
    ': a long table (question, worker, answer) with 3 answers of 2 annotators to 2 tasks, 2 classes'
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path} does not exist: correct the path.")
    if format is not None and format not in FORMATS:
        raise ValueError(
            f"format is {format!r}; allowed are {', '.join(FORMATS)}, or None to find it out from the file."
        )
    given = {"task": task_column, "annotator": annotator_column, "label": label_column}
    guess = Guess(format) if format is not None else find_format(path, any(given.values()), header, annotators)
    _refuse_others(
        path, guess.kind, given, {"time_column": time_column, "truth_column": truth_column, "annotators": annotators}
    )
    if guess.kind == "folder":
        folder = read_folder(path)
        return Reading(folder.crowd, _about(path, "peerannot's folder", folder.crowd), folder.truth, folder.confusions)
    if guess.kind == "json":
        try:
            crowd = Crowd.from_answers_json(_of_one_sort(read_json(path)), classes=classes)
        except ValueError as error:
            raise ValueError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None
        return Reading(crowd, _about(path, "peerannot's JSON (task, annotator, label)", crowd))
    if guess.kind == "matrix":
        crowd = read_matrix(path, classes=classes)
        return Reading(crowd, _about(path, "a matrix of tasks by annotators, -1 for no answer,", crowd, guess.notes))
    table = open_table(path, header and guess.header)
    if guess.kind == "regions":
        marked = region_answers(table, given)
        what = f"{_table_of(table)} of regions ({', '.join(marked.columns)})"
        return Reading(
            marked.crowd,
            _about(path, what, marked.crowd),
            task_column=marked.task_column,
            label_column=marked.label_column,
            values=marked.values,
        )
    if guess.kind == "long":
        told = long_answers(table, given, time_column, classes, repeated, missing, truth_column)
        names = ", ".join(told.columns.values())
        what = (
            f"{_table_of(table, 'long ')} ({names})"
            if table.first_line != 1
            else f"a long table without names (columns {names})"
        )
        about = _about(path, what, told.crowd, (*guess.notes, *told.notes))
        task, label = told.columns["task"], told.columns["label"]
        return Reading(told.crowd, about, true_labels=told.true_labels, task_column=task, label_column=label)
    options: dict[str, Any] = {"classes": classes, "task_column": task_column}
    options |= {"missing": missing, "truth_column": truth_column}
    wide = (
        wide_answers(table, **options, annotators=annotators)
        if annotators
        else wide_answers_of_annotators(table, **options)
    )
    about = _about(path, "a wide table, a column for each annotator, -1 for no answer,", wide.crowd, wide.notes)
    return Reading(wide.crowd, about, true_labels=wide.true_labels, task_column=wide.task)


def _of_one_sort(found: Any) -> Any:
    """Return peerannot's answers with labels of one type, as those of a table are; other JSON as it is."""
    if not isinstance(found, Mapping) or not all(isinstance(row, Mapping) for row in found.values()):
        return found
    labels = [label for row in found.values() for label in row.values()]
    if not all(isinstance(label, str | int | float | None) for label in labels):
        return found
    kinds = {type(label) for label in labels if label is not None}
    if len(kinds) == 1 or not kinds & {str, bool}:
        return found
    texts = list(dict.fromkeys(as_text(label) for label in labels if label is not None))
    value_of: dict[str | None, Any] = {None: None} | dict(zip(texts, typed(texts).tolist(), strict=True))
    return {
        task: {who: value_of[None if label is None else as_text(label)] for who, label in row.items()}
        for task, row in found.items()
    }


def _table_of(table: Table, sort: str = "") -> str:
    tool = getattr(table, "tool", "")
    return f"{tool}, as a {sort}table" if tool else f"a {sort}table"


def _refuse_others(path: Path, kind: str, given: Mapping[str, Any], others: Mapping[str, Any]) -> None:
    """Raise a ValueError for what names columns that the format does not have."""
    named = {f"{role}_column": name for role, name in given.items()} | dict(others)
    allowed = {
        "long": {*named} - {"annotators"},
        "wide": {"task_column", "truth_column", "annotators"},
        "regions": {f"{role}_column" for role in given},
    }.get(kind, set())
    odd = [f"{name}=" for name, value in named.items() if value and name not in allowed]
    if odd:
        raise ValueError(f"{path} is read as {kind!r}, which has no columns to name: leave out {', '.join(odd)}.")


def _about(path: Path, what: str, crowd: Crowd, notes: Sequence[str] = ()) -> str:
    counts = [
        (len(crowd.label), "answer{}"),
        (len(crowd.annotators), "annotator{}"),
        (len(crowd.tasks), "task{}"),
        (len(crowd.classes), "class{}"),
    ]
    answers, annotators, tasks, classes = (
        f"{count:,} {word.format('' if count == 1 else 'es' if word.startswith('class') else 's')}"
        for count, word in counts
    )
    about = f"{path}: {what} with {answers} of {annotators} to {tasks}, {classes}"
    if crowd.classes.dtype.kind in "if" and (crowd.classes == -1).any():
        about += ", one of which is -1 (if it stands for no answer: missing=-1)"
    return "; ".join([about, *notes, *_alike(crowd)])


def _alike(crowd: Crowd) -> list[str]:
    """Return what to say of classes that look the same, but for case and blanks."""
    seen: dict[str, Any] = {}
    for label in crowd.classes.tolist():
        if isinstance(label, str) and (other := seen.setdefault(loosely(label), label)) != label:
            one, two = map(repr, (other, label))
            if normalize("NFC", one) == normalize("NFC", two):  # people would see the same twice
                one, two = map(ascii, (other, label))
            return [f"the classes {one} and {two} differ only in case or blanks, or in signs of one look, and are two"]
    return []


def write_crowd(crowd: Crowd, path: str | Path, format: str | None = None) -> Path:
    """Write answers to a file or folder.

    Parameters
    ----------
    crowd : Crowd
        The answers.
    path : path
        .csv, .tsv or .parquet: a table; anything without an ending: peerannot's folder.
    format : {"long", "wide", "folder"}, optional
        Default: by the name, tables long.

    Returns
    -------
    Path
        The file or folder.

    Raises
    ------
    ValueError
        If the format is not known.
    OSError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> crowd = Crowd.from_wide([["cat", "dog"], [None, "cat"]])
    >>> folder = write_crowd(crowd, Path(tempfile.mkdtemp()) / "pets")
    >>> sorted(file.name for file in folder.iterdir())
    ['answers.json', 'metadata.json']
    """
    path = Path(path)
    name = bare_name(path)
    table = name.endswith((".csv", ".tsv")) or is_parquet(path)
    kind = format or ("long" if table else "folder" if not path.suffix else None)
    writers: dict[str | None, Callable[..., Path]] = {"long": write_long, "wide": write_wide}
    if kind == "folder":
        return write_folder(crowd, path, name=path.name)
    if kind not in writers or not table or (kind == "wide" and is_parquet(path)):
        raise ValueError(
            f"{path}: cannot write {kind or path.suffix!r}; allowed are .csv, .tsv and .parquet (long, or format=wide "
            "as .csv or .tsv), and a folder (no ending) in peerannot's format."
        )
    return writers[kind](crowd, path)
