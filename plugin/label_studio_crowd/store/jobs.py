"""What is to be done for which project: marks in the store, which outlive whoever was to see to them.

A project is marked when something happened to it. The mark stays until a run that began after it has ended
well, so a worker that dies loses nothing: its claim runs out, and another takes the project. Many marks lead
to one run: it waits for a quiet moment, and marks that come while it runs lead to one more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import IntFlag
from typing import Any, Final, Literal

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from label_studio_crowd.settings import Settings
from label_studio_crowd.store.database import now
from label_studio_crowd.store.projects import Store

Kind = Literal["rescore", "train", "plan", "forecast"]
"""Score and publish, train the classifier, find out what a run would change, or what further labels would bring."""

_OURS: Final = "project IN (SELECT id FROM projects WHERE server = :server)"
_LONGEST_PAUSE: Final = 300.0
_BUSY_PAUSE: Final = 1.0
_LONGEST_REASON: Final = 1000
_DEAD: Final = "The worker ended while it was at this. Was it out of memory, or killed? It is tried again."


class Needs(IntFlag):
    """What a run is to do, besides scoring."""

    NOTHING = 0
    CHANGED = 1
    """Something is known to have changed: score even if a pull finds nothing."""
    PULL = 2
    """Something may have changed in Label Studio."""
    SWEEP = 4
    """Something may have changed without a trace: look at every task's state."""
    ASKED = 8
    """Somebody asked for it: it says so."""
    TRAINED = 16
    """The classifier was trained: it says so."""


_ONCE: Final = Needs.SWEEP | Needs.ASKED | Needs.TRAINED
"""What one run does for all who wanted it before it ended."""


@dataclass(frozen=True)
class Job:
    """A run that somebody has claimed."""

    key: int
    project: int
    kind: Kind
    claim: int
    generation: int = 0
    needs: Needs = Needs.NOTHING


