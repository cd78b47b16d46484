"""Does what is due: rescores projects, trains classifiers, plans without writing, and says what went wrong."""

from __future__ import annotations

import logging
import os
import signal
import threading

from sqlalchemy.exc import SQLAlchemyError

from label_studio_crowd.connection.adopt import BackendRemovedError, adopt
from label_studio_crowd.connection.forgetting import only_here
from label_studio_crowd.connection.record import NotConnectedError
from label_studio_crowd.errors import UserError
from label_studio_crowd.exchange.pull import update_names
from label_studio_crowd.logs import configure_logs
from label_studio_crowd.project import Project
from label_studio_crowd.runs.look_ahead import look_ahead
from label_studio_crowd.runs.rescore import How, rescore, retrain
from label_studio_crowd.runs.run import Run, Trigger
from label_studio_crowd.scoring.outlook import DryRun
from label_studio_crowd.service.dispatch import Dispatch
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.database import now, store_reason
from label_studio_crowd.store.job_progress import kept_progress
from label_studio_crowd.store.jobs import Job, Jobs, Needs
from label_studio_crowd.store.locks import UnderWayError
from label_studio_crowd.store.problems import Problems, add_problem
from label_studio_crowd.store.projects import Store
from label_studio_crowd.store.worker_life import saying_alive
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.controls import NothingToScoreError
from label_studio_crowd.studio.failures import NoAnswerError, NoSuchProjectError

log = logging.getLogger(__name__)


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
        self._store = Store(settings.store)
        self._jobs = Jobs(self._store, settings)

    def run(self, stop: threading.Event) -> None:
        """Do jobs until asked to stop."""
        try:
            Dispatch(self._settings).consume(self.work, stop, saying_alive(self._store))
        finally:
            self._store.close()

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
        project = self._project(job)
        try:
            self._do(job, project)
            self._jobs.done(job)
        except UnderWayError:
            self._jobs.postpone(job)
        except (NotConnectedError, NoSuchProjectError) as error:
            if job.kind != "rescore":  # a rescore finds out, or is just connecting it
                self._jobs.done(job)
                return
            removed = isinstance(error, BackendRemovedError)
            log.info("%s", error if removed else f"Project {job.project} is not connected: it is no longer served.")
            if not removed and isinstance(error, NotConnectedError):  # disconnected, perhaps from another machine
                only_here(project.store)
            self._jobs.drop_unless_marked(job)
        except NothingToScoreError as error:
            self._rests(job, project, error.short)
        except UserError as error:
            self._failed(job, project, str(error), away=isinstance(error, NoAnswerError))
        except SQLAlchemyError:
            raise
        except Exception as error:  # a defect, or a user's own classifier: the others go on
            log.exception("Project %d: %s failed.", job.project, job.kind)
            self._failed(job, project, f"{type(error).__name__}: {error}")

    def _project(self, job: Job) -> Project:
        return Project(
            number=job.project,
            studio=self._studio,
            store=self._store.project(self._settings.url, job.project),
            settings=self._settings,
            progress=kept_progress(self._jobs, job),
        )

    def _do(self, job: Job, project: Project) -> None:
        if job.kind == "train":
            retrain(project)
            self._jobs.mark(job.project, needs=Needs.CHANGED | Needs.TRAINED, at_once=True)
        elif job.kind == "forecast":
            look_ahead(project)
        elif job.kind == "plan":
            with project.store.exclusive():
                self._plan(project)
        else:
            with project.store.exclusive():
                self._rescore(job, project)

    def _rescore(self, job: Job, project: Project) -> None:
        needs = job.needs
        if needs & (Needs.PULL | Needs.SWEEP):
            needs |= Needs.CHANGED if adopt(project, anew=Needs.SWEEP in needs) else Needs.NOTHING
        run = rescore(project, how_to(needs, self._settings))
        if run is None:
            return
        self._mark_what_follows(run)
        scores = run.scores
        crowd = scores.answers.crowd
        people = {who for part in scores.controls for who in part.answers.crowd.annotators.tolist()}
        update_names(project, sorted(people), anew=Needs.SWEEP in job.needs)
        log.info(
            "Project %d: %d labels, %d of %d tasks settled, %d in the queue; %.2f s.",
            job.project,
            scores.num_labels.sum(),
            scores.settled.sum(),
            len(crowd.tasks),
            len(run.plan.queue),
            sum(run.seconds.values()),
        )

    def _mark_what_follows(self, run: Run) -> None:
        number = run.project.number
        if run.outlook_due:
            self._jobs.mark(number, "forecast", at_once=True, unless_claimed=True)
        if run.left and run.plan:
            self._jobs.mark(number)
        if run.outdated:
            self._jobs.mark(number, "train", at_once=True, unless_claimed=True)

    def _plan(self, project: Project) -> None:
        """Find out what a run would change."""
        run = rescore(project, How(dry_run=True, trains="missing"))
        assert run is not None, "only a run that may stop early returns nothing"
        project.store.facts.write(DryRun(now(), run.report()))
        if run.pulled.changed or run.pulled.deleted:  # what it read, the next look would not find again
            self._jobs.mark(project.number)

    def _rests(self, job: Job, project: Project, problem: str) -> None:
        """End a job that nothing but a change of the project helps; the log says so once."""
        known = project.store.facts.read(Problems)
        add_problem(project.store.facts, job.kind, problem)
        self._jobs.rest(job, problem)
        if known is None or not known.rows or known.rows[-1].problem != problem:
            log.warning("Project %d: %s It is tried again when the project's settings change.", job.project, problem)

    def _failed(self, job: Job, project: Project, problem: str, *, away: bool = False) -> None:
        add_problem(project.store.facts, job.kind, problem, away=away)
        pause = self._jobs.failed(job, problem, away=away)
        log.warning("Project %d: %s Trying again in %.0f s.", job.project, problem, pause)


def how_to(needs: Needs, settings: Settings) -> How:
    """Return how a run goes about what somebody, or time, has asked for."""
    sweep, changed = Needs.SWEEP in needs, Needs.CHANGED in needs
    trigger: Trigger = "sweep" if sweep else "change" if changed or Needs.TOLD in needs else "poll"
    if Needs.ASKED in needs:
        trigger = "request"
    elif Needs.TRAINED in needs:
        trigger = "training"
    return How(
        trigger=trigger,
        pull=bool(needs & (Needs.PULL | Needs.SWEEP)),
        sweep=sweep,
        only_news=not (changed or sweep),
        trains="missing",
        seconds=settings.longest_wait,
    )


def run_until_told(settings: Settings, *, with_parent: bool = False) -> None:
    """Work until the process is asked to end (SIGTERM, SIGINT); what is under way is finished.

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
