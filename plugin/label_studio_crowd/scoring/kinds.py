"""How answers that are not one class become beliefs: sets and numbers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore import AnnotatorStats, Crowd
from crowdcore.crowd.ids import as_ids
from crowdcore.kinds import AnswerTable, KindResult, NumberResult, SetResult, label_sets, numbers
from crowdcore.kinds.agreement import set_distance, squared_distance
from crowdcore.kinds.rating import rate_annotators
from label_studio_crowd.estimate import LEVEL
from label_studio_crowd.scoring.answers import Answers, distinct
from label_studio_crowd.studio.controls import PATH_SEPARATOR, Control

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Told:
    """What a kind of answers tells besides, in words.

    Attributes
    ----------
    of_tasks, of_annotators
        Of each task, and of each annotator; (N,), (M,).
    of_classes
        Of each class that an answer may have: the class, and what it tells.
    """

    of_tasks: tuple[str, ...] = ()
    of_annotators: tuple[str, ...] = ()
    of_classes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class KindBelief:
    """What is believed of answers of some kind, in the shape of a `crowdcore.HierarchicalResult`.

    Each different answer is a class.

    Attributes
    ----------
    crowd
        The answers; its classes are the different answers, and the consensus where nobody gave it.
    consensus, quality, confidence, agreement, label_quality, annotators, known
        As there.
    quality_interval
        90 % interval of each annotator's quality; (M, 2).
    found
        What crowdcore found.
    told
        What the kind tells besides, in words.
    distance
        How far two answers are from each other, as `crowdcore.kinds.agreement.alpha` takes it.
    """

    crowd: Crowd
    consensus: Codes
    quality: Floats
    confidence: Floats
    agreement: Floats
    label_quality: Floats
    annotators: AnnotatorStats
    known: NDArray[np.bool_]
    quality_interval: Floats
    found: KindResult
    told: Told
    distance: Callable[[Any, Any], float]


def believe(answers: Answers) -> tuple[Answers, KindBelief]:
    """Return the answers, with the consensus among their values, and what is believed of them."""
    crowd, control, values = answers.crowd, answers.control, answers.values
    known = [None if code < 0 else values[code] for code in answers.known_labels.tolist()]
    given = [values[code] for code in crowd.label.tolist()]
    table = (
        AnswerTable.from_codes(crowd.task, crowd.annotator, given, tasks=crowd.tasks, annotators=crowd.annotators)
        if len(given)
        else _nothing(crowd)
    )
    found = _BELIEVE[control.form.kind](control, table, known)
    consensus = _consensus(control, found, known, given)
    code_of = {answer: code for code, answer in enumerate(values)}
    for answer in consensus:
        if answer is not None:
            code_of.setdefault(answer, len(code_of))
    names = distinct([*crowd.classes.tolist(), *map(control.show, list(code_of)[len(values) :])])
    codes = np.array([-1 if answer is None else code_of[answer] for answer in consensus], np.int64)
    whole = Crowd(crowd.tasks, crowd.annotators, as_ids(names, "classes"), crowd.indptr, crowd.annotator, crowd.label)
    rated = rate_annotators(found.answers, found.answer_quality, found.answer_quality, level=LEVEL)
    figures = found.annotators
    stats = AnnotatorStats(
        figures.quality, figures.agreement_with_consensus, np.full(len(crowd.annotators), -1), figures.num_answers
    )
    return replace(answers, crowd=whole, values=tuple(code_of)), KindBelief(
        crowd=whole,
        consensus=codes,
        quality=found.quality,
        confidence=found.confidence,
        agreement=found.agreement,
        label_quality=found.answer_quality,
        annotators=stats,
        known=found.known,
        quality_interval=rated.interval,
        found=found,
        told=_tell(control, found),
        distance=_DISTANCES[control.form.kind],
    )


def _nothing(crowd: Crowd) -> AnswerTable:
    return AnswerTable(crowd.tasks, crowd.annotators, crowd.indptr, crowd.annotator, np.empty(0, dtype=object))


def _sets(control: Control, table: AnswerTable, known: Sequence[Any]) -> KindResult:
    if not control.is_tree:
        seen = set().union(*table.values, *(labels for labels in known if labels))
        classes = [*control.classes, *sorted(seen.difference(control.classes))]
        return label_sets(table, classes=classes, known=known)
    as_paths = table.with_values([_as_paths(control, labels) for labels in table.values])
    true_sets = [None if labels is None else _as_paths(control, labels) for labels in known]
    return label_sets(as_paths, known=true_sets, paths=True)


def _as_paths(control: Control, labels: frozenset[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(control.paths.get(label) or tuple(label.split(PATH_SEPARATOR)) for label in labels)


def _numbers(control: Control, table: AnswerTable, known: Sequence[Any]) -> KindResult:
    return numbers(table, known=[np.nan if value is None else value for value in known], tolerance=control.step)


_DISTANCES: Final[dict[str, Callable[[Any, Any], float]]] = {"set": set_distance, "number": squared_distance}

_BELIEVE: Final[dict[str, Callable[[Control, AnswerTable, Sequence[Any]], KindResult]]] = {
    "set": _sets,
    "number": _numbers,
}


def _tell(control: Control, found: KindResult) -> Told:
    if isinstance(found, SetResult):
        return _of_sets(found)
    if isinstance(found, NumberResult):
        return _of_numbers(control, found)
    return Told()


def _of_sets(found: SetResult) -> Told:
    names = [PATH_SEPARATOR.join(label) if isinstance(label, tuple) else str(label) for label in found.classes.tolist()]
    tasks = [
        ", ".join(f"{names[code]} {row[code]:.2f}" for code in np.argsort(-row, kind="stable") if row[code] >= _SEEN)
        for row in found.probability
    ]
    more, classes = found.annotators.more, found.class_figures()
    people = [
        f"precision {_share(precision)}, recall {_share(recall)}"
        for precision, recall in zip(more["precision"], more["recall"], strict=True)
    ]
    told = [
        (name, f"applies to {_share(share)} of the tasks; precision {_share(precision)}, recall {_share(recall)}")
        for name, share, precision, recall in zip(names, *classes.values(), strict=True)
    ]
    return Told(tuple(tasks), tuple(people), tuple(told))


def _of_numbers(control: Control, found: NumberResult) -> Told:
    is_moment = control.tag == "datetime"
    tasks = [
        f"90 % interval {_bound(control, low, high)} to {_bound(control, high, low)}" if np.isfinite(low) else ""
        for low, high in found.interval.tolist()
    ]
    unit = " seconds" if is_moment and control.written != "year" else ""
    people = [
        f"bias {bias:+.3g}{unit}, spread {spread:.3g}{unit}"
        for bias, spread in zip(found.annotators.more["bias"], found.annotators.more["spread"], strict=True)
    ]
    return Told(tuple(tasks), tuple(people))


def _bound(control: Control, bound: float, other: float) -> str:
    """Return an end of an interval with as many digits as its width asks for."""
    width = abs(bound - other)
    digits = int(np.clip(1 - np.floor(np.log10(width)), 0, 12)) if width > 0 else 12
    return control.show(bound if control.tag == "datetime" else round(bound, digits))


def _share(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.0%}".replace("%", " %")


_SEEN: Final = 0.05
"""Probability from which on a task's page names a class."""


def _consensus(control: Control, found: KindResult, known: Sequence[Any], given: Sequence[Any]) -> list[Any]:
    """Return each task's consensus as the control writes it, None where there is none."""
    answers: list[Any] = []
    whole = control.form.kind == "number" and all(float(value).is_integer() for value in given)
    for answer, truth in zip(found.consensus.tolist(), known, strict=True):
        if truth is not None:
            answers.append(truth)
        elif answer is None or answer != answer:  # NaN
            answers.append(None)
        elif control.form.kind == "number":
            answers.append(_on_scale(control, answer, whole))
        else:
            answers.append(frozenset(map(PATH_SEPARATOR.join, answer)) if control.is_tree else answer)
    return answers


def _on_scale(control: Control, number: float, whole: bool) -> float:
    """Return a number that annotators could have given: on a step, within the bounds, whole where all answers are."""
    if control.step:
        start = control.least or 0.0
        number = start + round((number - start) / control.step) * control.step
    elif whole:
        number = float(round(number))
    if control.least is not None:
        number = max(number, control.least)
    if control.most is not None:
        number = min(number, control.most)
    return float(f"{number:.6g}") if not float(number).is_integer() else float(number)
