"""From units to tasks, answers and annotators: expected F1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from crowdcore.crowd.grouping import group_mean
from crowdcore.kinds.region.presence import Presence
from crowdcore.kinds.region.result import Members, Units
from crowdcore.kinds.result import AnnotatorFigures
from crowdcore.kinds.table import AnswerTable

Floats = NDArray[np.float64]
Counts = NDArray[Any]

PSEUDO = 3.0
"""Marks of everybody's that are added to those of each annotator."""


def expected_f1(right: Counts, count: Counts, there: Counts, missed: Floats, none: Floats) -> Floats:
    """Return the expected F1 of sets of regions with the truth.

    Parameters
    ----------
    right : ndarray of shape (n,)
        Expected similarity of each set's regions to their objects, added up.
    count : ndarray of shape (n,)
        Regions of each set.
    there, missed : ndarray of shape (n,)
        Expected objects among the units, and those that nobody marked.
    none : ndarray of shape (n,)
        Probability that there is nothing.
    """
    total = np.where(count > 0, count + there + missed, 1.0)
    return np.where(count > 0, np.minimum(2 * right / total, 1.0), none)


def task_quality(units: Units, missed: Floats, N: int) -> Floats:
    """Return the expected F1 of each task's consensus, (N,)."""
    task, kept = units.task, units.kept
    right = np.bincount(task[kept], (units.quality * units.exactness)[kept], minlength=N)
    return expected_f1(right, np.bincount(task[kept], minlength=N), *_truth(units, missed, N))


def answer_quality(table: AnswerTable, units: Units, members: Members, missed: Floats) -> Floats:
    """Return the expected F1 of each answer, (A,)."""
    A, N = len(table.values), len(table.tasks)
    right = np.bincount(members.answer, _exactly(units, members), minlength=A)
    truth = (column[table.task] for column in _truth(units, missed, N))
    return expected_f1(right, np.bincount(members.answer, minlength=A), *truth)


def _truth(units: Units, missed: Floats, N: int) -> tuple[Counts, Floats, Floats]:
    """Return what is expected of each task: objects among its units, others, and the probability of nothing."""
    there = np.bincount(units.task, units.exists, minlength=N)
    nothing = np.bincount(units.task, np.log(np.maximum(1 - units.exists, 1e-300)), minlength=N)
    return there, missed, np.exp(nothing - missed)


def agreement(table: AnswerTable, units: Units, members: Members) -> Floats:
    """Return the similarity of each answer to its task's consensus, (A,): the soft F1 of what was matched."""
    A, N = len(table.values), len(table.tasks)
    same = units.kept[members.unit] & (members.label == units.label[members.unit])
    right = np.bincount(members.answer[same], members.alike[same], minlength=A)
    sizes = np.bincount(members.answer, minlength=A)
    sizes = sizes + np.bincount(units.task[units.kept], minlength=N)[table.task]
    return np.where(sizes > 0, 2 * right / np.maximum(sizes, 1), 1.0)


def annotator_figures(
    table: AnswerTable, units: Units, members: Members, presence: Presence, exact: Floats, agreed: Floats
) -> AnnotatorFigures:
    """Return precision, recall and their F1, which is the quality, of each annotator."""
    M = len(table.annotators)
    marks = np.bincount(members.annotator, minlength=M)
    right = np.bincount(members.annotator, members.quality, minlength=M)
    exactly = np.bincount(members.annotator, _exactly(units, members), minlength=M)
    there = np.bincount(members.annotator, units.exists[members.unit], minlength=M)
    precision, soft, called = _shrunk(right, marks), _shrunk(exactly, marks), _shrunk(exactly, there)
    recall = presence.recall
    found = recall * called
    quality = 2 * soft * found / np.maximum(soft + found, 1e-12)
    seen = marks + np.maximum(presence.objects - right, 0)
    low, high = (betaincinv(quality * seen + 1, (1 - quality) * seen + 1, p) for p in (0.025, 0.975))
    return AnnotatorFigures(
        quality=quality,
        interval=np.stack([np.minimum(low, quality), np.maximum(high, quality)], axis=1),
        agreement_with_consensus=group_mean(agreed, table.annotator, M),
        num_answers=np.bincount(table.annotator, minlength=M),
        more={
            "precision": precision,
            "recall": recall,
            "exactness": exact,
            "num_regions": marks.astype(np.float64),
        },
    )


def _exactly(units: Units, members: Members) -> Floats:
    """Return the expected similarity of each mark to the object it is of, 0 if that is none or has another label."""
    return members.quality * members.alike * units.exactness[members.unit]


def _shrunk(part: Counts, whole: Counts) -> Floats:
    """Return part / whole, with `PSEUDO` observations of everybody's."""
    mean = part.sum() / whole.sum() if whole.sum() else 1.0
    return (part + PSEUDO * mean) / (whole + PSEUDO)
