"""The list of tasks that are too hard: a line for each, its place in the training order and its name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.errors import UserError


def write_too_hard(path: Path, rows: Iterable[tuple[int, Any]]) -> Path:
    """Write places and tasks."""
    path.write_text("".join(f"{place} {task}\n" for place, task in rows), encoding="utf-8")
    return path


def read_too_hard(path: Path, tasks: Iterable[Any]) -> NDArray[np.bool_]:
    """Return which of the tasks are listed, a mask.

    Tasks are known by their names, so that the order in which they were learned does not matter.

    Raises
    ------
    UserError
        If a line has no task, or a task is not known.
    OSError
        If the file cannot be read.
    """
    place_of = {str(task): place for place, task in enumerate(tasks)}
    removed = np.zeros(len(place_of), dtype=bool)
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        place, _, task = line.strip().partition(" ")
        if not task or not place.lstrip("-").isdigit():
            raise UserError(
                f"{path}, line {number}: found {line!r}; expected the task's place and the task, such as '17 42', as "
                "identify writes too_hard_0.01.txt."
            )
        if task.strip() not in place_of:
            raise UserError(
                f"{path}, line {number}: task {task.strip()!r} is none of the {len(place_of)} tasks to learn from. "
                "Give the list that was written for these tasks."
            )
        removed[place_of[task.strip()]] = True
    return removed
