"""True answers to the control of a Label Studio export, from a file beside it: another export, or a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crowdcore.crowd.ids import plain
from crowdcore.formats import read_true_regions, values_of
from crowdcore.formats.by_task import check_overlap
from crowdcore.formats.region_columns import region_columns
from crowdcore.formats.region_tables import row_of
from crowdcore.formats.tables import open_table
from crowdcore.kinds import Region
from label_studio_crowd.errors import UserError
from label_studio_crowd.files.export_truths import exported_tasks, true_answers_of_export
from label_studio_crowd.files.sources import Source
from label_studio_crowd.files.studio_export import ExportReading
from label_studio_crowd.files.true_labels import read_true_labels
from label_studio_crowd.studio.controls import RELATIONS, regions_of
from label_studio_crowd.studio.controls.forms.form import item_of
from label_studio_crowd.studio.controls.forms.numbers import how_written, seconds_of

if TYPE_CHECKING:
    import pandas as pd

    from label_studio_crowd.studio.controls import Control

_ONLY_EXPORTS = ("per region", RELATIONS)
"""Kinds whose answers no table has."""


def true_answers(source: Source, reading: ExportReading, kind: str) -> dict[Any, Any]:
    """Return the true answers by task, as the control reads them: of the file of the truth, or of the export's own.

    Raises
    ------
    UserError, ValueError, OSError
        If there are none, or they cannot be read.
    """
    control = reading.control
    if control is None:
        raise UserError("The export has no control.")
    path = source.truth
    if path is None:
        code_of = {name: code for code, name in enumerate(reading.crowd.classes.tolist())}
        return {task: reading.values[code_of[name]] for task, name in read_true_labels(source, reading).items()}
    tasks = exported_tasks(path)
    if tasks is not None:
        return true_answers_of_export(path, tasks, control, reading)
    if kind in _ONLY_EXPORTS:
        raise UserError(
            f"No table has true answers of the kind {kind}: give a Label Studio export that has the true annotations, "
            "or use those of this one with --trust-ground-truth."
        )
    if kind == "regions" and region_columns(open_table(path).columns) is not None:
        return _of_table_of_regions(path, source, reading, control)
    truth = read_true_labels(source, reading, kind)
    return dict(zip(truth.index.tolist(), _cells(control, truth, kind, reading.values), strict=True))


def _cells(control: Control, truth: pd.Series[Any], kind: str, answers: Sequence[Any]) -> list[Any]:
    """Return what the cells of a table say, as the control reads it."""
    cells = truth.tolist()
    if control.tag == "datetime":
        return _moments(control, truth)
    if kind == "set":
        return list(map(frozenset, values_of(cells, kind)))
    if kind == "ranking":
        return _rankings(control, cells, answers)
    if kind in ("text", "regions"):
        return [_unpacked(control, cell, kind) for cell in cells]
    return values_of(cells, kind)


def _unpacked(control: Control, cell: Any, kind: str) -> Any:
    """Return an answer as `aggregate` writes it: JSON, or a text as it is."""
    try:
        packed = json.loads(str(cell))
    except ValueError:
        packed = cell
    if kind == "text":
        return control.form.unpack(packed if packed and _is_list_of(packed, str) else str(plain(cell)))
    if not _is_list_of(packed, dict):
        raise UserError(
            f"A true answer is {str(cell)[:60]!r}; expected a row for each region, with its place in columns of its "
            "own (start and end; x, y, width and height; points), or what aggregate writes, or a Label Studio export."
        )
    return regions_of(control, packed)


def _is_list_of(packed: Any, kind: type) -> bool:
    return isinstance(packed, list) and all(isinstance(one, kind) for one in packed)


def _rankings(control: Control, cells: Sequence[Any], answers: Sequence[Any]) -> list[Any]:
    """Return rankings; one without buckets goes into the only one that annotators have."""
    names = sorted({name for answer in answers for name, _ in answer})
    found = []
    for cell, listed in zip(cells, values_of(cells, "ranking"), strict=True):
        buckets = _buckets(cell)
        if buckets is None and len(names) > 1:
            raise UserError(
                f"A true answer is {str(cell)[:60]!r}, and the answers to {control.name!r} are in several buckets "
                f"({', '.join(names)}): write it as JSON, with a list of items for each bucket."
            )
        found.append(buckets or ((names[0] if names else control.name, tuple(map(str, listed))),))
    return found


def _buckets(cell: Any) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    """Return the buckets of a cell in JSON, an object or pairs of name and items; None if it has none."""
    try:
        packed = json.loads(str(cell))
    except ValueError:
        return None
    pairs = list(packed.items()) if isinstance(packed, Mapping) else packed
    if not isinstance(pairs, list) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[1], list) for pair in pairs
    ):
        return None
    return tuple(sorted((str(name), tuple(map(str, held))) for name, held in pairs))


def _of_table_of_regions(path: Path, source: Source, reading: ExportReading, control: Control) -> dict[Any, Any]:
    """Return the regions of a table; boxes and polygons are in per cent of the picture, as Label Studio has them."""
    task_column = source.how.truth_task_column
    marked = read_true_regions(path, task_column)
    numbers = reading.crowd.tasks.dtype.kind in "iu"
    known = {task if numbers else str(task): regions for task, regions in marked.items()}
    check_overlap(path, np.array([*known, None], dtype=object)[:-1], reading.crowd)
    sizes = _sizes(reading)
    return {
        task: regions_of(control, [{**_item(control, region), **sizes.get(task, {})} for region in regions])
        for task, regions in known.items()
    }


def _item(control: Control, region: Region) -> dict[str, Any]:
    """Return a region of a table as an item of a result."""
    value = row_of(region)
    label = value.pop("label")
    if label is not None:
        value[control.tag if control.tag.endswith("labels") else "labels"] = [label]
    return item_of(control, None) | {"value": value}


def _sizes(reading: ExportReading) -> dict[Any, dict[str, Any]]:
    """Return the size of each task's picture, as its annotations say it."""
    crowd = reading.crowd
    found: dict[Any, dict[str, Any]] = {}
    for task, code in zip(crowd.tasks[crowd.task].tolist(), crowd.label.tolist(), strict=True):
        for item in reading.values[code].items:
            found.setdefault(task, {name: item[name] for name in ("original_width", "original_height") if name in item})
    return found


def _moments(control: Control, truth: pd.Series[Any]) -> list[Any]:
    """Return dates and times of a file of truths as the control reads them."""
    read = [seconds_of(cell) if how_written(cell) else None for cell in truth.tolist()]
    if None in read:
        at = read.index(None)
        raise UserError(
            f"The truth of task {plain(truth.index[at])!r} is {plain(truth.iloc[at])!r}, and the answers to "
            f"{control.name!r} are dates or times: write it as {control.show(0.0)!r}."
        )
    return read
