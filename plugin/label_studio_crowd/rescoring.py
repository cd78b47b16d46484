"""One run: pull, classify, score, plan, publish."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd import classifiers
from label_studio_crowd.connection import find_record, options_in, wrong_settings
from label_studio_crowd.errors import UserError
from label_studio_crowd.labels import Control, SeveralLabelsError, find_control
from label_studio_crowd.mirror import Annotation, Probabilities, ProjectMirror
from label_studio_crowd.plan import Plan, make_plan
from label_studio_crowd.publish import carry_out, measured_costs, observe, pending_version
from label_studio_crowd.pull import Pulled, look_up, update_mirror
from label_studio_crowd.scoring import SETTLED_BY, Answers, Scores, read_answers, score
from label_studio_crowd.settings import Settings
from label_studio_crowd.studio import Progress, Studio, silent

_SETTLED: Final = "settled"
_SCORED_WITH: Final = "scored_with"
_SCORING_SETTINGS: Final = (
    "control",
    "classifier",
    "trust_ground_truth",
    "target_quality",
    "min_labels",
    "max_labels",
)
_MANY: Final = 50
"""Labelled tasks from which on it says something that none is settled by its quality."""
_ACTIVE_DAYS: Final = 7
"""An annotator is active who labelled in the last days before the newest annotation."""


@dataclass
class Run:
    """What a run found and did."""

    project: int
    title: str
    control: Control
    pulled: Pulled
    classifier: str
    trained: bool
    scores: Scores
    plan: Plan
    expected_seconds: float
    dry_run: bool
    warnings: list[str]
    seconds: dict[str, float] = field(default_factory=dict)

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
            "tasks": len(labels),
            "labelled_tasks": int(answered.sum()),
            "labels": int(labels.sum()),
            "annotators": len(answers.crowd.annotators),
            "classes": [str(label) for label in answers.crowd.classes],
            "set_aside": answers.set_aside,
            "ground_truth_annotations": answers.ground_truth,
            "ground_truth_trusted": int((answers.known_labels >= 0).sum()),
            "classifier": self.classifier,
            "trained": self.trained,
            "mean_consensus_quality": float(result.quality[answered].mean()) if answered.any() else None,
            "settled": int(self.scores.settled.sum()),
            "settled_by": {name: int((self.scores.settled_by == name).sum()) for name in SETTLED_BY},
            "changed_tasks": self.pulled.changed,
            "deleted_tasks": self.pulled.deleted,
            "full_pull": self.pulled.full,
            "changes": self.plan.counts(),
            "expected_seconds": round(self.expected_seconds, 1),
            "warnings": self.warnings,
            "seconds": {stage: round(value, 3) for stage, value in self.seconds.items()},
        }


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def rescore(
    studio: Studio,
    mirror: ProjectMirror,
    project: int,
    settings: Settings,
    *,
    full: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Run:
    """Bring a project's queue and consensus up to its annotations.

    Parameters
    ----------
    full
        Read everything anew, retrain the classifier, and change all consensus predictions that need it.
    dry_run
        Change nothing in Label Studio.

    Raises
    ------
    UserError
        If the project is not connected (and this is no dry run), or has nothing to score.
    """
    clock = _Clock()
    info = look_up(studio, mirror, project)
    record = find_record(studio, mirror, project)
    if record is None and not dry_run:
        raise UserError(
            f"Project {project} is not connected, so nothing was written: run `label-studio-crowd connect "
            f"--project {project}` first, or look with `sync --dry-run`."
        )
    settings = settings.over(options_in(record))
    control = find_control(info["label_config"], settings.control)
    with clock("pull"):
        pulled = update_mirror(studio, mirror, project, full=full, progress=progress)
    with clock("score"):
        answers, annotations = _answers(mirror, info, control, settings)
    with clock("train"):
        probabilities, trained = _probabilities(studio, mirror, project, control, answers, settings, full, progress)
        if trained and not dry_run:
            mirror.set_probabilities(probabilities)
    with clock("score"):
        scores = _score(mirror, answers, probabilities, settings)
    with clock("publish"):
        taken = pending_version(mirror)
        published = observe(studio, mirror, project, progress=progress)
        costs = measured_costs(mirror)
        plan = make_plan(
            scores,
            mirror.tasks(),
            control,
            published,
            info["model_version"] or "",
            active_annotators=active_annotators(annotations),
            taken_versions=[taken] if taken else [],
            queue_size=settings.queue_size,
            label_budget=settings.label_budget,
            show_consensus=settings.show_consensus,
            consensus_changes=None if full else settings.consensus_changes,
            costs=costs,
        )
        dropped = [] if dry_run else carry_out(plan, studio, mirror, project, progress=progress)
    run = Run(
        project,
        info["title"],
        control,
        pulled,
        probabilities.summary,
        trained,
        scores,
        plan,
        plan.seconds(costs),
        dry_run,
        _warnings(info, scores, plan, settings) + dropped,
        clock.seconds,
    )
    if not dry_run:
        mirror.remember(_SETTLED, answers.crowd.tasks[scores.settled].tolist())
        mirror.remember(_SCORED_WITH, {name: getattr(settings, name) for name in _SCORING_SETTINGS})
        mirror.add_run(run.report())
    return run


def stored_scores(mirror: ProjectMirror, info: Mapping[str, Any], settings: Settings) -> Scores | None:
    """Return the scores of what the mirror holds, under the settings of the last run; None if there was none.

    Tasks that came in since then have the mean probabilities.
    """
    settings = settings.model_copy(update=mirror.recall(_SCORED_WITH) or {})
    control = find_control(info["label_config"], settings.control)
    answers, _ = _answers(mirror, info, control, settings)
    probabilities = mirror.probabilities()
    if probabilities is None or not _same_question(probabilities, answers, settings, control):
        return None
    return _score(mirror, answers, probabilities, settings)


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


def _classes(answers: Answers) -> tuple[str, ...]:
    return tuple(str(label) for label in answers.crowd.classes)


def _score(mirror: ProjectMirror, answers: Answers, probabilities: Probabilities, settings: Settings) -> Scores:
    ids = np.asarray(answers.crowd.tasks, np.int64)
    pred_probs: NDArray[np.float64] | None = None
    if len(probabilities.tasks):
        known = np.isin(ids, probabilities.tasks)
        mean = probabilities.pred_probs.mean(axis=0)
        pred_probs = np.tile(mean / mean.sum(), (len(ids), 1))
        pred_probs[known] = probabilities.pred_probs[np.searchsorted(probabilities.tasks, ids[known])]
    return score(
        answers,
        pred_probs,
        settled_before=np.isin(ids, mirror.recall(_SETTLED) or []),
        target_quality=settings.target_quality,
        min_labels=settings.min_labels,
        max_labels=settings.max_labels,
    )


def _probabilities(
    studio: Studio,
    mirror: ProjectMirror,
    project: int,
    control: Control,
    answers: Answers,
    settings: Settings,
    full: bool,
    progress: Progress,
) -> tuple[Probabilities, bool]:
    """Return the probabilities at hand, or train anew where they no longer fit; and whether they were."""
    known = mirror.probabilities()
    if not full and known is not None and _still_fit(known, mirror, answers, settings, control):
        return known, False
    crowd = answers.crowd
    tasks = classifiers.TaskData(
        ids=crowd.tasks.tolist(),
        data=list(mirror.data().values()),
        fields=control.fields,
        predictions=_foreign_predictions(studio, project, control, answers, settings.classifier),
    )
    choice = classifiers.choose(settings.classifier, tasks, n_classes=len(crowd.classes))
    ids: NDArray[np.int64] = np.empty(0, np.int64)
    pred_probs: NDArray[np.float64] = np.empty((0, len(crowd.classes)))
    summary = choice.why
    if choice.classifier is not None:
        result = classifiers.train(choice.classifier, crowd, known_labels=answers.known_labels, progress=progress)
        ids, pred_probs, summary = np.asarray(crowd.tasks, np.int64), result.pred_probs, result.summary
    trained = Probabilities(
        classifier=_trained_for(settings, control),
        summary=summary,
        classes=_classes(answers),
        tasks=ids,
        pred_probs=pred_probs,
        answers=_num_labels(answers),
        newest=mirror.newest() or "",
    )
    return trained, True


def _num_labels(answers: Answers) -> int:
    return len(answers.crowd.label) + int((answers.known_labels >= 0).sum())


def _trained_for(settings: Settings, control: Control) -> str:
    """Return what a training depends on besides the data."""
    return f"{settings.classifier} for {control.name}{' and ground truth' * settings.trust_ground_truth}"


def _same_question(known: Probabilities, answers: Answers, settings: Settings, control: Control) -> bool:
    """Return whether a training was for this question, and has every class."""
    return known.classifier == _trained_for(settings, control) and known.classes == _classes(answers)


def _still_fit(
    known: Probabilities, mirror: ProjectMirror, answers: Answers, settings: Settings, control: Control
) -> bool:
    """Return whether a training still serves: it has all tasks, the data is the same, and few labels are new."""
    if not _same_question(known, answers, settings, control):
        return False
    if len(known.tasks) and not np.isin(answers.crowd.tasks, known.tasks).all():
        return False
    if mirror.newest_data() > known.newest:
        return False
    new = abs(_num_labels(answers) - known.answers)
    return new <= settings.retrain_share * max(known.answers, 1) or not len(known.tasks)


def _foreign_predictions(
    studio: Studio, project: int, control: Control, answers: Answers, spec: str
) -> dict[str, dict[int, tuple[int, float | None]]]:
    """Return the predictions that another model left in Label Studio, where the classifier is made of them."""
    kind, _, version = spec.partition(":")
    if kind != "predictions":
        return {}
    code_of = {label: code for code, label in enumerate(_classes(answers))}
    found: dict[str, dict[int, tuple[int, float | None]]] = {}
    for row in studio.predictions(project):
        try:
            label = control.read(row.result)
        except SeveralLabelsError:
            continue
        if label in code_of and (row.model_version == version or not version):
            found.setdefault(row.model_version, {})[row.task] = (code_of[label], row.score)
    return found


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
            f"{answers.ground_truth} annotations carry the ground-truth flag (imported ones do by default) and were "
            "counted as answers: --trust-ground-truth takes them as the truth."
        )
    if answers.conflicting_truths:
        some = ", ".join(map(str, answers.conflicting_truths[:5]))
        found.append(
            f"Ground-truth annotations contradict each other on {len(answers.conflicting_truths)} tasks "
            f"({some}): the latest was taken."
        )
    if answers.outside_config:
        labels = ", ".join(repr(label) for label in answers.outside_config[:5])
        found.append(
            f"Labels that the labeling config does not offer are in annotations ({labels}): they count as classes; "
            f"{plan.outside_config} tasks whose consensus is one have no consensus prediction."
        )
    if (crowd := answers.crowd) and len(crowd.label) and crowd.num_answers.max() < 2:
        found.append(
            "No task has labels of two annotators: how good annotators are cannot be told. The queue will ask for "
            "second labels; --min-labels 2 asks for them everywhere."
        )
    labelled = answers.crowd.num_answers > 0
    if labelled.sum() >= _MANY and (best := scores.result.quality[labelled].max()) < settings.target_quality:
        found.append(
            f"No consensus reaches the target quality of {settings.target_quality}: the highest is {best:.2f}. Tasks "
            "are settled only by --max-labels; lower --target-quality, or give a classifier something to learn from."
        )
    if settings.label_budget is not None and len(answers.crowd.label) >= settings.label_budget:
        found.append(
            f"The label budget of {settings.label_budget} is spent: the queue is empty, and Label Studio serves "
            "the tasks that are still open in an order of its own."
        )
    return found
