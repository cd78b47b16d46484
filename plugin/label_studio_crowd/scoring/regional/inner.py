"""What is believed of answers about parts of tasks, whatever their kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore import Crowd
from crowdcore.crowd.ids import as_ids
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.kinds import AnnotatorFigures, AnswerTable
from label_studio_crowd.scoring.consensus import find_class_beliefs
from label_studio_crowd.scoring.kinds import KINDS, Told
from label_studio_crowd.store.people import are_models
from label_studio_crowd.studio.controls import Control

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Inner:
    """What is believed of answers to a table's tasks.

    Attributes
    ----------
    table
        P tasks, M annotators, A answers.
    consensus
        An answer for each task, as a control writes it; None where there is none; (P,).
    quality
        How far it is believed; (P,).
    answer_quality, agrees
        How far each answer is believed, and how similar it is to the consensus; (A,).
    annotators
        Figures of the annotators.
    interval
        90 % interval of their quality; (M, 2).
    distance
        How far two answers are from each other.
    show
        An answer for people.
    told
        What is told besides of annotators and classes.
    """

    table: AnswerTable
    consensus: Sequence[Any]
    quality: Floats
    answer_quality: Floats
    agrees: Floats
    annotators: AnnotatorFigures
    interval: Floats
    distance: Callable[[Any, Any], float]
    show: Callable[[Any], str]
    told: Told


def believe_inner(control: Control, table: AnswerTable, known: Sequence[Any]) -> Inner:
    """Return what is believed of answers to a control, as if the table's tasks were those of a project.

    Parameters
    ----------
    known
        The true answers, None elsewhere; (P,).
    """
    if not len(table.tasks):
        return nothing_believed(table, control.show)
    return _of_classes(control, table, known) if control.is_class else _of_kind(control, table, known)


def nothing_believed(table: AnswerTable, show: Callable[[Any], str]) -> Inner:
    """Return what is believed where there is nothing that counts: annotators are as good as nobody knows."""
    none, M = np.empty(0), len(table.annotators)
    unknown, interval = np.full(M, np.nan), np.full((M, 2), np.nan)
    figures = AnnotatorFigures(unknown, interval, unknown, np.zeros(M, np.int64))
    return Inner(table, [], none, none, none, figures, interval, _differ, show, Told())


def _of_kind(control: Control, table: AnswerTable, known: Sequence[Any]) -> Inner:
    kind = KINDS[control.form.kind]
    found = kind.believe(control, table, known)
    consensus = kind.consensus(control, found)
    told = kind.tell(control, found)
    alike = found.annotators.agreement_with_consensus[table.annotator]
    return Inner(
        found.answers,
        [answer if truth is None else truth for answer, truth in zip(consensus, known, strict=True)],
        np.where(found.known, 1.0, found.quality),
        found.answer_quality,
        np.where(np.isnan(alike), 0.0, alike),
        found.annotators,
        kind.interval(found),
        kind.distance,
        control.show,
        Told((), told.of_annotators, told.of_classes),
    )


def _of_classes(control: Control, table: AnswerTable, known: Sequence[Any]) -> Inner:
    truths = {truth for truth in known if truth is not None}
    offered = () if control.is_tree else control.classes
    classes = [*offered, *sorted({*table.values.tolist(), *truths}.difference(offered))]
    code_of = {label: code for code, label in enumerate(classes)}
    labels = np.array([code_of[label] for label in table.values.tolist()], np.int64)
    crowd = Crowd(table.tasks, table.annotators, as_ids(classes, "classes"), table.indptr, table.annotator, labels)
    codes = np.array([-1 if truth is None else code_of[truth] for truth in known], np.int64)
    models = are_models(crowd.annotators)
    beliefs = find_class_beliefs(
        "hierarchical-dawid-skene",
        crowd,
        None,
        codes,
        in_order=control.kind == "ordered",
        people=~models if models.any() else None,
    )
    result = beliefs.result
    assert isinstance(result, HierarchicalResult)
    stats, consensus = result.annotators, result.consensus
    there = (crowd.num_answers > 0) | (codes >= 0)
    figures = AnnotatorFigures(
        stats.quality, beliefs.quality_interval, stats.agreement_with_consensus, stats.num_answers
    )
    return Inner(
        table,
        [classes[code] if some else None for code, some in zip(consensus.tolist(), there.tolist(), strict=True)],
        np.where(codes >= 0, 1.0, result.quality),
        result.label_quality,
        (labels == consensus[crowd.task]).astype(np.float64),
        figures,
        beliefs.quality_interval,
        _differ,
        control.show,
        Told(),
    )


def _differ(one: Any, other: Any) -> float:
    return float(one != other)
