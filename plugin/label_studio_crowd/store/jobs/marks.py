"""Marks: that something happened to a project, so that a run is wanted."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from label_studio_crowd.store.jobs.records import FREE, Kind, Needs
from label_studio_crowd.store.jobs.rules import LONGEST_WAIT, NOW, OURS, RESTS, SERVER, UNCLAIMED, overdue
from label_studio_crowd.store.jobs.table import JobTable
from label_studio_crowd.store.tables import KEY, facts, jobs, projects, upsert

if TYPE_CHECKING:
    from label_studio_crowd.store.tables import Upsert

_NOT_YET: Final = dict.fromkeys(("claim", "claimed_until", "retry_at", "failures", "polled_at"), 0)

_CONNECTED: Final = sa.select(facts.c.project).where(facts.c.name == "connection", facts.c.value != "null")
_READ_SERVED_OR_CONNECTED: Final = sa.select(projects.c.project).where(
    projects.c.server == SERVER, projects.c.id.in_(sa.select(jobs.c.project).union(_CONNECTED))
)
_HURRY: Final = (
    sa.update(jobs)
    .where(jobs.c.project == KEY, jobs.c.kind == "rescore", jobs.c.wanted_since > NOW - LONGEST_WAIT)
    .values(wanted_since=NOW - LONGEST_WAIT)
)
DROP: Final = sa.delete(jobs).where(jobs.c.project == KEY)
"""Stop serving a project."""


class _Look(NamedTuple):
    """A look at Label Studio that projects need from time to time."""

    find: sa.Executable
    mark: sa.Executable


def _look(column: sa.Column[Any], *conditions: sa.ColumnElement[bool]) -> _Look:
    is_due = sa.and_(overdue(column), OURS, *conditions)
    marked = {
        "needs": jobs.c.needs.bitwise_or(sa.bindparam("added_needs")),
        column.name: NOW,
        "generation": jobs.c.generation + 1,
        "wanted_since": sa.func.coalesce(jobs.c.wanted_since, NOW - LONGEST_WAIT),
        "wanted_last": sa.func.coalesce(jobs.c.wanted_last, NOW),
    }
    return _Look(sa.select(jobs.c.project).where(is_due).limit(1), sa.update(jobs).where(is_due).values(marked))


_POLL: Final = _look(jobs.c.polled_at, sa.not_(RESTS))
_SWEEP: Final = _look(jobs.c.swept_at)


class Marks(JobTable):
    """The marks of projects."""

    def mark(
        self,
        project: int,
        kind: Kind = "rescore",
        needs: Needs = Needs.CHANGED,
        *,
        at_once: bool = False,
        unless_claimed: bool = False,
    ) -> None:
        """Mark a project, which is served from now on.

        Parameters
        ----------
        at_once
            Do not wait for a quiet moment, nor for the pause after a failure.
        unless_claimed
            Leave it to the run that is claimed already: what a run brings about by itself must not lead to another.
        """
        key = self._store.key(self._settings.url, project)
        with self._store.writing() as connection:
            self.mark_in(connection, key, kind, needs, at_once=at_once, unless_claimed=unless_claimed)

    def mark_in(
        self,
        connection: Connection,
        key: int,
        kind: Kind,
        needs: Needs,
        *,
        at_once: bool = False,
        unless_claimed: bool = False,
    ) -> None:
        """Mark a project within a transaction, together with what happened to it."""
        values = self._values(added_needs=int(needs))
        now: float = values["now"]
        row = {
            "project": key,
            "kind": kind,
            "generation": 1,
            "needs": int(needs | Needs.PULL),  # a project that was not served so far may have changed in any way
            "wanted_since": now - (self._settings.longest_wait if at_once else 0.0),
            "wanted_last": now,
            "swept_at": now,
            "state": FREE,
            **_NOT_YET,
        }
        put = _put_mark(self._store.dialect, unpaused=at_once and not unless_claimed, unless_claimed=unless_claimed)
        connection.execute(put, {**values, **row})

    def mark_all(self, needs: Needs) -> None:
        """Mark every project that is served, or that `connect` has set up."""
        for row in self._read(_READ_SERVED_OR_CONNECTED):
            self.mark(row[0], needs=needs, at_once=True)

    def mark_polls(self) -> None:
        """Mark the projects whose last look or sweep was too long ago; those that rest only for a sweep.

        A run that is under way is not interrupted by it: one that takes longer than the time between two looks would
        lead to another for ever.
        """
        self._mark_looks(_POLL, self._settings.poll_seconds, Needs.PULL)
        self._mark_looks(_SWEEP, self._settings.sweep_seconds, Needs.PULL | Needs.SWEEP)

    def _mark_looks(self, look: _Look, seconds: float, needs: Needs) -> None:
        if self._read(look.find, between_looks=seconds):  # mostly there is none: no need to wait for a turn to write
            self._write(look.mark, between_looks=seconds, added_needs=int(needs))

    def hurry(self, key: int) -> None:
        """Stop a marked project from waiting for a quiet moment."""
        self._write(_HURRY, key=key)

    def drop(self, project: int) -> None:
        """Stop serving a project."""
        self._write(DROP, key=self._store.key(self._settings.url, project))


@cache
def _put_mark(dialect: str, *, unpaused: bool, unless_claimed: bool) -> Upsert:
    insert = upsert(jobs, dialect)
    new = insert.excluded
    # what comes while a run is under way may be overwritten by what that run read before: then one more pull
    more = sa.case((jobs.c.claimed_until > NOW, int(Needs.PULL)), else_=0)
    marked = {
        "generation": jobs.c.generation + 1,
        "needs": jobs.c.needs.bitwise_or(sa.bindparam("added_needs")).bitwise_or(more),
        "wanted_since": sa.case((jobs.c.wanted_since < new.wanted_since, jobs.c.wanted_since), else_=new.wanted_since),
        "wanted_last": new.wanted_last,
        "retry_at": 0 if unpaused else jobs.c.retry_at,
    }
    index = [jobs.c.project, jobs.c.kind]
    return insert.on_conflict_do_update(index_elements=index, set_=marked, where=UNCLAIMED if unless_claimed else None)
