"""When a job is due, who may begin it, and how long it pauses: conditions on a row of `jobs`.

The time and the settings come as values with each statement; `JobTable` gives them.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from label_studio_crowd.store.jobs.records import BEGUN, FREE, SENT
from label_studio_crowd.store.tables import KEY, jobs, projects

LONGEST_PAUSE: Final = 300.0
"""Seconds between two attempts of a job that fails."""


def _given(name: str) -> sa.BindParameter[float]:
    return sa.bindparam(name, type_=sa.DOUBLE_PRECISION())


SERVER: Final[sa.BindParameter[str]] = sa.bindparam("on_server")
NOW: Final = _given("now")
QUIET: Final = _given("quiet_seconds")
LONGEST_WAIT: Final = _given("longest_wait")
LEASE: Final = _given("lease_seconds")

# ---------------------------------------------------------------------- which jobs

OURS: Final = jobs.c.project.in_(sa.select(projects.c.id).where(projects.c.server == SERVER))
"""Of a project of this server."""
THIS: Final = sa.and_(jobs.c.project == KEY, jobs.c.kind == sa.bindparam("of_kind"))
"""One project's job of one kind."""
HELD: Final = sa.and_(THIS, jobs.c.claim == sa.bindparam("held_claim"))
"""The same, unless somebody else has claimed it since: a slow worker must not end another worker's job."""

RESTS: Final = sa.and_(jobs.c.problem.is_not(None), jobs.c.wanted_since.is_(None))
"""It failed, and is not tried again before something has happened."""

# ---------------------------------------------------------------------- when


def _ahead(column: sa.Column[float], seconds: float | sa.ColumnElement[float]) -> sa.ColumnElement[bool]:
    """Return whether a time is too far in the future: the clock that wrote it has been corrected since."""
    return column > NOW + seconds


UNCLAIMED: Final = jobs.c.claimed_until <= NOW
"""Nobody has it, or its claim ran out."""
WANTED: Final = jobs.c.wanted_since.is_not(None)
_NOT_PAUSED: Final = sa.or_(jobs.c.retry_at <= NOW, _ahead(jobs.c.retry_at, 2 * LONGEST_PAUSE))
_MAY_BE_SENT: Final = sa.or_(
    jobs.c.state == FREE, sa.and_(jobs.c.state == SENT, UNCLAIMED), _ahead(jobs.c.claimed_until, 2 * LEASE)
)
"""A job that was begun is not among these: its worker lives, or `DEAD` finds it."""
_HAS_WAITED: Final = sa.or_(
    jobs.c.wanted_last + QUIET <= NOW,
    jobs.c.wanted_since + LONGEST_WAIT <= NOW,
    _ahead(jobs.c.wanted_since, LEASE),
)

DUE: Final = sa.and_(WANTED, _NOT_PAUSED, _MAY_BE_SENT, _HAS_WAITED)
"""To be sent to a worker now."""
WAITS_FOR_QUIET: Final = sa.and_(jobs.c.kind == "rescore", jobs.c.wanted_since > NOW - LONGEST_WAIT, UNCLAIMED)
"""A rescore that waits for a quiet moment."""
DEAD: Final = sa.and_(jobs.c.state == BEGUN, UNCLAIMED)
"""Begun by a worker that has ended since."""


def overdue(looked_at: sa.Column[float]) -> sa.ColumnElement[bool]:
    """Return whether a project is due for a new look; not if somebody works on it."""
    too_long_ago = looked_at + _given("between_looks") <= NOW
    return sa.and_(jobs.c.kind == "rescore", sa.or_(too_long_ago, _ahead(looked_at, LEASE)), UNCLAIMED)


# ---------------------------------------------------------------------- what becomes of it

GIVEN_BACK: Final[dict[str, Any]] = {
    # a message that is out can still be begun: only what was begun becomes free
    "state": sa.case((jobs.c.state == BEGUN, FREE), else_=jobs.c.state),
    "claimed_until": 0,
}


def pause_after(failures: int) -> float:
    """Return the pause in seconds of a job that has failed this many times; it grows each time."""
    return min(2.0 ** (1 + min(failures, 20)), LONGEST_PAUSE)


PAUSE: Final = sa.case({n: pause_after(n) for n in range(10)}, value=jobs.c.failures, else_=LONGEST_PAUSE)
"""The same, of a job's row."""
