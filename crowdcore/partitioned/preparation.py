"""From files in any order to parts, each of which has all answers of its tasks.

Rows are dealt into buckets by their task, one file of buckets for each piece of the input; then each bucket, gathered
from all these files, becomes a part. Only a piece or a part is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crowdcore.crowd.evidence import as_ensemble
from crowdcore.crowd.ids import Ids, as_ids
from crowdcore.crowd.table import Crowd
from crowdcore.partitioned import columns
from crowdcore.partitioned.columns import Rows
from crowdcore.partitioned.parts import StoredPart, compact, ids_of, store_crowd, store_part
from crowdcore.partitioned.runners import Runner
from crowdcore.partitioned.storage import Folder

BYTES = 48
"""Scratch space for an answer: its row while it is dealt, and its place in a part."""
NUMBERS = 1 << 24
"""Probabilities in a part, about."""


def prepare_answers(
    source: Folder,
    names: Mapping[str, str],
    annotators: Iterable[Any] | None,
    classes: Iterable[Any] | None,
    scratch: Folder,
    runner: Runner,
    part_size: int,
) -> tuple[list[StoredPart], Ids, Ids]:
    """Make parts of about `part_size` answers; return them, the annotators and the classes."""
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
            f"{BYTES * num_rows / 1e9:.1f} GB. Pass scratch= a folder with more room."
        )
    given: dict[str, Any] = {names["annotator"]: annotators, names["label"]: classes}
    asked = [name for name, ids in given.items() if ids is None]
    if asked:
        found = runner.each("Finding annotators and classes", columns.distinct_values, rows, asked)
        given |= {name: columns.merged(values) for name, values in zip(asked, zip(*found, strict=True), strict=True)}
    known = as_ids(given[names["annotator"]], "annotators"), as_ids(given[names["label"]], "classes")
    num_buckets = max(-(-num_rows // part_size), -(-num_rows * len(known[1]) // (2 * NUMBERS)))  # two answers a task
    dealt = runner.each(
        "Dealing answers", _deal_answers, list(enumerate(rows)), scratch, dict(names), *known, num_buckets
    )
    files = [name for names_of_piece in dealt for name in names_of_piece]
    parts = runner.each("Sorting answers", _gather_answers, range(num_buckets), scratch, files, *known)
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


def prepare_probabilities(
    sources: Sequence[Folder],
    task: str,
    parts: Sequence[StoredPart],
    annotators: Ids,
    classes: Ids,
    scratch: Folder,
    runner: Runner,
    name: str,
) -> list[StoredPart]:
    """Return parts with the probabilities of models, and with the tasks that only these know; `name` is theirs alone.

    Where these are many, each of the parts given becomes several.
    """
    names = [str(one) for one in classes.tolist()]
    advice = f"Probabilities have a column {task!r}, and one for each class, of its name: {names}."
    rows = [columns.find_rows(source, task, names, advice) for source in sources]
    numbers = sum(one.num_rows for model in rows for one in model) * len(names)
    num_buckets = len(parts) * -(-numbers // (len(parts) * NUMBERS))
    models: list[list[str]] = []
    for number, pieces in enumerate(rows):
        dealt = runner.each(
            "Dealing probabilities",
            _deal_probabilities,
            list(enumerate(pieces)),
            scratch,
            f"{name}-dealt-{number}",
            task,
            names,
            num_buckets,
        )
        models.append([file for files in dealt for file in files])
    where = [source.address for source in sources]
    joined = runner.each(
        "Sorting probabilities", _join_probabilities, range(num_buckets), parts, num_buckets, models, where, name,
        annotators, classes,
    )  # fmt: skip
    scratch.remove(*(file for files in models for file in files))
    return joined


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

    return _deal(encoded(), scratch, f"dealt-{number:05d}", num_buckets)


def _deal(tables: Iterable[pa.Table], scratch: Folder, name: str, num_buckets: int) -> list[str]:
    """Deal tables into buckets, about `columns.CHUNK` rows at a time; return the names of the files."""
    files: list[str] = []
    held: list[pa.Table] = []

    def write() -> None:
        files.append(f"{name}-{len(files):03d}.arrow")
        scratch.write_batches(files[-1], columns.in_buckets(_joined(held), num_buckets))
        held.clear()

    for table in tables:
        held.append(table)
        if sum(one.num_rows for one in held) >= columns.CHUNK:
            write()
    if held:
        write()
    return files


def _bucket(scratch: Folder, number: int, files: Sequence[str]) -> pa.Table:
    """Return the rows of a bucket."""
    return _joined([pa.table(scratch.read_batch(file, number)) for file in files])


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of all tables; where one has numbers of double precision, all have."""
    return pa.concat_tables(tables, promote_options="permissive")


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


