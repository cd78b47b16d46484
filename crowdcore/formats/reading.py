"""Reading and writing a crowd in any format, which is found from a file's name and content."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.formats.columns import find_column, fitting
from crowdcore.formats.folders import read_folder, write_folder
from crowdcore.formats.long_tables import ROLES, column_names, is_parquet, long_names, read_long, write_long
from crowdcore.formats.wide_tables import read_matrix, read_wide, write_wide

Format = Literal["long", "wide", "matrix", "json", "folder"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read.

    Attributes
    ----------
    crowd : Crowd
        The answers of N tasks, M annotators, K classes.
    about : str
        What was found, in a sentence.
    truth : ndarray of shape (N,) or None
        Class codes, -1 where the truth is not known; None where the format has no truth.
    confusions : ndarray of shape (M, K, K) or None
        True class by label, of simulated annotators.
    """

    crowd: Crowd
    about: str
    truth: Codes | None = None
    confusions: NDArray[np.float64] | None = None


def read_crowd(
    path: str | Path,
    format: str | None = None,
    *,
    task_column: str | None = None,
    annotator_column: str | None = None,
    label_column: str | None = None,
    classes: Iterable[Any] | None = None,
) -> Reading:
    r"""Read answers from a file or folder.

    Parameters
    ----------
    path : path
        .csv or .tsv (also .gz) and .parquet: a table; .json: task to annotator to label, as peerannot has it; .txt: a
        bare matrix; a folder: peerannot's.
    format : {"long", "wide", "matrix", "json", "folder"}, optional
        Default: by the name, and for CSV by the columns: a table that has task, annotator and label is long; one
        whose first column names the task, each once, is wide.
    task_column, annotator_column, label_column : str, optional
        Names of a long table's columns.
    classes : sequence, optional
        All labels there are, in the order wanted. A folder says so itself.

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
    kind = format or _kind(path, any(given.values()))
    if kind != "long" and any(given.values()):
        named = ", ".join(f"{role}_column=" for role, name in given.items() if name)
        raise ValueError(f"{path} is read as {kind!r}, which has no columns to name: leave out {named}.")
    if kind == "folder":
        folder = read_folder(path)
        return Reading(folder.crowd, _about(path, "peerannot's folder", folder.crowd), folder.truth, folder.confusions)
    if kind == "long":
        names = long_names(column_names(path), given, str(path))
        crowd = read_long(path, **{f"{role}_column": name for role, name in names.items()}, classes=classes)
        return Reading(crowd, _about(path, f"a long table ({', '.join(names.values())})", crowd))
    if kind == "json":
        try:
            crowd = Crowd.from_answers_json(path, classes=classes)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        return Reading(crowd, _about(path, "peerannot's JSON (task, annotator, label)", crowd))
    what = {"wide": "a wide table, a column for each annotator", "matrix": "a matrix of tasks by annotators"}
    read = read_wide if kind == "wide" else read_matrix
    crowd = read(path, classes=classes)
    return Reading(crowd, _about(path, f"{what[kind]}, -1 for no answer,", crowd))


def _kind(path: Path, named: bool) -> str:
    """Return a file's format by its name, of a CSV by its columns."""
    if path.is_dir():
        return "folder"
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".json"):
        return "json"
    if name.endswith(".txt"):
        return "matrix"
    if is_parquet(path):
        return "long"
    if not name.endswith((".csv", ".tsv")):
        raise ValueError(
            f"{path}: the format is not known from the ending; known endings are .csv, .tsv, .parquet, .json and .txt, "
            f"and a folder in peerannot's format. Rename it, or set format={'|'.join(FORMATS)}."
        )
    columns = column_names(path)
    roles = {role for role in ROLES if fitting(columns, role)}
    if named or len(roles) == len(ROLES):
        return "long"
    if roles >= {"annotator"} or roles >= {"label"}:  # a long table whose other names are not known: say which
        for role in ROLES:
            find_column(columns, role, None, str(path))
    if len(columns) < 3 or not (columns[0] == "" or fitting(columns[:1], "task")):
        raise ValueError(
            f"{path}: its columns {columns[:12]} are neither those of a long table (task, annotator, label) nor "
            "those of a wide table (task, and a column for each annotator). Name them with task_column=, "
            "annotator_column= and label_column=, or set format=wide."
        )
    return "wide"


def _about(path: Path, what: str, crowd: Crowd) -> str:
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
        about += ", one of which is -1 (if it stands for no answer, leave such rows out)"
    return about


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
    name = path.name.lower().removesuffix(".gz")
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
