"""Rows dealt into buckets by their task, and the rows of a bucket gathered again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from crowdcore.partitioned import columns
from crowdcore.partitioned.storage import Folder

NUMBERS = 1 << 24
"""Probabilities in a part, about."""


def deal(tables: Iterable[pa.Table], scratch: Folder, name: str, num_buckets: int) -> list[str]:
    """Deal tables into buckets, about `columns.CHUNK` rows at a time; return the names of the files."""
    files: list[str] = []
    held: list[pa.Table] = []

    def write() -> None:
        files.append(f"{name}-{len(files):03d}.arrow")
        scratch.write_batches(files[-1], columns.in_buckets(joined(held), num_buckets))
        held.clear()

    for table in tables:
        held.append(table)
        if sum(one.num_rows for one in held) >= columns.CHUNK:
            write()
    if held:
        write()
    return files


def bucket_rows(scratch: Folder, number: int, files: Sequence[str]) -> pa.Table:
    """Return the rows of a bucket."""
    return joined([pa.table(scratch.read_batch(file, number)) for file in files])


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of all tables; where one has numbers of double precision, all have."""
    return pa.concat_tables(tables, promote_options="permissive")
