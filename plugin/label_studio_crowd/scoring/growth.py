"""What further labels bring, for whatever is scored: seen by scoring the project without some labels. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from crowdcore.outlook.courses import Question, Waiting
from crowdcore.outlook.forecast import ORDERS
from crowdcore.outlook.futures import MOST_AHEAD
from crowdcore.outlook.growth import Growth, watch_growth
from crowdcore.outlook.quality import QualityForecast, forecast_growth
from label_studio_crowd.estimate import LEVEL
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.scores import Scores

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

Without = Callable[[Codes], Scores]
"""From labels, the row of the task and the id of the annotator of each, (2, H), to the scores without them."""


def without_labels(answers: Answers, labels: Codes) -> Answers:
    """Return answers without those of some annotators to some tasks.

    Parameters
    ----------
    labels
        The row of the task and the id of the annotator of each; (2, H).
    """
    crowd = answers.crowd
    hidden = set(map(tuple, labels.T.tolist()))
    who = np.asarray(crowd.annotators, np.int64)[crowd.annotator].tolist()
    keep = [pair not in hidden for pair in zip(crowd.task.tolist(), who, strict=True)]
    return replace(answers, crowd=crowd.select_answers(np.array(keep, np.bool_)))


def forecast_by_growth(scores: Scores, without: Without) -> dict[str, list[QualityForecast]]:
    """Return, for both orders, what further labels bring for each control that they tell; until all tasks are settled.

    Parameters
    ----------
    without
        Scores the project without some labels.
    """
    questions, waiting = _questions(scores, without), _waiting(scores)
    found: dict[str, list[QualityForecast]] = {}
    ahead = None
    for order in ORDERS:
        found[order] = forecast_growth(
            questions,
            waiting,
            num_labels=ahead,
            order=order,
            target_quality=scores.target_quality,
            min_labels=max(part.min_labels for part in scores.controls),
            level=LEVEL,
        )
        ahead = max((int(one.num_labels[-1]) for one in found[order] if one.reason is None), default=0) or 1
    return found


def _waiting(scores: Scores) -> Waiting:
    labels = scores.num_labels
    most = np.maximum(scores.max_labels - scores.answers.skips, 1)  # a skip takes the place of a label
    return Waiting(labels, scores.settled, np.clip(most - labels, 0, MOST_AHEAD))


def _questions(scores: Scores, without: Without) -> list[Question]:
    """Return each control as a question; truths that are known show nothing of how quality grows."""
    known = np.any([part.answers.known_labels >= 0 for part in scores.controls], axis=0)
    labels = np.unique(np.concatenate([part.answered_by() for part in scores.controls], axis=1), axis=1)
    labels = labels[:, ~known[labels[0]]]
    growths = watch_growth(
        _qualities(scores), scores.num_labels, labels[0], lambda hidden: _qualities(without(labels[:, hidden]))
    )
    return [
        _question(part, quality, growth)
        for part, quality, growth in zip(scores.controls, _qualities(scores), growths, strict=True)
    ]


def _question(part: Scores, quality: Floats, growth: Growth) -> Question:
    asked = np.ones(len(quality), np.bool_) if part.left_out is None else ~part.left_out
    return Question(quality, growth.of_tasks(asked), asked)


def _qualities(scores: Scores) -> list[Floats]:
    """Return the quality of each control's consensus, 0 without one; (N,) each."""
    return [np.where(part.result.consensus >= 0, part.result.quality, 0.0) for part in scores.controls]
