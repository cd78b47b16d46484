"""Columns of Parquet files: which ones there are, what kind of ids they have, and the ids as used elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from crowdcore.crowd.ids import Ids, distinct
from crowdcore.partitioned.parts import ids_of
from crowdcore.partitioned.storage import Folder

CHUNK = 1 << 22
"""Rows that are read at a time."""
TEXTS = 1 << 18
"""Task ids that are hashed at a time: text is Python's meanwhile, and takes much memory."""
FOOTERS = 16
"""Files whose footers are read at a time: object stores answer slowly, and many at once."""


@dataclass(frozen=True)
class Rows:
    """Some rows of Parquet files that are read together.

    Attributes
    ----------
    folder : Folder
        Where the files are.
    groups : tuple of (str, tuple of int)
        Paths of files, and which of their row groups.
    num_rows : int
        How many rows they have.
    text : bool
        Whether task ids are text, in all files.
    """

    folder: Folder
    groups: tuple[tuple[str, tuple[int, ...]], ...]
    num_rows: int
    text: bool

    def tables(self, columns: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
        """Read columns, at most `CHUNK` rows at a time; give each table with the path of its file."""
        for path, groups in self.groups:
            with self.folder.open(path) as file:
                opened = pq.ParquetFile(file)
                for batch in opened.iter_batches(CHUNK, row_groups=list(groups), columns=list(columns)):
                    yield path, pa.table(batch).select(list(columns))


def find_rows(folder: Folder, task: str, others: Sequence[str], advice: str) -> list[Rows]:
    """Return all rows of a folder of Parquet files, cut into pieces of about `CHUNK`, files in order of their names.

    Parameters
    ----------
    folder : Folder
        The folder.
    task : str
        The column of task ids.
    others : sequence of str
        Other columns that every file must have.
    advice : str
        What to do about one that is missing.

    Raises
    ------
    ValueError
        If there are no files or no rows, a column is missing, or task ids are text in one file and numbers in another.
    """
    paths = folder.parquet_files()
    with ThreadPoolExecutor(FOOTERS) as pool:
        footers = list(pool.map(lambda path: _footer(folder, path), paths))
    found: list[Rows] = []
    groups: dict[str, list[int]] = {}
    size, kinds = 0, {}
    for path, (schema, sizes) in zip(paths, footers, strict=True):
        for name in (task, *others):
            if name not in schema.names:
                raise ValueError(f"{path} has no column {name!r}; its columns are {schema.names}. {advice}")
        text = _is_text(schema.field(task).type, task, path)
        kinds[text] = path
        if len(kinds) > 1:
            raise ValueError(
                f"Column {task!r} is text in {kinds[True]} and numbers in {kinds[False]}. Task ids must be of one "
                "kind: write them the same way."
            )
        for group, rows in enumerate(sizes):
            groups.setdefault(path, []).append(group)
            size += rows
            if size >= CHUNK:
                found.append(_rows(folder, groups, size, text))
                groups, size = {}, 0
    if size:
        found.append(_rows(folder, groups, size, text))
    if not found:
        raise ValueError(f"The Parquet files in {folder.address!r} have no rows.")
    return found


def _rows(folder: Folder, groups: dict[str, list[int]], size: int, text: bool) -> Rows:
    return Rows(folder, tuple((path, tuple(which)) for path, which in groups.items()), size, text)


def _footer(folder: Folder, path: str) -> tuple[pa.Schema, list[int]]:
    """Return a file's schema, and how many rows each row group has."""
    with folder.open(path) as file:
        try:
            opened = pq.ParquetFile(file)
        except pa.ArrowInvalid as error:
            raise ValueError(f"{path} is not a Parquet file: {error} Remove it, or rename it.") from error
        footer = opened.metadata
        return opened.schema_arrow, [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]


def distinct_values(rows: Rows, names: Sequence[str]) -> list[Ids]:
    """Return the distinct values of columns, sorted, missing ones left out."""
    seen: list[list[Ids]] = [[] for _ in names]
    for _, table in rows.tables(names):
        for column, kept in zip(table.columns, seen, strict=True):
            values = plain(column).unique()
            kept.append(ids_of(values.filter(pc.invert(missing(values)))))
    return [merged(kept) for kept in seen]


def merged(values: Sequence[Ids]) -> Ids:
    """Return the distinct ids of all, sorted as `Crowd.from_long` does."""
    found = [one for one in values if len(one)]
    return distinct(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)


def task_ids(column: pa.ChunkedArray, text: bool, where: str) -> pa.Array:
    """Return task ids as text or 64-bit integers.

    Raises
    ------
    ValueError
        If a number is not a whole number.
    """
    flat = plain(column).combine_chunks()
    try:
        return flat.cast(pa.large_string() if text else pa.int64())
    except pa.ArrowInvalid as error:
        raise ValueError(
            f"{where}: a task is not a whole number ({error}). Task ids are text or whole numbers."
        ) from error


def buckets(tasks: pa.Array, num_buckets: int) -> NDArray[np.integer]:
    """Return which of the buckets each task belongs to, by its id alone."""
    from pandas.util import hash_array

    found = np.empty(len(tasks), dtype=np.min_scalar_type(num_buckets))
    for start in range(0, len(tasks), TEXTS):
        some = tasks.slice(start, TEXTS)
        if pa.types.is_integer(some.type):
            hashed = hash_array(some.to_numpy())
        else:
            encoded = some.dictionary_encode()
            hashed = hash_array(ids_of(encoded.dictionary), categorize=False)[encoded.indices.to_numpy()]
        found[start : start + TEXTS] = hashed % np.uint64(num_buckets)
    return found


def in_buckets(table: pa.Table, num_buckets: int) -> list[pa.RecordBatch]:
    """Return the rows of each bucket."""
    bucket = buckets(table.column("task").combine_chunks(), num_buckets)
    order = np.argsort(bucket, kind="stable")
    (batch,) = table.take(pa.array(order)).combine_chunks().to_batches() or [_no_rows(table.schema)]
    edges = np.concatenate([[0], np.cumsum(np.bincount(bucket, minlength=num_buckets))]).tolist()
    return [batch.slice(edges[at], edges[at + 1] - edges[at]) for at in range(num_buckets)]


def plain(column: Any) -> Any:
    """Return a column whose values are written out, where it is a dictionary's."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def missing(column: Any) -> Any:
    """Return where values are missing: null, or not a number."""
    return pc.is_null(column, nan_is_null=True)


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)


def _is_text(kind: pa.DataType, name: str, path: str) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if "string" in str(kind):
        return True
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return False
    raise ValueError(f"Column {name!r} of {path} is {kind}. Task ids are text or whole numbers: convert them.")
