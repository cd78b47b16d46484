"""What we published: our predictions in Label Studio, and their model versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from label_studio_crowd.store.database import Database
from label_studio_crowd.store.facts import Facts, PlainFact
from label_studio_crowd.store.part import Part
from label_studio_crowd.store.tables import KEY, predictions
from label_studio_crowd.studio.records import Prediction, VersionState

_COLUMNS: Final = ("id", "task", "model_version", "score", "result")

_OURS: Final = predictions.c.project == KEY
_BY_ID: Final = sa.select(*(predictions.c[name] for name in _COLUMNS)).where(_OURS).order_by(predictions.c.id)
_DELETE_ALL: Final = sa.delete(predictions).where(_OURS)
_DELETE_ONE: Final = sa.delete(predictions).where(_OURS, predictions.c.id == sa.bindparam("prediction"))
_DUPLICATES: Final = (
    sa.select(predictions.c.task)
    .where(_OURS)
    .group_by(predictions.c.task, predictions.c.model_version)
    .having(sa.func.count() > 1)
    .limit(1)
)


@dataclass(frozen=True)
class Versions(PlainFact):
    """Our model versions at the time when the store held all of our predictions."""

    fact = "versions"
    states: dict[str, VersionState]


class Published(Part):
    """Our predictions of one project as last seen or written."""

    def __init__(self, database: Database, key: int) -> None:
        super().__init__(database, key)
        self._facts = Facts(database, key)

    def predictions(self) -> list[Prediction]:
        """Return our predictions, by id."""
        rows = self._read_plain(_BY_ID)
        return [Prediction(row[0], row[1], row[2], row[3], orjson.loads(row[4])) for row in rows]

    def has_duplicates(self) -> bool:
        """Return whether a task has two predictions of one version."""
        return bool(self._read(_DUPLICATES))

    def replace(self, seen: Sequence[Prediction]) -> None:
        """Replace everything known about our predictions by what Label Studio has."""
        with self._database.writing() as connection:
            connection.execute(_DELETE_ALL, {"key": self._key})
            self._add(connection, seen)

    def put(self, prediction: Prediction) -> None:
        """Record a prediction that was created or changed."""
        with self._database.writing() as connection:
            connection.execute(_DELETE_ONE, {"key": self._key, "prediction": prediction.id})
            self._add(connection, [prediction])

    def drop(self, prediction: int) -> None:
        """Record that a prediction was deleted."""
        self._write(_DELETE_ONE, prediction=prediction)

    def _add(self, connection: Connection, added: Sequence[Prediction]) -> None:
        self._insert(connection, sa.insert(predictions), map(_row, added))

    def versions(self) -> dict[str, VersionState]:
        """Return our model versions at the time when `predictions` was true; none if that is not known."""
        known = self._facts.read(Versions)
        return {} if known is None else known.states

    def keep_versions(self, versions: Mapping[str, VersionState]) -> None:
        """Record our model versions, for which the known predictions are complete."""
        self._facts.write(Versions(dict(versions)))

    def forget_versions(self) -> None:
        """Record that our predictions may differ from those in the store."""
        self._facts.forget(Versions)


def _row(prediction: Prediction) -> dict[str, Any]:
    row = {name: getattr(prediction, name) for name in _COLUMNS}
    return {**row, "result": orjson.dumps(prediction.result).decode()}
