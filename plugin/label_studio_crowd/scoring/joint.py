"""The scores of several controls as those of one project. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.kinds import KindBelief
from label_studio_crowd.scoring.regional import with_shared_ids
from label_studio_crowd.scoring.scores import SETTLED_BY, Scores

Mask = NDArray[np.bool_]


Regions = Sequence[tuple[Answers, KindBelief]]


def score_together(answers: Sequence[Answers], score_one: Callable[[Answers, Regions], Scores]) -> list[Scores]:
    """Return the scores of several controls, those about regions after those that mark them.

    Parameters
    ----------
    answers
        By control.
    score_one
        From a control's answers, and what is believed of the controls whose regions they are about, to its scores.
    """
    found: dict[str, Scores] = {}
    for each in answers:
        if not each.control.form.about_regions:
            found[each.control.name] = score_one(each, ())
    marking = [each for each in answers if each.control.form.kind == "regions"]
    shared = with_shared_ids(marking, [_believed(found[each.control.name]) for each in marking]) if marking else []
    for whole, belief in shared:
        name = whole.control.name
        found[name] = replace(found[name], answers=whole, result=belief)
    for each in answers:
        if each.control.form.about_regions:
            regions = [_believed(found[name]) for name in each.control.regions if name in found]
            found[each.control.name] = score_one(each, regions)
    return [found[each.control.name] for each in answers]


def _believed(scores: Scores) -> tuple[Answers, KindBelief]:
    assert isinstance(scores.result, KindBelief)
    return scores.answers, scores.result


def joint(parts: Sequence[Scores]) -> Scores:
    """Return the scores of a project.

    A task is settled when each of its controls is, and is worth as much as the one of them that needs labels most. A
    control that most who answered the task left out, a comment or one that they did not see, has nothing to say of it.

    Parameters
    ----------
    parts
        Those of each control, of the same tasks; the one that stands for the project first.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    answered = np.bincount(
        np.unique(np.concatenate([part.answered_by() for part in parts], axis=1), axis=1)[0],
        minlength=len(first.priority),
    )
    parts = [replace(part, left_out=_left_out(part, answered)) for part in parts]
    waits = np.array([_waits(part) for part in parts])
    priority = np.array([part.priority for part in parts])
    worth = np.where(waits, priority, np.inf).min(axis=0)
    why = _weakest_reason(parts)
    worth = np.where(np.isinf(worth), priority.min(axis=0), worth)
    settled_by = np.where(waits.any(axis=0), "", why)
    held_by = np.where(waits.any(axis=0), np.where(waits, priority, np.inf).argmin(axis=0), -1)
    each = tuple(replace(part, priority=worth, settled_by=settled_by, held_by=held_by) for part in parts)
    return replace(each[0], parts=each)


@dataclass(frozen=True)
class Person:
    """An annotator, a person or a model, over all controls: the means of what these say, weighted by answers.

    Attributes
    ----------
    annotator
        Their id in Label Studio.
    quality, low, high, agreement
        NaN where nothing tells.
    labels
        Tasks that they answered.
    worst
        What is wrong most often when they give it; "" where none is, or several controls are scored.
    """

    annotator: int
    quality: float
    low: float
    high: float
    agreement: float
    labels: int
    worst: str


def people(scores: Scores) -> list[Person]:
    """Return the annotators who answered something."""
    found: dict[int, list[tuple[int, NDArray[np.float64]]]] = {}
    tasks = Counter(np.unique(_answered(scores), axis=1)[1].tolist())
    for part in scores.controls:
        figures = np.column_stack([part.annotator_quality, part.quality_interval, part.agreement])
        numbers = part.result.annotators.num_answers.tolist()
        for who, row, number in zip(part.answers.crowd.annotators.tolist(), figures, numbers, strict=True):
            if number:
                found.setdefault(int(who), []).append((number, row))
    worst = {} if scores.parts else _worst(scores)
    means = {who: _mean(rows).tolist() for who, rows in found.items()}
    return [
        Person(who, quality, low, high, agreement, tasks[who], worst.get(who, ""))
        for who, (quality, low, high, agreement) in means.items()
    ]


def _answered(scores: Scores) -> NDArray[np.int64]:
    """Return each answer's task and annotator, whatever the control; shape (2, A)."""
    crowds = [part.answers.crowd for part in scores.controls]
    pairs = [(crowd.task, np.asarray(crowd.annotators, np.int64)[crowd.annotator]) for crowd in crowds]
    return np.concatenate([np.stack(pair) for pair in pairs], axis=1)


def _mean(rows: Sequence[tuple[int, NDArray[np.float64]]]) -> NDArray[np.float64]:
    weights, figures = np.array([number for number, _ in rows], np.float64), np.array([row for _, row in rows])
    there = ~np.isnan(figures)
    total = (weights[:, None] * there).sum(axis=0)
    sums = np.where(there, weights[:, None] * figures, 0.0).sum(axis=0)
    return np.where(total > 0, sums / np.maximum(total, 1), np.nan)


def _worst(scores: Scores) -> dict[int, str]:
    crowd = scores.answers.crowd
    codes = zip(crowd.annotators.tolist(), scores.worst_class.tolist(), strict=True)
    return {int(who): str(crowd.classes[code]) for who, code in codes if code >= 0}


def _left_out(part: Scores, answered: NDArray[np.int64]) -> Mask:
    """Return whether most of those who answered a task did not answer this control."""
    answers = part.answers
    left: Mask = (2 * answers.labels.num_answers < answered) & (answers.known_labels < 0)
    return left


def _weakest_reason(parts: Sequence[Scores]) -> NDArray[np.str_]:
    """Return why each task needs no more labels: quality counts only where no control ran into a limit; (N,)."""
    counts = ~np.array([part.left_out for part in parts])
    reasons = np.array([part.settled_by for part in parts])
    reasons = np.where(reasons == "", "labels", reasons)  # of a task that is full
    weakest = ("skips", "labels", "quality")
    there = [((reasons == name) & counts).any(axis=0) for name in weakest]
    return np.select(there, weakest, default=SETTLED_BY[0])


def _waits(part: Scores) -> Mask:
    """Return whether a control needs more labels of each task."""
    waits: Mask = ~part.settled & ~np.asarray(part.left_out) & (part.answers.occupied < part.max_labels)
    return waits
