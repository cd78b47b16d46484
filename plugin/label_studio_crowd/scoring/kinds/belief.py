"""How answers that are not one class become beliefs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore import AnnotatorStats, Crowd
from crowdcore.crowd.ids import as_ids
from crowdcore.kinds import AnswerTable, KindResult
from label_studio_crowd.scoring.answers import Answers, distinct
from label_studio_crowd.scoring.kinds.kind import Kind, Told
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
    kind = KINDS[control.form.kind]
    found = kind.believe(control, table, known)
    consensus = [
        answer if truth is None else truth for answer, truth in zip(kind.consensus(control, found), known, strict=True)
    ]
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
        quality_interval=kind.interval(found),
        found=found,
        told=kind.tell(control, found),
        distance=kind.distance,
    )


def _nothing(crowd: Crowd) -> AnswerTable:
    return AnswerTable(crowd.tasks, crowd.annotators, crowd.indptr, crowd.annotator, np.empty(0, dtype=object))
