"""The format of a file of answers, by its name and its first lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np

from crowdcore.crowd.columns import ROLES, fitting
from crowdcore.formats.annotator_files import annotator_files
from crowdcore.formats.delimited import typed
from crowdcore.formats.folders import ANSWERS
from crowdcore.formats.json_tables import as_table, read_json
from crowdcore.formats.long_tables import long_names, no_header_advice
from crowdcore.formats.opened import bare_name
from crowdcore.formats.region_columns import holds_regions
from crowdcore.formats.tables import Table, is_json, is_parquet, open_table
from crowdcore.formats.wide_tables import matrix_of

Format = Literal["long", "wide", "matrix", "json", "folder", "regions"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)


@dataclass(frozen=True)
class Guess:
    """What a file seems to be.

    Attributes
    ----------
    kind : str
        One of `FORMATS`.
    header : bool
        Whether its first line names the columns.
    notes : tuple of str
        What was guessed.
    """

    kind: str
    header: bool = True
    notes: tuple[str, ...] = ()


def find_format(path: Path, named: bool, header: bool, annotators: Sequence[str] | None = None) -> Guess:
    """Return a file's format by its name, of a table by its columns.

    Parameters
    ----------
    path : path
        The file, or folder.
    named : bool
        Whether somebody has named columns of a long table.
    header : bool
        Whether somebody has said that the first line names no columns.
    annotators : sequence of str, optional
        Columns of a wide table that somebody has named.

    Raises
    ------
    ValueError
        If it cannot be told. The message names the file.
    """
    if path.is_dir():
        if (path / ANSWERS).exists() or not annotator_files(path):
            return Guess("folder")
        return Guess(_kind_of_table(open_table(path), named))
    name = bare_name(path)
    if is_json(path):
        found = read_json(path)
        if isinstance(found, list) and found and all(isinstance(row, list) for row in found):
            raise ValueError(
                f"{path}: its rows are lists, without names of columns. Write them with names, as pandas does with "
                "to_json(orient='records')."
            )
        if as_table(found) is None:
            if not isinstance(found, dict):
                what = f"a {type(found).__name__}" if found else "nothing"
                raise ValueError(
                    f"{path} holds {what}; expected rows of a table, Label "
                    "Studio's tasks, or peerannot's object of task, annotator and label."
                )
            return Guess("json")
    elif not (is_parquet(path) or name.endswith((".csv", ".tsv", ".txt"))):
        raise ValueError(
            f"{path}: the format is not known from the ending; known endings are .csv, .tsv, .parquet, .json, .jsonl "
            f"and .txt, and a folder in peerannot's format. Rename it, or set format={'|'.join(FORMATS)}."
        )
    if annotators:
        return Guess("wide")
    if not header:
        return Guess("long")
    table = open_table(path)
    if name.endswith(".txt") and not named:
        return _of_text(path, table)
    return Guess(_kind_of_table(table, named))


def _kind_of_table(table: Table, named: bool) -> str:
    """Return whether a table is long, wide, or of regions."""
    columns, where = table.columns, str(table.path)
    if holds_regions(table):
        return "regions"
    roles = {role for role in ROLES if fitting(columns, role)}
    if named or len(roles) == len(ROLES):
        return "long"
    if roles >= {"annotator"} or roles >= {"label"}:  # a long table, or one whose other names are not known: say which
        long_names(table, dict.fromkeys(ROLES))
        return "long"
    if len(columns) < 3 or not (columns[0] == "" or fitting(columns[:1], "task") or fitting(columns, "task", 1)):
        raise ValueError(
            f"{where}: its columns {columns[:12]} are neither those of a long table (task, annotator, label) nor "
            f"those of a wide table (task, and a column for each annotator).{no_header_advice(table)} Otherwise name "
            "them with task_column=, annotator_column= and label_column=, or set format=wide."
        )
    return "wide"


def _of_text(path: Path, table: Table) -> Guess:
    """Return what a .txt file is: a table whose columns have names, rows of task, annotator and label, or a matrix."""
    columns = table.columns
    if all(fitting(columns, role) for role in ROLES):
        return Guess("long")
    if columns[0][:1] == "#":  # a remark before a matrix
        return Guess("matrix")
    is_named = typed(columns).dtype.kind not in "iu"
    if is_named and (fitting(columns, "task", 1) or columns[0] == ""):
        return Guess(_kind_of_table(table, False))
    if len(columns) != len(ROLES):
        return Guess("matrix")
    if is_named:
        raise ValueError(
            f"{path}: its three columns have no names that are known ({columns}). If they are task, annotator and "
            "label in each line, use header=False."
        )
    matrix = matrix_of(path)
    first, second, third = (np.unique(column) for column in matrix.T)
    if (matrix[:, :2] < 0).any() or len(np.unique(matrix[:, :2], axis=0)) < 0.9 * len(matrix):
        return Guess("matrix")  # a pair of task and annotator that comes again and again is none
    if len(first) > len(third) or len(second) > len(third):
        note = "its three columns are taken as task, annotator, label (format=matrix if they are three annotators)"
        return Guess("long", False, (note,))
    raise ValueError(
        f"{path}: its three columns may be task, annotator and label, or the answers of three annotators. Say which: "
        "format=matrix, or format=long and header=False."
    )
