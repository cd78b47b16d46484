"""From the user's word for a classifier to the classifier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.classifiers.embedding import EmbeddingClassifier
from label_studio_crowd.scoring.classifiers.estimator import EstimatorClassifier
from label_studio_crowd.scoring.classifiers.estimator_kinds import NumbersBy, sets_by
from label_studio_crowd.scoring.classifiers.fields import Field, Kind, field_at, fields_of
from label_studio_crowd.scoring.classifiers.numbers import NumberClassifier, Regression
from label_studio_crowd.scoring.classifiers.own_estimators import load
from label_studio_crowd.scoring.classifiers.predictions import PredictedNumbers, PredictedSets, PredictionsClassifier
from label_studio_crowd.scoring.classifiers.sets import OneVersusRest, SetClassifier
from label_studio_crowd.scoring.classifiers.tabular import TabularClassifier
from label_studio_crowd.scoring.classifiers.tasks import Classifier, TaskData, missing
from label_studio_crowd.scoring.classifiers.text import TextClassifier
from label_studio_crowd.studio.versions import is_ours

SPECS = (
    "auto, none, text, text:FIELD[,FIELD], tabular, tabular:FIELD[,FIELD], embedding, embedding:FIELD, "
    "predictions:MODEL_VERSION, package.module:factory"
)

AS_REQUESTED = "none: as requested; labels are judged by the annotators alone"
"""Why there is no classifier where the specification is "none"."""

TEXT_TAGS = {"text", "hypertext", "paragraphs", "header", "markdown", "chat", "list"}
"""Object tags, in lower case, that show text."""

OF_DATA = ("text", "tabular", "embedding")
"""Words for classifiers of data fields."""

READABLE: tuple[Kind, ...] = ("text", "words", "category")
COLUMNS: tuple[Kind, ...] = ("number", "category")

OfFields: TypeAlias = TextClassifier | TabularClassifier | EmbeddingClassifier | EstimatorClassifier
Predicted = TypeVar("Predicted", PredictionsClassifier, PredictedSets, PredictedNumbers)


@dataclass(frozen=True)
class Choice:
    """A classifier, or none, and the reason."""

    classifier: Classifier | None
    why: str


@dataclass(frozen=True)
class SetChoice:
    """A classifier of sets, or none, and the reason."""

    classifier: SetClassifier | None
    why: str


@dataclass(frozen=True)
class NumberChoice:
    """What foretells numbers, or nothing, and the reason."""

    classifier: NumberClassifier | None
    why: str


def build(spec: str, tasks: TaskData, *, n_classes: int) -> Classifier | None:
    """Return the classifier that `choose` chooses, None for none."""
    return choose(spec, tasks, n_classes=n_classes).classifier


def choose(spec: str, tasks: TaskData, *, n_classes: int, kind: str = "choice") -> Choice:
    """Return the classifier that a specification names, or the one that fits the project.

    Parameters
    ----------
    spec : str
        One of `SPECS`. "auto" takes an embedding field if there is one; else the text that annotators are
        shown; else the numbers and categories among the data fields; else none.
    tasks : TaskData
        The project's tasks.
    n_classes : int
        K.
    kind : str
        "choice" or "ordered".

    Returns
    -------
    Choice
        The classifier and why it; for "auto" also what was not chosen.

    Raises
    ------
    UserError
        If the specification is unknown, or names something that the project does not have.
    """
    if (version := predictions_named(spec)) is not None:
        classifier: Classifier = _told(PredictionsClassifier(_checked(version), tasks, n_classes), version, tasks)
        return Choice(classifier, classifier.why)
    return Choice(*_of_fields(spec, tasks, kind))


def choose_for_sets(spec: str, tasks: TaskData, *, n_classes: int) -> SetChoice:
    """Return the classifier of sets that a specification names, or the one that fits the project, as `choose` does."""
    if (version := predictions_named(spec)) is not None:
        predicted = _told(PredictedSets(_checked(version), tasks, n_classes), version, tasks)
        return SetChoice(predicted, predicted.why)
    found, why = _of_fields(spec, tasks, "set")
    if found is None:
        return SetChoice(None, why)
    return SetChoice(sets_by(found) if isinstance(found, EstimatorClassifier) else OneVersusRest(found), why)


def choose_for_numbers(spec: str, tasks: TaskData) -> NumberChoice:
    """Return what foretells numbers as a specification says, or as fits the project, as `choose` does."""
    if (version := predictions_named(spec)) is not None:
        predicted = _told(PredictedNumbers(_checked(version), tasks), version, tasks)
        return NumberChoice(predicted, predicted.why)
    found, why = _of_fields(spec, tasks, "number")
    if found is None:
        return NumberChoice(None, why)
    return NumberChoice(NumbersBy(found) if isinstance(found, EstimatorClassifier) else Regression(found), why)


def predictions_named(spec: str) -> str | None:
    """Return the model version whose predictions a specification names; None where it names something else."""
    word, _, rest = (part.strip() for part in spec.strip().partition(":"))
    return rest if word == "predictions" else None


def _of_fields(spec: str, tasks: TaskData, kind: str) -> tuple[OfFields | None, str]:
    """Return what learns answers of a kind from data fields, and why it."""
    word, _, rest = (part.strip() for part in spec.strip().partition(":"))
    if spec.strip() == "none":
        return None, AS_REQUESTED
    if spec.strip() == "auto":
        return _auto(tasks, kind)
    classifier: OfFields
    if word == "text":
        classifier = TextClassifier(_text_fields(rest, tasks), tasks, *_how(kind))
    elif word == "tabular":
        classifier = TabularClassifier(_tabular_fields(rest, tasks), tasks)
    elif word == "embedding":
        classifier = _embedding(rest, tasks, kind)
    elif rest and word not in ("auto", "none"):
        classifier = EstimatorClassifier(spec.strip(), tasks, kind)
    else:
        raise _unknown(spec)
    return classifier, classifier.why


def refuse_unknown(spec: str, versions: Mapping[str, int]) -> None:
    """Raise if a specification can name no classifier, whatever the tasks hold.

    Parameters
    ----------
    spec : str
        See `choose`.
    versions : mapping of str to int
        The model versions, and how many predictions each has.

    Raises
    ------
    UserError
        If the word is unknown, the user's own code cannot be imported, or the model version has no predictions.
    """
    word, _, rest = (part.strip() for part in spec.strip().partition(":"))
    if word == "predictions" and rest:
        if rest not in versions:
            raise _no_predictions(rest, versions)
    elif word not in (*OF_DATA, "predictions"):
        if rest and word not in ("auto", "none"):
            load(spec.strip())
        elif spec.strip() not in ("auto", "none"):
            raise _unknown(spec)


def refuse_unfit(spec: str, tasks: TaskData) -> None:
    """Raise if a specification names data fields that tasks do not have, or asks for ones that none of them is.

    Parameters
    ----------
    spec : str
        See `choose`; one that names no data fields, as "text", "tabular" and "embedding" do, fits any tasks.
    tasks : TaskData
        Tasks of the project.

    Raises
    ------
    UserError
        The message lists the fields that there are.
    """
    if learns_from_fields(spec):
        _of_fields(spec, tasks, "choice")


def learns_from_fields(spec: str) -> bool:
    """Return whether a specification names data fields, or asks for those that fit, other than by "auto"."""
    return spec.partition(":")[0].strip() in OF_DATA


def _unknown(spec: str) -> UserError:
    return UserError(f"Found classifier {spec!r}; allowed are {SPECS}. Use auto if in doubt.")


def _no_predictions(version: str, versions: Mapping[str, int]) -> UserError:
    """Return the error for a version without an answer.

    Parameters
    ----------
    versions
        Of all predictions of the project: how many of each version.
    """
    theirs = {other: number for other, number in versions.items() if other != version and not is_ours(other)}
    others = ", ".join(f"{other!r} ({number:,} predictions)" for other, number in theirs.items())
    if number := versions.get(version, 0):
        found = f"Of the {number:,} predictions of model version {version!r} none answers this control"
        advice = "Look whether its results name this control (from_name) and give answers that it offers"
    else:
        found = f"Found no predictions of model version {version!r}"
        advice = 'Look up the version in the Data Manager\'s column "Prediction model versions"'
    has = f"versions of other models: {others}" if others else "there are none of other models"
    return UserError(f"{found}; {has}. {advice}, or choose --classifier auto.")


def _how(kind: str) -> tuple[str, ...]:
    """Return what learns from linear features, in words, where it is not what learns classes."""
    return ("ridge regression",) if kind == "number" else ()


def _auto(tasks: TaskData, kind: str) -> tuple[OfFields | None, str]:
    fields = fields_of(tasks)
    shown = [name for name in _shown_text(tasks) if _readable(name, fields, tasks)]
    classifier: OfFields
    if vectors := [f.name for f in fields.values() if f.kind == "embedding"]:
        classifier, reason, used = _vectors(vectors[0], tasks, kind), "it has an embedding", vectors[:1]
    elif shown:
        classifier, reason, used = TextClassifier(shown, tasks, *_how(kind)), "annotators are shown text", shown
    elif columns := [f.name for f in fields.values() if f.kind in COLUMNS]:
        reason = "neither an embedding nor text shown to annotators, but fields that tell tasks apart"
        classifier, used = TabularClassifier(columns, tasks), columns
    else:
        why = "none: no data field holds an embedding, text shown to annotators, numbers or categories"
        return None, why + _left_out(fields.values())
    rest = [f for f in fields.values() if not any(_holds(name, f.name) or _holds(f.name, name) for name in used)]
    classifier.why += f" (chosen by auto: {reason}{_left_out(rest)})"
    return classifier, classifier.why


def _holds(outer: str, name: str) -> bool:
    """Return whether a field is another, or inside it."""
    return name == outer or name.startswith((f"{outer}.", f"{outer}["))


def _left_out(fields: Iterable[Field], most: int = 8) -> str:
    found = [f'"{field.name}" ({field.note})' for field in fields]
    if not found:
        return ""
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return f"; not used: {', '.join(found[:most])}{more}"


def _shown_text(tasks: TaskData) -> list[str]:
    return list(dict.fromkeys(name for tag, name in tasks.fields if tag.lower() in TEXT_TAGS))


def _readable(name: str, fields: dict[str, Field], tasks: TaskData) -> bool:
    """Say whether a field that is shown as text holds some: not a link to it, not the same in every task."""
    if name in fields:
        return fields[name].kind in READABLE
    inside = [field for field in fields.values() if field.name.startswith(name + ".")]
    return any(field.kind in READABLE for field in inside) or field_at(name, tasks).kind in READABLE


def _text_fields(rest: str, tasks: TaskData) -> list[str]:
    if rest:
        return _named(rest, tasks)
    fields = fields_of(tasks)
    found = [name for name in _shown_text(tasks) if _readable(name, fields, tasks)]
    found = found or [field.name for field in fields.values() if field.kind == "text"]
    if not found:
        raise UserError(
            f"Found no data field with text; the fields are {_listed(fields.values())}. Name one with "
            "text:FIELD, or choose --classifier auto."
        )
    return found


def _tabular_fields(rest: str, tasks: TaskData) -> list[str]:
    fields = fields_of(tasks)
    if rest:
        named = _named(rest, tasks)
        inside = {name: [f for f in fields if f.startswith(name + ".")] for name in named}
        return list(dict.fromkeys(f for name in named for f in inside[name] or [name]))
    found = [field.name for field in fields.values() if field.kind in COLUMNS]
    if not found:
        raise UserError(
            f"Found no data field with numbers or categories; the fields are {_listed(fields.values())}. "
            "Name fields with tabular:FIELD,FIELD, or choose --classifier auto."
        )
    return found


def _embedding(rest: str, tasks: TaskData, kind: str) -> EmbeddingClassifier:
    if not rest:
        fields = fields_of(tasks)
        found = [field.name for field in fields.values() if field.kind == "embedding"]
        if not found:
            raise UserError(
                "Found no data field that holds a list of numbers of one length in nearly all tasks; the "
                f"fields are {_listed(fields.values())}. Name one with embedding:FIELD, or add one to the "
                "tasks."
            )
        return _vectors(found[0], tasks, kind)
    (name, *more) = _named(rest, tasks)
    if more:
        raise UserError(f"Found {1 + len(more)} fields in embedding:{rest}; one is allowed. Join the vectors into one.")
    classifier = _vectors(name, tasks, kind)
    if not classifier.usable.any():
        example = next(value for value in tasks.column(name) if not missing(value))
        raise UserError(
            f"Field {name!r} holds no lists of numbers; its first value is {str(example)[:60]!r}. Expected a "
            "list such as [0.1, -2.3, ...], of the same length in every task. Name another field."
        )
    return classifier


def _vectors(name: str, tasks: TaskData, kind: str) -> EmbeddingClassifier:
    return EmbeddingClassifier(name, tasks.column(name), *_how(kind))


def _checked(version: str) -> str:
    """Return a model version of somebody else's."""
    if not version:
        raise UserError(
            "Found 'predictions' without a model version. Write predictions:MODEL_VERSION, as the Data "
            'Manager shows it in the column "Prediction model versions".'
        )
    if is_ours(version):
        raise UserError(
            f"Found classifier 'predictions:{version}', which are our own predictions: they would confirm themselves. "
            "Name the version of another model, or choose --classifier auto."
        )
    return version


def _told(classifier: Predicted, version: str, tasks: TaskData) -> Predicted:
    """Return a classifier of predictions, if there are any."""
    if not classifier.told:
        raise _no_predictions(version, tasks.versions)
    return classifier


def _named(rest: str, tasks: TaskData) -> list[str]:
    """Return the fields of a list with commas, each of which at least one task has."""
    names = list(dict.fromkeys(name.strip() for name in rest.split(",") if name.strip()))
    if not names:
        raise UserError(f"Found {rest!r} instead of a data field. Write one field, or several with commas.")
    for name in names:
        if all(missing(value) for value in tasks.column(name)):
            fields = fields_of(tasks)
            state = "is empty in every task" if name in fields else "is in no task"
            raise UserError(
                f"Data field {name!r} {state}; the fields are {_listed(fields.values())}. Name one of those."
            )
    return names


def _listed(fields: Iterable[Field], most: int = 20) -> str:
    found: Sequence[str] = [f'"{field.name}" ({field.note})' for field in fields]
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more if found else "none (the tasks have no data)"
