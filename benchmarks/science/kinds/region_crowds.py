"""Crowds of regions with truth from the data folder, and how consensuses of regions are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.science.kinds.crowds import read_crowd
from crowdcore.kinds import AnswerTable
from crowdcore.kinds.region import Box, Region, RegionResult, Span
from crowdcore.kinds.region.measures import measure_of

Floats = np.ndarray
Answer = Sequence[Region]


@dataclass(frozen=True, eq=False)
class RegionCrowd:
    """Answers, the truth of each task, and the tasks' data."""

    table: AnswerTable
    truth: tuple[tuple[Region, ...], ...]
    data: tuple[Any, ...]


def read_regions(data: Path, name: str) -> RegionCrowd:
    """Read one of the folders of spans or boxes.

    Raises
    ------
    MissingError
        If it is not there.
    """
    rows = read_crowd(data, name)
    people = sorted({given["annotator"] for row in rows for given in row["annotations"]})
    code = {name: number for number, name in enumerate(people)}
    flat = [(task, given) for task, row in enumerate(rows) for given in row["annotations"]]
    table = AnswerTable.from_codes(
        [task for task, _ in flat],
        [code[given["annotator"]] for _, given in flat],
        [_regions(given["answer"]) for _, given in flat],
        tasks=[row["task"] for row in rows],
        annotators=people,
    )
    return RegionCrowd(table, tuple(_regions(row["truth"]) for row in rows), tuple(row["data"] for row in rows))


def _regions(given: Sequence[dict[str, Any]]) -> tuple[Region, ...]:
    return tuple(
        Region(
            Span(one["start"], one["end"]) if "start" in one else Box(one["x"], one["y"], one["width"], one["height"]),
            one["label"],
        )
        for one in given
    )


def some_answers(table: AnswerTable, chosen: np.ndarray) -> AnswerTable:
    """Return the table with some of its answers, a mask or places."""
    at = np.arange(len(table.values))[chosen]
    return AnswerTable.from_codes(
        table.task[at], table.annotator[at], [table.values[row] for row in at.tolist()],
        tasks=table.tasks, annotators=table.annotators,
    )  # fmt: skip


def at_most(table: AnswerTable, most: int, rng: np.random.Generator) -> AnswerTable:
    """Return the table with at most so many answers of each task, drawn."""
    order = np.lexsort([rng.random(len(table.values)), table.task])
    number = np.arange(len(order)) - np.repeat(table.indptr[:-1], table.num_answers)
    return some_answers(table, np.sort(order[number < most]))


def alike(first: Answer, second: Answer, labels: bool = True) -> Floats:
    """Return the similarity of all pairs of two answers' regions; 0 if labels differ."""
    if not first or not second:
        return np.zeros((len(first), len(second)))
    measure = measure_of([region.place for region in (*first, *second)])
    rows, columns = (grid.ravel() for grid in np.indices((len(first), len(second))))
    found = measure.alike(rows, measure, len(first) + columns).reshape(len(first), len(second))
    if labels:
        found[np.array([[a.label != b.label for b in second] for a in first])] = 0
    return found


def hits(found: Answer, truth: Answer, level: float) -> int:
    """Return how many regions are matched to true ones of the same label with at least that similarity."""
    similarity = alike(found, truth)
    enough = np.where(similarity >= level - 1e-9, 1 + similarity, 0.0)
    return int((enough[linear_sum_assignment(enough, maximize=True)] > 0).sum())


def micro_f1(found: Sequence[Answer | None], truth: Sequence[Answer], level: float) -> float:
    """Return the F1 over all tasks, with regions that are right from some similarity on; 1: exactly."""
    right = sum(hits(one or (), there, level) for one, there in zip(found, truth, strict=True))
    total = sum(len(one or ()) for one in found) + sum(map(len, truth))
    return 2 * right / total if total else float("nan")


def annotators_f1(crowd: RegionCrowd, level: float) -> tuple[Floats, Floats]:
    """Return each annotator's true F1, and the number of objects in the tasks they answered."""
    table, scores, objects = crowd.table, [], []
    for who in range(len(table.annotators)):
        rows = np.flatnonzero(table.annotator == who)
        there = [crowd.truth[task] for task in table.task[rows].tolist()]
        scores.append(micro_f1([table.values[row] for row in rows.tolist()], there, level))
        objects.append(sum(map(len, there)))
    return np.array(scores), np.array(objects)


def real_units(result: RegionResult, truth: Sequence[Answer]) -> np.ndarray:
    """Return which units are of something true, by place alone and at the threshold of matching, each matched once."""
    units = result.units
    found = np.zeros(len(units.task), dtype=bool)
    for task, there in enumerate(truth):
        here = np.flatnonzero(units.task == task)
        if len(here) and there:
            similarity = alike([Region(units.place[unit]) for unit in here.tolist()], there, labels=False)
            level = measure_of([there[0].place]).threshold
            enough = np.where(similarity >= level, 1 + similarity, 0.0)
            rows, columns = linear_sum_assignment(enough, maximize=True)
            found[here[rows[enough[rows, columns] > 0]]] = True
    return found


def calibration_error(believed: Floats, true: np.ndarray, bins: int = 10) -> float:
    """Return the expected calibration error."""
    place = np.minimum((believed * bins).astype(int), bins - 1)
    gaps = np.bincount(place, believed - true, minlength=bins)
    return float(np.abs(gaps).sum() / len(believed))
