"""Does what is due: rescores projects, trains classifiers, plans without writing, and says what went wrong."""

from __future__ import annotations

import logging
import os
import signal
import threading

from sqlalchemy.exc import SQLAlchemyError

from label_studio_crowd.connection.connect import BackendRemovedError, NotConnectedError, adopt
from label_studio_crowd.errors import UserError
from label_studio_crowd.exchange.pull import update_names
from label_studio_crowd.feedback import Progress
from label_studio_crowd.logs import configure_logs
from label_studio_crowd.runs.rescore import look_ahead, rescore, rescore_changes, retrain
from label_studio_crowd.scoring.outlook import add_problem
from label_studio_crowd.service.dispatch import Dispatch
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.database import UnderWayError, now, store_reason
from label_studio_crowd.store.job_progress import kept_progress
from label_studio_crowd.store.jobs import Job, Jobs, Needs
from label_studio_crowd.store.mirror import Mirror, ProjectMirror
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.failures import NoAnswerError, NoSuchProjectError

log = logging.getLogger(__name__)

DRY_RUN = "dry_run"
"""The fact with what a run would change: when that was found out (Unix time), and the run's report."""


class Worker:
    """Does jobs, with a Label Studio and a store.

    Parameters
    ----------
    settings
        With an API key.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._studio = Studio.of(settings)
        self._mirror = Mirror(settings.store)
        self._jobs = Jobs(self._mirror, settings)

    def run(self, stop: threading.Event) -> None:
        """Do jobs until told to stop."""
        try:
            Dispatch(self._settings).consume(self.work, stop)
        finally:
            self._mirror.close()

    def work(self, claimed: Job) -> None:
        """Do a job that was claimed, if it is still to be done; never raise."""
        try:
            job = self._jobs.begin(claimed)
            if job is None:
                return
            with self._jobs.kept(job):
                self._attempt(job)
        except SQLAlchemyError as error:  # the mark stands: whoever claims it next, when the store is back, does it
            log.error("The store fails (%s); project %d is tried again.", store_reason(error), claimed.project)

    def _attempt(self, job: Job) -> None:
        mirror = self._mirror.project(self._settings.url, job.project)
        progress = kept_progress(self._jobs, job)
        try:
            if job.kind == "train":
                retrain(self._studio, mirror, job.project, self._settings, progress=progress)
                self._jobs.mark(job.project, needs=Needs.CHANGED | Needs.TRAINED, at_once=True)
            elif job.kind == "forecast":
                look_ahead(self._studio, mirror, job.project, self._settings)
            elif job.kind == "plan":
                with mirror.exclusive():
                    self._plan(job, mirror, progress)
            else:
                with mirror.exclusive():
                    self._rescore(job, mirror, progress)
            self._jobs.done(job)
        except UnderWayError:
            self._jobs.postpone(job)
        except (NotConnectedError, NoSuchProjectError) as error:
            if job.kind != "rescore":  # a rescore finds out, or is just connecting it
                self._jobs.done(job)
                return
            removed = isinstance(error, BackendRemovedError)
            log.info("%s", error if removed else f"Project {job.project} is not connected: it is served no longer.")
            self._jobs.drop_unless_marked(job)
        except UserError as error:
            self._failed(job, str(error), away=isinstance(error, NoAnswerError))
        except SQLAlchemyError:
            raise
        except Exception as error:  # a defect, or a user's own classifier: the others go on
            log.exception("Project %d: %s failed.", job.project, job.kind)
            self._failed(job, f"{type(error).__name__}: {error}")

    def _rescore(self, job: Job, mirror: ProjectMirror, progress: Progress) -> None:
        if job.needs & (Needs.PULL | Needs.SWEEP):
            adopt(self._studio, mirror, job.project, self._settings, anew=Needs.SWEEP in job.needs)
        run = rescore_changes(
            self._studio,
            mirror,
            job.project,
            self._settings,
            changed=Needs.CHANGED in job.needs,
            pull=bool(job.needs & (Needs.PULL | Needs.SWEEP)),
            sweep=Needs.SWEEP in job.needs,
            cause="request" if Needs.ASKED in job.needs else "training" if Needs.TRAINED in job.needs else None,
            progress=progress,
        )
        if run is None:
            return
        if run.outlook_due:
            self._jobs.mark(job.project, "forecast", at_once=True, unless_claimed=True)
        scores = run.scores
        crowd = scores.answers.crowd
        update_names(self._studio, mirror, crowd.annotators.tolist(), anew=Needs.SWEEP in job.needs)
        if run.left and run.plan:
            self._jobs.mark(job.project)
        if run.outdated:
            self._jobs.mark(job.project, "train", at_once=True, unless_claimed=True)
        log.info(
            "Project %d: %d labels, %d of %d tasks settled, %d in the queue; %.2f s.",
            job.project,
            len(crowd.label),
            scores.settled.sum(),
            len(crowd.tasks),
            len(run.plan.queue),
            sum(run.seconds.values()),
        )

    def _plan(self, job: Job, mirror: ProjectMirror, progress: Progress) -> None:
        """Find out what a run would change, for whoever asked."""
        run = rescore(
            self._studio, mirror, job.project, self._settings, dry_run=True, renew_training=False, progress=progress
        )
        mirror.remember(DRY_RUN, {"at": now(), "report": run.report()})
        if run.pulled.changed or run.pulled.deleted:  # what it read, the next look would not find again
            self._jobs.mark(job.project)

    def _failed(self, job: Job, problem: str, *, away: bool = False) -> None:
        add_problem(self._mirror.project(self._settings.url, job.project), job.kind, problem, away=away)
        pause = self._jobs.failed(job, problem, away=away)
        log.warning("Project %d: %s Trying again in %.0f s.", job.project, problem, pause)


def run_until_told(settings: Settings, *, with_parent: bool = False) -> None:
    """Work until the process is told to end (SIGTERM, SIGINT); what is under way is finished.

    Parameters
    ----------
    with_parent
        End at once when the standard input ends, which whoever started the process holds.
    """
    configure_logs(settings)
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    if with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    source = "Redis" if settings.queue else "the queue beside the store, on this machine"
    log.info("Working for %s, with jobs from %s.", settings.url, source)
    Worker(settings).run(stop)


def _end_with_parent() -> None:
    os.read(0, 1)  # returns when the parent is gone, however it went
    os._exit(1)
