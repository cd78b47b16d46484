"""Models' probabilities, in files in any order, joined with the parts that have the answers of their tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crowdcore.crowd.evidence import as_ensemble
from crowdcore.crowd.ids import Ids
from crowdcore.crowd.table import Crowd
from crowdcore.partitioned import columns, dealing
from crowdcore.partitioned.columns import Rows
from crowdcore.partitioned.dealing import bucket_rows, deal
from crowdcore.partitioned.parts import StoredPart, ids_of, store_part
from crowdcore.partitioned.runners import Runner
from crowdcore.partitioned.storage import Folder


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
    advice = f"Probabilities need a column {task!r}, and one for each class, with its name: {names}."
    rows = [columns.find_rows(source, task, names, advice) for source in sources]
    numbers = sum(one.num_rows for model in rows for one in model) * len(names)
    num_buckets = len(parts) * -(-numbers // (len(parts) * dealing.NUMBERS))
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

    return deal(checked(), scratch, f"{label}-{number:05d}", num_buckets)


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
    tables = [bucket_rows(folder, number, files) for files in models]
    for table, address in zip(tables, where, strict=True):
        if table.schema.field("task").type != tasks.type:
            kinds = ("text", "numbers") if pa.types.is_integer(tasks.type) else ("numbers", "text")
            raise ValueError(
                f"{address}: task ids are {kinds[0]}; those of answers are {kinds[1]}. Write them the same way."
            )
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
            "Give every task a row, with equal probabilities if the model does not know."
        )
    rows = place.to_numpy()
    given_columns = [column.to_numpy() for column in table.columns[1:]]
    P = np.empty((len(rows), len(given_columns)), dtype=given_columns[0].dtype)
    for code, column in enumerate(given_columns):
        P[:, code] = column[rows]
    return P
