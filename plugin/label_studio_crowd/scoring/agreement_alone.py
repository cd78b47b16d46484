"""How far annotators agree by controls that are not scored. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson

from crowdcore.kinds import AnswerTable
from crowdcore.kinds.agreement import alpha
from label_studio_crowd.estimate import LEVEL, Estimate
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.studio.controls import Compared

_RESAMPLES: Final = 500
_NO_PAIRS: Final = "No task has answers of two annotators."
_ALL_THE_SAME: Final = "All answers are the same, so agreement by chance is complete."


@dataclass(frozen=True)
class AgreementAlone:
    """How far annotators agree by a control that is not scored.

    Attributes
    ----------
    control
        How a message names it.
    answers
        How many answers it has.
    alpha
        Krippendorff's alpha, with its 90 % interval.
    """

    control: str
    answers: int
    alpha: Estimate


def agreement_alone(controls: Iterable[Compared], annotations: Iterable[Annotation]) -> tuple[AgreementAlone, ...]:
    """Return how far annotators agree by each of the controls that somebody has answered."""
    latest: dict[tuple[int, int], tuple[str, str]] = {}
    for row in annotations:
        key = row.task, row.annotator
        if not row.was_cancelled and (key not in latest or latest[key][0] <= row.updated_at):
            latest[key] = row.updated_at, row.result
    results = {key: orjson.loads(result) for key, (_, result) in latest.items()}
    each = [(control, {key: control.answer(result) for key, result in results.items()}) for control in controls]
    return tuple(
        _agreement(control, {key: answer for key, answer in given.items() if answer is not None})
        for control, given in each
        if any(answer is not None for answer in given.values())
    )


def _agreement(control: Compared, given: dict[tuple[int, int], Any]) -> AgreementAlone:
    tasks, annotators = (sorted({key[which] for key in given}) for which in (0, 1))
    table = AnswerTable.from_codes(
        np.searchsorted(tasks, [task for task, _ in given]),
        np.searchsorted(annotators, [who for _, who in given]),
        given.values(),
        tasks=tasks,
        annotators=annotators,
    )
    return AgreementAlone(control.written, len(given), _alpha(table, control))


def _alpha(table: AnswerTable, control: Compared) -> Estimate:
    if table.num_answers.max() < 2:
        return Estimate.unknown(_NO_PAIRS)
    value, low, high = alpha(table, control.distance, n_resamples=_RESAMPLES, coverage=LEVEL)
    return Estimate.unknown(_ALL_THE_SAME) if np.isnan(value) else Estimate(value, low, high)
