"""Which columns of a table say where regions are, and whether these are answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from crowdcore.crowd.columns import fitting
from crowdcore.formats.tables import Table

_SHAPES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "span": (("start", "begin", "start_offset", "start_char"), ("end", "stop", "end_offset", "end_char")),
    "box": (("x",), ("y",), ("width", "w"), ("height", "h")),
    "corners": (
        ("xmin", "x_min", "x1", "left", "xtl"),
        ("ymin", "y_min", "y1", "top", "ytl"),
        ("xmax", "x_max", "x2", "right", "xbr"),
        ("ymax", "y_max", "y2", "bottom", "ybr"),
    ),
}
"""The columns of each shape, by the names that they may have; case does not matter."""
_ROTATION: Final = ("rotation", "angle")
_POINTS: Final = ("points", "polygon")
_LABELS: Final = ("entity", "entity_type", "tag", "type")
"""What the column of labels may be called besides its usual names."""

LEAST_MOMENT: Final = 1e8
"""Where no span begins before, start and end are moments: seconds since 1970, or milliseconds."""
LEAST_TASKS: Final = 5
"""How many tasks of several annotators it takes to see that they never differ in places."""


@dataclass(frozen=True)
class RegionColumns:
    """Which columns of a table say where regions are.

    Attributes
    ----------
    shape : {"span", "box", "corners", "polygon"}
        What the first row's are.
    place : tuple of str
        The columns of numbers; of a box its rotation may be one more.
    points : str or None
        The column of polygons, lists of [x, y].
    """

    shape: str
    place: tuple[str, ...]
    points: str | None = None


def region_columns(columns: Sequence[str]) -> RegionColumns | None:
    """Return which columns say where regions are; None if a table has none such.

    Examples
    --------
    >>> region_columns(["task", "annotator", "start", "end", "label"])
    RegionColumns(shape='span', place=('start', 'end'), points=None)
    """
    points = _first(columns, _POINTS)
    for shape, known in _SHAPES.items():
        found = [_first(columns, names) for names in known]
        if None not in found:
            turned = _first(columns, _ROTATION) if shape == "box" else None
            names = (*found, *([turned] if turned else []))
            return RegionColumns(shape, tuple(name for name in names if name), points)
    return RegionColumns("polygon", (), points) if points else None


def holds_regions(table: Table) -> bool:
    """Return whether a table's rows are regions: it has the columns, with places in them that annotators chose.

    Numbers that are moments, lengths of lines and the like are no places, nor is what a task has by itself: a place
    that is the same for all its annotators, whose labels differ.
    """
    shape = region_columns(table.columns)
    if shape is None or not fitting(table.columns, "task") or not fitting(table.columns, "annotator"):
        return False
    values = [value for name in shape.place for value in _distinct(table, name)]
    if not all(is_finite_number(value) for value in values):
        return False
    if shape.shape == "polygon":
        return any(str(value).lstrip().startswith("[") for value in _distinct(table, str(shape.points)))
    if shape.shape == "span" and values and min(map(float, values)) >= LEAST_MOMENT:
        return False
    return not _is_given(table, shape)


def _distinct(table: Table, name: str) -> list[Any]:
    found: list[Any] = table.cells([name])[name].cat.categories.tolist()
    return found


def _is_given(table: Table, shape: RegionColumns) -> bool:
    """Return whether places are the tasks' own: annotators have a row each, and differ in labels, never in places."""
    label = label_column(table)
    task, annotator = (fitting(table.columns, role)[0] for role in ("task", "annotator"))
    if label is None or label in shape.place:
        return False
    frame = table.cells(list(dict.fromkeys([task, annotator, *shape.place, label]))).astype(object)
    if frame.duplicated([task, annotator]).any():
        return False
    by_task = frame.groupby(task)
    several = by_task.size() > 1
    places = by_task[list(shape.place)].nunique(dropna=False).max(axis=1)
    labels = by_task[label].nunique()
    return bool(several.sum() >= LEAST_TASKS and (places == 1).all() and (labels > 1).any())


def label_column(table: Table) -> str | None:
    """Return the column of the regions' labels, None if there is none."""
    return next(iter(fitting(table.columns, "label")), None) or _first(table.columns, _LABELS)


def is_finite_number(value: Any) -> bool:
    """Return whether a cell is a finite number, also as text."""
    try:
        return bool(np.isfinite(float(value)))
    except (TypeError, ValueError):
        return False


def _first(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the first of the names that a table has."""
    lower = {str(column).lower(): column for column in reversed(columns)}
    return next((lower[name] for name in names if name in lower), None)
