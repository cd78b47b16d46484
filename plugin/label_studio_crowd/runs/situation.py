"""What a run finds: the project as it stands, its answers, and whether anything is as the last run left it."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import orjson

from label_studio_crowd.connection.record import NotConnectedError, find_record, options_in
from label_studio_crowd.errors import UserError
from label_studio_crowd.exchange.models import models_of
from label_studio_crowd.exchange.own_words import repeats_of_ours
from label_studio_crowd.exchange.pull import look_up
from label_studio_crowd.project import Project, ScoredProject
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.joint import Regions, joint, score_together
from label_studio_crowd.scoring.kinds.marked_texts import text_field, texts_of
from label_studio_crowd.scoring.memory import check_memory
from label_studio_crowd.scoring.own_choices import OwnChoices
from label_studio_crowd.scoring.probabilities import for_tasks
from label_studio_crowd.scoring.reading import NoClassesError, read_answers
from label_studio_crowd.scoring.scores import Scores, score
from label_studio_crowd.scoring.snapshot import FORMAT
from label_studio_crowd.settings import PROJECT_OPTIONS, SCORES_DEPEND_ON, Settings
from label_studio_crowd.store.facts import Fact, Facts, PlainFact
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.trainings import Probabilities
from label_studio_crowd.studio.controls import RELATION, RELATIONS, Control, find_controls, find_relations

_PROJECT_SETTINGS: Final = (
    "title",
    "label_config",
    "skip_queue",
    "sampling",
    "maximum_annotations",
    "show_overlap_first",
    "model_version",
)


@dataclass(frozen=True)
class Seen(Fact):
    """What the last run depended on besides tasks and annotations, as it found, or was about to leave, that.

    Attributes
    ----------
    snapshot
        The format in which it left what it believed.
    project
        From `project_settings`.
    options
        The project's options in force.
    """

    fact = "seen"

    snapshot: int
    project: Mapping[str, Any]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class ScoredWith(PlainFact):
    """The settings with which the last run scored."""

    fact = "scored_with"

    settings: Mapping[str, Any]

    @classmethod
    def of(cls, settings: Settings) -> ScoredWith:
        """Return those of today."""
        return cls({name: getattr(settings, name) for name in SCORES_DEPEND_ON})


@dataclass(frozen=True)
class Settled(PlainFact):
    """The tasks that the last run settled: they stay away until their quality is clearly below the target."""

    fact = "settled"

    tasks: list[int]


def look(project: Project, *, connected: bool = True) -> ScoredProject:
    """Look at a project in Label Studio.

    Parameters
    ----------
    connected
        It has to be connected.

    Raises
    ------
    NotConnectedError
        If it has to be connected, and is not.
    UserError
        If it has nothing to score.
    """
    info, record = look_up(project), find_record(project)
    if record is None and connected:
        raise NotConnectedError(
            f"Project {project.number} is not connected, so nothing was written: run `label-studio-crowd connect "
            f"{project.number}` first, or try `sync --dry-run`."
        )
    return scored_project(project, info, project.settings.over(options_in(record)))


def scored_project(project: Project, info: Mapping[str, Any], settings: Settings) -> ScoredProject:
    """Return a project with its settings in Label Studio, and its controls."""
    controls = find_controls(info["label_config"], settings.names("control"), settings.names("ordered"))
    models_of(settings)
    return ScoredProject.of(project, settings, info, controls)


def circumstances(project: ScoredProject, *, model_version: str | None = None) -> Seen:
    """Return what a run depends on besides tasks and annotations, and in which format it leaves what it found.

    Parameters
    ----------
    model_version
        The one that the project is about to have, where that is another than now.
    """
    info = {**project.info, **({} if model_version is None else {"model_version": model_version})}
    options = {name: getattr(project.settings, name) for name in PROJECT_OPTIONS}
    return Seen(FORMAT, project_settings(info), options)


def project_settings(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a project in Label Studio that a run depends on."""
    return {name: info.get(name) for name in _PROJECT_SETTINGS}


def seen_settings(facts: Facts) -> Mapping[str, Any] | None:
    """Return `project_settings` as the last run found, or was about to leave, them; None if there was no run."""
    seen = facts.read(Seen)
    return seen.project if seen else None


