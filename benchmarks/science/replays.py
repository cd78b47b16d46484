"""How many labels it takes until all tasks are settled: crowds replayed in the order of the queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.science.papers.generated import Known, random_recipe
from benchmarks.science.papers.report import figure
from crowdcore import Crowd, hierarchical_dawid_skene
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.outlook.forecast import forecast_accuracy

Codes = NDArray[np.int64]

TARGET, MARGIN = 0.9, 0.02
"""Quality from which on a task is settled; how far below it may fall until it is open again."""
MOST = 5, 10
"""Labels with which a task is settled, whatever its quality: one for every second pair of drawn crowds, and the other;
the second for recorded ones."""
ANSWERS, MOST_TASKS, MOST_CLASSES = 13.0, 400, 15
MOMENTS = 0.0, 0.3, 0.6
"""Shares of the way after which the rest is forecast."""
BATCHES, LEAST_LEFT = 10, 20


@dataclass(frozen=True)
class Needed:
    """Labels that it took from some moment on until all tasks were settled, and what was forecast then."""

    low: float
    middle: float
    high: float
    came: int

    @property
    def held(self) -> bool:
        """Whether the interval holds what came."""
        return self.low <= self.came <= self.high


def drawn(start: int, size: int) -> Iterator[tuple[Known, int]]:
    """Yield crowds with properties drawn at random and many answers a task, and the most labels a task may get."""
    for seed in range(start, start + size):
        recipe = random_recipe(seed, seed % 2 == 0)
        if recipe.n_classes <= MOST_CLASSES:
            recipe = replace(
                recipe, n_tasks=min(recipe.n_tasks, MOST_TASKS), answers=ANSWERS,
                n_annotators=min(max(recipe.n_annotators, 15), 150),
            )  # fmt: skip
            yield recipe.make(seed), MOST[seed // 2 % 2]


def replay(known: Known, most: int, level: float, seed: int = 0) -> list[Needed]:
    """Ask for recorded answers until all tasks are settled, and forecast on the way how many that takes.

    At first every task has an answer, and three in ten a second one; with a model every second task has one. Then a
    tenth of the tasks get one more at a time, in the order of the queue.
    """
    crowd, P, N, rng = known.crowd, known.pred_probs, len(known.crowd.tasks), np.random.default_rng(seed)
    limit = np.minimum(crowd.num_answers, most)
    order = np.lexsort((rng.random(len(crowd.label)), crowd.task))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - crowd.indptr[crowd.task]
    least = 2 if P is None else 1
    shown = np.minimum(1 + (rng.random(N) < 0.3) if P is None else (rng.random(N) < 0.5).astype(np.int64), limit)
    settled, course = np.zeros(N, dtype=bool), list[tuple[int, HierarchicalResult]]()
    while True:
        result = hierarchical_dawid_skene(_seen(crowd, place < shown[crowd.task]), P)
        course.append((int(shown.sum()), result))
        good = (result.quality >= TARGET - MARGIN * settled) & (shown >= least)
        settled = good | (shown >= limit)
        waiting = np.flatnonzero(~settled)
        if not len(waiting):
            break
        queue = waiting[np.lexsort((rng.random(len(waiting)), result.confidence[waiting]))]
        shown[queue[: -(-N // BATCHES)]] += 1
    return [*_forecasts(course, limit, least, level)]


def _seen(crowd: Crowd, here: NDArray[np.bool_]) -> Crowd:
    return Crowd.from_codes(
        crowd.task[here], crowd.annotator[here], crowd.label[here],
        tasks=crowd.tasks, annotators=crowd.annotators, classes=crowd.classes,
    )  # fmt: skip


def _forecasts(
    course: Sequence[tuple[int, HierarchicalResult]], limit: Codes, least: int, level: float
) -> Iterator[Needed]:
    first, last = course[0][0], course[-1][0]
    for share in MOMENTS:
        labels, result = next(moment for moment in course if moment[0] - first >= share * (last - first))
        if last - labels < LEAST_LEFT:
            continue
        found = forecast_accuracy(result, target_quality=TARGET, min_labels=least, max_labels=limit, level=level)
        if not found.reason:
            ends = found.labels_needed_low, found.labels_needed, found.labels_needed_high
            yield Needed(*ends, last - labels)


def needed_row(name: str, found: Sequence[Needed]) -> list[str]:
    """Return a row: forecasts, held, fewer and more came, width and error of the median as shares of what came."""
    low, middle, high, came = np.array([(each.low, each.middle, each.high, each.came) for each in found]).T
    cells = [
        np.mean((came >= low) & (came <= high)), np.mean(came < low), np.mean(came > high),
        np.median((high - low) / came), np.median(middle / came - 1), np.median(np.abs(middle / came - 1)),
    ]  # fmt: skip
    return [name, f"{len(found)}", *(figure(float(cell), 2) for cell in cells)]
