"""Crowds of regions whose truth is known, drawn with a seed: some annotators miss much, some see what is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds import AnswerTable
from crowdcore.kinds.region import Box, Ellipse, KeyPoint, Mask, Place, Polygon, Ranges, Region, Span

SIDE = 1000.0
"""Of the pictures, and the length of texts and recordings."""
LABELS = ("a", "b", "c")


@dataclass(frozen=True, eq=False)
class DrawnRegions:
    """A drawn crowd.

    Attributes
    ----------
    table : AnswerTable
        What annotators marked.
    truth : tuple of tuple of Region
        What is there, by task.
    """

    table: AnswerTable
    truth: tuple[tuple[Region, ...], ...]


def draw_regions(
    shape: str, num_tasks: int, answers: int, objects: float, *, seed: int = 0, annotators: int = 20, size: float = 80.0
) -> DrawnRegions:
    """Draw a crowd.

    Objects differ in how easily they are seen, annotators in how much they see, invent and confuse, and in how exactly
    they draw.

    Parameters
    ----------
    shape : str
        A key of `SHAPES`.
    num_tasks, answers, objects
        Tasks, answers to each, and objects in each on average.
    seed, annotators : int
        For the generator; and how many annotators there are.
    size : float
        Of objects, in the unit of `SIDE`.
    """
    rng = np.random.default_rng(seed)
    make = SHAPES[shape]
    ability, invented = rng.normal(1.8, 1.0, annotators), rng.gamma(1.0, 0.5, annotators)
    blur, right = rng.uniform(0.02, 0.15, annotators), rng.uniform(0.7, 0.98, annotators)
    truth, task, annotator, values = [], [], [], []
    for number in range(num_tasks):
        count = int(rng.poisson(objects))
        centres, sizes = rng.uniform(size, SIDE - size, (count, 2)), size * rng.uniform(0.5, 1.5, (count, 2))
        labels, ease = rng.integers(len(LABELS), size=count), rng.normal(0, 1.5, count)
        there = [make(at, extent) for at, extent in zip(centres, sizes, strict=True)]
        truth.append(tuple(Region(place, LABELS[label]) for place, label in zip(there, labels, strict=True)))
        for who in rng.choice(annotators, answers, replace=False).tolist():
            marks = []
            for at in np.flatnonzero(rng.random(count) < 1 / (1 + np.exp(-ability[who] - ease))).tolist():
                label = labels[at] if rng.random() < right[who] else rng.integers(len(LABELS))
                moved = centres[at] + rng.normal(0, blur[who], 2) * sizes[at]
                marks.append(Region(make(moved, sizes[at] * np.exp(rng.normal(0, blur[who], 2))), LABELS[label]))
            for _ in range(int(rng.poisson(invented[who]))):
                place = make(rng.uniform(size, SIDE - size, 2), size * rng.uniform(0.5, 1.5, 2))
                marks.append(Region(place, LABELS[rng.integers(len(LABELS))]))
            task.append(number)
            annotator.append(who)
            values.append(tuple(marks))
    table = AnswerTable.from_codes(task, annotator, values, tasks=range(num_tasks), annotators=range(annotators))
    return DrawnRegions(table, tuple(truth))


Pair = NDArray[np.float64]


def _span(at: Pair, size: Pair) -> Place:
    return Span(round(at[0] - size[0] / 2), round(at[0] + size[0] / 2))


def _seconds(at: Pair, size: Pair) -> Place:
    return Span(float(at[0] - size[0] / 2), float(at[0] + size[0] / 2), layer=int(at[1] > SIDE / 2))


def _ranges(at: Pair, size: Pair) -> Place:
    start, end = round(at[0] - size[0] / 2), round(at[0] + size[0] / 2)
    return Ranges(((start, (2 * start + end) // 3), ((start + 2 * end) // 3, end + 1)))


def _box(at: Pair, size: Pair) -> Place:
    left, top = at - size / 2
    return Box(float(left), float(top), float(size[0]), float(size[1]))


def _turned(at: Pair, size: Pair) -> Place:
    return Box(float(at[0]), float(at[1]), float(size[0]), float(size[1]), rotation=float(size[0]) % 40)


def _ellipse(at: Pair, size: Pair) -> Place:
    return Ellipse(float(at[0]), float(at[1]), float(size[0] / 2), float(size[1] / 2), rotation=float(size[0]) % 40)


def _polygon(at: Pair, size: Pair) -> Place:
    angles = np.linspace(0, 2 * np.pi, 9)[:-1]
    x, y = at[0] + size[0] / 2 * np.cos(angles), at[1] + size[1] / 2 * np.sin(angles)
    return Polygon(tuple(zip(x.tolist(), y.tolist(), strict=True)))


def _point(at: Pair, size: Pair) -> Place:
    return KeyPoint(float(at[0]), float(at[1]), diagonal=SIDE * 2**0.5)


def _mask(at: Pair, size: Pair) -> Place:
    y, x = np.mgrid[:200, :200] * (SIDE / 200)
    return Mask.of(((x - at[0]) / (size[0] / 2)) ** 2 + ((y - at[1]) / (size[1] / 2)) ** 2 <= 1)


SHAPES: dict[str, Callable[[Pair, Pair], Place]] = {
    "spans": _span,
    "seconds": _seconds,
    "ranges": _ranges,
    "boxes": _box,
    "turned boxes": _turned,
    "ellipses": _ellipse,
    "polygons": _polygon,
    "key points": _point,
    "masks": _mask,
}
"""How each shape is made from a centre and a size."""