def read_project(project: ScoredProject) -> tuple[tuple[Answers, ...], list[Annotation]]:
    """Return the answers that the mirror holds, and the annotations that they are in.

    The answers are by control, first those that stand for the project; a control that nobody has answered is left out,
    where another one is answered.

    Raises
    ------
    UserError
        If annotations answer none of the controls: all finished tasks would be opened again; or no control has classes.
    """
    with _no_garbage_collection():  # half of the time otherwise: all of these objects stay
        annotations = project.store.mirror.annotations()
        ours = repeats_of_ours(project, annotations)
        given = [*annotations, *project.store.model_answers.answers()]
        first = project.control
        order = [first, *(control for control in _controls(project, annotations) if control is not first)]
        found = [answers for control in order if (answers := _read(project, control, given, ours)) is not None]
    if not found:
        raise UserError(
            f"The control {first.name!r} offers no classes in the labeling config and no annotation has one: "
            "label a few tasks first, then run again."
        )
    answered = [answers for answers in found if _has_any(answers)]
    marked = {answers.control.name for answers in answered}
    answered = [each for each in answered if not each.control.regions or marked.intersection(each.control.regions)]
    if not answered:
        _stop_without_answers(project, found[0])
    return tuple(answered or found[:1]), annotations


def _read(
    project: ScoredProject, control: Control, annotations: list[Annotation], ours: Collection[int]
) -> Answers | None:
    """Return the answers of a control; None where it has no classes yet."""
    mirror = project.store.mirror
    if control.takes_several and any(control.several_in(orjson.loads(row.result)) for row in annotations):
        control = control.as_sets()
    with suppress(NoClassesError):
        answers = read_answers(
            mirror.tasks().ids,
            annotations,
            control,
            trust_ground_truth=project.settings.trust_ground_truth,
            count_skipped=project.info["skip_queue"] != "REQUEUE_FOR_OTHERS",
            own=OwnChoices.read(control, mirror.data()) if control.has_own else None,
            ours=ours,
        )
        if control.is_class:
            check_memory(answers.crowd)
        if text_field(control):
            answered = answers.crowd.tasks[answers.crowd.num_answers > 0].tolist()
            answers = replace(answers, texts=texts_of(control, mirror.data(answered)))
        return answers
    return None


def _controls(project: ScoredProject, annotations: list[Annotation]) -> Sequence[Control]:
    """Return the controls of a project, with relations where annotators relate regions, and no tag names these."""
    if project.settings.control or any(control.kind == RELATIONS for control in project.controls):
        return project.controls
    relations = find_relations(project.info["label_config"])
    if relations is None or not any(f'"{RELATION}"' in annotation.result for annotation in annotations):
        return project.controls
    return [*project.controls, relations]


def _has_any(answers: Answers) -> bool:
    """Return whether people have answered a control; to say nothing about regions is no answer alone."""
    form, known = answers.control.form, answers.known_labels
    given = np.unique(np.concatenate([answers.labels.label, known[known >= 0]])).tolist()
    if answers.values and all(form.is_empty(answers.values[code]) for code in given):
        return False
    return bool(given)


def _stop_without_answers(project: ScoredProject, answers: Answers) -> None:
    """Raise a `UserError` if annotators answer, but not what is scored."""
    others = answers.answer_others
    if not others:
        return
    found = ", ".join(f"{count} {reason}" for reason, count in others.items())
    asked = ", ".join(f"{control.name!r} ({control.tag})" for control in project.controls)
    raise UserError(
        f"No annotation answers the control {asked}, so nothing was published. Of the annotations, there are: {found}. "
        "If the control was renamed or has another type now, change that back in Settings → Labeling Interface; or "
        "choose the control to score with --control."
    )


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def score_project(project: ScoredProject, answers: Sequence[Answers], probabilities: Sequence[Probabilities]) -> Scores:
    """Return the scores of a project's answers, which are by control, as the classifiers' probabilities are."""
    ids, settings = np.asarray(answers[0].crowd.tasks, np.int64), project.settings
    settled = project.store.facts.read(Settled)
    settled_before = np.isin(ids, settled.tasks if settled else [])
    said = {each.control.name: found for each, found in zip(answers, probabilities, strict=True)}

    def score_one(each: Answers, regions: Regions) -> Scores:
        return score(
            each,
            for_tasks(said[each.control.name], each),
            predicted=np.isin(ids, said[each.control.name].tasks),
            settled_before=settled_before,
            target_quality=settings.target,
            min_labels=settings.min_labels,
            max_labels=settings.max_labels,
            consensus=settings.consensus,
            regions=regions,
        )

    return joint(score_together(answers, score_one))
