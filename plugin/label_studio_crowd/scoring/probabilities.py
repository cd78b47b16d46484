"""What the classifier of each control says: what is at hand, completed for new tasks, or from a new training."""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from label_studio_crowd.errors import UserError
from label_studio_crowd.feedback import Progress
from label_studio_crowd.project import ScoredProject
from label_studio_crowd.scoring import classifiers, models
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.foretold import Foretold, foretold, is_made_of_others, note_foretold
from label_studio_crowd.scoring.lessons import lesson_of
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.database import now
from label_studio_crowd.store.rows import as_answer
from label_studio_crowd.store.trainings import Probabilities
from label_studio_crowd.studio.controls import SeveralLabelsError

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


def at_hand(project: ScoredProject, answers: Sequence[Answers], *, by_model: bool = False) -> list[AtHand | None]:
    """Return the probabilities of the last training for each control, or None if there was none for this classifier.

    Parameters
    ----------
    answers
        Those to each control.
    by_model
        Let the trained model, if it is at hand, predict the tasks that came or changed since.
    """
    if is_made_of_others(project):
        return [None] * len(answers)
    return [_at_hand(project, each, by_model=by_model) for each in answers]


def _at_hand(project: ScoredProject, answers: Answers, *, by_model: bool) -> AtHand | None:
    settings, mirror = project.settings, project.store.mirror
    name = answers.control.name
    known = project.store.trainings.last(name)
    if known is None or known.classifier != _trained_for(project, answers):
        return None
    if known.control != name:  # of an earlier release
        known = replace(known, control=name)
        project.store.trainings.keep(known)
    if by_model:
        known = _completed(known, project, answers)
    found = _aligned(known, answers)
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
    tasks = classifiers.TaskData(ids=list(data), data=list(data.values()), fields=answers.control.fields)
    kept = ~np.isin(known.tasks, tasks.ids)
    ids = np.concatenate([known.tasks[kept], np.asarray(tasks.ids, np.int64)])
    order = np.argsort(ids)
    pred_probs = np.concatenate([known.pred_probs[kept], model.predict(tasks)])[order]
    found = replace(known, tasks=ids[order], pred_probs=pred_probs, newest=max(known.newest, newest))
    project.store.trainings.keep(found, instead_of=known.training)
    return found


def train_anew(
    project: ScoredProject, answers: Sequence[Answers], *, keep: bool = True, others: bool = False
) -> tuple[Probabilities, ...]:
    """Train the classifier of each control on what the mirror holds.

    It learns from people alone: with what models among the annotators say, it would repeat their errors, and the
    consensus would take that for a second opinion.

    Parameters
    ----------
    answers
        Those to the controls that are trained for.
    keep
        Whether the next runs have the probabilities and models.
    others
        Whether another control has a classifier already.

    Raises
    ------
    UserError
        If the classifier that the settings name fits none of the controls. Where it fits some, the others do without,
        and their summaries say why.
    """
    made_of = foretold(project)
    school = _School(project)
    lessons = [school.train(each) for each in answers]
    if school.errors and not (school.learned or others or _is_gone(project, made_of, answers)):
        raise school.errors[0]
    if not keep:
        return tuple(trained for trained, _ in lessons)
    found = tuple(_kept(project, trained, model) for trained, model in lessons)
    note_foretold(project, made_of)
    return found


def _is_gone(project: ScoredProject, made_of: Foretold | None, answers: Sequence[Answers]) -> bool:
    """Return whether the predictions that the classifier was made of were deleted since: annotators must not wait."""
    if made_of is None or made_of.count:
        return False
    known = ((project.store.trainings.last(each.control.name), _trained_for(project, each)) for each in answers)
    return any(last is not None and last.classifier == wanted for last, wanted in known)


