"""From files in any order to parts, each of which has all answers of its tasks.

Rows are dealt into buckets by their task, one file of buckets for each piece of the input; then each bucket, gathered
from all these files, becomes a part. Only a piece or a part is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crowdcore.crowd.ids import Ids, as_ids
from crowdcore.crowd.repeats import Repeated, check_repeated, kept_answers, repeats
from crowdcore.crowd.table import Crowd
from crowdcore.partitioned import columns, dealing
from crowdcore.partitioned.columns import Rows
from crowdcore.partitioned.dealing import bucket_rows, deal
from crowdcore.partitioned.parts import StoredPart, compact, ids_of, store_crowd
from crowdcore.partitioned.runners import Runner
from crowdcore.partitioned.storage import Folder

BYTES = 48
"""Scratch space for an answer: its row while it is dealt, and its place in a part."""


def prepare_answers(
    source: Folder,
    names: Mapping[str, str],
    annotators: Iterable[Any] | None,
    classes: Iterable[Any] | None,
    scratch: Folder,
    runner: Runner,
    part_size: int,
    repeated: Repeated | None = None,
) -> tuple[list[StoredPart], Ids, Ids]:
    """Make parts of about `part_size` answers; return them, the annotators and the classes."""
    check_repeated(repeated)
    rows = columns.find_rows(
        source,
        names["task"],
        [names["annotator"], names["label"]],
        "Name the three columns with task=, annotator= and label=.",
    )
    num_rows = sum(one.num_rows for one in rows)
    free = scratch.free_bytes()
    if free is not None and free < BYTES * num_rows:
        raise ValueError(
            f"The scratch folder {scratch.address!r} has {free / 1e9:.1f} GB free; {num_rows} answers may need "
            f"{BYTES * num_rows / 1e9:.1f} GB. Pass scratch= a folder with more space."
        )
    given: dict[str, Any] = {names["annotator"]: annotators, names["label"]: classes}
    asked = [name for name, ids in given.items() if ids is None]
    if asked:
        found = runner.each("Finding annotators and classes", columns.distinct_values, rows, asked)
        given |= {name: columns.merged(values) for name, values in zip(asked, zip(*found, strict=True), strict=True)}
    known = as_ids(given[names["annotator"]], "annotators"), as_ids(given[names["label"]], "classes")
    numbers = num_rows * len(known[1])  # twice as many as there are, with two answers a task
    num_buckets = max(-(-num_rows // part_size), -(-numbers // (2 * dealing.NUMBERS)))
    dealt = runner.each(
        "Dealing answers", _deal_answers, list(enumerate(rows)), scratch, dict(names), *known, num_buckets
    )
    files = [name for names_of_piece in dealt for name in names_of_piece]
    parts = runner.each("Sorting answers", _gather_answers, range(num_buckets), scratch, files, *known, repeated)
    scratch.remove(*files)
    return parts, *known


def prepare_crowd(crowd: Crowd, num_parts: int, scratch: Folder) -> list[StoredPart]:
    """Cut a crowd in memory into parts."""
    kind = pa.int64() if crowd.tasks.dtype.kind in "iu" else pa.large_string()
    try:
        tasks = pa.array(crowd.tasks, kind)
        pa.array(crowd.classes)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(
            f"Tasks or classes cannot be stored in a column ({error}). Tasks are text or whole numbers; classes are of "
            "one kind."
        ) from error
    bucket = columns.buckets(tasks, num_parts)
    places = [np.flatnonzero(bucket == number) for number in range(num_parts)]
    return [
        store_crowd(scratch, "part", number, crowd.select_tasks(at), tasks.take(pa.array(at)))
        for number, at in enumerate(places)
    ]


def _deal_answers(
    piece: tuple[int, Rows], scratch: Folder, names: dict[str, str], annotators: Ids, classes: Ids, num_buckets: int
) -> list[str]:
    """Deal some rows into buckets; return the names of the files, a batch of which is a bucket's."""
    number, rows = piece

    def encoded() -> Iterator[pa.Table]:
        for path, table in rows.tables([names["task"], names["annotator"], names["label"]]):
            task, annotator, label = table.columns
            answered = ~columns.missing(label).to_numpy()
            for what, column in (("task", task), ("annotator", annotator)):
                if (absent := answered & columns.missing(column).to_numpy()).any():
                    row = table.slice(int(np.flatnonzero(absent)[0]), 1).to_pylist()[0]
                    raise ValueError(
                        f"{path}: a row has a label but no {what}: {row}. Every answer needs its task and annotator: "
                        f"fill column {names[what]!r} or drop the row."
                    )
            there = ~columns.missing(task).to_numpy()
            yield pa.table(
                {
                    "task": columns.task_ids(task.filter(pa.array(there)), rows.text, path),
                    "annotator": _codes(annotator, annotators, "annotator", path)[there],
                    "label": _codes(label, classes, "label", path)[there],
                }
            )

    return deal(encoded(), scratch, f"dealt-{number:05d}", num_buckets)


def _codes(column: pa.ChunkedArray, ids: Ids, what: str, path: str) -> Any:
    """Return the place of each value among the ids, -1 where it is missing."""
    import pandas as pd

    encoded = columns.plain(column).combine_chunks().dictionary_encode()
    values = encoded.dictionary
    place = pd.Index(ids).get_indexer(pd.Index(ids_of(values)))
    place[columns.missing(values).to_numpy(zero_copy_only=False)] = -2
    unknown = np.flatnonzero(place == -1)
    if len(unknown):
        lists = "classes" if what == "label" else "annotators"
        some = ", ".join(map(repr, ids.tolist()[:8]))
        raise ValueError(
            f"{path}: {what} {values[int(unknown[0])].as_py()!r} is not among the {len(ids)} {lists} given ({some}"
            f"{', ...' if len(ids) > 8 else ''}). Add it to {lists}= or drop its rows."
        )
    codes = compact(np.append(np.maximum(place, -1), -1), len(ids))
    return codes[encoded.indices.fill_null(len(values)).to_numpy()]


def _gather_answers(
    number: int, scratch: Folder, files: Sequence[str], annotators: Ids, classes: Ids, repeated: Repeated | None
) -> StoredPart:
    """Make a part of a bucket."""
    table = bucket_rows(scratch, number, files)
    tasks, place = _sorted_tasks(table.column("task").combine_chunks())
    label = table.column("label").to_numpy()
    said = label >= 0
    annotator = table.column("annotator").to_numpy()
    del table
    crowd = Crowd.from_codes(
        place[said], annotator[said], label[said], tasks=ids_of(tasks), annotators=annotators, classes=classes,
        repeated="error" if repeated == "error" else "all",
    )  # fmt: skip
    num_repeated = crowd.num_repeated
    if num_repeated:
        crowd = crowd.select_answers(kept_answers(repeats(crowd.indptr, crowd.annotator), repeated or "latest"))
    return replace(store_crowd(scratch, "part", number, crowd, tasks), num_repeated=num_repeated)


def _sorted_tasks(column: pa.Array) -> tuple[pa.Array, Any]:
    """Return the distinct ids, sorted, and the place of each id among them."""
    encoded = column.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return encoded.dictionary.take(pa.array(order)), rank[encoded.indices.to_numpy()]
