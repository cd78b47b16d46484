"""Claims: who does a job, or is about to begin it, and for how long; and how jobs end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import orjson
import sqlalchemy as sa

from label_studio_crowd.store.jobs.marks import DROP
from label_studio_crowd.store.jobs.records import BEGUN, FREE, SENT, Job, JobProgress, Needs, storable
from label_studio_crowd.store.jobs.rules import (
    DEAD,
    DUE,
    GIVEN_BACK,
    HELD,
    LEASE,
    NOW,
    OURS,
    PAUSE,
    SERVER,
    THIS,
    WANTED,
    pause_after,
)
from label_studio_crowd.store.jobs.table import JobTable
from label_studio_crowd.store.tables import jobs, projects

_BUSY_PAUSE: Final = 1.0
_DEATHS_WITHOUT_PAUSE: Final = 2
_DEAD: Final = "The worker ended during this job. Was it killed, or out of memory? The job is tried again."

_AFTER_ALL: Final = int(Needs.CHANGED | Needs.PULL)
"""Needs after a run that did not end well: what it pulled is in the mirror, and a pull would not find it again."""

_SOON_DUE: Final[sa.BindParameter[float]] = sa.bindparam("soon_due", type_=sa.DOUBLE_PRECISION())
_LATE: Final = 120.0
"""Seconds after which Label Studio has done, or never will do, what a worker that was killed had sent."""

_ONCE: Final = Needs.SWEEP | Needs.ASKED | Needs.TRAINED
"""Needs that one run meets for everybody who asked before it ended."""

# ---------------------------------------------------------------------- claims

_READ_DUE: Final = (
    sa.select(jobs.c.project, projects.c.project)
    .join_from(jobs, projects, projects.c.id == jobs.c.project)
    .where(projects.c.server == SERVER, DUE)
)
_CLAIM_DUE: Final = (
    sa.update(jobs)
    .where(DUE, OURS)
    .values(claim=jobs.c.claim + 1, state=SENT, claimed_until=NOW + LEASE, progress=None)
    .returning(jobs.c.project, jobs.c.kind, jobs.c.claim)
)
_BEGIN: Final = (
    sa.update(jobs)
    .where(THIS, jobs.c.state == SENT, jobs.c.claim >= sa.bindparam("sent_claim"), WANTED)
    .values(claim=jobs.c.claim + 1, state=BEGUN, claimed_until=NOW + LEASE)
    .returning(jobs.c.claim, jobs.c.generation, jobs.c.needs)
)
_RENEW: Final = sa.update(jobs).where(HELD).values(state=BEGUN, claimed_until=NOW + LEASE)
_NOTE_PROGRESS: Final = sa.update(jobs).where(HELD).values(progress=sa.bindparam("how_far"))

_FIND_DEAD: Final = sa.select(jobs.c.project).where(DEAD, OURS).limit(1)
_GIVE_UP_DEAD: Final = (
    sa.update(jobs)
    .where(DEAD, OURS)
    .values(
        state=FREE,
        claimed_until=0,
        failures=jobs.c.failures + 1,
        problem=_DEAD,
        away=0,
        needs=jobs.c.needs.bitwise_or(_AFTER_ALL),
        swept_at=sa.case((jobs.c.swept_at < _SOON_DUE, jobs.c.swept_at), else_=_SOON_DUE),
        retry_at=sa.case((jobs.c.failures < _DEATHS_WITHOUT_PAUSE, 0.0), else_=NOW + PAUSE),
    )
)
_GIVE_BACK_ALL: Final = sa.update(jobs).where(OURS).values(GIVEN_BACK)

# ---------------------------------------------------------------------- ends

_END: Final = {**GIVEN_BACK, "claim": jobs.c.claim + 1}
"""The claim ends with the job: a renewal that comes late must not begin it again."""
_ALL_SEEN: Final = jobs.c.generation == sa.bindparam("seen_generation")
_SUCCEED: Final = (
    sa.update(jobs)
    .where(HELD)
    .values(_END)
    .values(
        wanted_since=sa.case((_ALL_SEEN, sa.null()), else_=jobs.c.wanted_last),
        wanted_last=sa.case((_ALL_SEEN, sa.null()), else_=jobs.c.wanted_last),
        needs=sa.case((_ALL_SEEN, 0), else_=jobs.c.needs.bitwise_and(sa.bindparam("left_needs"))),
        retry_at=0,
        failures=0,
        problem=None,
        away=0,
    )
)
_SUCCEED_AND_POLLED: Final = _SUCCEED.values(polled_at=NOW)
_FAIL: Final = (
    sa.update(jobs)
    .where(HELD)
    .values(_END)
    .values(
        failures=jobs.c.failures + 1,
        problem=sa.bindparam("reason"),
        away=sa.bindparam("is_away"),
        retry_at=NOW + sa.bindparam("pause", type_=sa.DOUBLE_PRECISION()),
        needs=jobs.c.needs.bitwise_or(_AFTER_ALL),
    )
)
_REST: Final = _SUCCEED.values(problem=sa.bindparam("reason"), failures=1)
_POSTPONE: Final = sa.update(jobs).where(HELD).values(_END).values(retry_at=NOW + _BUSY_PAUSE)
_READ_FAILURES: Final = sa.select(jobs.c.failures).where(THIS)
_HOLD: Final = sa.select(jobs.c.generation).where(HELD).with_for_update()  # whoever marks it now waits


class Claims(JobTable):
    """The claims of jobs."""

    def claim_due(self) -> list[Job]:
        """Claim what is due, for whoever begins it before the claim runs out."""
        self._note_dead_workers()
        numbers = {row[0]: row[1] for row in self._read(_READ_DUE)}
        if not numbers:  # mostly: no need to wait for a turn to write
            return []
        claimed = self._write_returning(_CLAIM_DUE)
        return [Job(key, numbers[key], kind, claim) for key, kind, claim in claimed if key in numbers]

    def _note_dead_workers(self) -> None:
        """Free the jobs of workers that ended during them; if that happens again and again, after longer pauses."""
        if self._read(_FIND_DEAD):
            self._write(_GIVE_UP_DEAD, soon_due=self._clock() - self._settings.sweep_seconds + _LATE)

    def begin(self, job: Job) -> Job | None:
        """Begin a claimed job; return None if somebody else has begun it, or nothing is wanted.

        A message that comes late, when its job has been claimed and sent anew, is as good as the newer one: it has
        waited longer.
        """
        begun = self._write_returning(_BEGIN, key=job.key, of_kind=job.kind, sent_claim=job.claim)
        for claim, generation, needs in begun:
            return Job(job.key, job.project, job.kind, claim, generation, Needs(needs))
        return None

    @contextmanager
    def kept(self, job: Job) -> Iterator[None]:
        """Keep a claim from running out, as long as this process lives."""
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(self._settings.lease_seconds / 3):
                with suppress(sa.exc.SQLAlchemyError):  # the store is away: tried again
                    self._write_held(job, _RENEW)

        keeper = threading.Thread(target=renew, name=f"lease of project {job.project}", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            ended.set()
            keeper.join()

    def note_progress(self, job: Job, progress: JobProgress) -> None:
        """Record the progress of a job, until it ends."""
        self._write_held(job, _NOTE_PROGRESS, how_far=orjson.dumps(progress).decode())

    def give_back_all(self) -> None:
        """End all claims; only when all workers are known to have ended."""
        self._write(_GIVE_BACK_ALL)

    # ------------------------------------------------------------------ ends

    def done(self, job: Job) -> None:
        """End a job that succeeded; what was marked in the meantime stays marked."""
        has_looked = job.needs & (Needs.PULL | Needs.SWEEP)
        succeed = _SUCCEED_AND_POLLED if has_looked else _SUCCEED
        self._write_held(job, succeed, seen_generation=job.generation, left_needs=int(~(job.needs & _ONCE)))

    def failed(self, job: Job, problem: str, *, away: bool = False) -> float:
        """End a job that failed; return the seconds until it is tried again, more each time.

        Parameters
        ----------
        away
            It failed because Label Studio does not answer.
        """
        before = self._read(_READ_FAILURES, key=job.key, of_kind=job.kind)
        pause = pause_after(before[0][0] if before else 0)
        self._write_held(job, _FAIL, reason=storable(problem), is_away=int(away), pause=pause)
        return pause

    def rest(self, job: Job, problem: str) -> None:
        """End a job that cannot succeed before something happens: it is tried again once it is marked, and by sweeps.

        What was marked in the meantime stays marked.
        """
        left = int(~(job.needs & _ONCE))
        self._write_held(job, _REST, seen_generation=job.generation, left_needs=left, reason=storable(problem))

    def postpone(self, job: Job) -> None:
        """Give a job back because somebody else does it, for example `sync` by hand."""
        self._write_held(job, _POSTPONE)

    def drop_unless_marked(self, job: Job) -> None:
        """Stop serving a job's project, unless something was marked, or somebody else took the job, since it began."""
        with self._store.writing() as connection:
            held = self._values(key=job.key, of_kind=job.kind, held_claim=job.claim)
            seen_all = connection.execute(_HOLD, held).scalar() == job.generation
            if seen_all:
                connection.execute(DROP, {"key": job.key})
        if not seen_all:
            self.done(job)

    def _write_held(self, job: Job, statement: sa.Executable, **values: Any) -> None:
        self._write(statement, key=job.key, of_kind=job.kind, held_claim=job.claim, **values)