class _School:
    """Trains one classifier after the other.

    Attributes
    ----------
    errors
        Why the classifier that the settings name does not fit some controls.
    learned
        Whether there was one that does.
    """

    def __init__(self, project: ScoredProject) -> None:
        self._project = project
        self._newest, self._data = project.store.mirror.newest() or "", project.store.mirror.data()
        self.errors: list[UserError] = []
        self.learned = False

    def train(self, answers: Answers) -> tuple[Probabilities, classifiers.Model | None]:
        """Return what the classifier of a control says, and its model for tasks to come."""
        project, lesson, control = self._project, lesson_of(answers.control), answers.control
        predictions, versions = _foreign_predictions(project, answers)
        tasks = classifiers.TaskData(
            ids=answers.crowd.tasks.tolist(),
            data=[self._data.get(task, {}) for task in answers.crowd.tasks.tolist()],  # one may be deleted meanwhile
            fields=control.fields,
            predictions=predictions,
            versions=versions,
        )
        chosen: Any = None
        try:
            choice = lesson.choose(project.settings.classifier, tasks, answers)
            chosen, summary = choice.classifier, choice.why
        except UserError as error:
            self.errors.append(error)
            summary = f"none: {error}"
        ids: NDArray[np.int64] = np.empty(0, np.int64)
        pred_probs: NDArray[np.float64] = np.empty((0, len(lesson.columns(answers))))
        model = None
        if chosen is not None:
            self.learned = True
            progress = _of_control(project, control.name)
            people = replace(answers, crowd=answers.labels) if answers.are_models.any() else answers
            result = lesson.learn(chosen, people, project.settings.consensus, progress)
            ids, pred_probs, summary = np.asarray(answers.crowd.tasks, np.int64), result.pred_probs, result.summary
            model = result.model
        trained = Probabilities(
            control=control.name,
            classifier=_trained_for(project, answers),
            summary=summary,
            classes=lesson.columns(answers),
            tasks=ids,
            pred_probs=pred_probs,
            answers=_num_labels(answers),
            newest=self._newest,
            training=uuid.uuid4().hex if model is not None else "",
            trained_at=now(),
        )
        return trained, model


def _kept(project: ScoredProject, trained: Probabilities, model: classifiers.Model | None) -> Probabilities:
    """Keep a training and its model in place of the one before."""
    trainings, settings = project.store.trainings, project.settings
    before = trainings.last(trained.control)
    if model is not None:
        trained = _with_model_kept(trained, model, settings)
    trainings.keep(trained)
    if before is not None and before.training:
        models.forget(settings.model_dir, before.training)
    return trained


def forget_others(project: ScoredProject, answers: Sequence[Answers]) -> None:
    """Forget what was trained for controls that are scored no more."""
    for training in project.store.trainings.forget_others([each.control.name for each in answers]):
        models.forget(project.settings.model_dir, training)


def _of_control(project: ScoredProject, name: str) -> Progress:
    """Return what tells, where there are several controls, for which one is trained."""
    if len(project.controls) == 1:
        return project.progress

    def tell(what: str, done: int, total: int) -> None:
        project.progress(f"{name}: {what}", done, total)

    return tell


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


def for_tasks(known: Probabilities, answers: Answers) -> NDArray[np.float64] | None:
    """Return what is said of each task, what is usual where nothing is; None without a classifier."""
    if not len(known.tasks):
        return None
    ids = np.asarray(answers.crowd.tasks, np.int64)
    there = np.isin(ids, known.tasks)
    pred_probs: NDArray[np.float64] = np.tile(lesson_of(answers.control).usual(known.pred_probs), (len(ids), 1))
    pred_probs[there] = known.pred_probs[np.searchsorted(known.tasks, ids[there])]
    return pred_probs


def _aligned(known: Probabilities, answers: Answers) -> Probabilities:
    """Return the probabilities with a column for each of today's classes; a new class gets the least there is."""
    lesson = lesson_of(answers.control)
    classes = lesson.columns(answers)
    if known.classes == classes:
        return known
    column = {label: code for code, label in enumerate(known.classes)}
    pred_probs = np.zeros((len(known.tasks), len(classes)))
    for code, label in enumerate(classes):
        if label in column:
            pred_probs[:, code] = known.pred_probs[:, column[label]]
    new = np.array([label not in column for label in classes], np.bool_)
    return replace(known, classes=classes, pred_probs=lesson.with_new(pred_probs, new))


def _num_labels(answers: Answers) -> int:
    return len(answers.labels.label) + int((answers.known_labels >= 0).sum())


def _trained_for(project: ScoredProject, answers: Answers) -> str:
    """Return what a training depends on besides the data."""
    settings, control = project.settings, answers.control
    truth, order = " and ground truth" * settings.trust_ground_truth, " in order" * (control.kind == "ordered")
    kind = f" as {control.form.kind}" * (not control.is_class)
    return f"{settings.classifier} for {control.name}{order}{kind}{truth} by {settings.consensus}"


def _foreign_predictions(
    project: ScoredProject, answers: Answers
) -> tuple[dict[str, dict[int, tuple[Any, float | None]]], Counter[str]]:
    """Return the predictions that the classifier is made of, and how many the project has of each version."""
    named = classifiers.predictions_named(project.settings.classifier)
    if named is None:
        return {}, Counter()
    lesson, found = lesson_of(answers.control), dict[str, dict[int, tuple[Any, float | None]]]()
    rows = project.studio.predictions(project.number)
    for row in rows:
        if row.model_version != named:
            continue
        try:
            answer = answers.control.read(orjson.loads(as_answer(row.result)))
        except SeveralLabelsError:
            continue
        value = None if answer is None else lesson.foreign(answers, row.task, answer)
        if value is not None:
            found.setdefault(row.model_version, {})[row.task] = value, row.score
    return found, Counter(row.model_version for row in rows)
