"""One run: pull, classify, score, plan, publish."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

import numpy as np

from label_studio_crowd.connection.connect import NotConnectedError, find_record, options_in, wrong_settings
from label_studio_crowd.exchange.plan import Plan, make_plan
from label_studio_crowd.exchange.publish import (
    Published,
    carry_out,
    is_as_published,
    measured_costs,
    observe,
    pending_version,
)
from label_studio_crowd.exchange.pull import Pulled, has_pulled, look_up, refresh_states, update_mirror
from label_studio_crowd.feedback import Progress, silent
from label_studio_crowd.scoring.estimates import Estimate, consensus_accuracy
from label_studio_crowd.scoring.outlook import add_to_history, is_outlook_due, renew_outlook
from label_studio_crowd.scoring.probabilities import at_hand, for_tasks, train_anew
from label_studio_crowd.scoring.scores import SETTLED_BY, Answers, Scores, memory_note, read_answers, score
from label_studio_crowd.scoring.snapshot import FORMAT, Snapshot, number_annotators, take_snapshot
from label_studio_crowd.settings import PROJECT_OPTIONS, ConsensusMethod, Settings
from label_studio_crowd.store.database import now
from label_studio_crowd.store.mirror import Annotation, Probabilities, ProjectMirror, Tasks
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.controls import Control, find_control

Trigger = Literal["command", "request", "training", "change", "poll", "sweep"]
"""Somebody asked for it, something changed, or it was time to look for changes, or at everything."""

_SETTLED: Final = "settled"
_SCORED_WITH: Final = "scored_with"
_SEEN: Final = "seen"
_PROJECT_SETTINGS: Final = (
    "title",
    "label_config",
    "skip_queue",
    "sampling",
    "maximum_annotations",
    "show_overlap_first",
    "model_version",
)
_SCORING_SETTINGS: Final = (
    "control",
    "classifier",
    "consensus",
    "trust_ground_truth",
    "target_quality",
    "min_labels",
    "max_labels",
)
_NAMED: Final = 5
_MANY: Final = 50
"""Labelled tasks from which on it says something that none is settled by its quality."""
_ACTIVE_DAYS: Final = 7
"""An annotator is active who labelled in the last days before the newest annotation."""


@dataclass
class Run:
    """What a run found and did.

    `seconds` are those of each stage, and `waited` how many of them were spent waiting for Label Studio; `outdated`
    says that the classifier should be trained anew, `outlook_due` that `look_ahead` has news, and `left`
    how many changes the next run is left to publish.
    """

    project: int
    title: str
    control: Control
    pulled: Pulled
    classifier: str
    consensus: ConsensusMethod
    trained: bool
    scores: Scores
    accuracy: Estimate
    trigger: Trigger
    plan: Plan
    expected_seconds: float
    dry_run: bool
    warnings: list[str]
    seconds: dict[str, float] = field(default_factory=dict)
    waited: float = 0.0
    outdated: bool = False
    left: int = 0
    outlook_due: bool = False

    def report(self) -> dict[str, Any]:
        """Return the run in numbers, as it is recorded and printed as JSON."""
        answers, result = self.scores.answers, self.scores.result
        labels = answers.crowd.num_answers
        answered = labels > 0
        return {
            "project": self.project,
            "title": self.title,
            "control": self.control.name,
            "dry_run": self.dry_run,
            "trigger": self.trigger,
            "tasks": len(labels),
            "labelled_tasks": int(answered.sum()),
            "labels": int(labels.sum()),
            "annotators": len(answers.crowd.annotators),
            "classes": [str(label) for label in answers.crowd.classes],
            "set_aside": answers.set_aside,
            "ground_truth_annotations": answers.ground_truth,
            "ground_truth_trusted": int((answers.known_labels >= 0).sum()),
            "classifier": self.classifier,
            "consensus": self.consensus,
            "trained": self.trained,
            "mean_consensus_quality": float(result.quality[answered].mean()) if answered.any() else None,
            "estimated_accuracy": asdict(self.accuracy),
            "settled": int(self.scores.settled.sum()),
            "settled_by": {name: int((self.scores.settled_by == name).sum()) for name in SETTLED_BY},
            "changed_tasks": self.pulled.changed,
            "deleted_tasks": self.pulled.deleted,
            "full_pull": self.pulled.full,
            "changes": {**self.plan.counts(), "deferred": self.left},
            "expected_seconds": round(self.expected_seconds, 1),
            "warnings": self.warnings,
            "seconds": {stage: round(value, 3) for stage, value in self.seconds.items()},
            "seconds_waited": round(self.waited, 3),
        }


class _Clock:
    """The seconds of each stage, and how long of them Label Studio was waited for."""

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


@dataclass(frozen=True)
class _Situation:
    """A connected project as a run finds it."""

    project: int
    info: dict[str, Any]
    settings: Settings
    control: Control


def rescore(
    studio: Studio,
    mirror: ProjectMirror,
    project: int,
    settings: Settings,
    *,
    full: bool = False,
    dry_run: bool = False,
    renew_training: bool = True,
    progress: Progress = silent,
) -> Run:
    """Bring a project's queue and consensus up to its annotations.

    Parameters
    ----------
    full
        Read everything anew, retrain the classifier, and change all consensus predictions that need it.
    dry_run
        Change nothing in Label Studio.
    renew_training
        Train a classifier anew that is outdated; a service does so beside its runs.

    Raises
    ------
    NotConnectedError
        If the project is not connected, and this is no dry run.
    UserError
        If it has nothing to score.
    """
    clock = _Clock(studio)
    with clock("look"):
        found = _look(studio, mirror, project, settings, connected=not dry_run)
    with clock("pull"):
        pulled = update_mirror(studio, mirror, project, full=full, progress=progress)
    with clock("score"):
        answers, annotations = _answers(mirror, found.info, found.control, found.settings)
    with clock("train"):
        known = None if full else at_hand(mirror, answers, found.control, found.settings, by_model=not renew_training)
        trained = known is None or (known.outdated and renew_training)
        if known is None or trained:
            probabilities = train_anew(
                studio, mirror, project, answers, found.control, found.settings, keep=not dry_run, progress=progress
            )
        else:
            probabilities = known.probabilities
    judged = _Judged(answers, annotations, probabilities, trained)
    return _publish(
        studio, mirror, found, pulled, judged, clock, "command", full=full, dry_run=dry_run, progress=progress
    )


def rescore_changes(
    studio: Studio,
    mirror: ProjectMirror,
    project: int,
    settings: Settings,
    *,
    changed: bool = True,
    pull: bool = True,
    sweep: bool = False,
    cause: Literal["request", "training"] | None = None,
    progress: Progress = silent,
) -> Run | None:
    """Bring a project up to what changed, from the probabilities at hand; train only where there are none.

    Parameters
    ----------
    changed
        Something is known to have changed. Otherwise nothing is scored unless the pull finds something.
    pull
        Ask Label Studio for changes.
    sweep
        Look at every task's state before, too.
    cause
        What set it off, where that is neither a change nor a look for one.

    Returns
    -------
    Run or None
        None if nothing had changed. A run publishes for about ``longest_wait`` seconds, so that the next one can
        look again.

    Raises
    ------
    NotConnectedError
        If the project is not connected.
    UserError
        If it has nothing to score.
    """
    clock = _Clock(studio)
    with clock("look"):
        found = _look(studio, mirror, project, settings)
    pulled, told = Pulled(0, 0, False), changed
    with clock("pull"):
        if sweep:
            pulled = Pulled(0, refresh_states(studio, mirror, project), False)
        if pull or not has_pulled(mirror):
            more = update_mirror(studio, mirror, project, progress=progress)
            pulled = Pulled(more.changed, pulled.deleted + more.deleted, more.full)
        changed = changed or sweep or pulled.changed > 0 or pulled.deleted > 0
        last = mirror.last_run()
        if not changed and last is not None and not last[1]["changes"]["deferred"]:
            seen = mirror.recall(_SEEN)
            if seen == _circumstances(found.info, found.settings) and is_as_published(studio, mirror, project):
                return None
    with clock("score"):
        answers, annotations = _answers(mirror, found.info, found.control, found.settings)
    with clock("train"):
        known = at_hand(mirror, answers, found.control, found.settings, by_model=True)
        if known is None:
            probabilities = train_anew(
                studio, mirror, project, answers, found.control, found.settings, progress=progress
            )
        else:
            probabilities = known.probabilities
    judged = _Judged(answers, annotations, probabilities, known is None, known is not None and known.outdated)
    trigger: Trigger = cause or ("sweep" if sweep else "change" if told else "poll")
    return _publish(
        studio, mirror, found, pulled, judged, clock, trigger, seconds=settings.longest_wait, progress=progress
    )


def retrain(
    studio: Studio, mirror: ProjectMirror, project: int, settings: Settings, *, progress: Progress = silent
) -> None:
    """Train the classifier anew on what the mirror holds; the next run scores with it.

    Raises
    ------
    NotConnectedError
        If the project is not connected.
    """
    found = _look(studio, mirror, project, settings)
    answers, _ = _answers(mirror, found.info, found.control, found.settings)
    train_anew(studio, mirror, project, answers, found.control, found.settings, progress=progress)


def look_ahead(studio: Studio, mirror: ProjectMirror, project: int, settings: Settings) -> None:
    """Find the forecast and the coefficients of agreement of what the mirror holds, if probabilities are at hand.

    Raises
    ------
    NotConnectedError
        If the project is not connected.
    """
    found = _look(studio, mirror, project, settings)
    answers, _ = _answers(mirror, found.info, found.control, found.settings)
    known = at_hand(mirror, answers, found.control, found.settings)
    if known is None:  # the next run trains, and asks again
        return
    scores = _score(mirror, answers, known.probabilities, found.settings)
    renew_outlook(mirror, scores, _scored_with(found.settings))


def look_ahead_if_due(mirror: ProjectMirror, info: Mapping[str, Any], settings: Settings, snapshot: Snapshot) -> None:
    """Find the forecast and the coefficients anew under the settings of the last run, if they are older than it.

    Parameters
    ----------
    info
        The project's settings in Label Studio.
    settings
        Where the store and the models are.
    snapshot
        What the last run left.
    """
    scored_with = mirror.recall(_SCORED_WITH) or {}
    if not is_outlook_due(mirror, len(snapshot.answer_label), scored_with):
        return
    scores = stored_scores(mirror, info, settings)
    if scores is not None:
        renew_outlook(mirror, scores, scored_with)


def _scored_with(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in _SCORING_SETTINGS}


def _look(
    studio: Studio, mirror: ProjectMirror, project: int, settings: Settings, *, connected: bool = True
) -> _Situation:
    info = look_up(studio, mirror, project)
    record = find_record(studio, mirror, project)
    if record is None and connected:
        raise NotConnectedError(
            f"Project {project} is not connected, so nothing was written: run `label-studio-crowd connect "
            f"--project {project}` first, or look with `sync --dry-run`."
        )
    settings = settings.over(options_in(record))
    return _Situation(project, info, settings, find_control(info["label_config"], settings.control))


@dataclass(frozen=True)
class _Judged:
    """What is scored, and by which probabilities."""

    answers: Answers
    annotations: list[Annotation]
    probabilities: Probabilities
    trained: bool
    outdated: bool = False


def _publish(
    studio: Studio,
    mirror: ProjectMirror,
    found: _Situation,
    pulled: Pulled,
    judged: _Judged,
    clock: _Clock,
    trigger: Trigger,
    *,
    seconds: float = math.inf,
    full: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Run:
    project, info, settings, answers = found.project, found.info, found.settings, judged.answers
    with clock("score"):
        scores = _score(mirror, answers, judged.probabilities, settings)
        accuracy = consensus_accuracy(scores.result)
    with clock("publish"):
        taken = pending_version(mirror)
        published = observe(studio, mirror, project, progress=progress)
        costs = measured_costs(mirror)
        plan = make_plan(
            scores,
            _states(mirror, answers),
            found.control,
            published,
            info["model_version"] or "",
            active_annotators=active_annotators(judged.annotations),
            taken_versions=[taken] if taken else [],
            queue_size=settings.queue_size,
            label_budget=settings.label_budget,
            show_consensus=settings.show_consensus,
            consensus_changes=None if full else settings.consensus_changes,
            costs=costs,
        )
        published_now = Published([], 0)
        if not dry_run:
            # before it is published, so that the event of our own change is known for what it is
            served = plan.switch_to or info["model_version"]
            mirror.remember(_SEEN, _circumstances({**info, "model_version": served}, settings))
            published_now = carry_out(plan, studio, mirror, project, seconds=seconds, progress=progress)
    run = Run(
        project,
        info["title"],
        found.control,
        pulled,
        judged.probabilities.summary,
        settings.consensus,
        judged.trained,
        scores,
        accuracy,
        trigger,
        plan,
        plan.seconds(costs),
        dry_run,
        _warnings(info, scores, plan, settings) + published_now.warnings,
        clock.seconds,
        clock.waited(),
        judged.outdated,
        plan.deferred + published_now.left,
    )
    if not dry_run:
        mirror.remember(_SETTLED, answers.crowd.tasks[scores.settled].tolist())
        mirror.remember(_SCORED_WITH, _scored_with(settings))
        snapshot = take_snapshot(
            info,
            found.control,
            scores,
            plan.queue,
            judged.probabilities,
            judged.annotations,
            accuracy,
            number_annotators(mirror, np.asarray(answers.crowd.annotators, np.int64)),
            show_consensus=settings.show_consensus,
            target_quality=settings.target,
            taken_at=now(),
        )
        mirror.set_snapshot(snapshot.to_bytes(), snapshot.taken_at)
        labels = len(answers.crowd.label)
        add_to_history(mirror, snapshot.taken_at, labels, accuracy)
        run.outlook_due = is_outlook_due(mirror, labels, _scored_with(settings))
        mirror.add_run(run.report())
    return run


def _states(mirror: ProjectMirror, answers: Answers) -> Tasks:
    """Return the states of the tasks that were scored: others may have come, or some gone, meanwhile."""
    tasks, scored = mirror.tasks(), answers.crowd.tasks
    if np.array_equal(tasks.ids, scored):
        return tasks
    there = np.isin(scored, tasks.ids)
    rows = np.searchsorted(tasks.ids, scored[there])
    overlap, is_labeled = np.ones(len(scored), np.int64), np.zeros(len(scored), np.bool_)
    overlap[there], is_labeled[there] = tasks.overlap[rows], tasks.is_labeled[rows]
    return Tasks(np.asarray(scored, np.int64), overlap, is_labeled)


def _circumstances(info: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return what a run depends on besides tasks and annotations, and in which format it leaves what it found."""
    return {
        "snapshot": FORMAT,
        "project": project_settings(info),
        "options": {name: getattr(settings, name) for name in PROJECT_OPTIONS},
    }


