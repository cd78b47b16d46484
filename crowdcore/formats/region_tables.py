"""Tables of regions: a row for each span, box or polygon that an annotator marked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.columns import find_column
from crowdcore.crowd.ids import as_ids, plain
from crowdcore.crowd.table import Crowd
from crowdcore.formats.cells import coded_column
from crowdcore.formats.region_columns import RegionColumns, is_finite_number, label_column, region_columns
from crowdcore.formats.tables import Table, open_table
from crowdcore.kinds.per_task import is_missing
from crowdcore.kinds.region.places import Box, Place, Polygon, Region, Span
from crowdcore.kinds.table import AnswerTable

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RegionAnswers:
    """What a table of regions says.

    Attributes
    ----------
    crowd : Crowd
        The answers; a class is all that an annotator marked in a task.
    values : tuple
        For each class, a tuple of `Region`.
    columns : tuple of str
        The columns that were read.
    task_column, label_column : str, str or None
        Of these, the task's, and the labels'.
    """

    crowd: Crowd
    values: tuple[tuple[Region, ...], ...]
    columns: tuple[str, ...]
    task_column: str
    label_column: str | None


def read_regions(
    path: str | Path,
    *,
    task_column: str | None = None,
    annotator_column: str | None = None,
    label_column: str | None = None,
) -> AnswerTable:
    r"""Read a table with a row for each region.

    A row without a place says that its annotator found nothing in its task; one without an annotator as well, that the
    task has no answer yet. Spans have the columns start and end (the end is no longer part of it); boxes x, y, width
    and height, and perhaps rotation, or xmin, ymin, xmax and ymax; polygons points, a list of [x, y]. Labels may be
    missing.

    Parameters
    ----------
    path : path
        A table as text, Parquet or JSON; JSON of Argilla or Prodigy; or a folder of doccano's or CVAT's files.
    task_column, annotator_column, label_column : str, optional
        Names of the columns. Default: by their names.

    Returns
    -------
    AnswerTable
        For `crowdcore.kinds.regions`.

    Raises
    ------
    ValueError
        If a column is missing, or a row has no region. The message names the row.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "spans.csv"
    >>> _ = file.write_text("task,annotator,start,end,label\n7,ann,0,3,PER\n7,ann,8,11,PER\n7,bob,,,\n")
    >>> [len(marked) for marked in read_regions(file).values]
    [2, 0]
    """
    given = {"task": task_column, "annotator": annotator_column, "label": label_column}
    found = region_answers(open_table(Path(path)), given)
    crowd = found.crowd
    table = AnswerTable(crowd.tasks, crowd.annotators, crowd.indptr, crowd.annotator, crowd.label)
    return table.with_values([found.values[code] for code in crowd.label.tolist()])


def region_answers(table: Table, given: Mapping[str, str | None]) -> RegionAnswers:
    """Return what a table of regions says.

    Parameters
    ----------
    table : Table
        Has columns that `region_columns` knows.
    given : dict
        Names of the columns of task, annotator and label; None for those that are found.

    Raises
    ------
    ValueError
        As `read_regions`.
    """
    shape = _shape_of(table)
    task, annotator = (find_column(table.columns, role, given[role], str(table.path)) for role in ("task", "annotator"))
    label = given["label"] or label_column(table)
    tasks, annotators, marked = _marked(table, shape, task, annotator, label)
    code_of: dict[tuple[Region, ...], int] = {}
    codes = [code_of.setdefault(tuple(answer), len(code_of)) for answer in marked.values()]
    pairs = np.array(list(marked), np.int64).reshape(-1, 2)
    crowd = Crowd.from_codes(
        pairs[:, 0], pairs[:, 1], np.array(codes, np.int64), tasks=tasks, annotators=annotators,
        classes=as_ids([_written(answer) for answer in code_of], "classes"),
    )  # fmt: skip
    names = (task, annotator, *shape.place, *filter(None, (shape.points, label)))
    return RegionAnswers(crowd, tuple(code_of), names, task, label)


def read_true_regions(path: str | Path, task_column: str | None = None) -> dict[Any, tuple[Region, ...]]:
    r"""Read all true regions of each task, from a table as `read_regions` takes it, but without annotators.

    Raises
    ------
    ValueError, OSError
        As `read_regions`.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "truth.csv"
    >>> _ = file.write_text("task,start,end\n7,0,3\n8,,\n")
    >>> {task: len(regions) for task, regions in read_true_regions(file).items()}
    {7: 1, 8: 0}
    """
    table = open_table(Path(path))
    task = find_column(table.columns, "task", task_column, str(table.path))
    tasks, _, marked = _marked(table, _shape_of(table), task, None, label_column(table))
    return {plain(tasks[code]): tuple(regions) for (code, _), regions in marked.items()}


def _shape_of(table: Table) -> RegionColumns:
    shape = region_columns(table.columns)
    if shape is None:
        raise ValueError(
            f"{table.path}: its columns {table.columns[:12]} do not say where regions are. Spans need start and end, "
            "boxes x, y, width and height or xmin, ymin, xmax and ymax, polygons points."
        )
    return shape


def _marked(
    table: Table, shape: RegionColumns, task: str, annotator: str | None, label: str | None
) -> tuple[Any, Any, dict[tuple[int, int], list[Region]]]:
    """Return the ids of tasks and annotators, and the regions of each pair of their codes."""
    names = [task, *([annotator] if annotator else []), *shape.place, *filter(None, (shape.points, label))]
    frame = table.cells(names)
    tasks, task_of = coded_column(frame[task])
    annotators, annotator_of = (
        coded_column(frame[annotator])
        if annotator
        else (as_ids(["truth"], "annotators"), np.zeros(len(frame), np.int64))
    )
    regions = list(_regions(table, frame, shape, label))
    somebody = (annotator_of >= 0) | np.array([region is not None for region in regions], np.bool_)
    nameless = np.flatnonzero((task_of < 0) | ((annotator_of < 0) & somebody))
    if len(nameless):
        needed = " and ".join(repr(name) for name in (task, annotator) if name)
        raise ValueError(
            f"{table.path}, row {nameless[0] + table.first_line}: the region has no value in {needed}, and needs both "
            "a task and an annotator. Fill the cell or remove the row."
        )
    marked: dict[tuple[int, int], list[Region]] = {}
    for *pair, region in zip(task_of.tolist(), annotator_of.tolist(), regions, strict=True):
        if pair[1] >= 0:  # a row of a task alone says that there is one
            marked.setdefault((pair[0], pair[1]), []).extend([region] if region else [])
    return tasks, annotators, marked


def _regions(table: Table, frame: pd.DataFrame, shape: RegionColumns, label: str | None) -> Iterator[Region | None]:
    """Yield the region of each row, None where it has no place."""
    numbers = np.empty((len(frame), len(shape.place)))
    for at, name in enumerate(shape.place):
        numbers[:, at] = _numbers(table, frame[name])
    points = [None] * len(frame) if shape.points is None else frame[shape.points].astype(object).tolist()
    labels = [None] * len(frame) if label is None else frame[label].astype(object).tolist()
    for row, (cells, corners, said) in enumerate(zip(numbers, points, labels, strict=True)):
        try:
            place = _place(shape.shape, cells, corners)
        except ValueError as error:
            raise ValueError(
                f"{table.path}, row {row + table.first_line}: {error} Correct it, or remove the row."
            ) from None
        yield None if place is None else Region(place, None if is_missing(said) else str(plain(said)))


def _place(shape: str, cells: Floats, corners: Any) -> Place | None:
    if not is_missing(corners):
        try:
            return Polygon(tuple((float(x), float(y)) for x, y in json.loads(corners)))
        except (TypeError, json.JSONDecodeError):
            raise ValueError(f"the points are {str(corners)[:60]!r}; expected a list of [x, y] in JSON.") from None
    there = np.isfinite(cells[:4])
    if not there.any():
        return None
    if not there.all():
        raise ValueError(f"of its place, only {there.sum()} of {len(there)} numbers are there.")
    if shape == "span":
        return Span(*cells.tolist())
    if shape == "corners":
        left, top, right, bottom = cells.tolist()
        return Box(left, top, right - left, bottom - top)
    return Box(*cells[:4].tolist(), *np.nan_to_num(cells[4:]).tolist())


def _numbers(table: Table, column: pd.Series[Any]) -> Floats:
    """Return a column's numbers, NaN where a cell is empty."""
    values = column.cat.categories.tolist()
    odd = next((value for value in values if not is_finite_number(value)), None)
    if odd is not None:
        row = int(np.flatnonzero((column == odd).to_numpy())[0])
        raise ValueError(
            f"{table.path}, row {row + table.first_line}: column {column.name!r} has {odd!r}; it must be a number, or "
            "empty where nothing is marked."
        )
    found: Floats = np.array([*map(float, values), np.nan])[column.cat.codes.to_numpy()]
    return found


def _written(answer: Sequence[Region]) -> str:
    """Return what an answer is called: its regions as JSON."""
    return json.dumps([row_of(region) for region in answer], ensure_ascii=False)


def row_of(region: Region) -> dict[str, Any]:
    """Return a region as the row of a table, under the names that `read_regions` reads.

    Examples
    --------
    >>> row_of(Region(Span(0, 4), "PER"))
    {'start': 0, 'end': 4, 'label': 'PER'}
    """
    place = region.place
    if isinstance(place, Span):
        found: dict[str, Any] = {"start": _whole(place.start), "end": _whole(place.end)}
    elif isinstance(place, Box):
        found = {name: _whole(getattr(place, name)) for name in ("x", "y", "width", "height")}
        found |= {"rotation": _whole(place.rotation)} if place.rotation else {}
    elif isinstance(place, Polygon):
        found = {"points": [[_whole(x), _whole(y)] for x, y in place.points]}
    else:
        raise TypeError(f"A {type(place).__name__} has no row; spans, boxes and polygons have.")
    return {**found, "label": region.label}


def _whole(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number
