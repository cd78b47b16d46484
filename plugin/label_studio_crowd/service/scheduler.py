"""Keeps a server's projects fresh: looks what is due, wakes workers up, and keeps one of its own running."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from label_studio_crowd.errors import UserError
from label_studio_crowd.service.backend import Backend
from label_studio_crowd.service.dispatch import Dispatch
from label_studio_crowd.store.database import store_reason
from label_studio_crowd.store.jobs import Needs
from label_studio_crowd.studio.client import Studio

log = logging.getLogger(__name__)

_TICK: Final = 0.1
_SLOW_TICK: Final = 1.0
_LONGEST_TICK: Final = 5.0
_LONGEST_PAUSE: Final = 30.0
_PATIENCE: Final = 8.0


class Service:
    """The scheduler, and without a queue in Redis a worker process; both run within a ``with`` block.

    Parameters
    ----------
    backend
        What is to be kept fresh.

    Raises
    ------
    UserError
        If there is no token for the worker, or the queue's address is wrong.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._settings = backend.settings
        self._dispatch = Dispatch(self._settings)
        if self._settings.queue is None:
            Studio.of(self._settings)  # its worker will need the token
        self._stop = threading.Event()
        self._started = False
        self._looked = 0.0
        self._renewed = backend.store.times_renewed
        self._served: set[int] = set()
        self._threads = [threading.Thread(target=self._schedule, name="scheduler", daemon=True)]
        if self._settings.queue is None:
            self._threads.append(threading.Thread(target=self._keep_worker, name="worker's keeper", daemon=True))

    def __enter__(self) -> Service:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _schedule(self) -> None:
        """Send what is due, for ever; what the store or the queue cannot take now is sent later."""
        failures = 0
        while not self._stop.wait(_TICK if not failures else min(2.0**failures, _LONGEST_TICK)):
            failures = 0 if self._turn() else failures + 1

    def _turn(self) -> bool:
        jobs, store = self._backend.jobs, self._backend.store
        try:
            if self._renewed != store.times_renewed:  # the store was deleted: who was served is served again
                for project in self._served:
                    jobs.mark(project, needs=Needs.PULL | Needs.SWEEP, at_once=True)
                self._renewed = store.times_renewed
            if not self._started:  # what happened while nobody listened
                if self._settings.queue is None:  # the worker of the server before this one ended with it
                    jobs.give_back_all()
                jobs.mark_all(Needs.PULL | Needs.SWEEP)
                self._started = True
                if problem := self._backend.studio_problem():
                    log.warning("Label Studio cannot be asked yet: %s", problem)
            if time.monotonic() - self._looked > _SLOW_TICK:
                jobs.mark_polls()
                self._backend.hurry_dry_queues()
                self._see_to_secret()
                self._served = self._served_now()
                self._looked = time.monotonic()
            self._send_due()
        except SQLAlchemyError as error:
            log.error("The store fails (%s): waiting for it.", store_reason(error))
            return False
        except Exception as error:
            log.error("Jobs cannot be sent (%s: %s): trying again.", type(error).__name__, error)
            return False
        return True

    def _served_now(self) -> set[int]:
        found = {state.project for state in self._backend.jobs.states()}
        return found if self._renewed == self._backend.store.times_renewed else self._served

    def _see_to_secret(self) -> None:
        try:
            self._backend.see_to_secret()
        except UserError as error:
            log.warning("Webhooks are refused until Label Studio answers: %s", error)

    def _send_due(self) -> None:
        due = self._backend.jobs.claim_due()
        try:
            while due:
                self._dispatch.send(due[-1])
                due.pop()
        finally:  # what could not be sent is not kept waiting for its claim to run out
            for job in due:
                self._backend.jobs.postpone(job)

    def _keep_worker(self) -> None:
        """Run a worker process; start another, after growing pauses, when it ends."""
        failures = 0
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                ended = f"ended (code {self._run_worker()})"
            except Exception as error:  # no file descriptor is free, for example: this thread has to go on
                ended = f"cannot be started ({type(error).__name__}: {error})"
            if self._stop.is_set():
                return
            failures = 0 if time.monotonic() - began > 60 else failures + 1
            pause = min(2.0**failures, _LONGEST_PAUSE)
            log.error("The worker %s: starting another in %.0f s.", ended, pause)
            self._stop.wait(pause)

    def _run_worker(self) -> int | None:
        """Run a worker process until it ends, or the service does; return its exit code."""
        # its standard input ends when this process does, however that happens; then it ends, too
        with subprocess.Popen(
            [sys.executable, "-m", "label_studio_crowd", "worker", "--with-parent"],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for this process, which then ends its worker
            env={**os.environ, **self._settings.as_environment()},
        ) as process:
            while process.poll() is None and not self._stop.wait(0.2):
                pass
            _end(process)
        return process.returncode


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a worker finish what it is at, for a while; one that is killed loses nothing either."""
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
