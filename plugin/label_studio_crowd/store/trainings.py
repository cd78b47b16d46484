"""What trainings left: what the classifier of each control says of a project's tasks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa
from numpy.typing import NDArray

from label_studio_crowd.store.part import Part
from label_studio_crowd.store.tables import KEY, probabilities


@dataclass(frozen=True)
class Probabilities:
    """Out-of-sample probabilities from a training, kept for the next runs.

    Attributes
    ----------
    control
        The name of the control whose answers were learned.
    classifier
        The setting they were trained under.
    summary
        What was chosen, why and how it went, for people; after a line break what only `--verbose` tells.
    classes
        The K classes of the columns; of numbers there is one column.
    tasks, pred_probs
        Ids (N,) and probabilities (N, K): of each class, of sets that each class applies; of numbers what they are
        expected to be, NaN where that is not known.
    answers
        How many answers the training saw.
    newest
        The newest change (ISO) that it saw.
    training
        Names the trained model, which may be at hand for tasks that it did not see.
    trained_at
        When it was trained (Unix time).
    """

    control: str
    classifier: str
    summary: str
    classes: tuple[str, ...]
    tasks: NDArray[np.int64]
    pred_probs: NDArray[np.float64]
    answers: int
    newest: str
    training: str = ""
    trained_at: float = 0.0

    @property
    def about(self) -> str:
        """What everybody is told of the training."""
        return self.summary.partition("\n")[0]

    @property
    def rounds(self) -> str:
        """How its rounds went, "" where that is not known."""
        return self.summary.partition("\n")[2]


_NOT_SAID: Final = ""
_OURS: Final = probabilities.c.project == KEY
_READ: Final = sa.select(*(probabilities.c[name] for name in Probabilities.__dataclass_fields__)).where(_OURS)
_OF_CONTROL: Final = probabilities.c.control.in_([sa.bindparam("control"), _NOT_SAID])
_READ_OF_CONTROL: Final = _READ.where(_OF_CONTROL).order_by(probabilities.c.control.desc())
_DELETE: Final = sa.delete(probabilities).where(_OURS).where(_OF_CONTROL)
_DELETE_TRAINING: Final = _DELETE.where(probabilities.c.training == sa.bindparam("trained"))
_NOT_AMONG: Final = probabilities.c.control.not_in(sa.bindparam("controls", expanding=True))
_READ_OTHERS: Final = sa.select(probabilities.c.training).where(_OURS).where(_NOT_AMONG)
_DELETE_OTHERS: Final = sa.delete(probabilities).where(_OURS).where(_NOT_AMONG)


class Trainings(Part):
    """The last training of each control's classifier, of one project."""

    def last(self, control: str) -> Probabilities | None:
        """Return the probabilities of the last training for a control, or None.

        Those of an earlier release may be for another: their `classifier` says for which.
        """
        rows = self._read(_READ_OF_CONTROL, control=control)
        return _probabilities(rows[0]) if rows else None

    def keep(self, trained: Probabilities, *, instead_of: str | None = None) -> None:
        """Keep the probabilities of a training in place of those of the one before for the same control.

        Parameters
        ----------
        instead_of
            Only if those of this training are there still: another may have ended meanwhile.
        """
        delete = _DELETE_TRAINING if instead_of else _DELETE
        with self._database.writing() as connection:
            self._alone(connection)
            values = {"key": self._key, "control": trained.control, "trained": instead_of}
            gone = connection.execute(delete, values).rowcount
            if gone or not instead_of:
                self._insert(connection, sa.insert(probabilities), [_row(trained)])

    def forget_others(self, controls: Collection[str]) -> list[str]:
        """Forget what was trained for other controls than these; return the names of those trainings."""
        values = {"key": self._key, "controls": list(controls)}
        with self._database.writing() as connection:
            self._alone(connection)
            found = [str(row[0]) for row in connection.execute(_READ_OTHERS, values) if row[0]]
            connection.execute(_DELETE_OTHERS, values)
        return found


def _row(trained: Probabilities) -> dict[str, Any]:
    return {
        **vars(trained),
        "classes": orjson.dumps(trained.classes).decode(),
        "tasks": np.ascontiguousarray(trained.tasks, np.int64).tobytes(),
        "pred_probs": np.ascontiguousarray(trained.pred_probs, np.float64).tobytes(),
    }


def _probabilities(row: Sequence[Any]) -> Probabilities:
    control, classifier, summary, classes, tasks, pred_probs, *rest = row
    names = tuple(orjson.loads(classes))
    ids = np.frombuffer(tasks, np.int64)
    numbers = np.frombuffer(pred_probs).reshape(len(ids), len(names))
    return Probabilities(control, classifier, summary, names, ids, numbers, *rest)
