"""Label Studio's JSON as a crowd, without Label Studio: an export, tasks to be imported, a target storage's folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from crowdcore.crowd.ids import as_array, as_ids, coded, distinct
from crowdcore.crowd.repeats import moments
from crowdcore.crowd.table import Crowd
from crowdcore.formats import Reading
from crowdcore.formats.delimited import typed
from crowdcore.formats.opened import read_text
from crowdcore.formats.tables import read_json
from crowdcore.formats.tools import flattened
from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.answers import SUPERSEDED, TRUTH, read_answers
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.people import model_id, shown_model
from label_studio_crowd.studio.controls import infer_control, regions_in
from label_studio_crowd.studio.own_annotations import is_own
from label_studio_crowd.studio.versions import check_models, is_ours

if TYPE_CHECKING:
    from crowdcore.crowd.repeats import Repeated
    from label_studio_crowd.scoring.answers import Answers
    from label_studio_crowd.studio.controls import Control

_WHO: Final = ("id", "email", "username", "name")
"""What names a person in an object, the surest first."""
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False, "none": False, "": False}
"""What a flag may be, as text in small letters."""


def load_export(path: Path) -> list[Any] | None:
    """Return the tasks of what Label Studio wrote, or takes; None if a file or folder is something else.

    Raises
    ------
    ValueError
        If a file is no JSON.
    OSError
        If it cannot be read.
    """
    if path.is_dir():
        return None if (path / "answers.json").exists() else _tasks_of_folder(path)
    try:
        found = orjson.loads(read_text(path))
    except orjson.JSONDecodeError:
        found = read_json(path)  # JSON Lines; or it says what is wrong
    rows = found if isinstance(found, list) else [found]
    if flattened(rows) is not None:
        return None
    if rows and all(isinstance(row, Mapping) and "result" in row and "task" in row for row in rows):
        return _by_task(rows)
    return rows if any(isinstance(row, Mapping) and _is_task(row) for row in rows) else None


def _is_task(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("annotations", row.get("completions")), list) or isinstance(row.get("data"), Mapping)


def _tasks_of_folder(path: Path) -> list[Any] | None:
    """Return the tasks of a target storage's folder, which has a file for each annotation."""
    rows = []
    for file in sorted(path.rglob("*")):
        if file.is_file() and not file.name.startswith(".") and file.suffix.lower() in ("", ".json"):
            try:
                row = orjson.loads(file.read_bytes())
            except orjson.JSONDecodeError:
                raise UserError(f"{file} is not JSON: a target storage's folder has nothing but annotations.") from None
            if not isinstance(row, Mapping) or "result" not in row or "task" not in row:
                return None
            rows.append(row)
    return _by_task(rows) if rows else None


