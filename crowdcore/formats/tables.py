"""A table from a file, whatever its format: text, Parquet, or JSON as pandas and other tools write it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from crowdcore.crowd.columns import ROLES, fitting
from crowdcore.crowd.ids import plain
from crowdcore.formats.annotator_files import annotators_table
from crowdcore.formats.delimited import text_table
from crowdcore.formats.opened import bare_name, read_text
from crowdcore.formats.tools import flattened
from crowdcore.kinds.per_task import is_missing

if TYPE_CHECKING:
    import pandas as pd


_LISTS = (list, tuple, set, np.ndarray)


class Table(Protocol):
    """What readers ask of a table."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""

    @property
    def first_line(self) -> int:
        """The number of the first row, as messages count."""

    def cells(self, names: Sequence[str]) -> pd.DataFrame:
        """Return some columns as categoricals: of texts if the file has nothing but text."""

    def blocks(self, rows: int) -> Iterator[pd.DataFrame]:
        """Read some rows at a time, columns by their places."""


@dataclass(frozen=True, eq=False)
class FrameTable:
    """A table in memory.

    Attributes
    ----------
    path : Path
        Where it came from.
    frame : DataFrame
        Its rows.
    """

    path: Path
    frame: pd.DataFrame
    first_line: int = 0

    @property
    def tool(self) -> str:
        """What it was exported by, in words, "" if it is a table by itself."""
        return str(self.frame.attrs.get("tool", ""))

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""
        return self.frame.columns.tolist()

    def cells(self, names: Sequence[str]) -> pd.DataFrame:
        """Return some columns as categoricals; an ordered one keeps its order."""
        found: pd.DataFrame = self.frame[list(names)].apply(_alone).astype("category")
        return found

    def blocks(self, rows: int) -> Iterator[pd.DataFrame]:
        """Give all rows, as texts."""
        texts = self.frame.apply(_alone).astype(object)
        texts = texts.where(texts.isna(), texts.map(as_text))
        yield texts.set_axis(range(len(texts.columns)), axis=1)


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file, of which only the columns that are asked for are read."""

    path: Path
    columns: list[str]
    first_line: int = 0

    def cells(self, names: Sequence[str]) -> pd.DataFrame:
        """Return some columns as categoricals; an ordered one keeps its order."""
        import pandas as pd

        wanted = list(names)
        frame = pd.read_parquet(self.path, columns=wanted, dtype_backend="numpy_nullable").reset_index()
        found: pd.DataFrame = frame[wanted].apply(_alone).astype("category")
        return found

    def blocks(self, rows: int) -> Iterator[pd.DataFrame]:
        """Give all rows, as texts."""
        yield from FrameTable(self.path, self.cells(self.columns).astype(object)).blocks(rows)


def is_parquet(path: Path) -> bool:
    """Return whether a file's name says that it is Parquet."""
    return path.suffix.lower() in (".parquet", ".pq")


def is_json(path: Path) -> bool:
    """Return whether a file's name says that it is JSON, or JSON Lines."""
    return bare_name(path).endswith((".json", ".jsonl", ".ndjson"))


def open_table(path: Path, header: bool = True) -> Table:
    """Return the table in a file, without reading all of it where that can be.

    Parameters
    ----------
    path : path
        .parquet, .json or .jsonl; a folder with a file for each annotator; anything else is text.
    header : bool
        Whether the first line of a text table names its columns.

    Raises
    ------
    ValueError
        If the file is no table.
    """
    if path.is_dir():
        tool, frame = annotators_table(path, read_json)
        frame.attrs["tool"] = tool
        return FrameTable(path, frame)
    if is_parquet(path):
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import read_schema

        try:
            schema = read_schema(path)
            return _listed(path, schema) or ParquetTable(path, list(schema.names))
        except ArrowInvalid as error:
            raise ValueError(f"{path} is not a Parquet file ({error}): correct its name, or write it again.") from None
    if is_json(path):
        found = as_table(read_json(path))
        if found is None:
            raise ValueError(
                f"{path} is JSON, but no table: expected a list of rows, or columns as pandas writes them."
            )
        return FrameTable(path, found)
    return text_table(path, header)


def _listed(path: Path, schema: Any) -> FrameTable | None:
    """Return the answers of a Parquet file with the annotators of each task and what they said; None if it has none."""
    import pandas as pd

    if not any(
        str(field.type).startswith(("list", "large_list", "struct")) or field.name == "annotators" for field in schema
    ):
        return None
    frame = as_table(
        [{name: _unpacked(value) for name, value in row.items()} for row in pd.read_parquet(path).to_dict("records")]
    )
    return FrameTable(path, frame) if frame is not None and frame.attrs else None


def _unpacked(value: Any) -> Any:
    """Return lists and objects as JSON would have them."""
    if isinstance(value, np.ndarray):
        return [_unpacked(one) for one in value.tolist()]
    return {name: _unpacked(one) for name, one in value.items()} if isinstance(value, dict) else value


