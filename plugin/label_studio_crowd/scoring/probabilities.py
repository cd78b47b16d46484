"""A project's class probabilities: those at hand, completed for new tasks, or from a new training."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.project import ScoredProject
from label_studio_crowd.scoring import classifiers, models
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.classifiers.out_of_sample import floored
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.database import now
from label_studio_crowd.store.trainings import Probabilities
from label_studio_crowd.studio.controls import SeveralLabelsError

_ONE_CLASS = "none: it learns from answers of one class, and those to {!r} are of another kind."

log = logging.getLogger(__name__)

_SKEW: Final = 60.0
"""Seconds by which the clocks of two machines may differ."""


@dataclass(frozen=True)
class AtHand:
    """The probabilities of the last training for today's classes.

    Attributes
    ----------
    probabilities
        As stored, in the order of today's classes.
    outdated
        Whether a training would see something that the last one did not: so many new labels, so much time,
        new classes, new or changed tasks.
    """

    probabilities: Probabilities
    outdated: bool


def at_hand(project: ScoredProject, answers: Answers, *, by_model: bool = False) -> AtHand | None:
    """Return the probabilities of the last training, or None if there was none for this control and classifier.

    Parameters
    ----------
    by_model
        Let the trained model, if it is at hand, predict the tasks that came or changed since.
    """
    settings, mirror = project.settings, project.store.mirror
    known = project.store.trainings.last()
    if known is None or known.classifier != _trained_for(project):
        return None
    if by_model:
        known = _completed(known, project, answers)
    found = _aligned(known, _classes(answers))
    new = abs(_num_labels(answers) - known.answers)
    outdated = found is not known or mirror.newest_data() > known.newest
    if len(known.tasks):
        outdated |= not np.isin(answers.crowd.tasks, known.tasks).all()
        outdated |= new > settings.retrain_share * max(known.answers, 1)
        age = now() - known.trained_at  # negative where the clock was put back since
        outdated |= new > 0 and not -_SKEW <= age <= 3600 * settings.retrain_hours
    return AtHand(found, bool(outdated))


def _completed(known: Probabilities, project: ScoredProject, answers: Answers) -> Probabilities:
    """Return, and keep, the probabilities with rows by the model for tasks that came or changed since."""
    if not known.training:
        return known
    mirror = project.store.mirror
    came = np.setdiff1d(answers.crowd.tasks, known.tasks).tolist()
    fresh = sorted({*came, *mirror.data_changed_since(known.newest)})
    model = models.at_hand(project.settings.model_dir, known.training) if fresh else None
    if model is None:
        return known
    newest, data = mirror.newest_data(), mirror.data(fresh)
    tasks = classifiers.TaskData(ids=list(data), data=list(data.values()), fields=project.control.fields)
    kept = ~np.isin(known.tasks, tasks.ids)
    ids = np.concatenate([known.tasks[kept], np.asarray(tasks.ids, np.int64)])
    order = np.argsort(ids)
    pred_probs = np.concatenate([known.pred_probs[kept], model.predict(tasks)])[order]
    found = replace(known, tasks=ids[order], pred_probs=pred_probs, newest=max(known.newest, newest))
    project.store.trainings.keep(found, instead_of=known.training)
    return found


def train_anew(project: ScoredProject, answers: Answers, *, keep: bool = True) -> Probabilities:
    """Train the classifier on what the mirror holds; with `keep`, the next runs have its probabilities and model.

    It learns from people alone: with what models among the annotators say, it would repeat their errors, and the
    consensus would take that for a second opinion.
    """
    mirror, settings, crowd = project.store.mirror, project.settings, answers.labels
    newest = mirror.newest() or ""
    data = mirror.data()
    tasks = classifiers.TaskData(
        ids=crowd.tasks.tolist(),
        data=[data.get(task, {}) for task in crowd.tasks.tolist()],  # one may be deleted meanwhile
        fields=project.control.fields,
        predictions=_foreign_predictions(project, answers),
    )
    if answers.control.is_class:
        choice = classifiers.choose(settings.classifier, tasks, n_classes=len(crowd.classes))
    else:
        choice = classifiers.Choice(None, _ONE_CLASS.format(answers.control.name))
    ids: NDArray[np.int64] = np.empty(0, np.int64)
    pred_probs: NDArray[np.float64] = np.empty((0, len(_classes(answers))))
    summary, model = choice.why, None
    if choice.classifier is not None:
        result = classifiers.train(
            choice.classifier,
            crowd,
            known_labels=answers.known_labels,
            consensus=settings.consensus,
            in_order=answers.control.kind == "ordered",
            progress=project.progress,
        )
        ids, pred_probs, summary = np.asarray(crowd.tasks, np.int64), result.pred_probs, result.summary
        model = result.model
    trained = Probabilities(
        classifier=_trained_for(project),
        summary=summary,
        classes=_classes(answers),
        tasks=ids,
        pred_probs=pred_probs,
        answers=_num_labels(answers),
        newest=newest,
        training=uuid.uuid4().hex if model is not None else "",
        trained_at=now(),
    )
    if keep:
        before = project.store.trainings.last()
        if model is not None:
            trained = _with_model_kept(trained, model, settings)
        project.store.trainings.keep(trained)
        if before is not None and before.training:
            models.forget(settings.model_dir, before.training)
    return trained


def _with_model_kept(trained: Probabilities, model: classifiers.Model, settings: Settings) -> Probabilities:
    """Keep the model for tasks to come; where it cannot be kept they do without."""
    try:
        models.keep(settings.model_dir, trained.training, model)
    except OSError as error:
        log.warning(
            "The trained model cannot be kept in %s (%s): new tasks wait for a training.", settings.model_dir, error
        )
        return replace(trained, training="")
    return trained


def for_tasks(known: Probabilities, ids: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return the probabilities of each task, their mean where there are none; None without a classifier."""
    if not len(known.tasks):
        return None
    there = np.isin(ids, known.tasks)
    mean = known.pred_probs.mean(axis=0)
    pred_probs: NDArray[np.float64] = np.tile(mean / mean.sum(), (len(ids), 1))
    pred_probs[there] = known.pred_probs[np.searchsorted(known.tasks, ids[there])]
    return pred_probs


