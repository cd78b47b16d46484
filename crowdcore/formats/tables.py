"""A table from a file, whatever its format: text, Parquet or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from crowdcore.crowd.ids import plain
from crowdcore.formats.annotator_files import annotators_table
from crowdcore.formats.delimited import text_table
from crowdcore.formats.json_tables import as_table, read_json
from crowdcore.formats.opened import bare_name
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