def project_settings(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a project in Label Studio that a run depends on."""
    return {name: info.get(name) for name in _PROJECT_SETTINGS}


def seen_settings(mirror: ProjectMirror) -> dict[str, Any] | None:
    """Return `project_settings` as the last run found, or was about to leave, them; None if there was no run."""
    seen = mirror.recall(_SEEN)
    return dict(seen["project"]) if seen else None


def stored_scores(mirror: ProjectMirror, info: Mapping[str, Any], settings: Settings) -> Scores | None:
    """Return the scores of what the mirror holds, under the settings of the last run; None if there was none.

    Tasks that came in since then have the mean probabilities.
    """
    settings = settings.model_copy(update=mirror.recall(_SCORED_WITH) or {})
    control = find_control(info["label_config"], settings.control)
    answers, _ = _answers(mirror, info, control, settings)
    known = at_hand(mirror, answers, control, settings)
    return None if known is None else _score(mirror, answers, known.probabilities, settings)


def _answers(
    mirror: ProjectMirror, info: Mapping[str, Any], control: Control, settings: Settings
) -> tuple[Answers, list[Annotation]]:
    with _no_garbage_collection():  # half of the time otherwise: all of these objects stay
        annotations = mirror.annotations()
        answers = read_answers(
            mirror.tasks().ids,
            annotations,
            control,
            trust_ground_truth=settings.trust_ground_truth,
            count_skipped=info["skip_queue"] != "REQUEUE_FOR_OTHERS",
        )
    return answers, annotations


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _score(mirror: ProjectMirror, answers: Answers, probabilities: Probabilities, settings: Settings) -> Scores:
    ids = np.asarray(answers.crowd.tasks, np.int64)
    return score(
        answers,
        for_tasks(probabilities, ids),
        predicted=np.isin(ids, probabilities.tasks),
        settled_before=np.isin(ids, mirror.recall(_SETTLED) or []),
        target_quality=settings.target,
        min_labels=settings.min_labels,
        max_labels=settings.max_labels,
        consensus=settings.consensus,
    )


def active_annotators(annotations: list[Annotation]) -> list[int]:
    """Return the annotators who labelled in the days before the newest annotation."""
    if not annotations:
        return []
    newest = max(annotation.updated_at for annotation in annotations)
    since = str(np.datetime64(newest.rstrip("Z"), "us") - np.timedelta64(_ACTIVE_DAYS, "D"))
    return sorted({annotation.annotator for annotation in annotations if annotation.updated_at > since})


def _warnings(info: Mapping[str, Any], scores: Scores, plan: Plan, settings: Settings) -> list[str]:
    """Return what the user should know and may want to mend."""
    answers, found = scores.answers, []
    for name, (value, needed) in wrong_settings(info).items():
        found.append(f"The project's {name} is {value!r}, not {needed!r}: the queue is not served. Run connect.")
    if answers.ground_truth and not settings.trust_ground_truth:
        found.append(
            "Annotations with the ground-truth flag (imported ones have it by default) were counted as answers: "
            f"{answers.ground_truth}. --trust-ground-truth takes them as the truth."
        )
    if answers.conflicting_truths:
        some = ", ".join(map(str, answers.conflicting_truths[:_NAMED]))
        more = len(answers.conflicting_truths) - _NAMED
        found.append(
            "Tasks whose ground-truth annotations contradict each other, so that the latest was taken: "
            f"{some}{f' and {more} more' if more > 0 else ''}."
        )
    if answers.outside_config:
        labels = ", ".join(repr(label) for label in answers.outside_config[:_NAMED])
        found.append(
            f"Labels that the labeling config does not offer are in annotations ({labels}): they count as classes, "
            f"and tasks whose consensus is one have no consensus prediction: {plan.outside_config}."
        )
    labelled = answers.crowd.num_answers > 0
    if labelled.any() and answers.crowd.num_answers.max() < 2 and not (labelled & (answers.known_labels >= 0)).any():
        told = "only the classifier tells" if scores.hears_model else "nothing tells"
        settles_none = ", so quality settles no task" * (settings.consensus != "crowdlab")
        found.append(
            f"No task has labels of two annotators: {told} how good annotators are{settles_none}. The queue "
            "will ask for second labels; --min-labels 2 asks for them everywhere."
        )
    if labelled.sum() >= _MANY and (best := scores.result.quality[labelled].max()) < settings.target:
        found.append(
            f"No consensus reaches the target quality of {settings.target}: the highest is {best:.2f}. Tasks "
            "are settled only by --max-labels; lower --target-quality, or give a classifier something to learn from."
        )
    if settings.label_budget is not None and len(answers.crowd.label) >= settings.label_budget:
        found.append(
            f"The label budget of {settings.label_budget} is spent: the queue is empty, and Label Studio serves "
            "the tasks that are still open in an order of its own."
        )
    crowd = answers.crowd
    if note := memory_note(
        tasks=len(crowd.tasks), labels=len(crowd.label), annotators=len(crowd.annotators), classes=len(crowd.classes)
    ):
        found.append("{}: {}.".format(*note))
    return found
