"""What a run believes, as a snapshot. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from crowdcore import Crowd
from label_studio_crowd.estimate import Estimate
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.kinds import KindBelief, Told
from label_studio_crowd.scoring.probable import probable_classes
from label_studio_crowd.scoring.scores import Scores
from label_studio_crowd.scoring.second_opinion import SecondOpinion
from label_studio_crowd.scoring.snapshot import REASONS, Snapshot, copies_by_annotator
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.trainings import Probabilities

_NOTHING: Final = "[]"


def take_snapshot(
    info: Mapping[str, Any],
    scores: Scores,
    queue: tuple[int, ...],
    probabilities: Probabilities,
    annotations: Sequence[Annotation],
    accuracy: Estimate,
    pseudonym: NDArray[np.int64],
    *,
    show_consensus: bool,
    target_quality: float,
    taken_at: float,
    all_controls: tuple[str, ...] = (),
) -> Snapshot:
    """Return what a run believes of a control."""
    answers, result = scores.answers, scores.result
    crowd, stats, control = answers.crowd, result.annotators, answers.control
    told = result.told if isinstance(result, KindBelief) else Told()
    labels = answers.labels
    if len(probabilities.tasks) and control.is_class:
        prior = probabilities.pred_probs.mean(axis=0)
    else:
        counts = np.bincount(labels.label, minlength=len(crowd.classes)) + 1.0
        prior = counts / counts.sum()
    predicted, predicted_probability = _predicted(probabilities, crowd.tasks, control.is_class)
    second = scores.second_opinion
    opinion = {} if second is None else _opinion(second)
    answer_at, answer_seconds = answer_times(crowd, annotations)
    possible = probable_classes(scores, probabilities)
    return Snapshot(
        taken_at=taken_at,
        title=str(info["title"]),
        label_config=str(info["label_config"]),
        control=control.name,
        kind=control.kind,
        values=tuple(orjson.dumps(control.form.pack(value)).decode() for value in answers.values),
        of_tasks=told.of_tasks,
        of_annotators=told.of_annotators,
        of_classes=told.of_classes,
        of_parts=_parts(result) if isinstance(result, KindBelief) else (),
        details=result.details if isinstance(result, KindBelief) else {},
        held_by=np.empty(0, np.int64) if scores.held_by is None else scores.held_by,
        left_out=np.empty(0, np.bool_) if scores.left_out is None else scores.left_out,
        all_controls=all_controls,
        probable_numbers=possible.numbers,
        probable_label=possible.label,
        probable=possible.probability,
        probable_by_model=possible.by_model,
        probable_names=possible.names,
        show_consensus=show_consensus,
        training=probabilities.training,
        target_quality=target_quality,
        accuracy=accuracy,
        calibrated=scores.calibrated,
        classes=answers.names,
        own_labels=_own_labels(answers),
        prior=np.asarray(prior, np.float64),
        tasks=np.asarray(crowd.tasks, np.int64),
        labels=np.asarray(labels.num_answers, np.int64),
        by_models=_by_models(answers),
        skips=np.asarray(answers.skips, np.int64),
        annotations=_counts(crowd.tasks, annotations),
        consensus=np.asarray(result.consensus, np.int64),
        quality=np.asarray(result.quality, np.float64),
        model_disagrees=scores.model_disagrees,
        priority=np.asarray(scores.priority, np.float64),
        settled_by=np.asarray([REASONS.index(str(reason)) for reason in scores.settled_by], np.int64),
        judged=scores.judged,
        majority=np.asarray(scores.majority, np.int64),
        predicted=predicted,
        predicted_probability=predicted_probability,
        queue=np.asarray(queue, np.int64),
        annotators=np.asarray(crowd.annotators, np.int64),
        pseudonym=pseudonym,
        annotator_quality=np.asarray(scores.annotator_quality, np.float64),
        quality_low=np.asarray(scores.quality_interval[:, 0], np.float64),
        quality_high=np.asarray(scores.quality_interval[:, 1], np.float64),
        agreement=scores.agreement,
        annotator_labels=np.asarray(stats.num_answers, np.int64),
        worst_class=scores.worst_class,
        **copies_by_annotator(len(crowd.annotators), scores.copies),  # type: ignore[arg-type]
        answer_annotator=crowd.annotator,
        answer_label=crowd.label,
        answer_quality=np.asarray(result.label_quality, np.float64),
        answer_at=answer_at,
        answer_seconds=answer_seconds,
        hears_model=scores.hears_model,
        **opinion,  # type: ignore[arg-type]
    )


def _opinion(second: SecondOpinion) -> dict[str, NDArray[Any]]:
    return {
        "crowdlab": np.asarray(second.result.consensus, np.int64),
        "crowdlab_quality": np.asarray(second.result.quality, np.float64),
        "activelab": np.asarray(second.score, np.float64),
    }


def _parts(belief: KindBelief) -> tuple[str, ...]:
    return tuple(orjson.dumps(parts).decode() if parts else "" for parts in belief.of_parts)


def _by_models(answers: Answers) -> NDArray[np.int64]:
    of_models = answers.crowd.num_answers - answers.labels.num_answers
    return np.asarray(of_models if answers.are_models.any() else of_models[:0], np.int64)


def _own_labels(answers: Answers) -> tuple[tuple[str, ...], ...]:
    own = answers.own
    if own is None or not own.by_place:
        return ()
    return tuple(own.labels_of(task) for task in answers.crowd.tasks.tolist())


def _counts(tasks: NDArray[Any], annotations: Sequence[Annotation]) -> NDArray[np.int64]:
    counts = Counter(annotation.task for annotation in annotations)
    return np.asarray([counts.get(task, 0) for task in tasks.tolist()], np.int64)


def _predicted(
    probabilities: Probabilities, tasks: NDArray[Any], is_class: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the classifier's most probable class of each task and its probability; -1 and NaN where it has none."""
    code, probability = np.full(len(tasks), -1), np.full(len(tasks), np.nan)
    there = np.isin(tasks, probabilities.tasks) & is_class
    if there.any():
        P = probabilities.pred_probs[np.searchsorted(probabilities.tasks, tasks[there])]
        code[there], probability[there] = P.argmax(axis=1), P.max(axis=1)
    return code, probability


def answer_times(crowd: Crowd, annotations: Sequence[Annotation]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return when each answer was last changed (0: not known) and how many seconds it took (NaN: not known)."""
    at, seconds = np.zeros(len(crowd.label), np.int64), np.full(len(crowd.label), np.nan)
    given = [row for row in annotations if not row.was_cancelled and row.result != _NOTHING]
    if not given or not len(at):
        return at, seconds
    M = len(crowd.annotators)
    task = np.searchsorted(crowd.tasks, np.array([row.task for row in given]))
    annotator = np.searchsorted(crowd.annotators, np.array([row.annotator for row in given]))
    answer = np.searchsorted(crowd.task * M + crowd.annotator, task * M + annotator)
    answer = np.minimum(answer, len(at) - 1)
    is_it = crowd.tasks[crowd.task[answer]] == [row.task for row in given]
    is_it &= crowd.annotators[crowd.annotator[answer]] == [row.annotator for row in given]
    changed = np.array([row.updated_at.rstrip("Z") for row in given], "datetime64[us]")
    rows = np.flatnonzero(is_it)
    rows = rows[np.argsort(changed[rows], kind="stable")]  # of several the latest stays
    at[answer[rows]] = changed[rows].astype("datetime64[s]").astype(np.int64)
    seconds[answer[rows]] = np.array([row.lead_time for row in given], np.float64)[rows]
    return at, seconds
