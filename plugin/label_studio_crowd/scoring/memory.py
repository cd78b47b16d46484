"""How much memory it takes to score a crowd, and whether there is so much."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from crowdcore import Crowd
from label_studio_crowd.errors import UserError

_TABLES: Final = 9, 12
"""How many tables with a column for each class a run with a classifier holds, at most: with a row for each class that
an annotator has ever given, and with a row for each task."""
_MUCH_MEMORY: Final = 2e9


def memory_note(*, tasks: int, labels: int, annotators: int, classes: int) -> tuple[str, str] | None:
    """Return how much memory a run needs and how it needs less, in words; None where it is little.

    Parameters
    ----------
    classes
        Those in use: of a taxonomy, the paths that were given.
    """
    needed = _memory_needed(tasks, labels, annotators, classes)
    if needed < _MUCH_MEMORY:
        return None
    return (
        f"{labels:,} labels of {tasks:,} tasks in {classes:,} classes: each run needs up to {needed / 1e9:.1f} GB of "
        "memory",
        "offer fewer classes (shorter paths of a taxonomy), score another control (--control), or do without a "
        "classifier (--classifier none), which needs half of it",
    )


def check_memory(crowd: Crowd, *, there_is: float | None = None) -> None:
    """Refuse a crowd that cannot be scored with the memory that there is.

    Parameters
    ----------
    there_is
        Bytes; by default those of this machine, or that this process may have of it.

    Raises
    ------
    UserError
        If it cannot.
    """
    size = len(crowd.tasks), len(crowd.label), len(crowd.annotators), len(crowd.classes)
    needed, there_is = _memory_needed(*size), _memory() if there_is is None else there_is
    if there_is and needed > 2 * there_is:  # twice: without a classifier it is half, and few need all of it
        tasks, labels, _, classes = size
        raise UserError(
            f"{labels:,} labels of {tasks:,} tasks in {classes:,} classes need up to {needed / 1e9:.1f} GB of memory, "
            f"and there are {there_is / 1e9:.1f}: offer fewer classes, or score another control (--control)."
        )


def _memory_needed(tasks: int, labels: int, annotators: int, classes: int) -> float:
    """Return how many bytes a run needs at the most."""
    return 8 * classes * (_TABLES[0] * min(labels, annotators * classes) + _TABLES[1] * tasks)


def _memory() -> float:
    """Return the bytes of this machine's memory, or of the container's; 0 where nothing says so."""
    try:
        whole = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return 0.0
    try:
        return min(whole, float(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # "max"
        return whole
