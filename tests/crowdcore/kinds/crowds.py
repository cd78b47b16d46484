"""Crowds of answers that are not one class, drawn with a known truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from crowdcore.kinds import AnswerTable


def table(rows: Iterable[tuple[Any, Any, Any]], **options: Any) -> AnswerTable:
    """Return a table of (task, annotator, answer)."""
    return AnswerTable.from_long(pd.DataFrame(list(rows), columns=["task", "annotator", "answer"]), **options)


def everybody(answers: Sequence[Sequence[Any]]) -> AnswerTable:
    """Return a table where answers[i][j] is what annotator j says of task i; None is no answer."""
    return table(
        (
            (i, f"w{j}", answer)
            for i, row in enumerate(answers)
            for j, answer in enumerate(row)
            if answer is not None
        ),
        tasks=range(len(answers)), annotators=[f"w{j}" for j in range(max(map(len, answers), default=0))],
    )  # fmt: skip


def draw_sets(num_classes=20, num_tasks=300, num_annotators=20, found=0.8, made_up=0.3, each=3, seed=0):
    """Return a table of sets, the true sets, and the classes: annotators find each true class, and make one up."""
    rng = np.random.default_rng(seed)
    classes = [f"c{k:03}" for k in range(num_classes)]
    truth = [frozenset(rng.choice(classes, rng.integers(0, 4), replace=False).tolist()) for _ in range(num_tasks)]
    rows = []
    for i, labels in enumerate(truth):
        for j in rng.choice(num_annotators, each, replace=False):
            said = {label for label in sorted(labels) if rng.random() < found}
            if rng.random() < made_up:
                said.add(str(rng.choice(classes)))
            rows.append((i, int(j), said))
    return table(rows, tasks=range(num_tasks)), truth, classes


def draw_numbers(num_tasks=200, num_annotators=12, each=5, gross=0.0, seed=0):
    """Return a table of numbers from 0 to 100, the true ones, and the annotators' biases and spreads."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 100, num_tasks)
    bias, spread = rng.normal(0, 4, num_annotators), rng.uniform(2, 8, num_annotators)
    rows = []
    for i in range(num_tasks):
        for j in rng.choice(num_annotators, each, replace=False).tolist():
            answer = truth[i] + bias[j] + spread[j] * rng.normal()
            rows.append((i, j, 10 * answer + 300 if rng.random() < gross else answer))
    return table(rows, tasks=range(num_tasks)), truth, bias, spread


def shuffled(given: AnswerTable, seed: int) -> tuple[AnswerTable, np.ndarray, np.ndarray]:
    """Return the same answers with rows, tasks and annotators in another order, and where these were before."""
    rng = np.random.default_rng(seed)
    tasks, annotators = rng.permutation(len(given.tasks)), rng.permutation(len(given.annotators))
    rows = given.to_long().sample(frac=1, random_state=seed)
    again = AnswerTable.from_long(
        rows, tasks=given.tasks[tasks].tolist(), annotators=given.annotators[annotators].tolist()
    )
    return again, tasks, annotators
