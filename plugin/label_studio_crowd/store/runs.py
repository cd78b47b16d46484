"""What runs leave: a report of each run, and a snapshot of what the last one believed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from pydantic import TypeAdapter

from label_studio_crowd.store.database import now
from label_studio_crowd.store.part import Part
from label_studio_crowd.store.reports import FinishedRun, RunReport
from label_studio_crowd.store.tables import KEY, runs, snapshots, upsert

if TYPE_CHECKING:
    from label_studio_crowd.store.tables import Upsert

_KEPT: Final = 1000
"""Reports of a project."""

_REPORTS: Final = TypeAdapter(RunReport)

_OURS: Final = runs.c.project == KEY
_NEWEST: Final = (
    sa.select(runs.c.finished_at, runs.c.report)
    .where(_OURS)
    .order_by(runs.c.id.desc())  # not by time: clocks are put back
    .limit(sa.bindparam("most"))
)
_FIRST_TOO_MANY: Final = sa.select(runs.c.id).where(_OURS).order_by(runs.c.id.desc()).limit(1).offset(_KEPT)
_DELETE_TOO_MANY: Final = sa.delete(runs).where(_OURS, runs.c.id <= _FIRST_TOO_MANY.scalar_subquery())

_READ_SNAPSHOT: Final = sa.select(snapshots.c.content).where(snapshots.c.project == KEY)
_READ_TAKEN_AT: Final = sa.select(snapshots.c.taken_at).where(snapshots.c.project == KEY)
_DELETE_SNAPSHOT: Final = sa.delete(snapshots).where(snapshots.c.project == KEY)


class Runs(Part):
    """The runs of one project."""

    def add(self, report: RunReport) -> None:
        """Record what a run did, and forget the oldest of many."""
        row = {"finished_at": now(), "report": _REPORTS.dump_json(report).decode()}
        with self._database.writing() as connection:
            self._insert(connection, sa.insert(runs), [row])
            connection.execute(_DELETE_TOO_MANY, {"key": self._key})

    def newest(self, most: int) -> list[FinishedRun]:
        """Return the last runs, the newest first."""
        return [FinishedRun(at, _REPORTS.validate_json(report)) for at, report in self._read(_NEWEST, most=most)]

    def last(self) -> FinishedRun | None:
        """Return the last run."""
        return next(iter(self.newest(1)), None)

    def snapshot(self) -> bytes | None:
        """Return what the last run believed, as it was stored."""
        rows = self._read(_READ_SNAPSHOT)
        return bytes(rows[0][0]) if rows else None

    def snapshot_taken_at(self) -> float | None:
        """Return when the stored snapshot was taken (Unix time), or None without one."""
        rows = self._read(_READ_TAKEN_AT)
        return float(rows[0][0]) if rows else None

    def keep_snapshot(self, content: bytes, taken_at: float) -> None:
        """Keep what a run believes, in place of the snapshot before."""
        with self._database.writing() as connection:
            row = {"taken_at": taken_at, "content": content}
            self._insert(connection, _put_snapshot(self._database.dialect), [row])

    def drop_snapshot(self) -> None:
        """Forget what the last run believed."""
        self._write(_DELETE_SNAPSHOT)


@cache
def _put_snapshot(dialect: str) -> Upsert:
    insert = upsert(snapshots, dialect)
    new = {"taken_at": insert.excluded.taken_at, "content": insert.excluded.content}
    return insert.on_conflict_do_update(index_elements=[snapshots.c.project], set_=new)
