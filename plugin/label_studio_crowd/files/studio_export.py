"""Label Studio's JSON as a crowd, without Label Studio: an export, tasks to be imported, a target storage's folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from crowdcore.crowd.ids import as_array, as_ids, coded, distinct
from crowdcore.crowd.repeats import moments
from crowdcore.crowd.table import Crowd
from crowdcore.formats import Reading
from crowdcore.formats.delimited import typed
from label_studio_crowd.errors import UserError
from label_studio_crowd.files.studio_json import Export
from label_studio_crowd.scoring.answers import SUPERSEDED, TRUTH
from label_studio_crowd.scoring.reading import read_answers
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.people import model_id, shown_model
from label_studio_crowd.studio.controls import infer_control, regions_in
from label_studio_crowd.studio.versions import check_models, is_ours

if TYPE_CHECKING:
    from crowdcore.crowd.repeats import Repeated
    from label_studio_crowd.scoring.answers import Answers
    from label_studio_crowd.studio.controls import Control


def read_export(
    path: Path,
    tasks: list[Any],
    control: str | None = None,
    *,
    trust_ground_truth: bool = False,
    classes: Sequence[str] | None = None,
    repeated: Repeated | None = None,
    kind: str | None = None,
    models: Sequence[str] = (),
) -> ExportReading:
    """Read the tasks of an export in the format JSON, of tasks to be imported, or of a target storage.

    As everywhere else in this package, skipped and empty annotations and drafts are no answers. An export has no
    labeling config: the classes are those that somebody chose.

    Parameters
    ----------
    path
        The file, for messages.
    tasks
        From `label_studio_crowd.files.studio_json.load_export`.
    control
        Name of the control; needed where annotations answer by several.
    trust_ground_truth
        Ground-truth annotations are the truth of their task instead of answers.
    classes
        All labels there are, in the order wanted.
    repeated
        What becomes of one annotator's several annotations of a task; by default the latest counts.
    kind
        What the answers are; by default what they look like.
    models
        Model versions whose predictions are answers, those of an annotator called "VERSION (model)".

    Raises
    ------
    UserError
        If it is another format, no control fits, or several do.
    """
    export = Export(path)
    check_models(models)
    annotations = [row for place, task in enumerate(tasks) for row in export.annotations(place, task)]
    predictions = [row for place, task in enumerate(tasks) for row in export.predictions(place, task, models)]
    chosen = infer_control((orjson.loads(row.result) for row in annotations or predictions), control, kind)
    annotations = _by_time(annotations)
    own = [row._replace(annotator=number) for number, row in enumerate(annotations)]  # none supersedes another
    given = [*own, *predictions]
    found = read_answers(np.arange(len(tasks)), given, chosen, trust_ground_truth=trust_ground_truth)
    if not chosen.is_class and classes is not None:
        raise UserError(f"--classes is for classes, and the answers to {chosen.name!r} are none: leave it out.")
    names = {model_id(version): shown_model(version) for version in models}
    crowd, truth = _named(export, found, annotations, chosen, classes, repeated, names)
    regions = []
    for marking in regions_in((orjson.loads(row.result) for row in [*annotations, *predictions]), chosen):
        marked = read_answers(np.arange(len(tasks)), given, marking, trust_ground_truth=trust_ground_truth)
        places, true = _named(export, marked, annotations, marking, None, repeated, names)
        regions.append(ExportReading(places, "", true, control=marking, values=_values(marked, places)))
    return ExportReading(
        crowd,
        "; ".join([_about(export, found, crowd, chosen, repeated), *_about_models(export, found, models)]),
        truth if trust_ground_truth else None,
        control=chosen,
        values=_values(found, crowd),
        regions=tuple(regions),
    )


def _values(found: Answers, crowd: Crowd) -> tuple[Any, ...]:
    """Return what the classes of a crowd stand for, where an answer is not one class."""
    value_of = dict(zip(found.crowd.classes.tolist(), found.values, strict=False))
    return tuple(value_of[name] for name in crowd.classes.tolist()) if found.values else ()


@dataclass(frozen=True, eq=False)
class ExportReading(Reading):
    """What was read from Label Studio's export.

    Attributes
    ----------
    control
        The control that was answered; `values` are those of `Answers`.
    regions
        Of answers about regions: what was read of the controls that mark them.
    """

    control: Control | None = None
    regions: tuple[ExportReading, ...] = ()


def _by_time(annotations: Sequence[Annotation]) -> list[Annotation]:
    """Return annotations by their time, whatever its zone; as they stand where times cannot be read."""
    import pandas as pd

    try:
        ranks = moments(pd.Series([row.updated_at or None for row in annotations], dtype=object))
    except (ValueError, TypeError):
        return list(annotations)
    return [annotations[place] for place in np.argsort(ranks, kind="stable").tolist()]


def _named(
    export: Export,
    found: Answers,
    annotations: Sequence[Annotation],
    control: Control,
    classes: Sequence[str] | None,
    repeated: Repeated | None,
    models: Mapping[int, str],
) -> tuple[Crowd, Any]:
    """Return the crowd, with the export's own ids and one annotator a person, and the codes of the true labels."""
    answers = found.crowd
    if control.tag == "rating":
        _check_ratings(export, answers)
    names = typed(answers.classes.tolist()) if control.tag == "rating" else answers.classes
    wanted = (
        distinct(names)
        if classes is None
        else as_ids(typed(classes) if control.tag == "rating" else classes, "classes")
    )
    code_of = {label: code for code, label in enumerate(wanted.tolist())}
    for label in names.tolist():
        if label not in code_of:
            raise UserError(
                f"{export.path}: found label {label!r}, which is none of the --classes {', '.join(classes or ())}."
            )
    codes = np.array([code_of[label] for label in names.tolist()], np.int64)
    by_time = np.argsort(answers.annotators[answers.annotator], kind="stable")  # which are annotations by their time
    task_of, tasks = coded(export.task_ids())
    named = list(export.people)
    who, people = coded(
        as_array(
            models[number] if number in models else named[annotations[number].annotator]
            for number in answers.annotators[answers.annotator[by_time]].tolist()
        )
    )
    crowd = Crowd.from_codes(
        task_of[answers.task[by_time]],
        who,
        codes[answers.label[by_time]],
        tasks=tasks,
        annotators=people,
        classes=wanted,
        repeated=repeated or "latest",
        ordered=classes is not None,
    )
    truth = np.full(len(tasks), -1)
    known = found.known_labels >= 0
    truth[task_of[known]] = codes[found.known_labels[known]]
    return (crowd, truth) if classes is not None else _without_corrected(crowd, truth)