def _gather_answers(number: int, scratch: Folder, files: Sequence[str], annotators: Ids, classes: Ids) -> StoredPart:
    """Make a part of a bucket."""
    table = _bucket(scratch, number, files)
    tasks, place = _sorted_tasks(table.column("task").combine_chunks())
    label = table.column("label").to_numpy()
    said = label >= 0
    annotator = table.column("annotator").to_numpy()
    del table
    crowd = Crowd.from_codes(
        place[said], annotator[said], label[said], tasks=ids_of(tasks), annotators=annotators, classes=classes
    )
    return store_crowd(scratch, "part", number, crowd, tasks)


def _sorted_tasks(column: pa.Array) -> tuple[pa.Array, Any]:
    """Return the distinct ids, sorted, and the place of each id among them."""
    encoded = column.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return encoded.dictionary.take(pa.array(order)), rank[encoded.indices.to_numpy()]


def _deal_probabilities(
    piece: tuple[int, Rows], scratch: Folder, label: str, task: str, names: list[str], num_buckets: int
) -> list[str]:
    """Deal some rows into buckets, as `_deal_answers` does."""
    number, rows = piece

    def checked() -> Iterator[pa.Table]:
        for path, table in rows.tables([task, *names]):
            if columns.missing(table.column(0)).to_numpy().any():
                raise ValueError(f"{path}: a row of probabilities has no task. Fill column {task!r} or drop the row.")
            values = {"task": columns.task_ids(table.column(0), rows.text, path)}
            single = all(column.type == pa.float32() for column in table.columns[1:])
            try:
                for code in range(len(names)):
                    values[f"class {code}"] = table.column(code + 1).cast(pa.float32() if single else pa.float64())
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise ValueError(
                    f"{path}: the columns {names} are not all numbers ({error}). Probabilities are numbers from 0 to 1."
                ) from error
            yield pa.table(values)

    return _deal(checked(), scratch, f"{label}-{number:05d}", num_buckets)


def _join_probabilities(
    number: int,
    parts: Sequence[StoredPart],
    num_buckets: int,
    models: Sequence[Sequence[str]],
    where: Sequence[str],
    name: str,
    annotators: Ids,
    classes: Ids,
) -> StoredPart:
    """Make a part of a bucket of probabilities and its answers; tasks that only the models know come last."""
    part = parts[number % len(parts)].read()
    folder, size = part.stored.folder, part.tasks.column("size").to_numpy()
    here = columns.buckets(part.tasks.column("task"), num_buckets) == number
    tasks = part.tasks.column("task").filter(pa.array(here))
    tables = [_bucket(folder, number, files) for files in models]
    for table, address in zip(tables, where, strict=True):
        if table.schema.field("task").type != tasks.type:
            kinds = ("text", "numbers") if pa.types.is_integer(tasks.type) else ("numbers", "text")
            raise ValueError(f"{address}: task ids are {kinds[0]}; those of answers are {kinds[1]}. Write them alike.")
    added = pa.chunked_array([chunk for table in tables for chunk in table.column("task").chunks], tasks.type).unique()
    added = added.filter(pc.invert(pc.is_in(added, tasks)))
    tasks = pa.concat_arrays([tasks, added.take(pc.sort_indices(added))])
    P = np.stack([_aligned(table, tasks, address) for table, address in zip(tables, where, strict=True)])
    crowd = Crowd(
        ids_of(tasks), annotators.view(), classes.view(), np.zeros(len(tasks) + 1, dtype=np.int64),
        np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64),
    )  # fmt: skip
    as_ensemble(crowd, P)  # checks them, and names the task that is wrong
    sizes = np.concatenate([size[here], np.zeros(len(added), dtype=size.dtype)])
    answers = part.answers.filter(pa.array(np.repeat(here, size)))
    return store_part(folder, name, number, tasks, sizes, answers, P)


def _aligned(table: pa.Table, tasks: pa.Array, address: str) -> Any:
    """Return a model's probabilities in the order of the tasks, shape (N, K)."""
    given = table.column("task").combine_chunks()
    if len(given.unique()) < len(given):
        counts = given.value_counts()
        twice = counts.field("values")[int(np.argmax(counts.field("counts").to_numpy()))].as_py()
        raise ValueError(f"{address}: task {twice!r} has several rows of probabilities. Give each task one row.")
    place = pc.index_in(tasks, value_set=given)
    if place.null_count:
        lost = tasks[int(np.flatnonzero(place.is_null().to_numpy(zero_copy_only=False))[0])].as_py()
        raise ValueError(
            f"{address}: task {lost!r} has no probabilities ({place.null_count} tasks of this part have none). "
            "Give every task a row, uniform where the model does not know."
        )
    rows = place.to_numpy()
    given_columns = [column.to_numpy() for column in table.columns[1:]]
    P = np.empty((len(rows), len(given_columns)), dtype=given_columns[0].dtype)
    for code, column in enumerate(given_columns):
        P[:, code] = column[rows]
    return P