@dataclass(frozen=True)
class JobProgress:
    """How far a job is, in one of its stages; with a total of 0 nobody knows how far."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class JobState:
    """How a project stands with one kind of run; times are Unix times.

    Attributes
    ----------
    wanted_since
        When the first thing happened that no run has seen; None if there is none.
    claimed
        Whether a worker has it, or is about to.
    failures, problem, retry_at
        How often it failed in a row, why, and when it is tried again.
    polled_at
        When it was last looked for changes.
    away
        Whether it failed because Label Studio does not answer.
    progress
        How far the worker is that has it; None where nobody has said so.
    """

    project: int
    kind: Kind
    wanted_since: float | None
    claimed: bool
    failures: int
    problem: str | None
    retry_at: float
    polled_at: float
    away: bool
    progress: JobProgress | None

    @property
    def word(self) -> str:
        """Return "fresh", "waiting", "working", "away" or "failed"."""
        if self.claimed:
            return "working"
        if self.problem is not None:
            return "away" if self.away else "failed"
        return "fresh" if self.wanted_since is None else "waiting"

    @property
    def next_try(self) -> float | None:
        """When it is tried again; None if it did not fail, or it is tried at once, or somebody is at it."""
        return None if self.problem is None or self.claimed else self.retry_at or None


class Jobs:
    """The marks and claims of a Label Studio server's projects.

    Parameters
    ----------
    store
        Where they are.
    settings
        The server's address, and how long is waited for what.
    clock
        The time (Unix).
    """

    def __init__(self, store: Store, settings: Settings, *, clock: Callable[[], float] = now) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock

    def _values(self, **more: Any) -> dict[str, Any]:
        settings = self._settings
        return {
            "server": settings.url,
            "now": self._clock(),
            "quiet": settings.quiet_seconds,
            "longest": settings.longest_wait,
            "lease": settings.lease_seconds,
            "most": _LONGEST_PAUSE,
            **more,
        }

    def _write(self, sql: str, **values: Any) -> int:
        with self._store.writing() as connection:
            return int(connection.execute(sa.text(sql), self._values(**values)).rowcount)

    # ------------------------------------------------------------------ marks

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
        values = self._values(key=key, kind=kind, needs=int(needs), pull=int(Needs.PULL))
        values["since"] = values["now"] - (values["longest"] if at_once else 0.0)
        values["hasten"] = int(at_once and not unless_claimed)
        # A project that was not served so far may have changed in any way. What comes while a run is under way may be
        # overwritten by what that run read before: then one more pull.
        connection.execute(
            sa.text(
                "INSERT INTO jobs (project, kind, generation, needs, wanted_since, wanted_last, claim, claimed_until, "
                "retry_at, failures, polled_at, swept_at) "
                "VALUES (:key, :kind, 1, CAST(:needs AS INTEGER) | :pull, :since, :now, 0, 0, 0, 0, 0, :now) "
                "ON CONFLICT (project, kind) DO UPDATE SET generation = jobs.generation + 1, "
                "needs = jobs.needs | CAST(:needs AS INTEGER) | "
                "(CASE WHEN jobs.claimed_until > :now THEN :pull ELSE 0 END), "
                "wanted_since = CASE WHEN jobs.wanted_since < excluded.wanted_since THEN jobs.wanted_since "
                "ELSE excluded.wanted_since END, wanted_last = excluded.wanted_last, "
                "retry_at = CASE WHEN :hasten = 1 THEN 0 ELSE jobs.retry_at END"
                + " WHERE jobs.claimed_until <= :now"
                * unless_claimed
            ),
            values,
        )

    def mark_all(self, needs: Needs) -> None:
        """Mark every project that is served, or that `connect` has set up."""
        known = (
            "SELECT project FROM projects WHERE server = :server AND id IN (SELECT project FROM jobs UNION "
            "SELECT project FROM facts WHERE name = 'connection' AND value <> 'null')"
        )
        with self._store.reading() as connection:
            projects = [row[0] for row in connection.execute(sa.text(known), self._values())]
        for project in projects:
            self.mark(project, needs=needs, at_once=True)

    def mark_polls(self) -> None:
        """Mark the projects that were last looked at, or swept, too long ago.

        A run that is under way is not interrupted by it: one that takes longer than the time between two looks would
        lead to another for ever.
        """
        for column, seconds, needs in (
            ("polled_at", self._settings.poll_seconds, Needs.PULL),
            ("swept_at", self._settings.sweep_seconds, Needs.PULL | Needs.SWEEP),
        ):
            overdue = f"({column} + :seconds <= :now OR {column} > :now + :lease)"
            due = f"kind = 'rescore' AND {overdue} AND claimed_until <= :now AND {_OURS}"
            values = self._values(seconds=seconds, needs=int(needs))
            with self._store.reading() as connection:  # mostly there is none: no need to wait for a turn to write
                if connection.execute(sa.text(f"SELECT 1 FROM jobs WHERE {due} LIMIT 1"), values).first() is None:
                    continue
            self._write(
                f"UPDATE jobs SET needs = needs | :needs, {column} = :now, generation = generation + 1, "
                "wanted_since = COALESCE(wanted_since, :now - :longest), wanted_last = COALESCE(wanted_last, :now) "
                f"WHERE {due}",
                seconds=seconds,
                needs=int(needs),
            )

    def hurry(self, key: int) -> None:
        """Let a marked project wait no longer for a quiet moment."""
        self._write(
            "UPDATE jobs SET wanted_since = :now - :longest WHERE project = :key AND kind = 'rescore' "
            "AND wanted_since > :now - :longest",
            key=key,
        )

    def drop(self, project: int) -> None:
        """Serve a project no longer."""
        self._write("DELETE FROM jobs WHERE project = :key", key=self._store.key(self._settings.url, project))

    def drop_unless_marked(self, job: Job) -> None:
        """Serve a job's project no longer, unless something came since the job was begun."""
        generation = "(SELECT generation FROM jobs WHERE project = :key AND kind = :kind)"
        dropped = self._write(
            f"DELETE FROM jobs WHERE project = :key AND :generation = {generation}",
            key=job.key,
            kind=job.kind,
            generation=job.generation,
        )
        if not dropped:
            self.done(job)

    def serves(self, project: int) -> bool:
        """Return whether a project is served."""
        sql = (
            "SELECT 1 FROM jobs JOIN projects ON projects.id = jobs.project "
            "WHERE server = :server AND projects.project = :project"
        )
        with self._store.reading() as connection:
            return connection.execute(sa.text(sql), self._values(project=project)).first() is not None

    def give_back_all(self) -> None:
        """End all claims: of workers that are known to have ended."""
        self._write(f"UPDATE jobs SET claimed_until = 0 WHERE {_OURS}")

    # ------------------------------------------------------------------ claims

    def waiting(self) -> list[tuple[int, int]]:
        """Return (key, project) of the projects whose rescore waits for a quiet moment."""
        return self._select("kind = 'rescore' AND wanted_since > :now - :longest AND claimed_until <= :now")

    def claim_due(self) -> list[Job]:
        """Claim what is due, for whoever begins it before the claim runs out."""
        self._note_dead_workers()
        # a number that is odd was sent, one that is even was begun: by a worker that lives, or is noted to be dead.
        # What lies too far ahead was written by a clock that has been corrected since
        due = (
            "wanted_since IS NOT NULL AND (retry_at <= :now OR retry_at > :now + 2 * :most) "
            "AND (claimed_until = 0 OR (claim % 2 = 1 AND claimed_until <= :now) OR claimed_until > :now + 2 * :lease) "
            "AND (wanted_last + :quiet <= :now OR wanted_since + :longest <= :now OR wanted_since > :now + :lease)"
        )
        projects = dict(self._select(due))
        if not projects:
            return []
        sql = (
            "UPDATE jobs SET claim = claim + 1 + claim % 2, claimed_until = :now + :lease, progress = NULL "
            f"WHERE {due} AND {_OURS} RETURNING project, kind, claim"
        )
        with self._store.writing() as connection:
            rows = connection.execute(sa.text(sql), self._values()).fetchall()
        return [Job(row[0], projects[row[0]], row[1], row[2]) for row in rows if row[0] in projects]

    def _note_dead_workers(self) -> None:
        """Give up the claims of workers that ended in the middle of a job; again and again, after longer pauses."""
        dead = f"claim % 2 = 0 AND claimed_until > 0 AND claimed_until <= :now AND {_OURS}"
        values = self._values(dead=_DEAD)
        with self._store.reading() as connection:
            if connection.execute(sa.text(f"SELECT 1 FROM jobs WHERE {dead} LIMIT 1"), values).first() is None:
                return
        self._write(
            "UPDATE jobs SET failures = failures + 1, problem = :dead, away = 0, claimed_until = 0, "
            "retry_at = CASE WHEN failures < 2 THEN 0 WHEN failures > 7 THEN :now + :most "
            f"ELSE :now + 2.0 * (1 << CAST(failures AS INTEGER)) END WHERE {dead}",
            dead=_DEAD,
        )

    def _select(self, where: str) -> list[tuple[int, int]]:
        """Return (key, project) of some jobs."""
        sql = (
            "SELECT jobs.project, projects.project FROM jobs JOIN projects ON projects.id = jobs.project "
            f"WHERE server = :server AND {where}"
        )
        with self._store.reading() as connection:
            return [(row[0], row[1]) for row in connection.execute(sa.text(sql), self._values())]

    def begin(self, job: Job) -> Job | None:
        """Begin a claimed job; None where somebody else has begun it, or nothing is wanted.

        A message that comes late, when its job has been claimed and sent anew, is as good as the newer one: it has
        waited longer.
        """
        with self._store.writing() as connection:
            row = connection.execute(
                sa.text(
                    "UPDATE jobs SET claim = claim + 1, claimed_until = :now + :lease WHERE project = :key "
                    "AND kind = :kind AND claim >= :claim AND claim % 2 = 1 AND wanted_since IS NOT NULL "
                    "RETURNING claim, generation, needs"
                ),
                self._values(key=job.key, kind=job.kind, claim=job.claim),
            ).first()
        return None if row is None else Job(job.key, job.project, job.kind, row[0], row[1], Needs(row[2]))

    @contextmanager
    def kept(self, job: Job) -> Iterator[None]:
        """Keep a claim from running out, as long as this process lives."""
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(self._settings.lease_seconds / 3):
                with suppress(sa.exc.SQLAlchemyError):  # the store is away: tried again
                    self._finish(job, "claimed_until = :now + :lease")

        keeper = threading.Thread(target=renew, name=f"lease of project {job.project}", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            ended.set()
            keeper.join()

    def note_progress(self, job: Job, progress: JobProgress) -> None:
        """Keep how far a job is, until it ends."""
        self._finish(job, "progress = :progress", progress=orjson.dumps(progress).decode())

    def done(self, job: Job) -> None:
        """End a job that succeeded; what came meanwhile stays marked."""
        polled = ", polled_at = :now" if job.needs & (Needs.PULL | Needs.SWEEP) else ""
        self._finish(
            job,
            "wanted_since = CASE WHEN generation = :generation THEN NULL ELSE wanted_last END, "
            "wanted_last = CASE WHEN generation = :generation THEN NULL ELSE wanted_last END, "
            "needs = CASE WHEN generation = :generation THEN 0 ELSE needs & :left END, "
            f"claimed_until = 0, retry_at = 0, failures = 0, problem = NULL, away = 0{polled}",
            generation=job.generation,
            left=int(~(job.needs & _ONCE)),
        )

    def failed(self, job: Job, problem: str, *, away: bool = False) -> float:
        """End a job that failed, and return after how many seconds it is tried again: longer each time.

        Parameters
        ----------
        away
            It failed because Label Studio does not answer.
        """
        with self._store.reading() as connection:
            sql = "SELECT failures FROM jobs WHERE project = :key AND kind = :kind"
            row = connection.execute(sa.text(sql), {"key": job.key, "kind": job.kind}).first()
        pause = min(2.0 ** (1 + min(row[0] if row else 0, 20)), _LONGEST_PAUSE)
        self._finish(
            job,
            "failures = failures + 1, problem = :problem, away = :away, retry_at = :now + :pause, claimed_until = 0, "
            "needs = needs | :pull",
            problem=storable(problem),
            away=int(away),
            pause=pause,
            pull=int(Needs.PULL),
        )
        return pause

    def postpone(self, job: Job) -> None:
        """Give a job back that somebody else is at: `sync` by hand, say."""
        self._finish(job, "retry_at = :now + :pause, claimed_until = 0", pause=_BUSY_PAUSE)

    def _finish(self, job: Job, changes: str, **values: Any) -> None:
        sql = f"UPDATE jobs SET {changes} WHERE project = :key AND kind = :kind AND claim = :claim"
        self._write(sql, key=job.key, kind=job.kind, claim=job.claim, **values)

    # ------------------------------------------------------------------ how they stand

    def states(self) -> list[JobState]:
        """Return how every project that is served stands, by project and kind."""
        sql = (
            "SELECT projects.project, kind, wanted_since, claimed_until > :now AS claimed, failures, problem, "
            "retry_at, polled_at, away, progress FROM jobs JOIN projects ON projects.id = jobs.project "
            "WHERE server = :server ORDER BY projects.project, kind"
        )
        with self._store.reading() as connection:
            rows = connection.execute(sa.text(sql), self._values()).mappings().all()
        return [_state(row) for row in rows]

    def served_keys(self) -> set[int]:
        """Return the store's own numbers of the projects that are served."""
        with self._store.reading() as connection:
            rows = connection.execute(sa.text(f"SELECT DISTINCT project FROM jobs WHERE {_OURS}"), self._values())
            return {row[0] for row in rows}


def _state(row: Mapping[Any, Any]) -> JobState:
    claimed, progress = bool(row["claimed"]), row["progress"]
    told = JobProgress(**orjson.loads(progress)) if claimed and progress else None
    return JobState(**{**row, "claimed": claimed, "away": bool(row["away"]), "progress": told})


def storable(text: str) -> str:
    """Return a reason as every store can hold it."""
    return text[:_LONGEST_REASON].replace("\0", " ").encode(errors="replace").decode()
