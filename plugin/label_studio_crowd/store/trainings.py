"""What trainings left: the class probabilities of a project's tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa
from numpy.typing import NDArray

from label_studio_crowd.store.part import Part
from label_studio_crowd.store.tables import KEY, probabilities


@dataclass(frozen=True)
class Probabilities:
    """Out-of-sample class probabilities from a training, kept for the next runs.

    Attributes
    ----------
    classifier
        The setting they were trained under.
    summary
        What was chosen, why and how it went, for people.
    classes
        The K classes of the columns.
    tasks, pred_probs
        Ids (N,) and probabilities (N, K).
    answers
        How many answers the training saw.
    newest
        The newest change (ISO) that it saw.
    training
        Names the trained model, which may be at hand for tasks that it did not see.
    trained_at
        When it was trained (Unix time).
    """

    classifier: str
    summary: str
    classes: tuple[str, ...]
    tasks: NDArray[np.int64]
    pred_probs: NDArray[np.float64]
    answers: int
    newest: str
    training: str = ""
    trained_at: float = 0.0

    def none(self) -> Probabilities:
        """Return that there are none, for what this training was not of."""
        nothing = np.empty((0, len(self.classes)))
        return replace(self, summary="", tasks=np.empty(0, np.int64), pred_probs=nothing, training="")


_OURS: Final = probabilities.c.project == KEY
_READ: Final = sa.select(*(probabilities.c[name] for name in Probabilities.__dataclass_fields__)).where(_OURS)
_DELETE: Final = sa.delete(probabilities).where(_OURS)
_DELETE_TRAINING: Final = _DELETE.where(probabilities.c.training == sa.bindparam("trained"))


class Trainings(Part):
    """The last training of one project's classifier."""

    def last(self) -> Probabilities | None:
        """Return the probabilities of the last training, or None."""
        rows = self._read(_READ)
        return _probabilities(rows[0]) if rows else None

    def keep(self, trained: Probabilities, *, instead_of: str | None = None) -> None:
        """Keep the probabilities of a training in place of those of the one before.

        Parameters
        ----------
        instead_of
            Only if those of this training are there still: another may have ended meanwhile.
        """
        delete = _DELETE_TRAINING if instead_of else _DELETE
        with self._database.writing() as connection:
            self._alone(connection)
            gone = connection.execute(delete, {"key": self._key, "trained": instead_of}).rowcount
            if gone or not instead_of:
                self._insert(connection, sa.insert(probabilities), [_row(trained)])


def _row(trained: Probabilities) -> dict[str, Any]:
    return {
        **vars(trained),
        "classes": orjson.dumps(trained.classes).decode(),
        "tasks": np.ascontiguousarray(trained.tasks, np.int64).tobytes(),
        "pred_probs": np.ascontiguousarray(trained.pred_probs, np.float64).tobytes(),
    }


def _probabilities(row: Sequence[Any]) -> Probabilities:
    classifier, summary, classes, tasks, pred_probs, *rest = row
    names = tuple(orjson.loads(classes))
    ids = np.frombuffer(tasks, np.int64)
    return Probabilities(
        classifier, summary, names, ids, np.frombuffer(pred_probs).reshape(len(ids), len(names)), *rest
    )