def _aligned(known: Probabilities, classes: tuple[str, ...]) -> Probabilities:
    """Return the probabilities with a column for each of today's classes; a new class gets the least there is."""
    if known.classes == classes:
        return known
    column = {label: code for code, label in enumerate(known.classes)}
    pred_probs = np.full((len(known.tasks), len(classes)), 1e-9)
    for code, label in enumerate(classes):
        if label in column:
            pred_probs[:, code] = known.pred_probs[:, column[label]]
    return replace(known, classes=classes, pred_probs=floored(pred_probs))


def _classes(answers: Answers) -> tuple[str, ...]:
    if not answers.control.is_class:
        return ()
    return tuple(str(label) for label in answers.crowd.classes)


def _num_labels(answers: Answers) -> int:
    return len(answers.labels.label) + int((answers.known_labels >= 0).sum())


def _trained_for(project: ScoredProject) -> str:
    """Return what a training depends on besides the data."""
    settings = project.settings
    truth, order = " and ground truth" * settings.trust_ground_truth, " in order" * (project.control.kind == "ordered")
    return f"{settings.classifier} for {project.control.name}{order}{truth} by {settings.consensus}"


def _foreign_predictions(project: ScoredProject, answers: Answers) -> dict[str, dict[int, tuple[int, float | None]]]:
    """Return the predictions that another model left in Label Studio, where the classifier is made of them."""
    kind, _, version = project.settings.classifier.partition(":")
    if kind != "predictions":
        return {}
    code_of = {label: code for code, label in enumerate(_classes(answers))}
    found: dict[str, dict[int, tuple[int, float | None]]] = {}
    for row in project.studio.predictions(project.number):
        try:
            label = project.control.read(row.result)
        except SeveralLabelsError:
            continue
        if label is not None and answers.own is not None:
            label = answers.own.class_of(row.task, label)
        if label in code_of and (row.model_version == version or not version):
            found.setdefault(row.model_version, {})[row.task] = (code_of[label], row.score)
    return found
