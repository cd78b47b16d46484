"""From the user's word for a classifier to the classifier."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.classifiers.embedding import EmbeddingClassifier
from label_studio_crowd.scoring.classifiers.estimator import EstimatorClassifier, load
from label_studio_crowd.scoring.classifiers.fields import Field, Kind, field_at, fields_of
from label_studio_crowd.scoring.classifiers.predictions import PredictionsClassifier
from label_studio_crowd.scoring.classifiers.tabular import TabularClassifier
from label_studio_crowd.scoring.classifiers.tasks import Classifier, TaskData, missing
from label_studio_crowd.scoring.classifiers.text import TextClassifier
from label_studio_crowd.studio.versions import is_ours

SPECS = (
    "auto, none, text, text:FIELD[,FIELD], tabular, tabular:FIELD[,FIELD], embedding, embedding:FIELD, "
    "predictions:MODEL_VERSION, package.module:factory"
)

TEXT_TAGS = {"text", "hypertext", "paragraphs", "header", "markdown", "chat", "list"}
"""Object tags, in lower case, that show text."""

READABLE: tuple[Kind, ...] = ("text", "words", "category")
COLUMNS: tuple[Kind, ...] = ("number", "category")


@dataclass(frozen=True)
class Choice:
    """A classifier, or none, and the reason."""

    classifier: Classifier | None
    why: str


def build(spec: str, tasks: TaskData, *, n_classes: int) -> Classifier | None:
    """Return the classifier that `choose` chooses, None for none."""
    return choose(spec, tasks, n_classes=n_classes).classifier


def choose(spec: str, tasks: TaskData, *, n_classes: int) -> Choice:
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

    Returns
    -------
    Choice
        The classifier and why it; for "auto" also what was not chosen.

    Raises
    ------
    UserError
        If the specification is unknown, or names something that the project does not have.
    """
    word, _, rest = (part.strip() for part in spec.strip().partition(":"))
    if spec.strip() == "none":
        return Choice(None, "none: as requested; labels are judged by the annotators alone")
    if spec.strip() == "auto":
        return _auto(tasks)
    classifier: Classifier
    if word == "text":
        classifier = TextClassifier(_text_fields(rest, tasks), tasks)
    elif word == "tabular":
        classifier = TabularClassifier(_tabular_fields(rest, tasks), tasks)
    elif word == "embedding":
        classifier = _embedding(rest, tasks)
    elif word == "predictions":
        classifier = _predictions(rest, tasks, n_classes)
    elif rest and word not in ("auto", "none"):
        classifier = EstimatorClassifier(spec.strip(), tasks)
    else:
        raise _unknown(spec)
    return Choice(classifier, classifier.why)


def refuse_unknown(spec: str, versions: Collection[str]) -> None:
    """Raise if a specification can name no classifier, whatever the tasks hold.

    Parameters
    ----------
    spec : str
        See `choose`.
    versions : collection of str
        The model versions that have predictions.

    Raises
    ------
    UserError
        If the word is unknown, the user's own code cannot be imported, or the model version has no predictions.
    """
    word, _, rest = (part.strip() for part in spec.strip().partition(":"))
    if word == "predictions" and rest:
        if rest not in versions:
            raise _no_predictions(rest, versions)
    elif word not in ("text", "tabular", "embedding", "predictions"):
        if rest and word not in ("auto", "none"):
            load(spec.strip())
        elif spec.strip() not in ("auto", "none"):
            raise _unknown(spec)


def _unknown(spec: str) -> UserError:
    return UserError(f"Found classifier {spec!r}; allowed are {SPECS}. Use auto if in doubt.")


def _no_predictions(version: str, versions: Iterable[str]) -> UserError:
    known = ", ".join(repr(other) for other in versions if other != version and not is_ours(other))
    return UserError(
        f"Found no predictions of model version {version!r} with a class of this control; other versions: "
        f"{known or 'none seen'}. Look up the version in the Data Manager's column "
        '"Prediction model versions", or choose --classifier auto.'
    )


def _auto(tasks: TaskData) -> Choice:
    fields = fields_of(tasks)
    shown = [name for name in _shown_text(tasks) if _readable(name, fields, tasks)]
    classifier: Classifier
    if vectors := [f.name for f in fields.values() if f.kind == "embedding"]:
        classifier, reason, used = _vectors(vectors[0], tasks), "it has an embedding", vectors[:1]
    elif shown:
        classifier, reason, used = TextClassifier(shown, tasks), "annotators are shown text", shown
    elif columns := [f.name for f in fields.values() if f.kind in COLUMNS]:
        reason = "neither an embedding nor text shown to annotators, but fields that tell tasks apart"
        classifier, used = TabularClassifier(columns, tasks), columns
    else:
        why = "none: no data field holds an embedding, text shown to annotators, numbers or categories"
        return Choice(None, why + _left_out(fields.values()))
    rest = [f for f in fields.values() if not any(_holds(name, f.name) or _holds(f.name, name) for name in used)]
    classifier.why += f" (chosen by auto: {reason}{_left_out(rest)})"
    return Choice(classifier, classifier.why)


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


def _embedding(rest: str, tasks: TaskData) -> EmbeddingClassifier:
    if not rest:
        fields = fields_of(tasks)
        found = [field.name for field in fields.values() if field.kind == "embedding"]
        if not found:
            raise UserError(
                "Found no data field that holds a list of numbers of one length in nearly all tasks; the "
                f"fields are {_listed(fields.values())}. Name one with embedding:FIELD, or add one to the "
                "tasks."
            )
        return _vectors(found[0], tasks)
    (name, *more) = _named(rest, tasks)
    if more:
        raise UserError(f"Found {1 + len(more)} fields in embedding:{rest}; one is allowed. Join the vectors into one.")
    classifier = _vectors(name, tasks)
    if not classifier.usable.any():
        example = next(value for value in tasks.column(name) if not missing(value))
        raise UserError(
            f"Field {name!r} holds no lists of numbers; its first value is {str(example)[:60]!r}. Expected a "
            "list such as [0.1, -2.3, ...], of the same length in every task. Name another field."
        )
    return classifier


def _vectors(name: str, tasks: TaskData) -> EmbeddingClassifier:
    return EmbeddingClassifier(name, tasks.column(name))


def _predictions(version: str, tasks: TaskData, n_classes: int) -> PredictionsClassifier:
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
    classifier = PredictionsClassifier(version, tasks, n_classes)
    if not classifier.told:
        raise _no_predictions(version, [other for other, found in tasks.predictions.items() if found])
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