def read_json(path: Path) -> Any:
    """Return what a JSON file holds; of JSON Lines, a list with what each line holds.

    Raises
    ------
    ValueError
        If it is neither.
    """
    text = read_text(path).strip()
    try:
        found = json.loads(text)
        return [found] if isinstance(found, dict) and not bare_name(path).endswith(".json") else found  # one line
    except RecursionError:
        raise ValueError(f"{path} is nested too deep to be read.") from None
    except ValueError as error:
        reason = error
    rows: list[Any] = []
    lines = text.split("\n")
    try:
        rows.extend(json.loads(line) if line.strip() else None for line in lines)
    except ValueError as error:
        if not rows:
            raise ValueError(f"{path} is not JSON ({reason}): write it again.") from None
        raise ValueError(
            f"{path}, line {len(rows) + 1}, is not JSON ({error}): expected one value in each line."
        ) from None
    return [row for row in rows if row is not None]


def as_table(found: Any) -> pd.DataFrame | None:
    """Return JSON as a table, None if it is none: a list of rows, any form of pandas' `to_json`, or a tool's export.

    Examples
    --------
    >>> as_table({"task": {"0": 7, "1": 8}, "label": {"0": "cat", "1": "dog"}}).to_dict("list")
    {'task': [7, 8], 'label': ['cat', 'dog']}
    """
    import pandas as pd

    rows: Any = _keyed(found)
    if rows is not None:
        pass
    elif isinstance(found, Mapping) and isinstance(found.get("data"), list):  # orient split or table
        found, names = found["data"], found.get("columns")
        if isinstance(names, list) and all(isinstance(row, list) and len(row) == len(names) for row in found):
            rows = [dict(zip(map(str, names), row, strict=True)) for row in found]
    elif isinstance(found, Mapping) and _are_columns(found):  # orient columns
        keys = list(dict.fromkeys(key for column in found.values() if isinstance(column, Mapping) for key in column))
        if all(isinstance(column, Mapping) for column in found.values()):
            rows = [{name: column.get(key) for name, column in found.items()} for key in keys]
        elif len({len(column) if isinstance(column, list) else -1 for column in found.values()}) == 1:
            rows = [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    elif isinstance(found, Mapping) and found and all(map(_is_row, found.values())):
        rows = list(found.values())  # orient index
    if rows is None and isinstance(found, list):
        rows = found
    if not rows or not all(isinstance(row, Mapping) for row in rows):
        return None
    told = flattened(rows)
    rows = rows if told is None else told.rows
    names = list(dict.fromkeys(str(name) for row in rows for name in row))
    frame: pd.DataFrame = pd.DataFrame(
        {name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names}, columns=names
    )
    if told is not None:
        frame.attrs["tool"] = told.tool
    return frame


def _keyed(found: Any) -> list[dict[str, Any]] | None:
    """Return the records of an object of records, each with its key as the task, if they are a known tool's."""
    if not isinstance(found, Mapping) or not all(isinstance(row, Mapping) for row in found.values()):
        return None
    rows = [{**row, "task": key} for key, row in found.items()]
    return rows if flattened(rows) is not None else None


def _are_columns(found: Mapping[str, Any]) -> bool:
    """Return whether an object has the columns of a table: not tasks, as peerannot's has."""
    if not _is_row(found):
        return False
    columns = list(found.values())
    if all(isinstance(column, list) for column in columns):
        return True
    return all(isinstance(column, Mapping) and column.keys() == columns[0].keys() for column in columns)


def _is_row(keys: Any) -> bool:
    """Return whether these are the names of a table's columns, by that of the task, long or wide."""
    if not isinstance(keys, Mapping):
        return False
    names = [key for key in keys if isinstance(key, str)]
    return bool(fitting(names, "task", 1)) or all(fitting(names, role, 3) for role in ROLES)


def _alone(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column with its lists as JSON; where none has several values, as Prodigy has answers, these alone.

    Then [] is none.
    """
    if column.dtype != object:
        return column
    several = any(isinstance(value, _LISTS) and (len(value) > 1 or _has_parts(value)) for value in column)

    mixed = has_truth_values_among_others(column)

    def alone(value: Any) -> Any:
        if isinstance(value, _LISTS):
            if several:
                return json.dumps([plain(one) for one in value], ensure_ascii=False)
            return next(iter(value), np.nan)
        if isinstance(value, dict):
            raise ValueError(
                f"Column {column.name!r} has a value of several parts ({str(value)[:60]}): expected one text, one "
                "number, or a list of them in each row."
            )
        if mixed and isinstance(value, bool):
            return str(value)
        return np.nan if value is None else value

    return column.map(alone)


def _has_parts(value: Iterable[Any]) -> bool:
    return any(isinstance(one, (Mapping, *_LISTS)) for one in value)


def has_truth_values_among_others(values: Iterable[Any]) -> bool:
    """Return whether some values are true or false, and some are not; then they are read as texts: True equals 1.

    Examples
    --------
    >>> has_truth_values_among_others([True, None, False]), has_truth_values_among_others([True, 1])
    (False, True)
    """
    kinds = {type(value) for value in values if not is_missing(value)}
    return bool in kinds and len(kinds) > 1


def as_text(value: Any) -> str:
    """Return a value as a text table has it: whole numbers without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
