"""The scores of several controls as those of one project. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.scoring.scores import SETTLED_BY, Scores

Mask = NDArray[np.bool_]


def joint(parts: Sequence[Scores]) -> Scores:
    """Return the scores of a project.

    A task is settled when each of its controls is, and is worth as much as the one of them that needs labels most. A
    control that those who answered the task did not see has nothing to say of it; one that they left out waits for
    labels until the task has as many as it may have.

    Parameters
    ----------
    parts
        Those of each control, of the same tasks; the one that stands for the project first.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    waits = np.array([_waits(part) for part in parts])
    priority = np.array([part.priority for part in parts])
    worth = np.where(waits, priority, np.inf).min(axis=0)
    reasons = np.array([part.settled_by for part in parts])
    why = np.select([(reasons == name).any(axis=0) for name in SETTLED_BY[1:]], SETTLED_BY[1:], default=SETTLED_BY[0])
    worth = np.where(np.isinf(worth), priority.min(axis=0), worth)
    settled_by = np.where(waits.any(axis=0), "", why)
    held_by = np.where(waits.any(axis=0), np.where(waits, priority, np.inf).argmin(axis=0), -1)
    each = tuple(replace(part, priority=worth, settled_by=settled_by, held_by=held_by) for part in parts)
    return replace(each[0], parts=each)


def _waits(part: Scores) -> Mask:
    """Return whether a control needs more labels of each task."""
    answers = part.answers
    answered = (answers.crowd.num_answers > 0) | (answers.known_labels >= 0)
    unseen = ~answered & (answers.occupied > 0) & (answers.control.visible is not None)
    full = answers.occupied >= part.max_labels
    waits: Mask = ~part.settled & ~unseen & ~full
    return waits