def _check_ratings(export: Export, answers: Crowd) -> None:
    """Raise a `UserError` about the first rating that is no number."""
    wrong = [code for code, name in enumerate(answers.classes.tolist()) if typed([name]).dtype.kind not in "if"]
    at = np.flatnonzero(np.isin(answers.label, wrong))
    if len(at):
        task, label = export.tasks[answers.task[at[0]]], answers.classes[answers.label[at[0]]]
        raise UserError(
            f"{export.path}, task {task!r}: a rating is {label!r}; ratings are numbers. Correct it, or leave the "
            f"annotation out ({len(at)} such answers in total)."
        )


def _without_corrected(crowd: Crowd, truth: NDArray[np.int64]) -> tuple[Crowd, NDArray[np.int64]]:
    """Return a crowd and its truth without the classes that only superseded answers had."""
    used = np.zeros(len(crowd.classes) + 1, np.bool_)
    used[crowd.label] = used[truth[truth >= 0]] = True
    place = np.append(np.cumsum(used[:-1]) - 1, -1)
    return replace(crowd, classes=crowd.classes[used[:-1]], label=place[crowd.label]), place[truth]


def _about_models(export: Export, found: Answers, models: Sequence[str]) -> Iterator[str]:
    """Yield what is to be said of the models that are annotators."""
    for version in models:
        if version not in export.versions:
            there = ", ".join(map(repr, sorted(other for other in export.versions if not is_ours(other)))) or "none"
            bare = "; the file has only the ids of predictions: export them whole, by a snapshot" * export.has_bare_ids
            yield f"no predictions of the model {version!r}, but of: {there}{bare}"
            continue
        unread = found.unread.get(model_id(version), {})
        aside = "".join(f", {count} are no answers ({why})" for why, count in unread.items())
        yield f"the model {version!r} is an annotator, with predictions of {export.versions[version]:,} tasks{aside}"


def _about(export: Export, found: Answers, crowd: Crowd, control: Control, repeated: Repeated | None) -> str:
    """Return what was found, and what was guessed, in a sentence."""
    more = len(found.crowd.label) - len(crowd.label)
    later = SUPERSEDED if repeated != "first" else "after the annotator's first one"
    aside = ", ".join(f"{count} {reason}" for reason, count in [*found.set_aside.items(), (later, more)] if count)
    notes = [f"no answers: {aside}"] if aside else []
    if crowd.num_repeated:
        notes.append(f"{crowd.num_repeated} repeat an earlier one of the same annotator, and count as answers")
    flagged = found.ground_truth - found.set_aside.get(TRUTH, 0)
    if flagged:
        notes.append(
            f"{flagged} of the answers are flagged as ground truth; --trust-ground-truth takes them as the truth"
        )
    if export.unnamed:
        notes.append(
            f"{export.unnamed} annotations do not say who made them: the first of each task are taken for one "
            "annotator's, the second for another's, and so on"
        )
    if any(task is None for task in export.tasks):
        notes.append("not all tasks have an id: their places count, from 1")
    about = (
        f"{export.path}: Label Studio's export (control {control.name!r}, {control.tag}) with {len(crowd.label):,} "
        f"answers of {len(crowd.annotators):,} annotators to {len(crowd.tasks):,} tasks, {len(crowd.classes):,} "
        f"{'classes' if control.is_class else 'different answers'}"
    )
    return "; ".join([about, *notes])
