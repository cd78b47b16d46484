"""How answers that are not one class become beliefs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore import AnnotatorStats, Crowd
from crowdcore.crowd.ids import as_ids
from crowdcore.kinds import AnswerTable, KindResult
from label_studio_crowd.scoring.answers import Answers, distinct
from label_studio_crowd.scoring.kinds.kind import Details, Kind, PartSaid, Told
from label_studio_crowd.scoring.kinds.numbers import Numbers
from label_studio_crowd.scoring.kinds.rankings import Rankings
from label_studio_crowd.scoring.kinds.regions import RegionsKind
from label_studio_crowd.scoring.kinds.sets import Sets
from label_studio_crowd.scoring.kinds.texts import Texts

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

KINDS: Final[Mapping[str, Kind[Any]]] = {
    "set": Sets(),
    "number": Numbers(),
    "text": Texts(),
    "ranking": Rankings(),
    "regions": RegionsKind(),
}
"""The kinds of answers that are not one class, by the names of `crowdcore.kinds`."""


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
    details
        What it tells besides as arrays by name: see `Kind.details`.
    distance
        How far two answers are from each other, as `crowdcore.kinds.agreement.alpha` takes it.
    compared
        The answers that it compares: those of `found`, or, of what is said of single regions, by region.
    of_parts
        Of answers about regions, what is said of each of them; by task, (N,), or empty.
    hears_model
        Whether a classifier has a say.
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
    details: Details
    distance: Callable[[Any, Any], float]
    compared: AnswerTable
    of_parts: tuple[tuple[PartSaid, ...], ...] = ()
    hears_model: bool = False


def believe(answers: Answers, model: Floats | None = None) -> tuple[Answers, KindBelief]:
    """Return the answers, with the consensus among their values, and what is believed of them.

    Parameters
    ----------
    model
        What a classifier says of each task, a column for each of `Kind.columns`.
    """
    control, table, known = answers.control, table_of(answers), known_of(answers)
    kind = KINDS[control.form.kind]
    found = kind.believe(control, table, known, answers.texts, model)
    consensus = [
        answer if truth is None else truth for answer, truth in zip(kind.consensus(control, found), known, strict=True)
    ]
    return as_belief(
        answers,
        found,
        consensus,
        interval=kind.interval(found),
        told=kind.tell(control, found),
        distance=kind.distance,
        compared=found.answers,
        details=partial(kind.details, found, consensus=consensus),
        hears_model=kind.hears(found),
    )


def table_of(answers: Answers) -> AnswerTable:
    """Return the answers as crowdcore takes them, in the order of their crowd."""
    crowd, values = answers.crowd, answers.values
    given = [values[code] for code in crowd.label.tolist()]
    if not given:
        return _nothing(crowd)
    return AnswerTable.from_codes(crowd.task, crowd.annotator, given, tasks=crowd.tasks, annotators=crowd.annotators)


def known_of(answers: Answers) -> list[Any]:
    """Return the answers that are known to be true, None elsewhere; (N,)."""
    return [None if code < 0 else answers.values[code] for code in answers.known_labels.tolist()]


def as_belief(
    answers: Answers,
    found: KindResult,
    consensus: Sequence[Any],
    *,
    interval: Floats,
    told: Told,
    distance: Callable[[Any, Any], float],
    compared: AnswerTable,
    of_parts: tuple[tuple[PartSaid, ...], ...] = (),
    details: Callable[[Sequence[Any]], Details] = lambda given: {},
    hears_model: bool = False,
) -> tuple[Answers, KindBelief]:
    """Return answers with their consensus among the values, and what is believed of them as a `KindBelief`.

    Parameters
    ----------
    found
        What was found.
    consensus
        The consensus of each task as it is written, None where there is none; (N,).
    interval, told, distance, compared, of_parts, hears_model
        As in `KindBelief`.
    details
        Returns those for the answers as they are kept, (A,).
    """
    crowd, control, values = answers.crowd, answers.control, answers.values
    code_of = {answer: code for code, answer in enumerate(values)}
    for answer in consensus:
        if answer is not None:
            code_of.setdefault(answer, len(code_of))
    as_written = {code_of[answer]: answer for answer in consensus if answer is not None}
    all_values = tuple(as_written.get(code, answer) for answer, code in code_of.items())
    names = distinct([*crowd.classes.tolist(), *map(control.show, list(code_of)[len(values) :])])
    codes = np.array([-1 if answer is None else code_of[answer] for answer in consensus], np.int64)
    whole = Crowd(crowd.tasks, crowd.annotators, as_ids(names, "classes"), crowd.indptr, crowd.annotator, crowd.label)
    figures = found.annotators
    stats = AnnotatorStats(
        figures.quality, figures.agreement_with_consensus, np.full(len(crowd.annotators), -1), figures.num_answers
    )
    return replace(answers, crowd=whole, values=all_values, written=tuple(consensus)), KindBelief(
        crowd=whole,
        consensus=codes,
        quality=found.quality,
        confidence=found.confidence,
        agreement=found.agreement,
        label_quality=found.answer_quality,
        annotators=stats,
        known=found.known,
        quality_interval=interval,
        found=found,
        told=told,
        details=details([all_values[code] for code in crowd.label.tolist()]),
        distance=distance,
        compared=compared,
        of_parts=of_parts,
        hears_model=hears_model,
    )


def _nothing(crowd: Crowd) -> AnswerTable:
    return AnswerTable(crowd.tasks, crowd.annotators, crowd.indptr, crowd.annotator, np.empty(0, dtype=object))
