"""What a run found that the user should know, and may want to fix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from label_studio_crowd.connection.addresses import StrangeAddresses
from label_studio_crowd.connection.record import Record, wrong_settings
from label_studio_crowd.exchange.models import models_of, other_versions
from label_studio_crowd.exchange.plan import Plan
from label_studio_crowd.exchange.pull import Unreadable
from label_studio_crowd.project import ScoredProject
from label_studio_crowd.scoring.answers import ALONE, OURS, Answers
from label_studio_crowd.scoring.classifiers import predictions_named
from label_studio_crowd.scoring.foretold import Foretold, about_gone
from label_studio_crowd.scoring.memory import memory_note
from label_studio_crowd.scoring.scores import Scores
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.people import model_id
from label_studio_crowd.studio.controls import ANSWERING, NO_LABEL, names_of_controls, not_scored

_NAMED: Final = 5
_ELSEWHERE: Final = (ANSWERING, NO_LABEL)
_MANY: Final = 50
"""Labelled tasks from which on it says something that none is settled by its quality."""


def find_warnings(project: ScoredProject, scores: Scores, plan: Plan) -> Iterator[str]:
    """Yield what the user should know, a sentence or two each."""
    if project.store.facts.read(Record) is not None:  # a project that is only looked at serves no queue
        for name, (value, needed) in wrong_settings(project.info).items():
            yield f"The project's {name} is {value!r}, not {needed!r}: the queue is not served. Run connect."
    if (strange := project.store.facts.read(StrangeAddresses)) and strange.urls:
        yield f"{strange.in_words()}."
    yield from _of_ground_truth(scores.answers, project.settings)
    outside = [label for part in scores.controls for label in part.answers.outside_config]
    if outside:
        labels = ", ".join(repr(label) for label in outside[:_NAMED])
        yield (
            f"Annotations have labels that the labeling config does not offer ({labels}). They count as classes; "
            f"tasks that have such a consensus, and so no consensus prediction: {plan.outside_config}."
        )
    if alone := scores.answers.set_aside.get(ALONE, 0):
        yield (
            f"Annotations {ALONE}: {alone}. They were set aside. If these labels are meant, add them to the labeling "
            "config; a label is a class without that as soon as a second annotator gives it."
        )
    if unreadable := project.store.facts.read(Unreadable):
        yield from _of_unreadable([task.id for task in unreadable.tasks])
    yield from _of_other_answers(project, scores.answers)
    yield from _of_models(project, scores)
    yield from _of_classifier(project)
    yield from _of_controls(project, scores)
    yield from _of_quality(scores, project.settings)
    crowd, budget = scores.answers.crowd, project.settings.label_budget
    if budget is not None and scores.num_labels.sum() >= budget:
        yield (
            f"The label budget of {budget} is spent: the queue is empty, and Label Studio serves "
            "the tasks that are still open in its own order."
        )
    if scores.answers.control.is_class and (
        note := memory_note(
            tasks=len(crowd.tasks),
            labels=len(crowd.label),
            annotators=len(crowd.annotators),
            classes=len(crowd.classes),
        )
    ):
        yield "{}: {}.".format(*note)


def _of_ground_truth(answers: Answers, settings: Settings) -> Iterator[str]:
    if answers.ground_truth and not settings.trust_ground_truth:
        yield (
            "Annotations with the ground-truth flag (imported ones have it by default) were counted as answers: "
            f"{answers.ground_truth}. --trust-ground-truth takes them as the truth."
        )
    if answers.conflicting_truths:
        some = ", ".join(map(str, answers.conflicting_truths[:_NAMED]))
        more = len(answers.conflicting_truths) - _NAMED
        yield (
            "Ground-truth annotations contradict each other, so the latest was taken, in these tasks: "
            f"{some}{f' and {more} more' if more > 0 else ''}."
        )


def _of_unreadable(tasks: list[int]) -> Iterator[str]:
    if tasks:
        some = ", ".join(map(str, tasks[:_NAMED])) + ", …" * (len(tasks) > _NAMED)
        yield (
            f"Label Studio cannot give {len(tasks)} of the tasks ({some}): it fails when it is asked for their data or "
            "annotations, as where a text has half a character. They are left out. Mend or delete them."
        )


def _of_other_answers(project: ScoredProject, answers: Answers) -> Iterator[str]:
    if number := answers.set_aside.get(OURS):
        yield (
            f"Annotations that were made from our own consensus, as by Create Annotations From Predictions: {number}. "
            "They are no answers, because the consensus would confirm itself."
        )
    control, asked = answers.control, names_of_controls(project.info["label_config"]) - {answers.control.name}
    expected = tuple(f"{ANSWERING}{name!r} (" for name in asked)
    strange = {why: count for why, count in answers.answer_others.items() if not why.startswith(expected)}
    if strange:
        found = ", ".join(f"{count} {why}" for why, count in strange.items())
        yield (
            f"Annotations answer what the labeling config does not ask (any more): {found}. They are no answers to "
            f"{control.name!r} ({control.tag}), so their tasks wait for labels. If a control was renamed or changed, "
            "change it back."
        )


def _of_models(project: ScoredProject, scores: Scores) -> Iterator[str]:
    named = models_of(project.settings)
    kept = project.store.model_answers.states()
    if missing := [version for version in named if version not in kept]:
        there = ", ".join(map(repr, other_versions(project))) or "none of other models"
        yield (
            f"The project has no predictions of the model {', '.join(map(repr, missing))}, which model_annotators "
            f"names. It has: {there}."
        )
    parts = [part.answers for part in scores.controls]
    answering = {who for answers in parts for who in answers.crowd.annotators[answers.are_models].tolist()}
    for version in named:
        reasons, answers_some = Counter[str](), len(parts) > 1 and model_id(version) in answering
        for answers in parts:
            reasons.update(answers.unread.get(model_id(version), {}))
        # one that answers other controls of several is no reason for a word
        told = [(why, n) for why, n in reasons.most_common() if not (answers_some and why.startswith(_ELSEWHERE))]
        if told:
            some = ", ".join(f"{number} {why}" for why, number in told[:_NAMED])
            yield f"Predictions of the model {version!r} that are no answers: {some}."


def _of_classifier(project: ScoredProject) -> Iterator[str]:
    made_of = project.store.facts.read(Foretold)
    if made_of and not made_of.count and made_of.version == predictions_named(project.settings.classifier):
        what, mend = about_gone(made_of.version)
        yield f"The project has {what}. To change that, {mend}."


def _of_controls(project: ScoredProject, scores: Scores) -> Iterator[str]:
    scored = {part.answers.control.name for part in scores.controls}
    unanswered = [control.name for control in project.controls if control.name not in scored]
    if unanswered:
        yield f"Nobody has answered these controls, so they do not count: {', '.join(map(repr, unanswered))}."
    if not project.settings.control and (others := not_scored(project.info["label_config"])):
        reasons = ", ".join(f"{control} ({reason})" for control, reason in others.items())
        yield f"The labeling config has controls that are not scored: {reasons}."


def _of_quality(scores: Scores, settings: Settings) -> Iterator[str]:
    answers = scores.answers
    labelled = scores.num_labels > 0
    if labelled.any() and answers.labels.num_answers.max() < 2 and not (labelled & (answers.known_labels >= 0)).any():
        known = "only the classifier shows" if scores.hears_model else "it is not known"
        settles_none = ", so quality settles no task" * (settings.consensus != "crowdlab")
        yield (
            f"No task has labels of two annotators: {known} how good the annotators are{settles_none}. The queue "
            "will ask for second labels; --min-labels 2 asks for them everywhere."
        )
    if labelled.sum() >= _MANY and (best := scores.least_quality[labelled].max()) < settings.target:
        yield (
            f"No consensus reaches the target quality of {settings.target}: the highest is {best:.2f}. Tasks "
            "are settled only by --max-labels; lower --target-quality, or add data that a classifier can learn from."
        )
