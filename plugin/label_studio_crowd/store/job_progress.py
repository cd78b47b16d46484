"""The progress of a job, kept in the store for pages and commands."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import sqlalchemy as sa

from label_studio_crowd.feedback import Progress
from label_studio_crowd.store.jobs import Job, JobProgress, Jobs

_EVERY: Final = 1.0


def kept_progress(jobs: Jobs, job: Job, *, clock: Callable[[], float] = time.monotonic) -> Progress:
    """Return what records the progress of a job that was begun, at most once a second."""
    last = float("-inf")

    def report(what: str, done: int, total: int) -> None:
        nonlocal last
        if clock() - last >= _EVERY:
            last = clock()
            with suppress(sa.exc.SQLAlchemyError):  # the store is away: a training goes on
                jobs.note_progress(job, JobProgress(what, done, total))

    return report