def _by_task(rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return annotations that name their task, by task."""
    tasks: dict[Any, list[Any]] = {}
    for row in rows:
        task = row["task"].get("id") if isinstance(row["task"], Mapping) else row["task"]
        if isinstance(task, list | dict):
            raise UserError(f"An annotation's task is {task!r}; it must be a number, a text, or an object with an id.")
        tasks.setdefault(task, []).append(row)
    return [{"id": task, "annotations": annotations} for task, annotations in tasks.items()]


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
        From `load_export`.
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


@dataclass
class Export:
    """What an export says of its tasks and people.

    Attributes
    ----------
    path
        Where it is.
    tasks
        The ids of the tasks, None where one has none.
    people
        Who annotates, by number: what names them.
    unnamed
        Annotations that say nothing of who made them.
    versions
        How many tasks have a prediction of each model version.
    has_bare_ids
        Whether of some predictions only the id is there.
    """

    path: Path
    tasks: list[Any] = field(default_factory=list)
    people: dict[Any, int] = field(default_factory=dict)
    unnamed: int = 0
    versions: Counter[str] = field(default_factory=Counter)
    has_bare_ids: bool = False

    def annotations(self, place: int, task: Any) -> Iterator[Annotation]:
        """Give a task's annotations; of the task its place, of the annotator the number."""
        rows = task.get("annotations", task.get("completions")) if isinstance(task, Mapping) else None
        if rows is None and isinstance(task, Mapping) and "data" in task:
            rows = []
        if not isinstance(rows, list):
            found = ", ".join(map(repr, list(task)[:8])) if isinstance(task, Mapping) else repr(task)[:60]
            raise UserError(
                f"{self.path}, task {place} (counted from 0): expected a list of annotations, found "
                f"{found or 'nothing'}: export the format JSON."
            )
        if isinstance(task.get("id"), list | dict):
            raise UserError(
                f"{self.path}, task {place} (counted from 0): its id is {task['id']!r}; it must be a number or a text."
            )
        self.tasks.append(task.get("id"))
        nameless = 0
        for row in rows:
            if not isinstance(row, Mapping):  # a snapshot of ids only
                raise UserError(
                    f"Task {task.get('id', place)} has annotations without content ({row!r}): export them in full, not "
                    "as ids."
                )
            if is_own(row):  # what `write-annotations` wrote is no answer
                continue
            who = _who(row.get("completed_by"))
            if who is None:
                nameless += 1
                self.unnamed += 1
                who = f"unnamed {nameless}"
            yield Annotation(
                id=row.get("id") or 0,
                task=place,
                annotator=self.people.setdefault(who, len(self.people)),
                result=self._result(row, task.get("id", place)),
                was_cancelled=self._flag(row, "was_cancelled", task.get("id", place)),
                ground_truth=self._flag(row, "ground_truth", task.get("id", place)),
                updated_at=str(row.get("updated_at") or row.get("created_at") or ""),
                lead_time=row.get("lead_time"),
            )

    def _flag(self, row: Mapping[str, Any], name: str, task: Any) -> bool:
        """Return a flag of an annotation; texts are read as they are meant."""
        given = row.get(name)
        if str(given).lower() in _FLAGS:
            return _FLAGS[str(given).lower()]
        raise UserError(
            f"{self.path}, task {task!r}: {name} of the annotation {row.get('id')!r} is {given!r}; it must be true or "
            "false."
        )

    def predictions(self, place: int, task: Any, models: Sequence[str]) -> Iterator[Annotation]:
        """Give what these models predict for a task, the latest of each, as annotations of theirs."""
        rows = task.get("predictions") if isinstance(task, Mapping) and models else None
        latest: dict[str, Mapping[str, Any]] = {}
        given = [row for row in rows or () if isinstance(row, Mapping)]
        self.has_bare_ids |= len(given) < len(rows or ())
        for row in sorted(given, key=lambda row: str(row.get("updated_at") or row.get("created_at") or "")):
            latest[str(row.get("model_version") or "")] = row
        self.versions.update(latest.keys())
        for version, row in latest.items():
            if version in models:
                yield Annotation(
                    id=row.get("id") or 0,
                    task=place,
                    annotator=model_id(version),
                    result=self._result(row, task.get("id", place), "prediction"),
                    was_cancelled=False,
                    ground_truth=False,
                    updated_at="",
                    lead_time=None,
                )

    def _result(self, row: Mapping[str, Any], task: Any, what: str = "annotation") -> str:
        """Return what an annotation, or a prediction, says, as JSON."""
        result = [] if row.get("result") is None else row["result"]
        what = f"{self.path}, task {task!r}: the result of the {what} {row.get('id')!r}"
        if not isinstance(result, list) or not all(isinstance(item, Mapping) for item in result):
            raise UserError(f"{what} is {repr(result)[:60]}; expected a list of objects: export the format JSON anew.")
        try:
            return orjson.dumps(result).decode()
        except TypeError as error:  # a number over 64 bits, or half a character
            raise UserError(f"{what} cannot be read ({error}): mend it there, or leave the task out.") from None

    def task_ids(self) -> Any:
        """Return the tasks' ids; their places, from 1, if one has none."""
        if any(task is None for task in self.tasks):
            return np.arange(1, len(self.tasks) + 1)
        return as_array(self.tasks)


def _by_time(annotations: Sequence[Annotation]) -> list[Annotation]:
    """Return annotations by their time, whatever its zone; as they stand where times cannot be read."""
    import pandas as pd

    try:
        ranks = moments(pd.Series([row.updated_at or None for row in annotations], dtype=object))
    except (ValueError, TypeError):
        return list(annotations)
    return [annotations[place] for place in np.argsort(ranks, kind="stable").tolist()]


def _who(given: Any) -> Any:
    """Return what names a person: any key, or the surest one of an object; None if nothing does."""
    if isinstance(given, Mapping):
        given = next((given[key] for key in _WHO if given.get(key) not in (None, "")), None)
    if given in (None, "") or isinstance(given, list):
        return None
    text = str(given)
    return int(text) if text.isdecimal() and str(int(text)) == text else given if isinstance(given, str) else text


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
