"""The consensus of each task as a prediction: what is written, and what of it to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.exchange.edits import Costs, Edits, edits_between
from label_studio_crowd.scoring.scores import Scores
from label_studio_crowd.studio.records import Prediction
from label_studio_crowd.studio.versions import CONSENSUS_VERSION

_QUALITY_TOLERANCE: Final = 0.05


class ConsensusPredictions:
    """The consensus of each task as a prediction."""

    def __init__(self, scores: Scores) -> None:
        self._scores = scores
        self._quality = scores.least_quality
        self.outside_config = 0

    def result(self, row: int) -> list[dict[str, Any]]:
        """Return the consensus of a task as a result, of all controls; empty where there is nothing to write."""
        return [item for part in self._scores.controls for item in _written(part, row)]

    def edits(
        self, queue: NDArray[np.int64], published: Sequence[Prediction], limit: int | None, costs: Costs
    ) -> tuple[Edits, int]:
        """Return the changes to the consensus predictions, and how many are left for later.

        Tasks that are settled or in the queue have one. The others have none: opened from the list, they would
        show the annotator the consensus before labelling.
        """
        shown = self._scores.settled.copy()
        shown[queue] = True
        wanted = {}
        ids = self._scores.answers.crowd.tasks
        for row in np.flatnonzero(shown).tolist():
            if result := self.result(row):
                quality = round(float(self._quality[row]), 3)
                wanted[int(ids[row])] = (min(max(quality, 0.0), 1.0), result)
            elif any(_is_outside(part, row) for part in self._scores.controls):
                self.outside_config += 1
        standing = [row for row in published if row.model_version == CONSENSUS_VERSION]
        tolerance = dict.fromkeys(wanted, _QUALITY_TOLERANCE)
        edits = edits_between(CONSENSUS_VERSION, wanted, standing, tolerance, costs)
        if limit is None:
            return edits, 0
        # labels that changed go before qualities that moved
        update = dict(sorted(edits.update.items(), key=lambda item: "result" not in item[1])[:limit])
        left = limit - len(update)
        create = edits.create if edits.bulk else edits.create[:left]
        delete = edits.delete[: max(0, left if edits.bulk else left - len(create))]
        deferred = len(edits.update) + len(edits.create) + len(edits.delete)
        deferred -= len(update) + len(create) + len(delete)
        return Edits(edits.version, create, edits.bulk, update, delete), deferred


def _written(scores: Scores, row: int) -> list[dict[str, Any]]:
    """Return the consensus of a task's control as a result; empty without labels or where the config has it not."""
    answers, code = scores.answers, int(scores.result.consensus[row])
    if code < 0 or (not answers.labels.num_answers[row] and answers.known_labels[row] < 0) or _is_left_out(scores, row):
        return []
    control, answer, own = answers.control, answers.answer(row, code), answers.own
    if not control.is_class:
        return control.write(answer)
    if own is not None:
        return [] if answer is None else control.write(answer, own.of_task.get(int(answers.crowd.tasks[row])))
    return control.write(answer) if not control.classes or answer in control.classes else []


def _is_outside(scores: Scores, row: int) -> bool:
    """Return whether a task's control has a consensus that the config does not offer."""
    if not scores.answers.control.is_class or _is_left_out(scores, row):
        return False
    return bool(scores.answers.labels.num_answers[row] and not _written(scores, row))


def _is_left_out(scores: Scores, row: int) -> bool:
    return scores.left_out is not None and bool(scores.left_out[row])
