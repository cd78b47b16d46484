"""One run: pull, classify, score, plan, publish."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from label_studio_crowd.connection.record import find_record
from label_studio_crowd.connection.tabs import check_tasks
from label_studio_crowd.estimate import Estimate
from label_studio_crowd.exchange.author import known_author
from label_studio_crowd.exchange.models import update_model_answers
from label_studio_crowd.exchange.plan import Plan, make_plan
from label_studio_crowd.exchange.publish import (
    Published,
    carry_out,
    is_as_published,
    measured_costs,
    observe,
    pending_version,
)
from label_studio_crowd.exchange.pull import Pulled, sweep, update_mirror
from label_studio_crowd.project import Project, ScoredProject
from label_studio_crowd.runs.run import Judged, Run, Trigger
from label_studio_crowd.runs.situation import (
    ScoredWith,
    Seen,
    Settled,
    circumstances,
    look,
    read_project,
    score_project,
)
from label_studio_crowd.runs.warnings import find_warnings
from label_studio_crowd.scoring.accuracy import consensus_accuracy
from label_studio_crowd.scoring.ahead import compile_ahead
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.foretold import is_made_of_others
from label_studio_crowd.scoring.outlook import add_to_history, is_outlook_due
from label_studio_crowd.scoring.probabilities import at_hand, forget_others, train_anew
from label_studio_crowd.scoring.scores import Scores
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.scoring.snapshot_taking import take_snapshot
from label_studio_crowd.scoring.suspects import doubtful_tasks
from label_studio_crowd.store.database import now
from label_studio_crowd.store.mirror import Annotation, Tasks
from label_studio_crowd.store.projects import OnlyLookedAt
from label_studio_crowd.store.trainings import Probabilities
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.records import Prediction

_ACTIVE_DAYS: Final = 7
"""An annotator is active who labelled in the last days before the newest annotation."""


@dataclass(frozen=True)
class How:
    """How a run works; the defaults are for a run that somebody asked for.

    Attributes
    ----------
    trigger
        What set it off.
    full
        Read everything anew, train the classifier, and change all consensus predictions that need it.
    dry_run
        Change nothing in Label Studio.
    keeps
        With `dry_run`: keep what is believed for pages, reports and exports all the same.
    pull
        Ask Label Studio for changes.
    sweep
        Look at every task's state before, too.
    only_news
        Stop where nothing has changed since the last run.
    trains
        When the classifier is trained: where it is outdated, or only where there is none. A service trains beside its
        runs, and lets the model at hand predict new tasks meanwhile.
    seconds
        About how long it may publish, so that the next run can look again.
    """

    trigger: Trigger = "command"
    full: bool = False
    dry_run: bool = False
    keeps: bool = False
    pull: bool = True
    sweep: bool = False
    only_news: bool = False
    trains: Literal["outdated", "missing"] = "outdated"
    seconds: float = math.inf


def rescore(project: Project, how: How = How()) -> Run | None:
    """Bring a project's queue and consensus up to its annotations.

    Returns
    -------
    Run or None
        None if `how` says to stop where nothing has changed, and nothing had.

    Raises
    ------
    NotConnectedError
        If the project is not connected, and this is no dry run.
    UserError
        If it has nothing to score.
    """
    clock = _Clock(project.studio)
    with clock("look"):
        found = look(project, connected=not how.dry_run)
    compile_ahead()
    with clock("pull"):
        pulled = _pull(found, how)
        if how.only_news and not _has_news(found, pulled):
            return None
        taken, published = pending_version(found.store.facts), observe(found)
    with clock("score"):
        answers, annotations = read_project(found)
    with clock("train"):
        judged = _judge(found, answers, annotations, how)
    with clock("score"):
        scores = score_project(found, answers, judged.probabilities)
        accuracy = _accuracy(scores)
    with clock("publish"):
        plan, expected = _plan(found, judged, scores, published, how, taken)
        outcome = Published([], 0) if how.dry_run else _publish(found, plan, how)
    run = Run(
        project=found,
        trigger=how.trigger,
        dry_run=how.dry_run,
        pulled=pulled,
        judged=judged,
        scores=scores,
        accuracy=accuracy,
        plan=plan,
        expected_seconds=expected,
        left=plan.deferred + outcome.left,
        warnings=(*find_warnings(found, scores, plan), *outcome.warnings),
        outlook_due=False,
        seconds=clock.seconds,
        waited=clock.waited(),
    )
    if how.dry_run:
        return _keep_look(run) if how.keeps else run
    return _leave(run)


def retrain(project: Project) -> None:
    """Retrain the classifier of each control on what the mirror holds; the next run scores with it.

    Raises
    ------
    NotConnectedError
        If the project is not connected.
    """
    found = look(project)
    answers, _ = read_project(found)
    train_anew(found, answers)
    forget_others(found, answers)


class _Clock:
    """The seconds of each stage, and how many of them were spent waiting for Label Studio."""

    def __init__(self, studio: Studio) -> None:
        self.seconds: dict[str, float] = {}
        self._studio = studio
        self._before = studio.seconds_waited()

    def waited(self) -> float:
        return self._studio.seconds_waited() - self._before

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def _pull(project: ScoredProject, how: How) -> Pulled:
    if not how.pull and project.store.mirror.complete_until() is not None:
        return Pulled(0, 0, False)
    pulled = _pull_tasks(project, how)
    more = update_model_answers(project, anew=how.full or how.sweep)
    return replace(pulled, models=pulled.models or more)


def _pull_tasks(project: ScoredProject, how: How) -> Pulled:
    pulled = update_mirror(project, full=how.full)
    if not how.sweep or pulled.full:
        return pulled
    project.store.published.forget_versions()  # those that were changed late, by a worker that was killed, are read too
    swept = sweep(project)
    changed, deleted = pulled.changed + swept.changed, pulled.deleted + swept.deleted
    return Pulled(changed, deleted, swept.full, pulled.models or swept.models)


def _has_news(project: ScoredProject, pulled: Pulled) -> bool:
    """Return whether something has changed since the last run, or that one left changes to this."""
    if pulled.changed or pulled.deleted or pulled.models:
        return True
    last = project.store.runs.last()
    if last is None or last.report.changes.deferred:
        return True
    is_another = project.store.facts.read(Seen) != circumstances(project) or is_made_of_others(project)
    return is_another or not is_as_published(project)


def _judge(project: ScoredProject, answers: tuple[Answers, ...], annotations: list[Annotation], how: How) -> Judged:
    """Return what is scored, with the probabilities at hand, or those of a training where one is due."""
    by_model = how.trains == "missing"
    known = [None] * len(answers) if how.full else at_hand(project, answers, by_model=by_model)
    due = [found is None or (found.outdated and not by_model) for found in known]
    lacking = [each for each, is_due in zip(answers, due, strict=True) if is_due]
    others = any(
        len(found.probabilities.tasks) > 0 for found, is_due in zip(known, due, strict=True) if found and not is_due
    )
    keep = how.keeps or not how.dry_run
    trained = iter(train_anew(project, lacking, keep=keep, others=others) if lacking else ())
    if lacking and keep:
        forget_others(project, answers)
    probabilities = tuple(
        next(trained) if found is None or is_due else found.probabilities
        for found, is_due in zip(known, due, strict=True)
    )
    outdated = any(found.outdated for found, is_due in zip(known, due, strict=True) if found and not is_due)
    return Judged(answers, annotations, probabilities, trained=any(due), outdated=outdated)


def _plan(
    project: ScoredProject,
    judged: Judged,
    scores: Scores,
    published: Sequence[Prediction],
    how: How,
    taken: str | None,
) -> tuple[Plan, float]:
    """Return what to change, and how many seconds that is expected to take."""
    costs, settings = measured_costs(project.store.facts), project.settings
    plan = make_plan(
        scores,
        _states(project, judged.answers[0]),
        published,
        project.info["model_version"] or "",
        active_annotators=active_annotators(_of_people(project, judged.annotations)),
        taken_versions=[taken] if taken else [],
        queue_size=settings.queue_size,
        label_budget=settings.label_budget,
        show_consensus=settings.show_consensus,
        consensus_changes=None if how.full else settings.consensus_changes,
        costs=costs,
    )
    return plan, plan.seconds(costs)


def _publish(project: ScoredProject, plan: Plan, how: How) -> Published:
    # noted before it is published, so that the event of our own change is known for what it is
    project.store.facts.write(circumstances(project, model_version=plan.switch_to))
    return carry_out(plan, project, seconds=how.seconds)


def _leave(run: Run) -> Run:
    """Leave what a run believes and did to its successors and to pages; return it with whether these ask for more."""
    project, crowd = run.project, run.scores.answers.crowd
    project.store.facts.write(Settled(crowd.tasks[run.scores.settled].tolist()))
    project.store.facts.forget(OnlyLookedAt)
    snapshot = _snapshots(run)
    run = _keep(run, snapshot)
    project.store.runs.add(run.report())
    if project.settings.review_tabs:
        check_tasks(project, doubtful_tasks(snapshot))
    return run


def _keep_look(run: Run) -> Run:
    """Keep what a run believes that has written nothing, and of a project that is not connected, that it did not."""
    run = _keep(run, _snapshots(run))
    if find_record(run.project) is None:
        run.project.store.facts.write(OnlyLookedAt(now()))
    return run


def _keep(run: Run, snapshot: Snapshot) -> Run:
    """Keep what a run believes for pages, reports and exports; return it with whether these ask for more."""
    project = run.project
    facts, scored_with = project.store.facts, ScoredWith.of(project.settings)
    facts.write(scored_with)
    project.store.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at)
    labels = int(run.scores.num_labels.sum())
    add_to_history(facts, snapshot.taken_at, labels, run.accuracy)
    return replace(run, outlook_due=is_outlook_due(facts, labels, scored_with.settings))


def _snapshots(run: Run) -> Snapshot:
    """Return the snapshot of the first control, which has those of the others."""
    parts = zip(run.scores.controls, run.judged.probabilities, strict=True)
    first, *others = (_snapshot(run, part, said, taken_at=now()) for part, said in parts)
    return replace(first, others=tuple(others))


def _snapshot(run: Run, scores: Scores, probabilities: Probabilities, taken_at: float) -> Snapshot:
    project, answers = run.project, scores.answers
    is_first = answers.control.name == run.scores.answers.control.name
    return take_snapshot(
        project.info,
        scores,
        run.plan.queue,
        probabilities,
        run.judged.annotations,
        run.accuracy if is_first else _accuracy(scores),
        project.store.people.numbers(np.asarray(answers.crowd.annotators, np.int64)),
        show_consensus=project.settings.show_consensus,
        target_quality=project.settings.target,
        taken_at=taken_at,
        all_controls=tuple(part.answers.control.name for part in run.scores.parts),
    )


def _accuracy(scores: Scores) -> Estimate:
    models = scores.answers.are_models
    return consensus_accuracy(scores.result, ~models if models.any() else None)


def _states(project: ScoredProject, answers: Answers) -> Tasks:
    """Return the states of the tasks that were scored: others may have come, or some gone, meanwhile."""
    tasks, scored = project.store.mirror.tasks(), answers.crowd.tasks
    if np.array_equal(tasks.ids, scored):
        return tasks
    there = np.isin(scored, tasks.ids)
    rows = np.searchsorted(tasks.ids, scored[there])
    overlap, is_labeled = np.ones(len(scored), np.int64), np.zeros(len(scored), np.bool_)
    overlap[there], is_labeled[there] = tasks.overlap[rows], tasks.is_labeled[rows]
    return Tasks(np.asarray(scored, np.int64), overlap, is_labeled)


def _of_people(project: Project, annotations: list[Annotation]) -> list[Annotation]:
    """Return the annotations that the consensus's own user has not written."""
    author = known_author(project.store.facts)
    return annotations if author is None else [row for row in annotations if row.annotator != author]


def active_annotators(annotations: list[Annotation]) -> list[int]:
    """Return the annotators who labelled in the days before the newest annotation."""
    if not annotations:
        return []
    newest = max(annotation.updated_at for annotation in annotations)
    since = str(np.datetime64(newest.rstrip("Z"), "us") - np.timedelta64(_ACTIVE_DAYS, "D"))
    return sorted({annotation.annotator for annotation in annotations if annotation.updated_at > since})
